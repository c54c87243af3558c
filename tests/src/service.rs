//! A computer where people have no rights: an install with the profile `service`, and accounts that may not write it.
//!
//! Owners and modes are what is tested, so these tests need root; without it they fail and say so.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::process::run;
use crate::station::{Outcome, Station};
use crate::world::{World, program};

/// Longest that one command may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Accounts that every Linux has, by name and number. They have no rights of their own.
pub const NOBODY: Account = Account { name: "nobody", uid: 65534, gid: 65534 };
/// A second one, to whom more can be allowed.
pub const GAMES: Account = Account { name: "games", uid: 5, gid: 60 };

/// An account without rights.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    /// Its name.
    pub name: &'static str,
    /// Its number.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
}

/// An install with the profile `service` in a world that everybody can enter.
pub struct Workplace {
    /// The install.
    pub station: Station,
    /// Where it is written which folders are installed so.
    pub registry: PathBuf,
    updater: PathBuf,
}

impl Workplace {
    /// A place for an install; nothing is there yet.
    #[track_caller]
    pub fn new(world: &World) -> Workplace {
        assert!(
            rustix::process::geteuid().is_root(),
            "tests of the profile `service` change accounts, so they need root: run `sudo tests/run`"
        );
        fs::set_permissions(world.path(""), fs::Permissions::from_mode(0o755)).expect("mode set");
        // A program that everybody can start, wherever the programs under test were built.
        let updater = world.path("updater");
        if !updater.exists() {
            fs::copy(program("updater"), &updater).expect("copied");
        }
        Workplace { station: world.station("client"), registry: world.path("registry"), updater }
    }

    /// The updater, in a place where everybody can start it.
    pub fn updater(&self) -> &Path {
        &self.updater
    }

    /// `updater COMMAND --dir DIR --registry DIR --json ARGUMENTS`, run by root.
    pub fn root(&self, arguments: &[&str]) -> Outcome {
        finish(&mut self.command(Command::new(&self.updater), arguments))
    }

    /// The same, run by `account`.
    pub fn by(&self, account: Account, arguments: &[&str]) -> Outcome {
        finish(&mut self.command_by(account, arguments))
    }

    /// The command of [`Workplace::by`], ready to be started.
    pub fn command_by(&self, account: Account, arguments: &[&str]) -> Command {
        let mut command = as_account(account);
        command.arg(&self.updater);
        self.command(command, arguments)
    }

    fn command(&self, mut command: Command, arguments: &[&str]) -> Command {
        let (name, rest) = arguments.split_first().expect("a command of the updater");
        command.arg(name).arg("--dir").arg(&self.station.dir).arg("--registry").arg(&self.registry).arg("--json").args(rest);
        command
    }

    /// Installs with the profile `service`, and `more`.
    #[track_caller]
    pub fn install(&self, link: &str, more: &[&str]) -> Outcome {
        self.root(&[&["install", link, "--profile", "service"], more].concat()).exits(0)
    }

    /// Where the state is, as `status` says it.
    pub fn state(&self) -> PathBuf {
        self.root(&["status"]).exits(0).text("state").into()
    }

    /// The lines of the history.
    pub fn history(&self) -> Vec<Value> {
        self.root(&["history"]).exits(0).json["attempts"].as_array().cloned().expect("a list")
    }
}

/// A command that runs what follows as `account`, with none of our groups.
pub fn as_account(account: Account) -> Command {
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={}", account.uid), format!("--regid={}", account.gid), "--clear-groups".into()]);
    command
}

/// Runs `command` to its end and reads what it printed.
pub fn finish(command: &mut Command) -> Outcome {
    let finished = run(command, LIMIT);
    let code = finished.code();
    let json = if finished.stdout.trim().is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&finished.stdout).unwrap_or_else(|e| panic!("no JSON: {e}\n{}", finished.report()))
    };
    Outcome { code, json, finished }
}
