//! The steps of a run, in their order; the only file that knows it.
//!
//! check → scan → plan → fetch → stage → (nobody uses it) → back up and swap → prove → report. Everything before the swap only adds to `.updater`; a failure there leaves the client as it was. The swap
//! itself is journalled, and every run begins by finishing or undoing what an earlier one left ([`Session`]).

mod adopt;
mod deadline;
mod deferral;
mod entry_point;
mod error;
mod ignore;
mod launch;
mod moments;
mod others;
mod outcome;
mod proposal;
mod prove;
mod reports;
mod requirements;
mod rollback;
mod session;
mod take;
mod target;
mod uninstall;
mod who;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use manifests::channel::Place;
use manifests::path::RelPath;
use manifests::quote::quoted;
use manifests::release::Manifest;

use crate::backup;
use crate::check::{self, Checked};
use crate::deadline::Deadline;
use crate::fetch;
use crate::fs::filling::Staging;
use crate::fs::{LocalPath, Point};
use crate::history::{self, Attempt, BuildAt, Outcome};
use crate::id::Id;
use crate::install::{self, Wanted};
use crate::installed::{Installed, InstalledLink, InstalledRelease};
use crate::lock::{Lock, LockError};
use crate::plan::{Found, Plan, Wishes, plan};
use crate::pristine;
use crate::profile::{self, Wish};
use crate::progress::Step;
use crate::ratchet::RatchetError;
use crate::room::Needed;
use crate::scan::{self, Depth, Drift};
use crate::settings::Settings;
use crate::stage;
use crate::state_format;
use crate::swap::{self, Keep, SwapPlan};
use crate::trigger::Trigger;

pub use error::Error;
pub use ignore::{IgnoreError, Ignored, Which};
pub use launch::{launch, ready};
pub use moments::{Misfit, NotStarted, Question, Start};
pub use proposal::{Consent, Cost, Proposal, Updated, Word};
pub use prove::Returned;
pub use rollback::RolledBack;
pub use session::{Run, Session};
use target::Target;
pub use uninstall::{Uninstalled, uninstall};
pub use who::Who;

/// Whether what is missing may be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fetching {
    Allowed,
    /// What is not staged yet is not to be had.
    Never,
}

/// How a folder is brought to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct How {
    /// How closely its files are looked at first.
    depth: Depth,
    /// Whether what is missing may be fetched.
    fetching: Fetching,
    /// Every file comes anew, configuration included (S3-11).
    everything: bool,
    /// It is only made ready, for somebody to install it later (AC-26).
    only_ready: bool,
}

impl How {
    /// What differs is fetched and put in place.
    const USUAL: How = How { depth: Depth::Fast, fetching: Fetching::Allowed, everything: false, only_ready: false };
}

/// Makes `dir` follow `wanted`, in the profile that `wish` names, and brings it to the newest release.
pub async fn install(dir: &Path, wanted: &Wanted, wish: &Wish, run: &Run<'_>) -> Result<(Session, Updated), Error> {
    let folder = Arc::new(profile::create(dir, wish, &run.registry)?);
    let lock = match Lock::acquire_within(&folder, "install", run.patience) {
        // Given up meanwhile: this begins anew.
        Err(LockError::Gone) => Lock::acquire_within(&folder, "install", run.patience)?,
        lock => lock?,
    };
    state_format::refuse_newer(&folder)?;
    // Before anything else: the folder may hold an install whose last run was cut off.
    swap::recover(&folder)?;
    install::follow(&folder, wanted, &run.routes).await?;
    // Before anything is installed: they say who has to agree to what comes, also where this install fails.
    Settings::set_all(&folder, &wanted.settings)?;
    // Backups that an earlier updater left keep their place in the rotation (D-20).
    for found in backup::backups(&folder)?.iter().filter(|found| found.kind == backup::BackupKind::Foreign) {
        backup::adopt(&folder, found.slot, run.now)?;
        run.progress.note(&format!("{} was here before; it takes part in the rotation", found.slot.folder_name()));
    }
    let mut session = Session::begin(folder, lock, "install", run)?;
    session.mend_ratchet(run)?;
    // Whoever installs is there and wants it tried.
    session.retry()?;
    let outcome = session.adopt(run).await;
    session.tell(run).await;
    Ok((session, outcome?))
}

impl Session {
    /// Asks the source what is new.
    pub async fn check(&mut self, run: &Run<'_>) -> Result<Checked, Error> {
        run.progress.begin(Step::Check, 0);
        self.check_ratchet()?;
        if let Some(checked) = self.answered_meanwhile(run).await {
            self.has_reached = true;
            return Ok(checked);
        }
        let route = self.route(run)?;
        let waiting = self.waiting(run);
        let checked = check::check(&route, &self.folder, &mut self.station, &mut self.ratchet, run.when()).await.map_err(Error::from);
        self.note_reached(&checked);
        let checked = checked?;
        self.answered(waiting);
        self.warn_of_deadline(&checked, run);
        // Somebody said what counts as expired: that is worth a line, whatever comes of it (F14).
        if let Some(given) = run.clock {
            let detail = format!("expiry was judged at {given} (`--clock`), while the clock said {}", run.now);
            let attempt = run.who.attempt(Id::random(), run.now, Trigger::Check);
            history::append(&self.folder, &Attempt { result: Outcome::Checked, detail: Some(detail), ..attempt })?;
        }
        Ok(checked)
    }

    /// What differs from what is installed.
    pub fn drift(&self, depth: Depth, run: &Run<'_>) -> Result<Vec<Drift>, Error> {
        match &self.installed {
            Some(installed) => Ok(scan::drift(&self.folder, installed, depth, run.progress)?),
            None => Ok(Vec::new()),
        }
    }

    /// Brings the folder to the newest release that is for it, and repairs what differs from the installed one when there is none.
    pub async fn update(&mut self, trigger: Trigger, run: &Run<'_>, dry_run: bool, word: Word<'_>) -> Result<Updated, Error> {
        let outcome = self.update_steps(trigger, run, dry_run, word).await;
        self.ended(trigger, run, outcome).await
    }

    async fn update_steps(&mut self, trigger: Trigger, run: &Run<'_>, dry_run: bool, word: Word<'_>) -> Result<Updated, Error> {
        let checked = self.check(run).await?;
        self.take(checked, trigger, run, dry_run, word).await
    }

    /// The same as [`Session::update`], after a check that somebody else has judged already.
    pub async fn update_to(
        &mut self,
        checked: Checked,
        trigger: Trigger,
        run: &Run<'_>,
        dry_run: bool,
        word: Word<'_>,
    ) -> Result<Updated, Error> {
        let outcome = self.take(checked, trigger, run, dry_run, word).await;
        self.ended(trigger, run, outcome).await
    }

    /// Brings every file back to what was installed, whatever its size and time say.
    pub async fn repair(&mut self, run: &Run<'_>) -> Result<Updated, Error> {
        let outcome = async {
            let checked = match Target::local(self) {
                Some(_) => check::known(&self.folder, &self.station, &mut self.ratchet, run.now).await.ok(),
                None => Some(self.check(run).await?),
            };
            let target = match checked {
                Some(checked) => Target::installed(self, &self.route(run)?, &checked).await?,
                None => Target::local(self).ok_or(Error::NotInstalled)?,
            };
            let how = How { depth: Depth::Deep, ..How::USUAL };
            self.bring_to(target, how, Trigger::Repair, run, false, |_| Consent::Yes).await
        };
        let outcome = outcome.await;
        self.ended(Trigger::Repair, run, outcome).await
    }

    /// scan → plan → (agree) → fetch → stage → (nobody uses it) → back up and swap → prove → report.
    async fn bring_to(
        &mut self,
        target: Target,
        how: How,
        trigger: Trigger,
        run: &Run<'_>,
        dry_run: bool,
        consent: impl FnOnce(&Proposal) -> Consent,
    ) -> Result<Updated, Error> {
        // To put back what is installed needs neither.
        if self.installed.as_ref().is_none_or(|installed| installed.release != target.release) {
            self.may_accept_new()?;
        }
        let everything = how.everything || run.everything;
        // What is written anew from a file that is here is read: size and time are no content.
        let depth = if everything { Depth::Deep } else { how.depth };
        let observed = scan::observe(&self.folder, self.installed.as_ref(), &target.manifest, depth, run.progress)?;
        // Also when nothing is to be done: what others can change is not what was installed, whatever it says now.
        if !observed.exposed.is_empty() {
            return Err(Error::NotWritable(observed.exposed));
        }
        let plan = plan(&target.manifest, self.installed.as_ref(), &observed, Wishes { everything })?;
        let proposal = self.proposal(&target, &plan, trigger);
        // What is only recognised is not installed: it is written down even where no file changes.
        let is_new = self.installed.is_none() || proposal.from.as_ref() != Some(&proposal.to);
        if plan.is_empty() && !is_new {
            return Ok(Updated::Nothing);
        }
        for path in plan.kept.iter().map(|path| observed.twins.get(path).unwrap_or(path)) {
            if let Some(Found::Link(target)) = observed.found.get(path) {
                run.progress.note(&format!(
                    "`{path}` is a symbolic link, to `{}`: it stays, and what it leads to is not changed",
                    quoted(target, 200)
                ));
            }
        }
        if dry_run {
            return Ok(Updated::Planned(proposal));
        }
        // Nobody is asked about what cannot come.
        if how.fetching == Fetching::Never && !self.is_all_here(&plan)? {
            return Err(Error::NotAllHere);
        }
        // Putting back what was installed is what everybody agreed to already, and so is a number.
        if is_new && !plan.is_empty() {
            match consent(&proposal) {
                Consent::Yes => {}
                declined => return self.declined(target.release.place, proposal, declined, trigger, run),
            }
        }
        let needed = self.check_requirements(&plan, &target.release, trigger)?;
        let received_bytes = match how.fetching {
            Fetching::Allowed => self.fetch(&plan, run).await.map_err(|error| error.used_up(needed))?,
            Fetching::Never => 0,
        };
        if how.only_ready {
            return self.keep_ready(&target, &plan, &observed.found, proposal, received_bytes, run);
        }
        let release = target.release.clone();
        let outcome = self.apply(target, &plan, needed, &observed.found, proposal, received_bytes, trigger, run).await;
        self.count(&release, &outcome, run);
        outcome
    }

    fn proposal(&self, target: &Target, plan: &Plan, trigger: Trigger) -> Proposal {
        use crate::plan::Action;
        let count = |wanted: fn(&Action) -> bool| plan.actions.iter().filter(|action| wanted(action)).count();
        let installed = self.installed.as_ref().map(|installed| who::installed_at(&installed.release));
        let from = installed.or_else(|| self.found.as_ref().map(|found| BuildAt { build: found.build.clone(), sequence: found.sequence }));
        let cost = Cost {
            fetch_bytes: plan.jobs.stored_bytes(),
            put_files: count(|action| matches!(action, Action::Put { .. } | Action::Link { .. })),
            set_files: count(|action| matches!(action, Action::Set { .. })),
            removed_files: count(|action| matches!(action, Action::Remove { .. })),
            kept_files: plan.kept.clone(),
            merged_files: plan.merged.clone(),
            takes_backup: self.keeps_backup(plan, &target.release, trigger),
        };
        Proposal { from, to: who::installed_at(&target.release), cost, may_ignore: target.may_ignore, deadline: target.deadline.clone() }
    }

    /// Whether the folder as it is becomes a backup. Not an updater that failed its trial: nobody goes back to it, and it would push out one that lives (attack F13).
    fn keeps_backup(&self, plan: &Plan, release: &InstalledRelease, trigger: Trigger) -> bool {
        let has_failed = || self.installed.as_ref().is_some_and(|installed| self.ratchet.is_blocked(&installed.release.manifest));
        plan.takes_slot(self.is_new(release)) && !(trigger == Trigger::SelfUpdate && has_failed())
    }

    fn is_new(&self, release: &InstalledRelease) -> bool {
        self.installed.as_ref().is_some_and(|installed| installed.release.place != release.place)
    }

    async fn fetch(&self, plan: &Plan, run: &Run<'_>) -> Result<u64, Error> {
        if plan.jobs.jobs.is_empty() {
            return Ok(0);
        }
        run.progress.begin(Step::Fetch, plan.jobs.stored_bytes());
        let source = self.route(run)?;
        let first_wait = run.routes.network.limits.first_wait;
        let staging = Staging::new(Arc::clone(&self.folder));
        let fetched = fetch::fetch(&source, plan.jobs.clone(), &staging, run.limit.as_ref(), first_wait, run.progress);
        Ok(self.in_time(fetched).await?.received_bytes)
    }

    #[expect(clippy::too_many_arguments, reason = "the last step needs what every step before it found")]
    async fn apply(
        &mut self,
        target: Target,
        plan: &Plan,
        needed: Needed,
        found: &BTreeMap<RelPath, Found>,
        mut proposal: Proposal,
        received_bytes: u64,
        trigger: Trigger,
        run: &Run<'_>,
    ) -> Result<Updated, Error> {
        let Target { release, manifest, stored, approver, probe, deadline, .. } = target;
        // Of what comes before the swap.
        let full = |error: Error| error.used_up(needed);
        let staged = stage::stage(&self.folder, plan, found, &links(&manifest), &manifest.directories, release.clone(), run.progress)
            .map_err(|error| full(error.into()))?;
        proposal.cost.keeps(&staged.unmerged);
        let entry_points = self.entry_points(&release);
        let watched = self.also_watched(&entry_points, &staged.installed);
        let holders = self.holders_after_waiting(&staged.changes, &watched, run).await;
        if !holders.is_empty() {
            return self.defer(&stored, proposal, received_bytes, holders, trigger, run);
        }
        let from = self.installed.as_ref().map(|installed| installed.release.place);
        // A merge may come to nothing.
        let is_change = plan.takes_slot(self.is_new(&release)) && !staged.changes.is_empty();
        let keep = if is_change && self.keeps_backup(plan, &release, trigger) { Keep::Backup { consumed: None } } else { Keep::Nothing };
        // Before the swap: a release that is about to be taken is never gone below again, even if this run is cut off.
        self.ratchet.raise(release.place);
        self.save_ratchet().map_err(|error| full(error.into()))?;
        // What is only put back, or numbered anew, has proved itself or is doing so.
        let is_other_build = self.installed.as_ref().is_none_or(|installed| installed.release.manifest != release.manifest);
        if is_other_build && (is_change || self.installed.is_none()) {
            self.expect_proof(&release, probe).map_err(full)?;
        }
        let id = Id::random();
        let attempt = self.attempt(id, trigger, run);
        let approver = approver.or_else(|| attempt.approver.clone());
        let environment = self.environment.as_ref().map(|name| format!("environment {name}"));
        let overdue = deadline.filter(Deadline::is_over);
        // Nobody was asked, so that it comes now is said.
        overdue.iter().for_each(|deadline| run.progress.deadline(deadline));
        let overdue = overdue.map(|deadline| format!("its deadline was {}", deadline.at));
        let detail: Vec<String> = self.found.as_ref().map(ToString::to_string).or(environment).into_iter().chain(overdue).collect();
        let detail = (!detail.is_empty()).then(|| detail.join("; "));
        let attempt = Attempt {
            from: proposal.from.clone(),
            to: Some(proposal.to.clone()),
            approver,
            detail,
            bytes: Some(received_bytes),
            ..attempt
        };
        let swapped = self.swap(
            SwapPlan {
                id,
                trigger,
                from,
                to: release.place,
                entry_points,
                changes: staged.changes.clone(),
                keep,
                installed_next: staged.installed.to_bytes(),
                manifest_next: stored.clone(),
                attempt,
            },
            run,
        );
        let swapped = match swapped {
            Ok(swapped) => swapped,
            Err(error) => match self.refused_by(&error, &staged.changes) {
                Some(holders) => return self.defer(&stored, proposal, received_bytes, holders, trigger, run),
                None => return Err(full(error.into())),
            },
        };
        self.installed = Some(staged.installed);
        let swept = [
            self.release_superseded_hold(release.place).err().map(|error| error.to_string()),
            self.installed.as_ref().and_then(|installed| pristine::sweep(&self.folder, installed).err()).map(|error| error.to_string()),
            self.folder.discard(&LocalPath::state("parts"), Point::Part).err().map(|error| error.to_string()),
        ];
        let left = swept.into_iter().flatten().map(left_over).chain(self.tidy());
        let warnings: Vec<String> = swapped.warnings.into_iter().chain(left).collect();
        if let Some(returned) = self.prove(Trigger::Proof, run)? {
            warnings.iter().for_each(|warning| run.progress.note(warning));
            return Ok(Updated::Returned { proposal, returned });
        }
        let backup = swapped.backup.map(|slot| slot.folder_name());
        Ok(Updated::Applied { proposal, received_bytes, backup, warnings })
    }

    /// Clears away what a swap that is done has left, and says what stays: the next one clears that, too. None of it takes back what was done.
    fn tidy(&self) -> Vec<String> {
        let steps = [deferral::forget(&self.folder), self.folder.empty_trash()];
        steps.into_iter().filter_map(Result::err).map(|error| left_over(error.to_string())).collect()
    }

    /// The files that start the client, of the old and of the new release.
    fn entry_points(&self, release: &InstalledRelease) -> Vec<RelPath> {
        let old = self.installed.as_ref().and_then(|installed| installed.release.entry_point.clone());
        old.into_iter().chain(release.entry_point.clone()).collect()
    }

    /// The files that nobody may have open: those that start the client, and in a folder whose client somebody else put there, all programs that `next` will have.
    fn also_watched(&self, entry_points: &[RelPath], next: &Installed) -> Vec<RelPath> {
        let programs = next.files.iter().filter(|file| self.installed.is_none() && file.can_run());
        entry_points.iter().cloned().chain(programs.map(|file| file.path.clone())).collect()
    }

    fn release_superseded_hold(&mut self, place: Place) -> Result<(), RatchetError> {
        if self.ratchet.hold.is_some_and(|held| held.at < place) {
            self.ratchet.hold = None;
            self.save_ratchet()?;
        }
        Ok(())
    }
}

fn left_over(why: String) -> String {
    format!("what is not needed any more stays until the next update: {why}")
}

fn links(manifest: &Manifest) -> Vec<InstalledLink> {
    manifest.links.iter().map(|link| InstalledLink { path: link.path.clone(), target: link.target.clone() }).collect()
}
