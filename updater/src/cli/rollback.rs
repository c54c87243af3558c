//! `updater rollback` and `updater unhold`.

use clap::Args;
use manifests::channel::Place;
use serde_json::json;
use updater::backup::rotation::Slot;
use updater::exit_code::Exit;
use updater::pipeline::{Error, Session};
use updater::progress::Progress;

use super::{Global, Report, context};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Which backup: 001, 002 or 003; the newest without it. See `updater backups`.
    #[arg(long, value_name = "NNN")]
    pub(crate) to: Option<Slot>,
    /// Why, for the history; needed to go back below a security floor or to a withdrawn build.
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

pub(crate) fn run(global: &Global, arguments: Arguments, progress: &dyn Progress) -> Result<Report, Error> {
    let run = context::begin(global, progress);
    let mut session = Session::open(&global.dir, "rollback", &run)?;
    let back = context::block_on(session.rollback(arguments.to, arguments.reason, &run))?;
    let json = json!({
        "result": "rolled-back",
        "left": back.left,
        "installed": back.now_at,
        "backup": back.backup,
        "held": back.held,
        "altered": back.altered,
        "kept": back.kept,
        "is_unverified": back.is_unverified,
        "warnings": back.warnings,
    });
    let now_at = back.now_at.as_ref().map_or("an unknown build", |now_at| &now_at.build);
    let mut text = match (&back.held, &back.left) {
        (None, _) => format!("back at {now_at}; nothing is held"),
        (Some(_), Some(left)) => format!("back at {now_at}; {} is held and not offered again until you say so", left.build),
        (Some(held), None) => {
            let Place(epoch, sequence) = held.at;
            format!("back at {now_at}; what was left is not known: nothing up to {epoch}:{sequence} is offered again until you say so")
        }
    };
    if back.is_unverified {
        text += "\nwarning: the backup was made by another program; nobody can say that it was whole";
    }
    for path in &back.altered {
        text += &format!("\nwarning: `{path}` is back as it was, which is not as the release has it");
    }
    for path in &back.kept {
        text += &format!("\nkept your own `{path}`");
    }
    for warning in &back.warnings {
        text += &format!("\nwarning: {warning}");
    }
    text += "\nNext: start the client";
    if back.held.is_some() {
        text += "; `updater unhold` offers what is held again";
    }
    Ok(Report::new(&json, text, Exit::Success))
}

/// Offers again what a rollback left.
pub(crate) fn unhold(global: &Global, progress: &dyn Progress) -> Result<Report, Error> {
    let run = context::begin(global, progress);
    let was_held = Session::open(&global.dir, "unhold", &run)?.unhold()?;
    let text = if was_held { "what was held is offered again\nNext: `updater update`" } else { "nothing was held" };
    Ok(Report::new(&json!({ "result": if was_held { "unheld" } else { "nothing-held" } }), text.to_owned(), Exit::Success))
}
