//! `updater uninstall`.

use clap::Args;
use serde_json::json;
use updater::exit_code::Exit;
use updater::pipeline::{Error, Session};
use updater::progress::Progress;

use super::{Global, Report, context};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Remove the backups too.
    #[arg(long)]
    backups: bool,
}

pub(crate) fn run(global: &Global, arguments: Arguments, progress: &dyn Progress) -> Result<Report, Error> {
    let run = context::begin(global, progress);
    let session = Session::open(&global.dir, "uninstall", &run)?;
    let removed = session.uninstall(arguments.backups)?;
    let mut text = "the updater's own files are gone; the client stays as it is".to_owned();
    if !arguments.backups && removed.backups_left > 0 {
        text += &format!("\n{} backups stay: remove the folders bkp_remote.* when you do not need them", removed.backups_left);
    }
    Ok(Report::new(&json!({ "result": "uninstalled", "backups_left": removed.backups_left }), text, Exit::Success))
}
