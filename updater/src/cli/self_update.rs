//! `updater self …`: the updater's own releases.

use std::path::PathBuf;
use std::process::Child;

use clap::{Args, Subcommand, ValueEnum};
use manifests::install_link::InstallLink;
use manifests::name::Name;
use serde_json::json;
use updater::backup;
use updater::backup::rotation::Slot;
use updater::exit_code::Exit;
use updater::fs::{Folder, LocalPath};
use updater::install::Wanted;
use updater::pipeline::{Error, Session};
use updater::profile;
use updater::progress::Progress;
use updater::self_check;
use updater::self_update::{self, Activated, Home, Program, Record, SelfUpdateError, SelfUpdater};
use updater::text::Texts;

use super::check::Asking;
use super::{Global, Report, check, context};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Follow the updater's own releases, from the install link for the updater.
    Follow(Follow),
    /// Ask what is new for the updater; change nothing.
    Check {
        #[command(flatten)]
        asking: Asking,
    },
    /// Bring the updater to its newest release.
    Update {
        #[command(flatten)]
        asking: Asking,
    },
    /// Take the updater back to the one before, without a network.
    Rollback {
        /// Which backup: 001, 002 or 003; the newest without it.
        #[arg(long, value_name = "NNN")]
        to: Option<Slot>,
        /// Why, for the history; needed to go back below a security floor or to a withdrawn build.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Say which updater this is, what it follows and what it keeps.
    Status,
    /// Look for a newer updater before each `check` and `update`, or only when asked.
    Automatic {
        /// Whether.
        switch: Switch,
    },
}

#[derive(Args)]
pub(crate) struct Follow {
    /// The install link, with what follows its `#`.
    link: InstallLink,
    /// Follow another channel than the link's.
    #[arg(long)]
    channel: Option<Name>,
    /// Trust the root in this file; the link may then lack its `#`.
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

pub(crate) fn run(global: &Global, command: Command, progress: &dyn Progress) -> Result<Report, Error> {
    let home = Home::of_this_program()?;
    let open = |home: Home, command: &str, run: &updater::pipeline::Run<'_>| -> Result<SelfUpdater, Error> {
        Ok(SelfUpdater::open(home, command, stations(global), run)?.ok_or(SelfUpdateError::FollowsNothing)?)
    };
    match command {
        Command::Follow(Follow { link, channel, root, asking }) => {
            let root = root.map(|path| std::fs::read(&path).map_err(|source| Error::Argument { path, source })).transpose()?;
            let wanted = Wanted { link, root, os: None, arch: None, variant: None, channel, settings: vec![] };
            let run = asking.begin(global, progress)?;
            let updater = context::block_on(self_update::follow(home, &wanted, &run))?;
            let station = &updater.session.station;
            let arguments = [("channel", station.channel_id().to_string().into()), ("name", station.name.to_string().into())];
            let text = global.texts().get("self-follows", &arguments);
            let json = json!({ "result": "followed", "following": station.channel_id().target_path(), "folder": updater.session.folder.path().display().to_string() });
            Ok(Report::new(&json, text, Exit::Success))
        }
        Command::Check { asking } => {
            let run = asking.begin(global, progress)?;
            let mut updater = open(home, "self check", &run)?;
            let checked = context::block_on(updater.check(&run))?;
            let report = check::report(global.texts(), &updater.session, &checked, &[]);
            let text = report.text.replace("`updater update`", "`updater self update`");
            Ok(Report { text, ..report })
        }
        Command::Update { asking } => {
            if self_update::confirm(&home)? {
                return became(global.texts(), &home, "updated");
            }
            let run = asking.begin(global, progress)?;
            let mut updater = open(home, "self update", &run)?;
            context::block_on(updater.update(&run))?;
            let activated = updater.activate(&run)?;
            finish(global.texts(), updater, activated)
        }
        Command::Rollback { to, reason } => {
            if self_update::confirm(&home)? {
                return became(global.texts(), &home, "rolled-back");
            }
            let run = context::begin(global, progress);
            let mut updater = open(home, "self rollback", &run)?;
            let activated = context::block_on(updater.rollback(to, reason, &run))?;
            finish(global.texts(), updater, activated)
        }
        Command::Status => status(&home, global, progress),
        Command::Automatic { switch } => {
            let run = context::begin(global, progress);
            open(home, "self automatic", &run)?.set_automatic(switch == Switch::On)?;
            let text = match switch {
                Switch::On => global.texts().get("self-automatic-on", &[]),
                Switch::Off => global.texts().get("self-automatic-off", &[]),
            };
            Ok(Report::new(&json!({ "automatic": switch == Switch::On }), text, Exit::Success))
        }
    }
}

/// The install folders whose state a newer updater has to be able to read: the one that this run is about.
pub(crate) fn stations(global: &Global) -> Vec<PathBuf> {
    let has_state = |folder: Folder| folder.stat(&LocalPath::state_folder()).is_ok_and(|state| state.is_some());
    let is_station = |dir: &PathBuf| profile::look(dir, &global.registry()).is_ok_and(has_state);
    std::path::absolute(&global.dir).into_iter().filter(is_station).collect()
}

/// Waits for the updater that took over, and ends as it ends. What was held goes first: the other one needs it.
pub(crate) fn end_with(updater: SelfUpdater, mut child: Child) -> ! {
    drop(updater);
    let code = child.wait().ok().and_then(|status| status.code());
    std::process::exit(code.unwrap_or(Exit::Failure as i32))
}

/// What this updater can read of `folders`.
pub(crate) fn self_check(global: &Global, folders: &[PathBuf]) -> Report {
    let said = self_check::self_check(folders, &global.registry());
    // Whoever asks reads JSON, whether it said `--json` or not.
    let text = serde_json::to_string(&said).unwrap_or_default();
    Report::new(&said, text, Exit::Success)
}

fn finish(texts: &Texts, updater: SelfUpdater, activated: Activated) -> Result<Report, Error> {
    match activated {
        Activated::AtWork { child, .. } => end_with(updater, child),
        Activated::Nothing => {
            let active = updater.record().active.as_ref().and_then(|active| active.release.as_ref());
            let text = match active {
                Some(release) => texts.get("self-stays-build", &[("build", release.build.0.to_string().into())]),
                None => texts.get("self-stays", &[]),
            };
            let json = json!({ "result": "nothing-to-do", "active": updater.record().active.as_ref().map(as_json) });
            Ok(Report::new(&json, text, Exit::Success))
        }
    }
}

/// What the new updater says when it took over.
fn became(texts: &Texts, home: &Home, result: &str) -> Result<Report, Error> {
    let record = Record::load(&Folder::open(&home.dir())?).map_err(SelfUpdateError::from)?;
    let now = record.trial.map(|trial| trial.new).or(record.active);
    let release = now.as_ref().and_then(|now| now.release.as_ref());
    let build = release.map_or_else(|| texts.get("self-from-before", &[]), |release| release.build.0.text().to_owned());
    let json = json!({ "result": result, "active": now.as_ref().map(as_json) });
    Ok(Report::new(&json, texts.get("self-became", &[("build", build.into())]), Exit::Success))
}

fn status(home: &Home, global: &Global, progress: &dyn Progress) -> Result<Report, Error> {
    if !home.follows()? {
        return Err(SelfUpdateError::FollowsNothing.into());
    }
    let run = context::begin(global, progress);
    let session = Session::look(&home.dir(), &run)?;
    let record = Record::load(&session.folder).map_err(SelfUpdateError::from)?;
    let backups = backup::backups(&session.folder)?;
    let running = self_update::running_build(home);
    let compiled = env!("CARGO_PKG_VERSION");
    let (texts, channel) = (global.texts(), session.station.channel_id().to_string());
    let mut lines = vec![match &running {
        Some(build) => texts.get("self-is", &[("build", build.to_string().into()), ("channel", channel.into())]),
        None => texts.get("self-is-by-hand", &[("build", compiled.into()), ("channel", channel.into())]),
    }];
    let address = updater::fetch::address::shown(session.station.repository.as_str()).to_string();
    lines.push(texts.get("self-from", &[("address", address.into()), ("name", session.station.name.to_string().into())]));
    let folder = session.folder.path().display().to_string();
    lines.push(texts.get("self-kept", &[("folder", folder.as_str().into()), ("backups", backups.len().into())]));
    if !record.automatic {
        lines.push(texts.get("self-when-asked", &[]));
    }
    if let Some(trial) = &record.trial {
        lines.push(texts.get("self-under-way", &[("id", trial.id.to_string().into())]));
    }
    for failed in &session.ratchet.blocked {
        lines.push(texts.get("self-failed", &[("place", failed.at.to_string().into())]));
    }
    if let Some(held) = &session.ratchet.hold {
        lines.push(texts.get("self-held", &[("place", held.at.to_string().into()), ("folder", folder.as_str().into())]));
    }
    lines.push(texts.get("self-next", &[]));
    let json = json!({
        "build": running.as_ref().map(|build| build.text()),
        "compiled": compiled,
        "following": session.station.channel_id().target_path(),
        "folder": session.folder.path().display().to_string(),
        "installed": session.installed.as_ref().map(|installed| json!({ "build": installed.release.id.build.text(), "sequence": installed.release.place.1 })),
        "active": record.active.as_ref().map(as_json),
        "previous": record.previous.as_ref().map(as_json),
        "trial": record.trial.is_some(),
        "automatic": record.automatic,
        "blocked": session.ratchet.blocked.iter().map(|held| held.at).collect::<Vec<_>>(),
        "hold": session.ratchet.hold.map(|held| held.at),
        "backups": backups.len(),
    });
    Ok(Report::new(&json, lines.join("\n"), Exit::Success))
}

fn as_json(program: &Program) -> serde_json::Value {
    let release = program.release.as_ref();
    json!({ "sha256": program.sha256, "build": release.map(|release| release.build.0.text()), "sequence": release.map(|release| release.at.1) })
}
