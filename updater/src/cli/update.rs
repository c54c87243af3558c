//! `updater update`.

use clap::Args;
use serde_json::json;
use updater::agent::message::Agreed;
use updater::code::Code;
use updater::deadline::Deadline;
use updater::exit_code::Exit;
use updater::pipeline::{Consent, Cost, Error, Proposal, Run, Session, Updated, Word};
use updater::progress::Progress;
use updater::text::Texts;
use updater::trigger::Trigger;

use super::check::Asking;
use super::occasion::Occasion;
use super::{Global, Report, context, question};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Agree beforehand; without it, and without a terminal to ask on, a new release is only reported.
    #[arg(long, short)]
    yes: bool,
    /// Say what would be done and what it costs; change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Try again what failed here before: a release that did not live, or that could not be applied three times.
    #[arg(long)]
    retry: bool,
    /// Write every file of the release anew, config files included; what was here before is in the backup. For a client that does not fit its server.
    #[arg(long)]
    everything: bool,
    #[command(flatten)]
    occasion: Occasion,
    #[command(flatten)]
    pub(crate) asking: Asking,
    /// What somebody answered who asked the agent.
    #[arg(skip)]
    agreed: Option<Agreed>,
}

impl Arguments {
    /// As somebody asked the agent for it.
    pub(crate) fn asked(dry_run: bool, agreed: Agreed, trigger: Option<Trigger>) -> Arguments {
        Arguments {
            yes: false,
            dry_run,
            retry: false,
            everything: false,
            occasion: Occasion::asked(trigger),
            asking: Asking::default(),
            agreed: Some(agreed),
        }
    }

    /// As it is asked of the agent: whether it is a dry run, whether the person has agreed, and what set it off. `None` with options that the agent does not know.
    pub(crate) fn for_agent(&self) -> Option<(bool, Agreed, Option<Trigger>)> {
        let agreed = if self.yes { Agreed::Yes } else { Agreed::Unasked };
        let is_plain = self.asking.is_plain() && !self.retry && !self.everything;
        is_plain.then_some((self.dry_run, agreed, self.occasion.said()))
    }
}

pub(crate) fn run(global: &Global, arguments: Arguments, progress: &dyn Progress) -> Result<Report, Error> {
    if let Some(report) = arguments.occasion.turned_off(global) {
        return Ok(report);
    }
    let global = &arguments.occasion.patient(global);
    let trigger = arguments.occasion.said().unwrap_or(Trigger::Update);
    let run = Run { everything: arguments.everything, ..arguments.asking.begin(global, progress)? };
    let mut session = Session::open_to_ask(&global.dir, trigger, &run)?;
    let ask = |proposal: &Proposal| match &arguments.agreed {
        Some(agreed) => agreed.to(Some(&proposal.to)),
        None if trigger.is_unattended() => Consent::Nobody,
        None => question::ask(global, &question::install(global.texts(), &describe(global.texts(), proposal)), proposal.may_ignore, false),
    };
    let has_agreed = arguments.yes || arguments.agreed == Some(Agreed::Yes);
    let word = if has_agreed { Word::Yes } else { Word::Ask(&ask) };
    if arguments.retry && !arguments.dry_run {
        session.retry()?;
    }
    let updated = context::block_on(session.update(trigger, &run, arguments.dry_run, word))?;
    Ok(report(global.texts(), &session, &updated, Done::Updated))
}

/// What a release came for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Updated,
    Installed,
    Repaired,
}

impl Done {
    /// How it ended, for scripts.
    fn result(self) -> &'static str {
        match self {
            Done::Updated => "updated",
            Done::Installed => "installed",
            Done::Repaired => "repaired",
        }
    }
}

/// What an update did, for scripts and people.
pub(crate) fn report(texts: &Texts, session: &Session, updated: &Updated, done: Done) -> Report {
    let mut report = of_outcome(texts, session, updated, done);
    report.json["joined"] = session.has_joined.into();
    report
}

fn of_outcome(texts: &Texts, session: &Session, updated: &Updated, done: Done) -> Report {
    let release = session.installed.as_ref().map(|installed| &installed.release);
    let installed = release.map(|release| json!({ "build": release.id.build.text(), "sequence": release.place.1 }));
    let at = release.map_or(String::new(), |release| format!("{} {}", release.id.product, release.id.build));
    match updated {
        Updated::Nothing => Report::new(
            &json!({ "result": Code::NothingToDo, "installed": installed }),
            texts.get("update-nothing", &[("at", at.into())]),
            Exit::Success,
        ),
        Updated::Planned(proposal) => {
            let text = format!("{}\n{}", describe(texts, proposal), texts.get("update-planned", &[]));
            Report::new(&with_proposal(Code::Planned.as_str(), proposal), text, Exit::Success)
        }
        Updated::NotAgreed(proposal, consent) => {
            let (code, next) = match consent {
                Consent::No => (Code::Declined, texts.get("update-not-agreed", &[])),
                Consent::TwoActs => (Code::TwoActs, texts.get("update-two-acts", &[])),
                Consent::Ignore => (Code::Ignored, texts.get("update-ignored", &[])),
                Consent::NeedsAdmin => (Code::NotAllowed, texts.get("update-needs-admin", &[])),
                Consent::Yes | Consent::Nobody => (Code::NeedsConsent, texts.get("update-not-agreed", &[])),
            };
            Report::new(&with_proposal(code.as_str(), proposal), format!("{}\n{next}", describe(texts, proposal)), code.exit())
        }
        Updated::Ready { proposal, received_bytes } => {
            let mut json = with_proposal(Code::Downloaded.as_str(), proposal);
            json["installed"] = json!(installed);
            json["received_bytes"] = json!(received_bytes);
            let arguments = [("build", proposal.to.build.as_str().into()), ("bytes", (*received_bytes).into()), ("at", at.into())];
            Report::new(&json, texts.get("update-downloaded", &arguments), Code::Downloaded.exit())
        }
        Updated::Deferred { proposal, received_bytes, holders } => {
            let mut json = with_proposal(Code::Deferred.as_str(), proposal);
            json["installed"] = json!(installed);
            json["received_bytes"] = json!(received_bytes);
            json["holders"] = json!(holders);
            let mut text = texts.get("update-deferred", &[("build", proposal.to.build.as_str().into())]);
            for holder in holders {
                text += &format!("\n  {holder}");
            }
            if holders.is_empty() {
                text += &format!("\n  {}", texts.get("update-unseen", &[]));
            }
            text += &format!("\n{}", texts.get("update-deferred-next", &[]));
            Report::new(&json, text, Exit::Deferred)
        }
        Updated::Returned { proposal, returned } => {
            let mut json = with_proposal(Code::Returned.as_str(), proposal);
            json["installed"] = json!(installed);
            json["why"] = json!(returned.why);
            let arguments = [("build", proposal.to.build.as_str().into()), ("why", returned.why.as_str().into()), ("at", at.into())];
            Report::new(&json, texts.get("update-returned", &arguments), Exit::Returned)
        }
        Updated::Applied { proposal, received_bytes, backup, warnings } => {
            let mut json = with_proposal(done.result(), proposal);
            json["installed"] = json!(installed);
            json["received_bytes"] = json!(received_bytes);
            json["backup"] = json!(backup);
            json["warnings"] = json!(warnings);
            let arguments = [("at", at.into()), ("files", proposal.cost.put_files.into()), ("bytes", (*received_bytes).into())];
            let mut text = match done {
                Done::Updated => texts.get("update-done-updated", &arguments),
                Done::Installed => texts.get("update-done-installed", &arguments),
                Done::Repaired => texts.get("update-done-repaired", &arguments),
            };
            if let Some(backup) = backup {
                text += &texts.get("update-done-backup", &[("backup", backup.as_str().into())]);
            }
            for path in &proposal.cost.kept_files {
                text += &format!("\n{}", texts.get("report-kept", &[("path", path.to_string().into())]));
            }
            for path in &proposal.cost.merged_files {
                text += &format!("\n{}", texts.get("update-merged", &[("path", path.to_string().into())]));
            }
            for warning in warnings {
                text += &format!("\n{}", texts.get("report-warning", &[("text", warning.as_str().into())]));
            }
            let next = if backup.is_some() { texts.get("update-next-rollback", &[]) } else { texts.get("update-next-status", &[]) };
            Report::new(&json, format!("{text}\n{next}"), Exit::Success)
        }
    }
}

fn with_proposal(result: &str, proposal: &Proposal) -> serde_json::Value {
    json!({ "result": result, "from": proposal.from, "to": proposal.to, "cost": proposal.cost, "may_ignore": proposal.may_ignore, "deadline": proposal.deadline })
}

/// From when on nobody is asked about a release.
pub(crate) fn comes_by_itself(texts: &Texts, deadline: &Deadline) -> String {
    let at = [("at", deadline.at.to_string().into())];
    if deadline.is_over() { texts.get("update-deadline-over", &at) } else { texts.get("update-deadline", &at) }
}

/// What a release would change and cost, for people.
pub(crate) fn describe(texts: &Texts, proposal: &Proposal) -> String {
    let Cost { fetch_bytes, put_files, set_files, removed_files, kept_files, merged_files, takes_backup } = &proposal.cost;
    let from = proposal.from.as_ref().map_or_else(|| texts.get("build-none", &[]), |from| from.build.clone());
    let (bytes, files) = ((*fetch_bytes).into(), (*put_files).into());
    let arguments = [("from", from.into()), ("to", proposal.to.build.as_str().into()), ("bytes", bytes), ("files", files)];
    let mut text = texts.get("update-plan", &arguments);
    if *set_files > 0 {
        text += &texts.get("update-plan-set", &[("files", (*set_files).into())]);
    }
    if *removed_files > 0 {
        text += &texts.get("update-plan-removed", &[("files", (*removed_files).into())]);
    }
    if *takes_backup {
        text += &texts.get("update-plan-backup", &[]);
    }
    if let Some(deadline) = &proposal.deadline {
        text += &format!("\n  {}", comes_by_itself(texts, deadline));
    }
    for path in kept_files {
        text += &format!("\n  {}", texts.get("update-plan-kept", &[("path", path.to_string().into())]));
    }
    for path in merged_files {
        text += &format!("\n  {}", texts.get("update-plan-merged", &[("path", path.to_string().into())]));
    }
    text
}
