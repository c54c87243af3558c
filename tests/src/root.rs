//! What only root can do. A test that needs it and does not run as root fails and says how it is run: what was not tried must not look as if it had been.

use std::path::PathBuf;
use std::process::Command;

use crate::disk::succeeds;

/// Panics unless this test runs as root, which it needs to do `what`.
#[track_caller]
pub fn is_needed_to(what: &str) {
    assert!(rustix::process::geteuid().is_root(), "this test needs root to {what}: run `sudo tests/run`");
}

/// A file or folder with the immutable attribute, until this is dropped.
#[derive(Debug)]
pub struct Immutable(PathBuf);

impl Immutable {
    /// Makes `path` immutable. Panics when it cannot be: without root, or on a file system without attributes.
    #[track_caller]
    pub fn new(path: PathBuf) -> Immutable {
        let set = succeeds(Command::new("chattr").arg("+i").arg(&path));
        set.unwrap_or_else(|why| {
            panic!("`{}` cannot be made immutable, which takes root and a file system with attributes: {why}", path.display())
        });
        Immutable(path)
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        let taken = succeeds(Command::new("chattr").arg("-i").arg(&self.0));
        if let Err(why) = taken {
            crate::disk::say(&format!("`{}` is still immutable: {why}", self.0.display()));
        }
    }
}
