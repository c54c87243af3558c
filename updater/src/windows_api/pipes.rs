//! Named pipes: made, connected, read and written within a time, and who is at the other end.

use std::io;
use std::os::windows::io::{AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle};
use std::ptr::{null, null_mut};
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_BROKEN_PIPE, ERROR_IO_PENDING, ERROR_NO_DATA, ERROR_OPERATION_ABORTED, ERROR_PIPE_CONNECTED, INVALID_HANDLE_VALUE, WAIT_OBJECT_0,
};
use windows_sys::Win32::Security::{RevertToSelf, SID_AND_ATTRIBUTES, TOKEN_GROUPS, TOKEN_QUERY, TokenGroups};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, FILE_TYPE_PIPE, GetFileType, PIPE_ACCESS_DUPLEX, ReadFile, WriteFile,
};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, ImpersonateNamedPipeClient, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE,
    PIPE_UNLIMITED_INSTANCES, PIPE_WAIT,
};
use windows_sys::Win32::System::Threading::{CreateEventW, GetCurrentThread, INFINITE, OpenThreadToken, WaitForSingleObject};

use super::security;

/// Bytes that wait in each direction before who writes has to wait.
const BUFFER_BYTES: u32 = 64 * 1024;

/// Makes an end of the pipe `name` for somebody of this computer to connect to. With `is_first`, nobody else may have made the name.
pub(crate) fn create(name: &[u16], descriptor: &[u8], is_first: bool) -> io::Result<OwnedHandle> {
    let name: Vec<u16> = name.iter().copied().take_while(|unit| *unit != 0).chain([0]).collect();
    let attributes = security::attributes(descriptor);
    let first = if is_first { FILE_FLAG_FIRST_PIPE_INSTANCE } else { 0 };
    let mode = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;
    // SAFETY: the name ends in a zero; it and the descriptor, which is whole, are only read and live until the call returns.
    let handle = unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | first,
            mode,
            PIPE_UNLIMITED_INSTANCES,
            BUFFER_BYTES,
            BUFFER_BYTES,
            0,
            &raw const attributes,
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so this is an open handle that nobody else has.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Whether what is open is a pipe.
pub(crate) fn is_pipe(opened: BorrowedHandle<'_>) -> bool {
    // SAFETY: it takes a handle and gives a number.
    unsafe { GetFileType(opened.as_raw_handle()) == FILE_TYPE_PIPE }
}

/// Waits until somebody has connected to `pipe`; who has gone again meanwhile counts.
pub(crate) fn wait_for_client(pipe: BorrowedHandle<'_>) -> io::Result<()> {
    // SAFETY: `finish` keeps the structure until the call is over.
    match finish(pipe, None, |overlapped| unsafe { ConnectNamedPipe(pipe.as_raw_handle(), overlapped) }) {
        Err(error) if is(&error, ERROR_PIPE_CONNECTED) || is(&error, ERROR_NO_DATA) => Ok(()),
        done => done.map(drop),
    }
}

/// Reads what there is, at least one byte; none when the other end is closed.
pub(crate) fn read(pipe: BorrowedHandle<'_>, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
    let length = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
    let to = buffer.as_mut_ptr();
    // SAFETY: `finish` keeps the structure until the call is over, and the buffer is ours for as long.
    match finish(pipe, Some(limit), |overlapped| unsafe { ReadFile(pipe.as_raw_handle(), to, length, null_mut(), overlapped) }) {
        Err(error) if is(&error, ERROR_BROKEN_PIPE) => Ok(0),
        done => done,
    }
}

/// Writes `bytes`, or as many as are taken at once.
pub(crate) fn write(pipe: BorrowedHandle<'_>, bytes: &[u8], limit: Duration) -> io::Result<usize> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).min(BUFFER_BYTES);
    // SAFETY: `finish` keeps the structure until the call is over, and the bytes are borrowed for as long.
    finish(pipe, Some(limit), |overlapped| unsafe { WriteFile(pipe.as_raw_handle(), bytes.as_ptr(), length, null_mut(), overlapped) })
}

/// Begins a call and waits for its end, at most for `limit`; returns the bytes that it moved. Whatever happens, it is over when this returns.
fn finish(pipe: BorrowedHandle<'_>, limit: Option<Duration>, begin: impl FnOnce(*mut OVERLAPPED) -> i32) -> io::Result<usize> {
    // SAFETY: it takes no pointer and gives a handle or null.
    let event = unsafe { CreateEventW(null(), 1, 0, null()) };
    if event.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so this is an open handle that nobody else has.
    let event = unsafe { OwnedHandle::from_raw_handle(event) };
    let mut overlapped = OVERLAPPED { hEvent: event.as_raw_handle(), ..OVERLAPPED::default() };
    if let Err(error) = security::checked(begin(&raw mut overlapped))
        && !is(&error, ERROR_IO_PENDING)
    {
        return Err(error);
    }
    let milliseconds = limit.map_or(INFINITE, |limit| u32::try_from(limit.as_millis()).unwrap_or(INFINITE - 1));
    // SAFETY: the event is open.
    let is_late = unsafe { WaitForSingleObject(event.as_raw_handle(), milliseconds) } != WAIT_OBJECT_0;
    if is_late {
        // SAFETY: the structure is that of the call that is under way on this handle. When it is over by now, nothing happens.
        unsafe { CancelIoEx(pipe.as_raw_handle(), &raw const overlapped) };
    }
    let mut moved = 0;
    // SAFETY: it waits until the call is over, so that the structure and the caller's buffer are not used any more afterwards.
    match security::checked(unsafe { GetOverlappedResult(pipe.as_raw_handle(), &raw const overlapped, &raw mut moved, 1) }) {
        Err(error) if is_late && is(&error, ERROR_OPERATION_ABORTED) => Err(io::ErrorKind::TimedOut.into()),
        done => done.map(|()| moved as usize),
    }
}

/// Who is at the other end of a pipe that we made.
pub(crate) struct Client {
    /// The account.
    pub(crate) user: Vec<u8>,
    /// Whether `administrators` is a group of it that is switched on.
    pub(crate) is_administrator: bool,
    /// Its groups that are switched on.
    pub(crate) groups: Vec<Vec<u8>>,
}

/// Asks who has connected to `pipe`; this thread takes his place for as long as it takes to see his token.
pub(crate) fn client(pipe: BorrowedHandle<'_>, administrators: &[u8]) -> io::Result<Client> {
    let mut token = null_mut();
    // SAFETY: it takes a handle.
    security::checked(unsafe { ImpersonateNamedPipeClient(pipe.as_raw_handle()) })?;
    // SAFETY: it takes a handle that is always good and writes one, to a local. The token is opened with our own rights, not with his.
    let opened = security::checked(unsafe { OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, 1, &raw mut token) });
    // SAFETY: it takes nothing.
    if unsafe { RevertToSelf() } == 0 {
        // Nothing may be done here in his place.
        std::process::abort();
    }
    opened?;
    // SAFETY: the call succeeded, so this is an open handle that nobody else has.
    let token = unsafe { OwnedHandle::from_raw_handle(token) };
    let user = security::user(token.as_raw_handle())?;
    let is_administrator = security::is_member(token.as_raw_handle(), administrators)?;
    Ok(Client { user, is_administrator, groups: groups(&token)? })
}

fn groups(token: &OwnedHandle) -> io::Result<Vec<Vec<u8>>> {
    let answer = security::information(token.as_raw_handle(), TokenGroups)?;
    let groups = answer.as_ptr().cast::<TOKEN_GROUPS>();
    // SAFETY: the answer is a `TOKEN_GROUPS` with as many entries as it says, whose accounts lie behind them in the same buffer, which is aligned and lives until the end.
    let listed: &[SID_AND_ATTRIBUTES] =
        unsafe { std::slice::from_raw_parts((&raw const (*groups).Groups).cast(), (*groups).GroupCount as usize) };
    /// The group is switched on (`SE_GROUP_ENABLED`).
    const ON: u32 = 0x4;
    /// It is only there to deny (`SE_GROUP_USE_FOR_DENY_ONLY`).
    const DENIES: u32 = 0x10;
    let on = listed.iter().filter(|group| group.Attributes & (ON | DENIES) == ON);
    // SAFETY: as above.
    Ok(on.map(|group| unsafe { security::sid_at(group.Sid.cast()) }).collect())
}

fn is(error: &io::Error, number: u32) -> bool {
    error.raw_os_error() == Some(number.cast_signed())
}
