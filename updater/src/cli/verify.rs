//! `updater verify`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use updater::exit_code::Exit;
use updater::pipeline::{Error, Session};
use updater::progress::Progress;
use updater::scan::Depth;

use super::update::Done;
use super::{Global, Report, context, update};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Put back what differs; config files that their user changed stay.
    #[arg(long)]
    pub(crate) repair: bool,
    /// Repair from this folder, a copy of the repository that was carried here; use no network.
    #[arg(long, value_name = "DIR", requires = "repair")]
    pub(crate) from: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, arguments: Arguments, progress: &dyn Progress) -> Result<Report, Error> {
    let run = context::begin_asking(global, arguments.from.as_deref(), progress)?;
    let mut session = Session::open(&global.dir, "verify", &run)?;
    if arguments.repair {
        let updated = context::block_on(session.repair(&run))?;
        return Ok(update::report(global.texts(), &session, &updated, Done::Repaired));
    }
    let (installed, texts) = (session.known()?, global.texts());
    let drift = session.drift(Depth::Deep, &run)?;
    let json = json!({ "files": installed.files.len(), "drift": drift });
    if drift.is_empty() {
        let at = format!("{} {}", installed.release.id.product, installed.release.id.build);
        let text = texts.get("verify-whole", &[("files", installed.files.len().into()), ("at", at.into())]);
        return Ok(Report::new(&json, text, Exit::Success));
    }
    let mut text = String::new();
    for drift in &drift {
        let what = serde_json::to_value(drift.what).unwrap_or_default();
        text += &format!("{}: {}\n", what.as_str().unwrap_or_default(), drift.path);
    }
    text += &texts.get("verify-differ", &[("count", drift.len().into()), ("files", installed.files.len().into())]);
    Ok(Report::new(&json, text, Exit::Available))
}
