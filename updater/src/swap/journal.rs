//! The journal of a swap: what is to be done, written down before anything moves, and how far it went (`docs/format.md` section 12).
//!
//! Each line vouches for itself by a part of its digest. The first says everything that finishing or undoing needs; a torn later line is as if it had not been written, because whatever it
//! announces is done after it is durable.

use std::collections::{HashMap, HashSet};

use manifests::channel::{FORMAT, Place};
use manifests::digest::Digest;
use manifests::json;
use serde::{Deserialize, Serialize};

use crate::backup::rotation::Slots;
use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::history::Attempt;
use crate::id::Id;
use crate::swap::operation::Operation;
use crate::trigger::Trigger;

/// Longest journal that is read, in bytes: a million operations with long paths.
const LIMIT_BYTES: usize = 1 << 30;
/// Hex characters of the digest before each line.
const CHECK_LENGTH: usize = 16;

/// The first line: what is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Names the attempt and the backup that it makes.
    pub id: Id,
    /// What set it off.
    pub trigger: Trigger,
    /// The release that was installed.
    pub from: Option<Place>,
    /// The release that comes.
    pub to: Place,
    /// Digest of `installed.next`.
    pub installed: Digest,
    /// Digest of `manifest.next`.
    pub manifest: Digest,
    /// Where the backups are to be; `None` when none is kept.
    pub slots: Option<Slots>,
    /// What is done to each path, in order.
    pub operations: Vec<Operation>,
    /// The line of the history for a swap that succeeds.
    pub attempt: Option<Attempt>,
}

/// What a later line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// From now on only back.
    Back,
    /// From now on only forward.
    Committed,
}

/// A journal that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// Its first line.
    pub plan: Plan,
    /// What the last whole later line says.
    pub phase: Option<Phase>,
    /// Bytes of whole lines; what follows is torn.
    pub whole_bytes: usize,
}

/// The journal's first line is wrong: nothing may be concluded from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the first line of `.updater/journal` is damaged: {0}")]
pub struct DamagedJournal(String);

#[derive(Serialize, Deserialize)]
struct PlanWire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    id: Id,
    trigger: Trigger,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Place>,
    to: Place,
    installed: Digest,
    manifest: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slots: Option<Slots>,
    operations: Vec<Operation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<Attempt>,
}

#[derive(Serialize, Deserialize)]
struct PhaseWire {
    phase: Phase,
}

/// `.updater/journal`.
pub fn path() -> LocalPath {
    LocalPath::state("journal")
}

impl Journal {
    /// Reads the text of a journal.
    pub fn parse(bytes: &[u8]) -> Result<Journal, DamagedJournal> {
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let first = lines.next().unwrap_or_default();
        let plan = Plan::parse(checked(first).ok_or_else(|| DamagedJournal("it does not have the digest that it begins with".into()))?)?;
        let (mut phase, mut whole_bytes) = (None, first.len());
        for line in lines {
            let Some(next) = checked(line).and_then(|json| serde_json::from_slice::<PhaseWire>(json).ok()) else { break };
            phase = Some(next.phase);
            whole_bytes += line.len();
        }
        Ok(Journal { plan, phase, whole_bytes })
    }

    /// The journal of `folder`; `None` when no swap is under way.
    pub fn load(folder: &Folder) -> Result<Option<Result<Journal, DamagedJournal>>, FsError> {
        Ok(folder.read(&path())?.map(|bytes| Journal::parse(&bytes)))
    }
}

impl Phase {
    /// The line, whole.
    pub fn to_line(self) -> Vec<u8> {
        line(&PhaseWire { phase: self })
    }
}

impl Plan {
    fn parse(json: &[u8]) -> Result<Plan, DamagedJournal> {
        let wrong = |error: &dyn std::fmt::Display| DamagedJournal(error.to_string());
        let wire: PlanWire = json::from_slice(json, LIMIT_BYTES).map_err(|error| wrong(&error))?;
        if wire.format != FORMAT || wire.document != "swap" {
            return Err(wrong(&format_args!("type `{}`, format {}", manifests::quote::quoted(&wire.document, 80), wire.format)));
        }
        let PlanWire { id, trigger, from, to, installed, manifest, slots, operations, attempt, .. } = wire;
        let plan = Plan { id, trigger, from, to, installed, manifest, slots, operations, attempt };
        plan.check().map_err(|error| wrong(&error))?;
        Ok(plan)
    }

    /// The line, whole.
    pub fn to_line(&self) -> Vec<u8> {
        let Plan { id, trigger, from, to, installed, manifest, slots, operations, attempt } = self.clone();
        let document = "swap".to_owned();
        line(&PlanWire { format: FORMAT, document, id, trigger, from, to, installed, manifest, slots, operations, attempt })
    }

    /// What no swap of ours contains: a path that comes or goes twice, or a staged name that is not one plain name.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (mut seen, mut staged_names) = (HashMap::new(), HashSet::new());
        for operation in &self.operations {
            let goes = matches!(operation, Operation::Out { .. } | Operation::Remove { .. } | Operation::Rmdir { .. });
            let has_old = goes || matches!(operation, Operation::Set { .. } | Operation::Put { old: Some(_), .. });
            let (gone, came) = seen.entry(operation.path()).or_insert((false, false));
            if *came || has_old && *gone {
                return Err(format!("`{}` is dealt with twice", operation.path()));
            }
            (*gone, *came) = (*gone || has_old, *came || !goes);
            let Operation::Put { path, staged: Some(name), .. } = operation else { continue };
            let plain = !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
                && !name.starts_with('.');
            if !plain || !staged_names.insert(name) {
                return Err(format!(
                    "the name `{}` in staging, for `{path}`, is unusable or used twice",
                    manifests::quote::quoted(name, 80)
                ));
            }
        }
        Ok(())
    }
}

/// Writes the first line of a journal, durably: from here on every start finishes or undoes `plan`.
pub(crate) fn begin(folder: &Folder, plan: &Plan) -> Result<(), FsError> {
    folder.write_durably(&path(), &plan.to_line(), Point::SwapJournal)
}

/// Appends `phase`, durably. A torn line before it is cut off first.
pub(crate) fn append(folder: &Folder, journal_bytes: usize, phase: Phase) -> Result<(), FsError> {
    if folder.stat(&path())?.is_some_and(|stat| stat.size != journal_bytes as u64) {
        folder.truncate(&path(), journal_bytes as u64, Point::SwapPhase)?;
    }
    folder.append_durably(&path(), &phase.to_line(), Point::SwapPhase)
}

/// Removes the journal, durably: the swap is over.
pub(crate) fn end(folder: &Folder) -> Result<(), FsError> {
    folder.discard(&path(), Point::CommitJournal)?;
    folder.sync_folder(&LocalPath::state_folder(), Point::CommitJournal)
}

/// The JSON of a line that has the digest it begins with.
fn checked(line: &[u8]) -> Option<&[u8]> {
    let (check, rest) = line.split_at_checked(CHECK_LENGTH)?;
    let json = rest.strip_prefix(b" ")?.strip_suffix(b"\n")?;
    (check == &Digest::of(json).to_hex().as_bytes()[..CHECK_LENGTH]).then_some(json)
}

fn line(value: &impl Serialize) -> Vec<u8> {
    // Text and numbers only: nothing in it can fail to serialise.
    let json = serde_json::to_vec(value).unwrap_or_default();
    let check = Digest::of(&json).to_hex();
    [&check.as_bytes()[..CHECK_LENGTH], b" ", &json, b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swap::operation::Identity;

    fn plan() -> Plan {
        let link = |text: &str| Identity::Link(text.into());
        let out = Operation::Out { path: "a".parse().unwrap(), old: link("o") };
        let put = Operation::Put { path: "a".parse().unwrap(), old: None, new: link("n"), staged: Some("link.0".into()) };
        Plan {
            id: Id::from_bytes([1; 8]),
            trigger: Trigger::Update,
            from: Some(Place(1, 11)),
            to: Place(1, 12),
            installed: Digest::of(b"i"),
            manifest: Digest::of(b"m"),
            slots: None,
            operations: vec![out, put],
            attempt: None,
        }
    }

    fn text(phases: &[Phase]) -> Vec<u8> {
        phases.iter().fold(plan().to_line(), |text, phase| [text, phase.to_line()].concat())
    }

    #[test]
    fn what_is_written_reads_back() {
        for (phases, last) in [(&[][..], None), (&[Phase::Back], Some(Phase::Back)), (&[Phase::Committed], Some(Phase::Committed))] {
            let bytes = text(phases);
            assert_eq!(Journal::parse(&bytes), Ok(Journal { plan: plan(), phase: last, whole_bytes: bytes.len() }));
        }
    }

    #[test]
    fn a_torn_later_line_is_as_if_it_were_not_there() {
        let (first, whole) = (text(&[]), text(&[Phase::Committed]));
        for length in first.len()..whole.len() {
            let journal = Journal::parse(&whole[..length]).unwrap();
            assert_eq!((journal.phase, journal.whole_bytes), (None, first.len()));
        }
        for at in first.len()..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert_eq!(Journal::parse(&flipped).unwrap().phase, None);
        }
    }

    #[test]
    fn a_damaged_first_line_says_nothing() {
        let whole = text(&[Phase::Committed]);
        for length in 0..text(&[]).len() {
            assert!(Journal::parse(&whole[..length]).is_err());
        }
        for at in 0..text(&[]).len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert!(Journal::parse(&flipped).is_err());
        }
    }

    #[test]
    fn a_plan_that_no_swap_of_ours_writes_is_refused() {
        let with = |change: fn(&mut Plan)| {
            let mut plan = plan();
            change(&mut plan);
            plan.check()
        };
        assert_eq!(with(|_| {}), Ok(()));
        assert!(with(|plan| plan.operations.push(plan.operations[0].clone())).is_err());
        assert!(with(|plan| plan.operations.push(plan.operations[1].clone())).is_err());
        for name in ["", "../x", "a/b", ".hidden"] {
            let mut plan = plan();
            let Operation::Put { staged, .. } = &mut plan.operations[1] else { unreachable!() };
            *staged = Some(name.into());
            assert!(plan.check().is_err(), "{name}");
        }
    }

    #[test]
    fn appending_cuts_a_torn_line_off() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        folder.make_state_folders().unwrap();
        begin(&folder, &plan()).unwrap();
        folder.append_durably(&path(), b"0123 torn", Point::SwapPhase).unwrap();
        let found = Journal::load(&folder).unwrap().unwrap().unwrap();
        append(&folder, found.whole_bytes, Phase::Back).unwrap();
        assert_eq!(Journal::load(&folder).unwrap().unwrap().unwrap().phase, Some(Phase::Back));
        end(&folder).unwrap();
        assert_eq!(Journal::load(&folder).unwrap(), None);
    }
}
