//! What came of a run, written down: declined, failed, and failed in a row (S1-8, S3-24).

use manifests::channel::Place;
use manifests::digest::Digest;

use super::ignore::IGNORED;
use super::{Consent, Error, NotStarted, Proposal, Run, Session, Updated, who};
use crate::attempts::{self, Attempts};
use crate::code::Code;
use crate::fs::Requirement;
use crate::history::{self, Attempt, Outcome};
use crate::id::Id;
use crate::installed::InstalledRelease;
use crate::trigger::Trigger;

impl Session {
    /// Whether a run that nobody sits at leaves the release with `manifest` for later, because it has just failed.
    pub(super) fn waits(&self, manifest: &Digest, run: &Run<'_>) -> bool {
        let failed = self.attempts.as_ref().filter(|failed| failed.manifest == *manifest);
        let Some((failed, until)) = failed.and_then(|failed| Some((failed, failed.not_before(run.now)?))) else { return false };
        run.progress.note(&format!("release {} failed with `{}` and is tried again at {until}", failed.at, failed.code));
        true
    }

    /// Counts failures in a row. That they could not be written down hides nothing else.
    pub(super) fn count(&mut self, release: &InstalledRelease, outcome: &Result<Updated, Error>, run: &Run<'_>) {
        let counted = match outcome {
            Err(error) if attempts::counts(error.code()) => {
                let failed = Attempts::after(self.attempts.take(), release.manifest, release.place, error.code().as_str(), run.now);
                self.attempts.insert(failed).save(&self.folder)
            }
            Ok(Updated::Applied { .. } | Updated::Returned { .. }) => {
                self.attempts = None;
                Attempts::forget(&self.folder)
            }
            _ => Ok(()),
        };
        if let Err(error) = counted {
            run.progress.note(&format!("the failure could not be counted: {error}"));
        }
    }

    /// Writes down that nobody agreed to the release at `place`; one that somebody ignores is not offered again.
    pub(super) fn declined(
        &mut self,
        place: Place,
        proposal: Proposal,
        consent: Consent,
        trigger: Trigger,
        run: &Run<'_>,
    ) -> Result<Updated, Error> {
        let consent = if consent == Consent::Ignore && !proposal.may_ignore { Consent::No } else { consent };
        let code = match consent {
            // That somebody wanted it who may not agree is worth a line as well (AC-32).
            Consent::NeedsAdmin => Some(Code::NotAllowed.to_string()),
            Consent::Ignore => Some(Code::Ignored.to_string()),
            _ => None,
        };
        let is_ignored = consent == Consent::Ignore;
        if is_ignored {
            self.pass_over(place)?;
        }
        let detail = is_ignored.then(|| IGNORED.to_owned());
        if matches!(consent, Consent::No | Consent::Ignore | Consent::NeedsAdmin) {
            let attempt = self.attempt(Id::random(), trigger, run);
            let (from, to) = (proposal.from.clone(), Some(proposal.to.clone()));
            history::append(&self.folder, &Attempt { from, to, result: Outcome::Declined, code, detail, approver: None, ..attempt })?;
        }
        Ok(Updated::NotAgreed(proposal, consent))
    }

    /// A failed attempt leaves a line in the history, too (S1-8, S3-24). That it could not be written does not hide why the attempt failed.
    pub(super) fn report_failure<T>(&self, trigger: Trigger, run: &Run<'_>, outcome: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &outcome {
            if error.code() == Requirement::Space.code() {
                self.give_room_back(&["parts", "staging", "backup", "trash"]);
            }
            // Somebody's no is what kept it from coming, not a fault that anybody has to look for (AC-74).
            let (result, to) = match error {
                Error::Incompatible(misfit) if misfit.why == NotStarted::Declined => (Outcome::Declined, misfit.instead.clone()),
                _ => (Outcome::Failed, None),
            };
            let from = self.installed.as_ref().map(|installed| who::installed_at(&installed.release));
            let mut attempt = self.attempt(Id::random(), trigger, run);
            if result == Outcome::Declined {
                attempt.approver = None;
            }
            let attempt = Attempt { from, to, result, code: Some(error.code().to_string()), detail: Some(error.to_string()), ..attempt };
            if let Err(not_written) = history::append(&self.folder, &attempt) {
                run.progress.note(&format!("the history could not be written: {not_written}"));
            }
        }
        outcome
    }
}
