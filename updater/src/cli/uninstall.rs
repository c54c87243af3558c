//! `updater uninstall`.

use std::time::Duration;

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
    // Before the settings are gone that may say the language.
    let texts = global.texts();
    let removed = pipeline::uninstall(&global.dir, arguments.backups, Duration::from_secs(global.wait), &global.registry())?;
    let mut text = texts.get("uninstall-done", &[]);
    if !arguments.backups && removed.backups_left > 0 {
        text += &format!("\n{}", texts.get("uninstall-backups", &[("count", removed.backups_left.into())]));
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
