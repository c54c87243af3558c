//! `updater backups`.

use clap::Args;
use serde_json::json;
use updater::backup::{self, Backup, BackupKind};
use updater::exit_code::Exit;
use updater::fs::owners::GIVE_ALL;
use updater::history::BuildAt;
use updater::installed::InstalledRelease;
use updater::pipeline::{Error, Session};
use updater::progress::Progress;

use super::{Global, Report, context};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Take folders that the updater did not make into the rotation, unverified.
    #[arg(long)]
    pub(crate) adopt: bool,
}

pub(crate) fn run(global: &Global, arguments: Arguments, progress: &dyn Progress) -> Result<Report, Error> {
    let run = context::begin(global, progress);
    let session = Session::open(&global.dir, "backups", &run)?;
    let mut found = backup::backups(&session.folder)?;
    if arguments.adopt {
        for strange in found.iter().filter(|backup| matches!(backup.kind, BackupKind::Foreign | BackupKind::Damaged(_))) {
            backup::adopt(&session.folder, strange.slot, run.now)?;
        }
        found = backup::backups(&session.folder)?;
    }
    let json = json!({ "backups": found.iter().map(as_json).collect::<Vec<_>>() });
    let text = match &found[..] {
        [] => "there are no backups yet: the first update makes one".to_owned(),
        _ => {
            let lines: Vec<String> = found.iter().map(as_text).collect();
            format!("{}\nNext: `updater rollback` goes back to the newest, `updater rollback --to NNN` to another", lines.join("\n"))
        }
    };
    Ok(Report::new(&json, text, Exit::Success))
}

fn as_json(backup: &Backup) -> serde_json::Value {
    let (kind, made) = match &backup.kind {
        BackupKind::Own { made, .. } => ("own", Some(made)),
        BackupKind::Adopted { made, .. } => ("adopted", Some(made)),
        BackupKind::Foreign => ("foreign", None),
        BackupKind::Exposed => ("exposed", None),
        BackupKind::Damaged(_) => ("damaged", None),
        BackupKind::NotAFolder => ("not-a-folder", None),
    };
    let holds = holds(backup);
    json!({
        "name": backup.slot.folder_name(),
        "kind": kind,
        "made": made,
        "build": holds.as_ref().map(|holds| &holds.build),
        "sequence": holds.as_ref().map(|holds| holds.sequence),
        "recognised": backup.release.is_none() && holds.is_some(),
    })
}

/// The build that a backup holds: what was installed, or what somebody else's folder was recognised as.
fn holds(backup: &Backup) -> Option<BuildAt> {
    let at = |release: &InstalledRelease| BuildAt { build: release.id.build.text().to_owned(), sequence: release.place.1 };
    backup.release.as_ref().map(at).or_else(|| backup.recognised.clone())
}

fn as_text(backup: &Backup) -> String {
    let name = backup.slot.folder_name();
    let build = match (&backup.release, &backup.recognised) {
        (Some(release), _) => Some(release.id.build.text().to_owned()),
        (None, Some(recognised)) => Some(format!("{} by its files", recognised.build)),
        (None, None) => None,
    };
    match &backup.kind {
        BackupKind::Own { made, .. } => format!("{name}  {}, made {made}", build.unwrap_or("an unknown build".to_owned())),
        BackupKind::Adopted { made, .. } => {
            let build = build.map_or(String::new(), |build| build + ", ");
            format!("{name}  {build}made by another program, taken in {made}; unverified")
        }
        BackupKind::Exposed => {
            format!("{name}  can be changed by others, so it is not believed: give it {GIVE_ALL}")
        }
        BackupKind::Foreign => format!("{name}  made by another program; `updater backups --adopt` takes it into the rotation"),
        BackupKind::Damaged(damage) => format!("{name}  damaged ({damage}); `updater backups --adopt` keeps it as unverified"),
        BackupKind::NotAFolder => format!("{name}  is not a folder: move it away, or no update can be made"),
    }
}
