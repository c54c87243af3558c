//! The trust store: the metadata that a station trusts, as the bytes that were served, one unversioned file per role.
//!
//! What is here was verified before it came, and is verified again at every use: only the root is believed as it stands. Each file is replaced durably and by itself; the
//! order in which [`crate::refresh`] stores them makes every cut-off state a good one.

use std::sync::Arc;

use manifests::trust::TrustError;

use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::refresh::encode;

/// A folder of trusted metadata.
#[derive(Debug, Clone)]
pub struct TrustStore {
    folder: Arc<Folder>,
    at: LocalPath,
}

/// The trust store cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The stored root is not one.
    #[error("the root in the trust store `{at}` is damaged ({source}): install again from the install link")]
    DamagedRoot {
        /// The store.
        at: LocalPath,
        /// What is wrong with it.
        source: Box<TrustError>,
    },
    /// A role that should be there is not.
    #[error("the trust store `{at}` holds no {role}: install again from the install link")]
    Missing {
        /// The store.
        at: LocalPath,
        /// The role.
        role: String,
    },
}

impl TrustStore {
    /// The store of the content repository of an install (`.updater/trust/content`), whose state folders exist.
    pub fn of_content(folder: Arc<Folder>) -> TrustStore {
        TrustStore { folder, at: LocalPath::state("trust/content") }
    }

    /// Policy and channel document, beside the roles that vouch for them.
    pub fn of_documents(folder: Arc<Folder>) -> TrustStore {
        TrustStore { folder, at: LocalPath::state("trust") }
    }

    /// A store that is a folder of its own.
    pub fn standalone(folder: Arc<Folder>) -> Result<TrustStore, FsError> {
        folder.make_state_folders()?;
        Ok(TrustStore { folder, at: LocalPath::root() })
    }

    /// The stored bytes of `role`, if there are any.
    pub fn load(&self, role: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.folder.read(&self.path(role))?)
    }

    /// Stores `bytes` as those of `role`, durably.
    pub fn save(&self, role: &str, bytes: &[u8]) -> Result<(), StoreError> {
        Ok(self.folder.write_durably(&self.path(role), bytes, Point::TrustFile)?)
    }

    /// Deletes what is stored of `role`.
    pub fn forget(&self, role: &str) -> Result<(), StoreError> {
        Ok(self.folder.discard(&self.path(role), Point::TrustFile)?)
    }

    /// The error for a role that is not there.
    pub fn missing(&self, role: &str) -> StoreError {
        StoreError::Missing { at: self.at.clone(), role: role.to_owned() }
    }

    /// The error for a root that cannot be started from.
    pub fn damaged_root(&self, source: TrustError) -> StoreError {
        StoreError::DamagedRoot { at: self.at.clone(), source: Box::new(source) }
    }

    fn path(&self, role: &str) -> LocalPath {
        self.at.join(format!("{}.json", encode(role)))
    }
}
