//! Deadlines (D-26): what people may put off until then, and are warned of before, is installed without a question from then on, by the next run that would have asked.
//!
//! Nothing is ever ended for it: what is in use is waited for as always (D-31). What administrators agree to, and what comes in two acts, waits for them all the same.

use manifests::channel::{Place, Release};
use manifests::decide::{Facts, Verdict, decide};

use super::{Run, Session};
use crate::check::Checked;
use crate::consent;
use crate::deadline::Deadline;
use crate::told::Warned;

impl Session {
    /// The deadline of what a check found, also of a release that somebody ignores, where it makes a difference to this station.
    pub fn deadline(&self, checked: &Checked) -> Option<Deadline> {
        Some(self.next_deadline(checked)?.1)
    }

    /// Whether what is offered is installed without a question, because its deadline is over.
    pub fn is_overdue(&self, checked: &Checked) -> bool {
        match self.decide(checked).verdict {
            Verdict::Offer(release) => self.deadline_of(checked, release).is_some_and(|deadline| deadline.is_over()),
            _ => false,
        }
    }

    /// The deadline of `release`, where it makes a difference to this station.
    pub(super) fn deadline_of(&self, checked: &Checked, release: &Release) -> Option<Deadline> {
        let at = release.deadline.filter(|_| consent::heeds_deadlines(&self.settings, self.is_incompatible(checked)))?;
        Some(Deadline::new(release.build.text(), at, self.now))
    }

    /// Warns of a deadline that comes near: 60, 15 and 5 minutes before, each time once.
    pub(super) fn warn_of_deadline(&mut self, checked: &Checked, run: &Run<'_>) {
        let Some((at, deadline)) = self.next_deadline(checked) else { return };
        let last = self.told.warned.filter(|warned| warned.at == at).map(|warned| warned.minutes);
        let Some(minutes) = deadline.warning(last) else { return };
        run.progress.deadline(&deadline);
        self.told.warned = Some(Warned { at, minutes });
        // Said twice is better than a check that fails.
        if let Err(error) = self.told.save(&self.folder) {
            run.progress.note(&format!("that the warning was given could not be written down: {error}"));
        }
    }

    fn next_deadline(&self, checked: &Checked) -> Option<(Place, Deadline)> {
        // What is ignored comes when its time is over, so whoever ignores it is warned, too.
        let decision = self.with_facts(|facts| decide(&checked.channel, &checked.policy, &Facts { ignored: &[], ..*facts }));
        let Verdict::Offer(release) = decision.verdict else { return None };
        Some((checked.channel.place(release), self.deadline_of(checked, release)?))
    }
}
