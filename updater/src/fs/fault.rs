//! Named fail points: the places where a run changes the file system, so that a test can end the process there or make the operation fail.
//!
//! Every function of [`crate::fs`] that changes something takes a [`Point`] and acts inside `around`, which has two moments: right before the change and right after it. There is no
//! other way to change a file (`updater/clippy.toml`, `fs/dir.rs`), so there is no change without a name, and none with only one moment. In a build without the feature `fail-points`,
//! a point does nothing at all.
//!
//! `STATIONMASTER_FAIL_POINT=NAME[+after][:N]=ACTION` acts at the Nth passage (from 1) of the point NAME, `*` being any of them: before the change or, with `+after`, when it is done; several
//! are separated by commas. The actions:
//!
//! - `kill`: the process ends. Before the change of a point that writes bytes, half of them are written.
//! - `lose-content`, `lose-latest`, `lose-unsynced`: the power goes. The same, and what was not made durable is taken back (`fs/unsynced.rs`).
//! - `stop`: the process stops (SIGSTOP) until somebody lets it go on, so that a test can do something to the disk meanwhile.
//! - `error`, `enospc`, `eacces`, `ebusy`: the operation fails, so they can only come before it.
//!
//! More switches for tests, all of them environment variables: `STATIONMASTER_FAULT_GRAVEYARD=FOLDER`, on the same file system, is where the `lose-` actions need to keep what goes;
//! `STATIONMASTER_FAULT_PASSAGES=FILE` gets a line for every moment that is passed, `NAME` or `NAME+after`;
//! `STATIONMASTER_FAULT_FORGET_SYNC=NAME` makes that point's fsyncs worth nothing, `*` everybody's; `STATIONMASTER_FAULT_NO_SYNCFS=1` makes the operating system one that cannot fsync a whole
//! file system at once; `STATIONMASTER_FAULT_MTIME_GRANULARITY_NS=N` makes times read back as a file system of that granularity keeps them (AC-13).

/// Declares [`Point`] with its names.
macro_rules! points {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// A place where a run changes the file system.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Point { $($(#[$doc])* $variant,)* }

        impl Point {
            /// Every point, in the order of a run.
            pub const ALL: &[Point] = &[$(Point::$variant,)*];

            /// Its name, as in `STATIONMASTER_FAIL_POINT` and `docs/crash-safety.md`.
            pub const fn name(self) -> &'static str {
                match self { $(Point::$variant => $name,)* }
            }
        }
    };
}

points! {
    /// Making the install folder, `.updater` and the folders in it.
    StateFolder = "state.folder";
    /// Writing the lock file's content.
    LockFile = "lock.file";
    /// Leaving or taking a ticket in `waiting/`.
    WaitingTicket = "waiting.ticket";
    /// Replacing `station.json`.
    StationFile = "station.file";
    /// Replacing `settings.toml`.
    SettingsFile = "settings.file";
    /// Replacing `schedule.json`, and making or removing the files of a schedule where the system looks for them.
    ScheduleFile = "schedule.file";
    /// Replacing `shortcuts.json`, and making or removing shortcuts.
    ShortcutFile = "shortcut.file";
    /// Replacing a file of the trust store.
    TrustFile = "trust.file";
    /// Replacing `ratchet.json`.
    RatchetFile = "ratchet.file";
    /// Remembering that an update is ready and waits, or forgetting it.
    DeferredFile = "deferred.file";
    /// Replacing `proof.json`.
    ProofFile = "proof.file";
    /// Replacing `attempts.json`, or dropping it.
    AttemptsFile = "attempts.file";
    /// Replacing `told.json`, or dropping it.
    ToldFile = "told.file";
    /// Keeping the release's version of a config file, or dropping it.
    ConfigFile = "config.file";
    /// Replacing `interference.json`, or dropping it.
    InterferenceFile = "interference.file";
    /// Filling a part of a download, or dropping it.
    Part = "fetch.part";
    /// Writing a new file in `staging/`.
    StageFile = "stage.file";
    /// Setting time and mode of a staged file.
    StageAttributes = "stage.attributes";
    /// Making staged files durable.
    StageSync = "stage.sync";
    /// Making a folder of the backup.
    BackupFolder = "backup.folder";
    /// Linking an unchanged file from an earlier backup.
    BackupLink = "backup.link";
    /// Copying a file into the backup.
    BackupCopy = "backup.copy";
    /// Making a symbolic link in the backup.
    BackupSymlink = "backup.symlink";
    /// Writing the backup's record, installed state and manifest.
    BackupRecord = "backup.record";
    /// Making the backup durable.
    BackupSync = "backup.sync";
    /// Copying or linking what a swap itself has to add to `staging/`.
    SwapStage = "swap.stage";
    /// Writing `installed.next` and `manifest.next`.
    SwapNext = "swap.next";
    /// Writing the journal.
    SwapJournal = "swap.journal";
    /// Moving the entry point out.
    SwapOut = "swap.out";
    /// Moving an old file to the backup.
    SwapKeep = "swap.keep";
    /// Removing a folder.
    SwapRemoveFolder = "swap.remove-folder";
    /// Making a folder.
    SwapMakeFolder = "swap.make-folder";
    /// Moving a new file in.
    SwapPut = "swap.put";
    /// Setting time and mode of a file that stays.
    SwapSet = "swap.set";
    /// Moving the entry point in.
    SwapIn = "swap.in";
    /// Making the swapped folders durable.
    SwapSync = "swap.sync";
    /// Appending a phase to the journal.
    SwapPhase = "swap.phase";
    /// Moving a new file back to `staging/`.
    UndoPut = "undo.put";
    /// Removing a folder that the swap made, or making one that it removed.
    UndoFolder = "undo.folder";
    /// Moving an old file back in.
    UndoKeep = "undo.keep";
    /// Setting time and mode back.
    UndoSet = "undo.set";
    /// Moving an unexpected file to `found/`.
    Aside = "recover.aside";
    /// Moving a backup to its slot or out of it.
    CommitSlot = "commit.slot";
    /// Renaming `installed.next` and `manifest.next`.
    CommitState = "commit.state";
    /// Keeping an attempt to be told, or dropping one that was.
    OutboxFile = "outbox.file";
    /// Writing the key that signs reports.
    StationKey = "station.key";
    /// Appending a line to the history.
    HistoryLine = "history.line";
    /// Removing the journal.
    CommitJournal = "commit.journal";
    /// Taking a foreign folder into the rotation.
    BackupAdopt = "backup.adopt";
    /// Replacing the record of the updater's own updates.
    SelfRecord = "self.record";
    /// Making the new updater ready.
    SelfNext = "self.next";
    /// Keeping the running updater.
    SelfPrevious = "self.previous";
    /// Moving the running updater aside, where it cannot be replaced while it runs.
    SelfAside = "self.aside";
    /// Moving the new updater to its place.
    SelfSwap = "self.swap";
    /// Making that durable.
    SelfSync = "self.sync";
    /// The new updater says that it lives.
    SelfConfirm = "self.confirm";
    /// Moving the old updater back.
    SelfBack = "self.back";
    /// Copying a file from a backup to `staging/`.
    RestoreCopy = "restore.copy";
    /// Moving something to `trash/`.
    TrashIn = "trash.in";
    /// Deleting what is in `trash/`.
    TrashEmpty = "trash.empty";
}

#[cfg(not(any(test, feature = "fail-points")))]
mod registry {
    use super::Point;
    use crate::fs::change::Change;
    use std::io;

    pub(crate) fn around<T>(_: Point, _: Change<'_>, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        act()
    }

    pub(crate) fn write_all(mut file: &std::fs::File, bytes: &[u8], _: Point) -> io::Result<()> {
        io::Write::write_all(&mut file, bytes)
    }

    pub(crate) fn can_sync_file_system() -> bool {
        true
    }

    pub(crate) fn kept_time(nanoseconds: i128) -> i128 {
        nanoseconds
    }
}

#[cfg(any(test, feature = "fail-points"))]
mod registry {
    use super::Point;
    use crate::fs::change::Change;
    use crate::fs::platform;
    use crate::fs::unsynced::{Ledger, Loss};
    use std::cell::RefCell;
    use std::fs::File;
    use std::io::{self, Seek as _, Write as _};
    use std::path::Path;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

    /// What a point does when its passage comes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Action {
        /// The process ends at once.
        Kill,
        /// The same, and what was not made durable is lost.
        Lose(Loss),
        /// The process stops, and goes on when it is told to.
        Stop,
        /// The operation fails with this error.
        Fail(io::ErrorKind),
    }

    /// The two moments of a step.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Moment {
        Before,
        After,
    }

    #[derive(Debug)]
    struct Armed {
        /// The name of a point, or `*`.
        name: String,
        moment: Moment,
        /// Which passage acts, from 1; later ones do not.
        passage: u64,
        action: Action,
        passed: AtomicU64,
    }

    impl Armed {
        fn parse(text: &str) -> Option<Armed> {
            let (place, action) = text.split_once('=')?;
            let (place, passage) = place.split_once(':').unwrap_or((place, "1"));
            let (name, moment) = place.strip_suffix("+after").map_or((place, Moment::Before), |name| (name, Moment::After));
            let known = name == "*" || Point::ALL.iter().any(|point| point.name() == name);
            let action = match action {
                "kill" => Action::Kill,
                "lose-content" => Action::Lose(Loss::Content),
                "lose-latest" => Action::Lose(Loss::Latest),
                "lose-unsynced" => Action::Lose(Loss::Unsynced),
                "stop" => Action::Stop,
                "error" => Action::Fail(io::ErrorKind::Other),
                "enospc" => Action::Fail(io::ErrorKind::StorageFull),
                "eacces" => Action::Fail(io::ErrorKind::PermissionDenied),
                "ebusy" => Action::Fail(io::ErrorKind::ResourceBusy),
                _ => return None,
            };
            let possible = known && (moment == Moment::Before || !matches!(action, Action::Fail(_)));
            let passage = passage.parse().ok().filter(|_| possible)?;
            Some(Armed { name: name.to_owned(), moment, passage, action, passed: AtomicU64::new(0) })
        }

        fn hit(&self, point: Point, moment: Moment) -> Option<Action> {
            let named = (self.name == "*" || self.name == point.name()) && self.moment == moment;
            (named && self.passed.fetch_add(1, Ordering::Relaxed) + 1 == self.passage).then_some(self.action)
        }
    }

    thread_local! {
        static HERE: RefCell<Vec<Armed>> = const { RefCell::new(Vec::new()) };
    }

    /// Arms points for this thread, as the environment variable does for the process, in place of those armed before; an empty text arms none.
    ///
    /// # Panics
    /// When the text is not of the form above: a test that arms nothing would prove nothing.
    pub fn arm(text: &str) {
        HERE.with(|here| *here.borrow_mut() = parse(text));
    }

    /// Whether a point that was armed for this thread has acted.
    pub fn has_acted() -> bool {
        HERE.with(|here| here.borrow().iter().any(|armed| armed.passed.load(Ordering::Relaxed) >= armed.passage))
    }

    /// How often each of the points that were armed for this thread was passed.
    pub fn passages() -> Vec<u64> {
        HERE.with(|here| here.borrow().iter().map(|armed| armed.passed.load(Ordering::Relaxed)).collect())
    }

    fn parse(text: &str) -> Vec<Armed> {
        let armed = |text: &str| Armed::parse(text).unwrap_or_else(|| panic!("`{text}` is not NAME[+after][:N]=ACTION"));
        text.split(',').filter(|text| !text.is_empty()).map(armed).collect()
    }

    fn hit(point: Point, moment: Moment) -> Option<Action> {
        tell(point, moment);
        static PROCESS: LazyLock<Vec<Armed>> = LazyLock::new(|| parse(&variable("STATIONMASTER_FAIL_POINT")));
        let first = |armed: &[Armed]| armed.iter().fold(None, |found, armed| armed.hit(point, moment).or(found));
        HERE.with(|here| first(&here.borrow())).or_else(|| first(&PROCESS))
    }

    /// Says that the moment is passed, when anybody wants to know.
    fn tell(point: Point, moment: Moment) {
        static PASSAGES: LazyLock<Option<File>> = LazyLock::new(|| {
            let path = Some(variable("STATIONMASTER_FAULT_PASSAGES")).filter(|path| !path.is_empty())?;
            let file = File::options().create(true).append(true).open(&path);
            Some(file.unwrap_or_else(|error| panic!("the list of passages `{path}`: {error}")))
        });
        let Some(mut file) = PASSAGES.as_ref() else { return };
        let after = if moment == Moment::After { "+after" } else { "" };
        file.write_all(format!("{}{after}\n", point.name()).as_bytes()).expect("the list of passages can be written");
    }

    fn act(action: Action, point: Point) -> io::Result<()> {
        match action {
            Action::Kill => crate::fs::end_process(),
            Action::Lose(loss) => lose(loss),
            Action::Stop => crate::fs::stop_process(),
            Action::Fail(kind) => Err(io::Error::new(kind, format!("fail point {}", point.name()))),
        }
    }

    /// Loses what is not durable, and ends the process: for the end of a run, where no point is left to do so.
    ///
    /// # Panics
    /// When there is no graveyard, or what is in it cannot come back: a test that lost less than it says would prove nothing.
    pub fn lose(loss: Loss) -> ! {
        let mut ledger = ledger().expect("STATIONMASTER_FAULT_GRAVEYARD names a folder");
        ledger.lose(loss).expect("what is not durable can be taken back");
        crate::fs::end_process()
    }

    /// What is not durable, when anybody wants to know.
    fn ledger() -> Option<MutexGuard<'static, Ledger>> {
        static LEDGER: LazyLock<Option<Mutex<Ledger>>> = LazyLock::new(|| {
            let path = Some(variable("STATIONMASTER_FAULT_GRAVEYARD")).filter(|path| !path.is_empty())?;
            let graveyard = platform::Dir::open(Path::new(&path)).unwrap_or_else(|error| panic!("the graveyard `{path}`: {error}"));
            Some(Mutex::new(Ledger::new(graveyard)))
        });
        LEDGER.as_ref().map(|ledger| ledger.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether an fsync at `point` is to be worth nothing.
    fn is_forgotten(point: Point, change: Change<'_>) -> bool {
        static FORGOTTEN: LazyLock<String> = LazyLock::new(|| variable("STATIONMASTER_FAULT_FORGET_SYNC"));
        let is_sync = matches!(change, Change::SyncFile { .. } | Change::SyncFileOf { .. } | Change::SyncFolder { .. } | Change::SyncAll);
        is_sync && (*FORGOTTEN == "*" || *FORGOTTEN == point.name())
    }

    /// Does `act`, unless the moment before it is hit.
    pub(crate) fn around<T>(point: Point, change: Change<'_>, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if let Some(action) = hit(point, Moment::Before) {
            self::act(action, point)?;
        }
        let named = ledger().map_or(Ok(None), |mut ledger| ledger.before(change))?;
        let done = act()?;
        if let Some(mut ledger) = ledger().filter(|_| !is_forgotten(point, change)) {
            ledger.after(change, named)?;
        }
        if let Some(action) = hit(point, Moment::After) {
            self::act(action, point)?;
        }
        Ok(done)
    }

    /// Writes `bytes`; when the moment before it is hit, half of them.
    pub(crate) fn write_all(mut file: &File, bytes: &[u8], point: Point) -> io::Result<()> {
        if let Some(mut ledger) = ledger() {
            ledger.before(Change::Write { file, from: file.stream_position()? })?;
        }
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        file.write_all(first)?;
        hit(point, Moment::Before).map_or(Ok(()), |action| act(action, point))?;
        file.write_all(rest)?;
        hit(point, Moment::After).map_or(Ok(()), |action| act(action, point))
    }

    /// Whether [`Change::SyncAll`] is to be had.
    pub(crate) fn can_sync_file_system() -> bool {
        static CANNOT: LazyLock<bool> = LazyLock::new(|| !variable("STATIONMASTER_FAULT_NO_SYNCFS").is_empty());
        !*CANNOT
    }

    fn variable(name: &str) -> String {
        std::env::var(name).unwrap_or_default()
    }

    /// The time that a file system of the armed granularity keeps of `nanoseconds`.
    pub(crate) fn kept_time(nanoseconds: i128) -> i128 {
        static GRANULARITY: LazyLock<i128> = LazyLock::new(|| {
            let set = variable("STATIONMASTER_FAULT_MTIME_GRANULARITY_NS").parse().ok();
            set.filter(|granularity| *granularity > 0).unwrap_or(1)
        });
        let granularity = *GRANULARITY;
        nanoseconds.div_euclid(granularity) * granularity
    }
}

#[cfg(any(test, feature = "fail-points"))]
pub use super::unsynced::Loss;
#[cfg(any(test, feature = "fail-points"))]
pub use registry::{Action, arm, has_acted, lose, passages};
pub(crate) use registry::{around, can_sync_file_system, kept_time, write_all};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::change::Change;
    use std::collections::HashSet;

    #[test]
    fn every_point_has_its_own_name() {
        let names: HashSet<&str> = Point::ALL.iter().map(|point| point.name()).collect();
        assert_eq!(names.len(), Point::ALL.len());
    }

    #[test]
    fn a_point_acts_at_its_passage_and_no_other() {
        let mut changes = 0;
        let mut pass = |point| {
            around(point, Change::InstallFolder, || {
                changes += 1;
                Ok(())
            })
            .map_err(|error| error.kind())
        };
        arm("swap.put:2=enospc,swap.out=eacces");
        assert_eq!(pass(Point::SwapPut), Ok(()));
        assert_eq!(pass(Point::SwapKeep), Ok(()));
        assert_eq!(pass(Point::SwapPut), Err(std::io::ErrorKind::StorageFull));
        assert_eq!(pass(Point::SwapPut), Ok(()));
        assert_eq!(pass(Point::SwapOut), Err(std::io::ErrorKind::PermissionDenied));
        arm("");
        assert_eq!(changes, 3, "what fails is not done");
    }

    #[test]
    #[should_panic(expected = "swap.put+after=enospc")]
    fn what_is_done_cannot_fail_any_more() {
        arm("swap.put+after=enospc");
    }
}
