//! Private keys in files: `<repo>.keys/<keyid>.json`, readable by their owner alone (`docs/format.md` section 9).
//!
//! A file's name and its public half must belong to its seed, which lies there plain or encrypted under a passphrase. Authority never comes from here: what a key may sign is said by root and
//! delegations. A passphrase is asked for only when a key that is needed is encrypted, and once for all keys that it fits. Seeds and passphrases are wiped from memory when dropped, and
//! nothing here prints them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::digest::decode_hex;
use crate::key::{Key, KeyId};
use crate::publish::disk::{DiskError, failed, refuse_in_repository};
use crate::publish::passphrase::{LockedKey, PassphraseError, PassphraseSource};
use crate::role::RoleKeys;
use crate::signer::{Ed25519Signer, Signer};

mod encryption;
mod file;
mod keyring;
mod moving;
mod store;

pub use encryption::{Cost, Encryption};
pub use file::{MAX_KEY_FILE_BYTES, is_private_key};
pub use store::could_be_key;

use encryption::Seed;
use file::{KeyFile, Private};
use keyring::Keyring;

/// A folder of key files. Its clones share what they know of passphrases.
#[derive(Debug, Clone)]
pub struct KeyFolder {
    path: PathBuf,
    keyring: Arc<Keyring>,
    encryption: Option<Arc<Encryption>>,
}

/// What is known of a key file without its passphrase.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyFileInfo {
    /// The key's id.
    pub id: KeyId,
    /// The public half.
    pub key: Key,
    /// The roles it was made for: for people.
    pub roles: Vec<String>,
    /// Whether it needs a passphrase.
    pub encrypted: bool,
    /// The file.
    pub path: PathBuf,
}

/// The key files of a folder.
#[derive(Debug, Default)]
pub struct KeyList {
    /// Those that can be used, by id.
    pub keys: Vec<KeyFileInfo>,
    /// Files that look like keys and cannot be used, with the reason.
    pub unusable: Vec<KeyError>,
}

/// A key could not be made or found.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not enough of a role's keys are here.
    #[error("no key of the role `{role}` in `{}` (give the folder that holds it with --keys; the role's keys are {wanted})", folder.display())]
    Missing {
        /// The role.
        role: String,
        /// Where was looked.
        folder: PathBuf,
        /// Ids of the role's keys.
        wanted: String,
    },
    /// There is no file of this key.
    #[error("there is no key `{key}` in `{}`: `manifests keys list` shows which there are", folder.display())]
    NoSuchKey {
        /// The key.
        key: KeyId,
        /// Where was looked.
        folder: PathBuf,
    },
    /// There are no keys at all.
    #[error("there is no key file in `{}`: give the folder that holds them with --keys", .0.display())]
    NoKeys(PathBuf),
    /// The file is no key file, or not that of its name.
    #[error("`{}` is not the key file its name says: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Others can read the file.
    #[error("`{}` can be read by others (mode {mode:03o}): run `chmod 600` on it, and think about who may have read it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Files there have the modes of the file system, and others can read them.
    #[error(
        "a file made in `{}` for its owner alone has the mode {mode:03o}: others could read a key there, and none was written; choose a folder on a disk of this machine that keeps modes, with --keys \
         or, for the keys that `update-server` makes for an AppServer.ini, with --state",
        folder.display()
    )]
    NoModes {
        /// The folder.
        folder: PathBuf,
        /// The mode.
        mode: u32,
    },
    /// The key is encrypted, and nobody gave a passphrase.
    #[error("key `{key}` ({roles}) is encrypted, in `{}`: give its passphrase with --passphrase-file or in MANIFESTS_PASSPHRASE, or run this on a terminal", path.display())]
    Encrypted {
        /// The key.
        key: KeyId,
        /// The roles it was made for.
        roles: String,
        /// Its file.
        path: PathBuf,
    },
    /// The passphrase does not open the key.
    #[error("the passphrase does not open key `{key}` ({roles}) in `{}`: give the right one; if it is right, the file is damaged, and you need its copy", path.display())]
    WrongPassphrase {
        /// The key.
        key: KeyId,
        /// The roles it was made for.
        roles: String,
        /// Its file.
        path: PathBuf,
    },
    /// A passphrase could not be had.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// A key could not be encrypted.
    #[error("the key could not be encrypted: {0}")]
    Encrypt(String),
    /// There is a different file already.
    #[error("`{}` is there already and is not the same file: compare the two, remove one, and run this again", .0.display())]
    Occupied(PathBuf),
    /// No randomness.
    #[error("the system gives no randomness for a key: {0}")]
    Random(String),
    /// A file could not be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl KeyFolder {
    /// The key files in `path`, without any passphrase: an encrypted one that is needed is [`KeyError::Encrypted`].
    pub fn new(path: &Path) -> KeyFolder {
        KeyFolder { path: path.to_owned(), keyring: Arc::default(), encryption: None }
    }

    /// The default place for the repository at `repository`: `<repo>.keys` beside it.
    pub fn beside(repository: &Path) -> KeyFolder {
        let mut name = repository.file_name().unwrap_or_default().to_owned();
        name.push(".keys");
        KeyFolder::new(&repository.with_file_name(name))
    }

    /// The same folder, whose encrypted keys `source` is asked for. A passphrase that opens one key is tried on all others before the source is asked again.
    pub fn unlocked_by(self, source: Arc<dyn PassphraseSource>) -> KeyFolder {
        KeyFolder { keyring: Arc::new(self.keyring.asking(source)), ..self }
    }

    /// The same folder, where every key that is made is encrypted.
    pub fn encrypting(self, encryption: Encryption) -> KeyFolder {
        KeyFolder { keyring: Arc::new(self.keyring.knowing(encryption.passphrase())), encryption: Some(Arc::new(encryption)), ..self }
    }

    /// The same knowledge and encryption, at another place.
    pub fn at(&self, path: &Path) -> KeyFolder {
        KeyFolder { path: path.to_owned(), keyring: Arc::clone(&self.keyring), encryption: self.encryption.clone() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder, made if it is missing.
    pub fn created(&self) -> Result<&KeyFolder, KeyError> {
        self.create().map(|()| self)
    }

    /// Makes the folder, 0700, if it is missing. Never in a repository, which is served and copied.
    pub fn create(&self) -> Result<(), KeyError> {
        refuse_in_repository(&self.path)?;
        if self.path.is_dir() {
            return Ok(());
        }
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        Ok(builder.create(&self.path).map_err(failed("make", &self.path))?)
    }

    /// Makes a key for `role` and writes its file, plain unless the folder is [`KeyFolder::encrypting`].
    pub fn generate(&self, role: &str) -> Result<Ed25519Signer, KeyError> {
        let mut seed: Seed = Zeroizing::new([0u8; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|error| KeyError::Random(error.to_string()))?;
        let signer = Ed25519Signer::from_seed(&seed);
        let path = self.file(&signer.key_id());
        let private = self.private(&seed, self.encryption.as_deref())?;
        let made = KeyFile { key: signer.key().clone(), roles: vec![role.to_owned()], private };
        store::write(&path, &made.to_bytes(), |_| Ok(()))?;
        Ok(signer)
    }

    /// Every key file, without any passphrase; what cannot be used is named and is no failure. Empty when there is no such folder.
    pub fn list(&self) -> Result<KeyList, KeyError> {
        let mut list = KeyList::default();
        for path in self.files()? {
            match store::read(&path) {
                Ok(file) => list.keys.push(KeyFileInfo {
                    id: file.key.id(),
                    encrypted: matches!(file.private, Private::Encrypted(_)),
                    key: file.key,
                    roles: file.roles,
                    path,
                }),
                Err(error) => list.unusable.push(error),
            }
        }
        Ok(list)
    }

    /// As many of the keys of `role` as sign it: its threshold, or an error that says which are missing.
    pub fn signers(&self, role: &str, keys: &RoleKeys) -> Result<Vec<Ed25519Signer>, KeyError> {
        let wanted = keys.threshold.get();
        if (keys.keyids.iter().filter(|id| self.holds(id)).count() as u64) < wanted {
            let ids = keys.keyids.iter().map(KeyId::as_str).collect::<Vec<_>>().join(", ");
            return Err(KeyError::Missing { role: role.to_owned(), folder: self.path.clone(), wanted: ids });
        }
        self.take(&keys.keyids, usize::try_from(wanted).unwrap_or(usize::MAX))
    }

    /// Up to `most` of the keys `ids`, as far as they are here, opened. Plain ones are taken first, so that no passphrase is asked for in vain.
    ///
    /// # Errors
    /// When one is encrypted and stays locked; a file that cannot be used only when there are not enough others.
    pub fn take<'a>(&self, ids: impl IntoIterator<Item = &'a KeyId>, most: usize) -> Result<Vec<Ed25519Signer>, KeyError> {
        let (mut plain, mut encrypted, mut trouble) = (Vec::new(), Vec::new(), None);
        for id in ids {
            match self.load(id) {
                Ok(Some(file)) if matches!(file.private, Private::Plain(_)) => plain.push(file),
                Ok(Some(file)) => encrypted.push(file),
                Ok(None) => {}
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
        if let Some(error) = trouble.filter(|_| plain.len() + encrypted.len() < most) {
            return Err(error);
        }
        plain.into_iter().chain(encrypted).take(most).map(|file| self.open(file)).collect()
    }

    /// Keys in the folder that were made for `role`. No passphrase is asked for but theirs.
    pub fn made_for(&self, role: &str) -> Result<Vec<Ed25519Signer>, KeyError> {
        let mut found = Vec::new();
        for path in self.files()? {
            let file = store::read(&path)?;
            if file.roles.iter().any(|made_for| made_for == role) {
                found.push(self.open(file)?);
            }
        }
        Ok(found)
    }

    /// The key `id`, opened.
    pub fn unlock(&self, id: &KeyId) -> Result<Ed25519Signer, KeyError> {
        self.open(self.load(id)?.ok_or_else(|| self.no_such_key(id))?)
    }

    /// Whether the file of the key `id` is here.
    pub fn holds(&self, id: &KeyId) -> bool {
        // Ids come from verified metadata, where they are digests of keys; one that is none can name no file of ours.
        decode_hex(id.as_str()).is_some() && self.file(id).exists()
    }

    fn load(&self, id: &KeyId) -> Result<Option<KeyFile>, KeyError> {
        if self.holds(id) { store::read(&self.file(id)).map(Some) } else { Ok(None) }
    }

    fn open(&self, file: KeyFile) -> Result<Ed25519Signer, KeyError> {
        match file.private {
            Private::Plain(seed) => Ok(Ed25519Signer::from_seed(&seed)),
            Private::Encrypted(sealed) => {
                let id = file.key.id();
                let locked = LockedKey { path: self.file(&id), id, roles: file.roles };
                Ok(Ed25519Signer::from_seed(&self.keyring.open(&locked, &file.key, &sealed)?))
            }
        }
    }

    fn private(&self, seed: &Seed, encryption: Option<&Encryption>) -> Result<Private, KeyError> {
        Ok(match encryption {
            Some(encryption) => Private::Encrypted(encryption.seal(seed)?),
            None => Private::Plain(seed.clone()),
        })
    }

    /// Every `.json` file, by name.
    fn files(&self) -> Result<Vec<PathBuf>, KeyError> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(failed("list", &self.path)(error).into()),
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed("list", &self.path))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    fn file(&self, id: &KeyId) -> PathBuf {
        self.path.join(format!("{id}.json"))
    }

    fn no_such_key(&self, id: &KeyId) -> KeyError {
        KeyError::NoSuchKey { key: id.clone(), folder: self.path.clone() }
    }
}

#[cfg(test)]
mod tests;
