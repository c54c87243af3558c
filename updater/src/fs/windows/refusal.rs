//! What Windows refuses: whether to try again, and what the refusal means.
//!
//! Scanners and indexers open files for a moment after every change, and Windows refuses meanwhile what Unix allows. So what may come from them is tried again for [`PATIENCE`]; then it is
//! [`io::ErrorKind::ResourceBusy`], which defers the swap.

use std::io;
use std::time::{Duration, Instant};

use crate::windows_api::files::Status;

/// How long what somebody else keeps from being done is tried again. Scanners let go within some hundred milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// The first and the longest pause between two tries.
const PAUSES: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(200)];

/// Whether the system, or the file system, does not know what it was asked for.
pub(super) fn is_unknown(status: Status) -> bool {
    matches!(
        status,
        Status::INVALID_PARAMETER
            | Status::INVALID_INFO_CLASS
            | Status::INVALID_DEVICE_REQUEST
            | Status::NOT_SUPPORTED
            | Status::NOT_IMPLEMENTED
    )
}

/// Whether `status` may come from somebody who has the file open for a moment.
fn is_passing(status: Status) -> bool {
    matches!(
        status,
        Status::SHARING_VIOLATION | Status::FILE_LOCK_CONFLICT | Status::DELETE_PENDING | Status::USER_MAPPED_FILE | Status::ACCESS_DENIED
    )
}

/// Tries again for [`PATIENCE`] while somebody else may be the reason, in pauses that grow and are not the same for everybody.
pub(super) fn patiently<T>(mut act: impl FnMut() -> Result<T, Status>) -> io::Result<T> {
    let (begun, mut pause) = (Instant::now(), PAUSES[0]);
    loop {
        let status = match act() {
            Ok(done) => return Ok(done),
            Err(status) => status,
        };
        if !is_passing(status) || begun.elapsed() >= PATIENCE {
            return Err(error(status));
        }
        let mut jitter = [0];
        // Without randomness the pauses are the same for everybody, no more.
        let _ = getrandom::fill(&mut jitter);
        std::thread::sleep(pause.mul_f32(0.5 + f32::from(jitter[0]) / 255.0));
        pause = (pause * 2).min(PAUSES[1]);
    }
}

/// `ERROR_NOT_SUPPORTED`.
pub(super) const NOT_SUPPORTED_NUMBER: i32 = 50;

pub(super) fn error(status: Status) -> io::Error {
    let error = io::Error::from(status);
    match status {
        Status::SHARING_VIOLATION
        | Status::FILE_LOCK_CONFLICT
        | Status::DELETE_PENDING
        | Status::USER_MAPPED_FILE
        | Status::CANNOT_DELETE => held(error),
        Status::TOO_MANY_LINKS => io::Error::new(io::ErrorKind::TooManyLinks, error),
        Status::OBJECT_NAME_COLLISION => io::Error::new(io::ErrorKind::AlreadyExists, error),
        _ => error,
    }
}

/// The same error of something that somebody else has open.
pub(super) fn held(error: io::Error) -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else_is() {
        let mut left = vec![Status::SHARING_VIOLATION, Status::ACCESS_DENIED, Status::DELETE_PENDING];
        assert_eq!(patiently(|| left.pop().map_or(Ok(7), Err)).unwrap(), 7);
        let mut tries = 0;
        let refused = patiently(|| -> Result<(), Status> {
            tries += 1;
            Err(Status::OBJECT_NAME_NOT_FOUND)
        });
        assert_eq!((refused.unwrap_err().kind(), tries), (io::ErrorKind::NotFound, 1));
    }

    #[test]
    fn what_stays_held_defers_a_swap_and_what_stays_forbidden_does_not() {
        let begun = Instant::now();
        assert_eq!(patiently(|| -> Result<(), Status> { Err(Status::SHARING_VIOLATION) }).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        assert!(begun.elapsed() >= PATIENCE);
        assert_eq!(error(Status::ACCESS_DENIED).kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(error(Status::TOO_MANY_LINKS).kind(), io::ErrorKind::TooManyLinks);
        assert_eq!(error(Status::OBJECT_NAME_COLLISION).kind(), io::ErrorKind::AlreadyExists);
    }
}
