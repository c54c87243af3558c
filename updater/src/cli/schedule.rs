//! `updater schedule …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use updater::exit_code::Exit;
use updater::fs::Folder;
use updater::fs::owners::{self, Owners};
use updater::pipeline::{Consent, Error, Run, Session, Word};
use updater::profile;
use updater::progress::Progress;
use updater::schedule::due::{self, Due};
use updater::schedule::register::{is_registered, usual_kind};
use updater::schedule::{self, Kind, Made, Places, Registration, Schedule, ScheduleError, Scope, Task};
use updater::settings::{ConsentPolicy, Interval, Settings};
use updater::text::Texts;
use updater::trigger::Trigger;

use super::check::Asking;
use super::occasion::Occasion;
use super::update::Done;
use super::{Global, Report, check, context, itself, self_first, update};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Let the system's timer check for updates; again, it is the same one task.
    Install(Install),
    /// Take the task away.
    Remove,
    /// Say which task there is, and when it checks next.
    Status,
    /// What the task runs: check when this period has not been checked yet, and update where the consent is `auto-compatible`, or a deadline is over.
    Run {
        /// Check at once, also when this period has had its check; the schedule stays as it is.
        #[arg(long)]
        now: bool,
    },
}

#[derive(Args)]
pub(crate) struct Install {
    /// How often: between 1m and 30d; stored as the setting `check_every`. Without it what is set, or 4h.
    #[arg(long, value_name = "INTERVAL")]
    every: Option<Interval>,
    /// Which timer: the one that this system has, unless it is named.
    #[arg(long, value_enum)]
    kind: Option<KindName>,
    /// A task of the account that runs this.
    #[arg(long, conflicts_with = "system")]
    user: bool,
    /// A task of the computer, which runs as root; what root installs is one.
    #[arg(long)]
    system: bool,
    /// Call the task so, such as SmartsUpdate, where people look for it under that name.
    #[arg(long, value_name = "NAME")]
    alias: Option<String>,
    /// Only write the files, into this folder, and register nothing: for whoever hands them out.
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

impl Command {
    /// What most stations want.
    pub(crate) fn usual() -> Command {
        Command::Install(Install { every: None, kind: None, user: false, system: false, alias: None, into: None })
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum KindName {
    Systemd,
    Cron,
    Task,
    Launchd,
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Kind {
        match name {
            KindName::Systemd => Kind::Systemd,
            KindName::Cron => Kind::Cron,
            KindName::Task => Kind::Task,
            KindName::Launchd => Kind::Launchd,
        }
    }
}

pub(crate) fn run(global: &Global, command: Command, progress: &dyn Progress) -> Result<Report, Error> {
    match command {
        Command::Install(wanted) => install(global, wanted, progress),
        Command::Remove => remove(global, progress),
        Command::Status => status(global),
        Command::Run { now } => run_due(global, now, progress),
    }
}

fn install(global: &Global, wanted: Install, progress: &dyn Progress) -> Result<Report, Error> {
    let session = Session::open(&global.dir, "schedule", &context::begin(global, progress))?;
    let settings = match wanted.every {
        Some(every) => Settings::change(&session.folder, "check_every", Some(&every.to_string()))?,
        None => Settings::load(&session.folder)?,
    };
    let dir = owners::canonical(&global.dir)?;
    let scope = if wanted.system || (!wanted.user && Owners::here().are_root_alone()) { Scope::System } else { Scope::User };
    let kind = wanted.kind.map_or_else(usual_kind, Kind::from);
    let registers = wanted.into.is_none();
    let place = match wanted.into {
        Some(into) => Some(itself::absolute(&into)?),
        None => Places::here(itself::absolute(&session.folder.state_path())?).of(kind, scope),
    };
    if place.is_none() && (kind, scope) != (Kind::Cron, Scope::User) {
        return Err(ScheduleError::NoPlace { kind, scope }.into());
    }
    let task = Task {
        name: wanted.alias.unwrap_or_else(|| schedule::name_of(&dir)),
        folder: itself::unicode(&dir)?,
        program: itself::program()?,
        arguments: itself::words(&["schedule", "run"], global, &dir, profile::of(&session.folder))?,
        every: settings.check_every,
        phase: schedule::phase_of(&dir, settings.check_every),
        scope,
    };
    let registration = schedule::install(&session.folder, &task, kind, place.clone(), registers)?;
    let made = Made::of(&task, kind, place);
    let next = due::next(task.every.seconds(), task.phase, context::begin(global, progress).now);
    let texts = global.texts();
    let mut text = schedule_is(texts, task.every, &made);
    for file in made.files() {
        text += &format!("\n  {}", file.display());
    }
    text += &match &registration {
        Registration::Done => {
            format!("\n{}\n{}", texts.get("schedule-next", &[("next", next.to_string().into())]), texts.get("schedule-done", &[]))
        }
        Registration::Left => format!("\n{}", texts.get("schedule-left", &[])),
        Registration::Failed { command, why } => {
            format!("\n{}", texts.get("schedule-failed", &[("command", command.as_str().into()), ("why", why.as_str().into())]))
        }
    };
    let json = json!({
        "result": "installed", "kind": kind, "scope": scope, "name": task.name, "files": made.files(), "registered": registration,
        "every": task.every, "phase_seconds": task.phase, "next": next,
    });
    let exit = if matches!(registration, Registration::Failed { .. }) { Exit::Requirement } else { Exit::Success };
    Ok(Report::new(&json, text, exit))
}

fn remove(global: &Global, progress: &dyn Progress) -> Result<Report, Error> {
    let session = Session::open(&global.dir, "schedule", &context::begin(global, progress))?;
    let removed = schedule::remove(&session.folder)?;
    let texts = global.texts();
    let text = match &removed {
        None => texts.get("schedule-none", &[]),
        Some(Made { name, .. }) => texts.get("schedule-removed", &[("name", name.as_str().into())]),
    };
    let json = json!({
        "result": if removed.is_some() { "removed" } else { "nothing-to-do" },
        "task": removed,
    });
    Ok(Report::new(&json, text, Exit::Success))
}

fn status(global: &Global) -> Result<Report, Error> {
    let folder = profile::look(&global.dir, &global.registry())?;
    let (schedule, settings) = (Schedule::load(&folder)?, Settings::load(&folder)?);
    let (every, phase) = (settings.check_every, schedule::phase_of(&owners::canonical(&global.dir)?, settings.check_every));
    let (when, next) = match due::due(every.seconds(), phase, schedule.last, schedule.failed, context::now()) {
        Due::Now => ("schedule-next", context::now()),
        Due::At(next) => ("schedule-next", next),
        Due::Again(next) => ("schedule-not-again", next),
    };
    let registered = schedule.task.as_ref().and_then(is_registered);
    let texts = global.texts();
    let mut text = match &schedule.task {
        None => format!("{}\n{}", texts.get("schedule-none", &[]), texts.get("schedule-none-next", &[])),
        Some(made) => {
            let known = match registered {
                Some(true) => texts.get("schedule-registered", &[]),
                Some(false) => texts.get("schedule-unregistered", &[]),
                None => texts.get("schedule-registered-unknown", &[]),
            };
            let next = texts.get(when, &[("next", next.to_string().into())]);
            format!("{}, {known}\n{next}", schedule_is(texts, every, made))
        }
    };
    if let Some(last) = schedule.last {
        text += &format!("\n{}", texts.get("schedule-last", &[("last", last.to_string().into())]));
    }
    let json = json!({
        "task": schedule.task, "files": schedule.task.as_ref().map(Made::files), "registered": registered,
        "every": every, "phase_seconds": phase, "last": schedule.last, "failed": schedule.failed, "next": schedule.task.is_some().then_some(next),
    });
    Ok(Report::new(&json, text, Exit::Success))
}

/// Which task there is.
fn schedule_is(texts: &Texts, every: Interval, made: &Made) -> String {
    let Made { kind, scope, name, .. } = made;
    let arguments = [("every", every.to_string()), ("kind", kind.to_string()), ("scope", scope.to_string()), ("name", name.clone())];
    texts.get("schedule-is", &arguments.map(|(argument, value)| (argument, value.into())))
}

/// What the timer starts.
fn run_due(global: &Global, is_now: bool, progress: &dyn Progress) -> Result<Report, Error> {
    let asking = Asking::default();
    if !is_now && let Some(report) = Occasion::SCHEDULE.turned_off(global) {
        return Ok(report);
    }
    let global = &Occasion::SCHEDULE.patient(global);
    if !is_now && let Some(report) = not_due(global, &profile::look(&global.dir, &global.registry())?)? {
        return Ok(report);
    }
    self_first::run(global, &asking, progress);
    let run: Run<'_> = asking.begin(global, progress)?;
    let mut session = Session::open_to_ask(&global.dir, Trigger::Schedule, &run)?;
    if is_now {
        return look(global, &mut session, &run);
    }
    // Another one may have taken this moment meanwhile.
    if let Some(report) = not_due(global, &session.folder)? {
        return Ok(report);
    }
    let known = Schedule::load(&session.folder)?;
    let failed = known.failed;
    let begun = Schedule { last: Some(run.now), failed: 0, ..known };
    begun.save(&session.folder)?;
    let outcome = look(global, &mut session, &run);
    if outcome.as_ref().is_err_and(|error| error.exit() == Exit::Unreachable) {
        Schedule { failed: failed.saturating_add(1), ..begun }.save(&session.folder)?;
    }
    outcome
}

/// A run that is due: what there is, and all that needs nobody's word.
fn look(global: &Global, session: &mut Session, run: &Run<'_>) -> Result<Report, Error> {
    // A client that does not fit its server is never replaced without a question, and a timer has nobody to ask.
    let word = Word::Ask(&|_| Consent::Nobody);
    if Settings::load(&session.folder)?.consent == ConsentPolicy::AutoCompatible {
        let updated = context::block_on(session.update(Trigger::Schedule, run, false, word))?;
        return Ok(update::report(global.texts(), session, &updated, Done::Updated));
    }
    let checked = context::block_on(session.check_and_tell(run))?;
    if session.is_overdue(&checked) {
        let updated = context::block_on(session.update_to(checked, Trigger::Schedule, run, false, word))?;
        return Ok(update::report(global.texts(), session, &updated, Done::Updated));
    }
    let drift = session.drift(updater::scan::Depth::Fast, run)?;
    Ok(check::report_unasked(global.texts(), session, &checked, &drift))
}

/// The report of a run that has nothing to do in this period.
fn not_due(global: &Global, folder: &Folder) -> Result<Option<Report>, Error> {
    let (every, schedule) = (Settings::load(folder)?.check_every, Schedule::load(folder)?);
    let phase = schedule::phase_of(&owners::canonical(&global.dir)?, every);
    let (why, next) = match due::due(every.seconds(), phase, schedule.last, schedule.failed, context::now()) {
        Due::Now => return Ok(None),
        Due::At(next) => ("schedule-not-due", next),
        Due::Again(next) => ("schedule-not-again", next),
    };
    let text = global.texts().get(why, &[("next", next.to_string().into())]);
    Ok(Some(Report::new(&json!({ "result": "not-due", "next": next, "failed": schedule.failed }), text, Exit::Success)))
}
