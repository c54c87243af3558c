//! A swap that waits until nobody uses what it replaces (D-31): what is ready stays ready, and the next run applies it without fetching.
//!
//! `.updater/deferred` is the stored manifest of the release that waits. It grants nothing: the next run decides anew from signed documents, and finds everything staged.

use std::io;

use manifests::decide::Verdict;
use manifests::digest::Digest;
use manifests::path::RelPath;

use super::target::Target;
use super::{Consent, Error, Fetching, Proposal, Run, Session, Updated};
use crate::check::{self, Checked};
use crate::fs::{Folder, FsError, LocalPath, Point, Requirement};
use crate::history::{self, Attempt, Outcome};
use crate::id::Id;
use crate::in_use::{self, Holder, InUse, Looked, Watched};
use crate::scan::Depth;
use crate::swap::{Changes, SwapError};

/// `.updater/deferred`.
fn path() -> LocalPath {
    LocalPath::state("deferred")
}

/// The stored manifest of the release that waits; `None` when none does.
pub(super) fn waiting(folder: &Folder) -> Result<Option<Vec<u8>>, FsError> {
    folder.read(&path())
}

/// Nothing waits any more.
pub(super) fn forget(folder: &Folder) -> Result<(), FsError> {
    folder.discard(&path(), Point::DeferredFile)
}

/// The holders that a look found, and what people should know of the look.
fn told(looked: io::Result<Looked>, run: &Run<'_>) -> Vec<Holder> {
    let looked = looked.unwrap_or_else(|error| {
        tracing::info!(%error, "who uses the client is not known");
        Looked::default()
    });
    if looked.holders.is_empty() && !looked.unseen.is_empty() {
        let users = looked.unseen.join(", ");
        run.progress.note(&format!(
            "programs of {users} cannot be seen from this account; whoever runs the client there keeps the old build until it is closed"
        ));
    }
    looked.holders
}

impl Session {
    /// Who uses what `changes` replace now. Where the system does not tell, nobody: a file that it keeps makes the swap undo itself.
    pub(super) fn holders(&self, changes: &Changes, entry_points: &[RelPath], run: &Run<'_>) -> Vec<Holder> {
        let watched = self.watched(changes, entry_points);
        if watched == Watched::default() {
            return vec![];
        }
        told(in_use::look(&self.folder, &watched), run)
    }

    /// Who runs a program of the client now, whatever is to be replaced.
    pub(super) fn holders_of_programs(&self, run: &Run<'_>) -> Vec<Holder> {
        told(in_use::look(&self.folder, &Watched { replaced: vec![], programs: self.programs() }), run)
    }

    /// The same as [`Session::holders`], after waiting for them as [`Run::in_use`] says.
    pub(super) async fn holders_after_waiting(&self, changes: &Changes, entry_points: &[RelPath], run: &Run<'_>) -> Vec<Holder> {
        let watched = self.watched(changes, entry_points);
        let InUse::Wait(longest) = run.in_use else { return self.holders(changes, entry_points, run) };
        if watched == Watched::default() {
            return vec![];
        }
        let waiting = |holders: &[Holder]| run.progress.note(&format!("waiting until nobody uses the client: {}", in_use::list(holders)));
        told(in_use::wait(&self.folder, &watched, longest, waiting).await, run)
    }

    /// The files that count for `changes`; none when no file moves.
    fn watched(&self, changes: &Changes, entry_points: &[RelPath]) -> Watched {
        if !changes.moves() {
            return Watched::default();
        }
        let replaced = changes.replaced().chain(entry_points).map(LocalPath::from).collect();
        Watched { replaced, programs: self.programs() }
    }

    /// The installed files that can be run.
    pub(super) fn programs(&self) -> Vec<LocalPath> {
        let files = self.installed.iter().flat_map(|installed| &installed.files);
        files.filter(|file| file.can_run()).map(|file| (&file.path).into()).collect()
    }

    /// Applies the release that waits, from what is here alone; `None` when none does, when it is not for this station any more, or when not all of it is here. Somebody agreed to it already.
    pub(super) async fn take_up(&mut self, run: &Run<'_>) -> Result<Option<Updated>, Error> {
        let Some(manifest) = waiting(&self.folder)?.map(|stored| Digest::of(&stored)) else { return Ok(None) };
        let is_installed = self.installed.as_ref().is_some_and(|installed| installed.release.manifest == manifest);
        let target = if is_installed {
            Target::local(self)
        } else {
            // As it was verified when it was made ready; what was withdrawn, held or blocked since is not applied.
            let Some((channel, policy)) = check::remembered(&self.folder, &self.station) else { return Ok(None) };
            let checked = Checked { channel, policy, changed: false, notices: vec![] };
            let release = match self.decide(&checked).verdict {
                Verdict::Offer(release) | Verdict::Renumber(release) if release.manifest.sha256 == manifest => release,
                _ => return Ok(None),
            };
            Some(Target::listed(self, &self.route(run)?, &checked, release).await?)
        };
        let Some(target) = target else { return Ok(None) };
        match self.bring_to(target, Depth::Fast, Fetching::Never, "launch", run, false, |_| Consent::Yes).await {
            Err(Error::NotAllHere) => Ok(None),
            outcome => self.report_failure("launch", run, outcome).map(Some),
        }
    }

    /// Whoever holds any file that `changes` are about, for a swap that the system refused because somebody does, and that was undone; `None` when it failed for another reason.
    pub(super) fn refused_by(&self, error: &SwapError, changes: &Changes) -> Option<Vec<Holder>> {
        let is_undone = !matches!(error, SwapError::Interrupted { .. } | SwapError::Unfinished { .. });
        if !is_undone || error.requirement() != Some(Requirement::Unused) {
            return None;
        }
        let watched = Watched { replaced: changes.paths().map(LocalPath::from).collect(), programs: vec![] };
        Some(in_use::look(&self.folder, &watched).map_or_else(|_| vec![], |looked| looked.holders))
    }

    /// Remembers that the release with the manifest `stored` is ready, and says so in the history, once.
    pub(super) fn defer(
        &self,
        stored: &[u8],
        proposal: Proposal,
        received_bytes: u64,
        holders: Vec<Holder>,
        trigger: &str,
        run: &Run<'_>,
    ) -> Result<Updated, Error> {
        let is_known = waiting(&self.folder)?.is_some_and(|known| Digest::of(&known) == Digest::of(stored));
        if !is_known {
            self.folder.write_durably(&path(), stored, Point::DeferredFile)?;
            let attempt = run.who.attempt(Id::random(), run.now, trigger);
            let detail = if holders.is_empty() { "a file is in use".to_owned() } else { in_use::list(&holders) };
            let attempt = Attempt {
                from: proposal.from.clone(),
                to: Some(proposal.to.clone()),
                result: Outcome::Deferred,
                code: Some(Requirement::Unused.code().to_string()),
                detail: Some(detail),
                bytes: Some(received_bytes),
                ..attempt
            };
            history::append(&self.folder, &attempt)?;
        }
        Ok(Updated::Deferred { proposal, received_bytes, holders })
    }
}
