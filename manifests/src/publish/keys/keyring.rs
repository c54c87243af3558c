//! What this run knows of passphrases: those that opened a key, and the keys they opened.
//!
//! A passphrase that opened one key is tried on every other before anybody is asked; a key is decrypted once. Everything here is wiped when the last copy of the folder is dropped.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::KeyError;
use super::encryption::{Sealed, Seed};
use super::file::belongs;
use crate::key::{Key, KeyId};
use crate::publish::passphrase::{LockedKey, Passphrase, PassphraseSource};

/// Passphrases and opened keys of one run.
#[derive(Default)]
pub(super) struct Keyring {
    source: Option<Arc<dyn PassphraseSource>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Vec<Passphrase>,
    opened: BTreeMap<KeyId, Seed>,
}

impl Keyring {
    /// The same knowledge, with `source` to ask for more.
    pub(super) fn asking(&self, source: Arc<dyn PassphraseSource>) -> Keyring {
        let known = self.state().known.clone();
        Keyring { source: Some(source), state: Mutex::new(State { known, opened: BTreeMap::new() }) }
    }

    /// The same knowledge and source, and `passphrase`.
    pub(super) fn knowing(&self, passphrase: &Passphrase) -> Keyring {
        let known = self.state().known.clone();
        let keyring = Keyring { source: self.source.clone(), state: Mutex::new(State { known, opened: BTreeMap::new() }) };
        keyring.learn(passphrase);
        keyring
    }

    /// Tries `passphrase` on keys from now on.
    pub(super) fn learn(&self, passphrase: &Passphrase) {
        let known = &mut self.state().known;
        if !known.contains(passphrase) {
            known.push(passphrase.clone());
        }
    }

    /// Forgets a key that was changed or removed.
    pub(super) fn forget(&self, id: &KeyId) {
        self.state().opened.remove(id);
    }

    /// The seed of an encrypted key: with a passphrase that is known, else with one from the source. The public half proves that it is the right one.
    pub(super) fn open(&self, locked: &LockedKey, key: &Key, sealed: &Sealed) -> Result<Seed, KeyError> {
        // Held while somebody is asked: two threads never ask for the same passphrase.
        let mut state = self.state();
        if let Some(seed) = state.opened.get(&locked.id) {
            return Ok(seed.clone());
        }
        let found = match state.known.iter().find_map(|passphrase| sealed.open(passphrase)) {
            Some(seed) => seed,
            None => {
                let (passphrase, seed) = self.ask(&state.known, locked, sealed)?;
                state.known.push(passphrase);
                seed
            }
        };
        if !belongs(&found, key) {
            let reason = "its public half does not belong to its encrypted seed".to_owned();
            return Err(KeyError::Malformed { path: locked.path.clone(), reason });
        }
        state.opened.insert(locked.id.clone(), found.clone());
        Ok(found)
    }

    fn ask(&self, known: &[Passphrase], locked: &LockedKey, sealed: &Sealed) -> Result<(Passphrase, Seed), KeyError> {
        let encrypted = || KeyError::Encrypted { key: locked.id.clone(), roles: locked.roles.join(", "), path: locked.path.clone() };
        let source = self.source.as_ref().ok_or_else(encrypted)?;
        for attempt in 0..source.tries().max(1) {
            let passphrase = source.passphrase(locked, known.len() + attempt)?.ok_or_else(encrypted)?;
            if !known.contains(&passphrase)
                && let Some(seed) = sealed.open(&passphrase)
            {
                return Ok((passphrase, seed));
            }
        }
        Err(KeyError::WrongPassphrase { key: locked.id.clone(), roles: locked.roles.join(", "), path: locked.path.clone() })
    }

    /// A panic elsewhere leaves passphrases and seeds as they were: each is pushed whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(…)")
    }
}
