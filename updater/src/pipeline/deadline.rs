//! Deadlines (D-26): what people may put off until then, and are warned of before, is installed without a question from then on, by the next run that would have asked.
//!
//! Nothing is ever ended for it: what is in use is waited for as always (D-31). What administrators agree to, and what comes in two acts, waits for them all the same.

use std::convert::Infallible;
use std::path::Path;
use std::time::{Duration, Instant};

use manifests::channel::{Place, Release};
use manifests::decide::{Facts, Verdict, decide};
use manifests::time::UtcTime;

use super::{Run, Session};
use crate::check::Checked;
use crate::consent;
use crate::deadline::Deadline;
use crate::lock::Lock;
use crate::told::{Told, Warned};

/// How often somebody looks, while a client runs, whether there is a deadline: an hour before it there is time for every warning.
const LOOK_EVERY: Duration = Duration::from_secs(15 * 60);
/// How long the first look waits: reading the state takes what the client needs for its own start, which has looked already.
const FIRST_LOOK: Duration = Duration::from_secs(2);

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
        let Some(warned) = self.warn(checked, run) else { return };
        self.told.warned = Some(warned);
        // Said twice is better than a check that fails.
        if let Err(error) = self.told.save(&self.folder) {
            run.progress.note(&format!("that the warning was given could not be written down: {error}"));
        }
    }

    /// Gives the warning that is to be given now; which it was.
    fn warn(&self, checked: &Checked, run: &Run<'_>) -> Option<Warned> {
        let (at, deadline) = self.next_deadline(checked)?;
        let last = self.told.warned.filter(|warned| warned.at == at).map(|warned| warned.minutes);
        let minutes = deadline.warning(last)?;
        run.progress.deadline(&deadline);
        Some(Warned { at, minutes })
    }

    fn next_deadline(&self, checked: &Checked) -> Option<(Place, Deadline)> {
        // What is ignored comes when its time is over, so whoever ignores it is warned, too.
        let decision = self.with_facts(|facts| decide(&checked.channel, &checked.policy, &Facts { ignored: &[], ..*facts }));
        let Verdict::Offer(release) = decision.verdict else { return None };
        Some((checked.channel.place(release), self.deadline_of(checked, release)?))
    }
}

/// Warns whoever uses the client of the install folder `dir`, as long as this is waited for. `begun` is when [`Run::now`] was.
pub(super) async fn warn_meanwhile(dir: &Path, run: &Run<'_>, begun: Instant) -> Infallible {
    let mut known = None;
    tokio::time::sleep(FIRST_LOOK).await;
    loop {
        let elapsed = i64::try_from(begun.elapsed().as_secs()).unwrap_or(i64::MAX);
        let now = UtcTime::from_unix(run.now.unix().saturating_add(elapsed));
        let next = look(dir, run, now, &mut known);
        let wait = next.map_or(LOOK_EVERY, |next| Duration::from_secs(next.unix().abs_diff(now.unix())).min(LOOK_EVERY));
        tokio::time::sleep(wait).await;
    }
}

/// Gives the warning that is to be given `now`; when the next one is. `known` is the last that was given here: whoever may not write the state remembers it no further.
fn look(dir: &Path, run: &Run<'_>, now: UtcTime, known: &mut Option<Warned>) -> Option<UtcTime> {
    let mut session = Session::look(dir, run).ok()?;
    session.now = now;
    session.told.warned = session.told.warned.or(*known);
    let checked = session.remembered()?;
    if let Some(warned) = session.warn(&checked, run) {
        *known = Some(warned);
        // Another updater at work is no reason to wait.
        if let Ok(_lock) = Lock::acquire(&session.folder, "launch")
            && let Ok(told) = Told::load(&session.folder)
            && let Err(error) = (Told { warned: *known, ..told }).save(&session.folder)
        {
            tracing::info!(%error, "that a warning was given could not be written down");
        }
    }
    session.deadline(&checked)?.next_warning(now)
}
