//! Makes a change visible: the one place where roles are signed and written, in the one order that is safe.
//!
//! Targets, OS roles, the targets role, the snapshot, the timestamp (objects are there already). Stations start from the timestamp, so all that is written before it is invisible: a
//! crash anywhere leaves the old, consistent view and orphans that `gc` removes. No version is ever written twice (`docs/format.md` section 2).

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;

use serde::Serialize;

use crate::name::Os;
use crate::publish::disk::{Disk, DiskError};
use crate::publish::keys::{KeyError, KeyFolder};
use crate::publish::layout;
use crate::publish::view::View;
use crate::role::{HasHeader, Header, MetaFile};
use crate::root::Root;
use crate::signed::{Envelope, EnvelopeError};
use crate::signer::{Ed25519Signer, Signer};
use crate::snapshot::Snapshot;
use crate::targets::{TargetFile, Targets};
use crate::time::UtcTime;
use crate::timestamp::{Timestamp, TimestampMeta};
use crate::trust::TARGETS;

/// Days that a role is valid after it was signed (design section 4).
pub fn lifetime_days(role: &str) -> i64 {
    match role {
        Timestamp::KIND => 7,
        Snapshot::KIND => 30,
        _ => 365,
    }
}

/// A change of a repository.
#[derive(Debug, Default)]
pub struct Change {
    /// New documents by target path; each belongs to the OS role of its first component, or to targets.
    pub documents: BTreeMap<String, Vec<u8>>,
    /// Roles to sign anew although nothing in them changed.
    pub renewed: BTreeSet<String>,
}

/// A change could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A file could not be written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A key is missing.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A role could not be signed.
    #[error("cannot sign `{role}`: {source}")]
    Sign {
        /// The role.
        role: String,
        /// Why.
        source: EnvelopeError,
    },
    /// No version is left.
    #[error("role `{0}` has reached the highest version there is")]
    Version(String),
    /// A role without keys.
    #[error("the repository knows no role `{0}`")]
    NoRole(String),
}

/// The keys that a change needs, at hand before any work is done.
pub struct Signers(BTreeMap<String, Vec<Ed25519Signer>>);

impl Signers {
    /// Loads the keys of the roles that `change` signs.
    pub fn load(keys: &KeyFolder, view: &View, change: &Change) -> Result<Signers, CommitError> {
        let mut roles: BTreeSet<String> = change.roles();
        roles.extend([Snapshot::KIND, Timestamp::KIND].map(str::to_owned));
        let load = |role: String| {
            let of = view.keys_of(&role).ok_or_else(|| CommitError::NoRole(role.clone()))?;
            Ok((role.clone(), keys.signers(&role, of)?))
        };
        Ok(Signers(roles.into_iter().map(load).collect::<Result<_, CommitError>>()?))
    }

    /// Keys that were just made.
    pub(crate) fn from_made(made: BTreeMap<String, Vec<Ed25519Signer>>) -> Signers {
        Signers(made)
    }

    fn sign<T: Serialize>(&self, role: &str, content: &T) -> Result<Vec<u8>, CommitError> {
        let signers = self.0.get(role).ok_or_else(|| CommitError::NoRole(role.to_owned()))?;
        let signers: Vec<&dyn Signer> = signers.iter().map(|signer| signer as &dyn Signer).collect();
        Envelope::sign(content, &signers).map_err(|source| CommitError::Sign { role: role.to_owned(), source })
    }
}

impl Change {
    /// The root, targets and OS roles that it signs.
    pub fn roles(&self) -> BTreeSet<String> {
        self.renewed.iter().cloned().chain(self.documents.keys().map(|path| role_of(path).to_owned())).collect()
    }
}

/// The role that signs for a target path.
fn role_of(path: &str) -> &str {
    path.split_once('/').map_or(TARGETS, |(os, _)| os)
}

/// Writes `change`, with the timestamp last. Returns the roles that were signed, with version and expiry.
pub fn commit(
    disk: &Disk,
    signers: &Signers,
    view: &View,
    change: &Change,
    now: UtcTime,
) -> Result<Vec<(String, u64, UtcTime)>, CommitError> {
    let writer = Writer { disk, signers, now, highest: highest_versions(disk)? };
    let mut signed = Vec::new();
    let touched = change.roles();
    if touched.contains(Root::KIND) {
        let header = writer.header(Root::KIND, Root::KIND, view.root.version() + 1)?;
        signed.push(writer.write(Root::KIND, &Root { header, ..view.root.clone() })?.0);
    }
    for (path, bytes) in &change.documents {
        disk.put(&layout::target_file(path, &crate::digest::Digest::of(bytes)), bytes)?;
    }
    let mut meta = view.snapshot.as_ref().map(|snapshot| snapshot.meta.clone()).unwrap_or_default();
    let os_roles = view.os_roles.iter().map(|(os, content)| (Os::as_str(*os), content));
    for (role, content) in os_roles.chain([(TARGETS, &view.targets)]).filter(|(role, _)| touched.contains(*role)) {
        let mut content: Targets = content.clone();
        let documents = change.documents.iter().filter(|(path, _)| role_of(path) == role);
        content.targets.extend(documents.map(|(path, bytes)| (path.clone(), TargetFile::of(bytes))));
        content.header = writer.header(role, TARGETS, listed_version(&meta, role) + 1)?;
        let (entry, file) = writer.write(role, &content)?;
        signed.push(entry);
        meta.insert(format!("{role}.json"), file);
    }
    let before = view.timestamp.as_ref().map_or(0, |timestamp| timestamp.meta.snapshot.version.get());
    let listed = match &view.timestamp {
        // Only the timestamp is renewed.
        Some(timestamp) if touched.is_empty() => timestamp.meta.snapshot.clone(),
        _ => {
            let header = writer.header(Snapshot::KIND, Snapshot::KIND, before + 1)?;
            let (entry, file) = writer.write(Snapshot::KIND, &Snapshot { header, meta })?;
            signed.push(entry);
            file
        }
    };
    let before = view.timestamp.as_ref().map_or(0, HasHeader::version);
    let header = writer.header(Timestamp::KIND, Timestamp::KIND, before + 1)?;
    let bytes = signers.sign(Timestamp::KIND, &Timestamp { header: header.clone(), meta: TimestampMeta { snapshot: listed } })?;
    disk.put(layout::TIMESTAMP, &bytes)?;
    signed.push((Timestamp::KIND.to_owned(), header.version.get(), header.expires));
    Ok(signed)
}

fn listed_version(meta: &BTreeMap<String, MetaFile>, role: &str) -> u64 {
    meta.get(&format!("{role}.json")).map_or(0, |file| file.version.get())
}

/// The highest version of each role that has a file, whether anything names it or not.
fn highest_versions(disk: &Disk) -> Result<BTreeMap<String, u64>, DiskError> {
    let mut highest = BTreeMap::new();
    for file in disk.files("metadata")? {
        let name = file.rsplit('/').next().unwrap_or_default();
        if let Some((version, role)) = layout::parse_role_file(name) {
            let known = highest.entry(role.to_owned()).or_insert(0);
            *known = version.max(*known);
        }
    }
    Ok(highest)
}

struct Writer<'a> {
    disk: &'a Disk,
    signers: &'a Signers,
    now: UtcTime,
    highest: BTreeMap<String, u64>,
}

impl Writer<'_> {
    /// The header of the next version of a role, `kind` being its `_type`: roots go up by one, all others also follow the clock, so that a repository restored from a backup is not taken
    /// for a rollback.
    fn header(&self, role: &str, kind: &str, at_least: u64) -> Result<Header, CommitError> {
        let version = match role {
            Root::KIND => at_least,
            _ => {
                let above_files = self.highest.get(role).copied().unwrap_or(0).saturating_add(1);
                at_least.max(above_files).max(u64::try_from(self.now.unix()).unwrap_or(0))
            }
        };
        // JSON of other languages holds integers up to 2^53 exactly.
        let version =
            NonZeroU64::new(version).filter(|version| version.get() < 1 << 53).ok_or_else(|| CommitError::Version(role.to_owned()))?;
        Ok(Header::new(kind, version, self.now.plus_days(lifetime_days(role))))
    }

    fn write<T: Serialize + HasHeader>(&self, role: &str, content: &T) -> Result<((String, u64, UtcTime), MetaFile), CommitError> {
        let header = content.header();
        let bytes = self.signers.sign(role, content)?;
        self.disk.put(&layout::role_file(role, header.version.get()), &bytes)?;
        Ok(((role.to_owned(), header.version.get(), header.expires), MetaFile::of(&bytes, header.version)))
    }
}
