//! Where the updater lies, and where what it keeps about itself lies: beside the executable `updater` the folder `.updater-self`, an ordinary install folder that follows the updater's own
//! repository (`docs/format.md` section 17).
//!
//! Beside it, because then both are on one file system, so that one rename replaces the executable, and because whoever may write the one may write the other: the state is as safe as the program.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};

use crate::fs::{Folder, FsError, LocalPath};

use super::SelfUpdateError;

/// An updater's executable, and the folder about it.
#[derive(Debug)]
pub struct Home {
    /// The folder that holds the executable.
    pub(super) folder: Folder,
    /// The name of the executable in it.
    pub(super) name: LocalPath,
    state: LocalPath,
}

impl Home {
    /// That of the running program.
    pub fn of_this_program() -> Result<Home, SelfUpdateError> {
        let program = std::env::current_exe().map_err(|source| SelfUpdateError::Unknown { source })?;
        Home::of(&program)
    }

    /// That of the executable `program`, whose name must be Unicode.
    pub fn of(program: &Path) -> Result<Home, SelfUpdateError> {
        let unusable = || SelfUpdateError::Unknown { source: std::io::ErrorKind::InvalidFilename.into() };
        let name = program.file_name().and_then(|name| name.to_str()).ok_or_else(unusable)?;
        let folder = Folder::open(program.parent().ok_or_else(unusable)?)?;
        let stem = name.strip_suffix(EXE_SUFFIX).unwrap_or(name);
        Ok(Home { folder, name: LocalPath::root().join(name), state: LocalPath::root().join(format!(".{stem}-self")) })
    }

    /// The executable.
    pub fn program(&self) -> PathBuf {
        self.folder.path().join(String::from_utf8_lossy(self.name.as_bytes()).as_ref())
    }

    /// The install folder of the updater itself.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join(String::from_utf8_lossy(self.state.as_bytes()).as_ref())
    }

    /// Whether the updater follows anything.
    pub fn follows(&self) -> Result<bool, FsError> {
        Ok(self.folder.stat(&self.state.join(".updater/station.json"))?.is_some())
    }

    /// A file of `.updater/self`, as seen from the folder of the executable.
    pub(super) fn kept(&self, name: &str) -> LocalPath {
        self.state.join(kept(name).as_bytes())
    }
}

/// A file of `.updater/self`, as seen from the install folder of the updater itself.
pub(super) fn kept(name: &str) -> LocalPath {
    LocalPath::state("self").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_updater_of_a_folder_has_a_state_of_its_own() {
        let place = tempfile::tempdir().unwrap();
        let dir = |name: &str| Home::of(&place.path().join(format!("{name}{EXE_SUFFIX}"))).unwrap().dir();
        assert_eq!(dir("updater"), place.path().join(".updater-self"));
        assert_eq!(dir("acme.2"), place.path().join(".acme.2-self"));
    }
}
