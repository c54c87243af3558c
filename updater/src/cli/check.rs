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
use updater::text::{Language, Texts};
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
    Ok(report(global.texts(), &session, &checked, &drift))
}

/// What a check found, for scripts and people.
pub(crate) fn report(texts: &Texts, session: &Session, checked: &Checked, drift: &[Drift]) -> Report {
    report_of(texts, session, checked, drift, |_| true)
}

/// The same of a check that nobody asked for: people are not told again what somebody at this station passes over (AC-33).
pub(crate) fn report_unasked(texts: &Texts, session: &Session, checked: &Checked, drift: &[Drift]) -> Report {
    report_of(texts, session, checked, drift, |refusal| !matches!(refusal, Refusal::Ignored))
}

fn report_of(texts: &Texts, session: &Session, checked: &Checked, drift: &[Drift], is_told: impl Fn(&Refusal) -> bool) -> Report {
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
    let at = match release {
        None => texts.get("check-nothing-installed", &[]),
        Some(release) => {
            let (product, build) = (release.id.product.to_string(), release.id.build.to_string());
            texts.get("check-installed", &[("product", product.into()), ("build", build.into())])
        }
    };
    let mut text = match &decision.verdict {
        Verdict::Offer(release) => texts.get("check-offer", &[("at", at.into()), ("build", release.build.to_string().into())]),
        Verdict::Renumber(release) => texts.get("check-renumbered", &[("at", at.into()), ("number", release.sequence.into())]),
        Verdict::UpToDate => texts.get("check-up-to-date", &[("at", at.into())]),
        Verdict::NothingReleased => texts.get("check-nothing-released", &[("at", at.into())]),
    };
    for passed in decision.passed_over.iter().filter(|passed| is_told(&passed.refusal)) {
        let build = passed.build.clone().unwrap_or_else(|| texts.get("check-unknown-build", &[]));
        let why = technical(texts, passed.refusal.code(), passed.refusal.to_string());
        let arguments = [("number", passed.sequence.into()), ("build", build.into()), ("why", why.into())];
        text += &format!("\n{}", texts.get("check-passed-over", &arguments));
    }
    if let Some(deadline) = &deadline {
        text += &format!("\n{}: {}", deadline.build, update::comes_by_itself(texts, deadline));
    }
    for warning in &warnings {
        text += &format!("\n{}", texts.get("report-warning", &[("text", warning.as_str().into())]));
    }
    if !drift.is_empty() {
        text += &format!("\n{}", texts.get("check-drift", &[("count", drift.len().into())]));
    }
    let has_work = matches!(decision.verdict, Verdict::Offer(_)) || !drift.is_empty();
    if has_work {
        text += &format!("\n{}", texts.get("report-next-update", &[]));
    }
    Report::new(&json, text, if has_work { Exit::Available } else { Exit::Success })
}

/// What `code` is called in the language of `texts`, with the `detail`, which is in English and says it all there.
fn technical(texts: &Texts, code: &str, detail: String) -> String {
    match texts.explain(code).filter(|_| texts.language() != Language::English) {
        Some(said) => format!("{} ({detail})", said.title),
        None => detail,
    }
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
