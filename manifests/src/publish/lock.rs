//! One writer at a time: an OS lock on `<repo>/.lock`, which the system lets go of when its holder dies.
//!
//! The file's content, process id and command, is only there to name the holder to whoever waits.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::publish::disk::{DiskError, failed};
use crate::publish::layout;
use crate::publish::progress::Progress;

/// How often a held lock is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// The lock of a repository, held until dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// The lock was not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else holds it.
    #[error("another command is changing this repository ({holder}); run this again when it has ended, or wait for it with --wait SECONDS")]
    Held {
        /// Who, as it wrote.
        holder: String,
    },
    /// The lock file could not be opened.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl Lock {
    /// Takes the lock of the repository at `root` for `command`, waiting up to `patience`.
    pub fn take(root: &Path, command: &str, patience: Duration, progress: &dyn Progress) -> Result<Lock, LockError> {
        let path = root.join(layout::LOCK);
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed("open the lock", &path))?;
        let begun = Instant::now();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error).into()),
                Err(TryLockError::WouldBlock) if begun.elapsed() >= patience => return Err(LockError::Held { holder: holder(&path) }),
                Err(TryLockError::WouldBlock) => {
                    if !told {
                        progress.notice(&format!("waiting for another command ({})", holder(&path)));
                        told = true;
                    }
                    std::thread::sleep(RETRY.min(patience.saturating_sub(begun.elapsed())));
                }
            }
        }
        // For people only: a failure to write it is no failure to hold it.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "process {}, {command}", std::process::id()));
        Ok(Lock { _file: file })
    }
}

/// What the holder wrote; on Windows the lock keeps others from reading it.
fn holder(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(200).read_to_string(&mut text));
    match read {
        Ok(_) if !text.is_empty() => text.escape_debug().collect(),
        _ => "it did not say which".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::progress::Silent;

    #[test]
    fn the_second_to_come_fails_and_is_told_who_was_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path(), "publish", Duration::ZERO, &Silent).unwrap();
        let error = Lock::take(folder.path(), "gc", Duration::ZERO, &Silent).unwrap_err();
        if cfg!(unix) {
            assert!(error.to_string().contains(&format!("process {}, publish", std::process::id())), "{error}");
        }
        drop(first);
        Lock::take(folder.path(), "gc", Duration::ZERO, &Silent).unwrap();
    }
}
