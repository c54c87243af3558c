//! The last step of a run: telling the server what came of it, where a check of this run has reached one (AC-74, AC-75).
//!
//! It is nobody's business how that ends but the log's: an update that was told is no better than one that was not, and what could not be told waits.

use super::{Error, Run, Session};
use crate::check::Checked;
use crate::code::Code;
use crate::report;
use crate::trigger::Trigger;

impl Session {
    /// Notes whether `checked` came from a server, or from what keeps this station from it.
    pub(super) fn note_reached(&mut self, checked: &Result<Checked, Error>) {
        let is_cut_off =
            |code| matches!(code, Code::Unreachable | Code::TooSlow | Code::WebPage | Code::Redirected | Code::UnsafeConnection);
        self.has_reached = !checked.as_ref().is_err_and(|error| is_cut_off(error.code()));
    }

    /// The end of a run that may have failed: written down, and told.
    pub(super) async fn ended<T>(&mut self, trigger: Trigger, run: &Run<'_>, outcome: Result<T, Error>) -> Result<T, Error> {
        let outcome = self.report_failure(trigger, run, outcome);
        self.tell(run).await;
        outcome
    }

    /// A check that is a run of its own: what is new is asked, and what waits is told.
    pub async fn check_and_tell(&mut self, run: &Run<'_>) -> Result<Checked, Error> {
        let checked = self.check(run).await;
        self.tell(run).await;
        checked
    }

    /// Tells the server what waits for it, if this run has reached it.
    pub(super) async fn tell(&mut self, run: &Run<'_>) {
        if !self.has_reached || run.routes.folder.is_some() {
            return;
        }
        match report::deliver(&self.folder, &mut self.station, &run.routes.network, run.now).await {
            Ok(0) => {}
            Ok(taken) => tracing::info!(attempts = taken, "the server has been told"),
            Err(error) => tracing::info!(%error, "the server could not be told; what happened here waits in the outbox"),
        }
    }
}
