//! `updater uninstall`.

use std::time::Duration;

use clap::Args;
use serde_json::json;
use updater::exit_code::Exit;
use updater::pipeline::{self, Error};

use super::{Global, Report};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Remove the backups too: those that the updater made or took into the rotation.
    #[arg(long, visible_alias = "with-backups")]
    backups: bool,
}

pub(crate) fn run(global: &Global, arguments: Arguments) -> Result<Report, Error> {
    // Before the settings are gone that may say the language.
    let texts = global.texts();
    let removed = pipeline::uninstall(&global.dir, arguments.backups, Duration::from_secs(global.wait), &global.registry())?;
    let mut text = texts.get("uninstall-done", &[]);
    let left = &removed.backups_left;
    if arguments.backups {
        for name in left {
            text += &format!("\n{}", texts.get("uninstall-strange", &[("name", name.as_str().into())]));
        }
    } else if !left.is_empty() {
        text += &format!("\n{}", texts.get("uninstall-backups", &[("count", left.len().into())]));
    }
    let updater::shortcut::Removed { gone, left } = &removed.shortcuts;
    for path in gone {
        text += &format!("\nthe shortcut `{}` is gone", path.display());
    }
    for path in left {
        text += &format!("\n`{}` was a shortcut of ours and is another file now: it stays", path.display());
    }
    let json = json!({
        "result": "uninstalled", "backups_left": removed.backups_left.len(), "shortcuts": { "gone": gone, "left": left },
    });
    Ok(Report::new(&json, text, Exit::Success))
}
