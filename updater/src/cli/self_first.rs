//! First in order: before `check` and `update` do their work, the updater itself is brought up to date (D-33), because only a current one is sure to understand what is released.
//!
//! Whatever keeps it from that is said and stops nothing: the work goes on with the updater that is there. Only a recovery of the client's folder comes before.

use std::time::Duration;

use updater::pipeline::{Error, Run, Session};
use updater::progress::Progress;
use updater::self_update::{self, Activated, Home, SelfUpdater};

use super::check::Asking;
use super::{Global, context, self_update as command};

/// Brings the updater up to date; this process ends where a newer updater did its work.
pub(crate) fn run(global: &Global, asking: &Asking, progress: &dyn Progress) {
    if let Err(error) = bring_up_to_date(global, asking, progress) {
        progress.note(&format!("the updater itself could not be brought up to date: {error} [{}]; this one goes on", error.code()));
    }
}

fn bring_up_to_date(global: &Global, asking: &Asking, progress: &dyn Progress) -> Result<(), Error> {
    let home = Home::of_this_program()?;
    // What was carried here is the client's repository, not the updater's; and whoever says that there is no network is believed.
    if self_update::confirm(&home)? || !home.follows()? || asking.from.is_some() {
        return Ok(());
    }
    let run = asking.begin(global, progress)?;
    // What an earlier run left unfinished is finished by the updater that is here. Should it not be possible, the command itself will say so.
    // Nor is another waited for here: that one has looked for a newer updater, and this one takes its place in the queue for the folder at once.
    let at_once = Run { patience: Duration::ZERO, ..asking.begin(global, progress)? };
    if Session::open(&global.dir, "recovery", &at_once).is_err() {
        return Ok(());
    }
    let Some(mut updater) = SelfUpdater::open(home, "self update", command::stations(global), &run)? else { return Ok(()) };
    if !updater.record().automatic {
        return Ok(());
    }
    context::block_on(updater.update(&run))?;
    match updater.activate(&run)? {
        Activated::Nothing => Ok(()),
        Activated::AtWork { child, .. } => command::end_with(updater, child),
    }
}
