//! `updater launch`.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;
use updater::pipeline::{self, Error, Run};
use updater::progress::Progress;

use super::{Global, context};

/// How long a start waits for another updater, unless it is told: most are done by then, and people want their client.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(crate) struct Arguments {
    /// What the client is given.
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

/// Starts the client and waits for its end; returns its exit code.
pub(crate) fn run(global: &Global, command: &Arguments, progress: &dyn Progress) -> Result<i32, Error> {
    let run = context::begin(global, progress);
    let run = Run { patience: if global.wait == 0 { PATIENCE } else { run.patience }, ..run };
    let end = context::block_on(pipeline::launch(&global.dir, &command.arguments, &run))?;
    Ok(end.exit_code())
}
