//! Folders as open handles, on Windows, with the signatures of `unix.rs`.
//!
//! Every operation names one component relative to a handle and opens a reparse point itself, never what it leads to, so that no symbolic link, junction or mount point leads it elsewhere
//! (attacks F1 to F3). Names relative to a handle have no limit of 260 characters.
//!
//! Windows refuses what Unix allows while somebody else has a file open: `refusal` tries again for a while. A program that runs can be renamed, though not removed, and not be in a folder
//! that is renamed: [`Dir::is_pinned`].

#[path = "windows/look.rs"]
mod look;
#[path = "windows/name.rs"]
mod name;
#[path = "windows/refusal.rs"]
mod refusal;
#[cfg(test)]
#[path = "windows/tests.rs"]
mod tests;

use std::fs::{File, FileTimes, OpenOptions};
use std::io;
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::{AsHandle as _, OwnedHandle};
use std::path::Path;
use std::time::{Duration, SystemTime};

use windows_sys::Wdk::Storage::FileSystem::{FILE_CREATE, FILE_DIRECTORY_FILE, FILE_NON_DIRECTORY_FILE, FILE_OPEN, FILE_OPEN_IF};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ADD_FILE, FILE_ADD_SUBDIRECTORY, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_NORMAL, FILE_ATTRIBUTE_READONLY,
    FILE_FLAG_BACKUP_SEMANTICS, FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_LIST_DIRECTORY, FILE_READ_ATTRIBUTES, FILE_TRAVERSE,
    FILE_WRITE_ATTRIBUTES, FILE_WRITE_DATA, READ_CONTROL, SYNCHRONIZE,
};

use super::owners::platform::private;
use super::{Kind, Space, Stat, Unwritable};
use crate::windows_api::files::{self, Naming, Opening, Removal, Status};
use look::{kind_of, regular, stat_of};
use name::wide;
use refusal::{NOT_SUPPORTED_NUMBER, error, held, is_unknown, patiently};

/// What a folder is opened for.
const FOLDER: u32 = FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE;

/// An open folder.
#[derive(Debug)]
pub(crate) struct Dir(OwnedHandle);

impl Dir {
    pub(crate) fn open(path: &Path) -> io::Result<Dir> {
        let file = OpenOptions::new().access_mode(FOLDER).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(path)?;
        if file.metadata()?.is_dir() { Ok(Dir(file.into())) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    pub(crate) fn open_folder(&self, name: &[u8]) -> io::Result<Dir> {
        let opened = self.existing(name, FOLDER, FILE_DIRECTORY_FILE)?;
        match kind_of(&opened, &files::information(opened.as_handle())?)? {
            Kind::Folder => Ok(Dir(opened)),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    pub(crate) fn again(&self) -> io::Result<Dir> {
        Ok(Dir(self.0.try_clone()?))
    }

    pub(crate) fn names(&self) -> io::Result<Vec<Vec<u8>>> {
        // A handle of its own: where a list has got to is kept with the handle.
        let folder = self.reopened(FOLDER)?;
        let found = files::names(folder.as_handle())?;
        let mut names: Vec<Vec<u8>> = found.iter().map(|name| std::ffi::OsString::from_wide(name).into_encoded_bytes()).collect();
        names.sort_unstable();
        Ok(names)
    }

    pub(crate) fn stat(&self, name: &[u8]) -> io::Result<Option<Stat>> {
        // Who could change it is asked as well; where that is kept from us, it counts as everybody.
        let name = wide(name)?;
        let open = |access| files::open(self.0.as_handle(), &name, existing(access, 0));
        let opened = match open(FILE_READ_ATTRIBUTES | READ_CONTROL) {
            Err(Status::ACCESS_DENIED) => open(FILE_READ_ATTRIBUTES),
            opened => opened,
        };
        match opened {
            Ok(opened) => stat_of(&opened).map(Some),
            // What somebody has deleted and somebody else still has open is as good as gone.
            Err(Status::OBJECT_NAME_NOT_FOUND | Status::NO_SUCH_FILE | Status::DELETE_PENDING) => Ok(None),
            Err(status) => Err(error(status)),
        }
    }

    pub(crate) fn is_on_volume_of(&self, other: &Dir) -> io::Result<bool> {
        Ok(self.stat_self()?.device == other.stat_self()?.device)
    }

    pub(crate) fn stat_self(&self) -> io::Result<Stat> {
        stat_of(&self.0)
    }

    pub(crate) fn read_link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        // What a link leads to is only for people; no link is made or followed here.
        let opened = self.existing(name, FILE_READ_ATTRIBUTES, 0)?;
        Ok(format!("reparse point {:08x}", files::reparse_tag(opened.as_handle())?).into_bytes())
    }

    pub(crate) fn open_file(&self, name: &[u8]) -> io::Result<File> {
        patiently(|| self.existing_status(name, FILE_GENERIC_READ, FILE_NON_DIRECTORY_FILE)).and_then(regular)
    }

    pub(crate) fn open_to_set(&self, name: &[u8]) -> io::Result<File> {
        let access = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | READ_CONTROL;
        patiently(|| self.existing_status(name, access, FILE_NON_DIRECTORY_FILE)).and_then(regular)
    }

    pub(crate) fn create_file(&self, name: &[u8], mode: u32) -> io::Result<File> {
        let attributes = if mode & 0o222 == 0 { FILE_ATTRIBUTE_READONLY } else { FILE_ATTRIBUTE_NORMAL };
        self.writable(name, FILE_CREATE, attributes, mode)
    }

    pub(crate) fn open_to_write(&self, name: &[u8], mode: u32) -> io::Result<File> {
        let file = self.writable(name, FILE_OPEN_IF, FILE_ATTRIBUTE_NORMAL, mode)?;
        if files::information(file.as_handle())?.links > 1 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file of its own"));
        }
        Ok(file)
    }

    fn writable(&self, name: &[u8], disposition: u32, attributes: u32, mode: u32) -> io::Result<File> {
        let name = wide(name)?;
        // Most files have the list that their folder hands down. One with a mode that lets nobody else read it has one of its own.
        let private = (mode & 0o077 == 0).then(private);
        let security = private.as_deref();
        let access = FILE_GENERIC_READ | FILE_GENERIC_WRITE | DELETE;
        let opening = Opening { access, disposition, options: FILE_NON_DIRECTORY_FILE, attributes, security };
        patiently(|| files::open(self.0.as_handle(), &name, opening)).and_then(regular)
    }

    pub(crate) fn rename(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> io::Result<()> {
        self.name(name, to, to_name, |file, folder, name| match files::set_name(file, folder, name, Naming::ReplaceInUse) {
            Err(status) if is_unknown(status) => files::set_name(file, folder, name, Naming::Replace),
            done => done,
        })
    }

    pub(crate) fn rename_new(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> io::Result<()> {
        self.name(name, to, to_name, |file, folder, name| files::set_name(file, folder, name, Naming::Move))
    }

    fn name(
        &self,
        name: &[u8],
        to: &Dir,
        to_name: &[u8],
        act: impl Fn(std::os::windows::io::BorrowedHandle<'_>, std::os::windows::io::BorrowedHandle<'_>, &[u16]) -> Result<(), Status>,
    ) -> io::Result<()> {
        let (name, to_name) = (wide(name)?, wide(to_name)?);
        let mut is_folder = false;
        let renamed = patiently(|| {
            let file = files::open(self.0.as_handle(), &name, existing(DELETE | FILE_READ_ATTRIBUTES, 0))?;
            is_folder = files::information(file.as_handle()).is_ok_and(|found| found.attributes & FILE_ATTRIBUTE_DIRECTORY != 0);
            act(file.as_handle(), to.0.as_handle(), &to_name)
        });
        match renamed {
            // We may: whether we may is asked before anything is renamed. Something in it is open.
            Err(refused) if is_folder && refused.kind() == io::ErrorKind::PermissionDenied => Err(held(refused)),
            done => done,
        }
    }

    pub(crate) fn link(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> io::Result<()> {
        let (name, to_name) = (wide(name)?, wide(to_name)?);
        let linked = patiently(|| {
            let access = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES;
            let file = files::open(self.0.as_handle(), &name, existing(access, FILE_NON_DIRECTORY_FILE))?;
            match files::set_name(file.as_handle(), to.0.as_handle(), &to_name, Naming::Link) {
                Err(status) if is_unknown(status) => Err(Status::NOT_SUPPORTED),
                done => done,
            }
        });
        match linked {
            Err(error) if error.raw_os_error().is_some_and(|number| number == NOT_SUPPORTED_NUMBER) => {
                Err(io::ErrorKind::Unsupported.into())
            }
            done => done,
        }
    }

    pub(crate) fn make_link(&self, _: &[u8], _: &[u8]) -> io::Result<()> {
        // Releases for Windows have no links (`docs/format.md` section 6), and making one takes a right that users do not have.
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn make_folder(&self, name: &[u8], _: u32) -> io::Result<Dir> {
        let name = wide(name)?;
        let opening = Opening {
            access: FOLDER,
            disposition: FILE_CREATE,
            options: FILE_DIRECTORY_FILE,
            attributes: FILE_ATTRIBUTE_NORMAL,
            security: None,
        };
        patiently(|| files::open(self.0.as_handle(), &name, opening)).map(Dir)
    }

    pub(crate) fn remove_file(&self, name: &[u8]) -> io::Result<()> {
        let opened = self.to_remove(name)?;
        // A link to a folder goes by itself; what it leads to is not touched.
        match kind_of(&opened, &files::information(opened.as_handle())?)? {
            Kind::Folder => Err(io::ErrorKind::IsADirectory.into()),
            _ => remove(&opened),
        }
    }

    pub(crate) fn remove_folder(&self, name: &[u8]) -> io::Result<()> {
        let opened = self.to_remove(name)?;
        match kind_of(&opened, &files::information(opened.as_handle())?)? {
            Kind::Folder => remove(&opened),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn to_remove(&self, name: &[u8]) -> io::Result<OwnedHandle> {
        patiently(|| self.existing_status(name, DELETE | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES, 0))
    }

    pub(crate) fn set_time(&self, name: &[u8], seconds: i64, nanoseconds: u32) -> io::Result<()> {
        set_file_time(&self.open_to_set(name)?, seconds, nanoseconds)
    }

    pub(crate) fn sync_file(&self, name: &[u8]) -> io::Result<()> {
        // Only a handle that may write can be flushed. What is read-only was flushed before it became so.
        match patiently(|| self.existing_status(name, FILE_GENERIC_READ | FILE_GENERIC_WRITE, FILE_NON_DIRECTORY_FILE)) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            opened => regular(opened?)?.sync_all(),
        }
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        // NTFS logs changes of names, so that they are never half done and keep their order; flushing brings the log to the disk. Where a folder cannot be flushed, that order is all there is.
        let Ok(folder) = self.reopened(FOLDER | FILE_ADD_FILE) else { return Ok(()) };
        match files::flush(folder.as_handle()) {
            Err(status) if is_unknown(status) || status == Status::ACCESS_DENIED => Ok(()),
            done => done.map_err(error),
        }
    }

    pub(crate) fn sync_file_system(&self) -> io::Result<bool> {
        // It takes an administrator.
        Ok(false)
    }

    pub(crate) fn space(&self) -> io::Result<Space> {
        let (available_bytes, total_bytes) = files::space(self.0.as_handle())?;
        Ok(Space { available_bytes, total_bytes, available_files: None })
    }

    pub(crate) fn unwritable(&self) -> io::Result<Option<Unwritable>> {
        if files::is_read_only_volume(self.0.as_handle()).unwrap_or(false) {
            return Ok(Some(Unwritable::ReadOnlyFileSystem));
        }
        // Opening asks for the right and uses none of it.
        match self.reopened(FOLDER | FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY) {
            Ok(_) => Ok(None),
            Err(Status::MEDIA_WRITE_PROTECTED) => Ok(Some(Unwritable::ReadOnlyFileSystem)),
            Err(Status::ACCESS_DENIED) => Ok(Some(Unwritable::Folder)),
            Err(status) => Err(error(status)),
        }
    }

    pub(crate) fn unmovable(&self, name: &[u8], stat: &Stat) -> io::Result<Option<Unwritable>> {
        if stat.kind == Kind::File && stat.mode & 0o222 == 0 {
            return Ok(Some(Unwritable::ReadOnly));
        }
        match self.existing_status(name, DELETE, 0) {
            Err(Status::ACCESS_DENIED) => Ok(Some(Unwritable::NoRight)),
            // Whoever holds it is asked for elsewhere (`in_use.rs`).
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// Whether somebody keeps the file `name` from being written, as Windows does for programs that run and libraries that are loaded. Such a file can be renamed, but neither be removed nor
    /// be in a folder that is renamed.
    pub(crate) fn is_pinned(&self, name: &[u8]) -> io::Result<bool> {
        match self.existing_status(name, FILE_WRITE_DATA, FILE_NON_DIRECTORY_FILE) {
            Err(status) => Ok(status == Status::SHARING_VIOLATION),
            Ok(_) => Ok(false),
        }
    }

    /// Whether somebody keeps the file `name` from being renamed.
    pub(crate) fn is_held(&self, name: &[u8]) -> io::Result<bool> {
        match self.existing_status(name, DELETE, 0) {
            Err(status) => Ok(status == Status::SHARING_VIOLATION),
            Ok(_) => Ok(false),
        }
    }

    fn existing(&self, name: &[u8], access: u32, options: u32) -> io::Result<OwnedHandle> {
        files::open(self.0.as_handle(), &wide(name)?, existing(access, options)).map_err(error)
    }

    fn existing_status(&self, name: &[u8], access: u32, options: u32) -> Result<OwnedHandle, Status> {
        let name = wide(name).map_err(|_| Status::OBJECT_NAME_NOT_FOUND)?;
        files::open(self.0.as_handle(), &name, existing(access, options))
    }

    /// Another handle of this folder, for something else.
    fn reopened(&self, access: u32) -> Result<OwnedHandle, Status> {
        files::open(self.0.as_handle(), &[], existing(access, FILE_DIRECTORY_FILE))
    }
}

fn existing(access: u32, options: u32) -> Opening<'static> {
    Opening { access, disposition: FILE_OPEN, options, attributes: 0, security: None }
}

/// Removes what is open; what is read-only, too, for it went through the trash.
fn remove(opened: &OwnedHandle) -> io::Result<()> {
    let handle = opened.as_handle();
    patiently(|| match files::remove(handle, Removal::AtOnce) {
        Err(status) if is_unknown(status) => files::remove(handle, Removal::WhenClosed),
        done => done,
    })
    .or_else(|refused| {
        let file = File::from(opened.try_clone()?);
        let mut permissions = file.metadata()?.permissions();
        if !permissions.readonly() {
            return Err(refused);
        }
        #[expect(
            clippy::permissions_set_readonly_false,
            reason = "on Windows this is the one attribute, and everybody keeps the rights they have"
        )]
        permissions.set_readonly(false);
        file.set_permissions(permissions.clone())?;
        let removed = files::remove(handle, Removal::WhenClosed).map_err(error);
        // The attribute is the file's, not the name's: an other backup may have it under another name.
        permissions.set_readonly(true);
        let _ = file.set_permissions(permissions);
        removed
    })
}

pub(crate) fn set_file_time(file: &File, seconds: i64, nanoseconds: u32) -> io::Result<()> {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 { SystemTime::UNIX_EPOCH.checked_sub(whole) } else { SystemTime::UNIX_EPOCH.checked_add(whole) };
    let time = time.and_then(|time| time.checked_add(Duration::from_nanos(nanoseconds.into()))).ok_or(io::ErrorKind::InvalidInput)?;
    file.set_times(FileTimes::new().set_modified(time))
}

/// The read-only attribute is all that Windows has of a mode.
pub(crate) fn set_file_mode(file: &File, mode: u32) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    let read_only = mode & 0o222 == 0;
    if permissions.readonly() == read_only {
        return Ok(());
    }
    permissions.set_readonly(read_only);
    file.set_permissions(permissions)
}

pub(crate) fn file_stat(file: &File) -> io::Result<Stat> {
    stat_of(file)
}

/// When the file last changed in any way, in nanoseconds since 1601.
pub(crate) fn changed_at(file: &File) -> io::Result<Option<i128>> {
    Ok(Some(i128::from(files::changed_at(file.as_handle())?) * 100))
}

pub(crate) fn clone_content(_: &File, _: &File) -> io::Result<bool> {
    Ok(false)
}

/// Ends this process at once, as a power cut would.
#[cfg(any(test, feature = "fail-points"))]
pub(crate) fn end_process() -> ! {
    crate::windows_api::processes::end_this_one()
}

/// There is no such thing here.
#[cfg(any(test, feature = "fail-points"))]
pub(crate) fn stop_process() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
