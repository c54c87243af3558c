//! `updater doctor`: gathers the facts that [`updater::doctor`] judges. Changes nothing.

use serde_json::json;
use updater::backup::{self, BackupError};
use updater::doctor::{Facts, Fault, Finding, Looked, Rights, Server, Verdict, examine};
use updater::exit_code::Exit;
use updater::fetch::http::HttpSource;
use updater::firewall::{self, Purpose};
use updater::fs::{LocalPath, owners};
use updater::pipeline::{Error, Run, Session};
use updater::profile::{self, Profile};
use updater::progress::Progress;
use updater::scan::Depth;
use updater::schedule::Schedule;
use updater::schedule::register::is_registered;
use updater::trusted;

use super::{Global, Report, context};

pub(crate) fn run(global: &Global, progress: &dyn Progress) -> Result<Report, Error> {
    let found = findings(global, progress)?;
    let texts = global.texts();
    let lines = found.iter().map(|Finding { check, verdict, cause, cure }| {
        let verdict = match verdict {
            Verdict::Good => texts.get("verdict-good", &[]),
            Verdict::Warning => texts.get("verdict-warning", &[]),
            Verdict::Bad => texts.get("verdict-bad", &[]),
        };
        let cure = cure.as_ref().map_or(String::new(), |cure| format!("\n{:26}→ {}", "", cure.in_words(texts)));
        format!("{check:<16} {verdict:<8} {}{cure}", cause.in_words(texts))
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let is_bad = found.iter().any(|finding| finding.verdict == Verdict::Bad);
    Ok(Report::new(&json!({ "checks": found }), text, if is_bad { Exit::Damaged } else { Exit::Success }))
}

/// Every check of this station.
pub(crate) fn findings(global: &Global, progress: &dyn Progress) -> Result<Vec<Finding>, Error> {
    let run = context::begin_asking(global, None, progress)?;
    let facts = match Session::look(&global.dir, &run) {
        Err(Error::NotInstalled) => return Err(Error::NotInstalled),
        Err(error) => Facts { now: Looked::Found(run.now), state: Some(error.to_string()), ..Facts::default() },
        Ok(session) => gather(global, &session, &run),
    };
    Ok(examine(&facts))
}

fn gather(global: &Global, session: &Session, run: &Run<'_>) -> Facts {
    let files = session.installed.iter().flat_map(|installed| &installed.files);
    let paths: Vec<LocalPath> = files.clone().map(|file| (&file.path).into()).collect();
    // Who works through an agent needs no rights.
    let asks_agent = profile::of(&session.folder) == Profile::Service && !owners::is_ours(&session.folder.state_path());
    // As an update opens it: whatever others could have changed is not believed.
    let opened = profile::open(&global.dir, &run.registry);
    let guarded = opened.as_ref().ok().filter(|_| !asks_agent).unwrap_or(&session.folder);
    let backups = backup::check_slots(guarded);
    let rights = match &opened {
        _ if asks_agent => Looked::Found(Rights::Agents),
        Ok(folder) => folder.obstacles(&paths).map(|found| Rights::Own(found.iter().map(ToString::to_string).collect())).into(),
        Err(error) => Looked::Found(Rights::Own(vec![error.to_string()])),
    };
    let size = files.map(|file| file.size).sum();
    let proxy = firewall::destinations(&session.station.repository, None).into_iter().find(|found| found.purpose == Purpose::Proxy);
    Facts {
        now: Looked::Found(run.now),
        state: None,
        refusal: session.may_accept_new().and_then(|()| session.proof().map(drop)).err().map(|error| fault(&error)),
        rights,
        space: session.folder.space().map(|space| (space, size)).into(),
        backups: match backups {
            Err(error @ BackupError::Refused(_)) => Looked::Found(Some(fault(&error.into()))),
            looked => looked.map(|()| None).into(),
        },
        signed: session.ratchet.signed.map(|floor| floor.at),
        proxy: Looked::Found(proxy.map(|proxy| format!("{}:{}", proxy.host, proxy.port))),
        server: Looked::Found(ask(session, run)),
        expires: trusted::trusted(&session.folder, &session.station, session.installed.as_ref())
            .map(|all| all.into_iter().filter_map(|(role, file)| Some((role, file.expires?))).collect())
            .into(),
        schedule: Schedule::load(&session.folder)
            .map(|schedule| {
                schedule.task.map(|task| {
                    let is_known = is_registered(&task);
                    (task.name, is_known)
                })
            })
            .into(),
        drift: session.drift(Depth::Fast, run).map(|drift| drift.len()).into(),
        others: Looked::Found(session.others(run)),
        agent: Looked::Found((profile::of(&session.folder) == Profile::Service).then(|| is_listening(global))),
    }
}

fn fault(error: &Error) -> Fault {
    Fault { code: error.code(), why: error.to_string() }
}

/// Asks the server for the document with which every check begins.
fn ask(session: &Session, run: &Run<'_>) -> Server {
    let asked = context::block_on(async {
        let source = HttpSource::with(session.station.repository.clone(), &run.routes.network)?;
        Ok(source.time("metadata/timestamp.json").await?)
    });
    match asked {
        Ok(time) => Server::Answered(time),
        Err(error) => Server::Failed { code: error.code().to_string(), why: error.to_string() },
    }
}

#[cfg(unix)]
fn is_listening(global: &Global) -> bool {
    std::os::unix::net::UnixStream::connect(&global.socket).is_ok()
}

#[cfg(windows)]
fn is_listening(global: &Global) -> bool {
    global.socket.exists()
}
