//! The last step of a run: telling the server what came of it, where a check of this run has reached one (AC-74, AC-75).
//!
//! It is nobody's business how that ends but the log's: an update that was told is no better than one that was not, and what could not be told waits.

use std::path::Path;
use std::time::Duration;

use super::{Error, Run, Session};
use crate::check::Checked;
use crate::code::Code;
use crate::fs::Folder;
use crate::lock::Lock;
use crate::profile;
use crate::report;
use crate::station::Station;
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
        log(&report::deliver(&self.folder, &mut self.station, &run.routes.network, run.now).await.map_err(|error| error.to_string()));
    }
}

/// How long the lock of the start that this one belongs to may still be held, though it was let go: a client that has just been forked has it for the moment until its own program is loaded.
const HANDOVER: Duration = Duration::from_secs(1);

/// Tells the server what came of a start, while the client of `dir` runs. The folder is not held meanwhile; where another updater is at work, that one tells it, or the next.
pub(super) async fn tell_meanwhile(dir: &Path, run: &Run<'_>) {
    let lock = |folder: &Folder| Lock::acquire_within(folder, Trigger::Launch.as_str(), HANDOVER).map_err(Error::from);
    let told = async {
        let folder = profile::open(dir, &run.registry)?;
        let letter = {
            let _lock = lock(&folder)?;
            let station = Station::load(&folder)?.ok_or(Error::NotInstalled)?;
            report::write(&folder, &station, run.now)?
        };
        let Some(letter) = letter else { return Ok(0) };
        let reply = letter.send(&run.routes.network).await?;
        let _lock = lock(&folder)?;
        let mut station = Station::load(&folder)?.ok_or(Error::NotInstalled)?;
        Ok(report::settle(&folder, &mut station, reply, run.now)?)
    };
    log(&told.await.map_err(|error: Box<dyn std::error::Error>| error.to_string()));
}

fn log(told: &Result<usize, String>) {
    match told {
        Ok(0) => {}
        Ok(attempts) => tracing::info!(attempts, "the server has been told"),
        Err(error) => tracing::info!(error, "the server could not be told; what happened here waits in the outbox"),
    }
}
