//! Starts the client as a start menu would, and looks after what belongs to a start: a swap that was cut off, a release that waits for the last client to close, a build that has to show that
//! it lives (AC-44, AC-46).
//!
//! The client starts, whatever happens: when another updater is at work, or this account may not write the folder, it is started as it is. The entry point goes out first and comes in last
//! in every swap, so a client that can be started is whole. The folder stays locked until the client runs, and not longer: whoever comes then sees it run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use manifests::digest::Digest;

use super::{Error, Run, Session, Start, Updated};
use crate::fs::Requirement;
use crate::in_use::{self, Watched};
use crate::launch::{Client, End, watch};
use crate::lock::Lock;
use crate::probe;
use crate::profile;
use crate::proof::{Proofs, Todo};

/// How long the end of a watched client, or that it lives, waits to be written down while another updater is at work.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client that is ready to be started.
struct Ready {
    program: PathBuf,
    /// The digest of the manifest of what is installed.
    manifest: Digest,
    /// How long it has to live to be proved, when it is not.
    needed: Option<Duration>,
    /// Holds the folder until the client runs.
    session: Session,
}

/// Starts the client of the install folder `dir` with `arguments` and waits for its end. When it was unproved and has died early for the second time, the build before it comes back, and is
/// started in its place.
pub async fn launch(dir: &Path, arguments: &[OsString], start: &Start<'_>, run: &Run<'_>) -> Result<End, Error> {
    let mut died: Option<(Digest, End)> = None;
    loop {
        let ready = make_ready(dir, start, run).await?;
        let Ready { program, manifest, needed, session } = ready;
        if let Some((dead, end)) = died
            && dead == manifest
        {
            // Nothing came back; starting it once more would only kill it once more.
            return Ok(end);
        }
        let started = Client::start(Command::new(&program).args(arguments));
        drop(session);
        let (end, is_passing) = match (started, needed) {
            (Err(source), _) => {
                run.progress.note(&format!("`{}` cannot be started: {source}", program.display()));
                (End::NotStarted(source.to_string()), probe::is_passing(&source))
            }
            (Ok(mut client), None) => return Ok(client.end().await),
            (Ok(mut client), Some(needed)) => match watch(client.end(), needed).await {
                Some(end) => (end, false),
                None => {
                    note_down(dir, run, |proofs| proofs.prove(&manifest));
                    return Ok(client.end().await);
                }
            },
        };
        if needed.is_none() || is_passing || !end.is_death() || others_run(dir, run) {
            return Ok(end);
        }
        let mut has_failed = false;
        note_down(dir, run, |proofs| {
            proofs.died(&manifest, &end.to_string());
            has_failed = matches!(proofs.todo(&manifest), Todo::Return(_));
        });
        if !has_failed {
            run.progress
                .note(&format!("the new build ended {end} soon after its start; when that happens again, the build before it comes back"));
            return Ok(end);
        }
        died = Some((manifest, end));
    }
}

/// All of a start in the install folder `dir` but the client itself: for somebody who then starts it with an account of his own.
pub async fn ready(dir: &Path, start: &Start<'_>, run: &Run<'_>) -> Result<(Session, Option<Updated>), Error> {
    let mut session = Session::open(dir, "launch", run)?;
    let taken = session.take_up(run).await?;
    let updated = session.two_moments(start, run).await?;
    Ok((session, updated.or(taken)))
}

async fn make_ready(dir: &Path, start: &Start<'_>, run: &Run<'_>) -> Result<Ready, Error> {
    let (session, needed) = match Session::open(dir, "launch", run) {
        Ok(mut session) => {
            match session.take_up(run).await {
                Ok(Some(Updated::Returned { returned, .. })) => {
                    run.progress.note(&format!("what was ready did not live: {}", returned.why))
                }
                Ok(_) => {}
                Err(error) => run.progress.failed("what is ready could not be applied", error.code(), &error.to_string()),
            }
            if let Some(Updated::Returned { returned, .. }) = session.two_moments(start, run).await? {
                run.progress.note(&format!("the new build did not live: {}", returned.why));
            }
            let needed = match session.proof() {
                Ok(Todo::Watch(needed)) => Some(needed),
                _ => None,
            };
            (session, needed)
        }
        // A tree that is neither old nor new is not started.
        Err(error @ (Error::Recovery(_) | Error::NotInstalled)) => return Err(error),
        // Somebody else's agent looks after this folder, and has been asked to.
        Err(error) if error.code() == Requirement::WriteRight.code() && run.registry.find(dir)?.is_some() => (look(dir, start, run)?, None),
        Err(error) => {
            run.progress.note(&format!("the client is started as it is: {error}"));
            (look(dir, start, run)?, None)
        }
    };
    let release = session.installed.as_ref().map(|installed| &installed.release).ok_or(Error::NotInstalled)?;
    let entry_point = release.entry_point.as_ref().ok_or_else(|| Error::NoEntryPoint { build: release.id.build.text().to_owned() })?;
    let folder = session.folder.path();
    let program = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()).join(entry_point.as_str());
    Ok(Ready { program, manifest: release.manifest, needed, session })
}

/// Opens the folder to start what is there; not a client that does not fit its server as far as is known.
fn look(dir: &Path, start: &Start<'_>, run: &Run<'_>) -> Result<Session, Error> {
    let mut session = Session::look(dir, run)?;
    if let Some(build) = start.server_build {
        session.talk_to(build)?;
    }
    session.refuse_misfit()?;
    Ok(session)
}

/// Whether another program of the client runs: then the death of one says nothing of the build. A second instance that sees the first may end with any code.
fn others_run(dir: &Path, run: &Run<'_>) -> bool {
    let Ok(session) = Session::look(dir, run) else { return false };
    in_use::look(&session.folder, &Watched { replaced: vec![], programs: session.programs() })
        .is_ok_and(|looked| !looked.holders.is_empty())
}

/// Writes down what became of an unproved build. Where that cannot be, the next start finds it as it was.
fn note_down(dir: &Path, run: &Run<'_>, change: impl FnOnce(&mut Proofs)) {
    let noted = || -> Result<(), Error> {
        let folder = profile::open(dir, &run.registry)?;
        let _lock = Lock::acquire_within(&folder, "launch", PATIENCE)?;
        let mut proofs = Proofs::load(&folder)?;
        change(&mut proofs);
        Ok(proofs.save(&folder)?)
    };
    if let Err(error) = noted() {
        run.progress.note(&format!("what became of the new build could not be written down: {error}"));
    }
}
