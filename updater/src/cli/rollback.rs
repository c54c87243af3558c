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
    let texts = global.texts();
    let now_at = back.now_at.as_ref().map_or_else(|| texts.get("build-unknown", &[]), |now_at| now_at.build.clone());
    let mut text = match (&back.held, &back.left) {
        (None, _) => texts.get("rollback-free", &[("build", now_at.into())]),
        (Some(_), Some(left)) => texts.get("rollback-held", &[("build", now_at.into()), ("left", left.build.as_str().into())]),
        (Some(held), None) => {
            let Place(epoch, sequence) = held.at;
            texts.get("rollback-held-unknown", &[("build", now_at.into()), ("place", format!("{epoch}:{sequence}").into())])
        }
    };
    if back.is_unverified {
        text += &format!("\n{}", texts.get("rollback-unverified", &[]));
    }
    for path in &back.altered {
        text += &format!("\n{}", texts.get("rollback-altered", &[("path", path.to_string().into())]));
    }
    for path in &back.kept {
        text += &format!("\n{}", texts.get("report-kept", &[("path", path.to_string().into())]));
    }
    for warning in &back.warnings {
        text += &format!("\n{}", texts.get("report-warning", &[("text", warning.as_str().into())]));
    }
    let next = if back.held.is_some() { texts.get("rollback-next-unhold", &[]) } else { texts.get("rollback-next", &[]) };
    text += &format!("\n{next}");
    Ok(Report::new(&json, text, Exit::Success))
}

/// Offers again what a rollback left.
pub(crate) fn unhold(global: &Global, progress: &dyn Progress) -> Result<Report, Error> {
    let run = context::begin(global, progress);
    let was_held = Session::open(&global.dir, "unhold", &run)?.unhold()?;
    let (result, text) = match was_held {
        true => ("unheld", global.texts().get("unhold-done", &[])),
        false => ("nothing-held", global.texts().get("unhold-nothing", &[])),
    };
    Ok(Report::new(&json!({ "result": result }), text, Exit::Success))
}
