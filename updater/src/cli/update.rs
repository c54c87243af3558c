//! `updater update`.

use std::io::{BufRead as _, IsTerminal as _};

use clap::Args;
use serde_json::json;
use updater::agent::message::Agreed;
use updater::code::Code;
use updater::exit_code::Exit;
use updater::pipeline::{Consent, Cost, Error, Proposal, Run, SCHEDULED, Session, Updated};
use updater::progress::Progress;
use updater::text::Texts;

use super::check::Asking;
use super::{Global, Report, context, output};

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
    /// For timers: leave a release that has just failed for later.
    #[arg(long, conflicts_with = "retry")]
    scheduled: bool,
    #[command(flatten)]
    pub(crate) asking: Asking,
    /// What somebody answered who asked the agent.
    #[arg(skip)]
    agreed: Option<Agreed>,
}

impl Arguments {
    /// As somebody asked the agent for it.
    pub(crate) fn asked(dry_run: bool, agreed: Agreed) -> Arguments {
        Arguments {
            yes: false,
            dry_run,
            retry: false,
            everything: false,
            scheduled: false,
            asking: Asking::default(),
            agreed: Some(agreed),
        }
    }

    /// As it is asked of the agent: whether it is a dry run, and whether the person has agreed. `None` with options that the agent does not know.
    pub(crate) fn for_agent(&self) -> Option<(bool, Agreed)> {
        let agreed = if self.yes { Agreed::Yes } else { Agreed::Unasked };
        let is_plain = self.asking.is_plain() && !self.retry && !self.everything && !self.scheduled;
        is_plain.then_some((self.dry_run, agreed))
    }
}

pub(crate) fn run(global: &Global, arguments: Arguments, progress: &dyn Progress) -> Result<Report, Error> {
    let run = Run { everything: arguments.everything, ..arguments.asking.begin(global, progress)? };
    let mut session = Session::open(&global.dir, "update", &run)?;
    let consent = |proposal: &Proposal| match &arguments.agreed {
        Some(Agreed::Unasked) => Consent::Nobody,
        Some(Agreed::No) => Consent::No,
        // Another release came meanwhile: the person has not been shown that one.
        Some(Agreed::To(shown)) if *shown != proposal.to => Consent::Nobody,
        Some(Agreed::Yes | Agreed::To(_)) => Consent::Yes,
        None if arguments.yes => Consent::Yes,
        None => ask(global.texts(), &describe(proposal)),
    };
    if arguments.retry && !arguments.dry_run {
        session.retry()?;
    }
    let trigger = if arguments.scheduled { SCHEDULED } else { "update" };
    let updated = context::block_on(session.update(trigger, &run, arguments.dry_run, consent))?;
    Ok(report(&session, &updated, "updated"))
}

/// Asks on the terminal, where there is one (D-01: without a setting, a person is asked).
pub(crate) fn ask(texts: &Texts, proposal: &str) -> Consent {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Consent::Nobody;
    }
    let (question, keys) = (texts.get("consent-question", &[]), texts.get("consent-keys", &[]));
    output::err(&format_args!("{proposal}\n{question} {keys}"));
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(_) if is_yes(texts, &answer) => Consent::Yes,
        _ => Consent::No,
    }
}

/// Whether an answer means yes: in the language of the question or in English, which every keyboard can write.
fn is_yes(texts: &Texts, answer: &str) -> bool {
    let answer = answer.trim().to_lowercase();
    texts.get("consent-words", &[]).split(' ').chain(["y", "yes"]).any(|word| word == answer)
}

/// What an update did, for scripts and people.
pub(crate) fn report(session: &Session, updated: &Updated, done: &str) -> Report {
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
            let why = if *consent == Consent::No { Code::Declined } else { Code::NeedsConsent };
            let text = format!("{}\nNothing was changed. Next: `updater update --yes`", describe(proposal));
            Report::new(&with_proposal(why.as_str(), proposal), text, Exit::Available)
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
    json!({ "result": result, "from": proposal.from, "to": proposal.to, "cost": proposal.cost })
}

fn describe(proposal: &Proposal) -> String {
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
    for path in kept_files {
        text += &format!("\n  keeps your own `{path}`");
    }
    for path in merged_files {
        text += &format!("\n  adds what is new to your own `{path}`");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use updater::text::Language;

    #[test]
    fn yes_is_said_in_the_language_of_the_question_or_in_english() {
        let is_yes = |language, answer| is_yes(Texts::of(language), answer);
        for (language, yes) in [
            (Language::English, "Yes\n"),
            (Language::Portuguese, "S\n"),
            (Language::Portuguese, "sim"),
            (Language::Russian, "Да\n"),
            (Language::Chinese, "是\n"),
        ] {
            assert!(is_yes(language, yes), "{yes}");
            assert!(is_yes(language, "y\n"), "a keyboard that has no other letters");
            assert!(["", "\n", "n", "não", "нет", "否", "yes please"].iter().all(|no| !is_yes(language, no)));
        }
        assert!(!is_yes(Language::English, "sim"));
    }
}
