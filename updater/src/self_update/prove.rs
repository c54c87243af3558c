//! Whether a new updater lives: asked before it takes the place of the old one, and watched when it does its first work there.
//!
//! Both are other processes, so that nothing that a new program does wrong can hurt the old one, and both have a time limit.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::id::Id;
use crate::profile::registry::Registry;
use crate::self_check::{SelfCheck, self_check};

/// How long a new updater may take to say what it can read.
const SELF_CHECK: Duration = Duration::from_secs(60);
/// How long a new updater may take from its start to saying that it lives, which it does before it asks any network.
const CONFIRM: Duration = Duration::from_secs(60);
/// How often a child is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Most that is read of what a new updater says of itself, in bytes.
const LONGEST_ANSWER: u64 = 1 << 20;

/// Names the trial of which a process is the subject.
pub(super) const TRIAL: &str = "STATIONMASTER_SELF_TRIAL";

/// The trial that this process is the subject of.
pub(super) fn trial_of_this_process() -> Option<Id> {
    std::env::var(TRIAL).ok()?.parse().ok()
}

/// Starts `program` with `self-check` on `folders`; the error says why it may not take the place of this one: it does not start, or cannot read something that this one reads.
pub(super) fn ask(program: &Path, folders: &[PathBuf], registry: &Registry) -> Result<SelfCheck, String> {
    let mut command = Command::new(program);
    command
        .arg("self-check")
        .arg("--registry")
        .arg(registry.path())
        .args(folders)
        .env_remove(TRIAL)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
    let Some(status) = wait(&mut child, SELF_CHECK, || false)? else {
        stop(&mut child);
        return Err(format!("it did not answer `self-check` within {} seconds", SELF_CHECK.as_secs()));
    };
    if !status.success() {
        return Err(format!("`self-check` ended with {status}"));
    }
    let mut answer = vec![];
    let stdout = child.stdout.take().ok_or("its answer is lost")?;
    stdout.take(LONGEST_ANSWER).read_to_end(&mut answer).map_err(|error| format!("its answer cannot be read: {error}"))?;
    let said: SelfCheck = serde_json::from_slice(&answer).map_err(|error| format!("what it said to `self-check` is no answer: {error}"))?;
    let known = self_check(folders, registry).unreadable;
    match said.unreadable.iter().find(|new| !known.iter().any(|old| old.document == new.document)) {
        Some(new) => Err(format!("it cannot read `{}`, which this updater reads: {}", new.document, new.reason)),
        None => Ok(said),
    }
}

/// Starts `program` with the arguments of this process as the subject of `trial`, and waits until `is_confirmed`. The error says how it failed; then it runs no more.
pub(super) fn watch(program: &Path, trial: Id, is_confirmed: impl Fn() -> bool) -> Result<Child, String> {
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).env(TRIAL, trial.to_string());
    let mut child = command.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
    match wait(&mut child, CONFIRM, &is_confirmed)? {
        // It may have confirmed and ended since it was looked at.
        Some(_) if is_confirmed() => Ok(child),
        Some(status) => Err(format!("it ended with {status} before it said that it lives")),
        None if is_confirmed() => Ok(child),
        None => {
            stop(&mut child);
            Err(format!("it did not say that it lives within {} seconds", CONFIRM.as_secs()))
        }
    }
}

/// Waits until `child` ends, `is_enough`, or its time is up; how it ended, if it did.
fn wait(child: &mut Child, limit: Duration, is_enough: impl Fn() -> bool) -> Result<Option<std::process::ExitStatus>, String> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|error| format!("it cannot be waited for: {error}"))? {
            return Ok(Some(status));
        }
        if is_enough() || started.elapsed() >= limit {
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}

/// Ends a child that had its time.
fn stop(child: &mut Child) {
    // One that has just ended by itself cannot be killed, and need not be.
    let _ = child.kill();
    let _ = child.wait();
}
