//! Files and folders by handle: names are single components relative to an open folder, as `openat` and `renameat` have them on Unix.

use std::io;
use std::mem::{offset_of, size_of};
use std::os::windows::io::{AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle};
use std::ptr::{addr_of_mut, copy_nonoverlapping, null, null_mut};

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem as nt;
use windows_sys::Wdk::System::SystemServices::FILE_FS_FULL_SIZE_INFORMATION;
use windows_sys::Win32::Foundation::{NTSTATUS, OBJ_CASE_INSENSITIVE, RtlNtStatusToDosError, UNICODE_STRING};
use windows_sys::Win32::Storage::FileSystem as win32;
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

/// Why the system refused, in its own words: finer than the error numbers of Win32, which fold most of these into "access denied".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(NTSTATUS);

impl Status {
    pub(crate) const NO_MORE_FILES: Status = Status::of(0x8000_0006);
    pub(crate) const NOT_IMPLEMENTED: Status = Status::of(0xC000_0002);
    pub(crate) const INVALID_INFO_CLASS: Status = Status::of(0xC000_0003);
    pub(crate) const INVALID_PARAMETER: Status = Status::of(0xC000_000D);
    pub(crate) const NO_SUCH_FILE: Status = Status::of(0xC000_000F);
    pub(crate) const INVALID_DEVICE_REQUEST: Status = Status::of(0xC000_0010);
    pub(crate) const ACCESS_DENIED: Status = Status::of(0xC000_0022);
    pub(crate) const OBJECT_NAME_NOT_FOUND: Status = Status::of(0xC000_0034);
    pub(crate) const OBJECT_NAME_COLLISION: Status = Status::of(0xC000_0035);
    pub(crate) const SHARING_VIOLATION: Status = Status::of(0xC000_0043);
    pub(crate) const FILE_LOCK_CONFLICT: Status = Status::of(0xC000_0054);
    pub(crate) const DELETE_PENDING: Status = Status::of(0xC000_0056);
    pub(crate) const MEDIA_WRITE_PROTECTED: Status = Status::of(0xC000_00A2);
    pub(crate) const NOT_SUPPORTED: Status = Status::of(0xC000_00BB);
    pub(crate) const CANNOT_DELETE: Status = Status::of(0xC000_0121);
    pub(crate) const USER_MAPPED_FILE: Status = Status::of(0xC000_0243);
    pub(crate) const TOO_MANY_LINKS: Status = Status::of(0xC000_0265);

    const fn of(number: u32) -> Status {
        Status(number as NTSTATUS)
    }

    /// An error of a failed call; `Ok` for success and for what is only information.
    fn check(status: NTSTATUS) -> Result<(), Status> {
        // Warnings, such as the end of a list, are negative, too.
        if status >= 0 { Ok(()) } else { Err(Status(status)) }
    }
}

impl From<Status> for io::Error {
    fn from(Status(status): Status) -> io::Error {
        // SAFETY: it takes a number and gives a number.
        let number = unsafe { RtlNtStatusToDosError(status) };
        io::Error::from_raw_os_error(i32::try_from(number).unwrap_or(i32::MAX))
    }
}

/// How something is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening<'a> {
    /// What will be done with it: `FILE_READ_DATA` and the like.
    pub(crate) access: u32,
    /// `FILE_OPEN`, `FILE_CREATE` or `FILE_OPEN_IF`.
    pub(crate) disposition: u32,
    /// `FILE_DIRECTORY_FILE`, `FILE_NON_DIRECTORY_FILE` or neither.
    pub(crate) options: u32,
    /// Attributes of a new file.
    pub(crate) attributes: u32,
    /// Owner and list of a new file, a whole descriptor; without one they are those that its folder hands down.
    pub(crate) security: Option<&'a [u8]>,
}

/// Opens or makes `name` in `folder`; an empty name is the folder itself. A reparse point is opened itself, never what it leads to. Others may do what they want with it meanwhile.
pub(crate) fn open(folder: BorrowedHandle<'_>, name: &[u16], opening: Opening<'_>) -> Result<OwnedHandle, Status> {
    let bytes = u16::try_from(size_of_val(name)).map_err(|_| Status::INVALID_PARAMETER)?;
    let name = UNICODE_STRING { Length: bytes, MaximumLength: bytes, Buffer: name.as_ptr().cast_mut() };
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: folder.as_raw_handle(),
        ObjectName: &raw const name,
        Attributes: OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: opening.security.map_or(null(), |descriptor| descriptor.as_ptr().cast()),
        SecurityQualityOfService: null(),
    };
    let share = win32::FILE_SHARE_READ | win32::FILE_SHARE_WRITE | win32::FILE_SHARE_DELETE;
    let options = opening.options | nt::FILE_SYNCHRONOUS_IO_NONALERT | nt::FILE_OPEN_REPARSE_POINT | nt::FILE_OPEN_FOR_BACKUP_INTENT;
    let (mut handle, mut block) = (null_mut(), IO_STATUS_BLOCK::default());
    // SAFETY: every pointer is to a local that lives until the call returns, `Buffer` is only read, and the handle of the folder is borrowed for as long.
    let status = unsafe {
        nt::NtCreateFile(
            &raw mut handle,
            opening.access | win32::SYNCHRONIZE,
            &raw const attributes,
            &raw mut block,
            null(),
            opening.attributes,
            share,
            opening.disposition,
            options,
            null(),
            0,
        )
    };
    Status::check(status)?;
    // SAFETY: the call succeeded, so this is an open handle that nobody else has.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// What gives an open file another name, or one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// Its name goes; nothing may have the new one.
    Move,
    /// Its name goes; a file that has the new one goes, too.
    Replace,
    /// The same as a POSIX `rename`: also when somebody has the replaced file open. Windows 10 1709 and newer, on NTFS.
    ReplaceInUse,
    /// It has both names; nothing may have the new one.
    Link,
}

/// Gives the open `file` the name `name` in `folder`.
pub(crate) fn set_name(file: BorrowedHandle<'_>, folder: BorrowedHandle<'_>, name: &[u16], naming: Naming) -> Result<(), Status> {
    // `FILE_LINK_INFORMATION` has the same layout; without flags, the first byte says whether to replace.
    let (class, flags) = match naming {
        Naming::Move => (nt::FileRenameInformation, 0),
        Naming::Replace => (nt::FileRenameInformation, nt::FILE_RENAME_REPLACE_IF_EXISTS),
        Naming::ReplaceInUse => (nt::FileRenameInformationEx, nt::FILE_RENAME_REPLACE_IF_EXISTS | nt::FILE_RENAME_POSIX_SEMANTICS),
        Naming::Link => (nt::FileLinkInformation, 0),
    };
    // Whatever the name: less than the whole structure, which ends after one letter and what aligns it, is refused.
    let bytes = (offset_of!(nt::FILE_RENAME_INFORMATION, FileName) + size_of_val(name)).max(size_of::<nt::FILE_RENAME_INFORMATION>());
    let mut buffer = vec![0_u64; bytes.div_ceil(size_of::<u64>())];
    let information = buffer.as_mut_ptr().cast::<nt::FILE_RENAME_INFORMATION>();
    let length = u32::try_from(bytes).map_err(|_| Status::INVALID_PARAMETER)?;
    // SAFETY: the buffer is aligned to 8 bytes, zeroed, and long enough for the structure and for the whole name after its fixed part.
    unsafe {
        (*information).Anonymous.Flags = flags;
        (*information).RootDirectory = folder.as_raw_handle();
        (*information).FileNameLength = size_of_val(name) as u32;
        copy_nonoverlapping(name.as_ptr(), addr_of_mut!((*information).FileName).cast::<u16>(), name.len());
    }
    set(file, buffer.as_ptr().cast(), length, class)
}

/// How a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removal {
    /// Its name goes at once, also when it is read-only or somebody has it open. Windows 10 1809 and newer, on NTFS.
    AtOnce,
    /// It goes when the last handle of it is closed.
    WhenClosed,
}

/// Removes the open file or empty folder.
pub(crate) fn remove(file: BorrowedHandle<'_>, removal: Removal) -> Result<(), Status> {
    match removal {
        Removal::AtOnce => {
            let flags = nt::FILE_DISPOSITION_DELETE | nt::FILE_DISPOSITION_POSIX_SEMANTICS | nt::FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE;
            let information = nt::FILE_DISPOSITION_INFORMATION_EX { Flags: flags };
            set(file, (&raw const information).cast(), size_of_val(&information) as u32, nt::FileDispositionInformationEx)
        }
        Removal::WhenClosed => {
            let information = nt::FILE_DISPOSITION_INFORMATION { DeleteFile: true };
            set(file, (&raw const information).cast(), size_of_val(&information) as u32, nt::FileDispositionInformation)
        }
    }
}

/// `information` is to a structure of `length` bytes that `class` names.
fn set(
    file: BorrowedHandle<'_>,
    information: *const core::ffi::c_void,
    length: u32,
    class: nt::FILE_INFORMATION_CLASS,
) -> Result<(), Status> {
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: both callers pass a pointer to a local of at least `length` bytes, which is only read.
    Status::check(unsafe { nt::NtSetInformationFile(file.as_raw_handle(), &raw mut block, information, length, class) })
}

/// The names in an open folder, without `.` and `..`.
pub(crate) fn names(folder: BorrowedHandle<'_>) -> Result<Vec<Vec<u16>>, Status> {
    /// Bytes of one answer.
    const ANSWER_BYTES: usize = 64 * 1024;
    let mut buffer = vec![0_u64; ANSWER_BYTES / size_of::<u64>()];
    let (mut names, mut from_start) = (vec![], true);
    loop {
        let mut block = IO_STATUS_BLOCK::default();
        // SAFETY: the buffer is `ANSWER_BYTES` long, aligned to 8 bytes, and written only until the call returns: the handle is synchronous.
        let status = unsafe {
            nt::NtQueryDirectoryFile(
                folder.as_raw_handle(),
                null_mut(),
                None,
                null(),
                &raw mut block,
                buffer.as_mut_ptr().cast(),
                ANSWER_BYTES as u32,
                nt::FileNamesInformation,
                false,
                null(),
                from_start,
            )
        };
        match Status::check(status) {
            Ok(()) => {}
            Err(Status::NO_MORE_FILES) => return Ok(names),
            // An empty folder at the top of a volume.
            Err(Status::NO_SUCH_FILE) if from_start => return Ok(names),
            Err(error) => return Err(error),
        }
        from_start = false;
        let answer: Vec<u8> = buffer.iter().flat_map(|word| word.to_ne_bytes()).collect();
        read_names(answer.get(..block.Information).unwrap_or_default(), &mut names);
    }
}

/// Adds the names in a list of `FILE_NAMES_INFORMATION`; what is cut off is left out.
fn read_names(answer: &[u8], names: &mut Vec<Vec<u16>>) {
    const LENGTH: usize = offset_of!(nt::FILE_NAMES_INFORMATION, FileNameLength);
    const NAME: usize = offset_of!(nt::FILE_NAMES_INFORMATION, FileName);
    let number = |at: usize| answer.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes);
    let mut at = 0;
    while let (Some(next), Some(length)) = (number(at), number(at + LENGTH)) {
        let Some(name) = answer.get(at + NAME..at + NAME + length as usize) else { return };
        let name: Vec<u16> = name.chunks_exact(2).map(|unit| u16::from_ne_bytes([unit[0], unit[1]])).collect();
        if !matches!(name.as_slice(), [0x2E] | [0x2E, 0x2E]) {
            names.push(name);
        }
        match next {
            0 => return,
            next => at += next as usize,
        }
    }
}

/// What the system says of an open file or folder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Information {
    /// `FILE_ATTRIBUTE_…`.
    pub(crate) attributes: u32,
    /// Bytes of content.
    pub(crate) size: u64,
    /// When it was last written, in 100 ns since 1601.
    pub(crate) written: u64,
    /// How many names it has.
    pub(crate) links: u32,
    /// Which volume it is on.
    pub(crate) volume: u32,
    /// Which file of that it is.
    pub(crate) index: u64,
}

/// Asks what an open file or folder is.
pub(crate) fn information(file: BorrowedHandle<'_>) -> io::Result<Information> {
    let mut found = win32::BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: it writes one structure, to a local.
    if unsafe { win32::GetFileInformationByHandle(file.as_raw_handle(), &raw mut found) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let joined = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
    Ok(Information {
        attributes: found.dwFileAttributes,
        size: joined(found.nFileSizeHigh, found.nFileSizeLow),
        written: joined(found.ftLastWriteTime.dwHighDateTime, found.ftLastWriteTime.dwLowDateTime),
        links: found.nNumberOfLinks,
        volume: found.dwVolumeSerialNumber,
        index: joined(found.nFileIndexHigh, found.nFileIndexLow),
    })
}

/// When content, attributes or names of an open file last changed, in 100 ns since 1601.
pub(crate) fn changed_at(file: BorrowedHandle<'_>) -> io::Result<i64> {
    let mut found = win32::FILE_BASIC_INFO::default();
    information_of(file, win32::FileBasicInfo, (&raw mut found).cast(), size_of_val(&found))?;
    Ok(found.ChangeTime)
}

/// The tag of an open reparse point: what kind it is.
pub(crate) fn reparse_tag(file: BorrowedHandle<'_>) -> io::Result<u32> {
    let mut found = win32::FILE_ATTRIBUTE_TAG_INFO::default();
    information_of(file, win32::FileAttributeTagInfo, (&raw mut found).cast(), size_of_val(&found))?;
    Ok(found.ReparseTag)
}

/// `to` is a structure of `length` bytes that `class` names.
fn information_of(
    file: BorrowedHandle<'_>,
    class: win32::FILE_INFO_BY_HANDLE_CLASS,
    to: *mut core::ffi::c_void,
    length: usize,
) -> io::Result<()> {
    // SAFETY: both callers pass a pointer to a local of `length` bytes.
    match unsafe { win32::GetFileInformationByHandleEx(file.as_raw_handle(), class, to, length as u32) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Bytes that the user may still write on the volume of an open folder, and bytes in all.
pub(crate) fn space(folder: BorrowedHandle<'_>) -> Result<(u64, u64), Status> {
    let (mut found, mut block) = (FILE_FS_FULL_SIZE_INFORMATION::default(), IO_STATUS_BLOCK::default());
    // SAFETY: it writes one structure, to a local whose length it is told.
    Status::check(unsafe {
        nt::NtQueryVolumeInformationFile(
            folder.as_raw_handle(),
            &raw mut block,
            (&raw mut found).cast(),
            size_of_val(&found) as u32,
            nt::FileFsFullSizeInformation,
        )
    })?;
    let unit = u64::from(found.SectorsPerAllocationUnit) * u64::from(found.BytesPerSector);
    let bytes = |units: i64| u64::try_from(units).unwrap_or(0).saturating_mul(unit);
    Ok((bytes(found.CallerAvailableAllocationUnits), bytes(found.TotalAllocationUnits)))
}

/// Whether the volume of an open folder is read-only.
pub(crate) fn is_read_only_volume(folder: BorrowedHandle<'_>) -> io::Result<bool> {
    const READ_ONLY_VOLUME: u32 = 0x0008_0000;
    let mut flags = 0;
    // SAFETY: it writes one number, to a local; what it is told to leave out, it does not write.
    let found = unsafe {
        win32::GetVolumeInformationByHandleW(folder.as_raw_handle(), null_mut(), 0, null_mut(), null_mut(), &raw mut flags, null_mut(), 0)
    };
    if found == 0 { Err(io::Error::last_os_error()) } else { Ok(flags & READ_ONLY_VOLUME != 0) }
}

/// Makes what was written to an open file or folder durable; the handle has to allow writing.
pub(crate) fn flush(file: BorrowedHandle<'_>) -> Result<(), Status> {
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: it writes one structure, to a local.
    Status::check(unsafe { nt::NtFlushBuffersFile(file.as_raw_handle(), &raw mut block) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_names_is_read_to_its_end_and_no_further() {
        let mut answer = vec![];
        for (next, name) in [(16_u32, "."), (20, "ab"), (0, "c")] {
            let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_ne_bytes).collect();
            let mut entry = [next.to_ne_bytes(), 0_u32.to_ne_bytes(), (units.len() as u32).to_ne_bytes()].concat();
            entry.extend(units);
            entry.resize(if next == 0 { entry.len() } else { next as usize }, 0xFF);
            answer.extend(entry);
        }
        let mut names = vec![];
        read_names(&answer, &mut names);
        assert_eq!(names, [vec![0x61, 0x62], vec![0x63]]);
        for cut in 0..answer.len() {
            read_names(&answer[..cut], &mut vec![]);
        }
    }
}
