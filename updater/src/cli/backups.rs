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
use updater::text::Texts;

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
    let texts = global.texts();
    let text = match &found[..] {
        [] => texts.get("backups-none", &[]),
        _ => {
            let lines: Vec<String> = found.iter().map(|backup| as_text(texts, backup)).collect();
            format!("{}\n{}", lines.join("\n"), texts.get("backups-next", &[]))
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

fn as_text(texts: &Texts, backup: &Backup) -> String {
    let build = match (&backup.release, &backup.recognised) {
        (Some(release), _) => Some(release.id.build.text().to_owned()),
        (None, Some(recognised)) => Some(texts.get("backups-recognised", &[("build", recognised.build.as_str().into())])),
        (None, None) => None,
    };
    let what = match (&backup.kind, build) {
        (BackupKind::Own { made, .. }, build) => {
            let build = build.unwrap_or_else(|| texts.get("build-unknown", &[]));
            texts.get("backups-own", &[("build", build.into()), ("made", made.to_string().into())])
        }
        (BackupKind::Adopted { made, .. }, None) => texts.get("backups-adopted", &[("made", made.to_string().into())]),
        (BackupKind::Adopted { made, .. }, Some(build)) => {
            texts.get("backups-adopted-build", &[("build", build.into()), ("made", made.to_string().into())])
        }
        (BackupKind::Exposed, _) => texts.get("backups-exposed", &[("rights", GIVE_ALL.into())]),
        (BackupKind::Foreign, _) => texts.get("backups-foreign", &[]),
        (BackupKind::Damaged(damage), _) => texts.get("backups-damaged", &[("why", damage.to_string().into())]),
        (BackupKind::NotAFolder, _) => texts.get("backups-not-a-folder", &[]),
    };
    format!("{}  {what}", backup.slot.folder_name())
}
