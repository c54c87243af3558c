//! What is to become different in a repository: said first, then composed into a [`Proposal`](super::proposal::Proposal), signed and committed.

use std::collections::{BTreeMap, BTreeSet};

use crate::role::HasHeader as _;
use crate::root::Root;
use crate::targets::Delegations;
use crate::trust::TARGETS;

/// A change of a repository.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// New documents by target path; each belongs to the OS role of its first component, or to targets.
    pub documents: BTreeMap<String, Vec<u8>>,
    /// Roles to sign anew although nothing in them changed.
    pub renewed: BTreeSet<String>,
    /// What root becomes; its header is set when it is composed.
    pub root: Option<Root>,
    /// Who may sign for which OS from now on.
    pub delegations: Option<Delegations>,
}

impl Change {
    /// The root, targets and OS roles that it signs.
    pub fn roles(&self) -> BTreeSet<String> {
        let mut roles: BTreeSet<String> =
            self.renewed.iter().cloned().chain(self.documents.keys().map(|path| role_of(path).to_owned())).collect();
        roles.extend(self.root.iter().map(|_| Root::KIND.to_owned()));
        roles.extend(self.delegations.iter().map(|_| TARGETS.to_owned()));
        roles
    }

    /// A change that signs the roles of the documents at `paths`, to find out whose keys it needs before any work.
    pub fn of_paths(paths: impl IntoIterator<Item = String>) -> Change {
        Change { documents: paths.into_iter().map(|path| (path, vec![])).collect(), ..Change::default() }
    }
}

/// The role that signs for a target path.
pub fn role_of(path: &str) -> &str {
    path.split_once('/').map_or(TARGETS, |(os, _)| os)
}
