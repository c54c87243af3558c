//! `updater status`.

use clap::Args;
use serde_json::json;
use updater::backup;
use updater::check::{self as checking, CheckError};
use updater::code::Code;
use updater::exit_code::Exit;
use updater::fetch::address::shown;
use updater::installed::InstalledError;
use updater::interference::Verdict;
use updater::pipeline::{Error, Session};
use updater::profile::{self, Profile};
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
        // Whoever may not write here, or has no room to, may still know.
        Err(error) if [Code::NoWriteRight, Code::NoSpace, Code::OthersCanWrite].contains(&error.code()) => {
            if error.code() != Code::NoWriteRight {
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
    let (texts, mut says_next) = (global.texts(), false);
    let is_known = !matches!(session.known(), Err(Error::Installed(_)));
    let channel = station.channel_id().to_string();
    let mut lines = vec![match release {
        Some(release) => {
            let (product, build) = (release.id.product.to_string(), release.id.build.to_string());
            let place = release.place.to_string();
            let arguments = [("product", product.into()), ("build", build.into()), ("place", place.into()), ("channel", channel.into())];
            texts.get("status-installed", &arguments)
        }
        None if is_known => texts.get("status-nothing", &[("channel", channel.into())]),
        None => texts.get("status-lost", &[("channel", channel.into()), ("why", InstalledError::Lost.to_string().into())]),
    }];
    let checked = match &station.checked {
        Some(time) => texts.get("status-known", &[("time", time.to_string().into())]),
        None => texts.get("status-never", &[]),
    };
    let (address, name) = (shown(station.repository.as_str()).to_string(), station.name.to_string());
    lines.push(texts.get("status-from", &[("address", address.into()), ("name", name.into()), ("known", checked.into())]));
    let differing = if is_known { drift.len().to_string() } else { texts.get("status-not-known", &[]) };
    lines.push(texts.get("status-counts", &[("backups", backups.len().into()), ("drift", differing.into())]));
    if let Some(held) = &session.ratchet.hold {
        lines.push(texts.get("status-held", &[("place", held.at.to_string().into())]));
    }
    let profile = profile::of(&session.folder);
    let promise = match profile {
        Profile::User => texts.get("status-promise-user", &[]),
        Profile::Service => texts.get("status-promise-service", &[]),
    };
    let state = session.folder.state_path().display().to_string();
    let filled = [("profile", profile.to_string().into()), ("state", state.into()), ("promise", promise.into())];
    lines.push(texts.get("status-profile", &filled));
    let proof = session.proof()?;
    if release.is_some() && matches!(proof, Todo::Watch(_)) {
        lines.push(texts.get("status-unproved", &[]));
    }
    if let Some(failed) = &session.attempts {
        let (place, code) = (failed.at.to_string(), failed.code.to_string());
        lines.push(texts.get("status-attempts", &[("place", place.into()), ("count", failed.failures.into()), ("code", code.into())]));
    }
    let (others, held_until) = match session.others(&run) {
        Verdict::Alone => (None, None),
        Verdict::Second(evidence) => (Some(evidence), None),
        Verdict::Held(evidence, until) => (Some(evidence), Some(until)),
    };
    if let Some(evidence) = &others {
        let said = format!("{}: {}", Code::SecondUpdater, evidence.cause().and(evidence.cure()).in_words(texts));
        lines.push(texts.get("report-warning", &[("text", said.into())]));
    }
    if let Some(until) = held_until {
        lines.push(texts.get("second-updater-held", &[("until", until.to_string().into())]));
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
                lines.push(texts.get("status-online", &[("roles", online.join(", ").into())]));
            }
            let decision = session.decide(known);
            let (code, reason) = check::summary(&decision);
            json["decision"] = json!(code);
            json["reason"] = json!(reason);
            json["online_roles"] = json!(online);
            json["passed_over"] = json!(decision.passed_over);
            if arguments.explain {
                let checked = check::report(texts, &session, known, &[]);
                says_next = checked.exit == Exit::Available;
                lines.push(checked.text);
            } else {
                lines.extend(known.notices.iter().map(|notice| texts.get("report-warning", &[("text", notice.to_string().into())])));
            }
            json["warnings"] = json!(known.notices.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        Err(error) => {
            lines.push(texts.get("status-not-current", &[("why", error.to_string().into())]));
            json["decision"] = json!("unknown");
            json["reason"] = json!(error.to_string());
        }
    }
    if arguments.explain {
        lines.push(texts.get("status-trusted", &[]));
        for (name, file) in &trusted {
            let version = file.version.map_or(String::new(), |version| format!(" version {version}"));
            let expires = file.expires.map_or(String::new(), |expires| format!(", expires {expires}"));
            lines.push(format!("  {name}{version}: sha256 {}{expires}", file.sha256));
        }
    }
    if !says_next {
        lines.push(if is_known { texts.get("status-next-check", &[]) } else { texts.get("report-next-update", &[]) });
    }
    Ok(Report::new(&json, lines.join("\n"), Exit::Success))
}
