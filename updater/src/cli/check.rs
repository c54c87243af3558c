//! `updater check`.

use std::path::PathBuf;

use clap::Args;
use manifests::decide::{Decision, Refusal, Verdict};
use manifests::time::UtcTime;
use serde_json::json;
use updater::check::Checked;
use updater::code::Code;
use updater::exit_code::Exit;
use updater::pipeline::{Error, Run, Session};
use updater::progress::Progress;
use updater::scan::{Depth, Drift};
use updater::trigger::Trigger;

use super::occasion::Occasion;
use super::{Global, Report, context, update};

#[derive(Args, Default)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) occasion: Occasion,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// What commands take that ask for something new.
#[derive(Args, Default)]
pub(crate) struct Asking {
    /// Take everything from this folder, a copy of the repository that was carried here; use no network.
    #[arg(long, value_name = "DIR")]
    pub(crate) from: Option<PathBuf>,
    /// Judge expiry at this time, such as 2026-11-21T10:00:00Z, because the clock of this computer runs ahead and cannot be set.
    #[arg(long, value_name = "TIME")]
    pub(crate) clock: Option<UtcTime>,
}

impl Asking {
    /// Whether nothing out of the ordinary is asked for.
    pub(crate) fn is_plain(&self) -> bool {
        self.from.is_none() && self.clock.is_none()
    }

    /// A run that asks like this.
    pub(crate) fn begin<'a>(&self, global: &Global, progress: &'a dyn Progress) -> Result<Run<'a>, Error> {
        Ok(Run { clock: self.clock, ..context::begin_asking(global, self.from.as_deref(), progress)? })
    }
}

pub(crate) fn run(global: &Global, arguments: Arguments, progress: &dyn Progress) -> Result<Report, Error> {
    if let Some(report) = arguments.occasion.turned_off(global) {
        return Ok(report);
    }
    let global = &arguments.occasion.patient(global);
    let run = arguments.asking.begin(global, progress)?;
    let mut session = Session::open_to_ask(&global.dir, arguments.occasion.said().unwrap_or(Trigger::Check), &run)?;
    let checked = context::block_on(session.check_and_tell(&run))?;
    let drift = session.drift(Depth::Fast, &run)?;
    Ok(report(&session, &checked, &drift))
}

/// What a check found, for scripts and people.
pub(crate) fn report(session: &Session, checked: &Checked, drift: &[Drift]) -> Report {
    let decision = session.decide(checked);
    let release = session.installed.as_ref().map(|installed| &installed.release);
    let offered = match &decision.verdict {
        Verdict::Offer(release) | Verdict::Renumber(release) => Some(*release),
        Verdict::UpToDate | Verdict::NothingReleased => None,
    };
    let deadline = session.deadline(checked);
    let (code, reason) = summary(&decision);
    let notices = checked.notices.iter().map(|notice| format!("{notice} [{}]", notice.code()));
    let warnings = decision.warnings.iter().map(|warning| format!("{warning} [{}]", warning.code()));
    let warnings: Vec<String> = warnings.chain(notices).collect();
    let json = json!({
        "decision": code,
        "reason": reason,
        "installed": release.map(|release| json!({ "build": release.id.build.text(), "sequence": release.place.1 })),
        "offered": offered.map(|release| json!({ "build": release.build.text(), "sequence": release.sequence, "notes": release.notes, "security": release.security })),
        "passed_over": decision.passed_over,
        "warnings": warnings,
        "deadline": deadline,
        "drift": drift,
        "known_as_of": session.station.checked,
        "joined": session.has_joined,
    });
    let at =
        release.map_or("nothing is installed".to_owned(), |release| format!("{} {} is installed", release.id.product, release.id.build));
    let mut text = match &decision.verdict {
        Verdict::Offer(release) => format!("{at}; {} is available", release.build),
        Verdict::Renumber(release) => format!("{at}, released again as number {}", release.sequence),
        Verdict::UpToDate => format!("{at}, and nothing newer is for this station"),
        Verdict::NothingReleased => format!("{at}, and no release is for this station"),
    };
    for passed in &decision.passed_over {
        text += &format!("\nrelease {} ({}): {}", passed.sequence, passed.build.as_deref().unwrap_or("unknown build"), passed.refusal);
    }
    if let Some(deadline) = &deadline {
        text += &format!("\n{}: {}", deadline.build, update::comes_by_itself(deadline));
    }
    for warning in &warnings {
        text += &format!("\nwarning: {warning}");
    }
    if !drift.is_empty() {
        text += &format!("\n{} files are not as installed (`updater verify` lists them)", drift.len());
    }
    let has_work = matches!(decision.verdict, Verdict::Offer(_)) || !drift.is_empty();
    if has_work {
        text += "\nNext: `updater update`";
    }
    Report::new(&json, text, if has_work { Exit::Available } else { Exit::Success })
}

/// One code and one reason for the whole decision.
pub(crate) fn summary(decision: &Decision<'_>) -> (&'static str, Option<String>) {
    let against = decision.passed_over.iter().map(|passed| &passed.refusal).find(|refusal| !matches!(refusal, Refusal::Withdrawn { .. }));
    match (&decision.verdict, against) {
        (Verdict::Offer(_), _) => (Code::UpdateAvailable.as_str(), None),
        (Verdict::Renumber(_), _) => (Code::Renumbered.as_str(), None),
        (Verdict::UpToDate | Verdict::NothingReleased, Some(refusal)) => (refusal.code(), Some(refusal.to_string())),
        (Verdict::UpToDate, None) => (Code::UpToDate.as_str(), None),
        (Verdict::NothingReleased, None) => (Code::NothingReleased.as_str(), None),
    }
}
