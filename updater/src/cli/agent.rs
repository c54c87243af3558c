//! `updater agent`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use updater::agent::message::{Answer, Command as Asked, Request};
use updater::agent::rights::Peer;
use updater::agent::serve::{Clerk, Office};
use updater::agent::settings::{FILE, Settings};
use updater::agent::socket::Listener;
use updater::exit_code::Exit;
use updater::in_use::InUse;
use updater::pipeline::{self, Error, Session, Who};
use updater::progress::{Progress, Silent};

use super::{Global, Report, backups, check, context, failure, history, rollback, settings, status, update, verify};

/// The unit that a packager installs.
const UNIT: &str = include_str!("../../packaging/stationmaster-updater.service");
/// Where the shipped unit says that the program is.
const PROGRAM: &str = "/usr/local/bin/updater";

#[derive(Args)]
pub(crate) struct Arguments {
    /// What it allows; only root may be able to write this file. Without the file: everybody at the computer may look and update, root alone the rest.
    #[arg(long, value_name = "FILE", default_value = FILE)]
    config: PathBuf,
    /// Print the systemd unit that starts it, and do nothing else.
    #[arg(long)]
    print_unit: bool,
}

pub(crate) fn run(global: &Global, arguments: Arguments) -> Result<Report, Error> {
    if arguments.print_unit {
        let program = std::env::current_exe().ok().and_then(|path| path.to_str().map(str::to_owned)).unwrap_or_else(|| PROGRAM.to_owned());
        let text = UNIT.replace(PROGRAM, &program);
        return Ok(Report::new(&json!({ "unit": text }), text, Exit::Success));
    }
    let settings = Settings::load(&arguments.config)?;
    let listener = Listener::bind(&global.socket)?;
    recover(global)?;
    tracing::info!(socket = %global.socket.display(), registry = %global.registry.display(), "listening");
    let office = Office::new(global.registry(), settings, Box::new(CommandLine { global: global.clone() }));
    Arc::new(office).serve(&listener)
}

/// Finishes or undoes what an earlier agent was killed in, before anybody asks. A folder that cannot be recovered keeps no other from being served.
fn recover(global: &Global) -> Result<(), Error> {
    for entry in global.registry().entries()? {
        let run = context::begin(global, &Silent);
        match Session::open(&entry.dir, "agent", &run) {
            Ok(session) => tracing::info!(dir = %entry.dir.display(), recovery = ?session.recovery, "ready"),
            Err(error) => tracing::warn!(dir = %entry.dir.display(), %error, "not ready"),
        }
    }
    Ok(())
}

/// Does what is asked for as the command line does it: the same code, the same report, the same exit code.
struct CommandLine {
    global: Global,
}

impl Clerk for CommandLine {
    fn carry_out(&self, dir: &Path, request: &Request, peer: &Peer, progress: &dyn Progress) -> Answer {
        let here = Who::here();
        let global = Global {
            dir: dir.to_owned(),
            wait: request.wait_seconds,
            in_use: InUse::Defer,
            who: Some(Who { os_user: peer.name.clone(), ..here }),
            ..self.global.clone()
        };
        let report = carry_out(&global, &request.command, progress).unwrap_or_else(|error| failure(&error));
        Answer { exit: report.exit as u8, json: report.json, text: report.text }
    }
}

fn carry_out(global: &Global, command: &Asked, progress: &dyn Progress) -> Result<Report, Error> {
    match command {
        Asked::Status { explain } => status::run(global, status::Arguments { explain: *explain }, progress),
        Asked::Check {} => check::run(global, check::Arguments::default(), progress),
        Asked::Update { dry_run, consent } => update::run(global, update::Arguments::asked(*dry_run, consent.clone()), progress),
        Asked::Launch {} => {
            let run = context::begin(global, progress);
            let (session, taken) = context::block_on(pipeline::take_up(&global.dir, &run))?;
            Ok(match taken {
                Some(updated) => update::report(&session, &updated, "updated"),
                None => Report::new(&json!({ "result": "nothing-waits" }), "nothing waits".to_owned(), Exit::Success),
            })
        }
        Asked::Verify { repair } => verify::run(global, verify::Arguments { repair: *repair, from: None }, progress),
        Asked::Rollback { to, reason } => {
            let to = to.as_deref().map(str::parse).transpose();
            // The command line that asked has read the number; whoever asks by himself learns the same.
            let to = to.map_err(|_| Error::NoBackup)?;
            rollback::run(global, rollback::Arguments { to, reason: reason.clone() }, progress)
        }
        Asked::Unhold {} => rollback::unhold(global, progress),
        Asked::Backups { adopt } => backups::run(global, backups::Arguments { adopt: *adopt }, progress),
        Asked::History {} => history::run(global),
        Asked::Settings { key, value } => settings::run(global, &settings::Arguments::asked(key.clone(), value.clone()), progress),
    }
}
