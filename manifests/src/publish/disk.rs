//! The one module that changes files of a repository.
//!
//! Every file is written beside its name, fsynced, renamed, and its folder fsynced, so that a name always leads to complete bytes, also after a power cut. A file named by
//! its hash that is there already is read and hashed before it is relied on, and replaced when it is wrong.
//!
//! Each step can be made to fail in tests ([`Disk::stop_after`]): what the steps before it left is then exactly what a crash would leave.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::channel::ObjectRef;
use crate::digest::{Digest, Hasher};
use crate::publish::keys::{could_be_key, is_private_key};
use crate::publish::layout;

/// A file of a repository could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{}`: {source}", path.display())]
pub struct DiskError {
    /// What was being done.
    pub action: &'static str,
    /// To what.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// What an I/O error was about.
pub(crate) fn failed<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> DiskError + 'a {
    move |source| DiskError { action, path: path.to_owned(), source }
}

/// The folder of a repository.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    /// Steps that may still be done; `u64::MAX` is no limit.
    steps_left: AtomicU64,
}

/// How often a file was, or was not, written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was written.
    Written,
    /// It was there already with the same bytes.
    Present,
}

impl Disk {
    /// The repository at `root`.
    pub fn new(root: &Path) -> Disk {
        Disk { root: root.to_owned(), steps_left: AtomicU64::new(u64::MAX) }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Lets `steps` more changes happen, then fails every further one: a crash at that point. Each file takes two steps, written beside and renamed.
    pub fn stop_after(&self, steps: u64) {
        self.steps_left.store(steps, Ordering::Relaxed);
    }

    /// Takes one step.
    fn step(&self, path: &Path) -> Result<(), DiskError> {
        let stopped =
            || DiskError { action: "go on after a fault point before", path: path.to_owned(), source: io::Error::other("fault point") };
        let left = self.steps_left.load(Ordering::Relaxed);
        if left == u64::MAX {
            return Ok(());
        }
        self.steps_left.store(left.saturating_sub(1), Ordering::Relaxed);
        if left == 0 { Err(stopped()) } else { Ok(()) }
    }

    /// Where `relative` lies.
    pub fn path(&self, relative: &str) -> PathBuf {
        let mut path = self.root.clone();
        path.extend(relative.split('/'));
        path
    }

    /// The bytes of `relative`, at most `limit`; `None` when it is not there.
    pub fn read(&self, relative: &str, limit: u64) -> Result<Option<Vec<u8>>, DiskError> {
        let path = self.path(relative);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("open", &path)(error)),
        };
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed("read", &path))?;
        if bytes.len() as u64 > limit {
            return Err(failed("read", &path)(io::Error::other(format!("it is longer than the {limit} bytes allowed"))));
        }
        Ok(Some(bytes))
    }

    /// Length and digest of `relative`; `None` when it is not there.
    pub fn measure(&self, relative: &str) -> Result<Option<ObjectRef>, DiskError> {
        let path = self.path(relative);
        match File::open(&path) {
            Ok(file) => measure(file).map(Some).map_err(failed("read", &path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("open", &path)(error)),
        }
    }

    /// Makes `relative` hold `bytes`, unless it does already.
    pub fn put(&self, relative: &str, bytes: &[u8]) -> Result<Put, DiskError> {
        let wanted = ObjectRef { sha256: Digest::of(bytes), length: bytes.len() as u64 };
        if self.measure(relative)? == Some(wanted) {
            return Ok(Put::Present);
        }
        let folder = self.folder_of(relative)?;
        let mut beside = Beside::create(self, folder)?;
        beside.write(bytes)?;
        beside.rename(relative)?;
        Ok(Put::Written)
    }

    /// A new object, to be written piece by piece.
    pub fn object(&self) -> Result<ObjectWriter<'_>, DiskError> {
        let folder = self.folder_of("objects/_")?;
        Ok(ObjectWriter { beside: Beside::create(self, folder)?, hasher: Hasher::new(), length: 0 })
    }

    /// Removes `relative`, and the folders that it leaves empty below the served ones.
    pub fn remove(&self, relative: &str) -> Result<(), DiskError> {
        let path = self.path(relative);
        self.step(&path)?;
        fs::remove_file(&path).map_err(failed("remove", &path))?;
        let mut folder = relative;
        while let Some((parent, _)) = folder.rsplit_once('/') {
            if !parent.contains('/') || fs::remove_dir(self.path(parent)).is_err() {
                break;
            }
            folder = parent;
        }
        Ok(())
    }

    /// Every file below `folder`, relative to the repository, in no order. Empty when there is no such folder.
    pub fn files(&self, folder: &str) -> Result<Vec<String>, DiskError> {
        let mut found = Vec::new();
        let mut pending = vec![folder.to_owned()];
        while let Some(folder) = pending.pop() {
            let path = self.path(&folder);
            let entries = match fs::read_dir(&path) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed("list", &path)(error)),
            };
            for entry in entries {
                let entry = entry.map_err(failed("list", &path))?;
                let relative = format!("{folder}/{}", entry.file_name().to_string_lossy());
                match entry.file_type().map_err(failed("list", &path))?.is_dir() {
                    true => pending.push(relative),
                    false => found.push(relative),
                }
            }
        }
        Ok(found)
    }

    /// The folder that holds `relative`, made if it is missing.
    fn folder_of(&self, relative: &str) -> Result<PathBuf, DiskError> {
        let folder = relative.rsplit_once('/').map_or_else(|| self.root.clone(), |(folder, _)| self.path(folder));
        if !folder.is_dir() {
            fs::create_dir_all(&folder).map_err(failed("make", &folder))?;
            // A new folder is an entry of its parents: they are fsynced too, up to the repository.
            for parent in folder.ancestors().skip(1).take_while(|parent| parent.starts_with(&self.root)) {
                sync_folder(parent).map_err(failed("fsync", parent))?;
            }
        }
        Ok(folder)
    }
}

/// A file that is being written beside the place it will have.
struct Beside<'a> {
    disk: &'a Disk,
    file: File,
    path: PathBuf,
}

impl<'a> Beside<'a> {
    fn create(disk: &'a Disk, folder: PathBuf) -> Result<Self, DiskError> {
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).map_err(|error| failed("name a file in", &folder)(io::Error::other(error.to_string())))?;
        let path = folder.join(format!("{}{}", layout::TEMPORARY, hex::encode(random)));
        disk.step(&path)?;
        let file = File::create_new(&path).map_err(failed("create", &path))?;
        Ok(Beside { disk, file, path })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.file.write_all(bytes).map_err(failed("write", &self.path))
    }

    fn rename(self, relative: &str) -> Result<(), DiskError> {
        self.file.sync_all().map_err(failed("fsync", &self.path))?;
        let Beside { disk, file, path } = self;
        drop(file);
        let folder = disk.folder_of(relative)?;
        disk.step(&path)?;
        let place = disk.path(relative);
        fs::rename(&path, &place).map_err(failed("rename into place", &place))?;
        sync_folder(&folder).map_err(failed("fsync", &folder))
    }

    fn discard(self) -> Result<(), DiskError> {
        let Beside { file, path, .. } = self;
        drop(file);
        fs::remove_file(&path).map_err(failed("remove", &path))
    }
}

/// An object that gets its name when it is complete.
pub struct ObjectWriter<'a> {
    beside: Beside<'a>,
    hasher: Hasher,
    length: u64,
}

impl ObjectWriter<'_> {
    /// Appends `bytes`.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        self.beside.write(bytes)
    }

    /// Gives the object its name, unless a sound one of the same bytes has it.
    pub fn finish(self) -> Result<(ObjectRef, Put), DiskError> {
        let object = ObjectRef { sha256: self.hasher.finish(), length: self.length };
        let relative = object.sha256.object_path();
        if self.beside.disk.measure(&relative)? == Some(object) {
            self.beside.discard()?;
            return Ok((object, Put::Present));
        }
        self.beside.rename(&relative)?;
        Ok((object, Put::Written))
    }

    /// Gives the object the name `digest` if its bytes are those; `None`, and no trace of it, if they are not.
    pub fn finish_as(self, digest: Digest) -> Result<Option<Put>, DiskError> {
        let ObjectWriter { beside, hasher, length } = self;
        if hasher.clone().finish() != digest {
            beside.discard()?;
            return Ok(None);
        }
        Ok(Some(ObjectWriter { beside, hasher, length }.finish()?.1))
    }
}

/// Refuses a place that a person chose for a file when a private key lies there, or when it is in a repository: what is written there would replace the one, or be served with the other.
pub(crate) fn refuse_precious(file: &Path) -> Result<(), DiskError> {
    refuse_in_repository(file)?;
    let is_key = could_be_key(file).is_ok_and(|bytes| bytes.is_some_and(|bytes| is_private_key(&bytes)));
    if is_key { Err(failed("replace", file)(io::Error::other("it is a private key; choose another name"))) } else { Ok(()) }
}

/// Refuses a place in a repository, whatever links lead there.
pub(crate) fn refuse_in_repository(place: &Path) -> Result<(), DiskError> {
    let absolute = std::path::absolute(place).map_err(failed("find", place))?;
    let existing = absolute.ancestors().find_map(|ancestor| fs::canonicalize(ancestor).ok()).unwrap_or_default();
    match existing.ancestors().find(|ancestor| ancestor.join(layout::REPOSITORY).is_file()) {
        Some(repository) => {
            let reason =
                format!("it lies in the repository `{}`, which is served and copied; choose a place outside it", repository.display());
            Err(failed("use", place)(io::Error::other(reason)))
        }
        None => Ok(()),
    }
}

/// Makes `file`, which lies outside any repository, hold `bytes`: durably, and whole or not at all.
pub(crate) fn write_beside(file: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    refuse_precious(file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(folder).map_err(failed("write beside", file))?;
    beside.write_all(bytes).and_then(|()| beside.as_file().sync_all()).map_err(failed("write beside", file))?;
    beside.persist(file).map_err(|error| failed("rename into place", file)(error.error))?;
    sync_folder(folder).map_err(failed("fsync", folder))
}

/// Length and digest of what `file` holds.
pub(crate) fn measure(file: File) -> io::Result<ObjectRef> {
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let mut hasher = Hasher::new();
    let mut length = 0;
    loop {
        let piece = reader.fill_buf()?;
        if piece.is_empty() {
            return Ok(ObjectRef { sha256: hasher.finish(), length });
        }
        let count = piece.len();
        hasher.update(piece);
        length += count as u64;
        reader.consume(count);
    }
}

/// Makes the entries of a folder durable. Windows has no such thing: its renames are journalled.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_wrong_is_replaced_and_a_right_one_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path());
        assert_eq!(disk.put("metadata/1.root.json", b"one").unwrap(), Put::Written);
        assert_eq!(disk.put("metadata/1.root.json", b"one").unwrap(), Put::Present);
        fs::write(disk.path("metadata/1.root.json"), b"ONE").unwrap();
        assert_eq!(disk.put("metadata/1.root.json", b"one").unwrap(), Put::Written);
        assert_eq!(disk.read("metadata/1.root.json", 3).unwrap().unwrap(), b"one");
        assert!(disk.read("metadata/1.root.json", 2).is_err());
    }

    #[test]
    fn an_object_has_no_name_before_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path());
        let mut writer = disk.object().unwrap();
        writer.write(b"ab").unwrap();
        assert!(disk.files("objects").unwrap().iter().all(|file| file.contains(layout::TEMPORARY)));
        writer.write(b"c").unwrap();
        let (object, put) = writer.finish().unwrap();
        assert_eq!((object.sha256, object.length, put), (Digest::of(b"abc"), 3, Put::Written));
        assert_eq!(disk.files("objects").unwrap(), [object.sha256.object_path()]);
    }

    #[test]
    fn after_a_fault_point_nothing_changes_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path());
        disk.stop_after(1);
        assert!(disk.put("a/x", b"1").is_err());
        assert!(disk.put("a/y", b"1").is_err());
        assert!(!disk.path("a/x").exists());
    }
}
