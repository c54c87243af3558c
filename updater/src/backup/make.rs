//! Makes a backup of the folder as it is (design section 6).
//!
//! Backups link to each other, never to a file that stays live: a file that the swap is about to move away gives its own inode then; one that has not changed since an earlier backup is a
//! hard link to the verified file there; any other is copied (by reference where the file system can). So nothing that is written to a live file later reaches a backup, and nothing here
//! ever writes to, touches or chmods a file that has a second name.
//!
//! A copy belongs to whoever makes it, so it gives nobody what the original did not give: no setuid or setgid bit of another account comes along, and where root works for others, no write right
//! of anybody else either ([`Folder::mode_of_copy`], attack F4).
//!
//! Whether a file has changed since an earlier backup is told by size, mode and full-precision time of the live file *and* of the backed-up one, and by the digests of the release where
//! there is one. A user's own file that was changed with all of these put back is taken for unchanged.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io;

use super::record::{Record, RecordedFile};
use super::slots::record_of;
use super::{Estimate, slots};
use crate::fs::{self, Dir, Folder, FsError, Kind, LocalPath, Point, Stat};
use crate::installed::Installed;
use crate::progress::Progress;
use crate::swap::operation::{FileIdentity, Identity};

/// How often a file that changes while it is copied is copied again.
const COPY_TRIES: u32 = 3;

/// An earlier backup that unchanged files may be linked to. Its record is read when it is first needed.
pub(crate) struct Source {
    /// Where it is.
    at: LocalPath,
    record: OnceCell<Option<Record>>,
}

impl Source {
    /// The backup at `at`.
    pub(crate) fn new(at: LocalPath) -> Source {
        Source { at, record: OnceCell::new() }
    }

    /// What its record says of `path`. A backup whose record cannot be read lends nothing.
    fn file(&self, folder: &Folder, path: &LocalPath) -> Option<&FileIdentity> {
        let read = || Record::parse(&folder.read(&record_of(&self.at)).ok()??).ok();
        self.record.get_or_init(read).as_ref()?.file(path)
    }
}

/// What is known before a backup is made.
pub(crate) struct Known<'a> {
    /// What is installed: the digests of files that are as installed need not be found out again.
    pub(crate) installed: Option<&'a Installed>,
    /// What the swap moves away: it goes into the backup then, and is only recorded now.
    pub(crate) moved: &'a BTreeMap<LocalPath, Identity>,
    /// Earlier backups of ours, the one to prefer first.
    pub(crate) sources: Vec<Source>,
}

/// A backup in the making, or only counted.
pub(crate) struct Maker<'a> {
    folder: &'a Folder,
    known: &'a Known<'a>,
    progress: &'a dyn Progress,
    /// What is recorded; stays empty when only counting.
    record: Record,
    counts: Estimate,
    warnings: Vec<String>,
}

/// One folder on the way down.
struct Level<'d> {
    path: &'d LocalPath,
    live: &'d Dir,
    /// Where copies and links go; `None` when only counting.
    target: Option<&'d Dir>,
    /// The level above, and the name of this folder there.
    above: Option<(&'d Level<'d>, &'d [u8])>,
    /// The same folder in each source, where it has it; opened when it is first needed.
    sources: Vec<OnceCell<Option<Dir>>>,
}

impl Level<'_> {
    /// This folder in the source `index`.
    fn in_source(&self, maker: &Maker<'_>, index: usize) -> Option<&Dir> {
        let open = || match self.above {
            Some((above, name)) => {
                let above = above.in_source(maker, index)?;
                above.stat(name).ok().flatten().filter(|stat| maker.folder.is_ours_alone(stat))?;
                above.open_folder(name).ok()
            }
            None => maker.folder.find_folder(&maker.known.sources[index].at).ok().flatten(),
        };
        self.sources[index].get_or_init(open).as_ref()
    }
}

impl<'a> Maker<'a> {
    pub(crate) fn new(folder: &'a Folder, known: &'a Known<'a>, record: Record, progress: &'a dyn Progress) -> Maker<'a> {
        Maker { folder, known, progress, record, counts: Estimate::default(), warnings: vec![] }
    }

    /// Counts what [`Maker::make`] would do.
    pub(crate) fn count(mut self) -> Result<Estimate, FsError> {
        self.run(None)?;
        Ok(self.counts)
    }

    /// Fills `.updater/backup`, which must not exist; returns its record and what could not be read. It is not durable yet.
    pub(crate) fn make(mut self) -> Result<(Record, Vec<String>), FsError> {
        let at = slots::new_backup();
        self.folder.make_folder(&at, Point::BackupFolder)?;
        let target = self.folder.open_folder(&at)?;
        self.run(Some(&target))?;
        self.record.sort();
        Ok((self.record, self.warnings))
    }

    fn run(&mut self, target: Option<&Dir>) -> Result<(), FsError> {
        let root = LocalPath::root();
        let live = self.folder.open_folder(&root)?;
        self.back_up(&Level { path: &root, live: &live, target, above: None, sources: self.unopened() })
    }

    fn unopened(&self) -> Vec<OnceCell<Option<Dir>>> {
        self.known.sources.iter().map(|_| OnceCell::new()).collect()
    }

    fn back_up(&mut self, level: &Level<'_>) -> Result<(), FsError> {
        let names = match level.live.names() {
            Ok(names) => names,
            Err(source) => return self.skip(level.path, &source),
        };
        let mut done = 0;
        for name in names.iter().filter(|name| !level.path.is_root() || !LocalPath::is_reserved_name(name)) {
            let path = level.path.join(name);
            let stat = match level.live.stat(name) {
                Ok(Some(stat)) => stat,
                // It went away meanwhile, and so would have a moment earlier.
                Ok(None) => continue,
                Err(source) => {
                    self.skip(&path, &source)?;
                    continue;
                }
            };
            match stat.kind {
                Kind::File => {
                    self.file(level, name, path, &stat)?;
                    done += 1;
                }
                Kind::Folder => self.enter(level, name, path, &stat)?,
                Kind::Link => self.link(level, name, path)?,
                Kind::Other => self.record.skipped.push(path),
            }
        }
        self.progress.advance(done);
        Ok(())
    }

    fn enter(&mut self, level: &Level<'_>, name: &[u8], path: LocalPath, stat: &Stat) -> Result<(), FsError> {
        let live = match fs::open_within_depth(level.live, name, &path) {
            Ok(live) => live,
            Err(source) => return self.skip(&path, &source),
        };
        let target = match level.target {
            // Ours to enter, whatever the mode of the original.
            Some(target) => Some(
                target
                    .make_folder(name, self.folder.mode_of_copy(stat) | 0o700, Point::BackupFolder)
                    .map_err(|source| FsError::io("backing up", &path, source))?,
            ),
            None => None,
        };
        self.back_up(&Level { path: &path, live: &live, target: target.as_ref(), above: Some((level, name)), sources: self.unopened() })?;
        self.record.folders.push(path);
        Ok(())
    }

    fn link(&mut self, level: &Level<'_>, name: &[u8], path: LocalPath) -> Result<(), FsError> {
        let failed = |source| FsError::io("backing up the link", &path, source);
        let link = level.live.read_link(name).map_err(failed)?;
        if let Some(target) = level.target
            && !self.known.moved.contains_key(&path)
        {
            match target.make_link(&link, name, Point::BackupSymlink) {
                // Users of Windows may make none.
                Err(source) if source.kind() == io::ErrorKind::Unsupported => return self.skip(&path, &source),
                made => made.map_err(failed)?,
            }
        }
        self.record.links.push((path, link));
        Ok(())
    }

    fn file(&mut self, level: &Level<'_>, name: &[u8], path: LocalPath, stat: &Stat) -> Result<(), FsError> {
        if let Some(identity) = self.known.moved.get(&path) {
            self.counts.moved_files += 1;
            if let Identity::File(identity) = identity {
                self.record.files.push(RecordedFile { path, identity: *identity });
            }
            return Ok(());
        }
        if let Some(identity) = self.link_to_earlier(level, name, &path, stat).map_err(|source| FsError::io("backing up", &path, source))? {
            self.counts.linked_files += 1;
            self.record.files.push(RecordedFile { path, identity });
            return Ok(());
        }
        self.counts.copied_files += 1;
        self.counts.copied_bytes += stat.size;
        let Some(target) = level.target else { return Ok(()) };
        match level.live.open_file(name) {
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => self.skip(&path, &source),
            Ok(file) => {
                let (identity, is_steady) =
                    self.copy(level.live, name, file, target).map_err(|source| FsError::io("backing up", &path, source))?;
                if !is_steady {
                    self.warnings.push(format!("`{path}` was being written while it was backed up; the backup may hold a part of the old and a part of the new content"));
                }
                self.record.files.push(RecordedFile { path, identity });
                Ok(())
            }
        }
    }

    /// Links the file to the first earlier backup that has exactly it; `None` when none has.
    fn link_to_earlier(&self, level: &Level<'_>, name: &[u8], path: &LocalPath, stat: &Stat) -> io::Result<Option<FileIdentity>> {
        let released =
            self.known.installed.and_then(|installed| installed.file_at(path.as_bytes())).filter(|file| file.is_as_installed(stat));
        // As it would look when it were copied.
        let stat = &Stat { mode: self.folder.mode_of_copy(stat), ..*stat };
        let look = |stat: &Stat| (stat.kind, stat.size, stat.seconds, stat.nanoseconds, stat.mode);
        for (index, source) in self.known.sources.iter().enumerate() {
            let Some(there) = level.in_source(self, index) else { continue };
            if !there.stat(name)?.is_some_and(|other| look(&other) == look(stat) && self.folder.is_ours_alone(&other)) {
                continue;
            }
            let Some(identity) = source.file(self.folder, path).filter(|identity| identity.looks_like(stat)) else { continue };
            if released.is_some_and(|file| file.sha256 != identity.sha256) {
                continue;
            }
            let Some(target) = level.target else { return Ok(Some(*identity)) };
            match there.link(name, target, name, Point::BackupLink) {
                Ok(()) => return Ok(Some(*identity)),
                // The file has as many names as it may have, or the file system knows no second names.
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::TooManyLinks | io::ErrorKind::Unsupported | io::ErrorKind::CrossesDevices) => {
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn skip(&mut self, path: &LocalPath, why: &io::Error) -> Result<(), FsError> {
        self.warnings.push(format!("`{path}` cannot be read ({why}), so it is not in the backup"));
        self.record.skipped.push(path.clone());
        Ok(())
    }

    /// Copies the live file `name`, open as `file`, to `target`; what was copied by the last try is what counts. Also whether the file held still for it.
    fn copy(&self, live: &Dir, name: &[u8], mut file: std::fs::File, target: &Dir) -> io::Result<(FileIdentity, bool)> {
        for attempt in 1.. {
            let before = fs::file_stat(&file)?;
            let mut copied = target.create_file(name, 0o600, Point::BackupCopy)?;
            let sha256 = fs::copy_content(&mut file, &mut copied, Point::BackupCopy)?;
            let after = fs::file_stat(&file)?;
            let is_steady = (before.size, before.seconds, before.nanoseconds) == (after.size, after.seconds, after.nanoseconds);
            if is_steady || attempt == COPY_TRIES {
                fs::set_mode(&copied, self.folder.mode_of_copy(&before), Point::BackupCopy)?;
                fs::set_time(&copied, before.seconds, before.nanoseconds, Point::BackupCopy)?;
                return Ok((FileIdentity::of(&fs::file_stat(&copied)?, sha256), is_steady));
            }
            target.remove_file(name, Point::BackupCopy)?;
            file = live.open_file(name)?;
        }
        Err(io::ErrorKind::Interrupted.into())
    }
}
