//! Starts the client as a start menu would, and looks after what belongs to a start: a swap that was cut off, a release that waits for the last client to close, a build that has to show that
//! it lives (AC-44, AC-46).
//!
//! The client starts, whatever happens: when another updater is at work, when this account may not write the folder, or when records of the updater are gone or damaged, it is started as it is.
//! The entry point goes out first and comes in last in every swap, so a client that can be started is whole. The folder stays locked until the client runs, and not longer: whoever comes then sees it run.

use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Command;
use std::time::{Duration, Instant};

use manifests::digest::Digest;
use manifests::path::RelPath;
use tokio::time::timeout;

use super::deadline::warn_meanwhile;
use super::reports::tell_meanwhile;
use super::{Error, Run, Session, Start, Updated, entry_point};
use crate::code::Code;
use crate::fs::{Folder, Requirement};
use crate::in_use::{self, Watched};
use crate::installed::InstalledFile;
use crate::launch::{Client, End, watch};
use crate::lock::Lock;
use crate::probe;
use crate::profile;
use crate::progress::Silent;
use crate::proof::{Proofs, Todo};
use crate::scan::{self, Depth, DriftKind};
use crate::swap::RecoveryError;
use crate::trigger::Trigger;

/// How long the end of a watched client, or that it lives, waits to be written down while another updater is at work.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a client that has ended lets the server be told of its start.
const TELLING: Duration = Duration::from_secs(3);

/// A client that is ready to be started.
struct Ready {
    program: PathBuf,
    /// The digest of the manifest of what is installed, when that is known.
    manifest: Option<Digest>,
    /// How long it has to live to be proved, when it is not.
    needed: Option<Duration>,
    /// Holds the folder until the client runs; `None` when its records cannot be read.
    session: Option<Session>,
}

/// Starts the client of the install folder `dir` with `arguments` and waits for its end. When it was unproved and has died early for the second time, the build before it comes back, and is
/// started in its place.
pub async fn launch(dir: &Path, arguments: &[OsString], start: &Start<'_>, run: &Run<'_>) -> Result<End, Error> {
    let begun = Instant::now();
    let mut died: Option<(Digest, End)> = None;
    loop {
        let ready = make_ready(dir, start, run).await?;
        let Ready { program, manifest, needed, session } = ready;
        if let Some((dead, end)) = died
            && manifest.is_none_or(|manifest| manifest == dead)
        {
            // Nothing came back; starting it once more would only kill it once more.
            return Ok(end);
        }
        let started = Client::start(Command::new(&program).args(arguments));
        let tells = session.as_ref().is_some_and(|session| session.has_reached);
        drop(session);
        let unproved = manifest.zip(needed);
        let (manifest, end, is_passing) = match (started, unproved) {
            (Err(source), unproved) => {
                run.progress.note(&format!("`{}` cannot be started: {source}", program.display()));
                let end = End::NotStarted(source.to_string());
                let is_fault = note_fault(dir, source.kind() == std::io::ErrorKind::PermissionDenied, run);
                match unproved {
                    Some((manifest, _)) if !is_fault => (manifest, end, probe::is_passing(&source)),
                    _ => return Ok(end),
                }
            }
            (Ok(mut client), None) => return Ok(beside(client.end(), dir, run, begun, tells).await),
            (Ok(mut client), Some((manifest, needed))) => match beside(watch(client.end(), needed), dir, run, begun, tells).await {
                Some(end) => (manifest, end, false),
                None => {
                    note_down(dir, run, |proofs| proofs.prove(&manifest));
                    return Ok(beside(client.end(), dir, run, begun, false).await);
                }
            },
        };
        if is_passing || !end.is_death() || others_run(dir, run) {
            return Ok(end);
        }
        // Not when it could not be started: then that was asked above.
        if !matches!(end, End::NotStarted(_)) && note_fault(dir, false, run) {
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

/// Waits for `end`; meanwhile warns whoever uses the client of a deadline that comes near, and tells the server what came of this start where it was reached. That never holds the start up, and
/// its end only for as long as [`TELLING`].
async fn beside<T>(end: impl Future<Output = T>, dir: &Path, run: &Run<'_>, begun: Instant, tells: bool) -> T {
    let warned = async {
        tokio::select! {
            end = end => end,
            never = warn_meanwhile(dir, run, begun) => match never {},
        }
    };
    if !tells {
        return warned.await;
    }
    let (mut warned, mut told) = (pin!(warned), pin!(tell_meanwhile(dir, run)));
    tokio::select! {
        end = &mut warned => {
            // Whether it was told in time is for the next run.
            let _ = timeout(TELLING, told).await;
            end
        }
        () = &mut told => warned.await,
    }
}

/// All of a start in the install folder `dir` but the client itself: for somebody who then starts it with an account of his own.
pub async fn ready(dir: &Path, start: &Start<'_>, run: &Run<'_>) -> Result<(Session, Option<Updated>), Error> {
    let mut session = Session::open_to_ask(dir, Trigger::Launch, run)?;
    let taken = session.take_up(run).await?;
    let updated = session.two_moments(start, run).await?;
    Ok((session, updated.or(taken)))
}

async fn make_ready(dir: &Path, start: &Start<'_>, run: &Run<'_>) -> Result<Ready, Error> {
    let (session, needed) = match Session::open_to_ask(dir, Trigger::Launch, run) {
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
        // A tree that is neither old nor new is not started. Nothing can be said of a swap whose journal cannot be read; whether it left the tree whole can be seen.
        Err(Error::NotInstalled) => return Err(Error::NotInstalled),
        Err(error @ Error::Recovery(_)) if !(is_unreadable(&error) && is_whole(dir, run)) => return Err(error),
        Err(error) => {
            let what = "the client is started as it is";
            match error.code() {
                code if matches!(error, Error::Recovery(_)) || code == Code::DamagedState => {
                    run.progress.failed(what, code, &error.to_string())
                }
                // Somebody else's agent looks after this folder, and has been asked to.
                code if code == Requirement::WriteRight.code() && run.registry.find(dir).is_ok_and(|entry| entry.is_some()) => {}
                _ => run.progress.note(&format!("{what}: {error}")),
            }
            match look(dir, start, run) {
                Ok(session) => (session, None),
                Err(misfit @ (Error::Incompatible(_) | Error::Build(_))) => return Err(misfit),
                Err(error) => return as_it_is(&profile::look(dir, &run.registry)?, error),
            }
        }
    };
    let Some(release) = session.installed.as_ref().map(|installed| &installed.release) else {
        let unknown = session.known().err().unwrap_or(Error::NotInstalled);
        run.progress.note(&unknown.to_string());
        let ready = as_it_is(&session.folder, unknown)?;
        return Ok(Ready { session: Some(session), ..ready });
    };
    let entry_point = release.entry_point.as_ref().ok_or_else(|| Error::NoEntryPoint { build: release.id.build.text().to_owned() })?;
    let program = program(&session.folder, entry_point);
    Ok(Ready { program, manifest: Some(release.manifest), needed, session: Some(session) })
}

/// The client of `folder`, of whose release nothing is known but what starts it; `otherwise` when not even that is.
fn as_it_is(folder: &Folder, otherwise: Error) -> Result<Ready, Error> {
    let entry_point = entry_point::entry_point(folder).ok_or(otherwise)?;
    Ok(Ready { program: program(folder, &entry_point), manifest: None, needed: None, session: None })
}

fn program(folder: &Folder, entry_point: &RelPath) -> PathBuf {
    let dir = folder.path();
    std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()).join(entry_point.as_str())
}

/// Whether the journal itself is what kept a swap from being finished or undone.
fn is_unreadable(error: &Error) -> bool {
    matches!(error, Error::Recovery(RecoveryError::Journal(_) | RecoveryError::Fs(_)))
}

fn is_whole(dir: &Path, run: &Run<'_>) -> bool {
    profile::look(dir, &run.registry).is_ok_and(|folder| entry_point::is_whole(&folder))
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

/// Whether something is wrong here and not with the build, which then is not blamed: a file that is not as it was installed, or a place where the system `refuses` to run what is. Says so.
fn note_fault(dir: &Path, refuses: bool, run: &Run<'_>) -> bool {
    let Ok(session) = Session::look(dir, run) else { return false };
    let Some(installed) = &session.installed else { return false };
    let Ok(mut drift) = scan::drift(&session.folder, installed, Depth::Fast, &Silent) else { return false };
    drift.retain(|drift| drift.what != DriftKind::Time);
    let can_run = || installed.release.entry_point.as_ref().and_then(|path| installed.file(path)).is_some_and(InstalledFile::can_run);
    let fault = match drift.first() {
        Some(first) => {
            let others = drift.len() - 1;
            let more = if others > 0 { format!(" and {others} more are") } else { " is".to_owned() };
            format!("`{}`{more} not as installed: `updater verify --repair` puts that back", first.path)
        }
        None if refuses && can_run() => probe::RUNS_NOTHING.to_owned(),
        None => return false,
    };
    run.progress.note(&format!("that says nothing of the build: {fault}"));
    true
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
