//! Where the files of a schedule lie, and telling the system of them. What the system has no tool for, or refuses, is said with the command that would do it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde::Serialize;

use super::{Kind, Made, Rendered, Scope, cron};

/// Whether the system knows of a task, after it was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "registration")]
pub enum Registration {
    /// It does.
    Done,
    /// It was not told: the files alone were asked for.
    Left,
    /// It could not be told.
    Failed {
        /// What was run.
        command: String,
        /// What came of it.
        why: String,
    },
}

/// The folders of this computer and this account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Where the account keeps its own settings.
    pub config: Option<PathBuf>,
    /// The account's home.
    pub home: Option<PathBuf>,
    /// The state folder of the install.
    pub state: PathBuf,
}

impl Places {
    /// Those of this process, for an install whose state lies in `state`.
    pub fn here(state: PathBuf) -> Places {
        let path = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = path("HOME");
        let config = path("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
        Places { config, home, state }
    }

    /// The folder for the files of `kind` and `scope`; `None` where there is none, as for an account's own crontab.
    pub fn of(&self, kind: Kind, scope: Scope) -> Option<PathBuf> {
        match (kind, scope) {
            (Kind::Systemd, Scope::System) => Some("/etc/systemd/system".into()),
            (Kind::Systemd, Scope::User) => self.config.as_ref().map(|config| config.join("systemd/user")),
            (Kind::Cron, Scope::System) => Some("/etc/cron.d".into()),
            (Kind::Cron, Scope::User) => None,
            // The Task Scheduler keeps its own copy.
            (Kind::Task, _) => Some(self.state.clone()),
            (Kind::Launchd, Scope::System) => Some("/Library/LaunchDaemons".into()),
            (Kind::Launchd, Scope::User) => self.home.as_ref().map(|home| home.join("Library/LaunchAgents")),
        }
    }
}

/// The timer that this system has.
pub fn usual_kind() -> Kind {
    if cfg!(windows) {
        Kind::Task
    } else if cfg!(target_os = "macos") {
        Kind::Launchd
    // What `sd_booted` looks at.
    } else if std::path::Path::new("/run/systemd/system").is_dir() {
        Kind::Systemd
    } else {
        Kind::Cron
    }
}

/// The commands that tell the system of `made`, in their order. Pure.
fn to_register(made: &Made) -> Vec<Vec<String>> {
    let file = made.files().last().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    match made.kind {
        Kind::Systemd => vec![systemctl(made, &["daemon-reload"]), systemctl(made, &["enable", "--now", &format!("{}.timer", made.name)])],
        // cron looks by itself.
        Kind::Cron => vec![],
        Kind::Task => vec![words(&["schtasks", "/Create", "/TN", &made.name, "/XML", &file, "/F"])],
        Kind::Launchd => vec![words(&["launchctl", "bootstrap", &domain(made.scope), &file])],
    }
}

/// The commands that make the system forget `made`, before its files go. Pure.
fn to_unregister(made: &Made) -> Vec<Vec<String>> {
    match made.kind {
        Kind::Systemd => vec![systemctl(made, &["disable", "--now", &format!("{}.timer", made.name)])],
        Kind::Cron => vec![],
        Kind::Task => vec![words(&["schtasks", "/Delete", "/TN", &made.name, "/F"])],
        Kind::Launchd => vec![words(&["launchctl", "bootout", &format!("{}/{}", domain(made.scope), made.name)])],
    }
}

/// The command that says whether the system knows `made`. Pure.
fn to_ask(made: &Made) -> Option<Vec<String>> {
    match made.kind {
        Kind::Systemd => Some(systemctl(made, &["is-enabled", &format!("{}.timer", made.name)])),
        Kind::Cron => None,
        Kind::Task => Some(words(&["schtasks", "/Query", "/TN", &made.name])),
        Kind::Launchd => Some(words(&["launchctl", "print", &format!("{}/{}", domain(made.scope), made.name)])),
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn systemctl(made: &Made, rest: &[&str]) -> Vec<String> {
    let scope = if made.scope == Scope::User { "--user" } else { "--system" };
    words(&[&["systemctl", scope], rest].concat())
}

#[cfg(unix)]
fn domain(scope: Scope) -> String {
    match scope {
        Scope::System => "system".to_owned(),
        Scope::User => format!("gui/{}", rustix::process::getuid().as_raw()),
    }
}

#[cfg(windows)]
fn domain(_: Scope) -> String {
    "system".to_owned()
}

/// Tells the system of `made`, whose files are `rendered`.
pub(super) fn register(made: &Made, rendered: &[Rendered]) -> Registration {
    if let (Kind::Cron, None) = (made.kind, &made.place) {
        let text = rendered.iter().map(|file| String::from_utf8_lossy(&file.bytes)).collect::<String>();
        return crontab(&made.name, Some(&text));
    }
    if made.kind == Kind::Launchd {
        // Bootstrapping what it knows already is an error; that it does not know it yet is none.
        let _ = run_all(&to_unregister(made));
    }
    run_all(&to_register(made))
}

/// Makes the system forget `made`.
pub(super) fn unregister(made: &Made) -> Registration {
    match (made.kind, &made.place) {
        (Kind::Cron, None) => crontab(&made.name, None),
        _ => run_all(&to_unregister(made)),
    }
}

/// What the system wants to be told when the files of `made` are gone.
pub(super) fn after_removal(made: &Made) {
    if made.kind == Kind::Systemd {
        // It finds out by itself at the next start, too.
        let _ = run_all(&[systemctl(made, &["daemon-reload"])]);
    }
}

/// Whether the system knows `made`; `None` when it cannot be asked.
pub fn is_registered(made: &Made) -> Option<bool> {
    match (made.kind, &made.place) {
        (Kind::Cron, None) => run(&words(&["crontab", "-l"]), None).ok().map(|output| {
            let end = format!("# {}", made.name);
            String::from_utf8_lossy(&output.stdout).lines().any(|line| line.ends_with(&end))
        }),
        (Kind::Cron, Some(_)) => Some(made.files().iter().all(|file| file.is_file())),
        _ => run(&to_ask(made)?, None).ok().map(|output| output.status.success()),
    }
}

/// Puts the lines of `file` into the account's own crontab, in the place of those of the task `name`.
fn crontab(name: &str, file: Option<&str>) -> Registration {
    let (list, put) = (words(&["crontab", "-l"]), words(&["crontab", "-"]));
    let known = match run(&list, None) {
        // Without a crontab there is nothing to list, which is an error to it.
        Ok(output) if output.status.success() || output.stdout.is_empty() => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(output) => return failed(&list, &said(&output)),
        Err(error) => return failed(&list, &error.to_string()),
    };
    let merged = cron::merged(&known, name, file);
    if merged == known {
        return Registration::Done;
    }
    match run(&put, Some(merged.as_bytes())) {
        Ok(output) if output.status.success() => Registration::Done,
        Ok(output) => failed(&put, &said(&output)),
        Err(error) => failed(&put, &error.to_string()),
    }
}

fn run_all(commands: &[Vec<String>]) -> Registration {
    for command in commands {
        match run(command, None) {
            Ok(output) if output.status.success() => {}
            Ok(output) => return failed(command, &said(&output)),
            Err(error) => return failed(command, &error.to_string()),
        }
    }
    Registration::Done
}

fn run(command: &[String], input: Option<&[u8]>) -> std::io::Result<Output> {
    let Some((program, arguments)) = command.split_first() else { return Err(std::io::ErrorKind::InvalidInput.into()) };
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut child = Command::new(program).args(arguments).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let (Some(bytes), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin.write_all(bytes)?;
    }
    child.wait_with_output()
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
    let text = manifests::quote::quoted(text.trim(), 200).to_string();
    if text.is_empty() { output.status.to_string() } else { text }
}

fn failed(command: &[String], why: &str) -> Registration {
    Registration::Failed { command: command.join(" "), why: why.to_owned() }
}
