//! What people are told in the language of the run: how a command ended, and above all that it failed.
//!
//! An update that could not be done is said as sites know it (S3-23, S3-24): the fixed sentence, the requirement that failed, the technical detail with its code, what to do, and whether the
//! administrator finds it on record. The language decides the words alone: detail, code, JSON and exit code are the same in all of them (AC-78).

use serde_json::json;
use updater::code::Code;
use updater::deadline::Deadline;
use updater::exit_code::Exit;
use updater::history::{self, Attempt, Outcome};
use updater::outbox;
use updater::pipeline::Error;
use updater::profile;
use updater::text::{Language, Texts};

use super::{Command, Global, Report};

/// What a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// To bring a client to a release.
    Update,
    /// To say what a code means, in the language of the run, or that it is none.
    Explain,
    /// Anything else.
    Other,
}

impl Aim {
    /// The aim of `command`.
    pub(crate) fn of(command: &Command) -> Aim {
        match command {
            Command::Install(_) | Command::Launch(_) | Command::Apply => Aim::Update,
            Command::Update(update) if !update.dry_run => Aim::Update,
            Command::Explain(_) => Aim::Explain,
            _ => Aim::Other,
        }
    }

    /// A report with a failure in the words of this run's language, whoever made it; everything else is in them already.
    pub(crate) fn in_words(self, global: &Global, report: Report) -> Report {
        let texts = global.texts();
        let text = match failure_in(&report.json) {
            _ if self == Aim::Explain => return report,
            Some((code, message)) if self == Aim::Update && report.exit == Exit::Incompatible => of_misfit(texts, code, message),
            // Nobody tried to update anything with a command line that is wrong.
            Some((code, message)) if self == Aim::Update && report.exit != Exit::Usage => {
                of_update(texts, code, message, Record::of(global, code, message))
            }
            Some((code, message)) => [vec![detail(code, message)], cure(texts, code)].concat().join("\n"),
            None => return report,
        };
        Report { text, ..report }
    }
}

/// A failure in one line, for those who find the words themselves.
pub(crate) fn plain(error: &Error) -> Report {
    let (code, message) = (error.code(), error.to_string());
    let json = json!({ "error": { "code": code, "message": message } });
    Report { json, text: detail(code.as_str(), &message), exit: code.exit() }
}

/// What people read of an update that could not be done.
fn of_update(texts: &Texts, code: &str, message: &str, record: Record) -> String {
    let mut lines = vec![texts.get("failure-fixed", &[])];
    lines.extend(texts.explain(code).map(|said| said.title));
    lines.push(detail(code, message));
    lines.extend(cure(texts, code));
    lines.extend(record.text_id().map(|id| texts.get(id, &[])));
    lines.join("\n")
}

/// What people read where the client does not fit its server and was not started: nothing failed, so neither the fixed sentence nor a record.
fn of_misfit(texts: &Texts, code: &str, message: &str) -> String {
    // The detail says it in English already.
    let title = texts.explain(code).map(|said| said.title).filter(|_| texts.language() != Language::English);
    title.into_iter().chain([detail(code, message)]).chain(cure(texts, code)).collect::<Vec<_>>().join("\n")
}

/// That a release can be put off only so long, or no longer.
pub(crate) fn of_deadline(texts: &Texts, deadline: &Deadline) -> String {
    let comes = match deadline.minutes {
        0 => texts.get("deadline-now", &[]),
        minutes => texts.get("deadline-warning", &[("minutes", minutes.into())]),
    };
    format!("{}: {comes}", deadline.build)
}

/// The same while the run goes on without the update.
pub(crate) fn in_passing(texts: &Texts, what: &str, code: &str, why: &str) -> String {
    let mut lines = vec![texts.get("failure-fixed", &[])];
    lines.extend(texts.explain(code).map(|said| said.title));
    lines.push(format!("note: {what}: {why} [{code}]"));
    lines.extend(cure(texts, code));
    lines.join("\n")
}

fn detail(code: &str, message: &str) -> String {
    format!("error: {message} [{code}]")
}

fn cure(texts: &Texts, code: &str) -> Vec<String> {
    let Some(said) = texts.explain(code) else { return vec![] };
    vec![texts.get("failure-to-do", &[("cure", said.cure.into())])]
}

fn failure_in(json: &serde_json::Value) -> Option<(&str, &str)> {
    let error = &json["error"];
    Some((error["code"].as_str()?, error["message"].as_str()?))
}

/// Where the administrator finds a failure. It is read, not believed: a folder that cannot be written has no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Record {
    /// The history ends with it, and a report of it waits for the server.
    Waits,
    /// The history ends with it; the server was told, or is not to be.
    InHistory,
    /// Nowhere that this run can see.
    Nowhere,
    /// There is nothing to find: another updater is at work.
    None,
}

impl Record {
    fn of(global: &Global, code: &str, message: &str) -> Record {
        if code == Code::Busy.as_str() {
            return Record::None;
        }
        let is_code = |attempt: &Attempt| attempt.result == Outcome::Failed && attempt.code.as_deref() == Some(code);
        let Ok(folder) = profile::look(&global.dir, &global.registry()) else { return Record::Nowhere };
        let last = history::read(&folder).ok().and_then(|mut lines| lines.pop());
        if !last.is_some_and(|last| is_code(&last) && last.detail.as_deref() == Some(message)) {
            return Record::Nowhere;
        }
        match outbox::waiting(&folder) {
            Ok(waiting) if waiting.iter().any(|waiting| is_code(&waiting.event.attempt)) => Record::Waits,
            _ => Record::InHistory,
        }
    }

    fn text_id(self) -> Option<&'static str> {
        match self {
            Record::Waits => Some("failure-waits"),
            Record::InHistory => Some("failure-in-history"),
            Record::Nowhere => Some("failure-not-recorded"),
            Record::None => None,
        }
    }
}
