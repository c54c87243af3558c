//! Where the files of a schedule lie, and telling the system of them. What the system has no tool for, or refuses, is said with the command that would do it.

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde::Serialize;

use super::{Kind, Made, Rendered, Scope, cron};
use crate::mark;

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

/// The commands that show what the system has under the name of `made`, wherever its files lie: none where the files are all there is, and for launchd, which shows no mark. Pure.
fn to_show(made: &Made) -> Vec<Vec<String>> {
    match made.kind {
        Kind::Systemd => made.kind.file_names(&made.name).iter().map(|unit| systemctl(made, &["cat", unit])).collect(),
        Kind::Task => vec![words(&["schtasks", "/Query", "/TN", &made.name, "/XML"])],
        Kind::Cron | Kind::Launchd => vec![],
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
        let lines: Vec<u8> = rendered.iter().flat_map(|file| file.bytes.clone()).collect();
        return crontab(made, Some(&lines));
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
        (Kind::Cron, None) => crontab(made, None),
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

/// Whether the system has something under the name of `made` that is not of its install folder: another program's, or that of another install. What an account may not see it cannot replace either.
pub(super) fn is_others(made: &Made) -> bool {
    if let (Kind::Cron, None) = (made.kind, &made.place) {
        return listed().is_ok_and(|table| cron::is_others(&table, &made.mark(), &made.name));
    }
    let shown = to_show(made).into_iter().filter_map(|command| run(&command, None).ok());
    shown.filter(|output| output.status.success() && !output.stdout.is_empty()).any(|output| !mark::has(&output.stdout, &made.mark()))
}

/// Whether the system knows `made`; `None` when it cannot be asked.
pub fn is_registered(made: &Made) -> Option<bool> {
    if is_others(made) {
        return Some(false);
    }
    match (made.kind, &made.place) {
        (Kind::Cron, None) => listed().ok().map(|table| mark::has(&table, &made.mark())),
        (Kind::Cron, Some(_)) => Some(made.files().iter().all(|file| file.is_file())),
        _ => match run(&to_ask(made)?, None) {
            Ok(output) => Some(output.status.success()),
            // A system without the tool has none of its tasks.
            Err(error) if error.kind() == ErrorKind::NotFound => Some(false),
            Err(_) => None,
        },
    }
}

/// The account's own crontab; empty when it has none. What cannot be read is no empty one: it would be replaced, and lost.
fn listed() -> Result<Vec<u8>, Registration> {
    let list = words(&["crontab", "-l"]);
    match run(&list, None) {
        Ok(output) if output.status.success() || (output.stdout.is_empty() && says_there_is_none(&output.stderr)) => Ok(output.stdout),
        Ok(output) => Err(failed(&list, &said(&output))),
        // Without cron there is no crontab; who then wants to write one is told.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(failed(&list, &error.to_string())),
    }
}

/// Whether `crontab -l`, which failed, says that there is no crontab: Vixie's cron and its children, and BusyBox.
fn says_there_is_none(stderr: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stderr).to_lowercase();
    text.contains("no crontab") || (text.contains("can't open") && text.contains("no such file"))
}

/// Puts `lines` into the account's own crontab, in the place of those that have the mark of `made`.
fn crontab(made: &Made, lines: Option<&[u8]>) -> Registration {
    let known = match listed() {
        Ok(known) => known,
        Err(failed) => return failed,
    };
    let merged = cron::merged(&known, &made.mark(), lines);
    if merged == known {
        return Registration::Done;
    }
    let put = words(&["crontab", "-"]);
    match run(&put, Some(&merged)) {
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
    // What they say is looked at, and that in English.
    let mut child =
        Command::new(program).args(arguments).env("LC_ALL", "C").stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
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
