//! `updater uninstall`.

use clap::Args;
use serde_json::json;
use updater::exit_code::Exit;
use updater::pipeline::{self, Error};

use super::{Global, Report};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Remove the backups too.
    #[arg(long, visible_alias = "with-backups")]
    backups: bool,
}

pub(crate) fn run(global: &Global, arguments: Arguments) -> Result<Report, Error> {
    let removed = pipeline::uninstall(&global.dir, arguments.backups, &global.registry())?;
    let mut text = "the updater's own files are gone; the client stays as it is".to_owned();
    if !arguments.backups && removed.backups_left > 0 {
        text += &format!("\n{} backups stay: remove the folders bkp_remote.* when you do not need them", removed.backups_left);
    }
    let updater::shortcut::Removed { gone, left } = &removed.shortcuts;
    for path in gone {
        text += &format!("\nthe shortcut `{}` is gone", path.display());
    }
    for path in left {
        text += &format!("\n`{}` was a shortcut of ours and is another file now: it stays", path.display());
    }
    let json = json!({
        "result": "uninstalled", "backups_left": removed.backups_left, "shortcuts": { "gone": gone, "left": left },
    });
    Ok(Report::new(&json, text, Exit::Success))
}
