//! The swap: every new file in place of every old one, or everything as it was (design section 6, attacks F6 to F8).
//!
//! All that can fail slowly has been done before: new files are complete in `staging/`, the backup is complete but for what the swap itself moves there. Then the journal is written, and from
//! there on a cut at any moment is answered by the next start, which looks at what lies where and finishes or undoes (`swap/recovery.rs`). The swap itself is nothing but renames: old files to
//! `backup/`, new ones from `staging/`. An operation that fails is undone at once, by the same rules. After the last rename is durable the journal says `committed`, and what remains
//! is tidying up: numbers of backups, the installed state, the history.
//!
//! `docs/crash-safety.md` has every point at which it can be cut, and the test that cuts there.

pub mod journal;
pub mod operation;
mod perform;
mod plan;
mod prepare;
mod recovery;
mod seal;
mod tidy;
mod under_way;

use manifests::digest::Digest;
use manifests::path::RelPath;

use crate::backup::rotation::Slot;
use crate::backup::{self, BackupError};
use crate::code::Code;
use crate::fs::{Folder, FsError, LocalPath, Obstacle, Point, Requirement, obstacles};
use crate::history::{Attempt, Outcome};
use crate::id::Id;
use crate::progress::{Progress, Silent};
use journal::{DamagedJournal, Journal, Phase, Plan};
pub use operation::{FileIdentity, Identity, Operation};
use perform::{Strangers, Way, observe, pristine};
pub use plan::{Changes, Keep, SwapPlan};
use recovery::{Change, Decision, New, Seen, changes, decide};
use seal::Seals;
use under_way::{Stopped, Swapping};

/// What a swap did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swapped {
    /// The backup that it made.
    pub backup: Option<Slot>,
    /// What people should know: extras that could not be read, and so are not in the backup.
    pub warnings: Vec<String>,
}

/// A swap did not happen.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    /// An operation failed; everything is as it was.
    #[error("{source}; everything is as it was")]
    Undone {
        /// What failed.
        source: FsError,
    },
    /// An operation failed, and so did undoing it; the next start of the updater finishes that.
    #[error("{source}; undoing it failed too ({undo}): start the updater again to finish that")]
    Interrupted {
        /// What failed first.
        source: FsError,
        /// What failed while undoing.
        undo: FsError,
    },
    /// Everything is in place, but the tidying up failed; the next start of the updater finishes it.
    #[error("the new files are in place, but tidying up failed: {source}; start the updater again to finish")]
    Unfinished {
        /// What failed.
        source: FsError,
    },
    /// A file is not what the plan was made for. Nothing was changed.
    #[error("`{path}` changed while the update was prepared: run it again")]
    Changed {
        /// The file.
        path: LocalPath,
    },
    /// A staged file is missing or not what the plan says. Nothing was changed.
    #[error("the prepared file for `{path}` is missing or was changed: run the update again")]
    NotStaged {
        /// Where it was to go.
        path: RelPath,
    },
    /// A file that nobody named lies where a folder is needed. Nothing was changed.
    #[error("`{path}` is in the way: a folder of that name is needed, move the file away")]
    InTheWay {
        /// The file.
        path: LocalPath,
    },
    /// The plan contradicts itself. A bug. Nothing was changed.
    #[error("the plan of the swap is impossible: {0}")]
    Impossible(String),
    /// A journal is there: [`recover`] comes first.
    #[error("an earlier swap is not finished: start the updater again")]
    JournalPresent,
    /// Others could change files that are replaced, or folders that lead there (attack F4). Nothing was changed.
    #[error("others can change what would be replaced, so nothing was changed: {}", obstacles::list(.0))]
    Exposed(Vec<Obstacle>),
    /// The backup cannot be made. Nothing was changed.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Something before the first change failed.
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// Carries `plan` out in `folder`, which must be locked and recovered. On any error but [`SwapError::Interrupted`] and [`SwapError::Unfinished`] the live tree is as it was.
pub fn swap(folder: &Folder, plan: SwapPlan, progress: &dyn Progress) -> Result<Swapped, SwapError> {
    swap_unused(folder, plan, &|| true, progress)
}

/// The same as [`swap`], unless somebody came who uses what is replaced while it was prepared: `is_unused` is asked right before the first rename, and once more when no entry point is left that
/// could be started. Whoever is there then has started the old client, and everything goes back.
pub fn swap_unused(folder: &Folder, plan: SwapPlan, is_unused: &dyn Fn() -> bool, progress: &dyn Progress) -> Result<Swapped, SwapError> {
    if folder.stat(&journal::path())?.is_some() {
        return Err(SwapError::JournalPresent);
    }
    let exposed = folder.guard(&plan.changes.paths().map(LocalPath::from).collect::<Vec<_>>())?;
    if !exposed.is_empty() {
        return Err(SwapError::Exposed(exposed));
    }
    folder.make_state_folders()?;
    tidy::sweep(folder)?;
    let begun = begin(folder, &plan, progress);
    let Begun { written, changes, seals, mut warnings } = match begun {
        Ok(begun) => begun,
        Err(error) => {
            // Nothing has moved yet. What cannot be swept now, the next start sweeps; while a journal stands, it needs all of it.
            if journal::end(folder).is_ok() {
                let _ = tidy::sweep(folder);
            }
            return Err(error);
        }
    };
    let Decision::Forward(steps) = decide(&changes, None, &pristine(&changes)) else {
        // From what was checked to be staged the way is always forward.
        return Err(SwapError::Impossible("it does not begin at the old release".into()));
    };
    let mut swapping = Swapping { folder, plan: &written, journal_bytes: written.to_line().len(), changes, found: vec![] };
    if let Err(Stopped { source, undo }) = swapping.forward_or_back(&steps, Strangers::Fail, &seals, is_unused, progress) {
        if let Some(undo) = undo.or_else(|| journal::end(folder).err()) {
            return Err(SwapError::Interrupted { source, undo });
        }
        // What cannot be swept now, the next start sweeps.
        let _ = tidy::sweep(folder);
        return Err(SwapError::Undone { source });
    }
    let unwritten = tidy::tidy(folder, &written).map_err(|source| SwapError::Unfinished { source })?;
    warnings.extend(unwritten.map(|error| format!("the history could not be written: {error}")));
    Ok(Swapped { backup: written.slots.map(|slots| slots.new.1), warnings })
}

/// A swap whose journal is written.
struct Begun {
    written: Plan,
    changes: Vec<Change>,
    seals: Seals,
    warnings: Vec<String>,
}

/// Everything up to the journal: checks, the backup, what the state becomes.
fn begin(folder: &Folder, plan: &SwapPlan, progress: &dyn Progress) -> Result<Begun, SwapError> {
    let operations = prepare::prepare(folder, plan)?;
    let mut written = Plan {
        id: plan.id,
        trigger: plan.trigger,
        from: plan.from,
        to: plan.to,
        installed: Digest::of(&plan.installed_next),
        manifest: Digest::of(&plan.manifest_next),
        slots: None,
        operations,
        attempt: Some(plan.attempt.clone()),
    };
    written.check().map_err(SwapError::Impossible)?;
    let mut warnings = vec![];
    if let Keep::Backup { consumed } = plan.keep {
        let made = backup::make(folder, &plan.attempt, consumed, &prepare::moved(&written.operations), progress)?;
        (written.slots, warnings) = (Some(made.slots), made.warnings);
    }
    folder.write_durably(&tidy::installed_next(), &plan.installed_next, Point::SwapNext)?;
    folder.write_durably(&tidy::manifest_next(), &plan.manifest_next, Point::SwapNext)?;
    folder.sync_tree(&LocalPath::state("staging"), Point::StageSync)?;
    let changes = changes(&written.operations);
    let seals = seal_staged(folder, &changes)?;
    journal::begin(folder, &written)?;
    Ok(Begun { written, changes, seals, warnings })
}

/// Reads every staged file once more, now that nothing but renames is left to be done: what is not what the plan says stops the swap before anything moves (attack E4).
fn seal_staged(folder: &Folder, changes: &[Change]) -> Result<Seals, SwapError> {
    let mut seals = Seals::default();
    for change in changes {
        if let New::Staged(new, name) = &change.new
            && seals.read(folder, name)? != Seen::Leaf(new.clone())
        {
            return Err(SwapError::NotStaged { path: change.path.clone() });
        }
    }
    Ok(seals)
}

/// What a start found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// No swap was under way.
    Nothing,
    /// A swap was finished: the new release is whole.
    Finished {
        /// The attempt.
        id: Id,
        /// Unexpected files, now below `.updater/found/`.
        found: Vec<LocalPath>,
    },
    /// A swap was undone: the old release is whole.
    Undone {
        /// The attempt.
        id: Id,
        /// Unexpected files, now below `.updater/found/`.
        found: Vec<LocalPath>,
        /// Why it could not be finished, when that was tried.
        why: Option<String>,
    },
}

/// A swap that was under way can be neither finished nor undone now. Nothing was touched, unless the file system failed midway; the journal stays.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The journal cannot be believed.
    #[error("{0}: nothing was touched; move `.updater/journal` away and run `updater verify --repair`")]
    Journal(#[from] DamagedJournal),
    /// Neither the old nor the new release is whole.
    #[error(
        "an earlier swap cannot be finished or undone: {} missing; nothing was touched; move `.updater/journal` away and run `updater verify --repair`",
        list(missing)
    )]
    Broken {
        /// Old files that are nowhere.
        missing: Vec<RelPath>,
    },
    /// Others could change folders that it goes through.
    #[error("an earlier swap is not finished, and others can change what it goes through: {}; then start the updater again", obstacles::list(.0))]
    Exposed(Vec<Obstacle>),
    /// The file system refused a step of the way that was taken, and the other way as well. Each start tries both again.
    #[error(
        "an earlier swap can be neither finished nor undone now: {first}; and the other way: {second}; put that right and start the updater again"
    )]
    Interrupted {
        /// What failed first.
        first: FsError,
        /// What failed on the other way.
        second: FsError,
    },
    /// The file system refused, and there is only one way.
    #[error(transparent)]
    Fs(#[from] FsError),
}

fn list(paths: &[RelPath]) -> String {
    let shown: Vec<String> = paths.iter().take(3).map(|path| format!("`{path}`")).collect();
    let more = paths.len().saturating_sub(shown.len());
    if more > 0 { format!("{} and {more} more are", shown.join(", ")) } else { format!("{} is", shown.join(", ")) }
}

/// Finishes or undoes a swap that was cut off, and sweeps what a cut left behind. A way on which a step fails is left for the other one, so that what bars one way for good (a file that was
/// made immutable, a disk without room) leaves nobody without a client while the other is open. Every start calls this first, with the folder locked; without a journal it costs a few look-ups.
pub fn recover(folder: &Folder) -> Result<Recovery, RecoveryError> {
    let Some(journal) = Journal::load(folder)? else {
        tidy::sweep(folder)?;
        return Ok(Recovery::Nothing);
    };
    let Journal { plan, phase, whole_bytes } = journal?;
    let (id, changes) = (plan.id, changes(&plan.operations));
    let exposed = folder.guard(&changes.iter().map(|change| LocalPath::from(&change.path)).collect::<Vec<_>>())?;
    if !exposed.is_empty() {
        return Err(RecoveryError::Exposed(exposed));
    }
    let (seen, seals) = if phase == Some(Phase::Committed) { (pristine(&changes), Seals::default()) } else { observe(folder, &changes)? };
    folder.make_state_folders()?;
    let decision = decide(&changes, phase, &seen);
    let mut swapping = Swapping { folder, plan: &plan, journal_bytes: whole_bytes, changes, found: vec![] };
    let why = match decision {
        Decision::Tidy => {
            log_unwritten(tidy::tidy(folder, &plan)?);
            return Ok(Recovery::Finished { id, found: vec![] });
        }
        Decision::Broken(missing) => return Err(RecoveryError::Broken { missing }),
        Decision::Forward(steps) => match swapping.forward_or_back(&steps, Strangers::Aside, &seals, &|| true, &Silent) {
            Ok(()) => None,
            Err(Stopped { source, undo: None }) => Some(Some(source)),
            Err(Stopped { source, undo: Some(undo) }) => return Err(RecoveryError::Interrupted { first: source, second: undo }),
        },
        Decision::Back(steps) => match swapping.back_or_forward(&steps, &seals, phase)? {
            Way::Back => Some(None),
            Way::Forward => None,
        },
    };
    let Some(why) = why else {
        log_unwritten(tidy::tidy(folder, &plan)?);
        return Ok(Recovery::Finished { id, found: swapping.found });
    };
    let why = why.map(|error: FsError| error.to_string());
    let (result, code) = (Outcome::Failed, Some(Code::Interrupted.to_string()));
    let attempt = plan.attempt.clone().map(|attempt| Attempt { result, code, detail: why.clone(), ..attempt });
    log_unwritten(tidy::close_undone(folder, attempt.as_ref())?);
    Ok(Recovery::Undone { id, found: swapping.found, why })
}

/// Nobody can be told more of it: the start goes on.
fn log_unwritten(error: Option<FsError>) {
    if let Some(error) = error {
        tracing::warn!(%error, "the history could not be written");
    }
}

impl SwapError {
    /// What the station lacked, for the report (S3-24).
    pub fn requirement(&self) -> Option<Requirement> {
        match self {
            SwapError::Undone { source }
            | SwapError::Interrupted { source, .. }
            | SwapError::Unfinished { source }
            | SwapError::Fs(source) => Some(source.requirement()),
            SwapError::Backup(error) => error.requirement(),
            _ => None,
        }
    }
}
