//! What somebody without rights runs in a folder with the profile `service`: the agent is asked to do it, and what it says is shown as if it had been done here.

use updater::agent::AgentError;
use updater::agent::ask::ask;
use updater::agent::message::{Agreed, Answer, Command as Asked, PROTOCOL, Request};
use updater::exit_code::Exit;
use updater::fs::owners;
use updater::history::BuildAt;
use updater::in_use::InUse;
use updater::pipeline::{Consent, Error};
use updater::profile::ProfileError;
use updater::profile::registry::Entry;
use updater::progress::Progress;
use updater::text::Texts;

use super::{Command, Global, Report, ignore, launch, question, schedule};

/// Has the agent carry `command` out; `None` when that is for this process to do.
pub(crate) fn agent(global: &Global, command: &Command, progress: &dyn Progress) -> Result<Option<Report>, Error> {
    if matches!(
        command,
        Command::Agent(_) | Command::SelfUpdate(_) | Command::SelfCheck { .. } | Command::Explain(_) | Command::Completions { .. }
    ) {
        return Ok(None);
    }
    let is_launch = matches!(command, Command::Launch(_));
    let entry = match global.registry().find(&global.dir) {
        // A client starts, whatever happens; where its state is said to be is found out, or said, there.
        Err(ProfileError::Damaged { .. }) if is_launch => return Ok(None),
        entry => entry?,
    };
    let Some(entry) = entry else { return Ok(None) };
    if owners::is_ours(&entry.state) {
        return Ok(None);
    }
    let Some(asked) = asked(command)? else { return Ok(None) };
    let waits = matches!(asked, Asked::Update { .. } | Asked::Apply {} | Asked::Rollback { .. } | Asked::Verify { repair: true });
    if waits && global.in_use != InUse::Defer {
        return Err(AgentError::NotForAll { what: "`--in-use wait`" }.into());
    }
    let answer = match send(global, &entry, asked.clone(), progress) {
        // A client starts, whatever happens.
        Err(error @ Error::Agent(_)) if is_launch => {
            progress.note(&format!("the client is started as it is: {error}"));
            return Ok(None);
        }
        // Looking needs nobody.
        Err(error @ Error::Agent(AgentError::NotRunning { .. })) if matches!(asked, Asked::Status { .. } | Asked::History {}) => {
            progress.note(&error.to_string());
            return Ok(None);
        }
        answer => answer?,
    };
    let answer = match answer_for(global, &answer, &asked) {
        Some(consent) => send(global, &entry, with(asked, consent), progress)?,
        None => answer,
    };
    if is_launch && answer.exit != Exit::Incompatible as u8 {
        if answer.exit != Exit::Success as u8 {
            progress.note(&format!("the client is started as it is: {}", answer.text));
        }
        return Ok(None);
    }
    Ok(Some(report(answer)))
}

/// What the person says to what the agent has found; `None` where there is nothing to be asked, and nobody to ask.
fn answer_for(global: &Global, answer: &Answer, asked: &Asked) -> Option<Agreed> {
    let (Asked::Update { dry_run: false, consent: Agreed::Unasked, .. } | Asked::Launch { consent: Agreed::Unasked, .. }) = asked else {
        return None;
    };
    if matches!(asked, Asked::Update { trigger: Some(trigger), .. } if trigger.is_unattended()) {
        return None;
    }
    let (shown, release) = proposed(global.texts(), answer)?;
    let may_ignore = answer.json["may_ignore"] == true;
    match question::ask(global, &shown, may_ignore, matches!(asked, Asked::Launch { .. })) {
        Consent::Yes => Some(Agreed::To(release)),
        Consent::Ignore => Some(Agreed::Ignore(release)),
        Consent::No => Some(Agreed::No),
        Consent::Nobody | Consent::TwoActs | Consent::NeedsAdmin => None,
    }
}

/// The same request from somebody who has answered.
fn with(asked: Asked, consent: Agreed) -> Asked {
    match asked {
        Asked::Update { dry_run, trigger, .. } => Asked::Update { dry_run, consent, trigger },
        Asked::Launch { environment, server_build, .. } => Asked::Launch { environment, server_build, consent },
        other => other,
    }
}

/// The command as the agent knows it; `None` when it needs nobody.
fn asked(command: &Command) -> Result<Option<Asked>, Error> {
    let not_for_all = |what| Err(AgentError::NotForAll { what }.into());
    Ok(Some(match command {
        Command::Status(status) => Asked::Status { explain: status.explain },
        Command::Check(check) if check.asking.is_plain() => Asked::Check { trigger: check.occasion.said() },
        Command::Update(update) => match update.for_agent() {
            Some((dry_run, consent, trigger)) => Asked::Update { dry_run, consent, trigger },
            None => return not_for_all("what `--from`, `--clock`, `--retry` and `--everything` do"),
        },
        Command::Verify(verify) if verify.from.is_none() => Asked::Verify { repair: verify.repair },
        Command::Rollback(rollback) => {
            Asked::Rollback { to: rollback.to.map(|slot| format!("{:03}", slot.number())), reason: rollback.reason.clone() }
        }
        Command::Launch(launch) => {
            let launch::Moments { environment, server_build } = launch.moments.clone();
            Asked::Launch { environment, server_build, consent: Agreed::Unasked }
        }
        Command::Download(download) if download.asking.is_plain() => Asked::Download { trigger: download.occasion.said() },
        Command::Apply => Asked::Apply {},
        Command::Ignore(ignore) => {
            let ignore::Arguments { build, release, undo } = ignore.clone();
            Asked::Ignore { build, release, undo }
        }
        Command::Unhold => Asked::Unhold {},
        Command::Backups(backups) => Asked::Backups { adopt: backups.adopt },
        Command::History(history) if history.is_plain() => Asked::History {},
        Command::History(_) | Command::Doctor | Command::SupportBundle(_) | Command::PrintFirewall => return Ok(None),
        Command::Settings(settings) => match settings.change() {
            Some((key, value)) => Asked::Settings { key, value },
            None => return Ok(None),
        },
        Command::Schedule(schedule::Command::Status) => return Ok(None),
        Command::Schedule(_) => return not_for_all("`updater schedule`"),
        Command::CreateShortcut(_) => return not_for_all("`updater create-shortcut`"),
        Command::Check(_) | Command::Verify(_) | Command::Download(_) => return not_for_all("`--from` and `--clock`"),
        Command::Install(_) => return not_for_all("`updater install`"),
        Command::Uninstall(_) => return not_for_all("`updater uninstall`"),
        Command::Agent(_) | Command::SelfUpdate(_) | Command::SelfCheck { .. } | Command::Explain(_) | Command::Completions { .. } => {
            return not_for_all("this");
        }
    }))
}

fn send(global: &Global, entry: &Entry, command: Asked, progress: &dyn Progress) -> Result<Answer, Error> {
    let wait_seconds = if matches!(command, Asked::Launch { .. }) { global.wait.max(launch::PATIENCE.as_secs()) } else { global.wait };
    // The registry holds only what is Unicode.
    let dir = entry.dir.to_string_lossy().into_owned();
    let language = Some(global.texts().language().tag().to_owned());
    let request = Request { protocol: PROTOCOL, dir, command, wait_seconds, language };
    Ok(ask(&global.socket, entry, &request, progress)?)
}

/// The release that waits for a person's word, and the question about it.
fn proposed(texts: &Texts, answer: &Answer) -> Option<(String, BuildAt)> {
    if answer.json["result"] != "needs-consent" {
        return None;
    }
    let release = serde_json::from_value(answer.json["to"].clone()).ok()?;
    let question = match (answer.json["client"].as_str(), answer.json["server"].as_str()) {
        (Some(client), Some(server)) => question::replace(texts, client, server),
        // The last line says what comes next where nobody answers.
        _ => question::install(texts, answer.text.rsplit_once('\n')?.0),
    };
    Some((question, release))
}

fn report(answer: Answer) -> Report {
    Report { exit: Exit::from_number(answer.exit), json: answer.json, text: answer.text }
}
