//! Folders that Windows itself knows. Environment variables, which whoever starts a program sets, have no say.

use std::io;
use std::os::windows::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::ptr::null_mut;

use windows_sys::Win32::System::Com::CoTaskMemFree;
use windows_sys::Win32::UI::Shell::{FOLDERID_ProgramData, SHGetKnownFolderPath};

/// The folder for what programs keep for all accounts (`C:\ProgramData`).
pub(crate) fn program_data() -> io::Result<PathBuf> {
    let mut path = null_mut();
    // SAFETY: it reads a constant and writes one pointer, to a local.
    let result = unsafe { SHGetKnownFolderPath(&FOLDERID_ProgramData, 0, null_mut(), &raw mut path) };
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
