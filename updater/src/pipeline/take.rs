//! What a check found, judged: which release the folder is brought to, and who has to agree to it (D-01, S3-11).

use manifests::decide::{Refusal, Verdict};

use super::target::Target;
use super::{Consent, Error, How, Proposal, Run, Session, Updated, Word};
use crate::check::Checked;
use crate::consent::{self, Way};
use crate::deadline::Deadline;
use crate::scan::Depth;
use crate::trigger::Trigger;

impl Session {
    pub(super) async fn take(
        &mut self,
        checked: Checked,
        trigger: Trigger,
        run: &Run<'_>,
        dry_run: bool,
        word: Word<'_>,
    ) -> Result<Updated, Error> {
        for notice in &checked.notices {
            run.progress.note(&notice.to_string());
        }
        self.check_settings()?;
        if !dry_run {
            self.look_for_strange_backups(trigger, run)?;
        }
        let mut changed = (vec![], vec![]);
        let decision = self.decide(&checked);
        let is_asked_for = !trigger.is_unattended() && trigger != Trigger::Environment;
        for passed in &decision.passed_over {
            // "Up to date" alone would hide that a release was tried and does not work here, and from whoever asks that it is ignored; nobody else hears of that (D-26).
            let is_told = match passed.refusal {
                Refusal::Blocked | Refusal::Quarantined { .. } => true,
                Refusal::Ignored => is_asked_for,
                _ => false,
            };
            if is_told {
                run.progress.note(&format!("release {} is not taken: {}", passed.sequence, passed.refusal));
            }
        }
        let (mut way, mut how) = (Way::ByPerson, How { fetching: self.fetching(), ..How::USUAL });
        let mut target = match decision.verdict {
            Verdict::Offer(release) if trigger.is_unattended() && self.waits(&release.manifest.sha256, run) => return Ok(Updated::Nothing),
            Verdict::Offer(release) | Verdict::Renumber(release) => {
                how.everything = self.is_incompatible(&checked);
                let deadline = self.deadline_of(&checked, release);
                let is_overdue = deadline.as_ref().is_some_and(Deadline::is_over);
                way = self.way(consent::Facts { is_incompatible: how.everything, is_overdue }, trigger, word, run);
                let target = Target::listed(self, &self.route(run)?, &checked, release).await?;
                // Whoever agrees after it does so without its help.
                let deadline = deadline.filter(|deadline| way == Way::ByPublisher || !deadline.is_over());
                Target { may_ignore: way == Way::Ask && self.may_ignore(&checked, release, run), deadline, ..target }
            }
            Verdict::UpToDate => {
                let drift = self.drift(Depth::Fast, run)?;
                if drift.is_empty() && !run.everything {
                    return Ok(Updated::Nothing);
                }
                // Whoever asks for all files anew is there and means it.
                if !run.everything {
                    changed = self.changed_by_others(&drift, run)?;
                }
                Target::installed(self, &self.route(run)?, &checked).await?
            }
            // A backup of another program came back, of which nobody knows the build, and what was left is held.
            Verdict::NothingReleased
                if self.installed.is_some() && decision.passed_over.iter().any(|passed| passed.refusal == Refusal::Held) =>
            {
                run.progress.note("the newest release was left by a rollback and is held: `updater unhold` offers it again");
                return Ok(Updated::Nothing);
            }
            Verdict::NothingReleased => {
                let reason = decision.passed_over.first().map(|passed| passed.refusal.to_string());
                return Err(Error::NothingReleased { channel: checked.channel.id.to_string(), reason });
            }
        };
        // Nobody at the station agreed to it: its publisher did, in whoever's name (D-01).
        if way == Way::ByPublisher {
            target.approver.get_or_insert_with(|| self.station.name.to_string());
        }
        let consent = |proposal: &Proposal| match (way, word) {
            (Way::ByPublisher | Way::ByPerson, _) | (Way::Ask, Word::Yes) => Consent::Yes,
            (Way::Ask, Word::Ask(ask)) => ask(proposal),
            (Way::TwoActs, _) => Consent::TwoActs,
            (Way::NeedsAdmin, _) => Consent::NeedsAdmin,
        };
        let mut outcome = self.bring_to(target, how, trigger, run, dry_run, consent).await?;
        let (changed, programs) = changed;
        if let Updated::Applied { warnings, .. } = &mut outcome
            && !changed.is_empty()
        {
            warnings.extend(self.write_down(changed, vec![], programs, trigger, run)?);
        }
        Ok(outcome)
    }

    /// Whether the installed client does not fit the server that it talks to: then everything comes anew (S3-11).
    pub(super) fn is_incompatible(&self, checked: &Checked) -> bool {
        self.compatibility(checked).is_some_and(|judged| !judged.may_run())
    }

    /// How a new release may come.
    fn way(&self, facts: consent::Facts, trigger: Trigger, word: Word<'_>, run: &Run<'_>) -> Way {
        let has_agreed = matches!(word, Word::Yes);
        let asked = consent::Asked { has_agreed, is_unattended: trigger.is_unattended(), is_admin: self.is_admin(run) };
        consent::way(&self.settings, asked, facts)
    }
}
