//! `updater download` and `updater apply`: the two acts by which a release comes where nothing comes by itself (D-01, AC-26).

use clap::Args;
use serde_json::json;
use updater::code::Code;
use updater::exit_code::Exit;
use updater::pipeline::{Error, Session};
use updater::progress::Progress;
use updater::trigger::Trigger;

use super::check::Asking;
use super::occasion::Occasion;
use super::update::Done;
use super::{Global, Report, context, update};

#[derive(Args, Default)]
pub(crate) struct Download {
    #[command(flatten)]
    pub(crate) occasion: Occasion,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// Fetches what is offered; the client stays as it is.
pub(crate) fn download(global: &Global, arguments: &Download, progress: &dyn Progress) -> Result<Report, Error> {
    if let Some(report) = arguments.occasion.turned_off(global) {
        return Ok(report);
    }
    let global = &arguments.occasion.patient(global);
    let run = arguments.asking.begin(global, progress)?;
    let mut session = Session::open_to_ask(&global.dir, arguments.occasion.said().unwrap_or(Trigger::Download), &run)?;
    let updated = context::block_on(session.download(&run))?;
    Ok(update::report(global.texts(), &session, &updated, Done::Updated))
}

/// Installs what was fetched, without a network.
pub(crate) fn apply(global: &Global, progress: &dyn Progress) -> Result<Report, Error> {
    let run = context::begin(global, progress);
    let mut session = Session::open(&global.dir, "apply", &run)?;
    Ok(match context::block_on(session.install_ready(&run))? {
        Some(updated) => update::report(global.texts(), &session, &updated, Done::Updated),
        None => Report::new(&json!({ "result": Code::NothingWaits }), global.texts().get("apply-nothing", &[]), Exit::Success),
    })
}
