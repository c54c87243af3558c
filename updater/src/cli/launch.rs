//! `updater launch`.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use updater::agent::message::Agreed;
use updater::code::Code;
use updater::exit_code::Exit;
use updater::pipeline::{self, Consent, Error, NotStarted, Question, Run, Start};
use updater::progress::Progress;

use super::update::Done;
use super::{Global, Report, context, question, update, words};

/// How long a start waits for another updater, unless it is told: most are done by then, and people want their client.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) moments: Moments,
    /// What the client is given.
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

/// What is known of the start.
#[derive(Args, Clone)]
pub(crate) struct Moments {
    /// The environment that the client starts, for the history.
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// The build of the server that the client will talk to, where it is not what settings and channel say.
    #[arg(long, value_name = "BUILD")]
    pub(crate) server_build: Option<String>,
}

impl Moments {
    fn start<'a>(&'a self, ask: &'a dyn Fn(&Question<'_>) -> Consent) -> Start<'a> {
        Start { environment: self.environment.as_deref(), server_build: self.server_build.as_deref(), ask }
    }
}

/// Starts the client and waits for its end; returns its exit code.
pub(crate) fn run(global: &Global, command: &Arguments, progress: &dyn Progress) -> Result<i32, Error> {
    let run = begin(global, progress);
    let run = Run { patience: if global.wait == 0 { PATIENCE } else { run.patience }, ..run };
    let ask = |question: &Question<'_>| question::at_start(global, question);
    let start = command.moments.start(&ask);
    let end = context::block_on(pipeline::launch(&global.dir, &command.arguments, &start, &run))?;
    Ok(end.exit_code())
}

/// All of a start but the client, for somebody who has `agreed` or not.
pub(crate) fn ready(global: &Global, moments: &Moments, agreed: &Agreed, progress: &dyn Progress) -> Result<Report, Error> {
    let run = begin(global, progress);
    let answers = |question: &Question<'_>| {
        let asked = match question {
            Question::Replace(misfit) => misfit.instead.as_ref(),
            Question::Install(proposal) => Some(&proposal.to),
        };
        agreed.to(asked)
    };
    match context::block_on(pipeline::ready(&global.dir, &moments.start(&answers), &run)) {
        Ok((session, Some(updated))) => Ok(update::report(global.texts(), &session, &updated, Done::Updated)),
        Ok((_, None)) => Ok(Report::new(&json!({ "result": Code::NothingWaits }), "nothing waits".to_owned(), Exit::Success)),
        // Whoever asked can ask the person, and ask again.
        Err(Error::Incompatible(misfit)) if misfit.why == NotStarted::Nobody => {
            let (client, server) = misfit.judged.builds();
            let json = json!({ "result": Code::NeedsConsent, "to": misfit.instead, "client": client, "server": server });
            Ok(Report { json, ..words::plain(&Error::Incompatible(misfit.clone())) })
        }
        Err(error) => Err(error),
    }
}

/// A run that may ask a server; a client is not kept from starting by a file of authorities that cannot be read.
fn begin<'a>(global: &Global, progress: &'a dyn Progress) -> Run<'a> {
    context::begin_asking(global, None, progress).unwrap_or_else(|error| {
        progress.note(&error.to_string());
        context::begin(global, progress)
    })
}
