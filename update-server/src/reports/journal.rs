//! The journal of what stations reported: `FOLDER/2026-11.jsonl`, one line per attempt, one file per month of receipt (UTC), only ever appended to (`docs/format.md` section 19).
//!
//! An attempt is known by its station's key and its id, and written down once as long as the journal remembers it. What [`Journal::append`] returned from is on disk: the lines of a report go out
//! in one write and are fsynced before the station hears that they are taken. A cut can tear the last line: readers skip it, the next writer begins on a new line, and the station, which
//! heard nothing, says it again. A month has an end ([`JournalError::Full`]), and months that are too old go, so there is an end to the disk that strangers can fill.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use manifests::channel::FORMAT;
use manifests::digest::Digest;
use manifests::key::KeyId;
use manifests::name::Name;
use manifests::report::Event;
use manifests::time::UtcTime;
use serde::{Deserialize, Serialize};

/// Held while a server writes: two would not know of each other's lines.
const LOCK: &str = "lock";

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    /// When this server wrote it down, by its own clock.
    pub received: UtcTime,
    /// The key of the station that signed it.
    pub station: KeyId,
    /// The content repository.
    pub repository: Name,
    /// What the station said.
    pub event: Event,
}

/// The journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused.
    #[error("{doing} the journal `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another server writes it.
    #[error("the journal `{}` is written by another server: give each its own `reports.journal`", .0.display())]
    Held(PathBuf),
    /// The month has had its bytes.
    #[error(
        "the journal has {bytes} bytes for {month} already: raise `reports.max_month_bytes`, or find out with `update-server journal` who tells so much"
    )]
    Full {
        /// The month.
        month: String,
        /// What is there.
        bytes: u64,
    },
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { doing, path, source }
}

impl Entry {
    /// What `station` reported, received now.
    pub fn new(received: UtcTime, station: KeyId, repository: Name, event: Event) -> Entry {
        Entry { format: FORMAT, document: "journal".into(), received, station, repository, event }
    }

    /// By what it is known again.
    fn identity(&self) -> Digest {
        Digest::of(format!("{} {}", self.station, self.event.attempt.id).as_bytes())
    }

    fn parse(line: &[u8]) -> Option<Entry> {
        let entry: Entry = serde_json::from_slice(line).ok()?;
        (entry.format == FORMAT && entry.document == "journal").then_some(entry)
    }
}

/// The journal of one repository, open for writing by this process alone.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    keep_months: usize,
    max_month_bytes: u64,
    known: HashSet<Digest>,
    /// The month that was looked after last.
    month: String,
    /// Locked while it is open.
    _lock: File,
}

impl Journal {
    /// Opens the journal in `folder`, which is made when it is missing; `seen` is called with every line that is there, oldest first.
    pub fn open(
        folder: &Path,
        keep_months: usize,
        max_month_bytes: u64,
        now: UtcTime,
        mut seen: impl FnMut(&Entry),
    ) -> Result<Journal, JournalError> {
        let mut builder = DirBuilder::new();
        // It holds names of people.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(folder).map_err(io_error("make", folder))?;
        let lock = OpenOptions::new().create(true).append(true).open(folder.join(LOCK)).map_err(io_error("lock", folder))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Held(folder.to_owned())),
            Err(TryLockError::Error(source)) => return Err(io_error("lock", folder)(source)),
        }
        let mut journal =
            Journal { folder: folder.to_owned(), keep_months, max_month_bytes, known: HashSet::new(), month: String::new(), _lock: lock };
        journal.turn(now)?;
        read(folder, |entry| {
            seen(&entry);
            journal.known.insert(entry.identity());
        })?;
        Ok(journal)
    }

    /// Whether this attempt of this station is written down already.
    pub fn knows(&self, entry: &Entry) -> bool {
        self.known.contains(&entry.identity())
    }

    /// Writes `entries` down, durably and all of them, or nothing that a reader sees as a line.
    pub fn append(&mut self, entries: &[Entry], now: UtcTime) -> Result<(), JournalError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.turn(now)?;
        let path = self.folder.join(format!("{}.jsonl", self.month));
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.create(true).read(true).append(true).open(&path).map_err(io_error("open", &path))?;
        let length = file.metadata().map_err(io_error("look at", &path))?.len();
        let mut bytes = vec![];
        if length > 0 && !ends_a_line(&mut file, length).map_err(io_error("read", &path))? {
            bytes.push(b'\n');
        }
        for entry in entries {
            // Text and numbers only: nothing in it can fail to serialise.
            bytes.extend(serde_json::to_vec(entry).unwrap_or_default());
            bytes.push(b'\n');
        }
        if length.saturating_add(bytes.len() as u64) > self.max_month_bytes {
            return Err(JournalError::Full { month: self.month.clone(), bytes: length });
        }
        let written = file.write_all(&bytes).and_then(|()| file.sync_data());
        if let Err(source) = written {
            // What cannot be taken back is said again by its station, and known by its id.
            let _ = file.set_len(length);
            return Err(io_error("write", &path)(source));
        }
        if length == 0 {
            sync_folder(&self.folder).map_err(io_error("write", &self.folder))?;
        }
        self.known.extend(entries.iter().map(Entry::identity));
        Ok(())
    }

    /// In a new month, removes the oldest ones beyond those that are kept. Counted are months that are there, so that a clock that jumps ahead costs nothing.
    fn turn(&mut self, now: UtcTime) -> Result<(), JournalError> {
        let month = month_of(now);
        if month == self.month {
            return Ok(());
        }
        let others: Vec<(String, PathBuf)> = months(&self.folder)?.into_iter().filter(|(other, _)| *other != month).collect();
        let surplus = (others.len() + 1).saturating_sub(self.keep_months);
        for (old, path) in others.into_iter().take(surplus) {
            fs::remove_file(&path).map_err(io_error("remove an old month of", &path))?;
            tracing::info!(journal.month = old, "a month of the journal is past its time and was removed");
        }
        self.month = month;
        Ok(())
    }
}

/// Hands over everything in the journal at `folder`, oldest first; nothing where there is none. What does not parse is passed over.
pub fn read(folder: &Path, mut each: impl FnMut(Entry)) -> Result<(), JournalError> {
    for (_, path) in months(folder)? {
        let mut lines = BufReader::new(File::open(&path).map_err(io_error("read", &path))?);
        let mut line = vec![];
        while lines.read_until(b'\n', &mut line).map_err(io_error("read", &path))? > 0 {
            Entry::parse(&line).into_iter().for_each(&mut each);
            line.clear();
        }
    }
    Ok(())
}

/// The files of the journal with their months, oldest first.
fn months(folder: &Path) -> Result<Vec<(String, PathBuf)>, JournalError> {
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        listed => listed.map_err(io_error("list", folder))?,
    };
    let mut months = vec![];
    for file in listed {
        let file = file.map_err(io_error("list", folder))?;
        let name = file.file_name();
        let month = name.to_str().and_then(|name| name.strip_suffix(".jsonl"));
        months.extend(month.filter(|month| is_month(month)).map(|month| (month.to_owned(), file.path())));
    }
    months.sort();
    Ok(months)
}

/// `2026-11`.
pub(super) fn month_of(now: UtcTime) -> String {
    now.to_string().chars().take(7).collect()
}

fn is_month(text: &str) -> bool {
    text.len() == 7 && text.bytes().enumerate().all(|(at, byte)| if at == 4 { byte == b'-' } else { byte.is_ascii_digit() })
}

fn ends_a_line(file: &mut File, length: u64) -> io::Result<bool> {
    use std::io::{Read as _, Seek as _};
    file.seek(io::SeekFrom::Start(length - 1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Makes the name of a new file durable.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows makes the name durable with the file.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcTime {
        text.parse().unwrap()
    }

    fn entry(id: u64) -> Entry {
        let text = format!(
            r#"{{"attempt":{{"id":"{id:016x}","time":"2025-11-21T00:00:00Z","host":"till","os_user":"ana","trigger":"update","result":"applied"}}}}"#
        );
        let event: Event = serde_json::from_str(&text).unwrap();
        Entry::new(at("2026-11-21T00:00:00Z"), KeyId::from_text("k"), "acme".parse().unwrap(), event)
    }

    fn open(folder: &Path, now: &str) -> Journal {
        Journal::open(folder, 3, 10_000, at(now), |_| {}).unwrap()
    }

    #[test]
    fn f6_a_torn_last_line_costs_itself_and_is_said_again() {
        let temp = tempfile::tempdir().unwrap();
        let mut journal = open(temp.path(), "2026-11-21T00:00:00Z");
        journal.append(&[entry(1), entry(2)], at("2026-11-21T00:00:00Z")).unwrap();
        drop(journal);
        let file = temp.path().join("2026-11.jsonl");
        let whole = fs::read(&file).unwrap();
        for cut in 1..whole.len() {
            fs::write(&file, &whole[..cut]).unwrap();
            let mut journal = open(temp.path(), "2026-11-21T00:00:00Z");
            let missing: Vec<Entry> = [entry(1), entry(2)].into_iter().filter(|entry| !journal.knows(entry)).collect();
            journal.append(&missing, at("2026-11-21T00:00:00Z")).unwrap();
            drop(journal);
            let mut found = vec![];
            read(temp.path(), |entry| found.push(entry)).unwrap();
            found.sort_by_key(|entry| entry.event.attempt.id);
            assert_eq!(found, [entry(1), entry(2)], "cut at {cut}");
        }
    }

    #[test]
    fn months_have_files_of_their_own_and_old_ones_go() {
        let temp = tempfile::tempdir().unwrap();
        let mut journal = open(temp.path(), "2026-11-30T23:59:59Z");
        for (id, month) in (1..).zip(["2026-11-30T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-05T00:00:00Z"]) {
            journal.append(&[entry(id)], at(month)).unwrap();
        }
        fs::write(temp.path().join("notes.jsonl"), "somebody's own").unwrap();
        let names = |journal: &Journal| months(&journal.folder).unwrap().into_iter().map(|(month, _)| month).collect::<Vec<_>>();
        assert_eq!(names(&journal), ["2026-11", "2026-12", "2027-01"]);
        journal.append(&[entry(4)], at("2027-02-01T00:00:00Z")).unwrap();
        assert_eq!(names(&journal), ["2026-12", "2027-01", "2027-02"]);
        journal.append(&[entry(5)], at("2099-01-01T00:00:00Z")).unwrap();
        assert_eq!(names(&journal), ["2027-01", "2027-02", "2099-01"], "a wrong clock costs one month");
        assert!(temp.path().join("notes.jsonl").exists());
    }

    #[test]
    fn two_servers_do_not_write_one_journal() {
        let temp = tempfile::tempdir().unwrap();
        let first = open(temp.path(), "2026-11-21T00:00:00Z");
        let second = Journal::open(temp.path(), 3, 10_000, at("2026-11-21T00:00:00Z"), |_| {});
        assert!(matches!(second, Err(JournalError::Held(_))));
        drop(first);
        open(temp.path(), "2026-11-21T00:00:00Z");
    }

    #[cfg(unix)]
    #[test]
    fn names_of_people_are_for_the_server_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("journal");
        open(&folder, "2026-11-21T00:00:00Z").append(&[entry(1)], at("2026-11-21T00:00:00Z")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("2026-11.jsonl"))), (0o700, 0o600));
    }
}
