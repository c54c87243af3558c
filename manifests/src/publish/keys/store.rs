//! Key files on disk: private from their first byte, complete or not there, and read back before anything relies on them.
//!
//! A file is written beside, fsynced and renamed, so that a crash leaves the old key file or the new one and never a torn one. What is left behind is overwritten with zeros first. That is
//! worth something on a plain disk; a file system that copies on write, a journal, a flash drive or a backup may keep the old bytes all the same. Who must be sure makes a new key.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::KeyError;
use super::file::{KeyFile, MAX_KEY_FILE_BYTES, Private, is_private_key};
use crate::publish::disk::{failed, sync_folder};
use crate::publish::layout;
use crate::publish::passphrase::exposed;

/// The bytes of the key file at `path`, and whether others can read it.
pub(super) fn bytes(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Option<u32>), KeyError> {
    let file = File::open(path).map_err(failed("open", path))?;
    let exposed = exposed(&file).map_err(failed("read the mode of", path))?;
    let longest = MAX_KEY_FILE_BYTES + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(longest));
    file.take(longest as u64).read_to_end(&mut bytes).map_err(failed("read", path))?;
    Ok((bytes, exposed))
}

/// The bytes of the file at `path`, where they could be those of a key file by their number and their first letter; whatever it is called, for files are renamed.
///
/// # Errors
/// What the system says of opening and reading it.
pub fn could_be_key(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > MAX_KEY_FILE_BYTES as u64 {
        return Ok(None);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_KEY_FILE_BYTES));
    file.take(MAX_KEY_FILE_BYTES as u64).read_to_end(&mut bytes)?;
    let begins = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    Ok(begins.then_some(bytes))
}

/// What the key file at `path` says. Its name must be that of its key; one with a plain seed that others can read is refused. (An encrypted one may lie where there are no modes, such as on a
/// stick.)
pub(super) fn read(path: &Path) -> Result<KeyFile, KeyError> {
    let (bytes, exposed) = bytes(path)?;
    let malformed = |reason: String| KeyError::Malformed { path: path.to_owned(), reason };
    let parsed = KeyFile::parse(&bytes);
    let is_encrypted = matches!(&parsed, Ok(KeyFile { private: Private::Encrypted(_), .. }));
    if let Some(mode) = exposed.filter(|_| is_private_key(&bytes) && !is_encrypted) {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    let parsed = parsed.map_err(malformed)?;
    if path.file_stem().and_then(|name| name.to_str()) != Some(parsed.key.id().as_str()) {
        return Err(malformed("it holds another key".into()));
    }
    Ok(parsed)
}

/// Makes `path` hold `bytes`, durably and for its owner alone. `check` judges the new file before it gets its name.
pub(super) fn write(path: &Path, bytes: &[u8], check: impl FnOnce(&[u8]) -> Result<(), String>) -> Result<(), KeyError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).map_err(|error| KeyError::Random(error.to_string()))?;
    let beside = Beside(folder.join(format!("{}{}", layout::TEMPORARY, hex::encode(random))));
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside.0).map_err(failed("create a key file in", folder))?;
    refuse_readable(folder, exposed(&file).map_err(failed("read the mode of", &beside.0))?, bytes)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write", &beside.0))?;
    let mut written = Zeroizing::new(Vec::with_capacity(bytes.len() + 1));
    file.rewind().and_then(|()| file.read_to_end(&mut written)).map_err(failed("read back", &beside.0))?;
    drop(file);
    check(&written).map_err(|reason| KeyError::Malformed { path: path.to_owned(), reason })?;
    fs::rename(&beside.0, path).map_err(failed("rename a new file to", path))?;
    Ok(sync_folder(folder).map_err(failed("fsync", folder))?)
}

/// Refuses to write a plain seed into a file that others can read, for it has the mode `exposed` although it was made for its owner alone: on shares and sticks every file has that of the mount.
fn refuse_readable(folder: &Path, exposed: Option<u32>, bytes: &[u8]) -> Result<(), KeyError> {
    let is_plain = matches!(KeyFile::parse(bytes), Ok(KeyFile { private: Private::Plain(_), .. }));
    exposed.filter(|_| is_plain).map_or(Ok(()), |mode| Err(KeyError::NoModes { folder: folder.to_owned(), mode }))
}

/// Removes what a command that was cut short left of a key file in `folder`: a copy of a private key that nothing names. Best effort.
pub(super) fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for left in entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(layout::TEMPORARY))) {
        let _ = erase(&left.path());
    }
}

/// A file without its name yet; goes away unless it was renamed.
struct Beside(PathBuf);

impl Drop for Beside {
    fn drop(&mut self) {
        if self.0.exists() {
            let _ = erase(&self.0);
        }
    }
}

/// Removes `path` after overwriting it with zeros; see the module's head for what that is worth.
pub(super) fn erase(path: &Path) -> io::Result<()> {
    let old = Old::of(path);
    fs::remove_file(path)?;
    old.wipe();
    sync_folder(path.parent().unwrap_or(Path::new("")))
}

/// The content of a file that is about to lose its name.
pub(super) struct Old(Option<File>);

impl Old {
    /// What `path` holds now. Nothing where it could not be opened, or where another name leads to the same content, whose owner may rely on it.
    pub(super) fn of(path: &Path) -> Old {
        let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
        Old(File::options().write(true).open(path).ok().filter(|file| is_file && has_one_name(file)))
    }

    /// Overwrites it with zeros, best effort.
    pub(super) fn wipe(self) {
        if let Some(mut file) = self.0 {
            let length = file.metadata().map_or(0, |metadata| metadata.len()).min(MAX_KEY_FILE_BYTES as u64);
            let _ = io::copy(&mut io::repeat(0).take(length), &mut file).and_then(|_| file.sync_all());
        }
    }
}

#[cfg(unix)]
fn has_one_name(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| std::os::unix::fs::MetadataExt::nlink(&metadata) == 1)
}

/// Where links cannot be counted, no content is overwritten.
#[cfg(not(unix))]
fn has_one_name(_: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::keys::KeyFolder;

    #[test]
    fn a_plain_key_is_not_written_where_others_could_read_it() {
        let temp = tempfile::tempdir().unwrap();
        let bytes_of = |keys: &KeyFolder| {
            let id = crate::signer::Signer::key_id(&keys.created().unwrap().generate("root").unwrap());
            fs::read(keys.path().join(format!("{id}.json"))).unwrap()
        };
        let plain = KeyFolder::new(&temp.path().join("plain"));
        let refused = refuse_readable(plain.path(), Some(0o755), &bytes_of(&plain)).unwrap_err().to_string();
        assert!(refused.contains("755") && refused.contains("--state") && refused.contains("--keys"), "{refused}");
        refuse_readable(plain.path(), None, &bytes_of(&plain)).unwrap();
    }
}
