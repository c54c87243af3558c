//! `config/`: the release's own version of each config file that may be merged, so that the next merge knows what its user changed (`docs/format.md` section 10).
//!
//! A file is named by its digest and believed only when its content has it. All of it may be lost: then a merge knows two files instead of three, and takes every difference for the user's.

use std::collections::HashSet;

use manifests::digest::Digest;
use manifests::release::ConfigPolicy;

use crate::backup::rotation::Slot;
use crate::config_merge::LARGEST_BYTES;
use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::installed::Installed;

fn at(sha256: &Digest) -> LocalPath {
    LocalPath::state("config").join(sha256.to_hex())
}

/// The file with the digest `sha256`, if it is there and whole.
pub fn load(folder: &Folder, sha256: &Digest) -> Result<Option<Vec<u8>>, FsError> {
    let is_fit = folder.stat(&at(sha256))?.is_some_and(|stat| stat.is_file() && stat.size <= LARGEST_BYTES as u64);
    let bytes = if is_fit { folder.read(&at(sha256))? } else { None };
    Ok(bytes.filter(|bytes| Digest::of(bytes) == *sha256))
}

/// Keeps `bytes`, whose digest is `sha256`.
pub fn keep(folder: &Folder, sha256: &Digest, bytes: &[u8]) -> Result<(), FsError> {
    folder.make_folders(&LocalPath::state("config"), Point::StateFolder)?;
    folder.write_durably(&at(sha256), bytes, Point::ConfigFile)
}

/// Drops what neither the `installed` release nor one that a backup holds has: from those a merge may start, forward or back.
pub fn sweep(folder: &Folder, installed: &Installed) -> Result<(), FsError> {
    let kept = LocalPath::state("config");
    if folder.stat(&kept)?.is_none() {
        return Ok(());
    }
    let merged = |installed: &Installed| -> HashSet<Vec<u8>> {
        let files = installed.files.iter().filter(|file| file.policy == Some(ConfigPolicy::Merge));
        files.map(|file| file.sha256.to_hex().into_bytes()).collect()
    };
    let needed = merged(installed);
    let mut others: Vec<Vec<u8>> = folder.names(&kept)?.into_iter().filter(|name| !needed.contains(name)).collect();
    // Mostly there are none, and the backups need not be read.
    for slot in Slot::ALL {
        if others.is_empty() {
            break;
        }
        let bytes = folder.read(&LocalPath::root().join(slot.folder_name()).join(".updater/installed"))?;
        let held = bytes.and_then(|bytes| Installed::parse(&bytes).ok()).map(|installed| merged(&installed)).unwrap_or_default();
        others.retain(|name| !held.contains(name));
    }
    others.iter().try_for_each(|name| folder.discard(&kept.join(name), Point::ConfigFile))
}
