//! Who owns what, who may do what with it, and whose rights this process has.

use std::io;
use std::os::windows::io::{AsRawHandle as _, BorrowedHandle};
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, HANDLE};
use windows_sys::Win32::Security::{
    CheckTokenMembership, DACL_SECURITY_INFORMATION, GetKernelObjectSecurity, GetTokenInformation, LookupAccountSidW,
    OWNER_SECURITY_INFORMATION, PROTECTED_DACL_SECURITY_INFORMATION, SECURITY_ATTRIBUTES, SetKernelObjectSecurity, TOKEN_INFORMATION_CLASS,
    TOKEN_USER, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::CreateDirectoryW;

/// `GetCurrentProcessToken()`: a token that is open to be asked for as long as the process lives.
const THIS_PROCESS: HANDLE = -4_isize as HANDLE;

/// Owner and list of an open file, folder or pipe.
pub(crate) fn descriptor(of: BorrowedHandle<'_>) -> io::Result<Vec<u8>> {
    let asked = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    answer(|to, length, needed| {
        // SAFETY: it writes at most `length` bytes to the buffer, and one number; the handle is borrowed for as long.
        unsafe { GetKernelObjectSecurity(of.as_raw_handle(), asked, to.cast(), length, needed) }
    })
}

/// Gives an open folder the owner and list of `descriptor`, which is whole.
pub(crate) fn set_descriptor(of: BorrowedHandle<'_>, descriptor: &[u8]) -> io::Result<()> {
    let set = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
    // SAFETY: the descriptor is only read, and made by `fs/owners/descriptor.rs`: its parts lie in it.
    checked(unsafe { SetKernelObjectSecurity(of.as_raw_handle(), set, descriptor.as_ptr().cast_mut().cast()) })
}

/// Makes the folder `path` with the owner and list of `descriptor`, which is whole.
pub(crate) fn make_folder(path: &[u16], descriptor: &[u8]) -> io::Result<()> {
    let path: Vec<u16> = path.iter().copied().take_while(|unit| *unit != 0).chain([0]).collect();
    let attributes = attributes(descriptor);
    // SAFETY: the path ends in a zero; it and the descriptor are only read and live until the call returns.
    checked(unsafe { CreateDirectoryW(path.as_ptr(), &raw const attributes) })
}

/// What a call that makes something takes: a view of `descriptor`, which must live as long.
pub(super) fn attributes(descriptor: &[u8]) -> SECURITY_ATTRIBUTES {
    SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor.as_ptr().cast_mut().cast(),
        bInheritHandle: 0,
    }
}

/// The account of this process.
pub(crate) fn account() -> io::Result<Vec<u8>> {
    user(THIS_PROCESS)
}

/// The account of an open token.
pub(super) fn user(token: HANDLE) -> io::Result<Vec<u8>> {
    let answer = information(token, TokenUser)?;
    // SAFETY: the answer is a `TOKEN_USER`, whose account lies behind it in the same buffer.
    Ok(unsafe { sid_at((*answer.as_ptr().cast::<TOKEN_USER>()).User.Sid.cast()) })
}

/// Copies the account at `at`.
///
/// # Safety
/// There is a valid account at `at`.
pub(super) unsafe fn sid_at(at: *const u8) -> Vec<u8> {
    // SAFETY: the second byte of an account says how many parts of four bytes follow the eight of its head.
    unsafe { std::slice::from_raw_parts(at, 8 + 4 * usize::from(*at.add(1))) }.to_vec()
}

/// What the system says of an open token; aligned to 8 bytes.
pub(super) fn information(token: HANDLE, class: TOKEN_INFORMATION_CLASS) -> io::Result<Vec<u64>> {
    let mut buffer: Vec<u64> = vec![];
    loop {
        let (length, mut needed) = ((buffer.len() * size_of::<u64>()) as u32, 0);
        // SAFETY: it writes at most `length` bytes to the buffer, and one number.
        let done = unsafe { GetTokenInformation(token, class, buffer.as_mut_ptr().cast(), length, &raw mut needed) };
        match checked(done) {
            Ok(()) => return Ok(buffer),
            Err(error) if is_too_small(&error) && needed > length => buffer.resize((needed as usize).div_ceil(size_of::<u64>()), 0),
            Err(error) => return Err(error),
        }
    }
}

/// Whether the account or group `sid` is one of this process's, and is not only there to deny.
pub(crate) fn has(sid: &[u8]) -> io::Result<bool> {
    is_member(null_mut(), sid)
}

/// The same of an open token that stands for somebody else; of this process's without one.
pub(super) fn is_member(token: HANDLE, sid: &[u8]) -> io::Result<bool> {
    let mut is_member = 0;
    // SAFETY: the account is whole and only read; it writes one number, to a local.
    checked(unsafe { CheckTokenMembership(token, sid.as_ptr().cast_mut().cast(), &raw mut is_member) })?;
    Ok(is_member != 0)
}

/// Domain and name of the account `sid`, which is whole.
pub(crate) fn name(sid: &[u8]) -> io::Result<(String, String)> {
    /// Longest name of an account or domain, with a zero.
    const MOST: usize = 512;
    let (mut name, mut domain) = ([0_u16; MOST], [0_u16; MOST]);
    let (mut name_length, mut domain_length, mut kind) = (MOST as u32, MOST as u32, 0);
    // SAFETY: it reads the account and writes at most as much as the lengths say, and numbers to locals.
    checked(unsafe {
        LookupAccountSidW(
            std::ptr::null(),
            sid.as_ptr().cast_mut().cast(),
            name.as_mut_ptr(),
            &raw mut name_length,
            domain.as_mut_ptr(),
            &raw mut domain_length,
            &raw mut kind,
        )
    })?;
    let text = |units: &[u16]| String::from_utf16_lossy(units.split(|unit| *unit == 0).next().unwrap_or_default());
    Ok((text(&domain), text(&name)))
}

/// Asks with a buffer that grows until the answer fits.
fn answer(ask: impl Fn(*mut u8, u32, *mut u32) -> i32) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0_u8; 512];
    loop {
        let mut needed = 0;
        match checked(ask(buffer.as_mut_ptr(), buffer.len() as u32, &raw mut needed)) {
            Ok(()) => return Ok(buffer),
            Err(error) if is_too_small(&error) && needed as usize > buffer.len() => buffer.resize(needed as usize, 0),
            Err(error) => return Err(error),
        }
    }
}

fn is_too_small(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_INSUFFICIENT_BUFFER.cast_signed())
}

pub(super) fn checked(done: i32) -> io::Result<()> {
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
