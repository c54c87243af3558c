//! `history.jsonl`: one line for each attempt that changed something or meant to (S1-8, D-25).
//!
//! Of a failure the administrator hears: it goes into the [`outbox`], too.
//!
//! Lines are only ever appended. A cut can tear the last one; a reader skips what does not parse, a writer begins on a new line.

use manifests::channel::FORMAT;
use manifests::time::UtcTime;
use serde::{Deserialize, Serialize};

use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::id::Id;
use crate::outbox;
use crate::system_log;
use crate::trigger::Trigger;

/// One attempt (`docs/format.md` section 14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Names it; also the backup that it made.
    pub id: Id,
    /// When it ended.
    pub time: UtcTime,
    /// The machine.
    pub host: String,
    /// Whoever ran it, as the OS knows them.
    pub os_user: String,
    /// Whoever agreed to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// What set it off.
    pub trigger: Trigger,
    /// What set those runs off that waited for this one and took what it had found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<Trigger>,
    /// What was installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<BuildAt>,
    /// What was to be installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<BuildAt>,
    /// How it ended.
    pub result: Outcome,
    /// Stable code of the failed requirement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Bytes received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

impl Attempt {
    /// What set it off, and those that joined it, for people: `schedule+push`.
    pub fn triggers(&self) -> String {
        std::iter::once(&self.trigger).chain(&self.joined).map(|trigger| trigger.as_str()).collect::<Vec<_>>().join("+")
    }
}

/// A build and its sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildAt {
    /// The vendor's text.
    pub build: String,
    /// Its number within the epoch.
    pub sequence: u64,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The new files are in place.
    Applied,
    /// Everything is as it was.
    Failed,
    /// An earlier build is back.
    RolledBack,
    /// It is ready, and waits for programs that are in use (D-31).
    Deferred,
    /// It is fetched, and waits for somebody to install it (AC-26).
    Downloaded,
    /// Somebody said no, or may not say yes.
    Declined,
    /// It was cut off, and a later start finished it.
    Recovered,
    /// Something was asked, in a way that is worth a line; nothing was installed.
    Checked,
}

impl Outcome {
    /// All of them.
    pub const ALL: &'static [Outcome] = &[
        Outcome::Applied,
        Outcome::Failed,
        Outcome::RolledBack,
        Outcome::Deferred,
        Outcome::Downloaded,
        Outcome::Declined,
        Outcome::Recovered,
        Outcome::Checked,
    ];

    /// The name in the history, in JSON and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Failed => "failed",
            Outcome::RolledBack => "rolled-back",
            Outcome::Deferred => "deferred",
            Outcome::Downloaded => "downloaded",
            Outcome::Declined => "declined",
            Outcome::Recovered => "recovered",
            Outcome::Checked => "checked",
        }
    }
}

/// What every line says beside the attempt.
#[derive(Deserialize)]
struct Head {
    format: u64,
    #[serde(rename = "type")]
    document: String,
}

fn path() -> LocalPath {
    LocalPath::state("history.jsonl")
}

/// All attempts, oldest first.
pub fn read(folder: &Folder) -> Result<Vec<Attempt>, FsError> {
    Ok(parse(&folder.read(&path())?.unwrap_or_default()))
}

/// Appends `attempt`, durably.
pub fn append(folder: &Folder, attempt: &Attempt) -> Result<(), FsError> {
    let present = folder.read(&path())?.unwrap_or_default();
    append_after(folder, &present, attempt)
}

/// Appends `attempt` unless a line with its id stands there.
pub fn append_once(folder: &Folder, attempt: &Attempt) -> Result<(), FsError> {
    let present = folder.read(&path())?.unwrap_or_default();
    if parse(&present).iter().any(|line| line.id == attempt.id) {
        return Ok(());
    }
    append_after(folder, &present, attempt)
}

fn append_after(folder: &Folder, present: &[u8], attempt: &Attempt) -> Result<(), FsError> {
    // First, so that a line without its event is never left by a cut; a disk too full for it still takes the line.
    if let Err(error) = outbox::put(folder, attempt) {
        tracing::warn!(%error, attempt.id = %attempt.id, "the failure is not kept for the server");
    }
    let mut line = to_line(attempt);
    if !present.is_empty() && !present.ends_with(b"\n") {
        line.insert(0, b'\n');
    }
    folder.append_durably(&path(), &line, Point::HistoryLine)?;
    system_log::tell(folder.path(), attempt);
    Ok(())
}

fn to_line(attempt: &Attempt) -> Vec<u8> {
    let mut line = serde_json::json!(attempt);
    line["format"] = FORMAT.into();
    line["type"] = "attempt".into();
    let mut bytes = line.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

/// The lines of `bytes` that parse.
pub fn parse(bytes: &[u8]) -> Vec<Attempt> {
    let attempt = |line: &[u8]| {
        let head: Head = serde_json::from_slice(line).ok()?;
        let known = head.format == FORMAT && head.document == "attempt";
        known.then(|| serde_json::from_slice(line).ok()).flatten()
    };
    bytes.split(|byte| *byte == b'\n').filter_map(attempt).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(id: u8) -> Attempt {
        Attempt {
            id: Id::from_bytes([id; 8]),
            time: UtcTime::from_unix(1_763_683_200),
            host: "till-3".into(),
            os_user: "ana".into(),
            approver: None,
            trigger: Trigger::Update,
            joined: vec![],
            from: Some(BuildAt { build: "1.0.0".into(), sequence: 1 }),
            to: Some(BuildAt { build: "1.1.0".into(), sequence: 2 }),
            result: Outcome::RolledBack,
            code: None,
            detail: Some("two\nlines".into()),
            bytes: Some(5),
        }
    }

    #[test]
    fn lines_are_appended_and_read_in_order() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        folder.make_state_folders().unwrap();
        assert_eq!(read(&folder).unwrap(), []);
        append(&folder, &attempt(1)).unwrap();
        append(&folder, &attempt(2)).unwrap();
        append_once(&folder, &attempt(2)).unwrap();
        assert_eq!(read(&folder).unwrap(), [attempt(1), attempt(2)]);
    }

    #[test]
    fn a_torn_line_costs_itself_and_no_other() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        folder.make_state_folders().unwrap();
        append(&folder, &attempt(1)).unwrap();
        folder.append_durably(&path(), &to_line(&attempt(2))[..30], Point::HistoryLine).unwrap();
        append(&folder, &attempt(3)).unwrap();
        assert_eq!(read(&folder).unwrap(), [attempt(1), attempt(3)]);
    }
}
