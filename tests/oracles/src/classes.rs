//! The differences there are between the three clients, by name. A difference that no class explains fails the test.
//!
//! The table itself is [`table::CLASSES`]: who differs, how, why, and who is right by which clause of the specification (1.0.34). `docs/security.md` says the same for people.

mod table;

pub use table::CLASSES;

use crate::case::{Case, Change, Verdict};

/// A client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// This project.
    Ours,
    /// python-tuf.
    Python,
    /// sigstore-tuf.
    Sigstore,
}

/// The clients in the order in which verdicts stand.
pub const CLIENTS: [Who; 3] = [Who::Ours, Who::Python, Who::Sigstore];

/// How a client differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It accepts what others refuse.
    Accepts(Who),
    /// It refuses what others accept.
    Refuses(Who),
    /// The repository breaks a rule that is its own to keep, and clients may do as they like.
    Free,
}

/// A difference that is understood.
#[derive(Debug)]
pub struct Class {
    /// Its name.
    pub name: &'static str,
    /// Who differs, and how.
    pub how: How,
    /// Why, and who is right by which clause of the specification.
    pub why: &'static str,
    /// Whether what a case went through can lead to it.
    applies: fn(&Seen<'_>) -> bool,
}

/// The classes that explain why the verdicts of step `step` are not one; `None` when they cannot. `verdicts` are those of all steps, by client.
///
/// Either the target ought to be accepted, and each client that refuses has a class for that; or it ought to be refused, and each that accepts has one.
pub fn explain(case: &Case, step: usize, verdicts: &[Vec<Verdict>; 3]) -> Option<Vec<&'static Class>> {
    let refused_before = verdicts.iter().any(|client| client.iter().take(step).any(|verdict| !verdict.is_accepted()));
    let seen = Seen { changes: &case.changes, step, refused_before };
    let verdicts: Vec<&Verdict> = verdicts.iter().filter_map(|client| client.get(step)).collect();
    let find = |how: How| CLASSES.iter().find(|class| class.how == how && (class.applies)(&seen));
    let each = |accepted: bool, how: fn(Who) -> How| {
        let odd = CLIENTS.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_accepted() == accepted);
        odd.map(|(who, _)| find(how(*who))).collect::<Option<Vec<_>>>()
    };
    let accepted: Vec<_> = verdicts.iter().filter(|verdict| verdict.is_accepted()).collect();
    let one_target = accepted.windows(2).all(|pair| pair[0].agrees(pair[1]));
    let specific = if one_target { each(true, How::Accepts).or_else(|| each(false, How::Refuses)) } else { None };
    let free = || find(How::Free).or((refused_before && (HIDDEN.applies)(&seen)).then_some(&HIDDEN));
    specific.or_else(|| free().map(|class| vec![class]))
}

/// The class of what follows from other classes: at an earlier visit that all refused, some class already applied, so that each may have stored what another had refused.
pub static HIDDEN: Class = Class {
    name: "difference that an earlier refusal hid",
    how: How::Free,
    why: "All refused an earlier visit, but each for its own reason, which one of the other classes names, and so after other files were trusted and stored.",
    applies: |seen| {
        (0..seen.step).any(|step| CLASSES.iter().any(|class| class.how != How::Free && (class.applies)(&Seen { step, ..*seen })))
    },
};

/// What was done to a case up to a step.
struct Seen<'a> {
    changes: &'a [Change],
    step: usize,
    /// Whether an earlier step was refused.
    refused_before: bool,
}

impl Seen<'_> {
    /// Whether a change of this name, with a detail that `detail` likes, came about.
    fn any(&self, name: &str, detail: impl Fn(&str) -> bool) -> bool {
        self.changes.iter().any(|change| change.step <= self.step && change.name == name && detail(&change.detail))
    }

    /// The same for a detail that begins with one of `details`.
    fn begins(&self, name: &str, details: &[&str]) -> bool {
        self.any(name, |found| details.iter().any(|wanted| found.starts_with(wanted)))
    }

    /// Whether something was done to a role or file that `at` likes.
    fn touched(&self, at: fn(&str) -> bool) -> bool {
        self.changes.iter().any(|change| change.step <= self.step && at(&change.at))
    }

    /// Whether a change of one of these names came about.
    fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.any(name, |_| true))
    }

    /// Whether a value at a JSON pointer that `pointer` likes was made something else, `to` in JSON, or, for an empty `to`, anything or nothing.
    fn replaced(&self, pointer: impl Fn(&str) -> bool, to: &[&str]) -> bool {
        let fits = |detail: &str| match detail.split_once(" = ") {
            Some((place, value)) => pointer(place) && (to.is_empty() || to.contains(&value)),
            None => pointer(detail) && to.is_empty(),
        };
        self.any("value of another type", fits) || self.any("field missing", fits)
    }
}
