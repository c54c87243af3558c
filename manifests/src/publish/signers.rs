//! The private keys at hand for a change: gathered before any work is done, so that nobody waits for a pack that nobody can sign.

use std::collections::BTreeMap;

use crate::key::KeyId;
use crate::publish::keys::{KeyError, KeyFolder};
use crate::role::RoleKeys;
use crate::signer::{Ed25519Signer, Signer};

/// Private keys by id.
#[derive(Default)]
pub struct Signers(BTreeMap<KeyId, Ed25519Signer>);

impl Signers {
    /// Takes from `folder` as many keys of each of `roles` as sign it, none twice.
    ///
    /// # Errors
    /// A key that is needed and cannot be opened. That keys are missing is no error: see [`Signers::missing`].
    pub fn gather<'a>(&mut self, folder: &KeyFolder, roles: impl IntoIterator<Item = &'a RoleKeys>) -> Result<(), KeyError> {
        for keys in roles {
            let still = keys.threshold.get().saturating_sub(self.of(keys).count() as u64);
            let others: Vec<&KeyId> = keys.keyids.iter().filter(|id| !self.0.contains_key(id)).collect();
            folder.take(others, usize::try_from(still).unwrap_or(usize::MAX))?.into_iter().for_each(|signer| self.add(signer));
        }
        Ok(())
    }

    /// One key more.
    pub fn add(&mut self, signer: Ed25519Signer) {
        self.0.insert(signer.key_id(), signer);
    }

    /// Those that may sign for a role with `keys`.
    pub fn of(&self, keys: &RoleKeys) -> impl Iterator<Item = &Ed25519Signer> {
        keys.keyids.iter().filter_map(|id| self.0.get(id))
    }

    /// The error that names the keys of `role` when fewer than its threshold are here.
    pub fn missing(&self, role: &str, keys: &RoleKeys, folder: &KeyFolder) -> Option<KeyError> {
        if self.of(keys).count() as u64 >= keys.threshold.get() {
            return None;
        }
        let absent = keys.keyids.iter().filter(|id| !self.0.contains_key(id)).map(KeyId::as_str).collect::<Vec<_>>();
        Some(KeyError::Missing { role: role.to_owned(), folder: folder.path().to_owned(), wanted: absent.join(", ") })
    }
}
