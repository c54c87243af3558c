//! A child on systems without process groups: it is ended by itself; what it started is not.

use std::io;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::End;

/// How often the end is looked for: the standard library knows no wait with a limit.
const LOOK: Duration = Duration::from_millis(50);

pub(super) fn start(command: &mut Command) -> io::Result<Child> {
    command.spawn()
}

/// Somebody, often a virus scanner, holds the file (32, 33), or the system has no room for one more process (1450, 1455).
pub(super) fn is_passing(error: &io::Error) -> bool {
    cfg!(windows) && error.raw_os_error().is_some_and(|code| [32, 33, 1450, 1455].contains(&code))
}

/// Waits for the end of `child`, or ends it after `timeout`.
pub(super) fn end_within(child: &mut Child, timeout: Duration) -> io::Result<End> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(End::Code(status.code().unwrap_or(-1)));
        }
        if started.elapsed() >= timeout {
            child.kill()?;
            child.wait()?;
            return Ok(End::TooLate);
        }
        std::thread::sleep(LOOK);
    }
}
