//! Folders as open directory handles, on Unix.
//!
//! Every operation names one component relative to a handle and follows no link there, so nothing that somebody plants or swaps in the tree leads it elsewhere (attacks F1 to F3).
//! `windows.rs` has the same signatures.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, Timespec, Timestamps};

use super::fault;
use super::{Kind, Space, Stat, Unwritable};

/// An open folder.
#[derive(Debug)]
pub(crate) struct Dir(OwnedFd);

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Dir {
    /// Opens the folder at `path`; links on the way to it are the user's own and are followed.
    pub(crate) fn open(path: &Path) -> io::Result<Dir> {
        Ok(Dir(rustix::fs::open(path, FOLDER, Mode::empty())?))
    }

    /// Opens the folder `name`; a link is an error.
    pub(crate) fn open_folder(&self, name: &[u8]) -> io::Result<Dir> {
        Ok(Dir(rustix::fs::openat(&self.0, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())?))
    }

    /// Another handle of this folder.
    pub(crate) fn again(&self) -> io::Result<Dir> {
        Ok(Dir(self.0.try_clone()?))
    }

    /// The names in this folder, sorted.
    pub(crate) fn names(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut names = vec![];
        for entry in rustix::fs::Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(name.to_vec());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Whether things can be renamed and linked between this folder and `other`.
    pub(crate) fn is_on_volume_of(&self, other: &Dir) -> io::Result<bool> {
        let is_same_device = self.stat_self()?.device == other.stat_self()?.device;
        Ok(is_same_device && mount_id(&self.0)? == mount_id(&other.0)?)
    }

    /// What `name` is; `None` when there is nothing.
    pub(crate) fn stat(&self, name: &[u8]) -> io::Result<Option<Stat>> {
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat_of(&stat))),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What this folder is.
    pub(crate) fn stat_self(&self) -> io::Result<Stat> {
        Ok(stat_of(&rustix::fs::fstat(&self.0)?))
    }

    /// The target of the link `name`.
    pub(crate) fn read_link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        Ok(rustix::fs::readlinkat(&self.0, name, Vec::new())?.into_bytes())
    }

    /// Opens the file `name` for reading. Anything but a regular file is an error, and a pipe does not block.
    pub(crate) fn open_file(&self, name: &[u8]) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.0, name, flags, Mode::empty())?;
        if FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        Ok(File::from(fd))
    }

    /// Opens the file `name` for setting its time and mode.
    pub(crate) fn open_to_set(&self, name: &[u8]) -> io::Result<File> {
        self.open_file(name)
    }

    /// Makes the file `name`, which must not exist, and opens it for reading and writing.
    pub(crate) fn create_file(&self, name: &[u8], mode: u32) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.0, name, flags, mode_of(mode))?))
    }

    /// Opens the regular file `name` for reading and writing, making it when it is missing; its content stays.
    pub(crate) fn open_to_write(&self, name: &[u8], mode: u32) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.0, name, flags, mode_of(mode))?;
        let stat = rustix::fs::fstat(&fd)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_nlink > 1 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file of its own"));
        }
        Ok(File::from(fd))
    }

    /// Moves `name` to `to_name` in `to`, in place of what is there.
    pub(crate) fn rename(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, name, &to.0, to_name)?)
    }

    /// Moves `name` to `to_name` in `to`, where nothing may be.
    pub(crate) fn rename_new(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> io::Result<()> {
        use rustix::io::Errno;
        match rustix::fs::renameat_with(&self.0, name, &to.0, to_name, RenameFlags::NOREPLACE) {
            // Some file systems do not know the flag.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match to.stat(to_name)? {
                Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
                None => self.rename(name, to, to_name),
            },
            other => Ok(other?),
        }
    }

    /// Makes `to_name` in `to` another name of the file `name`.
    pub(crate) fn link(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.0, name, &to.0, to_name, AtFlags::empty())?)
    }

    /// Makes the symbolic link `name`.
    pub(crate) fn make_link(&self, target: &[u8], name: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::symlinkat(target, &self.0, name)?)
    }

    /// Makes the folder `name` with exactly `mode`.
    pub(crate) fn make_folder(&self, name: &[u8], mode: u32) -> io::Result<Dir> {
        rustix::fs::mkdirat(&self.0, name, mode_of(mode))?;
        let made = self.open_folder(name)?;
        rustix::fs::fchmod(&made.0, mode_of(mode))?;
        Ok(made)
    }

    /// Removes the file or link `name`.
    pub(crate) fn remove_file(&self, name: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes the empty folder `name`.
    pub(crate) fn remove_folder(&self, name: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Sets the modification time of `name`, in seconds and nanoseconds, without following a link.
    pub(crate) fn set_time(&self, name: &[u8], seconds: i64, nanoseconds: u32) -> io::Result<()> {
        let omit = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT };
        let times = Timestamps { last_access: omit, last_modification: Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() } };
        Ok(rustix::fs::utimensat(&self.0, name, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Makes the content of the file `name` durable.
    pub(crate) fn sync_file(&self, name: &[u8]) -> io::Result<()> {
        self.open_file(name)?.sync_all()
    }

    /// Makes the entries of this folder durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }

    /// Makes everything on this file system durable in one go; `false` where the OS cannot, and the caller must name each file.
    pub(crate) fn sync_file_system(&self) -> io::Result<bool> {
        sync_file_system(&self.0)
    }

    /// Room on the file system.
    pub(crate) fn space(&self) -> io::Result<Space> {
        let found = rustix::fs::fstatvfs(&self.0)?;
        Ok(Space {
            available_bytes: found.f_bavail.saturating_mul(found.f_frsize),
            total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
            // File systems that make entries as they are needed say 0 of 0.
            available_files: (found.f_files > 0).then_some(found.f_favail),
        })
    }

    /// Why entries of this folder cannot be made, moved or removed by us; `None` when they can.
    pub(crate) fn unwritable(&self) -> io::Result<Option<Unwritable>> {
        if is_frozen(&self.0, b"")? {
            return Ok(Some(Unwritable::Immutable));
        }
        let wanted = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
        match rustix::fs::accessat(&self.0, c".", wanted, AtFlags::EACCESS) {
            Ok(()) => Ok(None),
            Err(rustix::io::Errno::ROFS) => Ok(Some(Unwritable::ReadOnlyFileSystem)),
            Err(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM) => Ok(Some(Unwritable::Folder)),
            Err(error) => Err(error.into()),
        }
    }

    /// Why the entry `name`, of the given kind, cannot be moved away by us, were the folder itself writable; `None` when it can.
    pub(crate) fn unmovable(&self, name: &[u8], stat: &Stat) -> io::Result<Option<Unwritable>> {
        if is_frozen(&self.0, name)? {
            return Ok(Some(Unwritable::Immutable));
        }
        if is_mounted(&self.0, name)? {
            return Ok(Some(Unwritable::OtherFileSystem));
        }
        if stat.kind == Kind::File && stat.mode & 0o222 == 0 {
            return Ok(Some(Unwritable::ReadOnly));
        }
        let folder = rustix::fs::fstat(&self.0)?;
        let me = rustix::process::geteuid();
        let sticky = folder.st_mode & 0o1000 != 0;
        let stranger = !me.is_root() && folder.st_uid != me.as_raw() && stat.owner != me.as_raw();
        Ok((sticky && stranger).then_some(Unwritable::Owner))
    }

    /// Whether the file `name` can be renamed but not be in a folder that is renamed; never on Unix.
    pub(crate) fn is_pinned(&self, _: &[u8]) -> io::Result<bool> {
        Ok(false)
    }
}

/// Sets the modification time of an open file.
pub(crate) fn set_file_time(file: &File, seconds: i64, nanoseconds: u32) -> io::Result<()> {
    let omit = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT };
    let times = Timestamps { last_access: omit, last_modification: Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() } };
    Ok(rustix::fs::futimens(file, &times)?)
}

/// Sets the mode of an open file.
pub(crate) fn set_file_mode(file: &File, mode: u32) -> io::Result<()> {
    Ok(rustix::fs::fchmod(file, mode_of(mode))?)
}

/// What an open file is.
pub(crate) fn file_stat(file: &File) -> io::Result<Stat> {
    Ok(stat_of(&rustix::fs::fstat(file)?))
}

/// When anything about an open file last changed, content or attributes, as the system counts: no program can set it. `None` where the system does not say.
#[allow(
    clippy::unnecessary_wraps,
    clippy::useless_conversion,
    reason = "the same signature everywhere; the widths of these fields differ among systems"
)]
pub(crate) fn changed_at(file: &File) -> io::Result<Option<i128>> {
    let stat = rustix::fs::fstat(file)?;
    Ok(Some(i128::from(stat.st_ctime) * 1_000_000_000 + i128::from(stat.st_ctime_nsec)))
}

/// Makes `to` share the content of `from`, where the file system can; `false` where it cannot.
#[cfg(target_os = "linux")]
pub(crate) fn clone_content(from: &File, to: &File) -> io::Result<bool> {
    use rustix::io::Errno;
    match rustix::fs::ioctl_ficlone(to, from) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::NOTTY | Errno::INVAL | Errno::XDEV | Errno::NOSYS | Errno::TXTBSY | Errno::PERM) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Makes `to` share the content of `from`, where the file system can; `false` where it cannot.
#[cfg(not(target_os = "linux"))]
pub(crate) fn clone_content(_: &File, _: &File) -> io::Result<bool> {
    Ok(false)
}

/// The mount that an open folder was reached through; a file system can be mounted twice, and nothing is renamed across mounts. `None` where the kernel does not say (before 5.8).
#[cfg(target_os = "linux")]
fn mount_id(fd: &OwnedFd) -> io::Result<Option<u64>> {
    use rustix::fs::StatxFlags;
    let found = rustix::fs::statx(fd, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?;
    Ok((found.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(found.stx_mnt_id))
}

#[cfg(not(target_os = "linux"))]
fn mount_id(_: &OwnedFd) -> io::Result<Option<u64>> {
    Ok(None)
}

#[cfg(target_os = "linux")]
fn sync_file_system(fd: &OwnedFd) -> io::Result<bool> {
    rustix::fs::syncfs(fd)?;
    Ok(true)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_: &OwnedFd) -> io::Result<bool> {
    Ok(false)
}

/// Whether the immutable or append-only attribute is set on `name`, or on the folder itself for an empty name.
#[cfg(target_os = "linux")]
fn is_frozen(folder: &OwnedFd, name: &[u8]) -> io::Result<bool> {
    use rustix::fs::StatxAttributes;
    Ok(attributes(folder, name)?.intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND))
}

/// Whether something is mounted at `name`, so that it cannot be moved. Kernels before 5.8 do not say; moving it then fails, and is undone.
#[cfg(target_os = "linux")]
fn is_mounted(folder: &OwnedFd, name: &[u8]) -> io::Result<bool> {
    Ok(attributes(folder, name)?.contains(rustix::fs::StatxAttributes::MOUNT_ROOT))
}

#[cfg(target_os = "linux")]
fn attributes(folder: &OwnedFd, name: &[u8]) -> io::Result<rustix::fs::StatxAttributes> {
    let flags = if name.is_empty() { AtFlags::EMPTY_PATH } else { AtFlags::SYMLINK_NOFOLLOW };
    Ok(rustix::fs::statx(folder, name, flags, rustix::fs::StatxFlags::BASIC_STATS)?.stx_attributes)
}

/// Whether a flag forbids changing `name`, or the folder itself for an empty name.
#[cfg(not(target_os = "linux"))]
fn is_frozen(_: &OwnedFd, _: &[u8]) -> io::Result<bool> {
    Ok(false)
}

/// Whether something is mounted at `name`: not asked for here; moving it fails, and is undone.
#[cfg(not(target_os = "linux"))]
fn is_mounted(_: &OwnedFd, _: &[u8]) -> io::Result<bool> {
    Ok(false)
}

/// Ends this process at once, as a power cut would.
#[cfg(any(test, feature = "fail-points"))]
pub(crate) fn end_process() -> ! {
    // Cannot fail: a process may always end itself. Should it all the same, abort.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}

/// Stops this process until somebody lets it go on.
#[cfg(any(test, feature = "fail-points"))]
pub(crate) fn stop_process() -> io::Result<()> {
    Ok(rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)?)
}

fn mode_of(mode: u32) -> Mode {
    Mode::from_raw_mode((mode & 0o7777) as rustix::fs::RawMode)
}

#[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "the widths of these fields differ among systems")]
fn stat_of(stat: &rustix::fs::Stat) -> Stat {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    };
    let kept = fault::kept_time(i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec));
    Stat {
        kind,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        seconds: i64::try_from(kept.div_euclid(1_000_000_000)).unwrap_or(0),
        nanoseconds: u32::try_from(kept.rem_euclid(1_000_000_000)).unwrap_or(0),
        mode: u32::from(stat.st_mode) & 0o7777,
        links: u64::from(stat.st_nlink),
        owner: stat.st_uid,
        device: stat.st_dev as u64,
        inode: stat.st_ino as u64,
    }
}
