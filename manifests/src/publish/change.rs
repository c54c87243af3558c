//! What is to become different in a repository: said first, then composed into a [`Proposal`](super::proposal::Proposal), signed and committed.

use std::collections::{BTreeMap, BTreeSet};

use crate::role::HasHeader as _;
use crate::root::Root;
use crate::targets::Delegations;
use crate::trust::TARGETS;

/// A change of a repository.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// New documents by target path; [`role_of`] says whose each is.
    pub documents: BTreeMap<String, Vec<u8>>,
    /// Roles to sign anew although nothing in them changed.
    pub renewed: BTreeSet<String>,
    /// What root becomes; its header is set when it is composed.
    pub root: Option<Root>,
    /// Who may sign for which paths from now on.
    pub delegations: Option<Delegations>,
}

impl Change {
    /// The roles that it signs, in a repository whose targets role delegates as `current` says.
    pub fn roles(&self, current: Option<&Delegations>) -> BTreeSet<String> {
        let delegations = self.delegations.as_ref().or(current);
        let owners = self.documents.keys().map(|path| role_of(path, delegations).to_owned());
        let mut roles: BTreeSet<String> = self.renewed.iter().cloned().chain(owners).collect();
        roles.extend(self.root.iter().map(|_| Root::KIND.to_owned()));
        roles.extend(self.delegations.iter().map(|_| TARGETS.to_owned()));
        roles
    }

    /// A change that signs the roles of the documents at `paths`, to find out whose keys it needs before any work.
    pub fn of_paths(paths: impl IntoIterator<Item = String>) -> Change {
        Change { documents: paths.into_iter().map(|path| (path, vec![])).collect(), ..Change::default() }
    }
}

/// The role that signs for a target path: the one that a station's search asks first. Every delegation is terminating, so it is also the last.
pub fn role_of<'a>(path: &'a str, delegations: Option<&'a Delegations>) -> &'a str {
    let Some((os, _)) = path.split_once('/') else { return TARGETS };
    delegations.and_then(|delegations| delegations.first_for(path)).map_or(os, |delegated| delegated.name.as_str())
}
