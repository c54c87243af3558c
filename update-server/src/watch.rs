//! When a folder has changed and become still.
//!
//! The system's notifications only wake us; what counts is the folder itself, looked at twice a settle time apart. Two equal looks that differ
//! from what was last dealt with mean that somebody has finished changing it. Lost notifications, and file systems that have none, cost a delay
//! (`LOOK_ANYWAY`), never a change.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// The folder is looked at this often even when nothing wakes us.
pub const LOOK_ANYWAY: Duration = Duration::from_secs(30);

/// What a folder looks like without reading its files: everything in it with kind, size and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look(Vec<(PathBuf, Seen)>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Folder,
    File { length: u64, modified: Option<SystemTime>, kept: Kept },
    Link(Option<PathBuf>),
    Unreadable,
}

impl Seen {
    fn of_file(metadata: &fs::Metadata) -> Seen {
        Seen::File { length: metadata.len(), modified: metadata.modified().ok(), kept: Kept::of(metadata) }
    }
}

impl Look {
    /// Looks at `folder`. What cannot be read is seen as that; only the folder itself must be there.
    pub fn at(folder: &Path) -> io::Result<Look> {
        let mut seen = Vec::new();
        look(folder, &mut seen)?;
        seen.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Look(seen))
    }

    /// The same, and a file elsewhere.
    fn with(mut self, beside: Option<PathBuf>) -> Look {
        let seen = beside.map(|path| (path.symlink_metadata().map_or(Seen::Unreadable, |metadata| Seen::of_file(&metadata)), path));
        self.0.extend(seen.map(|(seen, path)| (path, seen)));
        self
    }
}

fn look(folder: &Path, seen: &mut Vec<(PathBuf, Seen)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let what = match path.symlink_metadata() {
            Err(_) => Seen::Unreadable,
            Ok(metadata) if metadata.is_symlink() => Seen::Link(fs::read_link(&path).ok()),
            Ok(metadata) if metadata.is_dir() => match look(&path, seen) {
                Ok(()) => Seen::Folder,
                Err(_) => Seen::Unreadable,
            },
            Ok(metadata) => Seen::of_file(&metadata),
        };
        seen.push((path, what));
    }
    Ok(())
}

/// What the system keeps of a file beside its length and time: its mode, and when anything of it last changed. Whoever copies a file and gives it the time that the old one had cannot set
/// that one. Its number says nothing more, and on shares it may be another at every look.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    mode: u32,
    changed: (i64, i64),
}

impl Kept {
    #[cfg(unix)]
    fn of(metadata: &fs::Metadata) -> Kept {
        use std::os::unix::fs::MetadataExt as _;
        Kept { mode: metadata.mode(), changed: (metadata.ctime(), metadata.ctime_nsec()) }
    }

    #[cfg(not(unix))]
    fn of(_metadata: &fs::Metadata) -> Kept {
        Kept { mode: 0, changed: (0, 0) }
    }
}

/// Decides from one look after the other. Pure.
#[derive(Debug, Default)]
pub struct Settle {
    dealt_with: Option<Look>,
    last: Option<Look>,
}

/// What a look means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing has changed since it was last dealt with.
    Rest,
    /// Something has; look again a settle time later.
    LookAgain,
    /// It has changed and is still: deal with it.
    Act,
}

impl Settle {
    /// Takes the next look.
    pub fn observe(&mut self, look: Look) -> Step {
        if self.dealt_with.as_ref() == Some(&look) {
            self.last = None;
            return Step::Rest;
        }
        if self.last.as_ref() == Some(&look) {
            return Step::Act;
        }
        self.last = Some(look);
        Step::LookAgain
    }

    /// What was last observed has been dealt with, well or badly: there is nothing to do until it changes.
    pub fn dealt_with(&mut self) {
        self.dealt_with = self.last.take();
    }

    /// What was last observed could not be dealt with. It stays to be done, and so does what was dealt with before it, should that come back: what was made known since is not true of it.
    pub fn failed(&mut self) {
        self.dealt_with = None;
    }
}

/// What `watch` tells of a folder.
#[derive(Debug)]
pub enum Event {
    /// It has changed and been still since.
    Still,
    /// It cannot be listed; told each time that it was tried.
    Unreadable(io::Error),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acted {
    /// It is dealt with: nothing is to be done until the folder changes.
    DealtWith,
    /// It is to be tried again after so long, or as soon as something wakes us.
    Again(Duration),
}

/// Calls `act` each time `folder` has changed and been still for `settle`, from the state that it has now on, and when it cannot be listed; for ever.
///
/// `beside` is a file elsewhere whose change counts as one of the folder.
pub async fn watch<F>(folder: PathBuf, beside: Option<PathBuf>, settle: Duration, mut act: impl FnMut(Event) -> F)
where
    F: Future<Output = Acted>,
{
    let (wake, mut woken) = mpsc::channel(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Looking at a folder is an access to it; being woken by that would never end. That somebody has written a file to its end is an access, too.
        let is_look = |kind: EventKind| kind.is_access() && kind != EventKind::Access(AccessKind::Close(AccessMode::Write));
        if !event.is_ok_and(|event| is_look(event.kind)) {
            // When the channel is full, a wake-up is on its way already.
            let _ = wake.try_send(());
        }
    });
    let watching = watcher.as_mut().map_err(|error| error.to_string()).and_then(|watcher| {
        let watched = watcher.watch(&folder, RecursiveMode::Recursive);
        watched.map_err(|error| error.to_string())
    });
    if let Err(error) = watching {
        tracing::warn!(folder.path = %folder.display(), error = %error, "no notifications of changes; looking now and then");
    }
    let mut state = Settle::default();
    loop {
        let (looked, beside) = (folder.clone(), beside.clone());
        let wait = match tokio::task::spawn_blocking(move || Look::at(&looked).map(|look| look.with(beside))).await {
            Ok(Ok(look)) => match state.observe(look) {
                Step::Rest => LOOK_ANYWAY,
                Step::LookAgain => {
                    tokio::time::sleep(settle).await;
                    continue;
                }
                Step::Act => match act(Event::Still).await {
                    Acted::DealtWith => {
                        state.dealt_with();
                        continue;
                    }
                    Acted::Again(pause) => {
                        state.failed();
                        pause
                    }
                },
            },
            Ok(Err(error)) => {
                // It is published anew when it comes back, also when it comes back as it was.
                state = Settle::default();
                match act(Event::Unreadable(error)).await {
                    Acted::DealtWith => LOOK_ANYWAY,
                    Acted::Again(pause) => pause,
                }
            }
            Err(error) => {
                tracing::error!(folder.path = %folder.display(), error = %error, "a look at the folder ended abnormally; looking again");
                LOOK_ANYWAY
            }
        };
        let _ = timeout(wait, woken.recv()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(names: &[&str]) -> Look {
        Look(names.iter().map(|name| (PathBuf::from(name), Seen::Folder)).collect())
    }

    #[test]
    fn a_folder_is_acted_on_once_when_two_looks_are_equal() {
        let mut settle = Settle::default();
        assert_eq!(settle.observe(look(&["a"])), Step::LookAgain);
        assert_eq!(settle.observe(look(&["a", "b"])), Step::LookAgain);
        assert_eq!(settle.observe(look(&["a", "b"])), Step::Act);
        settle.dealt_with();
        assert_eq!(settle.observe(look(&["a", "b"])), Step::Rest);
        assert_eq!(settle.observe(look(&["a"])), Step::LookAgain);
        // Changed back before it was still: nothing has happened.
        assert_eq!(settle.observe(look(&["a", "b"])), Step::Rest);
        assert_eq!(settle.observe(look(&["a"])), Step::LookAgain);
        assert_eq!(settle.observe(look(&["a"])), Step::Act);
        // Not dealt with: it stays to be done.
        settle.failed();
        assert_eq!(settle.observe(look(&["a"])), Step::Act);
        // It comes back as it was last dealt with: what was said of it since is not true any more.
        settle.failed();
        assert_eq!(settle.observe(look(&["a", "b"])), Step::LookAgain);
        assert_eq!(settle.observe(look(&["a", "b"])), Step::Act);
    }

    #[test]
    fn a_look_sees_content_names_and_links_change() {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join("sub")).unwrap();
        fs::write(temp.path().join("sub/file"), "one").unwrap();
        let mut before = Look::at(temp.path()).unwrap();
        assert_eq!(before, Look::at(temp.path()).unwrap());
        let mut changed = |what: &str| {
            let after = Look::at(temp.path()).unwrap();
            assert_ne!(before, after, "{what}");
            before = after;
        };
        fs::write(temp.path().join("sub/file"), "three").unwrap();
        changed("another length");
        let file = fs::File::options().write(true).open(temp.path().join("sub/file")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        changed("another time");
        let written = || fs::File::options().write(true).open(temp.path().join("sub/file")).unwrap();
        std::io::Write::write_all(&mut written(), b"eerht").unwrap();
        written().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        #[cfg(unix)]
        changed("other content under the same length and time");
        fs::rename(temp.path().join("sub/file"), temp.path().join("sub/other")).unwrap();
        changed("another name");
        fs::remove_dir_all(temp.path().join("sub")).unwrap();
        changed("nothing left");
        assert!(Look::at(&temp.path().join("sub")).is_err());
    }

    #[tokio::test]
    async fn a_change_is_acted_on() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("file"), "one").unwrap();
        let (acted, mut acts) = mpsc::channel(10);
        let folder = temp.path().to_owned();
        let watching = tokio::spawn(watch(folder, None, Duration::from_millis(20), move |_| {
            let acted = acted.clone();
            async move {
                acted.send(()).await.unwrap();
                Acted::DealtWith
            }
        }));
        for content in ["first", "second", "third!"] {
            timeout(Duration::from_secs(20), acts.recv()).await.unwrap().unwrap();
            fs::write(temp.path().join("file"), content).unwrap();
        }
        watching.abort();
    }

    /// A share that was gone for a moment, and a file that could not be read for one: nothing of it is another look, and it is acted on all the same.
    #[tokio::test]
    async fn what_failed_is_acted_on_again_although_the_folder_is_as_it_was() {
        let temp = tempfile::tempdir().unwrap();
        let (folder, away) = (temp.path().join("folder"), temp.path().join("away"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("file"), "one").unwrap();
        let (acted, mut acts) = mpsc::channel(10);
        let (mut failures, watched) = (0, folder.clone());
        let watching = tokio::spawn(watch(watched, None, Duration::from_millis(20), move |event| {
            let is_still = matches!(event, Event::Still);
            failures += u32::from(is_still);
            let (acted, answer) =
                (acted.clone(), if is_still && failures > 2 { Acted::DealtWith } else { Acted::Again(Duration::from_millis(20)) });
            async move {
                acted.send((is_still, answer)).await.unwrap();
                answer
            }
        }));
        let mut until =
            async |wanted: (bool, Acted)| while timeout(Duration::from_secs(20), acts.recv()).await.unwrap().unwrap() != wanted {};
        until((true, Acted::Again(Duration::from_millis(20)))).await;
        until((true, Acted::DealtWith)).await;
        fs::rename(&folder, &away).unwrap();
        fs::write(away.join("file"), "wake").unwrap();
        until((false, Acted::Again(Duration::from_millis(20)))).await;
        fs::rename(&away, &folder).unwrap();
        until((true, Acted::DealtWith)).await;
        watching.abort();
    }
}
