//! The event log.

use std::io;
use std::ptr::{null, null_mut};

use windows_sys::Win32::System::EventLog::{
    DeregisterEventSource, EVENTLOG_INFORMATION_TYPE, EVENTLOG_WARNING_TYPE, RegisterEventSourceW, ReportEventW,
};

/// Writes `text` into the log `Application` under the name `source`.
pub(crate) fn report(source: &str, is_warning: bool, text: &str) -> io::Result<()> {
    let wide = |text: &str| text.encode_utf16().filter(|unit| *unit != 0).chain([0]).collect::<Vec<u16>>();
    let (source, text) = (wide(source), wide(text));
    // SAFETY: the name ends in a zero and is only read.
    let log = unsafe { RegisterEventSourceW(null(), source.as_ptr()) };
    if log.is_null() {
        return Err(io::Error::last_os_error());
    }
    let kind = if is_warning { EVENTLOG_WARNING_TYPE } else { EVENTLOG_INFORMATION_TYPE };
    let texts = [text.as_ptr()];
    // SAFETY: the handle is open; the one text ends in a zero, and both live until the call returns; there is no data and no account.
    let written = unsafe { ReportEventW(log, kind, 0, 1, null_mut(), 1, 0, texts.as_ptr(), null()) };
    let outcome = if written == 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
    // SAFETY: the handle was opened above and is not used any more.
    unsafe { DeregisterEventSource(log) };
    outcome
}
