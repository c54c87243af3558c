//! Asks Windows who keeps a file from being replaced: first the file system whether anybody does, then, for those files alone, the Restart Manager who.
//!
//! A file that is open and shared for everything is in nobody's way here. A program that runs is named, so that an update while the client runs waits as it does elsewhere; where the
//! Restart Manager names nobody for it, the swap moves it aside. A file that cannot even be renamed always counts, also when nobody can be named.

use std::collections::BTreeMap;
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Holder, Looked, Use, Watched};
use crate::fs::{Folder, LocalPath};
use crate::windows_api::processes::{self, Opener};

/// Who is told of when nobody can be named.
const UNKNOWN: &str = "a program that Windows does not name";
/// How often processes are looked at that cannot be waited for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// See [`super::look`].
pub(super) fn holders(folder: &Folder, watched: &Watched) -> io::Result<Looked> {
    let root = std::path::absolute(folder.path())?;
    let mut found: BTreeMap<u32, Holder> = BTreeMap::new();
    for path in watched.replaced.iter().chain(&watched.programs) {
        // What cannot be looked at is no obstacle yet: the swap tells.
        let is = |asked: Result<bool, _>| asked.unwrap_or(false);
        let is_held = is(folder.is_held(path));
        if !is_held && !is(folder.is_pinned(path)) {
            continue;
        }
        let how = match path.file_name().to_ascii_lowercase().ends_with(b".exe") {
            _ if is_held => Use::HasOpen,
            true => Use::Runs,
            false => Use::Maps,
        };
        let openers = openers(&root, path);
        if openers.is_empty() && is_held {
            found.entry(0).or_insert_with(|| holder(Opener { pid: 0, program: UNKNOWN.to_owned() }, path, how));
        }
        for opener in openers.into_iter().filter(|opener| opener.pid != std::process::id()) {
            found.entry(opener.pid).or_insert_with(|| holder(opener, path, how));
        }
    }
    Ok(Looked { holders: found.into_values().collect(), unseen: vec![] })
}

fn holder(opener: Opener, path: &LocalPath, how: Use) -> Holder {
    Holder { pid: opener.pid, program: opener.program, user: None, file: path.to_string(), how }
}

/// Nobody when the Restart Manager cannot be asked.
fn openers(root: &Path, path: &LocalPath) -> Vec<Opener> {
    let full = path.components().fold(PathBuf::from(root), |full, name| full.join(String::from_utf8_lossy(name).as_ref()));
    let full: Vec<u16> = full.as_os_str().encode_wide().collect();
    processes::openers(&full).unwrap_or_else(|error| {
        tracing::info!(%error, "the Restart Manager does not tell who holds a file");
        vec![]
    })
}

/// Returns when one of the processes has ended, or after `longest`; never ends one. Blocks.
pub(super) fn one_ends(pids: &[u32], longest: Duration) {
    if !processes::one_ends(pids, longest) {
        std::thread::sleep(longest.min(LOOK_AGAIN));
    }
}
