//! A case for the judges: bytes, times and a target, and nothing that only one of them could know.

use std::collections::BTreeMap;
use std::fmt;

/// Files by path: `metadata/…` and `targets/…`, named as a client asks for them.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A repository as a client meets it, once or several times.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it was generated from.
    pub seed: u64,
    /// The root that the client was installed with.
    pub root: Vec<u8>,
    /// The target path that it wants.
    pub target: String,
    /// What it finds, each time with what it stored before.
    pub steps: Vec<Step>,
    /// What was done to an honest repository to make this one.
    pub changes: Vec<Change>,
}

/// One visit of a client.
#[derive(Debug, Clone)]
pub struct Step {
    /// Seconds since 1970: the time of the visit.
    pub now: i64,
    /// What is served.
    pub files: Files,
}

/// Something that was done to a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Before which step, from 0.
    pub step: usize,
    /// What, in words that [`crate::classes`] knows.
    pub name: &'static str,
    /// To which role or file; empty when to all.
    pub at: String,
    /// What exactly, where it was drawn by lot.
    pub detail: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}: {}", self.step, self.name)?;
        for part in [&self.at, &self.detail].into_iter().filter(|part| !part.is_empty()) {
            write!(f, ", {part}")?;
        }
        Ok(())
    }
}

/// What a client made of one visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It trusts these bytes as the target: their SHA-256 in hex.
    Accepted(String),
    /// It got no target, for this reason. That nobody lists the target is such a reason: the specification lets a search that fails end so (5.6.7).
    Refused(String),
}

impl Verdict {
    /// Whether both say the same; reasons are each client's own.
    pub fn agrees(&self, other: &Verdict) -> bool {
        match (self, other) {
            (Verdict::Accepted(a), Verdict::Accepted(b)) => a == b,
            (Verdict::Refused(_), Verdict::Refused(_)) => true,
            _ => false,
        }
    }

    /// Whether there is a target.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Verdict::Accepted(_))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Accepted(digest) => write!(f, "accepts {}", digest.get(..12).unwrap_or(digest)),
            Verdict::Refused(reason) => write!(f, "refuses: {reason}"),
        }
    }
}
