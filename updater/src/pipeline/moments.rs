//! The two moments of a start (D-12, S3-4, S3-5): when the client is loaded, whether it fits the server that it talks to; when an environment starts, whether its files are those of the release.
//!
//! Both go by one check, of one conditional request when nothing is new, and for a bounded time: a server that cannot be reached never keeps a client from starting that fits as far as is known.
//! A client that does not fit is not started. Where updates are possible, the person is asked before a single byte of the new one is fetched; whoever says no, and where nobody can, finds
//! everything as it was (AC-17, AC-19).

use std::cell::Cell;
use std::time::{Duration, Instant};

use manifests::compat::Compatibility;
use manifests::decide::{Refusal, Verdict};

use super::target::Target;
use super::{Consent, Error, Fetching, How, Proposal, Run, Session, Updated, Word, who};
use crate::check::{self, Checked};
use crate::code::Code;
use crate::consent::may_agree;
use crate::history::{self, Attempt, BuildAt, Outcome};
use crate::id::Id;
use crate::settings::ConsentPolicy;
use crate::trigger::Trigger;

/// How a client is to be started.
pub struct Start<'a> {
    /// The environment that it starts, where it has a name.
    pub environment: Option<&'a str>,
    /// The build of the server that it will talk to, where that is known better than from settings and channel.
    pub server_build: Option<&'a str>,
    /// Asks whoever is there.
    pub ask: &'a dyn Fn(&Question<'_>) -> Consent,
}

/// What somebody is asked when a client starts.
#[derive(Debug, Clone, Copy)]
pub enum Question<'a> {
    /// Whether to replace a client that does not fit its server, and that is not started otherwise (S3-10).
    Replace(&'a Misfit),
    /// Whether to install a new release.
    Install(&'a Proposal),
}

/// A client that does not fit the server that it talks to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Both builds, and what speaks against them.
    pub judged: Compatibility,
    /// The release that would fit, where there is one that may come.
    pub instead: Option<BuildAt>,
    /// Why it is not started.
    pub why: NotStarted,
}

/// Why a client that does not fit is not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotStarted {
    /// Somebody said no.
    #[error("it was not updated, because somebody said no")]
    Declined,
    /// There is nobody to ask.
    #[error("nobody is here to be asked whether it is to be updated: `updater update --yes` does it")]
    Nobody,
    /// Updates are made in two acts here, or by others.
    #[error("updates are not made at a start here: whoever looks after this computer runs `updater download` and `updater apply`")]
    NotHere,
    /// What keeps the wrong release out cannot be read.
    #[error("nothing new is accepted here until this is put right: {0}")]
    Unsure(String),
    /// No release that fits is to be had.
    #[error("no release that fits is offered{}; ask whoever looks after the server for one", .0.as_ref().map_or(String::new(), |why| format!(" ({why})")))]
    NothingFits(Option<String>),
}

impl Session {
    /// Goes through both moments. Whatever it returns but an error, the client may be started.
    pub async fn two_moments(&mut self, start: &Start<'_>, run: &Run<'_>) -> Result<Option<Updated>, Error> {
        if let Some(build) = start.server_build {
            self.talk_to(build)?;
        }
        self.environment = start.environment.map(str::to_owned);
        let (on_load, on_environment_start) = (self.settings.on_load, self.settings.on_environment_start);
        if self.installed.is_none() || !(on_load || on_environment_start) {
            return Ok(None);
        }
        let Some((checked, fetching)) = self.known_in_time(run).await else { return Ok(None) };
        let mut updated = None;
        if on_load {
            updated = self.load(&checked, start, run).await?;
        }
        if on_environment_start && updated.is_none() {
            updated = self.start_environment(checked, fetching, start, run).await;
        }
        Ok(updated)
    }

    /// What a check finds in time, and otherwise what was known before: then nobody waits for the same source once more.
    async fn known_in_time(&mut self, run: &Run<'_>) -> Option<(Checked, Fetching)> {
        let time = run.routes.network.limits.answer_at_start;
        let why = match tokio::time::timeout(time, self.check(run)).await {
            Ok(Ok(checked)) => return Some((checked, Fetching::Allowed)),
            Ok(Err(error)) => format!("{error} [{}]", error.code()),
            Err(_) => format!("no answer for {} seconds [{}]", time.as_secs(), Code::TooSlow),
        };
        run.progress.note(&format!("what is new could not be found out, and the client is started as far as is known: {why}"));
        let known = self.remembered()?;
        self.warn_of_deadline(&known, run);
        Some((known, Fetching::Never))
    }

    /// What the last check found.
    pub(super) fn remembered(&self) -> Option<Checked> {
        let (channel, policy) = check::remembered(&self.folder, &self.station)?;
        Some(Checked { channel, policy, changed: false, notices: vec![] })
    }

    /// The first moment: whether the client fits.
    async fn load(&mut self, checked: &Checked, start: &Start<'_>, run: &Run<'_>) -> Result<Option<Updated>, Error> {
        let Some(judged) = self.compatibility(checked) else { return Ok(None) };
        if matches!(judged, Compatibility::ClientNewer { .. }) {
            self.log_mismatch(&judged, run);
        }
        if judged.may_run() {
            return Ok(None);
        }
        let outcome = self.replace(checked, judged, start, run).await;
        self.report_failure(Trigger::Load, run, outcome).map(Some)
    }

    /// Refuses a client that does not fit, from what is known here alone: for whoever may change nothing here.
    pub(super) fn refuse_misfit(&self) -> Result<(), Error> {
        let judged = self.settings.on_load.then(|| self.remembered()).flatten().and_then(|checked| self.compatibility(&checked));
        match judged.filter(|judged| !judged.may_run()) {
            Some(judged) => Err(Error::Incompatible(Box::new(Misfit { judged, instead: None, why: NotStarted::NotHere }))),
            None => Ok(()),
        }
    }

    /// Replaces a client that does not fit, when somebody agrees: all of its files, configuration included (S3-11, AC-09).
    async fn replace(&mut self, checked: &Checked, judged: Compatibility, start: &Start<'_>, run: &Run<'_>) -> Result<Updated, Error> {
        let mut misfit = Misfit { judged, instead: None, why: NotStarted::NothingFits(None) };
        let decision = self.decide(checked);
        let release = match decision.verdict {
            Verdict::Offer(release) if matches!(misfit.judged, Compatibility::Incompatible { .. }) => release,
            _ => {
                let why =
                    decision.passed_over.iter().map(|passed| &passed.refusal).find(|refusal| !matches!(refusal, Refusal::Withdrawn { .. }));
                misfit.why = NotStarted::NothingFits(why.map(ToString::to_string));
                return Err(Error::Incompatible(Box::new(misfit)));
            }
        };
        misfit.instead = Some(BuildAt { build: release.build.text().to_owned(), sequence: release.sequence });
        if let Err(fault) = self.may_accept_new() {
            misfit.why = NotStarted::Unsure(fault.to_string());
            return Err(Error::Incompatible(Box::new(misfit)));
        }
        if self.settings.consent == ConsentPolicy::Manual || !may_agree(&self.settings, self.is_admin(run)) {
            misfit.why = NotStarted::NotHere;
            return Err(Error::Incompatible(Box::new(misfit)));
        }
        misfit.why = NotStarted::Nobody;
        match (start.ask)(&Question::Replace(&misfit)) {
            Consent::Yes => {}
            Consent::No | Consent::Ignore => {
                misfit.why = NotStarted::Declined;
                return Err(Error::Incompatible(Box::new(misfit)));
            }
            _ => return Err(Error::Incompatible(Box::new(misfit))),
        }
        let mut target = Target::listed(self, &self.route(run)?, checked, release).await?;
        target.approver.get_or_insert_with(|| run.who.os_user.clone());
        let how = How { everything: true, ..How::USUAL };
        match self.bring_to(target, how, Trigger::Load, run, false, |_| Consent::Yes).await? {
            // It is ready, but the one that does not fit is still in place, and somebody runs it.
            Updated::Deferred { holders, .. } => Err(Error::InUse(holders)),
            updated => Ok(updated),
        }
    }

    /// The second moment: the files are brought level. Whatever keeps them from that keeps no client from starting.
    async fn start_environment(&mut self, checked: Checked, fetching: Fetching, start: &Start<'_>, run: &Run<'_>) -> Option<Updated> {
        let offered = match self.decide(&checked).verdict {
            Verdict::Offer(release) => Some(release.build.text().to_owned()),
            _ => None,
        };
        let comes = match self.settings.consent {
            ConsentPolicy::AutoCompatible => true,
            ConsentPolicy::Prompt => offered.is_some(),
            ConsentPolicy::Manual => false,
        };
        if !comes {
            if let Some(build) = offered {
                run.progress.note(&format!("{build} is available: `updater download` fetches it, `updater apply` installs it"));
            }
            return None;
        }
        let ask = |proposal: &Proposal| (start.ask)(&Question::Install(proposal));
        let time = match fetching {
            Fetching::Allowed => run.routes.network.limits.files_at_start,
            Fetching::Never => Duration::ZERO,
        };
        self.time_for_source = Some(Cell::new(time));
        let outcome = self.take(checked, Trigger::Environment, run, false, Word::Ask(&ask)).await;
        self.time_for_source = None;
        // That the source does not answer is said already, and a start that fetches nothing did not fail.
        if fetching == Fetching::Never && matches!(outcome, Err(Error::NotAllHere)) {
            return None;
        }
        match self.report_failure(Trigger::Environment, run, outcome) {
            Ok(updated) => Some(updated),
            Err(error) => {
                run.progress.failed("the client is started as it is", error.code(), &error.to_string());
                None
            }
        }
    }

    /// Whether the source is to be asked for anything: not where a start has no time for it.
    pub(super) fn fetching(&self) -> Fetching {
        match &self.time_for_source {
            Some(left) if left.get().is_zero() => Fetching::Never,
            _ => Fetching::Allowed,
        }
    }

    /// What `asked` gets from the source, where nobody waits for his client longer than he may have to. What has arrived by then stays.
    pub(super) async fn in_time<T, E>(&self, asked: impl Future<Output = Result<T, E>>) -> Result<T, Error>
    where
        Error: From<E>,
    {
        if self.fetching() == Fetching::Never {
            return Err(Error::NotAllHere);
        }
        let Some(left) = &self.time_for_source else { return Ok(asked.await?) };
        let begun = Instant::now();
        let answer = tokio::time::timeout(left.get(), asked).await;
        left.set(left.get().saturating_sub(begun.elapsed()));
        Ok(answer.map_err(|_| Error::NotAtStart)??)
    }

    /// One line for each pair of builds: the mismatch is allowed, and whoever looks for the cause of something strange finds it (AC-18).
    fn log_mismatch(&self, judged: &Compatibility, run: &Run<'_>) {
        let text = judged.to_string();
        run.progress.note(&text);
        let is_known = |line: &Attempt| line.code.as_deref() == Some(judged.code()) && line.detail.as_deref() == Some(&text);
        let known = history::read(&self.folder).is_ok_and(|lines| lines.iter().any(is_known));
        if known {
            return;
        }
        let attempt = run.who.attempt(Id::random(), run.now, Trigger::Load);
        let from = self.installed.as_ref().map(|installed| who::installed_at(&installed.release));
        let attempt = Attempt { from, result: Outcome::Checked, code: Some(judged.code().to_owned()), detail: Some(text), ..attempt };
        if let Err(error) = history::append(&self.folder, &attempt) {
            run.progress.note(&format!("the history could not be written: {error}"));
        }
    }
}
