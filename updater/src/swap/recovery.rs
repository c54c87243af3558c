//! Whether a swap goes forward or back, and the steps of either. Pure: from the journal and from what lies at each path, nothing else (design section 6, attack F6).
//!
//! A swap that was never interrupted takes the same steps: it is the way forward from "everything old is in place, everything new is staged". So every swap tests recovery, and every
//! recovery is a swap.
//!
//! Why it is safe to repeat: a step is chosen by what is seen, never by what was done before. Each one is a single rename (or an empty folder made or removed, or attributes set), and leaves
//! the old and the new file of its path in one of three places each, all of which are looked at: the live path, `staging/`, `backup/`. Nothing is deleted until the
//! swap is over. What is neither old nor new is moved to `found/`, never over and never away.

#[cfg(test)]
mod model;

use std::collections::BTreeMap;

use manifests::path::RelPath;

use crate::swap::journal::Phase;
use crate::swap::operation::{FileIdentity, Identity, Operation};

/// What a swap makes of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// Where.
    pub(crate) path: RelPath,
    /// What was there.
    pub(crate) old: Old,
    /// What shall be there.
    pub(crate) new: New,
    /// Whether this is an entry point: out first, in last.
    pub(crate) is_entry: bool,
}

/// What was at a path before a swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Old {
    /// Nothing.
    Nothing,
    /// A folder.
    Folder,
    /// A file or link.
    Leaf(Identity),
}

/// What shall be at a path after a swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum New {
    /// Nothing; a folder stays when something is in it.
    Nothing,
    /// A folder.
    Folder,
    /// A file or link, from `staging/`.
    Staged(Identity, String),
    /// The file or link that was there, back from `backup/`.
    Same(Identity),
    /// The file that is there, with another time or mode.
    Set(FileIdentity),
}

/// What lies somewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing.
    #[default]
    Nothing,
    /// A folder.
    Folder,
    /// A file or link.
    Leaf(Identity),
    /// Something that no swap handles: a socket, a pipe, a device.
    Other,
}

/// What lies in the three places where the old and the new file of a path can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// At the path itself.
    pub(crate) live: Seen,
    /// Under its name in `staging/`.
    pub(crate) staged: Seen,
    /// In `backup/`.
    pub(crate) kept: Seen,
}

/// One step. Each is a single change of the file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The old file or link goes from its path to `backup/`. `is_entry`: it is an entry point.
    Keep { path: RelPath, is_entry: bool },
    /// The new file or link comes from `staging/` to its path.
    Place { path: RelPath, staged: String, is_entry: bool },
    /// The old file or link comes from `backup/` to its path.
    Return { path: RelPath, is_entry: bool },
    /// The new file or link goes from its path to `staging/`.
    Unplace { path: RelPath, staged: String },
    /// The empty folder goes. `is_needed`: something else shall be there, so strangers in it must make room.
    RemoveFolder { path: RelPath, is_needed: bool },
    /// A folder comes.
    MakeFolder { path: RelPath },
    /// A file gets the time and mode of `to`.
    Set { path: RelPath, to: FileIdentity },
    /// What is neither old nor new goes from the path to `found/`.
    Aside { path: RelPath },
}

/// Which way a swap goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Everything new is in place and durable: only tidying up is left.
    Tidy,
    /// To the new release.
    Forward(Vec<Step>),
    /// To the old release.
    Back(Vec<Step>),
    /// Neither is whole: these files are nowhere.
    Broken(Vec<RelPath>),
}

/// Decides by what the journal says last, and by what is seen for each of `changes`.
pub(crate) fn decide(changes: &[Change], phase: Option<Phase>, seen: &[Observed]) -> Decision {
    let pairs = || changes.iter().zip(seen);
    let lost = |is_there: fn(&Change, &Observed) -> bool| -> Vec<RelPath> {
        pairs().filter(|(change, seen)| !is_there(change, seen)).map(|(change, _)| change.path.clone()).collect()
    };
    if phase == Some(Phase::Committed) {
        return Decision::Tidy;
    }
    if phase.is_none() && lost(has_new).is_empty() {
        return Decision::Forward(forward(changes, seen));
    }
    match lost(has_old) {
        missing if missing.is_empty() => Decision::Back(back(changes, seen)),
        missing => Decision::Broken(missing),
    }
}

/// The changes that `operations` make, one per path, in their order.
pub(crate) fn changes(operations: &[Operation]) -> Vec<Change> {
    let mut changes: Vec<Change> = vec![];
    let mut at: BTreeMap<&RelPath, usize> = BTreeMap::new();
    for operation in operations {
        let path = operation.path();
        let index = *at.entry(path).or_insert_with(|| {
            changes.push(Change { path: path.clone(), old: Old::Nothing, new: New::Nothing, is_entry: false });
            changes.len() - 1
        });
        let change = &mut changes[index];
        match operation {
            Operation::Out { old, .. } => (change.old, change.is_entry) = (Old::Leaf(old.clone()), true),
            Operation::Remove { old, .. } => change.old = Old::Leaf(old.clone()),
            Operation::Rmdir { .. } => change.old = Old::Folder,
            Operation::Mkdir { .. } => change.new = New::Folder,
            Operation::Put { old, new, staged, .. } => {
                if let Some(old) = old {
                    change.old = Old::Leaf(old.clone());
                }
                change.new = match staged {
                    Some(name) => New::Staged(new.clone(), name.clone()),
                    None => New::Same(new.clone()),
                };
            }
            Operation::Set { old, new, .. } => (change.old, change.new) = (Old::Leaf(Identity::File(*old)), New::Set(*new)),
        }
    }
    changes
}

/// Whether what shall be at the path can be brought there.
fn has_new(change: &Change, seen: &Observed) -> bool {
    match &change.new {
        New::Nothing | New::Folder => true,
        New::Staged(new, _) => is(&seen.live, new) || is(&seen.staged, new),
        New::Same(_) => has_old(change, seen),
        New::Set(new) => can_become(&seen.live, new),
    }
}

/// Whether what was at the path can be brought back there.
fn has_old(change: &Change, seen: &Observed) -> bool {
    match (&change.old, &change.new) {
        (Old::Leaf(Identity::File(old)), New::Set(_)) => can_become(&seen.live, old),
        (Old::Leaf(_), _) => is_old(&seen.live, change) || is_old(&seen.kept, change),
        (Old::Nothing | Old::Folder, _) => true,
    }
}

/// Whether `seen` is exactly `wanted`.
fn is(seen: &Seen, wanted: &Identity) -> bool {
    matches!(seen, Seen::Leaf(found) if found == wanted)
}

/// Whether `seen` holds what `wanted` holds, so that setting time and mode makes it that.
fn can_become(seen: &Seen, wanted: &FileIdentity) -> bool {
    matches!(seen, Seen::Leaf(Identity::File(found)) if found.has_content_of(wanted))
}

/// Whether `seen` is what was at the path. We never wrote its content, so what looks like it, and could not be mistaken for the new file, is it: also when a record of ours had a
/// wrong digest of it.
fn is_old(seen: &Seen, change: &Change) -> bool {
    let (Seen::Leaf(found), Old::Leaf(old)) = (seen, &change.old) else { return false };
    let (Identity::File(found_file), Identity::File(old_file)) = (found, old) else { return found == old };
    let could_be_new = matches!(&change.new, New::Staged(Identity::File(new), _) if new.has_look_of(old_file));
    found == old || found_file.has_look_of(old_file) && !could_be_new
}

/// What the live path holds, seen with the old and the new in mind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Live {
    Nothing,
    Old,
    New,
    Stranger,
}

fn live(change: &Change, seen: &Observed) -> Live {
    let new = match &change.new {
        New::Staged(new, _) => is(&seen.live, new),
        New::Folder => seen.live == Seen::Folder,
        New::Nothing | New::Same(_) | New::Set(_) => false,
    };
    let old = is_old(&seen.live, change) || change.old == Old::Folder && seen.live == Seen::Folder;
    match (old, new) {
        // Old and new are the same. The old one is where it was unless it was seen in the backup.
        (true, true) if change.old == Old::Folder || !is_old(&seen.kept, change) => Live::Old,
        (_, true) => Live::New,
        (true, false) => Live::Old,
        (false, false) if seen.live == Seen::Nothing => Live::Nothing,
        (false, false) => Live::Stranger,
    }
}

/// The steps to the new release. Every change [`has_new`].
fn forward(changes: &[Change], seen: &[Observed]) -> Vec<Step> {
    let pairs: Vec<(&Change, &Observed, Live)> =
        changes.iter().zip(seen).map(|(change, seen)| (change, seen, live(change, seen))).collect();
    let is_leaf = |change: &Change| matches!(change.new, New::Staged(..) | New::Same(_));
    let mut steps = vec![];
    for (change, _, live) in pairs.iter().filter(|(change, ..)| change.is_entry) {
        match (live, &change.new) {
            (Live::Old, _) => steps.push(Step::Keep { path: change.path.clone(), is_entry: true }),
            (Live::New, New::Staged(_, staged)) => steps.push(Step::Unplace { path: change.path.clone(), staged: staged.clone() }),
            (Live::Stranger, _) => steps.push(Step::Aside { path: change.path.clone() }),
            (Live::Nothing | Live::New, _) => {}
        }
    }
    let out = steps.len();
    for (change, _, live) in pairs.iter().filter(|(change, ..)| !change.is_entry && !matches!(change.new, New::Set(_))) {
        let path = || change.path.clone();
        let goes = !is_leaf(change) || change.old == Old::Folder;
        match (live, &change.old, &change.new) {
            // A folder that was a file keeps its file like any other that goes; one that is there already stays.
            (Live::New, ..) | (Live::Nothing, ..) => {}
            (Live::Old, Old::Folder, New::Folder) => {}
            (Live::Old, Old::Folder, new) => steps.push(Step::RemoveFolder { path: path(), is_needed: *new != New::Nothing }),
            (Live::Old, Old::Leaf(_), _) if goes => steps.push(Step::Keep { path: path(), is_entry: false }),
            (Live::Old, ..) => {}
            // Where nothing shall be, somebody else's file may be.
            (Live::Stranger, Old::Nothing | Old::Folder, New::Nothing) => {}
            (Live::Stranger, ..) if goes => steps.push(Step::Aside { path: path() }),
            (Live::Stranger, ..) => {}
        }
    }
    for (change, _, live) in pairs.iter().filter(|(change, ..)| change.new == New::Folder) {
        if *live != Live::New && !(*live == Live::Old && change.old == Old::Folder) {
            steps.push(Step::MakeFolder { path: change.path.clone() });
        }
    }
    let last_put = |change: &Change| change.is_entry;
    for (change, _, live) in pairs.iter().filter(|(change, ..)| is_leaf(change) && !last_put(change)) {
        let path = || change.path.clone();
        let New::Staged(_, staged) = &change.new else { continue };
        match (live, &change.old) {
            (Live::New, _) => continue,
            (Live::Old, Old::Leaf(_)) => steps.push(Step::Keep { path: path(), is_entry: false }),
            (Live::Stranger, Old::Nothing | Old::Leaf(_)) => steps.push(Step::Aside { path: path() }),
            _ => {}
        }
        steps.push(Step::Place { path: path(), staged: staged.clone(), is_entry: false });
    }
    for (change, seen, _) in &pairs {
        if let New::Set(new) = change.new
            && !is(&seen.live, &Identity::File(new))
        {
            steps.push(Step::Set { path: change.path.clone(), to: new });
        }
    }
    let is_done =
        steps.len() == out && pairs.iter().filter(|(change, ..)| change.is_entry).all(|(change, _, live)| entry_is_in(change, *live));
    if is_done {
        // Only what was in place already would have gone out and in.
        return vec![];
    }
    for (change, ..) in pairs.iter().filter(|(change, ..)| change.is_entry) {
        let path = change.path.clone();
        match &change.new {
            New::Staged(_, staged) => steps.push(Step::Place { path, staged: staged.clone(), is_entry: true }),
            New::Same(_) => steps.push(Step::Return { path, is_entry: true }),
            New::Nothing | New::Folder | New::Set(_) => {}
        }
    }
    steps
}

/// Whether an entry point is as it shall be.
fn entry_is_in(change: &Change, live: Live) -> bool {
    match change.new {
        New::Staged(..) | New::Folder => live == Live::New,
        New::Same(_) | New::Set(_) => live == Live::Old,
        New::Nothing => live == Live::Nothing,
    }
}

/// The steps to the old release. Every change [`has_old`].
fn back(changes: &[Change], seen: &[Observed]) -> Vec<Step> {
    let pairs: Vec<(&Change, &Observed, Live)> =
        changes.iter().zip(seen).map(|(change, seen)| (change, seen, live(change, seen))).collect();
    let mut steps = vec![];
    // What came in last goes out first.
    let entries_first =
        pairs.iter().filter(|(change, ..)| change.is_entry).chain(pairs.iter().rev().filter(|(change, ..)| !change.is_entry));
    for (change, _, live) in entries_first {
        let path = || change.path.clone();
        match (live, &change.new, &change.old) {
            (Live::New, New::Staged(_, staged), _) => steps.push(Step::Unplace { path: path(), staged: staged.clone() }),
            (_, New::Set(_), _) => {}
            // Where nothing was, a file that somebody else made may stay.
            (Live::Stranger, _, Old::Leaf(_) | Old::Folder) => steps.push(Step::Aside { path: path() }),
            _ => {}
        }
    }
    let mut folders: Vec<_> = pairs.iter().filter(|(change, ..)| change.new == New::Folder && change.old != Old::Folder).collect();
    folders.sort_by(|(a, ..), (b, ..)| b.path.cmp(&a.path));
    for (change, ..) in folders.into_iter().filter(|(.., live)| *live == Live::New) {
        steps.push(Step::RemoveFolder { path: change.path.clone(), is_needed: change.old != Old::Nothing });
    }
    let mut folders: Vec<_> = pairs.iter().filter(|(change, _, live)| change.old == Old::Folder && *live != Live::Old).collect();
    folders.sort_by(|(a, ..), (b, ..)| a.path.cmp(&b.path));
    steps.extend(folders.into_iter().map(|(change, ..)| Step::MakeFolder { path: change.path.clone() }));
    let returning = |is_entry: bool| {
        let of_kind = pairs
            .iter()
            .filter(move |(change, _, live)| change.is_entry == is_entry && matches!(change.old, Old::Leaf(_)) && *live != Live::Old);
        of_kind
            .filter(|(change, ..)| !matches!(change.new, New::Set(_)))
            .map(move |(change, ..)| Step::Return { path: change.path.clone(), is_entry })
    };
    steps.extend(returning(false));
    for (change, seen, _) in &pairs {
        if let (New::Set(_), Old::Leaf(Identity::File(old))) = (&change.new, &change.old)
            && !is(&seen.live, &Identity::File(*old))
        {
            steps.push(Step::Set { path: change.path.clone(), to: *old });
        }
    }
    steps.extend(returning(true));
    steps
}
