//! A station: takes the files of a repository in the order of the workflow.

use std::sync::Arc;

use manifests::key::{Ed25519Verifier, Verifier};
use manifests::limits::Limits;
use manifests::targets::TargetFile;
use manifests::time::UtcTime;
use manifests::trust::{Origin, Search, SearchStep, TrustError, TrustedSet};

use crate::repository::{Files, now};

/// A station that trusts this root, at [`now`].
pub(crate) fn station(root: &[u8]) -> TrustedSet {
    station_at(root, now())
}

/// A station that trusts this root, at this time.
pub(crate) fn station_at(root: &[u8], time: UtcTime) -> TrustedSet {
    TrustedSet::new(root, time, Arc::new(Ed25519Verifier), Limits::default()).expect("a root that is signed by itself")
}

/// Starts from this root with another verifier or other limits.
pub(crate) fn start(root: &[u8], verifier: impl Verifier + 'static, limits: Limits) -> Result<TrustedSet, TrustError> {
    TrustedSet::new(root, now(), Arc::new(verifier), limits)
}

/// A station that took `files` at an earlier visit and now has them from its store.
pub(crate) fn returning(files: &Files) -> TrustedSet {
    let mut set = station(&files.root);
    set.update_timestamp(&files.timestamp, Origin::Store).expect("a stored timestamp");
    set.update_snapshot(&files.snapshot, Origin::Store).expect("a stored snapshot");
    set
}

/// A station that comes back with what it stored of `before` and takes `after` from a source.
pub(crate) fn refresh(before: &Files, after: &Files) -> Result<TrustedSet, TrustError> {
    let mut set = station(&before.root);
    set.update_timestamp(&before.timestamp, Origin::Store)?;
    set.update_timestamp(&after.timestamp, Origin::Source)?;
    set.update_snapshot(&before.snapshot, Origin::Store)?;
    if !set.has_current_snapshot() {
        set.update_snapshot(&after.snapshot, Origin::Source)?;
    }
    set.update_targets(&after.targets)?;
    Ok(set)
}

/// A new station that takes all top-level roles of `files`.
pub(crate) fn first_visit(files: &Files) -> Result<TrustedSet, TrustError> {
    let mut set = station(&files.root);
    take(&mut set, files)?;
    Ok(set)
}

/// Takes timestamp, snapshot and targets.
pub(crate) fn take(set: &mut TrustedSet, files: &Files) -> Result<(), TrustError> {
    set.update_timestamp(&files.timestamp, Origin::Source)?;
    set.update_snapshot(&files.snapshot, Origin::Source)?;
    set.update_targets(&files.targets)
}

/// What a search came to: the role that lists the target and how, if any does; and the roles that were looked into below the top, in order.
#[derive(Debug)]
pub(crate) struct Searched {
    pub(crate) found: Option<(String, TargetFile)>,
    pub(crate) visited: Vec<String>,
}

impl Searched {
    /// The role that lists the target.
    pub(crate) fn role(&self) -> Option<&str> {
        self.found.as_ref().map(|(role, _)| role.as_str())
    }
}

/// Searches `path`, taking delegated roles from `files` as they are needed.
pub(crate) fn search(set: &mut TrustedSet, files: &Files, path: &str) -> Result<Searched, TrustError> {
    let mut search = Search::new(path);
    let mut visited = Vec::new();
    loop {
        match search.step(set)? {
            SearchStep::Found { role, target } => return Ok(Searched { found: Some((role, target)), visited }),
            SearchStep::NotFound => return Ok(Searched { found: None, visited }),
            SearchStep::Need(need) => {
                assert!(visited.len() < 10_000, "a search that does not end: it needs {need:?} again");
                // What a client does before it asks a source for a file.
                set.expected_targets(&need.role)?;
                let file = files.delegated.get(&need.role).map(Vec::as_slice).unwrap_or_default();
                set.update_delegated(file, &need)?;
                visited.push(need.role);
            }
        }
    }
}

/// Searches `path` in `files` on a station that has never seen them.
pub(crate) fn find(files: &Files, path: &str) -> Result<Searched, TrustError> {
    search(&mut first_visit(files)?, files, path)
}
