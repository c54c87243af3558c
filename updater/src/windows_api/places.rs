//! Folders that Windows itself knows. Environment variables, which whoever starts a program sets, have no say.

use std::io;
use std::os::windows::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::ptr::null_mut;

use windows_sys::Win32::System::Com::CoTaskMemFree;
use windows_sys::Win32::UI::Shell::{
    FOLDERID_CommonPrograms, FOLDERID_Desktop, FOLDERID_ProgramData, FOLDERID_Programs, FOLDERID_PublicDesktop, SHGetKnownFolderPath,
};

/// One of these folders.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known {
    /// What programs keep for all accounts (`C:\ProgramData`).
    ProgramData,
    /// The programs in the start menu of this account.
    Programs,
    /// Those in that of all accounts.
    CommonPrograms,
    /// The desktop of this account.
    Desktop,
    /// What is on the desktop of all accounts.
    PublicDesktop,
}

/// Where `folder` is.
pub(crate) fn known(folder: Known) -> io::Result<PathBuf> {
    let id = match folder {
        Known::ProgramData => &FOLDERID_ProgramData,
        Known::Programs => &FOLDERID_Programs,
        Known::CommonPrograms => &FOLDERID_CommonPrograms,
        Known::Desktop => &FOLDERID_Desktop,
        Known::PublicDesktop => &FOLDERID_PublicDesktop,
    };
    let mut path = null_mut();
    // SAFETY: it reads a constant and writes one pointer, to a local.
    let result = unsafe { SHGetKnownFolderPath(id, 0, null_mut(), &raw mut path) };
    let found = if result == 0 && !path.is_null() {
        // SAFETY: after success it is a text that ends in a zero, which is looked for before anything behind it is read.
        let units = unsafe { std::slice::from_raw_parts(path, (0..).take_while(|&at| *path.add(at) != 0).count()) };
        Ok(std::ffi::OsString::from_wide(units).into())
    } else {
        Err(io::Error::from_raw_os_error(result))
    };
    // SAFETY: the caller frees the text, also when the call failed; null is allowed, and it is not used any more.
    unsafe { CoTaskMemFree(path.cast()) };
    found
}
