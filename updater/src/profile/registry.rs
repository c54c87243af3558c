//! The registry: which folders are installed with the profile `service`, and where the state of each lies.
//!
//! One small file per install, named by the digest of the folder's path, in a folder that only root writes. It is believed only when that is so, for the file and for every folder that leads to
//! it; whoever can write a client folder has no say in it, and another folder of their own is no registry to anybody else.

use std::path::{Path, PathBuf};

use manifests::channel::FORMAT;
use manifests::digest::Digest;
use manifests::json;
use serde::{Deserialize, Serialize};

#[cfg(windows)]
use crate::windows_api::places;

use super::ProfileError;
use crate::fs::owners::{self, Owners};
use crate::fs::{Folder, FsError, LocalPath, Point};

/// Longest file that is read, in bytes: two paths.
const LIMIT_BYTES: usize = 64 * 1024;

/// Where the registry is unless somebody says otherwise.
#[cfg(unix)]
pub fn system() -> PathBuf {
    "/var/lib/stationmaster".into()
}

/// Where the registry is unless somebody says otherwise: `Stationmaster` in the folder that Windows has for what programs keep (`C:\ProgramData`). The environment, which whoever starts a program
/// sets, has no say.
#[cfg(windows)]
pub fn system() -> PathBuf {
    places::known(places::Known::ProgramData).unwrap_or_else(|_| r"C:\ProgramData".into()).join("Stationmaster")
}

/// The registry in a folder, which need not exist: then nothing is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    path: PathBuf,
}

/// An install of the profile `service`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The install folder, absolute and without links.
    pub dir: PathBuf,
    /// The folder of its state, the same.
    pub state: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct EntryWire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    dir: String,
    state: String,
}

impl Registry {
    /// The registry in the folder `path`.
    pub fn at(path: PathBuf) -> Registry {
        Registry { path }
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The install at `dir`, however that is written; `None` when there is none.
    ///
    /// # Errors
    /// [`ProfileError::Forged`] when others can write the registry, [`ProfileError::Damaged`] when the entry says nothing.
    pub fn find(&self, dir: &Path) -> Result<Option<Entry>, ProfileError> {
        let Some(folder) = self.open()? else { return Ok(None) };
        // What does not exist is not installed; what cannot be named is not registered.
        let Some(name) = owners::canonical(dir).ok().and_then(|dir| full_name(&dir).ok()) else { return Ok(None) };
        self.read(&folder, &name)
    }

    /// The install whose folder is written exactly so. What somebody else names is not looked at in the file system.
    pub fn find_written(&self, dir: &str) -> Result<Option<Entry>, ProfileError> {
        let Some(folder) = self.open()? else { return Ok(None) };
        self.read(&folder, &full_name(Path::new(dir))?)
    }

    /// Every install, by path; but for those whose entry is damaged, which keep no other from being served.
    pub fn entries(&self) -> Result<Vec<Entry>, ProfileError> {
        let Some(folder) = self.open()? else { return Ok(vec![]) };
        let names = folder.names(&installs())?;
        let mut entries = vec![];
        for name in names.iter().filter_map(|name| std::str::from_utf8(name).ok()?.strip_suffix(".json")) {
            match self.read(&folder, name) {
                Err(damaged @ ProfileError::Damaged { .. }) => tracing::warn!(%damaged, "left out"),
                entry => entries.extend(entry?),
            }
        }
        entries.sort_by(|a, b| a.dir.cmp(&b.dir));
        Ok(entries)
    }

    /// Writes `entry` down, in place of an earlier one for its folder.
    pub(super) fn add(&self, entry: &Entry) -> Result<(), ProfileError> {
        owners::make_own_folder(&self.path.join("installs"))?;
        let gone = || FsError::Open { path: self.path.clone(), source: std::io::ErrorKind::NotFound.into() };
        let folder = self.open()?.ok_or_else(gone)?;
        let text = |path: &Path| path.to_str().map(str::to_owned).ok_or_else(|| ProfileError::Name { path: path.to_owned() });
        let wire = EntryWire { format: FORMAT, document: "install".into(), dir: text(&entry.dir)?, state: text(&entry.state)? };
        // Text and a number: nothing in it can fail to serialise.
        let bytes = serde_json::to_vec(&wire).unwrap_or_default();
        folder.write_durably(&file(&full_name(&entry.dir)?), &bytes, Point::StateFolder)?;
        Ok(folder.empty_trash()?)
    }

    /// Forgets `entry`, and removes its state folder when that is empty.
    pub(super) fn remove(&self, entry: &Entry) -> Result<(), ProfileError> {
        let Some(folder) = self.open()? else { return Ok(()) };
        if let (Some(parent), Some(name)) = (entry.state.parent(), entry.state.file_name()) {
            let name = LocalPath::root().join(name.as_encoded_bytes());
            // What somebody put there since is not ours to remove.
            let _ = Folder::open(parent)?.remove_folder(&name, Point::TrashEmpty)?;
        }
        folder.discard(&file(&full_name(&entry.dir)?), Point::TrashIn)?;
        Ok(folder.empty_trash()?)
    }

    /// The registry as a folder that is all state, so that it has a trash of its own; `None` when there is none. It was found to be root's.
    fn open(&self) -> Result<Option<Folder>, ProfileError> {
        let path = self.path.join("installs");
        if !path.is_dir() {
            return Ok(None);
        }
        let found = owners::exposed(&owners::canonical(&path)?, Owners::here())?;
        if !found.is_empty() {
            return Err(ProfileError::Forged(found));
        }
        Ok(Some(Folder::open(&self.path)?.with_state_at(&self.path)?))
    }

    fn read(&self, folder: &Folder, name: &str) -> Result<Option<Entry>, ProfileError> {
        let path = file(name);
        let Some(bytes) = folder.read(&path)? else { return Ok(None) };
        let at = self.path.join("installs").join(format!("{name}.json"));
        let found = owners::exposed_file(&at, Owners::here())?;
        if let Some(found) = found {
            return Err(ProfileError::Forged(vec![found]));
        }
        let damaged = |reason: String| ProfileError::Damaged { path: at.clone(), reason };
        let wire: EntryWire = json::from_slice(&bytes, LIMIT_BYTES).map_err(|error| damaged(error.to_string()))?;
        if wire.format != FORMAT || wire.document != "install" {
            return Err(damaged(format!("it has type `{}` and format {}", manifests::quote::quoted(&wire.document, 80), wire.format)));
        }
        let entry = Entry { dir: wire.dir.into(), state: wire.state.into() };
        if full_name(&entry.dir)? != name || !entry.dir.is_absolute() || !entry.state.is_absolute() {
            return Err(damaged("it is not about the folder that it is named by".into()));
        }
        Ok(Some(entry))
    }
}

/// What the state folder of `dir` is called: short, and the same whenever it is asked for.
pub(super) fn short_name(dir: &Path) -> Result<String, ProfileError> {
    full_name(dir).map(|name| name[..16].to_owned())
}

fn full_name(dir: &Path) -> Result<String, ProfileError> {
    dir.to_str().map(|text| Digest::of(text.as_bytes()).to_hex()).ok_or_else(|| ProfileError::Name { path: dir.to_owned() })
}

fn installs() -> LocalPath {
    LocalPath::state("installs")
}

fn file(name: &str) -> LocalPath {
    installs().join(format!("{name}.json"))
}
