//! The repository as a publisher sees it: every role, verified from the root down, and the documents that they list.
//!
//! The chain is that of a station ([`TrustedSet`]); a publisher only looks at it as of no particular time, for an expired repository is there to be signed anew.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde::Deserialize;

use crate::channel::{ChannelDocument, ChannelError, ObjectRef, Release};
use crate::digest::Digest;
use crate::install_link::RootPin;
use crate::key::Ed25519Verifier;
use crate::limits::Limits;
use crate::name::{ChannelId, Name};
use crate::policy::{POLICY_PATH, Policy, PolicyError};
use crate::publish::change::role_of;
use crate::publish::disk::{Disk, DiskError};
use crate::publish::folder_role;
use crate::publish::layout;
use crate::release::{Manifest, ManifestError, ReleaseId};
use crate::role::{HasHeader, MetaFile, RoleKeys};
use crate::root::Root;
use crate::signed::Envelope;
use crate::snapshot::Snapshot;
use crate::targets::{TargetFile, Targets};
use crate::time::UtcTime;
use crate::timestamp::Timestamp;
use crate::trust::{Need, Origin, TARGETS, TrustError, TrustedSet};

/// What a repository holds.
#[derive(Debug, Clone)]
pub struct View {
    /// The newest root.
    pub root: Root,
    /// Its exact bytes, for install links.
    pub root_pin: RootPin,
    /// The timestamp; `None` while a repository is being made.
    pub timestamp: Option<Timestamp>,
    /// The snapshot; `None` while a repository is being made.
    pub snapshot: Option<Snapshot>,
    /// The top-level targets.
    pub targets: Targets,
    /// The roles that targets delegates to, in the order of search: those of self-publishing folders, then those of the operating systems.
    pub delegated: Vec<(String, Targets)>,
    /// The policy.
    pub policy: Policy,
    /// The channel documents.
    pub channels: BTreeMap<ChannelId, ChannelDocument>,
    /// Every file that the current roles name, roots included, relative to the repository.
    pub named: Vec<String>,
}

/// What is about to become visible.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending<'a> {
    /// The next root with its version, where there is one.
    pub(super) root: Option<(u64, &'a [u8])>,
    /// The timestamp.
    pub(super) timestamp: &'a [u8],
}

/// A repository is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// A file that is named is not there.
    #[error("`{0}` is missing: restore the repository from a backup (`manifests verify` lists all that is wrong)")]
    Missing(String),
    /// A role is not signed as it should be.
    #[error("`{file}` does not verify: {source}")]
    Trust {
        /// Its file.
        file: String,
        /// What is wrong.
        source: TrustError,
    },
    /// A target has not the length or hash that its role lists.
    #[error("`{0}` is damaged: restore it from a backup (`manifests verify` lists all that is wrong)")]
    Damaged(String),
    /// A path in a role that is no channel document's.
    #[error("role `{0}` lists `{1}`, which this program did not put there")]
    Stranger(String, String),
    /// A channel document.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A file could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl ViewError {
    /// The file of the repository that it is about, where one is.
    pub fn file(&self) -> Option<String> {
        match self {
            ViewError::Missing(file) | ViewError::Damaged(file) | ViewError::Trust { file, .. } => Some(file.clone()),
            ViewError::Stranger(_, path) => Some(path.clone()),
            ViewError::Channel(ChannelError::Malformed { id, .. }) => Some(id.target_path()),
            ViewError::Policy(_) => Some(POLICY_PATH.to_owned()),
            ViewError::Channel(_) | ViewError::Manifest(_) | ViewError::Disk(_) => None,
        }
    }
}

/// Says which file a role was read from.
fn of_file(file: &str) -> impl Fn(TrustError) -> ViewError {
    move |source| ViewError::Trust { file: file.to_owned(), source }
}

impl View {
    /// Reads the repository `name` and verifies every role and document of it; manifests and packs are read by whoever needs them.
    pub fn read(disk: &Disk, name: &Name) -> Result<View, ViewError> {
        let limit = Limits::default().timestamp_bytes;
        let timestamp = disk.read(layout::TIMESTAMP, limit)?.ok_or_else(|| ViewError::Missing(layout::TIMESTAMP.to_owned()))?;
        View::read_pending(disk, name, &Pending { root: None, timestamp: &timestamp })
    }

    /// The repository as stations will see it when `pending` becomes visible, verified likewise.
    pub(super) fn read_pending(disk: &Disk, name: &Name, pending: &Pending<'_>) -> Result<View, ViewError> {
        let limits = &Limits::default();
        let mut named = Vec::new();
        let mut take = |file: String, limit: u64| -> Result<Vec<u8>, ViewError> {
            let bytes = disk.read(&file, limit)?.ok_or_else(|| ViewError::Missing(file.clone()))?;
            named.push(file);
            Ok(bytes)
        };
        // Nothing has expired at the beginning of time.
        let beginning = UtcTime::from_unix(0);
        let first = layout::role_file(Root::KIND, 1);
        let mut root_bytes = take(first.clone(), limits.root_bytes)?;
        let mut set = TrustedSet::new(&root_bytes, beginning, Arc::new(Ed25519Verifier), limits.clone()).map_err(of_file(&first))?;
        // Nothing follows the last version that there is.
        while let Some(version) = set.root().version().checked_add(1) {
            let next = layout::role_file(Root::KIND, version);
            if !disk.path(&next).exists() {
                break;
            }
            root_bytes = take(next.clone(), limits.root_bytes)?;
            set.update_root(&root_bytes).map_err(of_file(&next))?;
        }
        if let Some((version, bytes)) = pending.root {
            let file = layout::role_file(Root::KIND, version);
            set.update_root(bytes).map_err(of_file(&file))?;
            root_bytes = bytes.to_vec();
            named.push(file);
        }
        named.push(layout::TIMESTAMP.to_owned());
        let mut take = |file: String, limit: u64| -> Result<Vec<u8>, ViewError> {
            let bytes = disk.read(&file, limit)?.ok_or_else(|| ViewError::Missing(file.clone()))?;
            named.push(file);
            Ok(bytes)
        };
        set.update_timestamp(pending.timestamp, Origin::Source).map_err(of_file(layout::TIMESTAMP))?;
        let snapshot_file = file_of(Snapshot::KIND, set.expected_snapshot().map_err(of_file(layout::TIMESTAMP))?);
        let snapshot = take(snapshot_file.clone(), limits.snapshot_bytes)?;
        set.update_snapshot(&snapshot, Origin::Source).map_err(of_file(&snapshot_file))?;
        let targets_file = file_of(TARGETS, set.expected_targets(TARGETS).map_err(of_file(&snapshot_file))?);
        let targets = take(targets_file.clone(), limits.targets_bytes)?;
        set.update_targets(&targets).map_err(of_file(&targets_file))?;
        let delegations = set.targets().and_then(|targets| targets.delegations.clone());
        let folders = delegations.iter().flat_map(|all| &all.roles).filter(|role| folder_role::channel_of(role).is_some());
        let mut delegated = vec![];
        for role in folders.map(|role| role.name.clone()).chain(layout::os_roles().map(|os| os.to_string())) {
            let file = file_of(&role, set.expected_targets(&role).map_err(of_file(&snapshot_file))?);
            let bytes = take(file.clone(), limits.targets_bytes)?;
            let need = Need { role: role.clone(), delegator: TARGETS.to_owned(), via: None };
            set.update_delegated(&bytes, &need).map_err(of_file(&file))?;
            let content = verified_content(&bytes, &role, limits)?;
            delegated.push((role, content));
        }
        let policy = take_target(&mut take, POLICY_PATH, set.top_level_target(POLICY_PATH), limits)?;
        let policy = Policy::parse(&policy, name, limits.document_bytes)?;
        let mut channels = BTreeMap::new();
        for (role, content) in &delegated {
            for (path, target) in &content.targets {
                let stranger = || ViewError::Stranger(role.clone(), path.clone());
                let is_folder = folder_role::is_folder(role);
                // No station finds it there: a folder's role is asked for one path alone, and nobody else for that.
                let owner = role_of(path, delegations.as_ref());
                if owner != role && (is_folder || folder_role::is_folder(owner)) {
                    continue;
                }
                let is_of_role = |id: &ChannelId| is_folder || id.os.as_str() == role;
                let id = ChannelId::from_target_path(path).ok().filter(is_of_role).ok_or_else(stranger)?;
                let bytes = take_target(&mut take, path, Some(target), limits)?;
                channels.insert(id.clone(), ChannelDocument::parse(&bytes, &id, limits.document_bytes)?);
            }
        }
        // Roles that folders had once: a snapshot keeps listing what it has listed (TUF 1.0.34 section 5.5.5), so their last files stay, although no station reads them.
        let snapshot = set.snapshot().cloned();
        for (file, listed) in snapshot.iter().flat_map(|snapshot| &snapshot.meta) {
            let last = file_of(file.trim_end_matches(".json"), listed);
            if !named.contains(&last) && disk.path(&last).exists() {
                named.push(last);
            }
        }
        let missing = |what: &str| ViewError::Missing(what.to_owned());
        Ok(View {
            root: set.root().clone(),
            root_pin: RootPin { version: set.root().version(), sha256: Digest::of(&root_bytes), length: root_bytes.len() as u64 },
            timestamp: set.timestamp().cloned(),
            snapshot,
            targets: set.targets().cloned().ok_or_else(|| missing(TARGETS))?,
            delegated,
            policy,
            channels,
            named,
        })
    }

    /// The keys of a role.
    pub fn keys_of(&self, role: &str) -> Option<&RoleKeys> {
        let delegated = || {
            let roles = self.targets.delegations.iter().flat_map(|delegations| &delegations.roles);
            roles.into_iter().find(|delegated| delegated.name == role).map(|delegated| &delegated.keys)
        };
        self.root.keys_of_role(role).or_else(delegated)
    }

    /// What a targets role says.
    pub(super) fn content_of(&self, role: &str) -> Option<&Targets> {
        if role == TARGETS {
            return Some(&self.targets);
        }
        self.delegated.iter().find(|(name, _)| name == role).map(|(_, content)| content)
    }

    /// The channels that folders publish by themselves, each with the name of its role.
    pub fn folders(&self) -> Vec<(String, ChannelId)> {
        let delegated = self.targets.delegations.iter().flat_map(|delegations| &delegations.roles);
        delegated.filter_map(|role| Some((role.name.clone(), folder_role::channel_of(role)?))).collect()
    }

    /// The releases that `documents`, by target path, list and the repository does not, by their manifest.
    pub(super) fn new_releases(&self, documents: &BTreeMap<String, Vec<u8>>) -> Result<Vec<(ChannelId, Release)>, ViewError> {
        let mut new = Vec::new();
        for (path, bytes) in documents.iter().filter(|(path, _)| *path != POLICY_PATH) {
            let id = ChannelId::from_target_path(path).map_err(|_| ViewError::Damaged(path.clone()))?;
            let known: HashSet<Digest> =
                self.channels.get(&id).into_iter().flat_map(|document| &document.releases).map(|release| release.manifest.sha256).collect();
            let document = ChannelDocument::parse(bytes, &id, Limits::default().document_bytes)?;
            new.extend(
                document
                    .releases
                    .into_iter()
                    .filter(|release| !known.contains(&release.manifest.sha256))
                    .map(|release| (id.clone(), release)),
            );
        }
        Ok(new)
    }

    /// The version of a role.
    pub fn version_of(&self, role: &str) -> Option<u64> {
        self.headers().into_iter().find(|(name, ..)| name == role).map(|(_, version, _)| version)
    }

    /// The version of a targets role that the snapshot lists; 0 when it lists none.
    pub fn listed_version(&self, role: &str) -> u64 {
        self.snapshot.as_ref().and_then(|snapshot| snapshot.role(role)).map_or(0, |file| file.version.get())
    }

    /// Every role with its version and expiry, in the order in which stations read them.
    pub fn headers(&self) -> Vec<(String, u64, UtcTime)> {
        let entry = |role: &str, header: &crate::role::Header| (role.to_owned(), header.version.get(), header.expires);
        let mut all = vec![entry(Root::KIND, self.root.header())];
        all.extend(self.timestamp.iter().map(|role| entry(Timestamp::KIND, role.header())));
        all.extend(self.snapshot.iter().map(|role| entry(Snapshot::KIND, role.header())));
        all.push(entry(TARGETS, self.targets.header()));
        all.extend(self.delegated.iter().map(|(name, role)| entry(name, role.header())));
        all
    }
}

fn file_of(role: &str, listed: &MetaFile) -> String {
    layout::role_file(role, listed.version.get())
}

fn take_target(
    take: &mut dyn FnMut(String, u64) -> Result<Vec<u8>, ViewError>,
    path: &str,
    target: Option<&TargetFile>,
    limits: &Limits,
) -> Result<Vec<u8>, ViewError> {
    let target = target.ok_or_else(|| ViewError::Missing(path.to_owned()))?;
    let digest = target.hashes.get_sha256().ok_or_else(|| ViewError::Damaged(path.to_owned()))?;
    let file = layout::target_file(path, &digest);
    let bytes = take(file.clone(), limits.document_bytes)?;
    if target.match_bytes(&bytes) { Ok(bytes) } else { Err(ViewError::Damaged(file)) }
}

/// The content of a role that the trusted set has just accepted from the same bytes.
fn verified_content(bytes: &[u8], role: &str, limits: &Limits) -> Result<Targets, ViewError> {
    let damaged = || ViewError::Damaged(format!("role {role}"));
    let envelope = Envelope::parse(bytes, limits.targets_bytes).map_err(|_| damaged())?;
    Targets::deserialize(&envelope.signed).map_err(|_| damaged())
}

/// The id of the release that a channel document lists.
pub fn release_id(id: &ChannelId, build: &crate::build::Build) -> ReleaseId {
    ReleaseId { product: id.product.clone(), os: id.os, arch: id.arch, variant: id.variant.clone(), build: build.clone() }
}

/// Reads a manifest and checks it as a station would.
pub fn read_manifest(disk: &Disk, object: &ObjectRef, id: &ReleaseId, limits: &Limits) -> Result<Manifest, ViewError> {
    let file = object.sha256.object_path();
    let bytes = disk.read(&file, limits.manifest_bytes)?.ok_or_else(|| ViewError::Missing(file.clone()))?;
    if bytes.len() as u64 != object.length || Digest::of(&bytes) != object.sha256 {
        return Err(ViewError::Damaged(file));
    }
    Ok(Manifest::parse(&bytes, id, limits)?)
}
