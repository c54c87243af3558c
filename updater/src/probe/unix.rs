//! A child in a process group of its own, and the end of all of it.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::End;

pub(super) fn start(command: &mut Command) -> io::Result<Child> {
    command.process_group(0).spawn()
}

/// No more files can be opened: a reason to try again that the standard library does not tell from others.
pub(super) fn is_passing(error: &io::Error) -> bool {
    [Errno::MFILE, Errno::NFILE].map(|passing| Some(passing.raw_os_error())).contains(&error.raw_os_error())
}

/// Waits for the end of `child`, or ends it after `timeout`; either way nothing is left of its group.
pub(super) fn end_within(child: &mut Child, timeout: Duration) -> io::Result<End> {
    let group = Pid::from_child(child);
    let (ended, end) = channel::<()>();
    let watch = std::thread::spawn(move || {
        let is_late = end.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout);
        if is_late {
            let _ = kill_process_group(group, Signal::KILL);
        }
        is_late
    });
    // It is not reaped before its group is gone: until then its id cannot have passed to a stranger.
    let waited = loop {
        match waitid(WaitId::Pid(group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Err(Errno::INTR) => {}
            other => break other,
        }
    };
    drop(ended);
    let is_late = watch.join().unwrap_or(false);
    let _ = kill_process_group(group, Signal::KILL);
    let status = child.wait()?;
    waited?;
    Ok(match (is_late, status.code(), status.signal()) {
        (true, ..) => End::TooLate,
        (false, Some(code), _) => End::Code(code),
        (false, None, signal) => End::Signal(signal.unwrap_or_default()),
    })
}
