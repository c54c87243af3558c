//! [`Folder`]: an install folder held by a handle, and what may be done below it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use manifests::digest::Digest;
use manifests::path::STATE_FOLDER;
use manifests::time::FileTime;

use super::owners::{self, Owners};
use super::walk::{Found, walk};
use super::{Dir, FsError, Kind, LocalPath, Point, Space, Stat, content, hash_open, platform};

/// An install folder, held by a handle for as long as this lives.
#[derive(Debug)]
pub struct Folder {
    root: Dir,
    path: PathBuf,
    /// Where `.updater` is when it is not in the install folder (design section 6, profile `service`).
    state: Option<Apart>,
    /// Whose folders alone a swap may go through, where the updater acts for others.
    pub(super) owners: Option<Owners>,
}

/// A state folder that lies elsewhere.
#[derive(Debug)]
struct Apart {
    dir: Dir,
    path: PathBuf,
}

impl Folder {
    /// Opens the folder at `path`.
    pub fn open(path: &Path) -> Result<Folder, FsError> {
        let failed = |source| FsError::Open { path: path.to_owned(), source };
        Ok(Folder { root: Dir::open(path).map_err(failed)?, path: path.to_owned(), state: None, owners: None })
    }

    /// The same folder with its state in the folder `path`, which exists: from now on every path that begins with `.updater` is resolved from there, and `.updater` in the install
    /// folder is nobody's.
    ///
    /// # Errors
    /// [`FsError::OtherVolume`] when nothing could be renamed between the two.
    pub fn with_state_at(self, path: &Path) -> Result<Folder, FsError> {
        let failed = |source| FsError::Open { path: path.to_owned(), source };
        let dir = Dir::open(path).map_err(failed)?;
        let other_volume = FsError::OtherVolume { path: path.to_owned(), folder: self.path.clone() };
        let is_same = dir.is_on_volume_of(&self.root).map_err(failed)?;
        if is_same { Ok(Folder { state: Some(Apart { dir, path: path.to_owned() }), ..self }) } else { Err(other_volume) }
    }

    /// The same folder, in which [`Folder::obstacles`] names also what others than `owners` could change.
    pub fn guarded_for(self, owners: Owners) -> Folder {
        Folder { owners: Some(owners), ..self }
    }

    /// Whether the state lies outside the install folder.
    pub fn has_state_apart(&self) -> bool {
        self.state.is_some()
    }

    /// Opens the folder at `path`, making it and its parents when they are missing.
    pub fn create(path: &Path) -> Result<Folder, FsError> {
        let failed = |source| FsError::Open { path: path.to_owned(), source };
        if !path.is_dir() {
            owners::make_folders(path).map_err(failed)?;
        }
        Folder::open(path)
    }

    /// The path it was opened by, for messages and for starting programs; never for reading or writing.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of the state folder, for messages and for temporary files, which are kept by handle.
    pub fn state_path(&self) -> PathBuf {
        self.state.as_ref().map_or_else(|| self.path.join(STATE_FOLDER), |state| state.path.clone())
    }

    /// What `path` is; `None` when there is nothing, or no folder that could hold it.
    pub fn stat(&self, path: &LocalPath) -> Result<Option<Stat>, FsError> {
        let looked = |source| FsError::io("looking at", path, source);
        match (path.split(), &self.state) {
            (None, _) => self.root.stat_self().map(Some).map_err(looked),
            (Some(_), Some(state)) if *path == LocalPath::state_folder() => state.dir.stat_self().map(Some).map_err(looked),
            (Some((parent, name)), _) => match self.find_folder(&parent)? {
                Some(folder) => folder.stat(name).map_err(looked),
                None => Ok(None),
            },
        }
    }

    /// The names in the folder `path`, sorted; none when there is no such folder.
    pub fn names(&self, path: &LocalPath) -> Result<Vec<Vec<u8>>, FsError> {
        match self.find_folder(path)? {
            Some(folder) => folder.names().map_err(|source| FsError::io("listing", path, source)),
            None => Ok(vec![]),
        }
    }

    /// Calls `visit` for everything below `path`, each folder's names in order, folders before what is in them. Names that are ours (`.updater`, `bkp_remote.*`) are left out at
    /// the top of the install folder. A folder that `visit` answers `false` for is not entered. No link is followed.
    pub fn walk(&self, path: &LocalPath, visit: &mut dyn FnMut(Found<'_>) -> bool) -> Result<(), FsError> {
        if let Some(folder) = self.find_folder(path)? {
            walk(&folder, path, visit);
        }
        Ok(())
    }

    /// The content of `path`; `None` when there is nothing. For small files.
    pub fn read(&self, path: &LocalPath) -> Result<Option<Vec<u8>>, FsError> {
        let Some(mut file) = self.open_record(path)? else { return Ok(None) };
        let mut bytes = vec![];
        file.read_to_end(&mut bytes).map_err(|source| FsError::io("reading", path, source))?;
        Ok(Some(bytes))
    }

    /// Opens `path` for reading; `None` when there is nothing.
    pub(crate) fn open_record(&self, path: &LocalPath) -> Result<Option<File>, FsError> {
        match self.open_file(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(_) if self.is_no_record(path) => Err(FsError::NotARecord { path: path.clone() }),
            Err(error) => Err(error),
        }
    }

    /// Whether `path` is the place of a record of ours, and something else than a file lies there.
    fn is_no_record(&self, path: &LocalPath) -> bool {
        path.components().next() == Some(STATE_FOLDER.as_bytes()) && matches!(self.stat(path), Ok(Some(stat)) if !stat.is_file())
    }

    /// Opens the regular file `path` for reading.
    pub fn open_file(&self, path: &LocalPath) -> Result<File, FsError> {
        let (folder, name) = self.parent_of("opening", path)?;
        folder.open_file(name).map_err(|source| FsError::io("opening", path, source))
    }

    /// The target of the link `path`.
    pub fn read_link(&self, path: &LocalPath) -> Result<Vec<u8>, FsError> {
        let (folder, name) = self.parent_of("reading the link", path)?;
        folder.read_link(name).map_err(|source| FsError::io("reading the link", path, source))
    }

    /// Digest and length of the file `path`.
    pub fn hash(&self, path: &LocalPath) -> Result<(Digest, u64), FsError> {
        let mut file = self.open_file(path)?;
        hash_open(&mut file).map_err(|source| FsError::io("reading", path, source))
    }

    /// Room on the file system.
    pub fn space(&self) -> Result<Space, FsError> {
        self.root.space().map_err(|source| FsError::io("asking for the free space of", &LocalPath::root(), source))
    }

    /// Replaces `path` by a file with `bytes`, mode 0644: after this returns, or after a cut at any time, there is the old file or the new one, whole. Its folder must exist.
    pub fn write_durably(&self, path: &LocalPath, bytes: &[u8], at: Point) -> Result<(), FsError> {
        self.write_with_mode(path, bytes, 0o644, at)
    }

    /// The same with mode 0600: for a file with something in it that only its owner may read.
    pub fn write_private(&self, path: &LocalPath, bytes: &[u8], at: Point) -> Result<(), FsError> {
        self.write_with_mode(path, bytes, 0o600, at)
    }

    fn write_with_mode(&self, path: &LocalPath, bytes: &[u8], mode: u32, at: Point) -> Result<(), FsError> {
        let temporary = self.new_trash_path()?;
        let failed = |source| FsError::io("writing", path, source);
        let (trash, temporary_name) = self.parent_of("writing", &temporary)?;
        let written = trash.create_file(temporary_name, mode, at).and_then(|mut file| {
            content::write_all(&mut file, bytes, at)?;
            content::sync(&file, at)
        });
        let (folder, name) = self.parent_of("writing", path)?;
        if let Err(source) = written.and_then(|()| trash.rename(temporary_name, &folder, name, at)) {
            // The temporary file lies in the trash, which is emptied anyway.
            let _ = trash.remove_file(temporary_name, Point::TrashEmpty);
            return Err(failed(source));
        }
        folder.sync(at).map_err(failed)
    }

    /// Appends `bytes` to the file `path`, making it when it is missing, and makes them durable. A cut can leave a part of them.
    pub fn append_durably(&self, path: &LocalPath, bytes: &[u8], at: Point) -> Result<(), FsError> {
        let failed = |source| FsError::io("appending to", path, source);
        let (folder, name) = self.parent_of("appending to", path)?;
        let is_new = folder.stat(name).map_err(failed)?.is_none();
        let mut file = folder.open_to_write(name, 0o644, at).map_err(failed)?;
        let appended = file.seek(SeekFrom::End(0)).and_then(|_| content::write_all(&mut file, bytes, at));
        appended.and_then(|()| content::sync(&file, at)).map_err(failed)?;
        if is_new { folder.sync(at).map_err(failed) } else { Ok(()) }
    }

    /// Cuts the file `path` to `length` bytes.
    pub fn truncate(&self, path: &LocalPath, length: u64, at: Point) -> Result<(), FsError> {
        let file = self.open_to_write(path, at)?;
        content::set_length(&file, length, at)
            .and_then(|()| content::sync(&file, at))
            .map_err(|source| FsError::io("truncating", path, source))
    }

    /// Makes the file `path`, which must not exist, for [`super::write_all`] to fill.
    pub fn create_file(&self, path: &LocalPath, mode: u32, at: Point) -> Result<File, FsError> {
        let (folder, name) = self.parent_of("making", path)?;
        folder.create_file(name, mode, at).map_err(|source| FsError::io("making", path, source))
    }

    /// Opens the file `path` for reading and writing, making it when it is missing and keeping what it holds. A file with a second name is refused: a backup might share it.
    pub fn open_to_write(&self, path: &LocalPath, at: Point) -> Result<File, FsError> {
        let (folder, name) = self.parent_of("opening", path)?;
        // Where others may look at the state and not change it: whoever can open a lock file, even to read it, can hold the lock.
        let mode = if self.has_state_apart() { 0o600 } else { 0o644 };
        folder.open_to_write(name, mode, at).map_err(|source| FsError::io("opening", path, source))
    }

    /// Makes the folder `path` with mode 0755 unless it is there. Its parent must exist.
    pub fn make_folder(&self, path: &LocalPath, at: Point) -> Result<(), FsError> {
        if self.state.is_some() && *path == LocalPath::state_folder() {
            return Ok(());
        }
        let failed = |source| FsError::io("making the folder", path, source);
        let (folder, name) = self.parent_of("making the folder", path)?;
        let is_there = || folder.stat(name).map(|stat| stat.is_some_and(|stat| stat.is_folder()));
        match folder.stat(name).map_err(failed)? {
            Some(stat) if stat.is_folder() => return Ok(()),
            Some(stat) => return Err(no_folder(&stat, path)),
            None => {}
        }
        match folder.make_folder(name, 0o755, at) {
            // Somebody else made it meanwhile: runs that begin at once all need the folders of the state before one of them has the lock.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_there().is_ok_and(|there| there) => Ok(()),
            made => made.map(drop).map_err(failed),
        }
    }

    /// Makes the folder `path` and those that lead to it, unless they are there.
    pub fn make_folders(&self, path: &LocalPath, at: Point) -> Result<(), FsError> {
        let mut made = LocalPath::root();
        for name in path.components() {
            made = made.join(name);
            self.make_folder(&made, at)?;
        }
        Ok(())
    }

    /// Makes the symbolic link `path`.
    pub fn make_link(&self, target: &str, path: &LocalPath, at: Point) -> Result<(), FsError> {
        let (folder, name) = self.parent_of("making the link", path)?;
        folder.make_link(target.as_bytes(), name, at).map_err(|source| FsError::io("making the link", path, source))
    }

    /// Moves `from` to `to`, in place of a file or link that is there.
    pub fn rename(&self, from: &LocalPath, to: &LocalPath, at: Point) -> Result<(), FsError> {
        self.move_with(from, to, |source, name, target, to_name| source.rename(name, target, to_name, at))
    }

    /// Moves `from` to `to`, where nothing may be.
    pub fn rename_new(&self, from: &LocalPath, to: &LocalPath, at: Point) -> Result<(), FsError> {
        self.move_with(from, to, |source, name, target, to_name| source.rename_new(name, target, to_name, at))
    }

    fn move_with(
        &self,
        from: &LocalPath,
        to: &LocalPath,
        act: impl FnOnce(&Dir, &[u8], &Dir, &[u8]) -> io::Result<()>,
    ) -> Result<(), FsError> {
        let (source, name) = self.parent_of("moving", from)?;
        let (target, to_name) = self.parent_of("moving", to)?;
        act(&source, name, &target, to_name).map_err(|error| FsError::io("moving", from, error))
    }

    /// Moves `from`, whatever it is and whoever's, out of the way to `to`, where nothing may be, durably. The folders that lead there are made and are durable before.
    pub(crate) fn set_aside(&self, from: &LocalPath, to: &LocalPath) -> Result<(), FsError> {
        self.make_folders(&to.parent(), Point::Aside)?;
        let mut above = to.parent();
        while !above.is_root() {
            above = above.parent();
            self.sync_folder(&above, Point::Aside)?;
        }
        self.rename_new(from, to, Point::Aside)?;
        self.sync_folder(&to.parent(), Point::Aside)
    }

    /// Copies the content of the file `from` to the new file `to` with `mode` and the modification time of `from`, fsynced; returns digest, length and how it reads back.
    pub fn copy(&self, from: &LocalPath, to: &LocalPath, mode: u32, at: Point) -> Result<(Digest, Stat), FsError> {
        let failed = |source| FsError::io("copying", from, source);
        let mut source = self.open_file(from)?;
        let (folder, name) = self.parent_of("copying", to)?;
        let stat = platform::file_stat(&source).map_err(failed)?;
        let copied = folder.create_file(name, mode, at).and_then(|mut target| {
            let digest = content::copy_content(&mut source, &mut target, at)?;
            content::set_mode(&target, mode, at)?;
            content::set_time(&target, stat.seconds, stat.nanoseconds, at)?;
            content::sync(&target, at)?;
            Ok((digest, platform::file_stat(&target)?))
        });
        copied.map_err(failed)
    }

    /// Sets modification time and mode of the file `path`; returns what reads back. A file with a second name is refused: a backup might share it.
    pub fn set_attributes(&self, path: &LocalPath, mtime: FileTime, mode: u32, at: Point) -> Result<Stat, FsError> {
        let failed = |source| FsError::io("setting time and mode of", path, source);
        let (folder, name) = self.parent_of("setting time and mode of", path)?;
        let file = folder.open_to_set(name).map_err(failed)?;
        if platform::file_stat(&file).map_err(failed)?.links > 1 {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "the file has a second name")));
        }
        let set = content::set_mode(&file, mode, at).and_then(|()| folder.set_time(name, mtime.unix(), 0, at));
        set.and_then(|()| platform::file_stat(&file)).map_err(failed)
    }

    /// Whether the file `path` can be renamed but not be in a folder that is renamed, because a program runs it or has it loaded (Windows).
    pub(crate) fn is_pinned(&self, path: &LocalPath) -> Result<bool, FsError> {
        let (folder, name) = self.parent_of("looking at", path)?;
        folder.is_pinned(name).map_err(|source| FsError::io("looking at", path, source))
    }

    /// Whether somebody keeps the file `path` from being renamed.
    #[cfg(windows)]
    pub(crate) fn is_held(&self, path: &LocalPath) -> Result<bool, FsError> {
        let (folder, name) = self.parent_of("looking at", path)?;
        folder.is_held(name).map_err(|source| FsError::io("looking at", path, source))
    }

    /// Removes the empty folder `path`; `false`, and nothing happens, when something is in it.
    pub fn remove_folder(&self, path: &LocalPath, at: Point) -> Result<bool, FsError> {
        let (folder, name) = self.parent_of("removing the folder", path)?;
        match folder.remove_folder(name, at) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => Ok(false),
            Err(error) => Err(FsError::io("removing the folder", path, error)),
        }
    }

    /// Makes the entries of the folder `path` durable; nothing when it is gone.
    pub fn sync_folder(&self, path: &LocalPath, at: Point) -> Result<(), FsError> {
        let failed = |source| FsError::io("fsyncing", path, source);
        self.find_folder(path)?.map_or(Ok(()), |folder| folder.sync(at).map_err(failed))
    }

    /// Makes content, time and mode of the file `path` durable; nothing when it is gone.
    pub fn sync_file(&self, path: &LocalPath, at: Point) -> Result<(), FsError> {
        let Some((parent, name)) = path.split() else { return Ok(()) };
        let Some(folder) = self.find_folder(&parent)? else { return Ok(()) };
        match folder.sync_file(name, at) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FsError::io("fsyncing", path, error)),
            _ => Ok(()),
        }
    }

    /// Makes everything on the file system of the install folder durable; `false`, and nothing happens, where the OS cannot do that at once.
    pub fn sync_file_system(&self, at: Point) -> Result<bool, FsError> {
        self.root.sync_file_system(at).map_err(|source| FsError::io("fsyncing", &LocalPath::root(), source))
    }

    /// Makes everything below `path` durable.
    pub fn sync_tree(&self, path: &LocalPath, at: Point) -> Result<(), FsError> {
        let failed = |source| FsError::io("fsyncing", path, source);
        let Some(folder) = self.find_folder(path)? else { return Ok(()) };
        if folder.sync_file_system(at).map_err(failed)? {
            return Ok(());
        }
        let mut outcome = folder.sync(at);
        walk(&folder, path, &mut |found| {
            if let Found::Entry { path, stat } = found {
                let synced = match stat.kind {
                    Kind::Folder => self.find_folder(path).map(|folder| folder.map_or(Ok(()), |folder| folder.sync(at))),
                    Kind::File => self.parent_of("fsyncing", path).map(|(folder, name)| folder.sync_file(name, at)),
                    Kind::Link | Kind::Other => Ok(Ok(())),
                };
                let synced = synced.unwrap_or_else(|error| Err(error.kind().into()));
                outcome = std::mem::replace(&mut outcome, Ok(())).and(synced);
            }
            true
        });
        outcome.map_err(failed)
    }

    /// The folder `path`; `None` when it, or one that leads to it, is missing or no folder.
    pub(crate) fn find_folder(&self, path: &LocalPath) -> Result<Option<Dir>, FsError> {
        match self.open_folder(path) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The folder `path`, resolved component by component without following a link.
    pub(crate) fn open_folder(&self, path: &LocalPath) -> Result<Dir, FsError> {
        let mut names = path.components().peekable();
        let mut reached = LocalPath::root();
        let start = match &self.state {
            Some(state) if names.peek() == Some(&STATE_FOLDER.as_bytes()) => {
                names.next();
                reached = LocalPath::state_folder();
                &state.dir
            }
            _ => &self.root,
        };
        let mut folder = start.again().map_err(|source| FsError::io("opening", path, source))?;
        for name in names {
            reached = reached.join(name);
            folder = match folder.open_folder(name) {
                Ok(next) => next,
                Err(source) => {
                    return Err(match folder.stat(name) {
                        Ok(Some(stat)) if !stat.is_folder() => no_folder(&stat, &reached),
                        _ => FsError::io("opening the folder", &reached, source),
                    });
                }
            };
        }
        Ok(folder)
    }

    /// The folder that holds `path`, and the name there.
    pub(crate) fn parent_of<'p>(&self, doing: &'static str, path: &'p LocalPath) -> Result<(Dir, &'p [u8]), FsError> {
        let (parent, name) = path.split().ok_or_else(|| FsError::io(doing, path, io::ErrorKind::InvalidInput.into()))?;
        Ok((self.open_folder(&parent)?, name))
    }

    pub(crate) fn root(&self) -> &Dir {
        &self.root
    }

    /// The handle of a state folder that lies outside the install folder.
    pub(super) fn state_apart(&self) -> Option<&Dir> {
        self.state.as_ref().map(|state| &state.dir)
    }
}

/// What keeps `path` from being a folder.
fn no_folder(stat: &Stat, path: &LocalPath) -> FsError {
    let path = path.clone();
    if stat.kind == Kind::Link { FsError::ParentIsLink { path } } else { FsError::NotAFolder { path } }
}
