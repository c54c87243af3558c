//! Reads processes from `/proc`; what they have to do with the folder is said in [`super::interpret`].

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::interpret::{FileId, FileRef, Process, Tree, mapped, user_name};
use super::{Holder, Looked, Watched};
use crate::fs::Folder;

/// Accounts below this number are the system's own (`UID_MIN` of `login.defs` on every large distribution).
const FIRST_PERSON: u32 = 1000;
/// `nobody`.
const NOBODY: u32 = 65534;

/// See [`super::look`].
pub(super) fn holders(folder: &Folder, watched: &Watched) -> io::Result<Looked> {
    let root = fs::canonicalize(folder.path())?;
    let id = |path: &_| folder.stat(path).ok().flatten().map(|stat| (stat.device, stat.inode));
    let tree = Tree::new(root.into_os_string().into_vec(), watched, id);
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let ours = file_id(Path::new("/proc/self/exe"));
    let (mut holders, mut unseen) = (vec![], BTreeSet::new());
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let at = entry.path();
        // A process that ends meanwhile holds nothing any more.
        let Ok(owner) = fs::metadata(&at).map(|about| about.uid()) else { continue };
        let process = match read(&at) {
            Ok(process) => process,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                unseen.insert(owner);
                continue;
            }
            // It ended, or it is the kernel's own and runs no file.
            Err(_) => continue,
        };
        if pid == std::process::id() || Some(process.program.id) == ours {
            continue;
        }
        if let Some((file, how)) = tree.held_by(&process) {
            let program = fs::read_to_string(at.join("comm")).unwrap_or_default();
            let program = program.trim_end().escape_debug().to_string();
            holders.push(Holder { pid, program, user: Some(user_name(&passwd, owner)), file: file.to_string(), how });
        }
    }
    holders.sort_by_key(|holder| holder.pid);
    let people = unseen.into_iter().filter(|uid| *uid >= FIRST_PERSON && *uid != NOBODY);
    Ok(Looked { holders, unseen: people.map(|uid| user_name(&passwd, uid)).collect() })
}

fn read(at: &Path) -> io::Result<Process> {
    let exe = at.join("exe");
    let path = fs::read_link(&exe)?.into_os_string().into_vec();
    let id = file_id(&exe).ok_or(io::ErrorKind::NotFound)?;
    let maps = fs::read(at.join("maps"))?;
    Ok(Process { program: FileRef { id, path }, mapped: mapped(&maps, rustix::fs::makedev), open: open(&at.join("fd"))? })
}

/// What the links in `/proc/PID/fd` lead to, as far as it can be a file of a disk.
fn open(at: &PathBuf) -> io::Result<Vec<FileId>> {
    let mut found = vec![];
    for entry in fs::read_dir(at)? {
        let path = entry?.path();
        let is_path = |target: &PathBuf| {
            let target = target.as_os_str().as_bytes();
            // `socket:[1]` and the like are none, and devices are not asked.
            target.starts_with(b"/") && !target.starts_with(b"/dev/") && !target.starts_with(b"/proc/")
        };
        if fs::read_link(&path).is_ok_and(|target| is_path(&target)) {
            found.extend(file_id(&path));
        }
    }
    Ok(found)
}

/// The file that `path` leads to; a link below `/proc` leads there even when the file has no name any more.
fn file_id(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|about| (about.dev(), about.ino()))
}

/// Returns when one of the processes has ended, or after `longest`; never kills, and asks no process for anything. Blocks.
pub(super) fn one_ends(pids: &[u32], longest: Duration) {
    let mut processes = vec![];
    for pid in pids {
        let Some(pid) = i32::try_from(*pid).ok().and_then(Pid::from_raw) else { return };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(process) => processes.push(process),
            // It has ended already.
            Err(Errno::SRCH) => return,
            // A kernel without this call (before 5.3): the next look tells.
            Err(_) => return std::thread::sleep(longest.min(Duration::from_secs(1))),
        }
    }
    let mut watched: Vec<PollFd<'_>> = processes.iter().map(|process| PollFd::new(process, PollFlags::IN)).collect();
    // Woken without a reason, or time that is up: the next look tells.
    let _ = poll(&mut watched, Timespec::try_from(longest).ok().as_ref());
}
