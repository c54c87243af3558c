//! Passphrases of private keys, and where they come from.
//!
//! A [`Passphrase`] is wiped from memory when dropped and never printed, not even by `{:?}`. A [`PassphraseSource`] is asked only when a key that is needed is encrypted and no passphrase
//! of this run fits it ([`super::keys`]), so that a command that needs no such key asks nobody.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::key::KeyId;
use crate::publish::disk::{DiskError, failed};

/// Longest passphrase, in bytes: what `openssl` takes from a file's line, too.
pub const MAX_PASSPHRASE_BYTES: usize = 1023;

/// What opens an encrypted key.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

/// A passphrase could not be had, or is none.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// Nothing is not a passphrase.
    #[error("the passphrase is empty: write it into the first line of the file, or into the variable, that should hold it")]
    Empty,
    /// Longer than other tools take.
    #[error("the passphrase has more than {MAX_PASSPHRASE_BYTES} bytes, or its file has no line end: give a shorter one")]
    TooLong,
    /// Too short for a new one.
    #[error("a new passphrase has at least {least} bytes: take several words")]
    TooShort {
        /// The least length, in bytes.
        least: usize,
    },
    /// Others can read the file that holds it.
    #[error("`{}` can be read by others (mode {mode:03o}): run `chmod 600` on it, and choose a new passphrase if they may have read it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The terminal could not be read.
    #[error("the passphrase could not be read from the terminal: {0}")]
    Terminal(String),
    /// Two entries of a new passphrase were not the same.
    #[error("the two entries differ: nothing was changed, run the command again")]
    Differ,
    /// Nobody could be asked for a new passphrase.
    #[error("there is no new passphrase: give it with {0}, or run this on a terminal")]
    NoneNew(&'static str),
}

impl Passphrase {
    /// The passphrase of exactly these bytes.
    ///
    /// # Errors
    /// When there are none, or more than [`MAX_PASSPHRASE_BYTES`].
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Passphrase, PassphraseError> {
        match bytes.len() {
            0 => Err(PassphraseError::Empty),
            length if length > MAX_PASSPHRASE_BYTES => Err(PassphraseError::TooLong),
            _ => Ok(Passphrase(bytes)),
        }
    }

    /// The first line of the file at `path`, without its line end. A file that others can read is refused.
    pub fn read(path: &Path) -> Result<Passphrase, PassphraseError> {
        let file = File::open(path).map_err(failed("open the passphrase file", path))?;
        if let Some(mode) = exposed(&file).map_err(failed("read the mode of", path))? {
            return Err(PassphraseError::Exposed { path: path.to_owned(), mode });
        }
        // Two bytes of line end; the room is reserved at once, so that no copy is left behind by growing.
        let longest = MAX_PASSPHRASE_BYTES + 2;
        let mut bytes = Zeroizing::new(Vec::with_capacity(longest));
        file.take(longest as u64).read_to_end(&mut bytes).map_err(failed("read", path))?;
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        bytes.truncate(end);
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        Passphrase::new(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Passphrase {
    fn eq(&self, other: &Passphrase) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// An encrypted key that is to be opened, as a source may show it to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedKey {
    /// Its id.
    pub id: KeyId,
    /// The roles it was made for, as its file says: text that nobody has verified.
    pub roles: Vec<String>,
    /// Its file.
    pub path: PathBuf,
}

/// Where passphrases come from.
pub trait PassphraseSource: Send + Sync {
    /// The passphrase of `key`, of which `refused` passphrases of this run have been tried and did not fit; `None` when this source has none to give.
    fn passphrase(&self, key: &LockedKey, refused: usize) -> Result<Option<Passphrase>, PassphraseError>;

    /// How often it is worth asking for one key: once, where the answer would be the same again.
    fn tries(&self) -> usize {
        1
    }
}

/// One passphrase for every key.
impl PassphraseSource for Passphrase {
    fn passphrase(&self, _: &LockedKey, _: usize) -> Result<Option<Passphrase>, PassphraseError> {
        Ok(Some(self.clone()))
    }
}

/// The mode of `file` when others than its owner can read or write it. On Windows access follows the folder's own list, which only its owner and administrators are on by default in a
/// profile.
#[cfg(unix)]
pub(super) fn exposed(file: &File) -> std::io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

#[cfg(not(unix))]
pub(super) fn exposed(_: &File) -> std::io::Result<Option<u32>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(content: &[u8]) -> Result<Passphrase, PassphraseError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        fs::write(&path, content).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        Passphrase::read(&path)
    }

    #[test]
    fn a_passphrase_is_the_first_line_of_its_file() {
        for content in
            [&b"four words are enough"[..], b"four words are enough\n", b"four words are enough\r\n", b"four words are enough\nsecond\n"]
        {
            assert_eq!(read(content).unwrap().as_bytes(), b"four words are enough", "{content:?}");
        }
        assert_eq!(read(b" spaces stay \n").unwrap().as_bytes(), b" spaces stay ");
    }

    #[test]
    fn nothing_and_too_much_are_no_passphrases() {
        assert!(matches!(read(b""), Err(PassphraseError::Empty)));
        assert!(matches!(read(b"\nsecond"), Err(PassphraseError::Empty)));
        assert_eq!(read(&[b'x'; MAX_PASSPHRASE_BYTES]).unwrap().as_bytes().len(), MAX_PASSPHRASE_BYTES);
        assert!(matches!(read(&[b'x'; MAX_PASSPHRASE_BYTES + 1]), Err(PassphraseError::TooLong)));
        assert!(matches!(read(&[b'x'; 1 << 20]), Err(PassphraseError::TooLong)));
    }

    #[cfg(unix)]
    #[test]
    fn a_passphrase_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        fs::write(&path, "four words are enough\n").unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Passphrase::read(&path).unwrap_err();
            assert!(matches!(error, PassphraseError::Exposed { mode: found, .. } if found == mode));
            assert!(error.to_string().contains("chmod 600") && !error.to_string().contains("four words"), "{error}");
        }
    }

    #[test]
    fn a_passphrase_is_never_printed() {
        assert_eq!(format!("{:?}", Passphrase::new(Zeroizing::new(b"four words".to_vec())).unwrap()), "Passphrase(…)");
    }
}
