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
    let which = arguments.which();
    if arguments.undo {
        let (result, text) = match session.offer_again(&which, &run)? {
            true => ("offered-again", "what was ignored is offered again\nNext: `updater check`"),
            false => ("nothing-ignored", "nothing of that was ignored"),
        };
        return Ok(Report::new(&json!({ "result": result }), text.to_owned(), Exit::Success));
    }
    let Some(ignored) = session.ignore(&which, &run)? else {
        let text = "nothing is offered here that could be ignored\nNext: `updater check` asks what is new";
        return Ok(Report::new(&json!({ "result": Code::NothingToDo }), text.to_owned(), Exit::Success));
    };
    let Ignored { release, deadline } = &ignored;
    let mut text =
        format!("{} (release {}) is ignored: it is not offered any more, and any newer release is", release.build, release.sequence);
    if let Some(deadline) = deadline {
        text += &format!("\n{}", update::comes_by_itself(deadline));
    }
    text += "\nNext: `updater ignore --undo` offers it again";
    Ok(Report::new(&json!({ "result": Code::Ignored, "release": release, "deadline": deadline }), text, Exit::Success))
}
