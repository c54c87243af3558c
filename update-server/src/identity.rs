//! The name that a repository calls itself, in `repository.json`. It must be the name it is served under: stations hold the signed policy to it.

use std::io::ErrorKind;

use manifests::name::Name;
use serde::Deserialize;

use crate::content::disk::{DiskError, Folder};

/// The repository is not what the configuration says.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// It is not there.
    #[error(
        "find the repository `{name}`: there is no folder `{path}` (correct `path` in the configuration, or make it with `manifests init`)"
    )]
    NoFolder {
        /// Where it should be.
        path: String,
        /// Its name in the configuration.
        name: Name,
    },
    /// It has another name.
    #[error("serve the repository in `{path}` as `{configured}`: it calls itself `{own}` (set name = \"{own}\")")]
    OtherName {
        /// Its folder.
        path: String,
        /// The name in the configuration.
        configured: Name,
        /// The name in its `repository.json`.
        own: Name,
    },
    /// Its `repository.json` could not be read.
    #[error("learn the name of the repository in `{path}`: {reason}")]
    Unreadable {
        /// Its folder.
        path: String,
        /// Why.
        reason: String,
    },
}

/// Checks that the repository in `folder` is there and calls itself `name`. A mirror, which has only what is served, has no name of its own and is believed.
pub fn check(folder: &Folder, name: &Name) -> Result<(), IdentityError> {
    #[derive(Deserialize)]
    struct Own {
        name: Name,
    }
    let path = || folder.root().display().to_string();
    let unreadable = |reason: String| IdentityError::Unreadable { path: path(), reason };
    match std::fs::metadata(folder.root()) {
        Ok(metadata) if metadata.is_dir() => {}
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Err(unreadable(error.to_string())),
        _ => return Err(IdentityError::NoFolder { path: path(), name: name.clone() }),
    }
    let bytes = match folder.read("repository.json", 4096) {
        Ok((bytes, _)) => bytes,
        Err(DiskError::Missing(_)) => return Ok(()),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let own: Own = manifests::json::from_slice(&bytes, 4096).map_err(|error| unreadable(error.to_string()))?;
    match own.name == *name {
        true => Ok(()),
        false => Err(IdentityError::OtherName { path: path(), configured: name.clone(), own: own.name }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_served_under_its_own_name_only() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::new(temp.path());
        let name: Name = "acme".parse().unwrap();
        check(&folder, &name).unwrap();
        std::fs::write(temp.path().join("repository.json"), r#"{"format":0,"name":"acme"}"#).unwrap();
        check(&folder, &name).unwrap();
        assert!(matches!(check(&folder, &"other".parse().unwrap()), Err(IdentityError::OtherName { .. })));
        std::fs::write(temp.path().join("repository.json"), "{").unwrap();
        assert!(matches!(check(&folder, &name), Err(IdentityError::Unreadable { .. })));
    }

    #[test]
    fn a_repository_that_is_not_there_is_no_mirror() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("file"), "").unwrap();
        for path in ["missing", "file", "file/below"] {
            let checked = check(&Folder::new(temp.path().join(path)), &"acme".parse().unwrap());
            assert!(matches!(checked, Err(IdentityError::NoFolder { .. })), "{path}");
        }
    }
}
