//! `files`, the record of a backup: all that is in it, extras included (`docs/format.md` section 13).

use std::borrow::Cow;

use manifests::channel::FORMAT;
use manifests::json;
use manifests::time::UtcTime;
use serde::{Deserialize, Serialize};

use crate::fs::{LocalPath, escape, unescape};
use crate::history::BuildAt;
use crate::id::Id;
use crate::lines::{self, Damaged, Unread};
use crate::swap::operation::FileIdentity;

/// Longest first line, in bytes.
const HEAD_LIMIT_BYTES: usize = 64 * 1024;

/// What a backup holds. Files are in the order of their paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) head: Head,
    pub(crate) files: Vec<RecordedFile>,
    /// Links, with their targets.
    pub(crate) links: Vec<(LocalPath, Vec<u8>)>,
    pub(crate) folders: Vec<LocalPath>,
    /// Sockets, pipes, devices, and what could not be read: not in the backup.
    pub(crate) skipped: Vec<LocalPath>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordedFile {
    pub(crate) path: LocalPath,
    pub(crate) identity: FileIdentity,
}

/// What a record says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) id: Id,
    pub(crate) made: UtcTime,
    pub(crate) origin: Origin,
    /// What a folder that somebody else made was recognised as, by its files.
    pub(crate) recognised: Option<BuildAt>,
}

/// Who made a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// We did.
    Own,
    /// Somebody else did, and it was taken into the rotation.
    Foreign,
}

#[derive(Serialize, Deserialize)]
struct HeadWire<'a> {
    format: u64,
    #[serde(rename = "type")]
    document: Cow<'a, str>,
    id: Id,
    made: UtcTime,
    kind: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recognised: Option<BuildAt>,
}

impl Head {
    /// Reads the first line of a record, whatever follows: who made a backup is known even when its record is damaged further down.
    pub(crate) fn parse(line: &str) -> Result<Head, Damaged> {
        let head: HeadWire<'static> =
            json::from_slice(line.as_bytes(), HEAD_LIMIT_BYTES).map_err(|error| Damaged::Head(error.to_string()))?;
        if head.format != FORMAT || head.document != "backup" {
            return Err(Damaged::Head(format!("type `{}`, format {}", manifests::quote::quoted(&head.document, 80), head.format)));
        }
        Ok(Head { id: head.id, made: head.made, origin: head.kind, recognised: head.recognised })
    }
}

impl Record {
    /// The record of an empty backup.
    pub(crate) fn new(head: Head) -> Record {
        Record { head, files: vec![], links: vec![], folders: vec![], skipped: vec![] }
    }

    /// Reads the text.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Record, Damaged> {
        let path = |text: &str| LocalPath::from_escaped(text).ok();
        let head = |line: &str| Ok(Record::new(Head::parse(line)?));
        let mut record = lines::read(bytes, head, |record: &mut Record, fields| {
            match fields.next()? {
                "f" => {
                    let (size, mtime, as_read, mode) = (fields.number()?, fields.time()?, fields.time()?, fields.mode()?);
                    let (policy, sha256) = (fields.next()?, fields.digest()?);
                    if policy != "-" || as_read != mtime {
                        return None;
                    }
                    record.files.push(RecordedFile { path: path(fields.next()?)?, identity: FileIdentity { size, mtime, mode, sha256 } });
                }
                "l" => {
                    let target = unescape(fields.next()?)?;
                    record.links.push((path(fields.next()?)?, target));
                }
                "d" => record.folders.push(path(fields.next()?)?),
                "s" => record.skipped.push(path(fields.next()?)?),
                _ => return None,
            }
            Some(())
        })
        .map_err(Unread::of_memory)?;
        record.sort();
        Ok(record)
    }

    /// The text.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let Head { id, made, origin, recognised } = self.head.clone();
        let wire = HeadWire { format: FORMAT, document: "backup".into(), id, made, kind: origin, recognised };
        // Text and numbers only: nothing in it can fail to serialise.
        let mut text = serde_json::to_vec(&wire).unwrap_or_default();
        text.reserve(self.files.len() * 150);
        text.push(b'\n');
        for RecordedFile { path, identity } in &self.files {
            let FileIdentity { size, mtime, mode, sha256 } = identity;
            let mtime = mtime.unix();
            lines::push(&mut text, format_args!("f\t{size}\t{mtime}\t{mtime}\t{mode:04o}\t-\t"));
            lines::push_digest(&mut text, sha256);
            lines::push(&mut text, format_args!("\t{}\n", path.to_escaped()));
        }
        for (path, target) in &self.links {
            lines::push(&mut text, format_args!("l\t{}\t{}\n", escape(target), path.to_escaped()));
        }
        for path in &self.folders {
            lines::push(&mut text, format_args!("d\t{}\n", path.to_escaped()));
        }
        for path in &self.skipped {
            lines::push(&mut text, format_args!("s\t{}\n", path.to_escaped()));
        }
        lines::finish(text)
    }

    pub(crate) fn sort(&mut self) {
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.links.sort();
    }

    /// The file at `path`.
    pub(crate) fn file(&self, path: &LocalPath) -> Option<&FileIdentity> {
        self.files.binary_search_by(|file| file.path.cmp(path)).ok().map(|index| &self.files[index].identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifests::digest::Digest;
    use manifests::time::FileTime;

    fn sample() -> Record {
        let path = |bytes: &[u8]| LocalPath::from_bytes(bytes.to_vec()).unwrap();
        let identity = FileIdentity { size: 3, mtime: FileTime::clamped(-1), mode: 0o4755, sha256: Digest::of(b"abc") };
        let head = Head {
            id: Id::from_bytes([7; 8]),
            made: UtcTime::from_unix(1),
            origin: Origin::Own,
            recognised: Some(BuildAt { build: "1.0".into(), sequence: 4 }),
        };
        Record {
            head,
            files: vec![RecordedFile { path: path(b"a\nb\xFF%"), identity }, RecordedFile { path: path("ж/x y".as_bytes()), identity }],
            links: vec![(path(b"l"), b"/etc/\xFE\t".to_vec())],
            folders: vec![path("ж".as_bytes())],
            skipped: vec![path(b"pipe")],
        }
    }

    #[test]
    fn any_name_that_a_file_system_allows_reads_back() {
        assert_eq!(Record::parse(&sample().to_bytes()), Ok(sample()));
    }

    #[test]
    fn every_truncation_and_bit_flip_is_damage() {
        let bytes = sample().to_bytes();
        for length in 0..bytes.len() {
            assert!(Record::parse(&bytes[..length]).is_err());
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 2;
            assert!(Record::parse(&flipped).is_err());
        }
    }

    #[test]
    fn a_path_that_leaves_the_backup_is_damage() {
        let text = String::from_utf8(sample().to_bytes()).unwrap();
        let forged = lines::finish(text[..text.len() - 69].replace("\tpipe", "\t../pipe").into_bytes());
        assert!(matches!(Record::parse(&forged), Err(Damaged::Line { .. })));
    }
}
