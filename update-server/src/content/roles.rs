//! What a repository's metadata says of itself: the newest root, versions and expiries of all roles, whose keys lie on the server.
//!
//! Nothing here is verified. The server has no root that it trusts and decides nothing by what it reads; it only tells operators what stations
//! are about to see.

use std::collections::BTreeSet;

use manifests::digest::Digest;
use manifests::limits::Limits;
use manifests::name::{ChannelId, Name};
use manifests::policy::{POLICY_PATH, Policy};
use manifests::publish::folder_role;
use manifests::role::{HasHeader, Header};
use manifests::root::Root;
use manifests::signed::Envelope;
use manifests::snapshot::Snapshot;
use manifests::targets::Targets;
use manifests::time::UtcTime;
use manifests::timestamp::Timestamp;
use serde::de::DeserializeOwned;

use super::disk::{DiskError, Folder};
use super::served_path::{Kind, ServedPath};

/// One role as it lies in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleState {
    /// Its name.
    pub role: String,
    /// Its version.
    pub version: u64,
    /// It is valid before this instant.
    pub expires: UtcTime,
}

/// A repository as it lies on disk.
#[derive(Debug, Default)]
pub struct RepositoryState {
    /// Timestamp, snapshot, root, targets and what targets delegates to, as far as they could be read.
    pub roles: Vec<RoleState>,
    /// What could not be read, and why.
    pub unreadable: Vec<String>,
    /// Roles whose keys lie on the server, by the publisher's own policy.
    pub online: Vec<String>,
    /// The channels that the roles of the operating systems and of folders list, in order.
    pub channels: BTreeSet<ChannelId>,
}

/// Why a role could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RoleStateError {
    /// Its file.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// What is in it.
    #[error("understand `{path}`: {reason}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no root at all.
    #[error("no `metadata/N.root.json` in `{0}` (`manifests init` makes a repository)")]
    NoRoot(String),
}

impl RepositoryState {
    /// Reads what lies in `folder`. What is missing or damaged is named in [`RepositoryState::unreadable`].
    pub fn read(folder: &Folder, name: &Name) -> RepositoryState {
        let mut state = RepositoryState::default();
        let root = latest_root(folder).and_then(|(version, bytes)| content::<Root>(&path("root", version), &bytes));
        let timestamp = state.take("timestamp", read::<Timestamp>(folder, "metadata/timestamp.json"));
        let snapshot = timestamp.and_then(|timestamp| {
            state.take("snapshot", read::<Snapshot>(folder, &path("snapshot", timestamp.meta.snapshot.version.get())))
        });
        state.take("root", root);
        for (file, meta) in snapshot.into_iter().flat_map(|snapshot| snapshot.meta) {
            let role = file.strip_suffix(".json").unwrap_or(&file);
            let targets = state.take(role, read::<Targets>(folder, &path(role, meta.version.get())));
            let channels =
                targets.iter().flat_map(|targets| targets.targets.keys()).filter_map(|path| ChannelId::from_target_path(path).ok());
            state.channels.extend(channels.filter(|id| id.os.as_str() == role || folder_role::name(id) == role));
            if let Some(targets) = targets.filter(|_| role == "targets") {
                match policy(folder, name, &targets) {
                    Ok(policy) => state.online = policy.iter().flat_map(Policy::online_roles).map(str::to_owned).collect(),
                    Err(error) => state.unreadable.push(error.to_string()),
                }
            }
        }
        state
    }

    /// Notes what was learnt of `role`.
    fn take<T: HasHeader>(&mut self, role: &str, read: Result<T, RoleStateError>) -> Option<T> {
        match read {
            Ok(content) => {
                let Header { version, expires, .. } = content.header();
                self.roles.push(RoleState { role: role.to_owned(), version: version.get(), expires: *expires });
                Some(content)
            }
            Err(error) => {
                self.unreadable.push(error.to_string());
                None
            }
        }
    }

    /// The role of this name.
    pub fn role(&self, name: &str) -> Option<&RoleState> {
        self.roles.iter().find(|state| state.role == name)
    }
}

/// Version and bytes of the newest root.
pub fn latest_root(folder: &Folder) -> Result<(u64, Vec<u8>), RoleStateError> {
    let metadata = folder.root().join("metadata");
    let failed = |source| DiskError::Failed { path: metadata.display().to_string(), source };
    let mut newest = None;
    for entry in std::fs::read_dir(&metadata).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let Some(file) = name.to_str() else { continue };
        if ServedPath::parse(&format!("metadata/{file}")).is_some_and(|path| path.kind() == Kind::Root) {
            newest = newest.max(file.split('.').next().and_then(|version| version.parse::<u64>().ok()));
        }
    }
    let version = newest.ok_or_else(|| RoleStateError::NoRoot(folder.root().display().to_string()))?;
    Ok((version, folder.read(&path("root", version), Limits::default().root_bytes)?.0))
}

fn path(role: &str, version: u64) -> String {
    format!("metadata/{version}.{role}.json")
}

fn read<T: DeserializeOwned>(folder: &Folder, path: &str) -> Result<T, RoleStateError> {
    // A snapshot may name any role; what is not served is not read either.
    if ServedPath::parse(path).is_none() {
        return Err(DiskError::Missing(path.to_owned()).into());
    }
    let (bytes, _) = folder.read(path, Limits::default().targets_bytes)?;
    content(path, &bytes)
}

fn content<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, RoleStateError> {
    let malformed = |reason: String| RoleStateError::Malformed { path: path.to_owned(), reason };
    let envelope = Envelope::parse(bytes, Limits::default().targets_bytes).map_err(|error| malformed(error.to_string()))?;
    serde_json::from_value(envelope.signed).map_err(|error| malformed(error.to_string()))
}

/// The policy that `targets` lists, if it does.
fn policy(folder: &Folder, name: &Name, targets: &Targets) -> Result<Option<Policy>, RoleStateError> {
    let Some(listed) = targets.targets.get(POLICY_PATH) else { return Ok(None) };
    let malformed = |reason: String| RoleStateError::Malformed { path: POLICY_PATH.to_owned(), reason };
    let digest: Digest = listed.hashes.get_sha256().ok_or_else(|| malformed("it is listed without sha256".to_owned()))?;
    let limit = Limits::default().document_bytes;
    let (bytes, _) = folder.read(&format!("targets/{digest}.{POLICY_PATH}"), limit)?;
    Policy::parse(&bytes, name, limit).map(Some).map_err(|error| malformed(error.to_string()))
}
