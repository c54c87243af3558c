//! Processes: who holds a file (Restart Manager), waiting until one ends, ending this one.

use std::ffi::c_void;
use std::io;
use std::mem::transmute;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr::{null, null_mut};
use std::time::Duration;

use windows_sys::Win32::Foundation::{ERROR_MORE_DATA, ERROR_SUCCESS, WIN32_ERROR};
use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW};
use windows_sys::Win32::System::RestartManager::{CCH_RM_SESSION_KEY, RM_PROCESS_INFO, RM_UNIQUE_PROCESS};
use windows_sys::Win32::System::Threading::{OpenProcess, PROCESS_SYNCHRONIZE, WaitForMultipleObjects};

/// A process that has a file open, as the Restart Manager shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opener {
    pub(crate) pid: u32,
    /// The name of its program, for people.
    pub(crate) program: String,
}

/// Longest list of processes that is believed.
const MOST_OPENERS: u32 = 4096;

type StartSession = unsafe extern "system" fn(*mut u32, u32, *mut u16) -> WIN32_ERROR;
type RegisterResources =
    unsafe extern "system" fn(u32, u32, *const *const u16, u32, *const RM_UNIQUE_PROCESS, u32, *const *const u16) -> WIN32_ERROR;
type GetList = unsafe extern "system" fn(u32, *mut u32, *mut u32, *mut RM_PROCESS_INFO, *mut u32) -> WIN32_ERROR;
type EndSession = unsafe extern "system" fn(u32) -> WIN32_ERROR;

/// The functions of `rstrtmgr.dll`. It is loaded when it is first needed, and from the system's folder alone: an import would be looked for beside our own program first (attack F5).
struct RestartManager {
    start: StartSession,
    register: RegisterResources,
    list: GetList,
    end: EndSession,
}

impl RestartManager {
    fn load() -> io::Result<RestartManager> {
        let name: Vec<u16> = "rstrtmgr.dll\0".encode_utf16().collect();
        // SAFETY: the name ends in a zero.
        let library = unsafe { LoadLibraryExW(name.as_ptr(), null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32) };
        if library.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the name ends in a zero, and the library is never unloaded.
        let find = |name: &'static [u8]| unsafe { GetProcAddress(library, name.as_ptr()) }.ok_or_else(io::Error::last_os_error);
        let (start, register) = (find(b"RmStartSession\0")?, find(b"RmRegisterResources\0")?);
        let (list, end) = (find(b"RmGetList\0")?, find(b"RmEndSession\0")?);
        // SAFETY: these are the documented signatures of the functions of these names.
        Ok(unsafe {
            RestartManager {
                start: transmute::<unsafe extern "system" fn() -> isize, StartSession>(start),
                register: transmute::<unsafe extern "system" fn() -> isize, RegisterResources>(register),
                list: transmute::<unsafe extern "system" fn() -> isize, GetList>(list),
                end: transmute::<unsafe extern "system" fn() -> isize, EndSession>(end),
            }
        })
    }
}

/// The processes that have the file at the absolute path `path` open, as far as the Restart Manager tells.
pub(crate) fn openers(path: &[u16]) -> io::Result<Vec<Opener>> {
    let manager = RestartManager::load()?;
    let path: Vec<u16> = path.iter().copied().take_while(|unit| *unit != 0).chain([0]).collect();
    let (mut session, mut key) = (0, [0_u16; CCH_RM_SESSION_KEY as usize + 1]);
    // SAFETY: it writes one number and a key of the documented length, to locals.
    checked(unsafe { (manager.start)(&raw mut session, 0, key.as_mut_ptr()) })?;
    let files = [path.as_ptr()];
    // SAFETY: one path, which ends in a zero and lives until the call returns; no process and no service.
    let registered = checked(unsafe { (manager.register)(session, 1, files.as_ptr(), 0, null(), 0, null()) });
    let found = registered.and_then(|()| list(&manager, session));
    // SAFETY: the session was started and is ended once.
    unsafe { (manager.end)(session) };
    found
}

fn list(manager: &RestartManager, session: u32) -> io::Result<Vec<Opener>> {
    let mut found: Vec<RM_PROCESS_INFO> = vec![];
    loop {
        let (mut needed, mut count, mut reasons) = (0, found.len() as u32, 0);
        // SAFETY: `count` is the length of the list, which it writes at most so far; the other pointers are to locals.
        let error = unsafe { (manager.list)(session, &raw mut needed, &raw mut count, found.as_mut_ptr(), &raw mut reasons) };
        if error == ERROR_MORE_DATA && needed <= MOST_OPENERS {
            // Some more than there were a moment ago.
            found.resize(needed as usize + 8, RM_PROCESS_INFO::default());
            continue;
        }
        checked(error)?;
        found.truncate(count as usize);
        let name = |units: &[u16]| String::from_utf16_lossy(units.split(|unit| *unit == 0).next().unwrap_or_default());
        return Ok(found.iter().map(|one| Opener { pid: one.Process.dwProcessId, program: name(&one.strAppName) }).collect());
    }
}

fn checked(error: WIN32_ERROR) -> io::Result<()> {
    if error == ERROR_SUCCESS { Ok(()) } else { Err(io::Error::from_raw_os_error(error.cast_signed())) }
}

/// Returns when one of the processes has ended, or after `longest`; `false` when they cannot be waited for.
pub(crate) fn one_ends(pids: &[u32], longest: Duration) -> bool {
    /// As many as one call takes (`MAXIMUM_WAIT_OBJECTS`).
    const MOST: usize = 64;
    let mut processes = vec![];
    for pid in pids.iter().take(MOST) {
        // SAFETY: it takes numbers and gives a handle or null.
        let handle = unsafe { OpenProcess(PROCESS_SYNCHRONIZE, 0, *pid) };
        if handle.is_null() {
            return false;
        }
        // SAFETY: the call succeeded, so this is an open handle that nobody else has.
        processes.push(unsafe { OwnedHandle::from_raw_handle(handle) });
    }
    let handles: Vec<*mut c_void> = processes.iter().map(|process| process.as_raw_handle()).collect();
    let longest = u32::try_from(longest.as_millis()).unwrap_or(u32::MAX - 1);
    // SAFETY: the list has as many handles as is said, all open until `processes` is dropped.
    !handles.is_empty() && unsafe { WaitForMultipleObjects(handles.len() as u32, handles.as_ptr(), 0, longest) } != u32::MAX
}

/// Ends this process at once, as a power cut would: nothing is run or written any more.
#[cfg(any(test, feature = "fail-points"))]
pub(crate) fn end_this_one() -> ! {
    use windows_sys::Win32::System::Threading::{GetCurrentProcess, TerminateProcess};
    /// What a shell on Unix says of a killed process.
    const KILLED: u32 = 137;
    // SAFETY: it takes a handle that is always good, and a number.
    unsafe { TerminateProcess(GetCurrentProcess(), KILLED) };
    std::process::abort()
}
