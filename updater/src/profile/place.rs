//! Where nothing is installed: in a root folder (`/`, a drive, a share), where everything would be the client's, and in what another install keeps for itself, its state and its backups. What is
//! installed in a root folder already is left there: to install again is how it is repaired.
//!
//! A product in somebody's backup would come to life with the next way back, and one in a state folder go with the next thing that is cleared away there.

use std::path::{Path, PathBuf};

use manifests::path::STATE_FOLDER;

use super::ProfileError;
use super::registry::Registry;
use crate::fs::{FsError, LocalPath, owners};

/// Refuses `dir`, which need not exist, where nothing can be installed.
///
/// # Errors
/// [`ProfileError::Root`] and [`ProfileError::OfAnother`] say why.
pub(super) fn refuse(dir: &Path, registry: &Registry) -> Result<(), ProfileError> {
    let path = resolved(dir)?;
    judge(&path, |at| Ok(at.join(STATE_FOLDER).join("station.json").is_file() || registry.find(at)?.is_some()))?;
    match registry.entries()?.into_iter().find(|entry| path.starts_with(&entry.state)) {
        Some(entry) => Err(ProfileError::OfAnother { of: entry.dir, path }),
        None => Ok(()),
    }
}

/// What `path` is among the install folders, which `is_installed` knows.
fn judge(path: &Path, is_installed: impl Fn(&Path) -> Result<bool, ProfileError>) -> Result<(), ProfileError> {
    if path.parent().is_none() && !is_installed(path)? {
        return Err(ProfileError::Root { path: path.to_owned() });
    }
    for above in path.ancestors().skip(1) {
        let name = path.strip_prefix(above).ok().and_then(|below| below.components().next());
        let is_kept = name.is_some_and(|name| LocalPath::is_reserved_name(name.as_os_str().as_encoded_bytes()));
        if is_kept && is_installed(above)? {
            return Err(ProfileError::OfAnother { of: above.to_owned(), path: path.to_owned() });
        }
    }
    Ok(())
}

/// `path` without links, as far as there is anything.
fn resolved(path: &Path) -> Result<PathBuf, FsError> {
    let whole = std::path::absolute(path).map_err(|source| FsError::Open { path: path.to_owned(), source })?;
    let there = whole.ancestors().find_map(|above| Some((owners::canonical(above).ok()?, whole.strip_prefix(above).ok()?)));
    // Joined with nothing, a path would end in a separator.
    Ok(match there {
        Some((above, below)) if below.as_os_str().is_empty() => above,
        Some((above, below)) => above.join(below),
        None => whole,
    })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the folders are made as anybody would make them")]
mod tests {
    use super::*;

    fn refused(dir: &Path, registry: &Registry) -> Option<PathBuf> {
        match refuse(dir, registry) {
            Ok(()) => None,
            Err(ProfileError::OfAnother { of, .. }) => Some(of),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_root_folder_is_no_install_folder() {
        let place = tempfile::tempdir().unwrap();
        let registry = Registry::at(place.path().join("registry"));
        let top = place.path().ancestors().last().unwrap();
        let error = refuse(top, &registry).unwrap_err();
        assert!(matches!(error, ProfileError::Root { .. }), "{error}");
        assert!(refuse(&top.join("client-that-is-not-there"), &registry).is_ok());
        assert!(judge(top, |_| Ok(true)).is_ok(), "what is installed there is repaired by another install");
    }

    #[test]
    fn nothing_is_installed_into_the_state_or_a_backup_of_another_install_however_deep_and_however_it_is_reached() {
        let place = tempfile::tempdir().unwrap();
        let (at, registry) = (place.path().canonicalize().unwrap(), Registry::at(place.path().join("registry")));
        let client = at.join("client");
        std::fs::create_dir_all(client.join(".updater/staging")).unwrap();
        std::fs::create_dir_all(client.join("bkp_remote.001")).unwrap();
        let kept = [".updater", ".updater/staging", ".updater/staging/tool/new", "bkp_remote.001", "BKP_REMOTE.002", "bkp_remote.003/a/b"];
        for path in kept {
            assert_eq!(refused(&client.join(path), &registry), None, "nothing is installed in `client`: {path}");
        }
        std::fs::write(client.join(".updater/station.json"), "{}").unwrap();
        for path in kept {
            assert_eq!(refused(&client.join(path), &registry).as_ref(), Some(&client), "{path}");
        }
        for path in ["", "plugin", "bkp_remote", "lib/bkp_remote.001", "../other"] {
            assert_eq!(refused(&client.join(path), &registry), None, "{path}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(client.join("bkp_remote.001"), at.join("link")).unwrap();
            assert_eq!(refused(&at.join("link/tool"), &registry).as_ref(), Some(&client), "through a link");
        }
    }
}
