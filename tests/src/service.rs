//! A computer where people have no rights: an install with the profile `service`, and accounts that may not write it.
//!
//! Owners and modes are what is tested, so these tests need root; without it they fail and say so.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::process::{run, signal_group, spawn, wait_unreaped};
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
    /// Where the agent listens.
    pub socket: PathBuf,
    /// What the agent allows; there is no such file unless a test writes it.
    pub settings: PathBuf,
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
            // By another process: one that this one starts meanwhile must not inherit a file that is being written, or the program could not be started.
            let copied = Command::new("cp").arg(program("updater")).arg(&updater).status().expect("cp starts");
            assert!(copied.success(), "copied");
        }
        let site = world.path("site");
        fs::create_dir(&site).expect("made");
        fs::set_permissions(&site, fs::Permissions::from_mode(0o755)).expect("mode set");
        Workplace {
            station: world.station("site/client"),
            registry: world.path("registry"),
            socket: world.path("run/agent.sock"),
            settings: world.path("agent.toml"),
            updater,
        }
    }

    /// The updater, in a place where everybody can start it.
    pub fn updater(&self) -> &Path {
        &self.updater
    }

    /// `updater COMMAND --dir DIR --registry DIR --json ARGUMENTS`, run by root.
    pub fn root(&self, arguments: &[&str]) -> Outcome {
        finish(&mut self.root_command(arguments))
    }

    /// The command of [`Workplace::root`], ready to be started.
    pub fn root_command(&self, arguments: &[&str]) -> Command {
        self.command(Command::new(&self.updater), arguments)
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
        command
            .arg(name)
            .arg("--dir")
            .arg(&self.station.dir)
            .arg("--registry")
            .arg(&self.registry)
            .arg("--socket")
            .arg(&self.socket)
            .arg("--json")
            .args(rest);
        command
    }

    /// The command that starts the agent.
    pub fn agent_command(&self) -> Command {
        let mut command = Command::new(&self.updater);
        command.arg("agent").arg("--registry").arg(&self.registry).arg("--socket").arg(&self.socket).arg("--config").arg(&self.settings);
        command
    }

    /// Starts the agent.
    #[track_caller]
    pub fn agent(&self) -> Agent {
        Agent::start(&mut self.agent_command()).unwrap_or_else(|log| panic!("the agent did not start\n{log}"))
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

/// A running agent; it is killed when dropped.
pub struct Agent {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Agent {
    /// Starts `command` and waits until it says that it listens, or ends. Returns what it said when it ended.
    pub fn start(command: &mut Command) -> Result<Agent, String> {
        let mut child = spawn(command);
        let log = Arc::new(Mutex::new(String::new()));
        let (sender, heard) = channel();
        let stderr = child.stderr.take().expect("piped");
        let kept = Arc::clone(&log);
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = kept.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&line);
                log.push('\n');
                if line.contains("listening") {
                    let _ = sender.send(());
                }
            }
        });
        let outcome = heard.recv_timeout(LIMIT);
        let mut agent = Agent { child, log };
        match outcome {
            Ok(()) => Ok(agent),
            Err(_) => {
                agent.kill();
                Err(agent.log())
            }
        }
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        signal_group(&self.child, Signal::KILL);
        let _ = self.child.wait();
    }

    /// Waits until it has ended by itself.
    pub fn ended(&mut self) {
        wait_unreaped(&self.child);
        let _ = self.child.wait();
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.kill();
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
