//! `--trigger`: what set a command off, where another program starts it (D-13).

use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValue;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde_json::json;
use updater::exit_code::Exit;
use updater::profile;
use updater::settings::Settings;
use updater::trigger::Trigger;

use super::{Global, Report};

/// How long a run that another program set off waits for another updater: whoever is at work is done by then, and what it found is taken.
const PATIENCE: Duration = Duration::from_secs(600);

/// What sets a command off.
#[derive(Args, Clone, Copy, Default)]
pub(crate) struct Occasion {
    /// For programs that start this: what set it off, for the history. Such a run waits for another updater, and takes what that one has asked meanwhile.
    #[arg(long, value_name = "NAME", value_parser = names())]
    trigger: Option<Trigger>,
}

fn names() -> impl clap::builder::TypedValueParser<Value = Trigger> {
    let known = Trigger::NAMEABLE.map(|trigger| PossibleValue::new(trigger.as_str()).help(trigger.meaning()));
    PossibleValuesParser::new(known).try_map(|name| Trigger::named(&name).ok_or("it is none of these"))
}

impl Occasion {
    /// The system's timer.
    pub(crate) const SCHEDULE: Occasion = Occasion { trigger: Some(Trigger::Schedule) };

    /// As somebody asked the agent.
    pub(crate) fn asked(trigger: Option<Trigger>) -> Occasion {
        Occasion { trigger }
    }

    /// What was said.
    pub(crate) fn said(self) -> Option<Trigger> {
        self.trigger
    }

    /// The report of a run that is turned off at this station; `None` where it is not, and where the settings cannot be read, which the run itself says.
    pub(crate) fn turned_off(self, global: &Global) -> Option<Report> {
        let settings = || Settings::load(&profile::look(&global.dir, &global.registry()).ok()?).ok();
        let trigger = self.trigger.filter(|trigger| settings().is_some_and(|settings| !settings.triggers.lets(*trigger)))?;
        let text = global.texts().get("trigger-off", &[("trigger", trigger.as_str().into())]);
        Some(Report::new(&json!({ "result": "trigger-off", "trigger": trigger }), text, Exit::Success))
    }

    /// `global` with the patience of whoever set it off: a person is told at once who is at work.
    pub(crate) fn patient(self, global: &Global) -> Global {
        let wait = if self.trigger.is_some() && global.wait == 0 { PATIENCE.as_secs() } else { global.wait };
        Global { wait, ..global.clone() }
    }
}
