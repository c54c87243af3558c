//! Where a change goes once it is composed: into the repository, into a signing request, or into a submission bundle.
//!
//! Every command that changes a repository ends here, so each of them can be signed elsewhere.

use std::path::{Path, PathBuf};

use super::bundle;
use super::change::Change;
use super::commit::{self, SignedRole};
use super::proposal::{Progress, Proposal};
use super::signers::Signers;
use super::signing_request;
use super::view::View;
use super::{PublishError, Repository};
use crate::role::{HasHeader as _, RoleKeys};
use crate::root::Root;
use crate::signer::Ed25519Signer;
use crate::snapshot::Snapshot;
use crate::time::UtcTime;
use crate::timestamp::Timestamp;
use crate::trust::TARGETS;

/// What becomes of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Delivery {
    /// It is signed with the keys at hand and made visible.
    #[default]
    Commit,
    /// It is written to a file that others sign; what is visible stays as it is.
    Request(PathBuf),
    /// It is signed but for snapshot and timestamp, and written to a zip with the objects it needs, for the server that holds those keys.
    Bundle(PathBuf),
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// Stations see it. The roles that were signed.
    Committed(Vec<SignedRole>),
    /// It waits in a file. How far each role is signed.
    Written {
        /// The file.
        file: PathBuf,
        /// How far it is signed.
        progress: Vec<Progress>,
    },
}

impl Delivered {
    /// The file that it waits in, if it does.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Delivered::Committed(_) => None,
            Delivered::Written { file, .. } => Some(file),
        }
    }
}

impl Repository {
    /// The same repository, whose changes go where `delivery` says.
    pub fn delivering(self, delivery: Delivery) -> Repository {
        Repository { delivery, ..self }
    }

    /// The keys that `change` needs, before any work is done: all of them for a commit, all but the online ones for a bundle, those that are here for a request.
    pub(super) fn gather(&self, view: &View, change: &Change) -> Result<Signers, PublishError> {
        self.gather_with(view, change, vec![])
    }

    /// The same, with keys that were just made.
    pub(super) fn gather_with(&self, view: &View, change: &Change, made: Vec<Ed25519Signer>) -> Result<Signers, PublishError> {
        let needed = needed(view, change);
        let mut signers = Signers::default();
        made.into_iter().for_each(|signer| signers.add(signer));
        signers.gather(&self.keys, needed.iter().map(|(_, keys)| keys))?;
        let is_online = |role: &str| [Snapshot::KIND, Timestamp::KIND].contains(&role);
        let wanted = needed.iter().filter(|(role, _)| match &self.delivery {
            Delivery::Commit => true,
            Delivery::Bundle(_) => !is_online(role),
            Delivery::Request(_) => false,
        });
        match wanted.into_iter().find_map(|(role, keys)| signers.missing(role, keys, &self.keys)) {
            Some(missing) => Err(missing.into()),
            None => Ok(signers),
        }
    }

    /// Composes `change`, signs it with `signers` and sends it on its way.
    pub(super) fn deliver(&self, view: &View, signers: &Signers, change: &Change, now: UtcTime) -> Result<Delivered, PublishError> {
        let mut proposal = Proposal::compose(&self.disk, view, change, now)?;
        proposal.sign(signers)?;
        match &self.delivery {
            Delivery::Commit => Ok(Delivered::Committed(commit::commit(&self.disk, &proposal, Some(view), signers, now)?)),
            Delivery::Request(file) => {
                signing_request::write(file, &proposal)?;
                Ok(Delivered::Written { file: file.clone(), progress: proposal.progress() })
            }
            Delivery::Bundle(file) => {
                bundle::write(file, &proposal, &self.disk, &self.new_objects(view, change)?)?;
                Ok(Delivered::Written { file: file.clone(), progress: proposal.progress() })
            }
        }
    }
}

/// Whose keys have to sign `change`.
fn needed(view: &View, change: &Change) -> Vec<(String, RoleKeys)> {
    let root = change.root.as_ref().unwrap_or(&view.root);
    let delegations = change.delegations.as_ref().or(view.targets.delegations.as_ref());
    let mut needed = vec![];
    let changed = change.roles(view.targets.delegations.as_ref()).into_iter().filter(|role| role != Snapshot::KIND);
    let roles = changed.chain([Snapshot::KIND, Timestamp::KIND].map(str::to_owned));
    for role in roles {
        let keys: Vec<&RoleKeys> = match role.as_str() {
            Root::KIND if view.root.roles.root == root.roles.root => vec![&root.roles.root],
            Root::KIND => vec![&view.root.roles.root, &root.roles.root],
            TARGETS => vec![&root.roles.targets],
            Snapshot::KIND => vec![&root.roles.snapshot],
            Timestamp::KIND => vec![&root.roles.timestamp],
            _ => delegations
                .iter()
                .flat_map(|all| &all.roles)
                .filter(|delegated| delegated.name == role)
                .map(|delegated| &delegated.keys)
                .collect(),
        };
        needed.extend(keys.into_iter().map(|keys| (role.clone(), keys.clone())));
    }
    needed
}
