//! `history.jsonl`: one line for each attempt that changed something or meant to (S1-8, D-25).
//!
//! The server hears of it, and of a failure its administrator: it goes into the [`outbox`], too.
//!
//! Lines are only ever appended. A cut can tear the last one; a reader skips what does not parse, a writer begins on a new line.

use manifests::channel::FORMAT;
use serde::Deserialize;

pub use manifests::attempt::{Attempt, BuildAt, Outcome};

use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::outbox;
use crate::system_log;

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
        tracing::warn!(%error, attempt.id = %attempt.id, "the attempt is not kept for the server");
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
    use crate::id::Id;
    use crate::trigger::Trigger;
    use manifests::time::UtcTime;

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
