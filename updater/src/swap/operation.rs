//! What a swap does to each path, and in which order (`docs/format.md` section 12). Pure.

use std::collections::BTreeSet;

use manifests::digest::Digest;
use manifests::path::RelPath;
use manifests::time::FileTime;
use serde::{Deserialize, Serialize};

use crate::fs::Stat;

/// What makes a file this file and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileIdentity {
    /// Bytes of content.
    pub size: u64,
    /// Modification time, as the file system gives it back.
    pub mtime: FileTime,
    /// Permission bits.
    #[serde(with = "octal")]
    pub mode: u32,
    /// Digest of the content.
    pub sha256: Digest,
}

/// What makes a file or link this one and no other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "IdentityWire", into = "IdentityWire")]
pub enum Identity {
    /// A regular file.
    File(FileIdentity),
    /// A symbolic link, by its target.
    Link(String),
}

/// One operation of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum Operation {
    /// The entry point goes out of the way, so that nobody starts a mixed tree.
    Out {
        /// Where it is.
        path: RelPath,
        /// What it is.
        old: Identity,
    },
    /// A file or link goes.
    Remove {
        /// Where it is.
        path: RelPath,
        /// What it is.
        old: Identity,
    },
    /// A folder goes, unless something is in it.
    Rmdir {
        /// Where it is.
        path: RelPath,
    },
    /// A folder comes.
    Mkdir {
        /// Where it comes.
        path: RelPath,
    },
    /// A file or link comes.
    Put {
        /// Where it comes.
        path: RelPath,
        /// What is there; an entry point that went out has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        old: Option<Identity>,
        /// What comes.
        new: Identity,
        /// Its name in `staging/`; none for an unchanged entry point, which comes back from where it was moved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        staged: Option<String>,
    },
    /// A file gets another time or mode.
    Set {
        /// Where it is.
        path: RelPath,
        /// What it is.
        old: FileIdentity,
        /// The same content with another time or mode.
        new: FileIdentity,
    },
}

impl Operation {
    /// Where it acts.
    pub fn path(&self) -> &RelPath {
        match self {
            Operation::Out { path, .. }
            | Operation::Remove { path, .. }
            | Operation::Rmdir { path }
            | Operation::Mkdir { path }
            | Operation::Put { path, .. }
            | Operation::Set { path, .. } => path,
        }
    }

    /// Its rank in the order of a swap; entry points are dealt with apart.
    fn rank(&self) -> u8 {
        match self {
            Operation::Out { .. } => 0,
            Operation::Remove { .. } | Operation::Rmdir { .. } => 1,
            Operation::Mkdir { .. } => 2,
            Operation::Put { .. } => 3,
            Operation::Set { .. } => 4,
        }
    }
}

/// Brings `operations` into the order of a swap: entry points out, removals deepest first, new folders outermost first, puts, sets, entry points in.
pub(crate) fn order(operations: &mut [Operation], entry_points: &BTreeSet<RelPath>) {
    operations.sort_by(|a, b| {
        let goes_in_last = |operation: &Operation| matches!(operation, Operation::Put { path, .. } if entry_points.contains(path));
        let by_rank = (goes_in_last(a), a.rank()).cmp(&(goes_in_last(b), b.rank()));
        // What is in a folder sorts after it: backwards, removals come deepest first.
        let by_path = if a.rank() == 1 { b.path().cmp(a.path()) } else { a.path().cmp(b.path()) };
        by_rank.then(by_path)
    });
}

impl FileIdentity {
    /// Whether a file that looks like `stat` may be this one: everything but the content is the same.
    pub fn looks_like(&self, stat: &Stat) -> bool {
        stat.is_file() && self.size == stat.size && self.mtime == stat.mtime() && self.mode == stat.mode
    }

    /// The identity of a file that looks like `stat` and holds `sha256`.
    pub fn of(stat: &Stat, sha256: Digest) -> FileIdentity {
        FileIdentity { size: stat.size, mtime: stat.mtime(), mode: stat.mode, sha256 }
    }

    /// Whether both hold the same.
    pub fn has_content_of(&self, other: &FileIdentity) -> bool {
        (self.size, self.sha256) == (other.size, other.sha256)
    }

    /// Whether the file system would say the same of both.
    pub(crate) fn has_look_of(&self, other: &FileIdentity) -> bool {
        (self.size, self.mtime, self.mode) == (other.size, other.mtime, other.mode)
    }
}

#[derive(Serialize, Deserialize)]
struct IdentityWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mtime: Option<FileTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

impl From<Identity> for IdentityWire {
    fn from(identity: Identity) -> IdentityWire {
        let empty = IdentityWire { size: None, mtime: None, mode: None, sha256: None, link: None };
        match identity {
            Identity::Link(target) => IdentityWire { link: Some(target), ..empty },
            Identity::File(FileIdentity { size, mtime, mode, sha256 }) => {
                let mode = Some(format!("{mode:04o}"));
                IdentityWire { size: Some(size), mtime: Some(mtime), mode, sha256: Some(sha256), ..empty }
            }
        }
    }
}

impl TryFrom<IdentityWire> for Identity {
    type Error = &'static str;

    fn try_from(wire: IdentityWire) -> Result<Identity, &'static str> {
        match wire {
            IdentityWire { size: None, mtime: None, mode: None, sha256: None, link: Some(target) } => Ok(Identity::Link(target)),
            IdentityWire { size: Some(size), mtime: Some(mtime), mode: Some(mode), sha256: Some(sha256), link: None } => {
                let mode = crate::lines::mode(&mode).ok_or("a mode is not four octal digits")?;
                Ok(Identity::File(FileIdentity { size, mtime, mode, sha256 }))
            }
            _ => Err("neither a file (size, mtime, mode, sha256) nor a link"),
        }
    }
}

/// Modes in JSON, as everywhere: four octal digits.
mod octal {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(mode: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{mode:04o}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let text = String::deserialize(deserializer)?;
        crate::lines::mode(&text).ok_or_else(|| serde::de::Error::custom("a mode is four octal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        text.parse().unwrap()
    }

    #[test]
    fn the_entry_point_goes_out_first_and_in_last() {
        let link = |text: &str| Identity::Link(text.into());
        let put = |text: &str| Operation::Put { path: path(text), old: None, new: link("n"), staged: Some("s".into()) };
        let file = FileIdentity { size: 1, mtime: FileTime::clamped(1), mode: 0o644, sha256: Digest::of(b"") };
        let mut operations = vec![
            put("a.exe"),
            Operation::Set { path: path("c"), old: file, new: file },
            put("b"),
            Operation::Mkdir { path: path("e/f") },
            Operation::Mkdir { path: path("e") },
            Operation::Rmdir { path: path("d") },
            Operation::Remove { path: path("d/x"), old: link("x") },
            Operation::Out { path: path("a.exe"), old: link("o") },
        ];
        order(&mut operations, &BTreeSet::from([path("a.exe")]));
        let got: Vec<String> = operations.iter().map(|operation| format!("{} {}", operation.rank(), operation.path())).collect();
        assert_eq!(got, ["0 a.exe", "1 d/x", "1 d", "2 e", "2 e/f", "3 b", "4 c", "3 a.exe"]);
    }

    #[test]
    fn an_identity_is_a_file_or_a_link() {
        let file = r#"{"size":1,"mtime":5,"mode":"0644","sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#;
        for text in [file, r#"{"link":"a/b"}"#] {
            let identity: Identity = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&identity).unwrap(), text);
        }
        for text in ["{}", r#"{"link":"a","size":1}"#, &file.replace("0644", "644"), &file.replace(r#""size":1,"#, "")] {
            assert!(serde_json::from_str::<Identity>(text).is_err(), "{text}");
        }
    }
}
