//! [`Change`]: what a step does to the file system, said beforehand, so that a test can take back what was never made durable ([`super::unsynced`]).

use std::fs::File;

use super::Dir;

/// One change of the file system.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(any(test, feature = "fail-points")), expect(dead_code, reason = "only tests look into it"))]
pub(crate) enum Change<'a> {
    /// The name comes into the folder, unless it is there.
    Make { folder: &'a Dir, name: &'a [u8] },
    /// What has the name gets another, perhaps in another folder, in place of what is there.
    Rename { folder: &'a Dir, name: &'a [u8], to: &'a Dir, to_name: &'a [u8] },
    /// The name goes.
    Remove { folder: &'a Dir, name: &'a [u8] },
    /// The bytes of the file change, from this one on.
    Write { file: &'a File, from: u64 },
    /// Time or mode of the open file changes.
    Attributes { file: &'a File },
    /// Time or mode of what has the name changes.
    AttributesOf { folder: &'a Dir, name: &'a [u8] },
    /// Content, time and mode of the file become durable.
    SyncFile { file: &'a File },
    /// The same for what has the name.
    SyncFileOf { folder: &'a Dir, name: &'a [u8] },
    /// The names in the folder become durable.
    SyncFolder { folder: &'a Dir },
    /// Everything becomes durable.
    SyncAll,
    /// The install folder itself comes; it is not ours to lose.
    InstallFolder,
}
