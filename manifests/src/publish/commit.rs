//! Makes a signed proposal visible: the one place where a repository's roles are written, in the one order that is safe.
//!
//! Targets, OS roles, the targets role and the snapshot (objects are there already); stations start from root and timestamp, so all that is written before those is invisible, and a crash
//! leaves the old, consistent view and orphans that `gc` removes. Before anything becomes visible the whole repository is read as it would be and verified as a station does it
//! (`View::read_pending`): what is not signed as it must be, or leads stations backwards, is refused here, whoever made it. Root and timestamp become visible together
//! (`unfinished.rs`). No version is ever written twice (`docs/format.md` section 2).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::canonical;
use crate::name::{ChannelId, Os};
use crate::publish::custody::plan::HIGHEST_HONEST;
use crate::publish::disk::{Disk, DiskError};
use crate::publish::keys::KeyError;
use crate::publish::layout;
use crate::publish::proposal::{Proposal, content};
use crate::publish::signers::Signers;
use crate::publish::unfinished;
use crate::publish::versions::{Versions, lifetime_days};
use crate::publish::view::{Pending, View, ViewError};
use crate::role::{HasHeader, Header, MetaFile};
use crate::root::Root;
use crate::signed::{Envelope, EnvelopeError};
use crate::signer::Signer;
use crate::snapshot::Snapshot;
use crate::time::UtcTime;
use crate::timestamp::{Timestamp, TimestampMeta};
use crate::trust::TARGETS;

/// A role that was signed, with version and expiry.
pub type SignedRole = (String, u64, UtcTime);

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
    /// Somebody gave a role a version near the last one there is.
    #[error(
        "role `{role}` has version {version}, which leaves no room for later ones: somebody who held its keys did that; \
         `manifests keys rotate REPO snapshot timestamp` lets stations forget it"
    )]
    RunAway {
        /// The role.
        role: String,
        /// Its version.
        version: u64,
    },
    /// A role without keys.
    #[error("the repository knows no role `{0}`")]
    NoRole(String),
    /// It was composed onto something that is no longer current.
    #[error(
        "this was made when `{role}` was at version {base}; it is at {current} now. Unless it was committed already, run the command that made it again: this one would undo what happened since"
    )]
    Stale {
        /// The role.
        role: String,
        /// The version it was made on.
        base: u64,
        /// The version now.
        current: u64,
    },
    /// Two files that were to be joined hold different things.
    #[error("the files are not copies of one signing request: sign copies of the same file, and commit those together")]
    OtherRequest,
    /// The repository would not verify.
    #[error("nothing was changed, for stations would refuse it: {0}")]
    Unsound(Box<ViewError>),
    /// The clock is not believed.
    #[error("{0}")]
    Clock(String),
    /// A role that has expired already, or that would outlive every care for it.
    #[error(
        "`{role}` would be valid until {expires}: a role is valid for {days} days from when it is made; run the command that made it again"
    )]
    Lifetime {
        /// The role.
        role: String,
        /// Its expiry.
        expires: UtcTime,
        /// Days that it may be valid.
        days: i64,
    },
    /// Stations would be led backwards.
    #[error("nothing was changed, for stations refuse to go backwards: {0}")]
    Backwards(String),
}

/// Writes `proposal`, which is signed but for snapshot and timestamp, for which `signers` holds the keys. `before` is the repository as it is; `None` while it is being made.
pub(super) fn commit(
    disk: &Disk,
    proposal: &Proposal,
    before: Option<&View>,
    signers: &Signers,
    now: UtcTime,
) -> Result<Vec<SignedRole>, CommitError> {
    if let Some(before) = before {
        refuse_stale(proposal, before)?;
    }
    for (path, bytes) in &proposal.documents {
        disk.put(&layout::target_file(path, &crate::digest::Digest::of(bytes)), bytes)?;
    }
    let mut signed = Vec::new();
    let mut meta = before.and_then(|view| view.snapshot.as_ref()).map(|snapshot| snapshot.meta.clone()).unwrap_or_default();
    let mut root = None;
    for (role, envelope) in proposal.in_order() {
        let header: Header = content(envelope).ok_or_else(|| CommitError::NoRole(role.to_owned()))?;
        Versions::refuse_run_away(role, header.version.get())?;
        refuse_lifetime(role, header.expires, now)?;
        let bytes = canonical::to_stored(envelope).map_err(|error| CommitError::Sign { role: role.to_owned(), source: error.into() })?;
        signed.push((role.to_owned(), header.version.get(), header.expires));
        if role == Root::KIND {
            root = Some((header.version.get(), bytes));
            continue;
        }
        disk.put(&layout::role_file(role, header.version.get()), &bytes)?;
        meta.insert(format!("{role}.json"), MetaFile::of(&bytes, header.version));
    }
    let writer = Online { disk, proposal, signers, versions: Versions::new(disk, now, restarts(proposal))? };
    let timestamp = writer.snapshot_and_timestamp(before, meta, &mut signed)?;
    let pending = Pending { root: root.as_ref().map(|(version, bytes)| (*version, bytes.as_slice())), timestamp: &timestamp };
    let after = View::read_pending(disk, &proposal.repository, &pending).map_err(|error| CommitError::Unsound(Box::new(error)))?;
    if let Some(before) = before {
        refuse_backwards(before, &after).map_err(CommitError::Backwards)?;
    }
    unfinished::show(disk, &pending)?;
    Ok(signed)
}

/// Refuses a role that stations would refuse at once, and one whose expiry would never make anybody look at it again. A clock may be a month wrong where the role was made.
fn refuse_lifetime(role: &str, expires: UtcTime, now: UtcTime) -> Result<(), CommitError> {
    let days = lifetime_days(role);
    if expires <= now || expires > now.plus_days(days.saturating_add(31)) {
        return Err(CommitError::Lifetime { role: role.to_owned(), expires, days });
    }
    Ok(())
}

/// Refuses a proposal that was composed from roles that are no longer current.
pub(super) fn refuse_stale(proposal: &Proposal, before: &View) -> Result<(), CommitError> {
    let roles = proposal.roles.keys().chain(proposal.base.keys()).map(String::as_str).chain([Root::KIND, TARGETS]);
    for role in roles {
        let (base, current) = (proposal.base.get(role).copied().unwrap_or(0), before.version_of(role).unwrap_or(0));
        if base != current {
            return Err(CommitError::Stale { role: role.to_owned(), base, current });
        }
    }
    Ok(())
}

/// Epochs and sequences never go down (design section 4), and every channel is of its policy's epoch.
fn refuse_backwards(before: &View, after: &View) -> Result<(), String> {
    for os in Os::ALL {
        let (was, is) = (before.policy.epoch(*os), after.policy.epoch(*os));
        if is < was {
            return Err(format!("the epoch of {os} would go from {was} down to {is}"));
        }
    }
    let highest = |view: &View, id: &ChannelId| {
        let of_product = view.channels.values().filter(|document| (document.id.os, &document.id.product) == (id.os, &id.product));
        of_product.map(|document| document.last_sequence).max().unwrap_or(0)
    };
    for (id, document) in &after.channels {
        if document.epoch != after.policy.epoch(id.os) {
            return Err(format!("{id} is of epoch {}, but the policy says {}", document.epoch, after.policy.epoch(id.os)));
        }
        let was_unread = before.channels.get(id).map(|before| before.unavailable.as_slice()).unwrap_or_default();
        if document.unavailable != was_unread && !document.unavailable.is_empty() {
            return Err(format!(
                "{id} would list releases that this program does not understand: commit it with a newer one, if it is meant so"
            ));
        }
        // Roles change one beside the other: what was composed before a folder published itself may have been given the same number.
        let listed = |view: &View, sequence: u64| view.channels.get(id).is_some_and(|known| known.release(sequence).is_some());
        let taken = document
            .releases
            .iter()
            .map(|release| release.sequence)
            .find(|sequence| !listed(before, *sequence) && *sequence <= highest(before, id));
        if let Some(taken) = taken.filter(|_| after.policy.epoch(id.os) == before.policy.epoch(id.os)) {
            return Err(format!("{taken}, a release of {id}, is a number that was given out meanwhile: publish it again"));
        }
        let (was, is) = (highest(before, id), highest(after, id));
        if is > was.max(HIGHEST_HONEST) {
            return Err(format!("{id} would be numbered up to {is}, which leaves few numbers for later releases"));
        }
        if is < was && after.policy.epoch(id.os) == before.policy.epoch(id.os) {
            return Err(format!("the releases of {id} were numbered up to {was}, and would be up to {is}"));
        }
    }
    match before.channels.keys().find(|id| !after.channels.contains_key(*id)) {
        Some(gone) => Err(format!("{gone} would be gone")),
        None => Ok(()),
    }
}

fn restarts(proposal: &Proposal) -> bool {
    let before: Option<Root> = proposal.before.get(Root::KIND).and_then(content);
    let after: Option<Root> = proposal.proposed(Root::KIND);
    before.zip(after).is_some_and(|(before, after)| after.changes_online_keys_of(&before))
}

/// Signs the roles whose keys are always at hand.
struct Online<'a> {
    disk: &'a Disk,
    proposal: &'a Proposal,
    signers: &'a Signers,
    versions: Versions,
}

impl Online<'_> {
    /// Writes the snapshot, where it changes, and returns the timestamp, which is yet to be shown.
    fn snapshot_and_timestamp(
        &self,
        before: Option<&View>,
        meta: BTreeMap<String, MetaFile>,
        signed: &mut Vec<SignedRole>,
    ) -> Result<Vec<u8>, CommitError> {
        let timestamp = before.and_then(|view| view.timestamp.as_ref());
        let renewed = self.proposal.renews_snapshot;
        let listed = match timestamp {
            // Only the timestamp is renewed.
            Some(timestamp) if !renewed => timestamp.meta.snapshot.clone(),
            _ => {
                let last = timestamp.map_or(0, |timestamp| timestamp.meta.snapshot.version.get());
                let header = self.versions.header(Snapshot::KIND, Snapshot::KIND, last)?;
                let bytes = self.sign(Snapshot::KIND, &Snapshot { header: header.clone(), meta })?;
                self.disk.put(&layout::role_file(Snapshot::KIND, header.version.get()), &bytes)?;
                signed.push((Snapshot::KIND.to_owned(), header.version.get(), header.expires));
                MetaFile::of(&bytes, header.version)
            }
        };
        let header = self.versions.header(Timestamp::KIND, Timestamp::KIND, timestamp.map_or(0, HasHeader::version))?;
        signed.push((Timestamp::KIND.to_owned(), header.version.get(), header.expires));
        self.sign(Timestamp::KIND, &Timestamp { header, meta: TimestampMeta { snapshot: listed } })
    }

    fn sign<T: Serialize>(&self, role: &str, content: &T) -> Result<Vec<u8>, CommitError> {
        let mut signers: Vec<&dyn Signer> = Vec::new();
        for (_, keys) in self.proposal.signers_of(role) {
            signers.extend(
                self.signers
                    .of(&keys)
                    .take(usize::try_from(keys.threshold.get()).unwrap_or(usize::MAX))
                    .map(|signer| signer as &dyn Signer),
            );
        }
        Envelope::sign(content, &signers).map_err(|source| CommitError::Sign { role: role.to_owned(), source })
    }
}
