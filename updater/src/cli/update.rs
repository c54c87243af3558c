//! `updater update`.

use clap::Args;
use serde_json::json;
use updater::agent::message::Agreed;
use updater::code::Code;
use updater::deadline::Deadline;
use updater::exit_code::Exit;
use updater::pipeline::{Consent, Cost, Error, Proposal, Run, Session, Updated, Word};
use updater::progress::Progress;
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
        None => question::ask(global.texts(), &question::install(global.texts(), &describe(proposal)), proposal.may_ignore),
    };
    let has_agreed = arguments.yes || arguments.agreed == Some(Agreed::Yes);
    let word = if has_agreed { Word::Yes } else { Word::Ask(&ask) };
    if arguments.retry && !arguments.dry_run {
        session.retry()?;
    }
    let updated = context::block_on(session.update(trigger, &run, arguments.dry_run, word))?;
    Ok(report(&session, &updated, "updated"))
}

/// What an update did, for scripts and people.
pub(crate) fn report(session: &Session, updated: &Updated, done: &str) -> Report {
    let mut report = of_outcome(session, updated, done);
    report.json["joined"] = session.has_joined.into();
    report
}

fn of_outcome(session: &Session, updated: &Updated, done: &str) -> Report {
    let release = session.installed.as_ref().map(|installed| &installed.release);
    let installed = release.map(|release| json!({ "build": release.id.build.text(), "sequence": release.place.1 }));
    let at = release.map_or(String::new(), |release| format!("{} {}", release.id.product, release.id.build));
    match updated {
        Updated::Nothing => Report::new(
            &json!({ "result": Code::NothingToDo, "installed": installed }),
            format!("{at} is up to date; nothing was changed"),
            Exit::Success,
        ),
        Updated::Planned(proposal) => {
            let text = format!("{}\nNothing was changed. Next: `updater update`", describe(proposal));
            Report::new(&with_proposal(Code::Planned.as_str(), proposal), text, Exit::Success)
        }
        Updated::NotAgreed(proposal, consent) => {
            let (code, next) = match consent {
                Consent::No => (Code::Declined, "Nothing was changed. Next: `updater update --yes`"),
                Consent::TwoActs => {
                    (Code::TwoActs, "Nothing was changed. Next: `updater download` fetches it, `updater apply` installs it")
                }
                Consent::Ignore => (
                    Code::Ignored,
                    "Nothing was changed, and it is not offered again; any newer release is. `updater ignore --undo` takes that back",
                ),
                Consent::NeedsAdmin => (Code::NotAllowed, "Nothing was changed: whoever answers for this folder has to agree to it"),
                Consent::Yes | Consent::Nobody => (Code::NeedsConsent, "Nothing was changed. Next: `updater update --yes`"),
            };
            Report::new(&with_proposal(code.as_str(), proposal), format!("{}\n{next}", describe(proposal)), code.exit())
        }
        Updated::Ready { proposal, received_bytes } => {
            let mut json = with_proposal(Code::Downloaded.as_str(), proposal);
            json["installed"] = json!(installed);
            json["received_bytes"] = json!(received_bytes);
            let text = format!(
                "{} is downloaded, {received_bytes} bytes received; {at} is as it was\nNext: `updater apply` installs it",
                proposal.to.build
            );
            Report::new(&json, text, Code::Downloaded.exit())
        }
        Updated::Deferred { proposal, received_bytes, holders } => {
            let mut json = with_proposal(Code::Deferred.as_str(), proposal);
            json["installed"] = json!(installed);
            json["received_bytes"] = json!(received_bytes);
            json["holders"] = json!(holders);
            let mut text = format!("{} is ready and waits: the client is in use, and nothing of it was changed", proposal.to.build);
            for holder in holders {
                text += &format!("\n  {holder}");
            }
            if holders.is_empty() {
                text += "\n  a file is held by a program that cannot be seen";
            }
            text += "\nNext: close the client; `updater update` then applies it, or waits for it with `--in-use wait`";
            Report::new(&json, text, Exit::Deferred)
        }
        Updated::Returned { proposal, returned } => {
            let mut json = with_proposal(Code::Returned.as_str(), proposal);
            json["installed"] = json!(installed);
            json["why"] = json!(returned.why);
            let text = format!(
                "{} did not live: {}\nback at {at}; {0} is not taken again until a newer release comes\nNext: tell its publisher; `updater history` has it all",
                proposal.to.build, returned.why
            );
            Report::new(&json, text, Exit::Returned)
        }
        Updated::Applied { proposal, received_bytes, backup, warnings } => {
            let mut json = with_proposal(done, proposal);
            json["installed"] = json!(installed);
            json["received_bytes"] = json!(received_bytes);
            json["backup"] = json!(backup);
            json["warnings"] = json!(warnings);
            let mut text = format!("{done} {at}: {} files written, {received_bytes} bytes received", proposal.cost.put_files);
            if let Some(backup) = backup {
                text += &format!("; what was here before is in {backup}");
            }
            for path in &proposal.cost.kept_files {
                text += &format!("\nkept your own `{path}`");
            }
            for path in &proposal.cost.merged_files {
                text += &format!("\nyour own `{path}` has what is new");
            }
            for warning in warnings {
                text += &format!("\nwarning: {warning}");
            }
            text += if backup.is_some() {
                "\nNext: start the client; `updater rollback` goes back"
            } else {
                "\nNext: start the client; `updater status` says what is here"
            };
            Report::new(&json, text, Exit::Success)
        }
    }
}

fn with_proposal(result: &str, proposal: &Proposal) -> serde_json::Value {
    json!({ "result": result, "from": proposal.from, "to": proposal.to, "cost": proposal.cost, "may_ignore": proposal.may_ignore, "deadline": proposal.deadline })
}

/// From when on nobody is asked about a release.
pub(crate) fn comes_by_itself(deadline: &Deadline) -> String {
    let when = if deadline.is_over() { "its deadline is over" } else { "from its deadline on" };
    format!("{when} ({}): the next start or scheduled check installs it without a question", deadline.at)
}

/// What a release would change and cost, for people.
pub(crate) fn describe(proposal: &Proposal) -> String {
    let Cost { fetch_bytes, put_files, set_files, removed_files, kept_files, merged_files, takes_backup } = &proposal.cost;
    let from = proposal.from.as_ref().map_or("nothing".to_owned(), |from| from.build.clone());
    let mut text = format!("{from} → {}: {fetch_bytes} bytes to receive, {put_files} files to write", proposal.to.build);
    if *set_files > 0 {
        text += &format!(", {set_files} to re-date");
    }
    if *removed_files > 0 {
        text += &format!(", {removed_files} to remove");
    }
    if *takes_backup {
        text += ", with a backup";
    }
    if let Some(deadline) = &proposal.deadline {
        text += &format!("\n  {}", comes_by_itself(deadline));
    }
    for path in kept_files {
        text += &format!("\n  keeps your own `{path}`");
    }
    for path in merged_files {
        text += &format!("\n  adds what is new to your own `{path}`");
    }
    text
}
