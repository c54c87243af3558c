//! `updater status`.

use clap::Args;
use serde_json::json;
use updater::backup;
use updater::check::{self as checking, CheckError};
use updater::code::Code;
use updater::exit_code::Exit;
use updater::fetch::address::shown;
use updater::fs::Requirement;
use updater::installed::InstalledError;
use updater::interference::Verdict;
use updater::pipeline::{Error, Session};
use updater::profile;
use updater::progress::Progress;
use updater::proof::Todo;
use updater::scan::Depth;
use updater::trusted;

use super::{Global, Report, check, context};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Say why each newer release is or is not for this station.
    #[arg(long)]
    pub(crate) explain: bool,
}

pub(crate) fn run(global: &Global, arguments: Arguments, progress: &dyn Progress) -> Result<Report, Error> {
    let run = context::begin(global, progress);
    let mut session = match Session::open(&global.dir, "status", &run) {
        // Whoever may not write here may still know.
        Err(error) if error.code() == Requirement::WriteRight.code() || error.code() == Code::OthersCanWrite => {
            if error.code() == Code::OthersCanWrite {
                progress.note(&error.to_string());
            }
            progress.note("nothing can be written here, so what an earlier run left unfinished stays so");
            Session::look(&global.dir, &run)?
        }
        opened => opened?,
    };
    let known = context::block_on(async { Ok(checking::known(&session.folder, &session.station, &mut session.ratchet, run.now).await) })?;
    let drift = session.drift(Depth::Fast, &run)?;
    let backups = backup::backups(&session.folder)?;
    let trusted = trusted::trusted(&session.folder, &session.station, session.installed.as_ref()).map_err(CheckError::from)?;
    let station = &session.station;
    let release = session.installed.as_ref().map(|installed| &installed.release);
    let is_known = !matches!(session.known(), Err(Error::Installed(_)));
    let mut text = match release {
        Some(release) => {
            format!("{} {} (release {}), following {}", release.id.product, release.id.build, release.place, station.channel_id())
        }
        None if is_known => format!("nothing is installed yet, following {}", station.channel_id()),
        None => format!("{} is installed, but {}", station.channel_id(), InstalledError::Lost),
    };
    text += &format!("\nfrom {} (`{}`), {}", shown(station.repository.as_str()), station.name, as_of(station.checked.as_ref()));
    let differing = if is_known { drift.len().to_string() } else { "not known".to_owned() };
    text += &format!("\nbackups: {}; files not as installed: {differing}", backups.len());
    if let Some(held) = &session.ratchet.hold {
        text += &format!("\nrelease {} is held: a rollback left it (`updater unhold` offers it again)", held.at);
    }
    let profile = profile::of(&session.folder);
    text += &format!("\nprofile: {profile}, state in {}; {}", session.folder.state_path().display(), profile.promise());
    let proof = session.proof()?;
    if release.is_some() && matches!(proof, Todo::Watch(_)) {
        text += "\nit has not shown yet that it lives: `updater launch` watches a start";
    }
    if let Some(failed) = &session.attempts {
        text += &format!("\nrelease {} could not be applied {} times in a row (`{}`)", failed.at, failed.failures, failed.code);
    }
    let (others, held_until) = match session.others(&run) {
        Verdict::Alone => (None, None),
        Verdict::Second(evidence) => (Some(evidence), None),
        Verdict::Held(evidence, until) => (Some(evidence), Some(until)),
    };
    if let Some(evidence) = &others {
        text += &format!("\nwarning: {}: {evidence}", Code::SecondUpdater);
    }
    if let Some(until) = held_until {
        text += &format!("\nwhat it changes is not put back before {until} (`updater update --retry` does)");
    }
    let others = others.map(|evidence| json!({ "code": Code::SecondUpdater, "evidence": evidence, "held_until": held_until }));
    let proof = match proof {
        Todo::Nothing => "proved",
        Todo::Probe(_) | Todo::Watch(_) => "unproved",
        Todo::Return(_) => "failed",
    };
    let mut json = json!({
        "proof": proof,
        "attempts": session.attempts,
        "second_updater": others,
        "profile": profile,
        "state": session.folder.state_path().to_string_lossy(),
        "product": station.product,
        "following": station.channel_id().target_path(),
        "repository": shown(station.repository.as_str()),
        "installed": release.map(|release| json!({ "build": release.id.build.text(), "sequence": release.place.1, "epoch": release.place.0 })),
        "known_as_of": station.checked,
        "hold": session.ratchet.hold.map(|held| held.at),
        "backups": backups.len(),
        "drift": is_known.then_some(drift),
        "trusted": trusted,
    });
    match &known {
        Ok(known) => {
            let online: Vec<&str> = known.policy.online_roles().collect();
            if !online.is_empty() {
                text += &format!("\ntrust: the keys of {} lie on the machine that serves; whoever owns it can sign", online.join(", "));
            }
            let decision = session.decide(known);
            let (code, reason) = check::summary(&decision);
            json["decision"] = json!(code);
            json["reason"] = json!(reason);
            json["online_roles"] = json!(online);
            json["passed_over"] = json!(decision.passed_over);
            if arguments.explain {
                text += &format!("\n{}", check::report(&session, known, &[]).text);
            } else {
                known.notices.iter().for_each(|notice| text += &format!("\nwarning: {notice}"));
            }
            json["warnings"] = json!(known.notices.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        Err(error) => {
            text += &format!("\nwhat is known is not current: {error}");
            json["decision"] = json!("unknown");
            json["reason"] = json!(error.to_string());
        }
    }
    if arguments.explain {
        text += "\ntrusted, to be compared with other stations:";
        for (name, file) in &trusted {
            let version = file.version.map_or(String::new(), |version| format!(" version {version}"));
            let expires = file.expires.map_or(String::new(), |expires| format!(", expires {expires}"));
            text += &format!("\n  {name}{version}: sha256 {}{expires}", file.sha256);
        }
    }
    if !text.contains("\nNext: ") {
        text += if is_known { "\nNext: `updater check` asks what is new" } else { "\nNext: `updater update`" };
    }
    Ok(Report::new(&json, text, Exit::Success))
}

fn as_of(checked: Option<&manifests::time::UtcTime>) -> String {
    checked.map_or("never checked".to_owned(), |time| format!("known as of {time}"))
}
