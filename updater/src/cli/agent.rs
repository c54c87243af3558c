//! `updater agent`.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use updater::agent::message::{Answer, Command as Asked, Request};
use updater::agent::rights::Peer;
use updater::agent::serve::{Clerk, Office};
use updater::agent::settings::{Settings, file};
use updater::agent::socket::Listener;
use updater::exit_code::Exit;
use updater::in_use::InUse;
use updater::pipeline::{Error, Session, Who};
use updater::progress::{Progress, Silent};

use super::occasion::Occasion;
use super::{Global, Report, acts, backups, check, context, history, ignore, launch, rollback, settings, status, update, verify, words};

/// The unit that a packager installs; on Windows the command that makes the service.
#[cfg(not(windows))]
const UNIT: &str = include_str!("../../packaging/stationmaster-updater.service");
#[cfg(windows)]
const UNIT: &str = concat!(
    r#"sc create stationmaster-updater start= auto binPath= "\"C:\Program Files\Stationmaster\updater.exe\" agent --service""#,
    "\n"
);
/// Where the unit says that the program is.
const PROGRAM: &str = if cfg!(windows) { r"C:\Program Files\Stationmaster\updater.exe" } else { "/usr/local/bin/updater" };

#[derive(Args)]
pub(crate) struct Arguments {
    /// What it allows; only root, or administrators, may be able to write this file. Without the file: everybody at the computer may look and update, only they the rest.
    #[arg(long, value_name = "FILE", default_value_os_t = file())]
    config: PathBuf,
    /// Print the systemd unit that starts it (on Windows the command that makes the service), and do nothing else.
    #[arg(long)]
    print_unit: bool,
    /// Run as a service of Windows: the service control manager starts it so.
    #[cfg(windows)]
    #[arg(long)]
    service: bool,
}

pub(crate) fn run(global: &Global, arguments: Arguments) -> Result<Report, Error> {
    if arguments.print_unit {
        let program = std::env::current_exe().ok().and_then(|path| path.to_str().map(str::to_owned)).unwrap_or_else(|| PROGRAM.to_owned());
        let text = UNIT.replace(PROGRAM, &program);
        return Ok(Report::new(&json!({ "unit": text }), text, Exit::Success));
    }
    #[cfg(windows)]
    if arguments.service {
        let global = global.clone();
        let work = move |ready: &dyn Fn()| {
            let Err(error) = serve(&global, &arguments.config, ready);
            tracing::error!(%error, "the service ends");
        };
        updater::agent::run_as_service(updater::agent::SERVICE, Box::new(work)).map_err(Error::Runtime)?;
        return Ok(Report::new(&json!({}), String::new(), Exit::Success));
    }
    match serve(global, &arguments.config, &|| ())? {}
}

/// Serves for as long as the process lives; `ready` hears when somebody can ask.
fn serve(global: &Global, config: &Path, ready: &dyn Fn()) -> Result<Infallible, Error> {
    let settings = Settings::load(config)?;
    let listener = Listener::bind(&global.socket)?;
    recover(global)?;
    tracing::info!(socket = %global.socket.display(), registry = %global.registry.display(), "listening");
    ready();
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
    fn carry_out(&self, dir: &Path, request: &Request, peer: &Peer, is_admin: bool, progress: &dyn Progress) -> Answer {
        let here = Who::here();
        let global = Global {
            dir: dir.to_owned(),
            wait: request.wait_seconds,
            lang: request.language.clone(),
            in_use: InUse::Defer,
            who: Some(Who { os_user: peer.name.clone(), is_admin: Some(is_admin), ..here }),
            ..self.global.clone()
        };
        let report = carry_out(&global, &request.command, progress).unwrap_or_else(|error| words::plain(&error));
        Answer { exit: report.exit as u8, json: report.json, text: report.text }
    }
}

fn carry_out(global: &Global, command: &Asked, progress: &dyn Progress) -> Result<Report, Error> {
    match command {
        Asked::Status { explain } => status::run(global, status::Arguments { explain: *explain }, progress),
        Asked::Check { trigger } => {
            check::run(global, check::Arguments { occasion: Occasion::asked(*trigger), ..check::Arguments::default() }, progress)
        }
        Asked::Update { dry_run, consent, trigger } => {
            update::run(global, update::Arguments::asked(*dry_run, consent.clone(), *trigger), progress)
        }
        Asked::Launch { environment, server_build, consent } => {
            let moments = launch::Moments { environment: environment.clone(), server_build: server_build.clone() };
            launch::ready(global, &moments, consent, progress)
        }
        Asked::Download { trigger } => {
            acts::download(global, &acts::Download { occasion: Occasion::asked(*trigger), ..acts::Download::default() }, progress)
        }
        Asked::Apply {} => acts::apply(global, progress),
        Asked::Verify { repair } => verify::run(global, verify::Arguments { repair: *repair, from: None }, progress),
        Asked::Rollback { to, reason } => {
            let to = to.as_deref().map(str::parse).transpose();
            // The command line that asked has read the number; whoever asks by himself learns the same.
            let to = to.map_err(|_| Error::NoBackup)?;
            rollback::run(global, rollback::Arguments { to, reason: reason.clone() }, progress)
        }
        Asked::Ignore { build, release, undo } => {
            ignore::run(global, &ignore::Arguments { build: build.clone(), release: *release, undo: *undo }, progress)
        }
        Asked::Unhold {} => rollback::unhold(global, progress),
        Asked::Backups { adopt } => backups::run(global, backups::Arguments { adopt: *adopt }, progress),
        Asked::History {} => history::run(global, &history::Arguments::default()),
        Asked::Settings { key, value } => settings::run(global, &settings::Arguments::asked(key.clone(), value.clone()), progress),
    }
}
