//! Which file starts the client when the record of what is installed cannot say so: whoever has a whole client can start it, whatever became of the updater's small files.
//!
//! Nothing but the start of the client goes by this. An entry point goes out first and comes in last in every swap, so one that is there belongs to a tree that is whole.

use manifests::digest::Digest;
use manifests::path::RelPath;
use serde::Deserialize;

use crate::fs::{Folder, FsError, LocalPath};
use crate::installed::Installed;
use crate::progress::Silent;
use crate::scan::{self, Depth};

/// What is needed of a channel document, which was verified when it was stored. Without `station.json` nobody knows whose it has to be.
#[derive(Deserialize)]
struct Channel {
    releases: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    manifest: Object,
    #[serde(default)]
    entry_point: Option<RelPath>,
}

#[derive(Deserialize)]
struct Object {
    sha256: Digest,
}

/// Whether something was installed in `folder`, as far as can still be seen.
pub(super) fn are_there(folder: &Folder) -> Result<bool, FsError> {
    Ok(folder.stat(&Installed::path())?.is_some() || folder.stat(&manifest())?.is_some())
}

/// The file that starts the client of `folder`: of the installed release where its record or its file list can still be read, of the newest known one otherwise. `None` where nothing
/// that can be read names one.
pub(super) fn entry_point(folder: &Folder) -> Option<RelPath> {
    if let Ok(Some(installed)) = Installed::load(folder) {
        return installed.release.entry_point;
    }
    let channel: Channel = serde_json::from_slice(&folder.read(&LocalPath::state("trust/channel.json")).ok()??).ok()?;
    let list = folder.read(&manifest()).ok().flatten().map(|bytes| Digest::of(&bytes));
    let installed = channel.releases.iter().find(|release| Some(release.manifest.sha256) == list);
    installed.or(channel.releases.last())?.entry_point.clone()
}

/// Whether the tree of `folder` is the one that its record says, every file of it.
pub(super) fn is_whole(folder: &Folder) -> bool {
    let Ok(Some(installed)) = Installed::load(folder) else { return false };
    scan::drift(folder, &installed, Depth::Deep, &Silent).is_ok_and(|drift| drift.is_empty())
}

fn manifest() -> LocalPath {
    LocalPath::state("manifest")
}
