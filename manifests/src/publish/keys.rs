//! Private keys in files: `<repo>.keys/<keyid>.json`, readable by their owner alone (`docs/format.md` section 9).
//!
//! A file's name and its public half must belong to its seed. Authority never comes from here: what a key may sign is said by root and delegations. Seeds are wiped from memory when
//! dropped.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use crate::channel::FORMAT;
use crate::digest::decode_hex;
use crate::json::{self, JsonError};
use crate::key::KeyId;
use crate::publish::disk::{DiskError, failed, sync_folder};
use crate::role::RoleKeys;
use crate::signer::{Ed25519Signer, Signer};

/// A folder of key files.
#[derive(Debug, Clone)]
pub struct KeyFolder {
    path: PathBuf,
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
    /// No randomness.
    #[error("the system gives no randomness for a key: {0}")]
    Random(String),
    /// A file could not be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

#[derive(Deserialize)]
struct KeyFile {
    format: u64,
    keytype: String,
    scheme: String,
    #[serde(default)]
    roles: Vec<String>,
    public: String,
    seed: String,
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

impl KeyFolder {
    /// The key files in `path`.
    pub fn new(path: &Path) -> KeyFolder {
        KeyFolder { path: path.to_owned() }
    }

    /// The default place for the repository at `repository`: `<repo>.keys` beside it.
    pub fn beside(repository: &Path) -> KeyFolder {
        let mut name = repository.file_name().unwrap_or_default().to_owned();
        name.push(".keys");
        KeyFolder { path: repository.with_file_name(name) }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder, 0700, if it is missing.
    pub fn create(&self) -> Result<(), KeyError> {
        if self.path.is_dir() {
            return Ok(());
        }
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        Ok(builder.create(&self.path).map_err(failed("make", &self.path))?)
    }

    /// Makes a key for `role` and writes its file.
    pub fn generate(&self, role: &str) -> Result<Ed25519Signer, KeyError> {
        let mut seed = Zeroizing::new([0u8; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|error| KeyError::Random(error.to_string()))?;
        let signer = Ed25519Signer::from_seed(&seed);
        self.write(&signer, role)?;
        Ok(signer)
    }

    fn write(&self, signer: &Ed25519Signer, role: &str) -> Result<(), KeyError> {
        let path = self.file(&signer.key_id());
        let seed = Zeroizing::new(hex::encode(signer.seed().as_slice()));
        // Written out by hand: a serialiser would leave copies of the seed in memory. Role names and hex need no escapes.
        let text = Zeroizing::new(format!(
            r#"{{"format":{FORMAT},"keytype":"ed25519","public":"{}","roles":["{role}"],"scheme":"ed25519","seed":"{}","type":"key"}}"#,
            signer.key().public(),
            seed.as_str()
        ));
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(failed("create the key file", &path))?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed("write", &path))?;
        sync_folder(&self.path).map_err(failed("fsync", &self.path))?;
        Ok(())
    }

    /// As many of the keys of `role` as sign it: its threshold, or an error that says which are missing.
    pub fn signers(&self, role: &str, keys: &RoleKeys) -> Result<Vec<Ed25519Signer>, KeyError> {
        let mut found = Vec::new();
        for id in &keys.keyids {
            if found.len() as u64 == keys.threshold.get() {
                break;
            }
            found.extend(self.load(id)?);
        }
        if (found.len() as u64) < keys.threshold.get() {
            let wanted = keys.keyids.iter().map(KeyId::as_str).collect::<Vec<_>>().join(", ");
            return Err(KeyError::Missing { role: role.to_owned(), folder: self.path.clone(), wanted });
        }
        Ok(found)
    }

    /// Keys in the folder that were made for `role`.
    pub fn made_for(&self, role: &str) -> Result<Vec<Ed25519Signer>, KeyError> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(failed("list", &self.path)(error).into()),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed("list", &self.path))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let (signer, roles) = read(&path)?;
                if roles.iter().any(|made_for| made_for == role) {
                    found.push(signer);
                }
            }
        }
        Ok(found)
    }

    fn load(&self, id: &KeyId) -> Result<Option<Ed25519Signer>, KeyError> {
        // Ids come from verified metadata, where they are digests of keys; one that is none can name no file of ours.
        let path = self.file(id);
        if decode_hex(id.as_str()).is_none() || !path.exists() {
            return Ok(None);
        }
        let (signer, _) = read(&path)?;
        if signer.key_id() != *id {
            return Err(KeyError::Malformed { path, reason: "its seed belongs to another key".into() });
        }
        Ok(Some(signer))
    }

    fn file(&self, id: &KeyId) -> PathBuf {
        self.path.join(format!("{id}.json"))
    }
}

/// Longest key file, in bytes.
pub const MAX_KEY_FILE_BYTES: usize = 4096;

/// Whether `bytes` are a private key, whatever their file is called: what says so of itself and has a seed is never published, even where it is otherwise malformed.
pub fn is_private_key(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Claim {
        #[serde(rename = "type")]
        kind: String,
        #[serde(rename = "seed")]
        _seed: serde::de::IgnoredAny,
    }
    json::from_slice::<Claim>(bytes, MAX_KEY_FILE_BYTES).is_ok_and(|claim| claim.kind == "key")
}

fn read(path: &Path) -> Result<(Ed25519Signer, Vec<String>), KeyError> {
    let malformed = |reason: String| KeyError::Malformed { path: path.to_owned(), reason };
    let file = File::open(path).map_err(failed("open", path))?;
    refuse_exposed(&file, path)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_KEY_FILE_BYTES));
    file.take(MAX_KEY_FILE_BYTES as u64).read_to_end(&mut bytes).map_err(failed("read", path))?;
    let mut parsed: KeyFile = json::from_slice(&bytes, MAX_KEY_FILE_BYTES).map_err(|error: JsonError| malformed(error.to_string()))?;
    if parsed.format != FORMAT || parsed.keytype != "ed25519" || parsed.scheme != "ed25519" {
        return Err(malformed("its format, type or scheme is not known".into()));
    }
    let decoded = decode_hex(&parsed.seed).map(Zeroizing::new);
    let seed: Option<[u8; 32]> = decoded.and_then(|bytes| bytes.as_slice().try_into().ok());
    let signer = Ed25519Signer::from_seed(&Zeroizing::new(seed.ok_or_else(|| malformed("its seed is not 32 bytes of hex".into()))?));
    if signer.key().public() != parsed.public {
        return Err(malformed("its public half does not belong to its seed".into()));
    }
    Ok((signer, std::mem::take(&mut parsed.roles)))
}

#[cfg(unix)]
fn refuse_exposed(file: &File, path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(failed("read the mode of", path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 { Err(KeyError::Exposed { path: path.to_owned(), mode }) } else { Ok(()) }
}

/// Windows: access follows the folder's own list, which only its owner and administrators are on by default in a profile.
#[cfg(not(unix))]
fn refuse_exposed(_: &File, _: &Path) -> Result<(), KeyError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU64;

    fn folder() -> (tempfile::TempDir, KeyFolder) {
        let outer = tempfile::tempdir().unwrap();
        let keys = KeyFolder::new(&outer.path().join("r.keys"));
        keys.create().unwrap();
        (outer, keys)
    }

    fn role(signers: &[&Ed25519Signer]) -> RoleKeys {
        RoleKeys::new(signers.iter().map(|signer| signer.key_id()).collect(), NonZeroU64::MIN).unwrap()
    }

    #[test]
    fn keys_read_back_and_sign_alike() {
        let (_outer, keys) = folder();
        let made = keys.generate("windows").unwrap();
        let read = keys.signers("windows", &role(&[&made])).unwrap();
        assert_eq!(read[0].sign(b"x").unwrap(), made.sign(b"x").unwrap());
        assert_eq!(keys.made_for("windows").unwrap().len(), 1);
        assert_eq!(keys.made_for("linux").unwrap().len(), 0);
    }

    #[test]
    fn private_keys_are_known_by_their_content() {
        let (_outer, keys) = folder();
        let made = keys.generate("windows").unwrap();
        assert!(is_private_key(&fs::read(keys.file(&made.key_id())).unwrap()));
        assert!(is_private_key(br#" { "seed": "", "type": "key" } "#));
        for other in [r#"{"type":"key"}"#, r#"{"seed":"1","type":"noise"}"#, "[]", "", "{"] {
            assert!(!is_private_key(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_missing_key_is_named_with_its_role() {
        let (_outer, keys) = folder();
        let elsewhere = Ed25519Signer::from_seed(&Zeroizing::new([7; 32]));
        let error = keys.signers("windows", &role(&[&elsewhere])).err().unwrap().to_string();
        assert!(error.contains("`windows`") && error.contains(elsewhere.key_id().as_str()), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn key_files_are_private_and_one_that_is_not_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let (_outer, keys) = folder();
        let made = keys.generate("root").unwrap();
        let path = keys.file(&made.key_id());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(keys.path()).unwrap().permissions().mode() & 0o777, 0o700);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(keys.signers("root", &role(&[&made])), Err(KeyError::Exposed { mode: 0o644, .. })));
    }

    #[test]
    fn a_key_file_under_the_name_of_another_is_refused() {
        let (_outer, keys) = folder();
        let (a, b) = (keys.generate("root").unwrap(), keys.generate("root").unwrap());
        fs::copy(keys.file(&a.key_id()), keys.file(&b.key_id())).unwrap();
        assert!(matches!(keys.signers("root", &role(&[&b])), Err(KeyError::Malformed { .. })));
    }
}
