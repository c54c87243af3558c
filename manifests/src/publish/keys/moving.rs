//! Key files carried to another folder, removed, and put under another passphrase. None of these can lose a key: the new file is complete and read back before the old one goes.

use std::path::PathBuf;

use super::encryption::Encryption;
use super::file::{KeyFile, belongs};
use super::{KeyError, KeyFolder, Private, store};
use crate::key::KeyId;
use crate::publish::disk::failed;

impl KeyFolder {
    /// Writes the file of the key `id`, byte by byte as it is, into `other`, which is made if it is missing, and reads it back. Returns the new file.
    ///
    /// # Errors
    /// Also when `other` has a different file of that key, and when a plain seed would be readable by others there (a stick without modes): then nothing stays there. Encrypt it first.
    pub fn copy_to(&self, id: &KeyId, other: &KeyFolder) -> Result<PathBuf, KeyError> {
        self.load(id)?.ok_or_else(|| self.no_such_key(id))?;
        let (bytes, _) = store::bytes(&self.file(id))?;
        other.create()?;
        store::sweep(other.path());
        let path = other.file(id);
        if path.exists() {
            let (there, _) = store::bytes(&path)?;
            return if there == bytes { Ok(path) } else { Err(KeyError::Occupied(path)) };
        }
        store::write(&path, &bytes, |written| if written == bytes.as_slice() { Ok(()) } else { Err("it was not written right".into()) })?;
        if let Err(error) = store::read(&path) {
            // Where modes mean nothing, a plain seed does not stay.
            let _ = store::erase(&path);
            return Err(error);
        }
        Ok(path)
    }

    /// Removes the file of the key `id`, after overwriting it with zeros.
    ///
    /// On a plain disk that makes the key hard to bring back. A file system that copies on write, a journal, a flash drive or a backup may keep the bytes: a key that must be worthless is
    /// revoked, not only removed.
    pub fn remove(&self, id: &KeyId) -> Result<(), KeyError> {
        let path = self.file(id);
        if !self.holds(id) {
            return Err(self.no_such_key(id));
        }
        self.keyring.forget(id);
        Ok(store::erase(&path).map_err(failed("remove", &path))?)
    }

    /// Puts the key `id` under `encryption`, or leaves its seed plain when there is none. The old passphrase comes from this folder's source.
    ///
    /// The new file is written beside, read back, opened and compared before it takes the old one's place: a crash anywhere leaves one or the other.
    pub fn reencrypt(&self, id: &KeyId, encryption: Option<&Encryption>) -> Result<(), KeyError> {
        let path = self.file(id);
        let old = self.load(id)?.ok_or_else(|| self.no_such_key(id))?;
        let (key, roles) = (old.key.clone(), old.roles.clone());
        let seed = self.open(old)?.seed();
        let new = KeyFile { private: self.private(&seed, encryption)?, key, roles };
        let same = |written: &[u8]| {
            let written = KeyFile::parse(written)?;
            let read = match (&written.private, encryption) {
                (Private::Plain(seed), None) => Some(seed.clone()),
                (Private::Encrypted(sealed), Some(encryption)) => sealed.open(encryption.passphrase()),
                _ => None,
            };
            let right = read.is_some_and(|read| read == seed && belongs(&read, &new.key)) && written.roles == new.roles;
            if right { Ok(()) } else { Err("it was not written right".to_owned()) }
        };
        let left = store::Old::of(&path);
        store::write(&path, &new.to_bytes(), same)?;
        left.wipe();
        if let Some(encryption) = encryption {
            self.keyring.learn(encryption.passphrase());
        }
        Ok(())
    }
}
