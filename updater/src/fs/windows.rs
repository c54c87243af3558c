//! Folders by path, on Windows, with the signatures of `unix.rs`.
//!
//! Not run yet: there was no Windows at hand. It stands on the standard library alone, which has no handles of folders, so a folder is its path and every step checks that no component
//! is a reparse point before it acts; that leaves a moment between check and use which `unix.rs` does not have. Names that are not Unicode cannot be read. To do before it ships:
//! handles (`NtCreateFile` relative to a folder), file ids, long paths, the read-only attribute of live files, running programs renamed aside.

use std::fs::{self, File, FileTimes, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::fault;
use super::{Kind, Space, Stat, Unwritable};

/// `FILE_FLAG_OPEN_REPARSE_POINT`: a link is opened itself, not what it leads to.
const NO_FOLLOW: u32 = 0x0020_0000;
/// `FILE_ATTRIBUTE_REPARSE_POINT`.
const REPARSE_POINT: u32 = 0x400;
/// Seconds from 1601, where Windows counts from, to 1970.
const EPOCH_SECONDS: i128 = 11_644_473_600;

/// A folder.
#[derive(Debug)]
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn open(path: &Path) -> io::Result<Dir> {
        let path = fs::canonicalize(path)?;
        if fs::metadata(&path)?.is_dir() { Ok(Dir(path)) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    pub(crate) fn open_folder(&self, name: &[u8]) -> io::Result<Dir> {
        let path = self.at(name)?;
        let found = fs::symlink_metadata(&path)?;
        if kind_of(&found) == Kind::Folder { Ok(Dir(path)) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    pub(crate) fn again(&self) -> io::Result<Dir> {
        Ok(Dir(self.0.clone()))
    }

    pub(crate) fn names(&self) -> io::Result<Vec<Vec<u8>>> {
        let unreadable = |_| io::Error::new(io::ErrorKind::InvalidData, "a name is not Unicode");
        let name = |entry: io::Result<fs::DirEntry>| entry?.file_name().into_string().map(String::into_bytes).map_err(unreadable);
        let mut names = fs::read_dir(&self.0)?.map(name).collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    pub(crate) fn stat(&self, name: &[u8]) -> io::Result<Option<Stat>> {
        match fs::symlink_metadata(self.at(name)?) {
            Ok(found) => Ok(Some(stat_of(&found))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn is_on_volume_of(&self, other: &Dir) -> io::Result<bool> {
        // Canonical paths begin with their drive or share.
        Ok(self.0.components().next() == other.0.components().next())
    }

    pub(crate) fn stat_self(&self) -> io::Result<Stat> {
        Ok(stat_of(&fs::symlink_metadata(&self.0)?))
    }

    pub(crate) fn read_link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        let target = fs::read_link(self.at(name)?)?;
        Ok(target.into_os_string().into_encoded_bytes())
    }

    pub(crate) fn open_file(&self, name: &[u8]) -> io::Result<File> {
        self.open_regular(name, OpenOptions::new().read(true))
    }

    pub(crate) fn create_file(&self, name: &[u8], _: u32) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).custom_flags(NO_FOLLOW).open(self.at(name)?)
    }

    pub(crate) fn open_to_write(&self, name: &[u8], _: u32) -> io::Result<File> {
        self.open_regular(name, OpenOptions::new().read(true).write(true).create(true).truncate(false))
    }

    fn open_regular(&self, name: &[u8], options: &mut OpenOptions) -> io::Result<File> {
        let file = options.custom_flags(NO_FOLLOW).open(self.at(name)?)?;
        if kind_of(&file.metadata()?) == Kind::File {
            Ok(file)
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
        }
    }

    pub(crate) fn rename(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> io::Result<()> {
        fs::rename(self.at(name)?, to.at(to_name)?)
    }

    pub(crate) fn rename_new(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> io::Result<()> {
        match to.stat(to_name)? {
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
            None => self.rename(name, to, to_name),
        }
    }

    pub(crate) fn link(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> io::Result<()> {
        fs::hard_link(self.at(name)?, to.at(to_name)?)
    }

    pub(crate) fn make_link(&self, _: &[u8], _: &[u8]) -> io::Result<()> {
        // Releases for Windows have no links (`docs/format.md` section 6), and making one takes a right that users do not have.
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn make_folder(&self, name: &[u8], _: u32) -> io::Result<Dir> {
        fs::create_dir(self.at(name)?)?;
        self.open_folder(name)
    }

    pub(crate) fn remove_file(&self, name: &[u8]) -> io::Result<()> {
        let path = self.at(name)?;
        let found = fs::symlink_metadata(&path)?;
        // A link to a folder is removed as a folder; what it leads to is not touched.
        if found.file_type().is_symlink_dir() { fs::remove_dir(path) } else { fs::remove_file(path) }
    }

    pub(crate) fn remove_folder(&self, name: &[u8]) -> io::Result<()> {
        fs::remove_dir(self.at(name)?)
    }

    pub(crate) fn set_time(&self, name: &[u8], seconds: i64, nanoseconds: u32) -> io::Result<()> {
        let file = OpenOptions::new().write(true).custom_flags(NO_FOLLOW).open(self.at(name)?)?;
        set_file_time(&file, seconds, nanoseconds)
    }

    pub(crate) fn sync_file(&self, name: &[u8]) -> io::Result<()> {
        // Only a handle that may write can be flushed. What is read-only was flushed before it became so.
        match self.open_regular(name, OpenOptions::new().read(true).write(true)) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            file => file?.sync_all(),
        }
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        // NTFS logs changes of folders by itself; there is nothing to flush through the standard library.
        Ok(())
    }

    pub(crate) fn sync_file_system(&self) -> io::Result<bool> {
        Ok(false)
    }

    pub(crate) fn space(&self) -> io::Result<Space> {
        // The standard library cannot tell: a full disk is then noticed when writing, and undone.
        Ok(Space { available_bytes: u64::MAX, total_bytes: u64::MAX, available_files: None })
    }

    pub(crate) fn unwritable(&self) -> io::Result<Option<Unwritable>> {
        let probe = self.0.join(format!(".updater-probe-{}", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&probe) {
            Ok(file) => {
                drop(file);
                fs::remove_file(probe).map(|()| None)
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Some(Unwritable::Folder)),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn unmovable(&self, _: &[u8], stat: &Stat) -> io::Result<Option<Unwritable>> {
        Ok((stat.kind == Kind::File && stat.mode & 0o222 == 0).then_some(Unwritable::ReadOnly))
    }

    fn at(&self, name: &[u8]) -> io::Result<PathBuf> {
        let unreadable = |_| io::Error::new(io::ErrorKind::InvalidInput, "the name is not Unicode");
        let name = std::str::from_utf8(name).map_err(unreadable)?;
        if name.contains(['\\', '/', ':']) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name is not one component"));
        }
        Ok(self.0.join(name))
    }
}

pub(crate) fn set_file_time(file: &File, seconds: i64, nanoseconds: u32) -> io::Result<()> {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 { SystemTime::UNIX_EPOCH.checked_sub(whole) } else { SystemTime::UNIX_EPOCH.checked_add(whole) };
    let time = time.and_then(|time| time.checked_add(Duration::from_nanos(nanoseconds.into()))).ok_or(io::ErrorKind::InvalidInput)?;
    file.set_times(FileTimes::new().set_modified(time))
}

pub(crate) fn set_file_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

pub(crate) fn file_stat(file: &File) -> io::Result<Stat> {
    Ok(stat_of(&file.metadata()?))
}

pub(crate) fn changed_at(_: &File) -> io::Result<Option<i128>> {
    // The standard library does not give the change time.
    Ok(None)
}

pub(crate) fn clone_content(_: &File, _: &File) -> io::Result<bool> {
    Ok(false)
}

/// Ends this process at once, as a power cut would.
#[cfg(any(test, feature = "fail-points"))]
pub(crate) fn end_process() -> ! {
    std::process::abort()
}

fn kind_of(found: &Metadata) -> Kind {
    if found.file_attributes() & REPARSE_POINT != 0 {
        Kind::Link
    } else if found.is_dir() {
        Kind::Folder
    } else if found.is_file() {
        Kind::File
    } else {
        Kind::Other
    }
}

fn stat_of(found: &Metadata) -> Stat {
    // In units of 100 ns.
    let kept = fault::kept_time((i128::from(found.last_write_time()) - EPOCH_SECONDS * 10_000_000) * 100);
    Stat {
        kind: kind_of(found),
        size: found.file_size(),
        seconds: i64::try_from(kept.div_euclid(1_000_000_000)).unwrap_or(0),
        nanoseconds: u32::try_from(kept.rem_euclid(1_000_000_000)).unwrap_or(0),
        mode: if found.permissions().readonly() { 0o444 } else { 0o644 },
        links: 1,
        owner: 0,
        device: 0,
        inode: 0,
    }
}
