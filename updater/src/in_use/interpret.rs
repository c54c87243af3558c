//! What a process that Linux shows has to do with an install folder. Pure.
//!
//! A file is known by device and inode, so that it does not matter by which mount, container or link a process reached it. Paths help where that fails: a program whose file was deleted has no
//! inode in the folder any more, and some file systems (overlays, btrfs) show other numbers in `maps` than `stat` does.

use std::collections::HashMap;

use super::{Use, Watched};
use crate::fs::LocalPath;

/// What the kernel appends to the path of a file that has no name any more.
const DELETED: &[u8] = b" (deleted)";

/// A file, by device and inode.
pub(super) type FileId = (u64, u64);

/// A file as a process shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileRef {
    pub(super) id: FileId,
    /// The path that the kernel shows, as seen from that process.
    pub(super) path: Vec<u8>,
}

/// A process as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    /// What it runs.
    pub(super) program: FileRef,
    /// What it has mapped.
    pub(super) mapped: Vec<FileRef>,
    /// What it has open.
    pub(super) open: Vec<FileId>,
}

/// The install folder and the files in it that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree {
    /// The folder's own path, without links.
    root: Vec<u8>,
    replaced: HashMap<FileId, LocalPath>,
    programs: HashMap<FileId, LocalPath>,
}

impl Tree {
    /// The folder at `root`; `id` says which file lies at a path.
    pub(super) fn new(root: Vec<u8>, watched: &Watched, id: impl Fn(&LocalPath) -> Option<FileId>) -> Tree {
        let known = |paths: &[LocalPath]| paths.iter().filter_map(|path| Some((id(path)?, path.clone()))).collect();
        Tree { root, replaced: known(&watched.replaced), programs: known(&watched.programs) }
    }

    /// One file that `process` holds, and how; running counts more than having mapped, and that more than having open.
    pub(super) fn held_by(&self, process: &Process) -> Option<(LocalPath, Use)> {
        let Process { program, mapped, open } = process;
        let runs = || self.known(program.id).or_else(|| self.below(program.path.strip_suffix(DELETED).unwrap_or(&program.path)));
        let maps = |file: &FileRef| self.replaced.get(&file.id).cloned().or_else(|| self.replaced_at(&file.path));
        let found = runs().map(|path| (path, Use::Runs));
        let found = found.or_else(|| mapped.iter().find_map(maps).map(|path| (path, Use::Maps)));
        // The interpreter of a script keeps it open while it runs.
        found.or_else(|| open.iter().find_map(|id| self.known(*id)).map(|path| (path, Use::HasOpen)))
    }

    fn known(&self, id: FileId) -> Option<LocalPath> {
        self.replaced.get(&id).or_else(|| self.programs.get(&id)).cloned()
    }

    /// What `path` is below the folder, when it is.
    fn below(&self, path: &[u8]) -> Option<LocalPath> {
        let below = path.strip_prefix(&*self.root)?.strip_prefix(b"/")?;
        LocalPath::from_bytes(below.to_vec()).ok()
    }

    /// A mapped file that went already, and is only mapped still, is no file that is to be replaced.
    fn replaced_at(&self, path: &[u8]) -> Option<LocalPath> {
        let path = self.below(path)?;
        self.replaced.values().any(|replaced| *replaced == path).then_some(path)
    }
}

/// The files that a text as in `/proc/PID/maps` names, each once.
pub(super) fn mapped(text: &[u8], device: impl Fn(u32, u32) -> u64) -> Vec<FileRef> {
    let mut found: Vec<FileRef> = vec![];
    for line in text.split(|byte| *byte == b'\n') {
        // "7f0c-7f0d r-xp 00000000 fd:01 1234   /usr/lib/x": the path may hold spaces.
        let Some(start) = line.iter().position(|byte| *byte == b'/') else { continue };
        let (Some(head), Some(path)) = (line.get(..start), line.get(start..)) else { continue };
        let head = String::from_utf8_lossy(head);
        let mut fields = head.split_ascii_whitespace().skip(3);
        let id = fields.next().and_then(|text| {
            let (major, minor) = text.split_once(':')?;
            Some(device(u32::from_str_radix(major, 16).ok()?, u32::from_str_radix(minor, 16).ok()?))
        });
        let Some(id) = id.zip(fields.next().and_then(|text| text.parse().ok())) else { continue };
        if found.last().is_none_or(|last| last.id != id || last.path != path) {
            found.push(FileRef { id, path: path.to_owned() });
        }
    }
    found
}

/// The name of the account `uid` in a text as in `/etc/passwd`.
pub(super) fn user_name(passwd: &str, uid: u32) -> String {
    let of = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    };
    passwd.lines().find_map(of).unwrap_or_else(|| format!("uid {uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(path: &str) -> LocalPath {
        LocalPath::from_bytes(path.into()).unwrap()
    }

    /// A folder `/opt/app` with `client` (inode 1) and `lib/a.so` (2), which are replaced, and `tool` (3), which is not.
    fn tree() -> Tree {
        let watched = Watched { replaced: vec![local("client"), local("lib/a.so")], programs: vec![local("tool")] };
        let inodes = [("client", 1), ("lib/a.so", 2), ("tool", 3)];
        Tree::new(b"/opt/app".to_vec(), &watched, |path| inodes.iter().find(|(name, _)| local(name) == *path).map(|(_, inode)| (7, *inode)))
    }

    fn file(inode: u64, path: &str) -> FileRef {
        FileRef { id: (7, inode), path: path.into() }
    }

    fn process(program: FileRef) -> Process {
        Process { program, mapped: vec![], open: vec![] }
    }

    #[test]
    fn whoever_runs_a_file_of_the_folder_holds_it() {
        let held = |program| tree().held_by(&process(program));
        assert_eq!(held(file(1, "/opt/app/client")), Some((local("client"), Use::Runs)));
        assert_eq!(held(file(3, "/opt/app/tool")), Some((local("tool"), Use::Runs)));
        assert_eq!(held(file(9, "/usr/bin/sh")), None);
        assert_eq!(held(file(9, "/opt/apple")), None);
    }

    #[test]
    fn neither_another_mount_nor_deleting_hides_a_program() {
        let held = |program| tree().held_by(&process(program));
        assert_eq!(held(file(1, "/mnt/elsewhere/client")), Some((local("client"), Use::Runs)));
        assert_eq!(held(file(99, "/opt/app/client (deleted)")), Some((local("client"), Use::Runs)));
        assert_eq!(held(file(98, "/opt/app/users own tool")), Some((local("users own tool"), Use::Runs)));
        assert_eq!(held(file(97, "/opt/app/bkp_remote.003/client")), Some((local("bkp_remote.003/client"), Use::Runs)));
    }

    #[test]
    fn a_file_that_is_replaced_may_not_be_mapped_or_open() {
        let sh = || process(file(9, "/usr/bin/sh"));
        let maps = |mapped| tree().held_by(&Process { mapped, ..sh() });
        assert_eq!(maps(vec![file(8, "/usr/lib/libc.so"), file(2, "/other/a.so")]), Some((local("lib/a.so"), Use::Maps)));
        // The numbers of an overlay are not those of `stat`.
        assert_eq!(maps(vec![file(55, "/opt/app/lib/a.so")]), Some((local("lib/a.so"), Use::Maps)));
        assert_eq!(maps(vec![file(55, "/opt/app/lib/a.so (deleted)")]), None);
        assert_eq!(maps(vec![file(56, "/opt/app/lib/unchanged.so")]), None);
        let opens = |inode| tree().held_by(&Process { open: vec![(7, 50), (7, inode)], ..sh() });
        assert_eq!(opens(1), Some((local("client"), Use::HasOpen)));
        assert_eq!(opens(3), Some((local("tool"), Use::HasOpen)), "a script that runs");
        assert_eq!(opens(51), None);
        assert_eq!(tree().held_by(&Process { open: vec![(8, 1)], ..sh() }), None, "the same inode of another device");
    }

    #[test]
    fn maps_are_read_with_spaces_in_paths_and_without_what_is_no_file() {
        let text = b"55d0-55d1 r--p 00000000 fd:01 1234                       /opt/my app/client\n\
            55d1-55d2 r-xp 00001000 fd:01 1234                       /opt/my app/client\n\
            7f00-7f01 rw-p 00000000 00:00 0                          [heap]\n\
            7f01-7f02 rw-p 00000000 00:00 0\n\
            7f02-7f03 r-xp 00000000 103:02 77                        /lib/x (deleted)\n\
            garbage /x\n";
        let found = mapped(text, |major, minor| u64::from(major) * 1000 + u64::from(minor));
        let expected = |device, inode, path: &str| FileRef { id: (device, inode), path: path.into() };
        assert_eq!(found, [expected(253_001, 1234, "/opt/my app/client"), expected(259_002, 77, "/lib/x (deleted)")]);
    }

    #[test]
    fn users_have_names_or_numbers() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nana:x:1000:1000::/home/ana:/bin/sh\nbroken\n";
        assert_eq!(user_name(passwd, 1000), "ana");
        assert_eq!(user_name(passwd, 7), "uid 7");
    }
}
