//! A change as the roles that are to be signed: the one thing that travels between machines, whole or half signed.
//!
//! A publisher's machine composes it, whoever holds keys adds signatures (also far from the repository, [`super::signing_request`]), and [`super::commit`] makes it visible. Nothing in it
//! is believed for standing there: commit verifies the repository that it would make as a station does. It can be committed only onto the versions that it was composed from
//! ([`Proposal::base`]), so two publishers cannot undo each other.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::change::{Change, role_of};
use super::commit::CommitError;
use super::disk::Disk;
use super::folder_role;
use super::layout;
use super::signers::Signers;
use super::versions::Versions;
use super::view::View;
use crate::canonical;
use crate::digest::Digest;
use crate::key::{Ed25519Verifier, KeyId};
use crate::limits::Limits;
use crate::name::Name;
use crate::role::{self, HasHeader as _, KeyTable, RoleKeys};
use crate::root::Root;
use crate::signed::Envelope;
use crate::signer::Signer as _;
use crate::snapshot::Snapshot;
use crate::targets::{Delegations, TargetFile, Targets};
use crate::time::UtcTime;
use crate::timestamp::Timestamp;
use crate::trust::TARGETS;

/// Files by target path.
type Listing = BTreeMap<String, TargetFile>;

/// A change, composed.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The repository it is for.
    pub repository: Name,
    /// Versions that must still be current when it is committed: those of the roles in `before`.
    pub base: BTreeMap<String, u64>,
    /// The roles as they are now: root, targets, each role it replaces, and each that lists a document of it now. What signers compare with.
    pub before: BTreeMap<String, Envelope>,
    /// Root, targets and the roles that those delegate to, as far as they change, with the signatures they have so far.
    pub roles: BTreeMap<String, Envelope>,
    /// New documents by target path.
    pub documents: BTreeMap<String, Vec<u8>>,
    /// The documents that they replace.
    pub replaced: BTreeMap<String, Vec<u8>>,
    /// Whether the snapshot is signed anew; a refresh of the timestamp alone leaves it.
    pub renews_snapshot: bool,
}

/// How far a role of a proposal is signed, by one set of keys that must sign it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The role.
    pub role: String,
    /// Who must sign it: a new root is signed by the keys before it, too.
    pub keys: RoleKeys,
    /// The keys among them that have signed.
    pub signed: u64,
}

impl Progress {
    /// Whether enough have signed.
    pub fn is_complete(&self) -> bool {
        self.signed >= self.keys.threshold.get()
    }

    /// The ids of the keys, for people.
    pub fn ids(&self) -> String {
        self.keys.keyids.iter().map(KeyId::as_str).collect::<Vec<_>>().join(", ")
    }
}

impl Proposal {
    /// Composes `change` onto `view`, unsigned. Versions and expiries are set here.
    pub fn compose(disk: &Disk, view: &View, change: &Change, now: UtcTime) -> Result<Proposal, CommitError> {
        let current = view.targets.delegations.as_ref();
        let touched = change.roles(current);
        let delegations = change.delegations.as_ref().or(current);
        let versions = Versions::new(disk, now, restarts(view, change))?;
        let mut proposal = Proposal {
            repository: view.policy.repository.clone(),
            base: BTreeMap::new(),
            before: BTreeMap::new(),
            roles: BTreeMap::new(),
            documents: change.documents.clone(),
            replaced: BTreeMap::new(),
            renews_snapshot: !touched.is_empty(),
        };
        if touched.contains(Root::KIND) {
            let root = change.root.as_ref().unwrap_or(&view.root);
            let header = versions.root_header(view.root.version())?;
            proposal.add(Root::KIND, &Root { header, ..root.clone() })?;
        }
        // `renewed` may name the snapshot, which is signed when the proposal is committed.
        for role in touched.iter().map(String::as_str).filter(|role| ![Root::KIND, Snapshot::KIND].contains(role)) {
            let is_new = || folder_role::is_folder(role) && delegations.is_some_and(|all| all.roles.iter().any(|one| one.name == role));
            let mut content: Targets = match view.content_of(role) {
                Some(content) => content.clone(),
                None if is_new() => Targets { targets: BTreeMap::new(), delegations: None, ..view.targets.clone() },
                None => return Err(CommitError::NoRole(role.to_owned())),
            };
            let documents = change.documents.iter().filter(|(path, _)| role_of(path, delegations) == role);
            content.targets.extend(documents.map(|(path, bytes)| (path.clone(), TargetFile::of(bytes))));
            // What a folder publishes by itself is listed by its role alone: what lies in the shadow of a delegation would come to light when that goes.
            content.targets.retain(|path, _| {
                let owner = role_of(path, delegations);
                role == TARGETS || owner == role || !(folder_role::is_folder(owner) || folder_role::is_folder(role))
            });
            if role == TARGETS && change.delegations.is_some() {
                content.delegations.clone_from(&change.delegations);
            }
            content.header = versions.header(role, TARGETS, view.listed_version(role))?;
            proposal.add(role, &content)?;
        }
        // A repository that is being made has nothing before but its root.
        match view.timestamp {
            Some(_) => {
                proposal.take_context(disk, view)?;
                proposal.base = proposal.before.keys().map(|role| (role.clone(), view.version_of(role).unwrap_or(0))).collect();
            }
            None => {
                proposal.before.insert(Root::KIND.to_owned(), read_envelope(disk, Root::KIND, view.root.version())?);
            }
        }
        Ok(proposal)
    }

    /// Takes root, targets, the roles that it replaces and those that list its documents, as they are now, for what was before.
    pub(super) fn take_context(&mut self, disk: &Disk, view: &View) -> Result<(), CommitError> {
        self.before.clear();
        let owners = self.documents.keys().map(|path| role_of(path, view.targets.delegations.as_ref()));
        for role in self.roles.keys().map(String::as_str).chain([Root::KIND, TARGETS]).chain(owners) {
            match view.version_of(role) {
                Some(version) => drop(self.before.insert(role.to_owned(), read_envelope(disk, role, version)?)),
                // A folder's role that begins with this.
                None if folder_role::is_folder(role) && self.roles.contains_key(role) => {}
                None => return Err(CommitError::NoRole(role.to_owned())),
            }
        }
        self.replaced.clear();
        for path in self.documents.keys() {
            let Some(digest) = self.listed_before(path) else { continue };
            if let Some(bytes) = disk.read(&layout::target_file(path, &digest), Limits::default().document_bytes)? {
                self.replaced.insert(path.clone(), bytes);
            }
        }
        Ok(())
    }

    /// Whether `role` is one that a proposal holds: root, targets, a folder's or an OS role. Snapshot and timestamp are signed when it is committed.
    pub(super) fn may_hold(&self, role: &str) -> bool {
        [Root::KIND, TARGETS].contains(&role) || folder_role::is_folder(role) || layout::os_roles().any(|os| os.as_str() == role)
    }

    fn delegations_before(&self) -> Option<Delegations> {
        self.before.get(TARGETS).and_then(content::<Targets>)?.delegations
    }

    /// The digest that the role of the target `path` lists for it now.
    pub(super) fn listed_before(&self, path: &str) -> Option<Digest> {
        let delegations = self.delegations_before();
        self.before.get(role_of(path, delegations.as_ref())).and_then(content::<Targets>)?.targets.get(path)?.hashes.get_sha256()
    }

    /// Whether root, targets and the roles before are signed by each other's keys, from a root on that is signed by its own: then what [`super::effect`] compares with is genuine,
    /// if the root is. Its version and digest are for people to compare.
    pub fn context_is_signed(&self) -> bool {
        let Some(root) = self.before.get(Root::KIND).and_then(content::<Root>) else { return false };
        let is_signed = |role: &str, keys: &KeyTable, role_keys: &RoleKeys| {
            self.before.get(role).is_some_and(|envelope| valid_signatures(envelope, keys, role_keys) >= role_keys.threshold.get())
        };
        let delegations = self.delegations_before();
        let delegated = |role: &str| {
            let delegations = delegations.as_ref()?;
            Some((&delegations.keys, &delegations.roles.iter().find(|delegated| delegated.name == role)?.keys))
        };
        self.before.keys().all(|role| match role.as_str() {
            Root::KIND => is_signed(role, &root.keys, &root.roles.root),
            TARGETS => is_signed(role, &root.keys, &root.roles.targets),
            _ => delegated(role).is_some_and(|(keys, role_keys)| is_signed(role, keys, role_keys)),
        })
    }

    /// The roles that `signers` would sign although none of their keys has signed them before. Whoever made the request could have made up the state before, too, and hidden a change
    /// in it: these are signed only by somebody who knows the root.
    pub fn unvouched(&self, signers: &Signers) -> Vec<String> {
        let own = |role: &str, envelope: &Envelope| {
            let sets = self.signers_of(role);
            let keys = sets.iter().flat_map(|(_, keys)| signers.of(keys));
            keys.into_iter().any(|signer| {
                let table = KeyTable::from([(signer.key_id(), signer.key().clone())]);
                let alone = RoleKeys { keyids: vec![signer.key_id()], threshold: NonZeroU64::MIN };
                valid_signatures(envelope, &table, &alone) > 0
            })
        };
        let would_sign = |role: &&String| self.signers_of(role).iter().any(|(_, keys)| signers.of(keys).next().is_some());
        self.roles
            .keys()
            .filter(would_sign)
            .filter(|role| self.before.get(*role).is_none_or(|before| !own(role, before)))
            .cloned()
            .collect()
    }

    /// The digest that its roles list for the target `path`.
    pub(super) fn lists(&self, path: &str) -> Option<Digest> {
        let delegations = self.targets().and_then(|targets| targets.delegations);
        self.proposed::<Targets>(role_of(path, delegations.as_ref()))?.targets.get(path)?.hashes.get_sha256()
    }

    fn add<T: Serialize>(&mut self, role: &str, content: &T) -> Result<(), CommitError> {
        let unsigned = Envelope::unsigned(content).map_err(|source| CommitError::Sign { role: role.to_owned(), source })?;
        self.roles.insert(role.to_owned(), unsigned);
        Ok(())
    }

    /// Root as it will be, or is.
    pub fn root(&self) -> Option<Root> {
        self.roles.get(Root::KIND).or_else(|| self.before.get(Root::KIND)).and_then(content)
    }

    /// Its roles in the order in which they are written: root, the delegated roles, targets.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (&str, &Envelope)> {
        let delegated = self.roles.keys().map(String::as_str).filter(|role| ![Root::KIND, TARGETS].contains(role));
        let order = [Root::KIND].into_iter().chain(delegated).chain([TARGETS]);
        order.filter_map(|role| Some((role, self.roles.get(role)?)))
    }

    /// Version and stored bytes of the root it was made on, for people to compare with what they know.
    pub fn before_root(&self) -> Option<(u64, Vec<u8>)> {
        let envelope = self.before.get(Root::KIND)?;
        Some((content::<Root>(envelope)?.version(), canonical::to_stored(envelope).ok()?))
    }

    /// The top-level targets as they will be, or are.
    pub fn targets(&self) -> Option<Targets> {
        self.roles.get(TARGETS).or_else(|| self.before.get(TARGETS)).and_then(content)
    }

    /// Who must sign `role`, with the keys: one set, or two for a root that follows another.
    pub fn signers_of(&self, role: &str) -> Vec<(KeyTable, RoleKeys)> {
        let top = |pick: &dyn Fn(&Root) -> RoleKeys| self.root().map(|root| (root.keys.clone(), pick(&root))).into_iter().collect();
        match role {
            Root::KIND => {
                let both = [self.before.get(Root::KIND), self.roles.get(Root::KIND)];
                let mut sets: Vec<_> =
                    both.into_iter().flatten().filter_map(content::<Root>).map(|root| (root.keys, root.roles.root)).collect();
                sets.dedup_by(|one, other| one.1 == other.1);
                sets
            }
            TARGETS => top(&|root| root.roles.targets.clone()),
            Snapshot::KIND => top(&|root| root.roles.snapshot.clone()),
            Timestamp::KIND => top(&|root| root.roles.timestamp.clone()),
            _ => {
                let delegations = self.targets().and_then(|targets| targets.delegations);
                let found = delegations.and_then(|delegations| {
                    let delegated = delegations.roles.iter().find(|delegated| delegated.name == role)?;
                    Some((delegations.keys.clone(), delegated.keys.clone()))
                });
                found.into_iter().collect()
            }
        }
    }

    /// Every set of keys that has to sign something, online roles included.
    pub fn all_signers(&self) -> Vec<(String, RoleKeys)> {
        let roles = self.roles.keys().map(String::as_str).chain([Snapshot::KIND, Timestamp::KIND]);
        roles.flat_map(|role| self.signers_of(role).into_iter().map(move |(_, keys)| (role.to_owned(), keys))).collect()
    }

    /// Adds the signatures that `signers` can make and that are still needed. Returns how many were added.
    pub fn sign(&mut self, signers: &Signers) -> Result<usize, CommitError> {
        let mut added = 0;
        let roles: Vec<String> = self.roles.keys().cloned().collect();
        for role in roles {
            for (keys, role_keys) in self.signers_of(&role) {
                let Some(envelope) = self.roles.get_mut(&role) else { continue };
                let failed = |source| CommitError::Sign { role: role.clone(), source };
                for signer in signers.of(&role_keys) {
                    if valid_signatures(envelope, &keys, &role_keys) >= role_keys.threshold.get() {
                        break;
                    }
                    added += usize::from(envelope.add_signature(signer).map_err(failed)?);
                }
            }
        }
        Ok(added)
    }

    /// Whether nothing is left to sign but snapshot and timestamp.
    pub fn is_signed(&self) -> bool {
        self.progress().iter().all(Progress::is_complete)
    }

    /// How far each role is signed.
    pub fn progress(&self) -> Vec<Progress> {
        let of = |role: &String, envelope: &Envelope| {
            let sets = self.signers_of(role).into_iter();
            let progress = sets.map(|(keys, role_keys)| {
                let signed = valid_signatures(envelope, &keys, &role_keys);
                Progress { role: role.clone(), keys: role_keys, signed }
            });
            progress.collect::<Vec<_>>()
        };
        self.roles.iter().flat_map(|(role, envelope)| of(role, envelope)).collect()
    }

    /// Takes the signatures of `other` over, a copy of the same proposal that somebody else signed.
    ///
    /// # Errors
    /// [`CommitError::OtherRequest`] when it is not a copy.
    pub fn merge(&mut self, other: Proposal) -> Result<(), CommitError> {
        let same_content = self.roles.len() == other.roles.len()
            && self.roles.iter().all(|(role, envelope)| other.roles.get(role).is_some_and(|theirs| theirs.signed == envelope.signed));
        if !same_content || self.documents != other.documents || self.repository != other.repository {
            return Err(CommitError::OtherRequest);
        }
        for (role, envelope) in other.roles {
            if let Some(mine) = self.roles.get_mut(&role) {
                mine.merge_signatures(envelope.signatures);
            }
        }
        Ok(())
    }

    /// Target paths that its roles list otherwise than before.
    pub(super) fn changed_paths(&self) -> Vec<String> {
        let changed = self.listings().into_iter().flat_map(|(_, (before, after))| {
            after.into_iter().filter(move |(path, file)| before.get(path) != Some(file)).map(|(path, _)| path)
        });
        changed.collect()
    }

    /// Target paths that its roles listed before for stations to find, and that no role lists now.
    pub(super) fn lost_paths(&self) -> Vec<String> {
        let delegations = self.delegations_before();
        let lost = |(role, (before, after)): (String, (Listing, Listing))| {
            let gone = before.into_keys().filter(|path| role_of(path, delegations.as_ref()) == role && !after.contains_key(path));
            gone.filter(|path| self.lists(path).is_none()).collect::<Vec<_>>()
        };
        self.listings().into_iter().flat_map(lost).collect()
    }

    /// What each of its targets roles listed before, and lists after.
    fn listings(&self) -> Vec<(String, (Listing, Listing))> {
        let targets =
            |envelope: Option<&Envelope>| envelope.and_then(content::<Targets>).map(|content| content.targets).unwrap_or_default();
        let roles = self.roles.iter().filter(|(role, _)| role.as_str() != Root::KIND);
        roles.map(|(role, after)| (role.clone(), (targets(self.before.get(role)), targets(Some(after))))).collect()
    }

    /// The typed content of a role that it proposes.
    pub fn proposed<T: DeserializeOwned>(&self, role: &str) -> Option<T> {
        self.roles.get(role).and_then(content)
    }
}

/// How many of `role_keys` have signed `envelope`. What has no canonical form has no valid signature either.
fn valid_signatures(envelope: &Envelope, keys: &KeyTable, role_keys: &RoleKeys) -> u64 {
    role::valid_signatures(envelope, keys, role_keys, &Ed25519Verifier).unwrap_or(0)
}

/// What an envelope says, verified or not.
pub(super) fn content<T: DeserializeOwned>(envelope: &Envelope) -> Option<T> {
    T::deserialize(&envelope.signed).ok()
}

fn read_envelope(disk: &Disk, role: &str, version: u64) -> Result<Envelope, CommitError> {
    let file = layout::role_file(role, version);
    let limit = Limits::default().targets_bytes;
    let bytes = disk.read(&file, limit)?.ok_or_else(|| CommitError::NoRole(role.to_owned()))?;
    Envelope::parse(&bytes, limit).map_err(|source| CommitError::Sign { role: role.to_owned(), source })
}

/// Whether stations forget the versions that they have seen, because the keys of snapshot or timestamp change (TUF 1.0.34 section 5.3.11): then versions that a thief drove up are left behind.
fn restarts(view: &View, change: &Change) -> bool {
    change.root.as_ref().is_some_and(|root| root.changes_online_keys_of(&view.root))
}
