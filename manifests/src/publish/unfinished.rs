//! Root and timestamp become visible together, or neither does.
//!
//! Stations read both: a new root that names other timestamp keys, beside the old timestamp, is a repository that nobody can follow. Two renames cannot be one, so both files are first
//! written down in `<repo>/.unfinished.json`; from then on the change is made. The next command that takes the lock puts them in place again, which is harmless when they are there
//! already, and removes the note.

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::channel::FORMAT;
use crate::json;
use crate::publish::disk::{Disk, DiskError, failed};
use crate::publish::layout;
use crate::publish::view::Pending;
use crate::role::HasHeader as _;
use crate::root::Root;

/// Longest note, in bytes: a root and a timestamp, escaped.
const LIMIT_BYTES: u64 = 2 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Unfinished {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    version: u64,
    root: String,
    timestamp: String,
}

/// Shows `pending` to stations.
pub(super) fn show(disk: &Disk, pending: &Pending<'_>) -> Result<(), DiskError> {
    let Some((version, root)) = pending.root else {
        disk.put(layout::TIMESTAMP, pending.timestamp)?;
        return Ok(());
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let note =
        Unfinished { format: FORMAT, document: "unfinished".to_owned(), version, root: text(root), timestamp: text(pending.timestamp) };
    let path = disk.path(layout::UNFINISHED);
    let bytes = canonical::to_stored(&note).map_err(|error| failed("write", &path)(std::io::Error::other(error.to_string())))?;
    disk.put(layout::UNFINISHED, &bytes)?;
    finish(disk)
}

/// Puts in place what a command that was cut short had decided to show. For whoever holds the lock.
pub(super) fn finish(disk: &Disk) -> Result<(), DiskError> {
    let Some(bytes) = disk.read(layout::UNFINISHED, LIMIT_BYTES)? else { return Ok(()) };
    let path = disk.path(layout::UNFINISHED);
    let damaged = |reason: String| failed("understand", &path)(std::io::Error::other(reason));
    let note: Unfinished = json::from_slice(&bytes, bytes.len()).map_err(|error| damaged(error.to_string()))?;
    if note.format != FORMAT || note.document != "unfinished" {
        return Err(damaged("it is of another format: finish with the program that began".to_owned()));
    }
    disk.put(&layout::role_file(Root::KIND, note.version), note.root.as_bytes())?;
    disk.put(layout::TIMESTAMP, note.timestamp.as_bytes())?;
    disk.remove(layout::UNFINISHED)
}
