//! After the commit, and after a cut: backups to their numbers, the state to its names, the history line, and nothing left over. Every step can be repeated from any state.

use manifests::digest::Digest;

use super::journal::{self, Plan};
use super::perform::found_folder;
use crate::backup::{new_backup, settle};
use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::history::{self, Attempt};

/// What `installed` becomes when a swap commits.
pub(crate) fn installed_next() -> LocalPath {
    LocalPath::state("installed.next")
}

/// What `manifest` becomes when a swap commits.
pub(crate) fn manifest_next() -> LocalPath {
    LocalPath::state("manifest.next")
}

/// Ends a committed swap. Returns why the history has no line of it, when it has none.
pub(crate) fn tidy(folder: &Folder, plan: &Plan) -> Result<Option<FsError>, FsError> {
    if let Some(slots) = &plan.slots {
        settle(folder, slots, &found_folder(plan))?;
    }
    promote(folder, &installed_next(), "installed", plan.installed)?;
    promote(folder, &manifest_next(), "manifest", plan.manifest)?;
    folder.sync_folder(&LocalPath::state_folder(), Point::CommitState)?;
    let written = write_line(folder, plan.attempt.as_ref());
    journal::end(folder)?;
    // What was staged for this release and not used would never be.
    folder.discard(&LocalPath::state("staging"), Point::TrashIn)?;
    // Swept first: on a full disk, what goes gives the room for the folder.
    sweep(folder)?;
    folder.make_state_folders()?;
    Ok(written.or_else(|_| write_line(folder, plan.attempt.as_ref())).err())
}

/// Ends a swap that was undone, with `attempt` for the history. Returns why the history has no line of it, when it has none.
pub(crate) fn close_undone(folder: &Folder, attempt: Option<&Attempt>) -> Result<Option<FsError>, FsError> {
    let written = write_line(folder, attempt);
    journal::end(folder)?;
    sweep(folder)?;
    Ok(written.or_else(|_| write_line(folder, attempt)).err())
}

/// Writes the line of a swap that is over. Before the journal goes, so that a cut does not cost it; and where that fails once more after, when the room of what went is free: a whole client must not
/// stay out for want of a line.
fn write_line(folder: &Folder, attempt: Option<&Attempt>) -> Result<(), FsError> {
    attempt.map_or(Ok(()), |attempt| history::append_once(folder, attempt))
}

/// Renames what was prepared; it was renamed already when it is gone. What is not what the journal says is no state of ours: the next scan reads the tree instead.
fn promote(folder: &Folder, next: &LocalPath, name: &str, digest: Digest) -> Result<(), FsError> {
    match folder.read(next)? {
        Some(bytes) if Digest::of(&bytes) == digest => folder.rename(next, &LocalPath::state(name), Point::CommitState),
        Some(_) => folder.discard(next, Point::CommitState),
        None => Ok(()),
    }
}

/// Removes what only a swap under way needs, and empties the trash. No journal may exist.
pub(crate) fn sweep(folder: &Folder) -> Result<(), FsError> {
    for path in [new_backup(), installed_next(), manifest_next()] {
        folder.discard(&path, Point::TrashIn)?;
    }
    folder.empty_trash()
}
