//! Who could change what, on Windows: owner and list (ACL) of what is open, and the folders that we give a list of their own.
//!
//! The number of an owner ([`Stat::owner`]) is that of the first account, beside ours and the administrators', that could change the thing; 0 when there is none.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::{AsHandle as _, BorrowedHandle};
use std::path::Path;

use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_LIST_DIRECTORY, FILE_READ_ATTRIBUTES, READ_CONTROL, WRITE_DAC,
    WRITE_OWNER,
};

use super::super::{Kind, Stat, platform};
use super::descriptor::{self, Grant, Place};
use crate::account::platform::{is_administrator, number_of, ours};
use crate::account::sid::Sid;
use crate::windows_api::security;

/// Whom something that others can change is to be given, and how; users still read it. Accounts by number, because their names are translated.
pub(super) const GIVE: &str = "to the administrators (`icacls PATH /setowner *S-1-5-32-544`, then \
    `icacls PATH /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F *S-1-5-32-545:(OI)(CI)RX`)";
/// The same for a folder with everything in it, which then inherits.
pub(super) const GIVE_ALL: &str = "to the administrators (`icacls PATH /setowner *S-1-5-32-544 /T`, `icacls PATH /reset /T`, then \
    `icacls PATH /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F *S-1-5-32-545:(OI)(CI)RX`)";

/// The number of whoever this process works for: 0 with an administrator's rights.
pub(super) fn account() -> u32 {
    if is_administrator() { 0 } else { number_of(&ours()) }
}

/// Whether this process may change what it finds at `path`: what the profile `service` keeps is for administrators.
pub(super) fn is_ours(_: &Path) -> bool {
    is_administrator()
}

/// The number of whoever could change what is open; see above. What does not say it could be changed by everybody.
pub(in crate::fs) fn owner_of(opened: BorrowedHandle<'_>, place: Place) -> u32 {
    let stranger =
        security::descriptor(opened).map_or_else(|_| Some(Sid::everybody()), |found| descriptor::stranger(&found, place, &ours()));
    stranger.map_or(0, |sid| number_of(&sid))
}

/// What `path` itself is, link or not.
pub(super) fn stat_path(path: &Path) -> io::Result<Stat> {
    platform::file_stat(&open(path, 0)?)
}

/// The same of a folder that only leads to one of ours: others may put things beside that.
pub(super) fn stat_parent(path: &Path) -> io::Result<Stat> {
    let opened = open(path, 0)?;
    let place = if path.parent().is_none() { Place::Top } else { Place::Leads };
    Ok(Stat { owner: owner_of(opened.as_handle(), place), ..platform::file_stat(&opened)? })
}

/// Makes `path` and what leads to it, as far as they are missing; they inherit their lists.
pub(super) fn make_folders(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Makes `path` and what leads to it, as far as they are missing, for administrators alone to change. A folder that is there gets that list when it is empty and belongs to them.
pub(super) fn make_own_folder(path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            make_own_parents(parent)?;
        }
        return make_one(path);
    }
    if std::fs::read_dir(path)?.next().is_some() {
        return Ok(());
    }
    let Ok(opened) = open(path, WRITE_DAC | WRITE_OWNER) else { return Ok(()) };
    let is_folder = platform::file_stat(&opened)?.kind == Kind::Folder;
    let owner = descriptor::owner(&security::descriptor(opened.as_handle())?);
    if is_folder && owner.is_some_and(|owner| owner.is_root() || owner == ours()) {
        security::set_descriptor(opened.as_handle(), &descriptor::of_folder())?;
    }
    Ok(())
}

/// What leads to a folder of ours, where it is missing.
fn make_own_parents(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), make_own_parents)?;
    make_one(path)
}

fn make_one(path: &Path) -> io::Result<()> {
    let name: Vec<u16> = std::path::absolute(path)?.as_os_str().encode_wide().collect();
    match security::make_folder(&name, &descriptor::of_folder()) {
        // Somebody else was faster: whose it is, is looked at.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Owner and list of a file that nobody else may read.
pub(in crate::fs) fn private() -> Vec<u8> {
    let us = (!is_administrator()).then(ours);
    descriptor::protected(us.clone(), us.map(Grant::all).into_iter().collect())
}

/// Opens what lies at `path` to look at it, and not what a link leads to.
fn open(path: &Path, more: u32) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(READ_CONTROL | FILE_READ_ATTRIBUTES | FILE_LIST_DIRECTORY | more)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}
