//! The TUF client workflow (specification 1.0.34, section 5) as a pure state machine: bytes and `now` in, trusted metadata or a typed error out.
//!
//! A [`TrustedSet`] starts from a root that is trusted already and takes the other files in the order of the workflow; whatever does not verify leaves the set as it
//! was. It opens no file and no socket: who feeds it (`updater/src/check.rs`) persists each file as soon as it is accepted and never before.
//!
//! Numbers such as 5.3.4 are sections of the specification, W* the checks of our attack list.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::key::Verifier;
use crate::limits::Limits;
use crate::quote::quoted;
use crate::role::{self, HasHeader, KeyTable, MetaFile, NAME, RoleError, RoleKeys};
use crate::root::Root;
use crate::signed::{Envelope, EnvelopeError};
use crate::snapshot::Snapshot;
use crate::targets::{TargetFile, Targets};
use crate::time::UtcTime;
use crate::timestamp::Timestamp;

mod search;
pub use search::{Need, Search, SearchStep};

/// Name of the top-level targets role.
pub const TARGETS: &str = "targets";

/// Why metadata is not trusted. The set is unchanged after any of these.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read as an envelope.
    #[error("{} is not signed metadata: {source}", quoted(.role, NAME))]
    Envelope {
        /// The role.
        role: String,
        /// What is wrong.
        source: EnvelopeError,
    },
    /// Its signatures or its shape.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// A key table with keys under ids that are not theirs, or too many.
    #[error("the keys of {} are unacceptable: {reason}", quoted(.role, NAME))]
    Keys {
        /// The role that holds the table.
        role: String,
        /// What is wrong.
        reason: String,
    },
    /// An older version than one that was trusted before (W12, W13, W18).
    #[error("{} is version {found}, but version {trusted} was trusted before: an old copy, or an attack", quoted(.role, NAME))]
    Rollback {
        /// The role.
        role: String,
        /// The version trusted before.
        trusted: u64,
        /// The version that came.
        found: u64,
    },
    /// Another version than the one asked for (W6, W17).
    #[error("{} is version {found} where {expected} is listed", quoted(.role, NAME))]
    Version {
        /// The role.
        role: String,
        /// The version listed.
        expected: u64,
        /// The version that came.
        found: u64,
    },
    /// Other bytes than those listed (W16).
    #[error("{} has not the length or hash that is listed for it", quoted(.role, NAME))]
    Mismatch {
        /// The role.
        role: String,
    },
    /// Not valid any more at the time of the check.
    #[error("{} expired at {expired}, it is {now}: nothing newer could be had (is this computer's clock right, and was the publisher's?)", quoted(.role, NAME))]
    Expired {
        /// The role.
        role: String,
        /// When it expired.
        expired: UtcTime,
        /// The time of the check.
        now: UtcTime,
    },
    /// A role that a new snapshot no longer lists (W18), or never listed (W22).
    #[error("the snapshot does not list {}", quoted(.role, NAME))]
    NotInSnapshot {
        /// The role.
        role: String,
    },
    /// A delegation that nobody made.
    #[error("{} does not delegate to {}", quoted(.delegator, NAME), quoted(.role, NAME))]
    NotDelegated {
        /// The role.
        role: String,
        /// Who was said to delegate.
        delegator: String,
    },
    /// More delegated roles than may be visited for one path (W23).
    #[error("no more than {0} delegated roles are searched for one path")]
    TooManyDelegations(usize),
    /// Files given out of the order of the workflow: a bug of the caller.
    #[error("{0} is needed first")]
    OutOfOrder(&'static str),
}

/// What a file did to the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Updated {
    /// It is now the trusted one.
    New,
    /// The set holds this version already; the file was discarded.
    Same,
}

/// Where a file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From the trust store: it was verified when it was stored. It may be outdated; it still serves as a floor against rollback.
    Store,
    /// From somewhere else.
    Source,
}

/// Metadata that is trusted, and the rules by which more becomes so.
pub struct TrustedSet {
    verifier: Arc<dyn Verifier>,
    limits: Limits,
    /// Taken once; every expiry is judged by it (W1).
    now: UtcTime,
    /// Days after the timestamp's expiry in which it and the snapshot are still accepted; see [`TrustedSet::accept_stale`].
    stale_days: i64,
    root: Root,
    timestamp: Option<Timestamp>,
    snapshot: Option<Snapshot>,
    targets: Option<Targets>,
    /// By (role, delegator): trusted for one delegator says nothing for another (W22).
    delegated: BTreeMap<(String, String), Targets>,
}

impl TrustedSet {
    /// Starts from `root`, which is trusted because it was installed, pinned by an install link, or accepted earlier. Its own expiry does not matter here (W2); that it is signed
    /// by its own threshold is checked all the same.
    pub fn new(root: &[u8], now: UtcTime, verifier: Arc<dyn Verifier>, limits: Limits) -> Result<Self, TrustError> {
        let root = verify_root(root, None, &*verifier, &limits)?;
        let (stale_days, delegated) = (0, BTreeMap::new());
        Ok(TrustedSet { verifier, limits, now, stale_days, root, timestamp: None, snapshot: None, targets: None, delegated })
    }

    /// An empty set that starts from `root`, with the same time, verifier and limits.
    pub fn fork(&self, root: &[u8]) -> Result<Self, TrustError> {
        TrustedSet::new(root, self.now, self.verifier.clone(), self.limits.clone())
    }

    /// The trusted root.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The trusted timestamp.
    pub fn timestamp(&self) -> Option<&Timestamp> {
        self.timestamp.as_ref()
    }

    /// The trusted snapshot.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// The trusted top-level targets.
    pub fn targets(&self) -> Option<&Targets> {
        self.targets.as_ref()
    }

    /// The instant by which expiry is judged.
    pub fn now(&self) -> UtcTime {
        self.now
    }

    /// Judges expiry by `now` from here on. Only before any timestamp is trusted: a walk of the roots can show that what was taken for the time came from keys that are no longer trusted.
    pub fn set_time(&mut self, now: UtcTime) -> Result<(), TrustError> {
        if self.timestamp.is_some() {
            return Err(TrustError::OutOfOrder("the time, before any timestamp,"));
        }
        self.now = now;
        Ok(())
    }

    /// Accepts timestamp and snapshot until `days` after the timestamp expired.
    ///
    /// Off-spec: for metadata that was carried here, on a stick or through an exchange folder, and never for what a network serves (`offline_max_age_days`, `docs/format.md` section 4). All other
    /// roles keep their expiry, and nothing else is checked less.
    pub fn accept_stale(&mut self, days: u32) {
        self.stale_days = days.into();
    }

    /// Until when timestamp and snapshot are accepted although one of them has expired; `None` while both are fresh.
    pub fn stale_until(&self) -> Option<UtcTime> {
        let timestamp = self.timestamp.as_ref()?;
        let is_stale = timestamp.is_expired(self.now) || self.snapshot.as_ref().is_some_and(|snapshot| snapshot.is_expired(self.now));
        is_stale.then(|| timestamp.header().expires.plus_days(self.stale_days))
    }

    /// The bounds in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Takes the next root (5.3.4–5.3.7).
    pub fn update_root(&mut self, bytes: &[u8]) -> Result<(), TrustError> {
        if self.timestamp.is_some() {
            return Err(TrustError::OutOfOrder("a walk of the roots, before any timestamp,"));
        }
        // 5.3.4 "signed by a threshold of keys specified in the trusted root metadata file … and a threshold of keys specified in the new root" (W4)
        let new = verify_root(bytes, Some(&self.root), &*self.verifier, &self.limits)?;
        // 5.3.5 "version number of the new root … MUST be exactly the version in the trusted root + 1" (W6). Its expiry does not matter yet.
        // Nothing follows the last version that there is (A9).
        let expected = self.root.version().checked_add(1);
        if expected != Some(new.version()) {
            let expected = expected.unwrap_or(u64::MAX);
            return Err(TrustError::Version { role: Root::KIND.into(), expected, found: new.version() });
        }
        self.root = new;
        Ok(())
    }

    /// After the last root: it must not have expired (5.3.10, W8).
    pub fn check_root_expiry(&self) -> Result<(), TrustError> {
        self.unexpired(&self.root, Root::KIND)
    }

    /// Whether the stored timestamp and snapshot are to be deleted, since the root now names other keys for them than `before` did (5.3.11, W9).
    pub fn online_keys_changed_since(&self, before: &Root) -> bool {
        self.root.changes_online_keys_of(before)
    }

    /// Takes a timestamp (5.4).
    pub fn update_timestamp(&mut self, bytes: &[u8], origin: Origin) -> Result<Updated, TrustError> {
        if self.snapshot.is_some() {
            return Err(TrustError::OutOfOrder("a timestamp, before any snapshot,"));
        }
        let envelope = parse(bytes, self.limits.timestamp_bytes, Timestamp::KIND)?;
        // 5.4.2 signatures.
        let new: Timestamp = self.verify_top_level(&envelope, Timestamp::KIND, &self.root.roles.timestamp)?;
        if let Some(trusted) = &self.timestamp {
            // 5.4.3.1 "In case they are equal, discard the new timestamp metadata" without an error; never follow its content (W12).
            if new.version() < trusted.version() {
                return Err(TrustError::Rollback { role: Timestamp::KIND.into(), trusted: trusted.version(), found: new.version() });
            }
            if new.version() == trusted.version() {
                self.unexpired(trusted, Timestamp::KIND)?;
                return Ok(Updated::Same);
            }
            // 5.4.3.2 the snapshot that it names is not older either (W13).
            let (was, is) = (trusted.meta.snapshot.version.get(), new.meta.snapshot.version.get());
            if is < was {
                return Err(TrustError::Rollback { role: Snapshot::KIND.into(), trusted: was, found: is });
            }
        }
        // 5.4.4 expiry. One from the store serves as a floor even when it has expired (W14); one from a source must be fresh to become trusted.
        let expired = self.unexpired(&new, Timestamp::KIND);
        if origin == Origin::Source {
            expired?;
        }
        self.timestamp = Some(new);
        Ok(Updated::New)
    }

    /// What the timestamp says of the snapshot to fetch next.
    pub fn expected_snapshot(&self) -> Result<&MetaFile, TrustError> {
        let timestamp = self.timestamp.as_ref().ok_or(TrustError::OutOfOrder("a timestamp"))?;
        Ok(&timestamp.meta.snapshot)
    }

    /// Takes a snapshot (5.5).
    pub fn update_snapshot(&mut self, bytes: &[u8], origin: Origin) -> Result<Updated, TrustError> {
        if self.targets.is_some() {
            return Err(TrustError::OutOfOrder("a snapshot, before any targets,"));
        }
        let listed = self.expected_snapshot()?.clone();
        self.unexpired(self.timestamp.as_ref().ok_or(TrustError::OutOfOrder("a timestamp"))?, Timestamp::KIND)?;
        // 5.5.2 hashes, before anything is parsed (W16). A stored one was checked when it came, against the timestamp of then.
        if origin == Origin::Source && !listed.match_bytes(bytes) {
            return Err(TrustError::Mismatch { role: Snapshot::KIND.into() });
        }
        let envelope = parse(bytes, self.limits.snapshot_bytes, Snapshot::KIND)?;
        // 5.5.3 signatures.
        let new: Snapshot = self.verify_top_level(&envelope, Snapshot::KIND, &self.root.roles.snapshot)?;
        let current = new.version() == listed.version.get();
        // 5.5.4 version as listed (W17). A stored one may be older than that: then it only serves as a floor.
        if !current && origin == Origin::Source {
            return Err(TrustError::Version { role: Snapshot::KIND.into(), expected: listed.version.get(), found: new.version() });
        }
        // 5.5.5 every role of the trusted snapshot is still there and not older (W18).
        if let Some(trusted) = &self.snapshot {
            for (file, before) in &trusted.meta {
                let role = file.trim_end_matches(".json");
                let after = new.meta.get(file).ok_or_else(|| TrustError::NotInSnapshot { role: role.into() })?;
                if after.version < before.version {
                    return Err(TrustError::Rollback { role: role.into(), trusted: before.version.get(), found: after.version.get() });
                }
            }
        }
        // 5.5.6 expiry.
        if origin == Origin::Source {
            self.unexpired(&new, Snapshot::KIND)?;
        }
        self.snapshot = Some(new);
        Ok(if current { Updated::New } else { Updated::Same })
    }

    /// The snapshot, if it is the one that the timestamp lists and it has not expired.
    fn current_snapshot(&self) -> Result<&Snapshot, TrustError> {
        let listed = self.expected_snapshot()?.version.get();
        let snapshot = self.snapshot.as_ref().ok_or(TrustError::OutOfOrder("a snapshot"))?;
        if snapshot.version() != listed {
            return Err(TrustError::Version { role: Snapshot::KIND.into(), expected: listed, found: snapshot.version() });
        }
        self.unexpired(snapshot, Snapshot::KIND)?;
        Ok(snapshot)
    }

    /// Whether the snapshot at hand, from the store, is the one to go on with.
    pub fn has_current_snapshot(&self) -> bool {
        self.current_snapshot().is_ok()
    }

    /// What the snapshot says of the targets role `role`.
    pub fn expected_targets(&self, role: &str) -> Result<&MetaFile, TrustError> {
        self.current_snapshot()?.role(role).ok_or_else(|| TrustError::NotInSnapshot { role: role.into() })
    }

    /// Takes the top-level targets (5.6).
    pub fn update_targets(&mut self, bytes: &[u8]) -> Result<(), TrustError> {
        self.targets = Some(self.verify_targets(bytes, TARGETS, &self.root.keys, &self.root.roles.targets)?);
        Ok(())
    }

    /// Takes the delegated role that a [`Search`] needs, with the keys that its delegator names (5.6.7, W22): a file that is trusted for one delegator says nothing for another.
    pub fn update_delegated(&mut self, bytes: &[u8], need: &Need) -> Result<(), TrustError> {
        let Need { role, delegator, via } = need;
        let not_delegated = || TrustError::NotDelegated { role: role.clone(), delegator: delegator.clone() };
        let delegations =
            self.trusted_targets(delegator, via.as_deref()).and_then(|content| content.delegations.as_ref()).ok_or_else(not_delegated)?;
        let delegated = delegations.roles.iter().find(|delegated| delegated.name == *role).ok_or_else(not_delegated)?;
        let content = self.verify_targets(bytes, role, &delegations.keys, &delegated.keys)?;
        // Where no hashes are listed, two delegators could be given two files of one version; what the one delegates further would then be found below the other.
        if self.delegated.iter().any(|((other, _), trusted)| other == role && *trusted != content) {
            return Err(TrustError::Mismatch { role: role.clone() });
        }
        self.delegated.insert((role.clone(), delegator.clone()), content);
        Ok(())
    }

    /// The content of `role` as trusted for `delegator`; the top-level targets have none.
    fn trusted_targets(&self, role: &str, delegator: Option<&str>) -> Option<&Targets> {
        match delegator {
            None => self.targets.as_ref(),
            Some(delegator) => self.delegated.get(&(role.to_owned(), delegator.to_owned())),
        }
    }

    /// The entry of the target `path` in the top-level targets alone, where nobody it delegates to can put it.
    pub fn top_level_target(&self, path: &str) -> Option<&TargetFile> {
        self.targets.as_ref()?.targets.get(path)
    }

    /// Length and hashes, signatures, version, expiry of any targets role (5.6.2–5.6.6, W20).
    fn verify_targets(&self, bytes: &[u8], role: &str, keys: &KeyTable, role_keys: &RoleKeys) -> Result<Targets, TrustError> {
        let listed = self.expected_targets(role)?;
        if !listed.match_bytes(bytes) {
            return Err(TrustError::Mismatch { role: role.into() });
        }
        // The online keys sign what is listed; they do not decide how much a station reads (B1).
        let limit = listed.length.unwrap_or(u64::MAX).min(self.limits.targets_bytes);
        let envelope = parse(bytes, limit, role)?;
        let content: Targets = role::verify(&envelope, role, keys, role_keys, &*self.verifier, &self.limits)?;
        if content.header.version != listed.version {
            return Err(TrustError::Version { role: role.into(), expected: listed.version.get(), found: content.version() });
        }
        self.unexpired(&content, role)?;
        if let Some(delegations) = &content.delegations {
            check_keys(&delegations.keys, role, &*self.verifier, &self.limits)?;
        }
        Ok(content)
    }

    fn verify_top_level<T: HasHeader + serde::de::DeserializeOwned>(
        &self,
        envelope: &Envelope,
        role: &str,
        keys: &RoleKeys,
    ) -> Result<T, TrustError> {
        Ok(role::verify(envelope, role, &self.root.keys, keys, &*self.verifier, &self.limits)?)
    }

    fn unexpired<T: HasHeader>(&self, content: &T, role: &str) -> Result<(), TrustError> {
        let expired = content.header().expires;
        // By the type, not by the name: a delegated role may be called `snapshot`.
        let of_timestamp = match T::KIND {
            Timestamp::KIND => Some(expired),
            Snapshot::KIND => self.timestamp.as_ref().map(|timestamp| timestamp.header().expires),
            _ => None,
        };
        let stale_until = of_timestamp.map(|expires| expires.plus_days(self.stale_days)).filter(|_| self.stale_days > 0);
        if content.is_expired(self.now) && stale_until.is_none_or(|until| self.now >= until) {
            return Err(TrustError::Expired { role: role.into(), expired, now: self.now });
        }
        Ok(())
    }
}

/// Reads a root that is signed by its own threshold and, if there is one, by that of its predecessor.
fn verify_root(bytes: &[u8], predecessor: Option<&Root>, verifier: &dyn Verifier, limits: &Limits) -> Result<Root, TrustError> {
    let envelope = parse(bytes, limits.root_bytes, Root::KIND)?;
    if let Some(before) = predecessor {
        role::verify::<Root>(&envelope, Root::KIND, &before.keys, &before.roles.root, verifier, limits)?;
    }
    // The keys that must have signed are in what is not verified yet; nothing else of it is used before.
    let malformed = |error: serde_json::Error| RoleError::Malformed { role: Root::KIND.into(), source: error.into() };
    let claimed = <Root as serde::Deserialize>::deserialize(&envelope.signed).map_err(malformed)?;
    check_keys(&claimed.keys, Root::KIND, verifier, limits)?;
    Ok(role::verify(&envelope, Root::KIND, &claimed.keys, &claimed.roles.root, verifier, limits)?)
}

fn check_keys(keys: &KeyTable, role: &str, verifier: &dyn Verifier, limits: &Limits) -> Result<(), TrustError> {
    role::check_key_table(keys, verifier, limits).map_err(|reason| TrustError::Keys { role: role.into(), reason })
}

fn parse(bytes: &[u8], limit: u64, role: &str) -> Result<Envelope, TrustError> {
    Envelope::parse(bytes, limit).map_err(|source| TrustError::Envelope { role: role.into(), source })
}
