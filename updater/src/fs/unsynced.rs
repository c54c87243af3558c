//! What the disk has not been told to keep, and how a power cut takes it back. Only tests have this.
//!
//! A [`Ledger`] is told of every change. What is fsynced leaves it: the content, time and mode of a file with an fsync of the file, a name that came or went with an fsync of its folder,
//! a name that moved with an fsync of the folder it moved *to*, everything with a sync of the file system. [`Ledger::lose`] takes back what is left:
//!
//! - bytes that were written become zeros and the length stays, or the file is cut off before them: file systems do both;
//! - names come back or go again, the last one first: file systems with a journal keep the order of such changes, and lose the latest ones. Taking all of them back, and only those that
//!   nobody fsynced although later ones were, is harsher than any journal;
//! - a move is taken back whole or not at all, which is what a journal makes of it.
//!
//! What a name stood for has to exist to come back, so before it goes it gets a second name in a *graveyard*, a folder that the test keeps outside the install folder.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};

use super::change::Change;
use super::{Dir, Stat, platform};

/// How much of what is not durable a power cut takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Names stay, and so do lengths, times and modes; what was written becomes zeros.
    Content,
    /// What was written is gone, and the later half of the names.
    Latest,
    /// Everything.
    Unsynced,
}

/// A file or folder, whatever it is called: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Node(u64, u64);

/// What happened to a name.
#[derive(Debug)]
pub(super) enum Named {
    Made { folder: Node, name: Vec<u8>, node: Node },
    Renamed { folder: Node, name: Vec<u8>, to: Node, to_name: Vec<u8>, node: Node, replaced: Option<Buried> },
    Removed { folder: Node, name: Vec<u8>, buried: Buried },
}

/// What a name stood for.
#[derive(Debug)]
pub(super) enum Buried {
    /// A file or link, by its name in the graveyard.
    Leaf(Vec<u8>),
    /// An empty folder, which is made anew.
    Folder { node: Node, mode: u32 },
}

/// A file with bytes that are not durable.
#[derive(Debug)]
struct Written {
    file: File,
    /// The first of them.
    from: u64,
}

/// Everything that is not durable.
#[derive(Debug)]
pub(super) struct Ledger {
    graveyard: platform::Dir,
    buried: u64,
    /// Handles of the folders that names below are in, so that they are found whatever they are called by now.
    folders: HashMap<Node, platform::Dir>,
    names: Vec<Named>,
    written: HashMap<Node, Written>,
    /// Handle and former time and mode.
    attributes: HashMap<Node, (File, Stat)>,
}

impl Ledger {
    pub(super) fn new(graveyard: platform::Dir) -> Ledger {
        Ledger { graveyard, buried: 0, folders: HashMap::new(), names: vec![], written: HashMap::new(), attributes: HashMap::new() }
    }

    /// Is told what is about to change; returns what is to be recorded of it when it has.
    pub(super) fn before(&mut self, change: Change<'_>) -> io::Result<Option<Named>> {
        match change {
            Change::Make { folder, name } => Ok(match folder.stat(name)? {
                // Its node is known when it is there.
                None => Some(Named::Made { folder: self.hold(folder)?, name: name.into(), node: Node(0, 0) }),
                Some(_) => None,
            }),
            Change::Rename { folder, name, to, to_name } => {
                let Some(stat) = folder.stat(name)? else { return Ok(None) };
                let replaced = self.bury(to, to_name)?;
                let (folder, to) = (self.hold(folder)?, self.hold(to)?);
                Ok(Some(Named::Renamed { folder, name: name.into(), to, to_name: to_name.into(), node: node(&stat), replaced }))
            }
            Change::Remove { folder, name } => {
                let buried = self.bury(folder, name)?;
                let folder = self.hold(folder)?;
                Ok(buried.map(|buried| Named::Removed { folder, name: name.into(), buried }))
            }
            Change::Write { file, from } => {
                let node = node(&platform::file_stat(file)?);
                let file = file.try_clone()?;
                let written = self.written.entry(node).or_insert(Written { file, from });
                written.from = written.from.min(from);
                Ok(None)
            }
            Change::Attributes { file } => self.keep_attributes(file.try_clone()?),
            Change::AttributesOf { folder, name } => self.keep_attributes(folder.open_file(name)?),
            _ => Ok(None),
        }
    }

    /// Is told that it has changed.
    pub(super) fn after(&mut self, change: Change<'_>, named: Option<Named>) -> io::Result<()> {
        match (change, named) {
            (Change::Make { folder, name }, Some(Named::Made { folder: held, .. })) => {
                if let Some(stat) = folder.stat(name)? {
                    self.names.push(Named::Made { folder: held, name: name.into(), node: node(&stat) });
                }
            }
            (Change::SyncFile { file }, _) => self.synced(&platform::file_stat(file)?),
            (Change::SyncFileOf { folder, name }, _) => {
                if let Some(stat) = folder.stat(name)? {
                    self.synced(&stat);
                }
            }
            (Change::SyncFolder { folder }, _) => {
                let synced = node(&folder.stat_self()?);
                self.names.retain(|named| match named {
                    Named::Made { folder, .. } | Named::Removed { folder, .. } => *folder != synced,
                    Named::Renamed { to, .. } => *to != synced,
                });
            }
            (Change::SyncAll, _) => {
                self.names.clear();
                self.written.clear();
                self.attributes.clear();
                self.folders.clear();
            }
            (_, named) => self.names.extend(named),
        }
        Ok(())
    }

    fn synced(&mut self, stat: &Stat) {
        self.written.remove(&node(stat));
        self.attributes.remove(&node(stat));
    }

    /// Takes back what is not durable.
    pub(super) fn lose(&mut self, loss: Loss) -> io::Result<()> {
        for Written { mut file, from } in std::mem::take(&mut self.written).into_values() {
            let stat = platform::file_stat(&file)?;
            let lost = stat.size.saturating_sub(from);
            if loss == Loss::Content {
                file.seek(SeekFrom::Start(from))?;
                file.write_all(&vec![0; usize::try_from(lost).unwrap_or(0)])?;
            } else if lost > 0 {
                file.set_len(from)?;
            }
            platform::set_file_time(&file, stat.seconds, stat.nanoseconds)?;
        }
        let kept = match loss {
            Loss::Content => return Ok(()),
            Loss::Latest => self.names.len() / 2,
            Loss::Unsynced => 0,
        };
        for (file, stat) in std::mem::take(&mut self.attributes).into_values() {
            platform::set_file_mode(&file, stat.mode)?;
            platform::set_file_time(&file, stat.seconds, stat.nanoseconds)?;
        }
        while self.names.len() > kept {
            let Some(named) = self.names.pop() else { break };
            self.take_back(named)?;
        }
        Ok(())
    }

    /// Undoes what happened to a name. Where something else has its place by now, a later change that is durable needs it, and it stays.
    fn take_back(&mut self, named: Named) -> io::Result<()> {
        let is_at = |folder: &platform::Dir, name: &[u8], wanted: Node| -> io::Result<bool> {
            Ok(folder.stat(name)?.is_some_and(|stat| node(&stat) == wanted))
        };
        match named {
            Named::Made { folder, name, node } => {
                let grave = self.new_grave();
                let folder = self.folder(folder)?;
                if is_at(folder, &name, node)? {
                    folder.rename(&name, &self.graveyard, &grave)?;
                }
            }
            Named::Renamed { folder, name, to, to_name, node, replaced } => {
                let (folder, to_folder) = (self.folder(folder)?, self.folder(to)?);
                if !is_at(to_folder, &to_name, node)? || folder.stat(&name)?.is_some() {
                    return Ok(());
                }
                match to_folder.rename_new(&to_name, folder, &name) {
                    // The folder that it came from was removed, and that is durable.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                    other => other?,
                }
                replaced.map_or(Ok(()), |buried| self.unbury(to, &to_name, buried))?;
            }
            Named::Removed { folder, name, buried } => {
                if self.folder(folder)?.stat(&name)?.is_none() {
                    self.unbury(folder, &name, buried)?;
                }
            }
        }
        Ok(())
    }

    /// A name that nothing in the graveyard has, also where an updater that was started by this one buries there.
    fn new_grave(&mut self) -> Vec<u8> {
        self.buried += 1;
        format!("{}.{}", std::process::id(), self.buried).into_bytes()
    }

    fn bury(&mut self, folder: &Dir, name: &[u8]) -> io::Result<Option<Buried>> {
        let Some(stat) = folder.stat(name)? else { return Ok(None) };
        if stat.is_folder() {
            let node = self.hold(&folder.open_folder(name)?)?;
            return Ok(Some(Buried::Folder { node, mode: stat.mode }));
        }
        let grave = self.new_grave();
        (**folder).link(name, &self.graveyard, &grave)?;
        Ok(Some(Buried::Leaf(grave)))
    }

    fn unbury(&mut self, folder: Node, name: &[u8], buried: Buried) -> io::Result<()> {
        let folder = self.folder(folder)?;
        match buried {
            Buried::Leaf(grave) => self.graveyard.rename_new(&grave, folder, name),
            Buried::Folder { node, mode } => {
                // What was in it before is looked for by the node it had.
                let made = folder.make_folder(name, mode)?;
                self.folders.insert(node, made);
                Ok(())
            }
        }
    }

    fn keep_attributes(&mut self, file: File) -> io::Result<Option<Named>> {
        let stat = platform::file_stat(&file)?;
        self.attributes.entry(node(&stat)).or_insert((file, stat));
        Ok(None)
    }

    /// Keeps a handle of `folder`.
    fn hold(&mut self, folder: &Dir) -> io::Result<Node> {
        let node = node(&folder.stat_self()?);
        if let std::collections::hash_map::Entry::Vacant(free) = self.folders.entry(node) {
            free.insert((**folder).again()?);
        }
        Ok(node)
    }

    fn folder(&self, node: Node) -> io::Result<&platform::Dir> {
        self.folders.get(&node).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn node(stat: &Stat) -> Node {
    Node(stat.device, stat.inode)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::fs::Point;
    use std::fs;

    /// A folder, and a ledger that is told of what is done in it.
    struct Disk {
        place: tempfile::TempDir,
        folder: Dir,
        ledger: Ledger,
    }

    const AT: Point = Point::StageFile;

    fn step<T>(ledger: &mut Ledger, change: Change<'_>, act: impl FnOnce() -> io::Result<T>) -> T {
        let named = ledger.before(change).unwrap();
        let done = act().unwrap();
        ledger.after(change, named).unwrap();
        done
    }

    impl Disk {
        fn new() -> Disk {
            let place = tempfile::tempdir().unwrap();
            for name in ["tree", "grave"] {
                fs::create_dir(place.path().join(name)).unwrap();
            }
            let folder = Dir::open(&place.path().join("tree")).unwrap();
            let ledger = Ledger::new(platform::Dir::open(&place.path().join("grave")).unwrap());
            Disk { place, folder, ledger }
        }

        /// Makes the file `name` with `content`, nothing of it durable.
        fn make(&mut self, name: &str, content: &str) -> File {
            let (folder, name) = (&self.folder, name.as_bytes());
            let mut file = step(&mut self.ledger, Change::Make { folder, name }, || folder.create_file(name, 0o644, AT));
            self.ledger.before(Change::Write { file: &file, from: 0 }).unwrap();
            file.write_all(content.as_bytes()).unwrap();
            file
        }

        fn rename(&mut self, name: &str, to_name: &str) {
            let (folder, name, to_name) = (&self.folder, name.as_bytes(), to_name.as_bytes());
            let change = Change::Rename { folder, name, to: folder, to_name };
            step(&mut self.ledger, change, || folder.rename(name, folder, to_name, AT));
        }

        fn remove(&mut self, name: &str) {
            let (folder, name) = (&self.folder, name.as_bytes());
            step(&mut self.ledger, Change::Remove { folder, name }, || folder.remove_file(name, AT));
        }

        fn sync_file(&mut self, file: &File) {
            step(&mut self.ledger, Change::SyncFile { file }, || Ok(()));
        }

        fn sync_folder(&mut self) {
            step(&mut self.ledger, Change::SyncFolder { folder: &self.folder }, || Ok(()));
        }

        fn sync_all(&mut self) {
            step(&mut self.ledger, Change::SyncAll, || Ok(()));
        }

        /// What is there after `loss`: names and contents.
        fn after(mut self, loss: Loss) -> Vec<(String, String)> {
            self.ledger.lose(loss).unwrap();
            let names = self.folder.names().unwrap().into_iter().map(|name| String::from_utf8(name).unwrap());
            let tree = self.place.path().join("tree");
            names.map(|name| (name.clone(), fs::read_to_string(tree.join(name)).unwrap_or_default())).collect()
        }
    }

    fn tree(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned())).collect()
    }

    const LOSSES: [Loss; 3] = [Loss::Content, Loss::Latest, Loss::Unsynced];

    #[test]
    fn what_was_fsynced_is_never_lost() {
        for loss in LOSSES {
            let mut disk = Disk::new();
            let file = disk.make("a", "content");
            disk.rename("a", "b");
            disk.sync_file(&file);
            disk.sync_folder();
            assert_eq!(disk.after(loss), tree(&[("b", "content")]), "{loss:?}");
            let mut disk = Disk::new();
            disk.make("a", "content");
            disk.sync_all();
            assert_eq!(disk.after(loss), tree(&[("a", "content")]), "{loss:?}");
        }
    }

    #[test]
    fn a_file_that_was_renamed_without_an_fsync_has_zeros_or_nothing_in_it() {
        for (loss, left) in [(Loss::Content, "durable\0\0\0\0"), (Loss::Unsynced, "durable")] {
            let mut disk = Disk::new();
            let mut file = disk.make("a", "durable");
            disk.sync_file(&file);
            disk.sync_folder();
            disk.ledger.before(Change::Write { file: &file, from: 7 }).unwrap();
            file.write_all(b" and").unwrap();
            let before = platform::file_stat(&file).unwrap();
            assert_eq!(disk.after(loss), tree(&[("a", left)]));
            let after = platform::file_stat(&file).unwrap();
            assert_eq!((after.seconds, after.nanoseconds), (before.seconds, before.nanoseconds), "no time tells of it");
        }
    }

    #[test]
    fn names_that_were_not_made_durable_come_back_and_go_again() {
        let changed = || {
            let mut disk = Disk::new();
            for (name, content) in [("gone", "1"), ("replaced", "2"), ("moved", "3")] {
                let file = disk.make(name, content);
                disk.sync_file(&file);
            }
            disk.sync_folder();
            disk.remove("gone");
            disk.rename("moved", "replaced");
            let file = disk.make("new", "4");
            disk.sync_file(&file);
            disk
        };
        assert_eq!(changed().after(Loss::Content), tree(&[("new", "4"), ("replaced", "3")]));
        // Three changes of names: the latest two are lost.
        assert_eq!(changed().after(Loss::Latest), tree(&[("moved", "3"), ("replaced", "2")]));
        assert_eq!(changed().after(Loss::Unsynced), tree(&[("gone", "1"), ("moved", "3"), ("replaced", "2")]));
    }

    #[test]
    fn a_folder_that_was_removed_comes_back_with_what_was_in_it() {
        let mut disk = Disk::new();
        fs::create_dir(disk.place.path().join("tree/folder")).unwrap();
        fs::write(disk.place.path().join("tree/folder/file"), "content").unwrap();
        let inner = disk.folder.open_folder(b"folder").unwrap();
        let file = Change::Remove { folder: &inner, name: b"file" };
        step(&mut disk.ledger, file, || inner.remove_file(b"file", AT));
        let folder = Change::Remove { folder: &disk.folder, name: b"folder" };
        step(&mut disk.ledger, folder, || disk.folder.remove_folder(b"folder", AT));
        let tree = disk.place.path().join("tree");
        assert!(!tree.join("folder").exists());
        disk.ledger.lose(Loss::Unsynced).unwrap();
        assert_eq!(fs::read_to_string(tree.join("folder/file")).unwrap(), "content");
    }

    #[test]
    fn a_move_whose_place_was_taken_durably_stays() {
        let mut disk = Disk::new();
        fs::create_dir(disk.place.path().join("tree/other")).unwrap();
        let old = disk.make("a", "old");
        disk.sync_file(&old);
        disk.sync_folder();
        let other = disk.folder.open_folder(b"other").unwrap();
        let change = Change::Rename { folder: &disk.folder, name: b"a", to: &other, to_name: b"a" };
        step(&mut disk.ledger, change, || disk.folder.rename(b"a", &other, b"a", AT));
        let new = disk.make("a", "new");
        disk.sync_file(&new);
        disk.sync_folder();
        let place = disk.place.path().join("tree");
        disk.ledger.lose(Loss::Unsynced).unwrap();
        assert_eq!(fs::read_to_string(place.join("a")).unwrap(), "new");
        assert_eq!(fs::read_to_string(place.join("other/a")).unwrap(), "old");
    }

    #[test]
    fn time_and_mode_are_lost_unless_the_file_is_fsynced() {
        for (is_synced, mode, seconds) in [(false, 0o644, 7), (true, 0o600, 9)] {
            let mut disk = Disk::new();
            let file = disk.make("a", "");
            disk.sync_all();
            platform::set_file_time(&file, 7, 0).unwrap();
            disk.ledger.before(Change::Attributes { file: &file }).unwrap();
            platform::set_file_mode(&file, 0o600).unwrap();
            platform::set_file_time(&file, 9, 0).unwrap();
            if is_synced {
                disk.sync_file(&file);
            }
            disk.ledger.lose(Loss::Unsynced).unwrap();
            let stat = platform::file_stat(&file).unwrap();
            assert_eq!((stat.mode, stat.seconds), (mode, seconds));
        }
    }
}
