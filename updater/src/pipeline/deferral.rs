//! A swap that waits: until nobody uses what it replaces (D-31), or until somebody installs what was downloaded (AC-26). What is ready stays ready, and a later run applies it without fetching.
//!
//! `.updater/deferred` and `.updater/downloaded` are the stored manifest of the release that waits. They grant nothing: the later run decides anew from signed documents, and finds everything
//! staged. A start applies only what somebody agreed to already.

use std::collections::BTreeMap;
use std::io;

use manifests::decide::Verdict;
use manifests::digest::Digest;
use manifests::path::RelPath;

use super::target::Target;
use super::{Consent, Error, Fetching, How, Proposal, Run, Session, Updated};
use crate::backup::new_backup;
use crate::consent::may_agree;
use crate::fs::{Folder, FsError, LocalPath, Point, Requirement};
use crate::history::{self, Attempt, Outcome};
use crate::id::Id;
use crate::in_use::{self, Holder, InUse, Looked, Watched};
use crate::plan::{Found, Plan};
use crate::stage;
use crate::swap::{self, Changes, SwapError, SwapPlan, Swapped};
use crate::trigger::Trigger;

/// What a release that is ready waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// Programs that are in use. Somebody agreed to it.
    Unused,
    /// Somebody who installs it.
    Person,
}

impl For {
    const ALL: [For; 2] = [For::Unused, For::Person];

    fn path(self) -> LocalPath {
        LocalPath::state(match self {
            For::Unused => "deferred",
            For::Person => "downloaded",
        })
    }
}

/// The stored manifests of what waits, whatever for.
pub(super) fn waiting(folder: &Folder) -> impl Iterator<Item = Vec<u8>> {
    For::ALL.into_iter().filter_map(|what| folder.read(&what.path()).ok().flatten())
}

/// Nothing waits any more.
pub(super) fn forget(folder: &Folder) -> Result<(), FsError> {
    For::ALL.into_iter().try_for_each(|what| folder.discard(&what.path(), Point::DeferredFile))
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

    /// Applies the release that waits for programs in use, from what is here alone; `None` when none does, when it is not for this station any more, or when not all of it is here. Somebody
    /// agreed to it already.
    pub(super) async fn take_up(&mut self, run: &Run<'_>) -> Result<Option<Updated>, Error> {
        self.take_up_what_waits(For::Unused, Trigger::Launch, run).await
    }

    /// Installs what was downloaded, or what waits for programs in use: the second act (AC-26). `None` as for a start.
    pub async fn install_ready(&mut self, run: &Run<'_>) -> Result<Option<Updated>, Error> {
        self.check_settings()?;
        if !may_agree(&self.settings, self.is_admin(run)) {
            let denied = Error::NotForYou { what: "installing a release", os_user: run.who.os_user.clone() };
            return self.report_failure(Trigger::Apply, run, Err(denied));
        }
        for what in For::ALL {
            if let Some(updated) = self.take_up_what_waits(what, Trigger::Apply, run).await? {
                return Ok(Some(updated));
            }
        }
        Ok(None)
    }

    async fn take_up_what_waits(&mut self, what: For, trigger: Trigger, run: &Run<'_>) -> Result<Option<Updated>, Error> {
        let Some(manifest) = self.folder.read(&what.path())?.map(|stored| Digest::of(&stored)) else { return Ok(None) };
        let is_installed = self.installed.as_ref().is_some_and(|installed| installed.release.manifest == manifest);
        let (mut target, mut how) = (None, How { fetching: Fetching::Never, ..How::USUAL });
        if is_installed {
            target = Target::local(self);
        } else if let Some(checked) = self.remembered() {
            // As it was verified when it was made ready; what was withdrawn, held or blocked since is not applied.
            let release = match self.decide(&checked).verdict {
                Verdict::Offer(release) | Verdict::Renumber(release) if release.manifest.sha256 == manifest => release,
                _ => return Ok(None),
            };
            how.everything = self.is_incompatible(&checked);
            target = Some(Target::listed(self, &self.route(run)?, &checked, release).await?);
        }
        let Some(target) = target else { return Ok(None) };
        match self.bring_to(target, how, trigger, run, false, |_| Consent::Yes).await {
            Err(Error::NotAllHere) => Ok(None),
            outcome => self.report_failure(trigger, run, outcome).map(Some),
        }
    }

    /// Makes the newest release that is for this station ready, and leaves the client as it is: the first act (AC-26).
    pub async fn download(&mut self, run: &Run<'_>) -> Result<Updated, Error> {
        let outcome = self.download_steps(run).await;
        self.ended(Trigger::Download, run, outcome).await
    }

    async fn download_steps(&mut self, run: &Run<'_>) -> Result<Updated, Error> {
        let checked = self.check(run).await?;
        self.check_settings()?;
        let Verdict::Offer(release) = self.decide(&checked).verdict else { return Ok(Updated::Nothing) };
        let target = Target::listed(self, &self.route(run)?, &checked, release).await?;
        let how = How { only_ready: true, everything: self.is_incompatible(&checked), ..How::USUAL };
        self.bring_to(target, how, Trigger::Download, run, false, |_| Consent::Yes).await
    }

    /// Stages what was fetched, and remembers that it waits for somebody.
    pub(super) fn keep_ready(
        &self,
        target: &Target,
        plan: &Plan,
        found: &BTreeMap<RelPath, Found>,
        mut proposal: Proposal,
        received_bytes: u64,
        run: &Run<'_>,
    ) -> Result<Updated, Error> {
        let links = super::links(&target.manifest);
        let staged = stage::stage(&self.folder, plan, found, &links, &target.manifest.directories, target.release.clone(), run.progress)?;
        proposal.cost.keeps(&staged.unmerged);
        if self.remember(For::Person, &target.stored)? {
            let attempt = self.attempt(Id::random(), Trigger::Download, run);
            let (from, to) = (proposal.from.clone(), Some(proposal.to.clone()));
            // Whoever fetches it has not agreed to it yet.
            let attempt = Attempt { from, to, result: Outcome::Downloaded, bytes: Some(received_bytes), approver: None, ..attempt };
            history::append(&self.folder, &attempt)?;
        }
        Ok(Updated::Ready { proposal, received_bytes })
    }

    /// Remembers what the release with the manifest `stored` waits for; `false` when that is known.
    fn remember(&self, what: For, stored: &[u8]) -> Result<bool, FsError> {
        if self.folder.read(&what.path())?.is_some_and(|known| known == stored) {
            return Ok(false);
        }
        self.folder.write_durably(&what.path(), stored, Point::DeferredFile)?;
        Ok(true)
    }

    /// Carries `plan` out, unless somebody came who uses what it replaces since that was looked for last: copying a backup takes its time.
    pub(super) fn swap(&self, plan: SwapPlan, run: &Run<'_>) -> Result<Swapped, SwapError> {
        let mut watched = self.watched(&plan.changes, &plan.entry_points);
        let moves = plan.changes.moves();
        // Whoever started the client has it open where the swap puts it.
        watched.replaced.extend(plan.entry_points.iter().map(|path| LocalPath::from(path).below(&new_backup())));
        // Where the system does not tell, nobody does.
        let is_unused = || !moves || in_use::look(&self.folder, &watched).map_or(true, |looked| looked.holders.is_empty());
        swap::swap_unused(&self.folder, plan, &is_unused, run.progress)
    }

    /// Whoever holds any file that `changes` are about, or runs the client, for a swap that the system refused because somebody does, and that was undone; `None` when it failed for another reason.
    pub(super) fn refused_by(&self, error: &SwapError, changes: &Changes) -> Option<Vec<Holder>> {
        let is_undone = !matches!(error, SwapError::Interrupted { .. } | SwapError::Unfinished { .. });
        if !is_undone || error.requirement() != Some(Requirement::Unused) {
            return None;
        }
        let watched = Watched { replaced: changes.paths().map(LocalPath::from).collect(), programs: self.programs() };
        Some(in_use::look(&self.folder, &watched).map_or_else(|_| vec![], |looked| looked.holders))
    }

    /// Remembers that the release with the manifest `stored` is ready, and says so in the history, once.
    pub(super) fn defer(
        &self,
        stored: &[u8],
        proposal: Proposal,
        received_bytes: u64,
        holders: Vec<Holder>,
        trigger: Trigger,
        run: &Run<'_>,
    ) -> Result<Updated, Error> {
        if self.remember(For::Unused, stored)? {
            let attempt = self.attempt(Id::random(), trigger, run);
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
