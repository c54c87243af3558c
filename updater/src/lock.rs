//! One updater per folder at a time (attack F9).
//!
//! The lock is the operating system's, on the open file: it goes with the process that holds it, so there is no stale lock to judge and no pid to trust. What the file says is for people.
//!
//! A folder that is given up loses its lock file last, by whoever holds it. Whoever waited for that one holds a file without a name then, beside anybody who makes a new one: so what was locked
//! is compared with what has the name.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::account;
use crate::fs::{self, Folder, FsError, LocalPath, Point};
use crate::waiting;

/// What the lock is called in `.updater`.
const NAME: &str = "lock";

/// The lock of a folder, held until dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// The lock cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another updater works on this folder.
    #[error("another updater works on this folder ({by}); try again when it is done")]
    Held {
        /// What it wrote about itself: process id, command and user.
        by: String,
    },
    /// The folder was given up while its lock was waited for.
    #[error("another updater gave this folder up meanwhile: install with `updater install LINK --dir DIR`")]
    Gone,
    /// The lock file cannot be used.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl Lock {
    /// Takes the lock of `folder`, making `.updater` when it is missing. Does not wait.
    pub fn acquire(folder: &Folder, command: &str) -> Result<Lock, LockError> {
        Lock::acquire_within(folder, command, Duration::ZERO)
    }

    /// Takes the lock of `folder`, making `.updater` when it is missing; waits at most `patience` for another updater to end.
    ///
    /// # Errors
    /// [`LockError::Gone`] when that other one has given the folder up; whoever installs may begin anew.
    pub fn acquire_within(folder: &Folder, command: &str, patience: Duration) -> Result<Lock, LockError> {
        let until = Instant::now() + patience;
        loop {
            let file = lock_once(folder, until.saturating_duration_since(Instant::now()))?;
            let mut lock = Lock { file };
            match lock.is_of(folder)? {
                Some(true) => {
                    lock.write_holder(command).map_err(|source| FsError::io("writing", &path(), source))?;
                    make_state_folders(folder)?;
                    return Ok(lock);
                }
                // Given up, and installed anew.
                Some(false) => {}
                None => return Err(LockError::Gone),
            }
        }
    }

    /// Whether this is the lock of `folder`: what is locked is what has the name. `None` when nothing has.
    fn is_of(&self, folder: &Folder) -> Result<Option<bool>, FsError> {
        let path = path();
        let held = fs::file_stat(&self.file).map_err(|source| FsError::io("looking at", &path, source))?;
        Ok(folder.stat(&path)?.map(|named| (named.device, named.inode) == (held.device, held.inode)))
    }

    fn write_holder(&mut self, command: &str) -> io::Result<()> {
        let text = format!("{} {} {}\n", std::process::id(), command.escape_default(), account::name().escape_default());
        fs::set_length(&self.file, 0, Point::LockFile)?;
        self.file.seek(SeekFrom::Start(0))?;
        fs::write_all(&mut self.file, text.as_bytes(), Point::LockFile)
    }

    /// Deletes the state of `folder`, this lock last: nobody begins anything in what is left of it.
    pub fn remove_state(self, folder: &Folder) -> Result<(), FsError> {
        // At once, with all tickets: nobody leaves one in a folder that is being emptied.
        folder.discard(&waiting::place(), Point::WaitingTicket)?;
        folder.empty_state_but(NAME)?;
        // Where a name stays until its last handle is closed, it cannot go before.
        let _held = (!cfg!(windows)).then_some(self);
        folder.remove_state()
    }
}

/// `.updater/lock`.
fn path() -> LocalPath {
    LocalPath::state(NAME)
}

/// Makes the folders of the state that are missing. Where that fails for want of room, what lies in the trash gives it: a run that was cut off between taking a folder away and making it anew on a
/// full disk must keep no client out (F7).
fn make_state_folders(folder: &Folder) -> Result<(), FsError> {
    folder.make_state_folders().or_else(|_| folder.empty_trash().and_then(|()| folder.make_state_folders()))
}

/// Locks whatever has the name of the lock now, making it when it is missing.
fn lock_once(folder: &Folder, patience: Duration) -> Result<File, LockError> {
    let path = path();
    let failed = |source| LockError::from(FsError::io("locking", &path, source));
    let opened =
        folder.make_folder(&LocalPath::state_folder(), Point::StateFolder).and_then(|()| folder.open_to_write(&path, Point::LockFile));
    let file = match opened {
        Ok(file) => file,
        // Somebody else's folder: whoever works on it says more than that its files may not be written.
        Err(refused) => return Err(held_by_another_user(folder, &path).unwrap_or(refused.into())),
    };
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => wait_for(file, patience).map_err(|error| match error {
            NotLocked::Held { by } => LockError::Held { by },
            NotLocked::Io(source) => failed(source),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Why a file could not be locked.
enum NotLocked {
    Held { by: String },
    Io(io::Error),
}

/// Locks `file`, which another updater holds, as soon as that one lets go.
fn wait_for(mut file: File, patience: Duration) -> Result<File, NotLocked> {
    let by = read_holder(&mut file);
    if patience.is_zero() {
        return Err(NotLocked::Held { by });
    }
    // The system wakes a waiting locker and knows no time limit, so a thread waits. One that comes too late finds nobody to give the file to, and drops it with its lock.
    let (locked, waiting) = channel();
    std::thread::spawn(move || {
        let outcome = file.lock().map(|()| file);
        let _ = locked.send(outcome);
    });
    match waiting.recv_timeout(patience) {
        Ok(outcome) => outcome.map_err(NotLocked::Io),
        Err(_) => Err(NotLocked::Held { by }),
    }
}

/// The updater of another user who holds the lock, when there is one and the lock can at least be read.
fn held_by_another_user(folder: &Folder, path: &LocalPath) -> Option<LockError> {
    let mut file = folder.open_file(path).ok()?;
    let is_held = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
    is_held.then(|| LockError::Held { by: read_holder(&mut file) })
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
        let first_says = format!("process {} update {}", std::process::id(), account::name().escape_default());
        assert!(second.to_string().contains(&first_says), "{second}");
        drop(first);
        Lock::acquire(&folder, "rollback").unwrap();
    }

    #[test]
    fn f9_whoever_waits_works_as_soon_as_the_first_is_done() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let first = Lock::acquire(&folder, "update").unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| Lock::acquire_within(&folder, "rollback", Duration::from_secs(600)));
            // The lock goes while somebody waits for it, or has not begun to: both must end well.
            drop(first);
            second.join().unwrap().unwrap();
        });
    }

    #[test]
    fn f9_of_many_that_begin_at_once_where_no_state_is_yet_each_has_its_turn() {
        for _ in 0..50 {
            let place = tempfile::tempdir().unwrap();
            let begin = std::sync::Barrier::new(4);
            std::thread::scope(|scope| {
                let run = || {
                    let folder = Folder::open(place.path()).unwrap();
                    begin.wait();
                    Lock::acquire_within(&folder, "update", Duration::from_secs(600)).map(drop)
                };
                let runs = [(); 4].map(|()| scope.spawn(run));
                runs.into_iter().for_each(|run| run.join().unwrap().unwrap());
            });
        }
    }

    #[test]
    fn f9_whoever_has_waited_in_vain_learns_who_is_at_work_and_takes_no_lock_later() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let first = Lock::acquire(&folder, "update").unwrap();
        let second = Lock::acquire_within(&folder, "rollback", Duration::from_millis(1)).unwrap_err();
        assert!(matches!(second, LockError::Held { .. }), "{second}");
        drop(first);
        // The thread that still waits gets the lock, finds nobody who wants it, and drops it again.
        Lock::acquire_within(&folder, "update", Duration::from_secs(600)).unwrap();
    }

    /// Waits until somebody waits for the lock that this process holds: Linux lists him behind it.
    #[cfg(target_os = "linux")]
    fn until_somebody_waits(folder: &Folder) {
        let inode = format!(":{} ", folder.stat(&path()).unwrap().unwrap().inode);
        let started = Instant::now();
        let waits = |locks: String| locks.lines().any(|line| line.contains("->") && line.contains(&inode));
        while !waits(std::fs::read_to_string("/proc/locks").unwrap()) {
            assert!(started.elapsed() < Duration::from_secs(120), "nobody waits");
            std::thread::yield_now();
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn f9_whoever_has_waited_for_a_folder_that_was_given_up_works_on_nothing() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let first = Lock::acquire(&folder, "uninstall").unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| Lock::acquire_within(&folder, "update", Duration::from_secs(600)));
            until_somebody_waits(&folder);
            first.remove_state(&folder).unwrap();
            assert!(matches!(second.join().unwrap(), Err(LockError::Gone)));
        });
        assert!(folder.stat(&LocalPath::state_folder()).unwrap().is_none(), "nothing is made anew");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn f9_whoever_has_waited_for_a_lock_that_another_one_replaced_waits_for_that_one() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let first = Lock::acquire(&folder, "uninstall").unwrap();
        std::thread::scope(|scope| {
            let third = scope.spawn(|| Lock::acquire_within(&folder, "update", Duration::from_secs(600)));
            until_somebody_waits(&folder);
            folder.discard(&path(), Point::LockFile).unwrap();
            let second = Lock::acquire(&folder, "install").unwrap();
            drop(first);
            until_somebody_waits(&folder);
            drop(second);
            let third = third.join().unwrap().unwrap();
            assert_eq!(third.is_of(&folder).unwrap(), Some(true));
        });
    }

    #[cfg(feature = "fail-points")]
    #[test]
    fn f7_a_folder_of_the_state_that_a_cut_took_away_on_a_full_disk_gets_the_room_of_the_trash() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        drop(Lock::acquire(&folder, "update").unwrap());
        folder.discard(&LocalPath::state("staging"), Point::TrashIn).unwrap();
        crate::fs::fault::arm("state.folder=enospc");
        drop(Lock::acquire(&folder, "update").unwrap());
        assert!(crate::fs::fault::has_acted());
        assert!(folder.stat(&LocalPath::state("staging")).unwrap().is_some_and(|stat| stat.is_folder()));
        assert_eq!(folder.names(&Folder::trash()).unwrap(), Vec::<Vec<u8>>::new());
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
