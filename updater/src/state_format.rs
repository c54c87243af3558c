//! Which formats of its own state this updater reads (attack F13): a state that a newer updater wrote is refused as a whole, before anything of it is used, changed or taken for damage.
//!
//! Every document in `.updater` says its `format` in its first line (`docs/format.md` section 10). One place looks at all of them, also at those it does not know by name, so that no reader
//! can forget to. Formats that are older and still read are read as they are; the next write of that document is in the format of this updater.
//!
//! Left out are `history.jsonl`, whose readers skip lines they do not know, the lock, whose text is for people, and what publishers signed, which has rules of its own.

use std::io::Read as _;

use serde::Deserialize;

use crate::backup::rotation::Slot;
use crate::fs::{Folder, FsError, LocalPath};

/// The format of every document in `.updater`, as this updater writes it and the newest that it reads.
pub const FORMAT: u64 = manifests::channel::FORMAT;

/// Longest first line that is looked at, in bytes: the first line of a journal holds the whole plan, but says its format at the beginning.
const HEAD_BYTES: u64 = 4096;

/// Whether the state of a folder can be read at all.
#[derive(Debug, thiserror::Error)]
pub enum StateFormatError {
    /// A newer updater wrote it.
    #[error(
        "`{path}` has format {found}, and this updater reads formats up to {FORMAT}: a newer updater wrote it, nothing was changed. \
         Use that one again: `updater self update`, or `updater self rollback` where this one came by going back, or install the newest"
    )]
    Newer {
        /// The document.
        path: LocalPath,
        /// Its format.
        found: u64,
    },
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// Refuses a folder in which a document of `.updater`, or of a backup's `.updater`, has a newer format. Changes nothing.
pub fn refuse_newer(folder: &Folder) -> Result<(), StateFormatError> {
    let backups = Slot::ALL.iter().map(|slot| LocalPath::root().join(slot.folder_name()).join(LocalPath::state_folder().as_bytes()));
    let backups = backups.map(|state| (folder.names(&state), state));
    // A link under the name of a backup is none; whoever makes or restores one says so.
    let backups = backups.filter(|(names, _)| !matches!(names, Err(FsError::ParentIsLink { .. })));
    let own = [LocalPath::state_folder(), LocalPath::state("self")].map(|state| (folder.names(&state), state));
    for (names, state) in own.into_iter().chain(backups) {
        for name in names? {
            let path = state.join(&name);
            let is_left_out = matches!(&name[..], b"lock" | b"history.jsonl" | b"manifest" | b"manifest.next" | b"deferred");
            if !is_left_out
                && folder.stat(&path)?.is_some_and(|stat| stat.is_file())
                && let Some(found) = format_of(folder, &path).filter(|found| *found > FORMAT)
            {
                return Err(StateFormatError::Newer { path, found });
            }
        }
    }
    Ok(())
}

/// The format that the document `path` says it has; `None` when it cannot be read or says none, which is for its reader to judge.
fn format_of(folder: &Folder, path: &LocalPath) -> Option<u64> {
    let mut head = vec![];
    folder.open_file(path).ok()?.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    // Lines of a journal begin with a digest.
    let object = head.iter().take(80).position(|byte| *byte == b'{')?;
    let line = head[object..].split(|byte| *byte == b'\n').next()?;
    #[derive(Deserialize)]
    struct Head {
        format: u64,
    }
    match serde_json::from_slice::<Head>(line) {
        Ok(head) => Some(head.format),
        // A line that is longer than what was read: all documents of ours begin with their format.
        Err(_) => {
            let digits = line.strip_prefix(br#"{"format":"#)?;
            let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
            std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Point;

    fn folder_with(name: &str, content: &str) -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        folder.make_state_folders().unwrap();
        let path = LocalPath::root().join(name);
        folder.make_folders(&path.parent(), Point::StateFolder).unwrap();
        folder.write_durably(&path, content.as_bytes(), Point::StationFile).unwrap();
        (place, folder)
    }

    #[test]
    fn f13_a_newer_format_is_found_in_every_kind_of_document() {
        let long = format!("0123456789abcdef {{\"format\":7,\"type\":\"swap\",\"pad\":\"{}\"}}\n", "x".repeat(9000));
        for (name, content) in [
            (".updater/station.json", r#"{"type":"station","format":7}"#),
            (".updater/unheard-of.json", r#"{"format":7}"#),
            (".updater/self/record.json", r#"{"format":7}"#),
            (".updater/installed", "{\"format\":7,\"type\":\"installed\"}\nf\t1\n"),
            (".updater/journal", &long),
            ("bkp_remote.002/.updater/files", "{\"format\":7}\n"),
        ] {
            let (_place, folder) = folder_with(name, content);
            let refused = refuse_newer(&folder).unwrap_err().to_string();
            assert!(refused.contains(name) && refused.contains("has format 7") && refused.contains("up to 0"), "{refused}");
        }
    }

    #[test]
    fn what_says_no_format_or_an_older_one_is_for_its_reader() {
        for (name, content) in [
            (".updater/station.json", r#"{"format":0}"#),
            (".updater/station.json", "{\"format\":"),
            (".updater/manifest", "\u{1}\u{2}"),
            (".updater/manifest", r#"{"format":7}"#),
            (".updater/lock", r#"{"format":7}"#),
            (".updater/history.jsonl", r#"{"format":7}"#),
            ("settings.json", r#"{"format":7}"#),
        ] {
            let (_place, folder) = folder_with(name, content);
            refuse_newer(&folder).unwrap();
        }
    }
}
