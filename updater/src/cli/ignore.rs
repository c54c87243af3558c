//! `updater ignore`.

use clap::Args;
use serde_json::json;
use updater::code::Code;
use updater::exit_code::Exit;
use updater::pipeline::{Error, Ignored, Session, Which};
use updater::progress::Progress;

use super::{Global, Report, context, update};

#[derive(Args, Clone)]
pub(crate) struct Arguments {
    /// The build to pass over; without it the one that is offered.
    #[arg(value_name = "BUILD")]
    pub(crate) build: Option<String>,
    /// The release to pass over, by its number.
    #[arg(long, value_name = "N", conflicts_with = "build")]
    pub(crate) release: Option<u64>,
    /// Offer it again; without a build or number everything that is ignored.
    #[arg(long)]
    pub(crate) undo: bool,
}

impl Arguments {
    fn which(&self) -> Which {
        match (&self.build, self.release) {
            (Some(build), _) => Which::Build(build.clone()),
            (None, Some(number)) => Which::Number(number),
            (None, None) => Which::Offered,
        }
    }
}

pub(crate) fn run(global: &Global, arguments: &Arguments, progress: &dyn Progress) -> Result<Report, Error> {
    let run = context::begin(global, progress);
    let mut session = Session::open(&global.dir, "ignore", &run)?;
    let (which, texts) = (arguments.which(), global.texts());
    if arguments.undo {
        let (result, text) = match session.offer_again(&which, &run)? {
            true => ("offered-again", texts.get("ignore-undone", &[])),
            false => ("nothing-ignored", texts.get("ignore-none", &[])),
        };
        return Ok(Report::new(&json!({ "result": result }), text, Exit::Success));
    }
    let Some(ignored) = session.ignore(&which, &run)? else {
        let text = texts.get("ignore-nothing", &[]);
        return Ok(Report::new(&json!({ "result": Code::NothingToDo }), text, Exit::Success));
    };
    let Ignored { release, deadline } = &ignored;
    let mut text = texts.get("ignore-done", &[("build", release.build.to_string().into()), ("number", release.sequence.into())]);
    if let Some(deadline) = deadline {
        text += &format!("\n{}", update::comes_by_itself(texts, deadline));
    }
    text += &format!("\n{}", texts.get("ignore-next", &[]));
    Ok(Report::new(&json!({ "result": Code::Ignored, "release": release, "deadline": deadline }), text, Exit::Success))
}
