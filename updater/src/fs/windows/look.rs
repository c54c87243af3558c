//! What something that is open is, in the words of [`Stat`].

use std::fs::File;
use std::io;
use std::os::windows::io::{AsHandle, OwnedHandle};

use windows_sys::Win32::Storage::FileSystem::{FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_READONLY, FILE_ATTRIBUTE_REPARSE_POINT};

use super::super::fault;
use super::super::owners::descriptor::Place;
use super::super::owners::platform::owner_of;
use super::super::{Kind, Stat};
use crate::windows_api::files::{self, Information};

/// Seconds from 1601, where Windows counts from, to 1970.
const EPOCH_SECONDS: i128 = 11_644_473_600;
/// The bit of a reparse tag that says that the thing stands for another: symbolic links, junctions and mount points have it; files in a cloud, and compressed ones, have not.
const NAME_SURROGATE: u32 = 0x2000_0000;

/// The open file; anything but a regular file is an error.
pub(super) fn regular(opened: OwnedHandle) -> io::Result<File> {
    match kind_of(&opened, &files::information(opened.as_handle())?)? {
        Kind::File => Ok(File::from(opened)),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
    }
}

/// What kind of thing is open.
pub(super) fn kind_of(opened: &impl AsHandle, found: &Information) -> io::Result<Kind> {
    Ok(if found.attributes & FILE_ATTRIBUTE_REPARSE_POINT != 0 {
        match files::reparse_tag(opened.as_handle())? & NAME_SURROGATE {
            // Not ours to read: what it holds comes from elsewhere when a filter of the system is asked.
            0 => Kind::Other,
            _ => Kind::Link,
        }
    } else if found.attributes & FILE_ATTRIBUTE_DIRECTORY != 0 {
        Kind::Folder
    } else {
        Kind::File
    })
}

/// Everything that is asked about what is open.
pub(super) fn stat_of(opened: &impl AsHandle) -> io::Result<Stat> {
    let found = files::information(opened.as_handle())?;
    let kind = kind_of(opened, &found)?;
    // In units of 100 ns.
    let kept = fault::kept_time((i128::from(found.written) - EPOCH_SECONDS * 10_000_000) * 100);
    Ok(Stat {
        kind,
        size: found.size,
        seconds: i64::try_from(kept.div_euclid(1_000_000_000)).unwrap_or(0),
        nanoseconds: u32::try_from(kept.rem_euclid(1_000_000_000)).unwrap_or(0),
        mode: match kind {
            Kind::Folder => 0o755,
            _ if found.attributes & FILE_ATTRIBUTE_READONLY != 0 => 0o444,
            _ => 0o644,
        },
        links: found.links.into(),
        owner: owner_of(opened.as_handle(), Place::Ours),
        device: found.volume.into(),
        inode: found.index,
    })
}
