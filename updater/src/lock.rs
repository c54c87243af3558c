//! One updater per folder at a time (attack F9).
//!
//! The lock is the operating system's, on the open file: it goes with the process that holds it, so there is no stale lock to judge and no pid to trust. What the file says is for people.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom};

use crate::fs::{self, Folder, FsError, LocalPath, Point};

/// The lock of a folder, held until dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// The lock cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another updater works on this folder.
    #[error("another updater works on this folder ({by}); try again when it is done")]
    Held {
        /// What it wrote about itself: process id and command.
        by: String,
    },
    /// The lock file cannot be used.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl Lock {
    /// Takes the lock of `folder`, making `.updater` when it is missing. Does not wait.
    pub fn acquire(folder: &Folder, command: &str) -> Result<Lock, LockError> {
        let path = LocalPath::state("lock");
        folder.make_state_folders()?;
        let mut file = folder.open_to_write(&path, Point::LockFile)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held { by: read_holder(&mut file) }),
            Err(TryLockError::Error(source)) => return Err(FsError::io("locking", &path, source).into()),
        }
        let text = format!("{} {}\n", std::process::id(), command.escape_default());
        let written = fs::set_length(&file, 0, Point::LockFile)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| fs::write_all(&mut file, text.as_bytes(), Point::LockFile));
        written.map_err(|source| FsError::io("writing", &path, source))?;
        Ok(Lock { _file: file })
    }
}

fn read_holder(file: &mut File) -> String {
    let mut text = String::new();
    // The content is only informative: a holder that has not written it yet is still a holder.
    let _ = file.take(200).read_to_string(&mut text);
    match text.trim() {
        "" => "process unknown".to_owned(),
        text => format!("process {}", text.escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f9_of_two_updaters_one_works_and_the_other_learns_who() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let first = Lock::acquire(&folder, "update").unwrap();
        let second = Lock::acquire(&folder, "rollback").unwrap_err();
        assert!(second.to_string().contains(&format!("process {} update", std::process::id())), "{second}");
        drop(first);
        Lock::acquire(&folder, "rollback").unwrap();
    }

    #[test]
    fn f9_what_a_dead_updater_wrote_holds_nobody_up() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        folder.make_state_folders().unwrap();
        folder.write_durably(&LocalPath::state("lock"), b"1 update\n", Point::LockFile).unwrap();
        Lock::acquire(&folder, "update").unwrap();
    }
}
