//! An install folder, and the `updater` that looks after it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::process::{Finished, run};
use crate::tree::Tree;
use crate::world::{Clock, program};

/// Longest that one command may take. Far above what any needs: it is there so that a hang becomes a failure.
const LIMIT: Duration = Duration::from_secs(300);

/// A station: its folder, and how its updater is started.
#[derive(Debug, Clone)]
pub struct Station {
    /// The install folder.
    pub dir: PathBuf,
    environment: Vec<(String, String)>,
    wrapper: Vec<String>,
    clock: Option<Clock>,
    /// Another updater than the one that was built for this machine, and what it calls the folder.
    foreign: Option<(PathBuf, String)>,
}

/// What one command of the updater said.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit code; the codes are those of `updater --help`.
    pub code: i32,
    /// The object it printed; `Null` when it printed none.
    pub json: Value,
    /// Everything else.
    pub finished: Finished,
}

impl Outcome {
    /// Panics with all output unless the exit code is `code`.
    #[track_caller]
    pub fn exits(self, code: i32) -> Outcome {
        assert_eq!(self.code, code, "exit code\n{}", self.finished.report());
        self
    }

    /// A member of the object as text, empty when it is missing.
    pub fn text(&self, member: &str) -> &str {
        self.json[member].as_str().unwrap_or_default()
    }
}

impl Station {
    /// A station at `dir`, which need not exist.
    pub fn at(dir: PathBuf) -> Station {
        Station { dir, environment: Vec::new(), wrapper: Vec::new(), clock: None, foreign: None }
    }

    /// The same station with an environment variable set for its updater.
    #[must_use]
    pub fn with_env(&self, name: &str, value: &str) -> Station {
        let mut station = self.clone();
        station.environment.push((name.to_owned(), value.to_owned()));
        station
    }

    /// The same station with its updater started through `wrapper`, such as `strace` and its options.
    #[must_use]
    pub fn through(&self, wrapper: &[&str]) -> Station {
        let mut station = self.clone();
        station.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        station
    }

    /// The same station with another updater, which calls the folder `shown_dir`.
    #[must_use]
    pub fn running(&self, updater: &Path, shown_dir: &str) -> Station {
        Station { foreign: Some((updater.to_owned(), shown_dir.to_owned())), ..self.clone() }
    }

    /// The same station with another clock and zone.
    #[must_use]
    pub fn at_time(&self, clock: &Clock) -> Station {
        Station { clock: Some(clock.clone()), ..self.clone() }
    }

    /// The command `updater COMMAND --dir DIR --json ARGUMENTS`, ready to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let (updater, dir) = match &self.foreign {
            Some((updater, dir)) => (updater.clone(), PathBuf::from(dir)),
            None => (program("updater"), self.dir.clone()),
        };
        let mut command = match self.wrapper.split_first() {
            None => Command::new(updater),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(updater);
                command
            }
        };
        if let Some(clock) = &self.clock {
            clock.set(&mut command);
        }
        let (name, rest) = arguments.split_first().expect("a command of the updater");
        command.arg(name).arg("--dir").arg(dir).arg("--json").args(rest);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command of the updater to its end.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        let finished = run(&mut self.command(arguments), LIMIT);
        let code = finished.code();
        let json = if finished.stdout.trim().is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&finished.stdout)
                .unwrap_or_else(|e| panic!("`updater {}` printed no JSON: {e}\n{}", arguments.join(" "), finished.report()))
        };
        Outcome { code, json, finished }
    }

    /// `updater install LINK`, which must succeed.
    #[track_caller]
    pub fn install(&self, link: &str) -> Outcome {
        self.run(&["install", link]).exits(0)
    }

    /// `updater check`.
    pub fn check(&self) -> Outcome {
        self.run(&["check"])
    }

    /// `updater update --yes`.
    pub fn update(&self) -> Outcome {
        self.run(&["update", "--yes"])
    }

    /// The client's tree: all but `.updater` and backups.
    pub fn tree(&self) -> Tree {
        Tree::of_client(&self.dir)
    }

    /// Names of what is there under the names of backups, in order.
    pub fn backups(&self) -> Vec<String> {
        let names = fs::read_dir(&self.dir).unwrap_or_else(|e| panic!("cannot list `{}`: {e}", self.dir.display()));
        let mut names: Vec<String> = names.map(|entry| entry.expect("listed").file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| name.starts_with("bkp_remote."));
        names.sort();
        names
    }

    /// What the backup `bkp_remote.00<n>` holds of the client.
    pub fn backup(&self, n: u8) -> Tree {
        Tree::of_backup(&self.dir.join(format!("bkp_remote.00{n}")))
    }

    /// The lines of the journal of attempts (`history.jsonl`).
    pub fn history(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.state("history.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a line of the history is JSON")).collect()
    }

    /// A path in `.updater`.
    pub fn state(&self, name: &str) -> PathBuf {
        self.dir.join(".updater").join(name)
    }

    /// Panics when something is left of an update that is over: a journal, a half-made backup, staged or discarded files.
    #[track_caller]
    pub fn assert_nothing_left_over(&self) {
        for name in ["journal", "installed.next", "manifest.next"] {
            assert!(!self.state(name).exists(), "`{name}` is left over");
        }
        for name in ["backup", "staging", "trash"] {
            let left = list(&self.state(name));
            assert!(left.is_empty(), "left over in `{name}`: {left:?}");
        }
    }

    /// A file of the client.
    pub fn file(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }
}

fn list(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .map_or_else(|_| Vec::new(), |all| all.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned())).collect())
}
