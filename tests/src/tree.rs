//! What really lies in a folder: the independent oracle.
//!
//! A walk of its own that reads every byte, so that no test has to believe what the updater says about a tree. It shares no code with the programs
//! under test. Times are whole UTC seconds, rounded down. Size and time of directories are left out, because releases do not carry them.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sha2::{Digest, Sha256};

/// What lies at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A regular file.
    File {
        /// Bytes.
        size: u64,
        /// Whole seconds since 1970, UTC.
        mtime: i64,
        /// Permission bits.
        mode: u32,
        /// Of the content, lower-case hex.
        sha256: String,
    },
    /// A symbolic link, not followed.
    Link {
        /// The text of the link.
        target: String,
    },
    /// A directory.
    Directory {
        /// Permission bits.
        mode: u32,
    },
    /// A socket, pipe or device.
    Other,
}

/// A folder: what lies at each path below it, `/`-separated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree(BTreeMap<String, Entry>);

impl Tree {
    /// Everything below `root`. Panics when something cannot be read: an oracle that guesses is none.
    pub fn read(root: &Path) -> Tree {
        let mut tree = Tree::default();
        tree.walk(root, "", &|_| false);
        tree
    }

    /// The client's own tree in an install folder: everything but `.updater` and `bkp_remote.*`.
    pub fn of_client(root: &Path) -> Tree {
        let mut tree = Tree::default();
        tree.walk(root, "", &|path| path == ".updater" || path.starts_with("bkp_remote."));
        tree
    }

    /// What a backup holds of the client: everything in it but its own `.updater`.
    pub fn of_backup(root: &Path) -> Tree {
        let mut tree = Tree::default();
        tree.walk(root, "", &|path| path == ".updater");
        tree
    }

    fn walk(&mut self, folder: &Path, prefix: &str, skip: &dyn Fn(&str) -> bool) {
        let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("cannot list `{}`: {e}", folder.display()));
        for entry in entries {
            let entry = entry.unwrap_or_else(|e| panic!("cannot list `{}`: {e}", folder.display()));
            let name = entry.file_name();
            let name = name.to_str().map_or_else(|| name.as_encoded_bytes().escape_ascii().to_string(), str::to_owned);
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            if skip(&path) {
                continue;
            }
            let found = look(&entry.path());
            let descend = matches!(found, Entry::Directory { .. });
            self.0.insert(path.clone(), found);
            if descend {
                self.walk(&entry.path(), &path, skip);
            }
        }
    }

    /// The same tree as a release carries it: modes are 0755 or 0644, folders 0755.
    #[must_use]
    pub fn as_released(mut self) -> Tree {
        for entry in self.0.values_mut() {
            match entry {
                Entry::File { mode, .. } => *mode = if *mode & 0o111 == 0 { 0o644 } else { 0o755 },
                Entry::Directory { mode } => *mode = 0o755,
                Entry::Link { .. } | Entry::Other => {}
            }
        }
        self
    }

    /// The same tree as a station keeps it whose file system has no modes.
    #[must_use]
    pub fn without_modes(mut self) -> Tree {
        for entry in self.0.values_mut() {
            if let Entry::File { mode, .. } | Entry::Directory { mode } = entry {
                *mode = 0;
            }
        }
        self
    }

    /// This tree with `other` laid over it: where both have a path, `other` wins.
    #[must_use]
    pub fn overlaid(mut self, other: &Tree) -> Tree {
        self.0.extend(other.0.iter().map(|(path, entry)| (path.clone(), entry.clone())));
        self
    }

    /// This tree without `path` and what is below it.
    #[must_use]
    pub fn without(mut self, path: &str) -> Tree {
        let below = format!("{path}/");
        self.0.retain(|p, _| p != path && !p.starts_with(&below));
        self
    }

    /// What lies at `path`.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.0.get(path)
    }

    /// All paths with what lies there, in byte order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// How many regular files.
    pub fn files(&self) -> usize {
        self.0.values().filter(|e| matches!(e, Entry::File { .. })).count()
    }

    /// Bytes in regular files.
    pub fn bytes(&self) -> u64 {
        self.0.values().map(|e| if let Entry::File { size, .. } = e { *size } else { 0 }).sum()
    }

    /// One line per path at which the two differ; empty when they are the same.
    pub fn difference(&self, expected: &Tree) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, entry) in &self.0 {
            match expected.0.get(path) {
                None => lines.push(format!("+ {path}: not expected: {entry}")),
                Some(wanted) if wanted != entry => lines.push(format!("~ {path}: is {entry}, expected {wanted}")),
                Some(_) => {}
            }
        }
        lines.extend(
            expected.0.iter().filter(|(path, _)| !self.0.contains_key(*path)).map(|(path, entry)| format!("- {path}: missing: {entry}")),
        );
        lines
    }

    /// Panics with a readable difference unless the two trees are the same.
    #[track_caller]
    pub fn assert_is(&self, expected: &Tree, what: &str) {
        let lines = self.difference(expected);
        if lines.is_empty() {
            return;
        }
        let mut text = format!("{what}: {} paths differ\n", lines.len());
        for line in lines.iter().take(20) {
            let _ = writeln!(text, "  {line}");
        }
        panic!("{text}");
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Entry::File { size, mtime, mode, sha256 } => {
                write!(f, "file of {size} bytes, time {mtime}, mode {mode:04o}, sha256 {}…", &sha256[..12])
            }
            Entry::Link { target } => write!(f, "link to {target}"),
            Entry::Directory { mode } => write!(f, "directory, mode {mode:04o}"),
            Entry::Other => f.write_str("neither file, link nor directory"),
        }
    }
}

/// What lies at `path`, without following a link.
fn look(path: &Path) -> Entry {
    let about = fs::symlink_metadata(path).unwrap_or_else(|e| panic!("cannot look at `{}`: {e}", path.display()));
    let mode = about.mode() & 0o7777;
    if about.is_symlink() {
        let target = fs::read_link(path).unwrap_or_else(|e| panic!("cannot read the link `{}`: {e}", path.display()));
        Entry::Link { target: target.to_string_lossy().into_owned() }
    } else if about.is_dir() {
        Entry::Directory { mode }
    } else if about.is_file() {
        Entry::File { size: about.len(), mtime: about.mtime(), mode, sha256: sha256_of(path) }
    } else {
        Entry::Other
    }
}

/// The SHA-256 of a file's content, lower-case hex. Panics when it cannot be read.
pub fn sha256_of(path: &Path) -> String {
    let mut file = File::open(path).unwrap_or_else(|e| panic!("cannot open `{}`: {e}", path.display()));
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).unwrap_or_else(|e| panic!("cannot read `{}`: {e}", path.display())) {
            0 => return hex::encode(hash.finalize()),
            n => hash.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn sample() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let root = dir.path();
        for folder in ["a/b", ".updater", "bkp_remote.001"] {
            fs::create_dir_all(root.join(folder)).expect("made");
        }
        fs::write(root.join("a/b/x.dll"), b"abc").expect("written");
        fs::write(root.join(".updater/journal"), b"state").expect("written");
        fs::write(root.join("bkp_remote.001/x"), b"old").expect("written");
        symlink("b/x.dll", root.join("a/link")).expect("linked");
        dir
    }

    #[test]
    fn a_tree_holds_what_is_there() {
        let dir = sample();
        let tree = Tree::read(dir.path());
        assert_eq!(tree.files(), 3);
        assert_eq!(tree.get("a/link"), Some(&Entry::Link { target: "b/x.dll".into() }));
        let Some(Entry::File { size: 3, sha256, .. }) = tree.get("a/b/x.dll") else { panic!("not a file of 3 bytes") };
        assert_eq!(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn state_and_backups_are_no_part_of_the_client() {
        let dir = sample();
        let tree = Tree::of_client(dir.path());
        assert_eq!(tree.iter().map(|(p, _)| p).collect::<Vec<_>>(), ["a", "a/b", "a/b/x.dll", "a/link"]);
    }

    #[test]
    fn every_kind_of_difference_is_named() {
        let dir = sample();
        let before = Tree::of_client(dir.path());
        let file = dir.path().join("a/b/x.dll");
        let time = fs::metadata(&file).expect("there").modified().expect("has a time");
        fs::write(&file, b"abd").expect("written");
        File::options().write(true).open(&file).expect("opened").set_modified(time).expect("set");
        assert_eq!(Tree::of_client(dir.path()).difference(&before).len(), 1, "content alone");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("set");
        fs::remove_file(dir.path().join("a/link")).expect("removed");
        fs::write(dir.path().join("new"), b"").expect("written");
        let lines = Tree::of_client(dir.path()).difference(&before);
        assert_eq!(lines.iter().map(|l| &l[..1]).collect::<Vec<_>>(), ["~", "+", "-"], "{lines:?}");
    }
}
