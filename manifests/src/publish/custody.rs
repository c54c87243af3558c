//! Who holds which keys: rotating, revoking and moving them, each said beforehand as what stations will see.
//!
//! Every operation is a [`Change`](super::change::Change) like any other, so it can be signed elsewhere and is verified before it becomes visible. Nothing here decides whose signature counts: that is said by
//! root and delegations alone.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::deliver::Delivered;
use super::disk;
use super::effect::{Effect, effects};
use super::folder_role;
use super::keys::{KeyError, KeyFolder};
use super::layout;
use super::progress::Progress;
use super::proposal::Proposal;
use super::refresh;
use super::versions::Versions;
use super::view::View;
use super::{PublishError, Repository};
use crate::canonical;
use crate::channel::ChannelDocument;
use crate::digest::Digest;
use crate::json;
use crate::key::{Key, KeyId};
use crate::name::{ChannelId, Name, Os};
use crate::policy::Custody;
use crate::role::HasHeader as _;
use crate::root::Root;
use crate::signer::{Ed25519Signer, Signer as _};
use crate::snapshot::Snapshot;
use crate::time::UtcTime;
use crate::timestamp::Timestamp;
use crate::trust::TARGETS;

mod named;
pub(in crate::publish) mod plan;
pub mod split;

pub use named::{key_named, keys_named};

use plan::Plan;

/// Longest public key file, in bytes.
const MAX_PUBLIC_BYTES: usize = 4096;

/// A key operation that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum CustodyError {
    /// A role that no key signs for.
    #[error(
        "there is no role `{0}`: the roles are root, targets, snapshot, timestamp, windows, linux, macosx, android, wince, and those of `manifests folders list`"
    )]
    NoRole(String),
    /// A folder that publishes itself already.
    #[error("{channel} publishes itself already, under the role `{role}`: `manifests keys rotate` gives that another key")]
    FolderKnown {
        /// Its role.
        role: String,
        /// The channel.
        channel: ChannelId,
    },
    /// A channel that no folder publishes.
    #[error("no folder publishes {0} by itself: `manifests folders list` shows those that do")]
    NoFolder(ChannelId),
    /// A key that signs for nothing.
    #[error(
        "no role has a key `{0}`: `manifests keys list` shows those that count; at least four digits name one, or a role names all of its keys"
    )]
    NoKey(String),
    /// A beginning that several keys share.
    #[error("several keys begin with `{0}`: give more digits")]
    Ambiguous(String),
    /// A threshold that the keys could never, or too easily, meet.
    #[error(
        "{role} would have {keys} keys of which {threshold} must sign: choose a threshold from 1 to the number of keys, and at most 32 keys"
    )]
    Threshold {
        /// The role.
        role: String,
        /// Keys it would have.
        keys: usize,
        /// Signatures it would need.
        threshold: u64,
    },
    /// A key that is there already.
    #[error("{role} has the key {key} already")]
    Known {
        /// The role.
        role: String,
        /// The key.
        key: KeyId,
    },
    /// A key of a kind that stations do not verify.
    #[error("the key {0} is not an ed25519 key, which is the only kind that stations verify")]
    Kind(KeyId),
    /// No such key file.
    #[error("`{}` holds no such key file", .0.display())]
    NotInFolder(PathBuf),
    /// More than one key file fits.
    #[error("`{}` holds several keys: say which, by its id", .0.display())]
    WhichKey(PathBuf),
    /// A file that should hold a public key.
    #[error("`{}` holds no public key of `manifests keys export-public`: {reason}", file.display())]
    NotPublic {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A key is asked to sign a role that it never signed before.
    #[error(
        "your keys have not signed {role} before, so nothing here proves that what it changes is all it changes: compare the digest of root {version} with one \
         that you got in another way, and give it as --root-sha256 (the request says {sha256})"
    )]
    Unvouched {
        /// The role.
        role: String,
        /// The version of the root it was made on.
        version: u64,
        /// That root's digest.
        sha256: Digest,
    },
    /// No such release hangs off the keys.
    #[error("no channel that the revoked keys signed for lists the release `{0}`: `manifests list` shows products and numbers")]
    NotListed(Disowned),
    /// A key was to be moved to where it is.
    #[error("key {key} is in `{}` already: choose another folder", folder.display())]
    SamePlace {
        /// The key.
        key: KeyId,
        /// Where it is.
        folder: PathBuf,
    },
    /// Nobody looked at what is to be signed.
    #[error("nothing was signed: nobody is there to be asked. Read what it changes with --dry-run, then sign with --yes")]
    NobodyAsked,
    /// Whoever was asked said no.
    #[error("nothing was signed: the answer was not `y`")]
    NotAgreed,
    /// None of the keys here can sign what still needs a signature.
    #[error("`{}` holds no key that can sign it: {role} needs one of {wanted}", folder.display())]
    NoneToSign {
        /// The folder.
        folder: PathBuf,
        /// The first role that is not signed.
        role: String,
        /// The keys that could sign it and have not.
        wanted: String,
    },
    /// A request changes something that this program cannot read.
    #[error(
        "`{path}` would change in a way that this program cannot read, so nobody can say what would be signed: use a newer program, or do not sign it"
    )]
    Unreadable {
        /// The target path.
        path: String,
    },
    /// A key that is to be moved is needed where it lies.
    #[error(
        "key {key} of {role} signs for {online}, too, which is signed here every day: give {role} a key of its own first (`manifests keys rotate`)"
    )]
    NeededHere {
        /// The key.
        key: KeyId,
        /// The role whose keys are to be moved.
        role: String,
        /// The online role.
        online: String,
    },
    /// Nothing would change.
    #[error("nothing would change: give a role to rotate, keys to add or to drop, or another threshold")]
    Nothing,
    /// The keys that are to be moved are needed for something that waits.
    #[error("keys cannot be moved while the change waits in a file: sign and commit it, then run this again")]
    Waits,
}

/// How the keys of one role change.
#[derive(Debug, Clone, PartialEq)]
pub struct Rotation {
    /// The role.
    pub role: String,
    /// How many keys to make.
    pub add: usize,
    /// Public keys that were made elsewhere.
    pub admit: Vec<Key>,
    /// Which keys stop counting.
    pub drop: Dropped,
    /// How many must sign from now on; as before when absent.
    pub threshold: Option<u64>,
}

/// Which keys stop counting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dropped {
    /// All that the role has.
    All,
    /// These.
    Ids(Vec<KeyId>),
}

/// Keys that count no more, and what a thief did with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation<'a> {
    /// The keys.
    pub keys: &'a [KeyId],
    /// Releases of theirs that nobody should have signed.
    pub disowned: &'a [Disowned],
}

/// A release that somebody published who should not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disowned {
    /// The product.
    pub product: Name,
    /// The number in it.
    pub sequence: u64,
}

impl Disowned {
    fn is_listed(&self, view: &View, os: Os) -> bool {
        view.channels.values().any(|document| document.id.os == os && self.is_in(document))
    }

    fn is_in(&self, document: &ChannelDocument) -> bool {
        document.id.product == self.product && document.release(self.sequence).is_some()
    }
}

impl fmt::Display for Disowned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.product, self.sequence)
    }
}

/// What a rotation or revocation did, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Keys that were made, with the role they are for and the folder they are in; none in a dry run.
    pub made: Vec<(String, KeyId, PathBuf)>,
    /// What stations see of it.
    pub effects: Vec<Effect>,
    /// Where it went; `None` in a dry run.
    pub delivered: Option<Delivered>,
}

impl Repository {
    /// Changes the keys of roles. New keys are written to `new_keys`; `offline` says that it is not on the machine that serves, and the policy will say so too. Those of snapshot and timestamp
    /// are always written to the repository's own key folder.
    pub fn rotate(
        &self,
        rotations: &[Rotation],
        new_keys: &KeyFolder,
        offline: bool,
        dry_run: bool,
        now: UtcTime,
        progress: &dyn Progress,
    ) -> Result<Rotated, PublishError> {
        let _lock = self.lock("keys rotate", progress)?;
        let view = self.view()?;
        let mut plan = Plan::new(&view);
        for rotation in rotations {
            plan.rotate(rotation)?;
        }
        self.carry_out(&view, plan, (new_keys, offline), dry_run, now)
    }

    /// Makes keys count no more, for they were stolen or lost.
    ///
    /// Where too few would be left, new ones take their place. A new epoch begins for each OS whose role, or whose folder's role, had one: whatever the thief numbered, however high, no longer counts, and the
    /// current releases are offered again, also to stations that run a build above them. A release that the thief published into this very repository would be among those: it is left
    /// out when it is disowned.
    pub fn revoke(
        &self,
        revocation: &Revocation<'_>,
        new_keys: &KeyFolder,
        offline: bool,
        dry_run: bool,
        now: UtcTime,
        progress: &dyn Progress,
    ) -> Result<Rotated, PublishError> {
        let _lock = self.lock("keys revoke", progress)?;
        let view = self.view()?;
        let mut plan = Plan::new(&view);
        let Revocation { keys: ids, disowned } = revocation;
        for id in *ids {
            if !roles(&view).iter().any(|role| view.keys_of(role).is_some_and(|keys| keys.keyids.contains(id))) {
                return Err(CustodyError::NoKey(id.to_string()).into());
            }
        }
        let (mut epochs, mut run_away) = (BTreeSet::new(), false);
        for role in roles(&view) {
            let Some(keys) = view.keys_of(&role) else { continue };
            let dropped: Vec<KeyId> = keys.keyids.iter().filter(|id| ids.contains(id)).cloned().collect();
            if dropped.is_empty() {
                continue;
            }
            let (left, needed) = (keys.keyids.len() - dropped.len(), usize::try_from(keys.threshold.get()).unwrap_or(usize::MAX));
            let add = needed.saturating_sub(left);
            plan.rotate(&Rotation { role: role.clone(), add, admit: vec![], drop: Dropped::Ids(dropped), threshold: None })?;
            let of_folder = view.folders().into_iter().find(|(folder, _)| *folder == role).map(|(_, id)| id.os);
            if let Some(os) = layout::os_roles().find(|os| os.as_str() == role).or(of_folder) {
                epochs.insert(os);
                run_away |= Versions::has_run_away(view.listed_version(&role));
            }
        }
        if let Some(stranger) = disowned.iter().find(|disowned| !epochs.iter().any(|os| disowned.is_listed(&view, *os))) {
            return Err(CustodyError::NotListed(stranger.clone()).into());
        }
        for os in epochs {
            plan.begin_epoch(os, disowned)?;
        }
        if run_away {
            plan.forget_versions()?;
        }
        self.carry_out(&view, plan, (new_keys, offline), dry_run, now)
    }

    pub(super) fn carry_out(
        &self,
        view: &View,
        mut plan: Plan<'_>,
        (folder, offline): (&KeyFolder, bool),
        dry_run: bool,
        now: UtcTime,
    ) -> Result<Rotated, PublishError> {
        let slots = std::mem::take(&mut plan.slots);
        let beside = folder.at(self.keys.path());
        let place_of = |role: &str| if stays_with_server(role) { &beside } else { folder };
        let is_online_here = |role: &str| {
            let keys = view.keys_of(role).map(|keys| keys.keyids.as_slice()).unwrap_or_default();
            refresh::is_online(role) && (keys.iter().any(|id| self.keys.holds(id)) || slots.iter().any(|slot| slot == role))
        };
        let serves = roles(view).iter().any(|role| is_online_here(role));
        plan.keep_where(&slots, if offline { Some(Custody::Offline) } else { serves.then_some(Custody::Online) });
        let mut made = vec![];
        let mut fresh = vec![];
        for role in slots {
            // In a dry run the keys live in memory only: they are there to be counted.
            let signer = if dry_run { ephemeral()? } else { place_of(&role).created()?.generate(&role)? };
            plan.fill(&role, signer.key().clone())?;
            made.push((role.clone(), signer.key_id(), place_of(&role).path().to_owned()));
            fresh.push(signer);
        }
        plan.settle()?;
        if plan.change.roles(view.targets.delegations.as_ref()).is_empty() {
            return Err(CustodyError::Nothing.into());
        }
        let proposal = Proposal::compose(&self.disk, view, &plan.change, now)?;
        let effects = effects(&proposal, &|id| self.keys.holds(id) || made.iter().any(|(_, new, _)| new == id));
        if dry_run {
            return Ok(Rotated { made: vec![], effects, delivered: None });
        }
        let signers = self.gather_with(view, &plan.change, fresh).inspect_err(|_| {
            // Nothing counts them yet, and nothing will. From here on something might: then they stay, whatever happens.
            made.iter().for_each(|(role, id, _)| drop(place_of(role).remove(id)));
        })?;
        let delivered = self.deliver(view, &signers, &plan.change, now)?;
        Ok(Rotated { made, effects, delivered: Some(delivered) })
    }
}

/// Refuses what is no role of a content repository.
pub fn known_role(role: &str) -> Result<(), CustodyError> {
    let top_level = [Root::KIND, Timestamp::KIND, Snapshot::KIND, TARGETS];
    let known = top_level.contains(&role) || layout::os_roles().any(|os| os.as_str() == role) || folder_role::is_folder(role);
    if known { Ok(()) } else { Err(CustodyError::NoRole(role.to_owned())) }
}

/// Whether the keys of `role` stay with the server wherever others go: it signs with them by itself, to refresh or to publish a folder.
pub fn stays_with_server(role: &str) -> bool {
    refresh::is_online(role) || folder_role::is_folder(role)
}

/// Writes the public half of a key to `file`, as TUF metadata holds it.
pub fn write_public(file: &Path, key: &Key) -> Result<(), PublishError> {
    Ok(disk::write_beside(file, &canonical::to_stored(key)?)?)
}

/// Reads what [`write_public`] wrote.
pub fn read_public(file: &Path) -> Result<Key, PublishError> {
    let bytes = std::fs::read(file).map_err(disk::failed("read", file))?;
    let malformed = |error: json::JsonError| CustodyError::NotPublic { file: file.to_owned(), reason: error.to_string() };
    Ok(json::from_slice(&bytes, MAX_PUBLIC_BYTES).map_err(malformed)?)
}

/// The roles that have keys, in the order in which stations read them.
pub fn roles(view: &View) -> Vec<String> {
    let delegated = view.targets.delegations.iter().flat_map(|delegations| &delegations.roles).map(|role| role.name.clone());
    [Root::KIND, Timestamp::KIND, Snapshot::KIND, TARGETS].into_iter().map(str::to_owned).chain(delegated).collect()
}

fn ephemeral() -> Result<Ed25519Signer, KeyError> {
    let mut seed = zeroize::Zeroizing::new([0u8; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(|error| KeyError::Random(error.to_string()))?;
    Ok(Ed25519Signer::from_seed(&seed))
}
