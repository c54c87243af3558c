//! Brings the trust store up to date from a source: the order of the TUF client workflow (specification 1.0.34, section 5), with the rules in [`manifests::trust`].
//!
//! Each file is stored as soon as it is trusted and never before, so a refresh that is cut off anywhere is simply taken up by the next one (W1, W7). The
//! conformance client drives this very code.

use std::sync::Arc;

use manifests::key::Verifier;
use manifests::limits::Limits;
use manifests::role::{HasHeader, MetaFile};
use manifests::root::Root;
use manifests::snapshot::Snapshot;
use manifests::targets::TargetFile;
use manifests::time::UtcTime;
use manifests::timestamp::Timestamp;
use manifests::trust::{Need, Origin, Search, SearchStep, TARGETS, TrustError, TrustedSet, Updated};

use crate::clock::{Clock, ImpossibleTime};
use crate::fetch::source::{FetchError, Fetched, Source};
use crate::trust_store::{StoreError, TrustStore};

/// Why the trust store could not be brought up to date. What was trusted before still is.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Bytes did not arrive.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Bytes arrived and are not to be trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The trust store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// More roots than one refresh follows (A11). All that were walked are kept: the next refresh goes on from there.
    #[error("root {version} is trusted now, and more follow: the next check goes on from there")]
    MoreRoots {
        /// The version that was reached.
        version: u64,
    },
    /// A target is not what its role says (W25).
    #[error("`{path}` has not the length or hash that its role lists")]
    Target {
        /// The target path.
        path: String,
    },
}

/// A refresh in progress: a source, a store and what is trusted so far.
pub struct Refresh<'a, S> {
    source: &'a S,
    store: &'a TrustStore,
    /// Where metadata lies below the source's base: `metadata/`, or nothing.
    folder: &'a str,
    clock: Clock,
    set: TrustedSet,
    /// Whether the timestamp is another than the stored one.
    is_new: bool,
}

/// How a conditional start ended.
pub enum Started<'a, S> {
    /// The source still has the timestamp that is trusted; nothing newer exists.
    Unchanged(Refresh<'a, S>),
    /// All top-level roles are current.
    Current {
        /// For asking for targets.
        refresh: Refresh<'a, S>,
        /// The timestamp's entity tag, to be remembered once everything that follows is in place.
        etag: Option<String>,
        /// Whether the timestamp is another than the stored one was.
        is_new: bool,
    },
}

impl<'a, S: Source> Refresh<'a, S> {
    /// Starts from the trusted root in `store`; expiry is judged by `clock`.
    pub fn new(
        source: &'a S,
        store: &'a TrustStore,
        folder: &'a str,
        clock: impl Into<Clock>,
        verifier: Arc<dyn Verifier>,
        limits: Limits,
    ) -> Result<Self, RefreshError> {
        let root = store.load(Root::KIND)?.ok_or_else(|| store.missing(Root::KIND))?;
        let clock = clock.into();
        let mut set = TrustedSet::new(&root, clock.says(), verifier, limits).map_err(|source| store.damaged_root(source))?;
        set.set_time(clock.now(set.root()))?;
        Ok(Refresh { source, store, folder, clock, set, is_new: false })
    }

    /// Accepts timestamp and snapshot until `days` after the timestamp expired: for what was carried here (`docs/format.md` section 4).
    pub fn accept_stale(&mut self, days: u32) {
        self.set.accept_stale(days);
    }

    /// Judges expiry by the time that somebody gives ([`Clock::given`]).
    pub fn believe(&mut self, given: UtcTime) -> Result<(), ImpossibleTime> {
        self.clock = self.clock.given(given, self.set.root())?;
        // The set has no timestamp yet: it was started and nothing else.
        let _ = self.set.set_time(self.clock.now(self.set.root()));
        Ok(())
    }

    /// What is trusted so far.
    pub fn set(&self) -> &TrustedSet {
        &self.set
    }

    /// Refreshes the top-level roles, roots first, as the specification has it.
    pub async fn run(mut self) -> Result<Self, RefreshError> {
        self.walk_roots().await?;
        self.load_timestamp()?;
        let path = format!("{}timestamp.json", self.folder);
        let bytes = self.source.get(&path, self.set.limits().timestamp_bytes).await?;
        self.accept_timestamp(&bytes)?;
        self.rest().await?;
        Ok(self)
    }

    /// Refreshes the top-level roles, asking first whether the timestamp with the entity tag `etag` is still the one.
    ///
    /// Off-spec: section 5.3 walks the roots before the timestamp is asked for. A source that could fake "not modified" could as well hide the next root, so nothing is lost, and
    /// a check costs one request; it is believed only while the stored timestamp has not expired and the whole stored chain verifies.
    pub async fn run_conditional(mut self, etag: Option<&str>) -> Result<Started<'a, S>, RefreshError> {
        let path = format!("{}timestamp.json", self.folder);
        let etag = etag.filter(|_| self.stored_chain_is_current());
        match self.source.get_if_changed(&path, etag, self.set.limits().timestamp_bytes).await? {
            Fetched::NotModified => {
                self.load_stored_chain()?;
                Ok(Started::Unchanged(self))
            }
            Fetched::New(bytes, etag) => {
                self.walk_roots().await?;
                self.load_timestamp()?;
                self.accept_timestamp(&bytes)?;
                self.rest().await?;
                let is_new = self.is_new;
                Ok(Started::Current { refresh: self, etag, is_new })
            }
        }
    }

    /// Reads the stored roles without any source, refusing what has expired.
    pub fn load_stored_chain(&mut self) -> Result<(), RefreshError> {
        self.set.check_root_expiry()?;
        let needed = |role: &str| self.store.load(role)?.ok_or_else(|| self.store.missing(role));
        self.set.update_timestamp(&needed(Timestamp::KIND)?, Origin::Store)?;
        self.set.update_snapshot(&needed(Snapshot::KIND)?, Origin::Store)?;
        self.set.update_targets(&needed(TARGETS)?)?;
        Ok(())
    }

    /// On a set of its own, so that a chain that does not verify leaves no trace in the one that goes on.
    fn stored_chain_is_current(&self) -> bool {
        let Ok(Some(root)) = self.store.load(Root::KIND) else { return false };
        let fresh = self.set.fork(&root).map(|set| Refresh { set, ..*self });
        fresh.is_ok_and(|mut fresh| fresh.load_stored_chain().is_ok())
    }

    /// 5.3: asks for root N+1 until there is none, or the limit of one refresh is reached (A11: the next refresh goes on).
    async fn walk_roots(&mut self) -> Result<(), RefreshError> {
        let before = self.set.root().clone();
        let outcome = self.follow_roots().await;
        // 5.3.11 before the expiry check: a thief's versions must be forgotten even if this root has expired meanwhile (W9).
        if self.set.online_keys_changed_since(&before) {
            self.store.forget(Timestamp::KIND)?;
            self.store.forget(Snapshot::KIND)?;
        }
        // What these keys signed says nothing about the time any more (F14); nothing else of the set depends on it yet.
        self.set.set_time(self.clock.now(self.set.root()))?;
        outcome?;
        Ok(self.set.check_root_expiry()?)
    }

    async fn follow_roots(&mut self) -> Result<(), RefreshError> {
        let mut walked = 0;
        // A root of the last number there is has no successor.
        while let Some(next) = self.set.root().version().checked_add(1) {
            let path = format!("{}{next}.root.json", self.folder);
            let bytes = match self.source.get(&path, self.set.limits().root_bytes).await {
                Ok(bytes) => bytes,
                // Object stores answer 403 for what is not there.
                Err(FetchError::NotFound { .. } | FetchError::Status { status: 403, .. }) => return Ok(()),
                Err(other) => return Err(other.into()),
            };
            if walked == self.set.limits().root_rotations {
                return Err(RefreshError::MoreRoots { version: self.set.root().version() });
            }
            self.set.update_root(&bytes)?;
            // 5.3.8 at once (W7).
            self.store.save(Root::KIND, &bytes)?;
            walked += 1;
        }
        Ok(())
    }

    /// The stored timestamp is the floor for the new one; one that no longer verifies is none.
    fn load_timestamp(&mut self) -> Result<(), RefreshError> {
        if let Some(bytes) = self.store.load(Timestamp::KIND)? {
            let _ = self.set.update_timestamp(&bytes, Origin::Store);
        }
        Ok(())
    }

    fn accept_timestamp(&mut self, bytes: &[u8]) -> Result<(), RefreshError> {
        if self.set.update_timestamp(bytes, Origin::Source)? == Updated::New {
            self.is_new = true;
            self.store.save(Timestamp::KIND, bytes)?;
        }
        Ok(())
    }

    /// 5.5 and 5.6: snapshot and top-level targets.
    async fn rest(&mut self) -> Result<(), RefreshError> {
        if let Some(bytes) = self.store.load(Snapshot::KIND)? {
            let _ = self.set.update_snapshot(&bytes, Origin::Store);
        }
        if !self.set.has_current_snapshot() {
            let listed = self.set.expected_snapshot()?.clone();
            let bytes = self.get_role(Snapshot::KIND, &listed, self.set.limits().snapshot_bytes).await?;
            self.set.update_snapshot(&bytes, Origin::Source)?;
            self.store.save(Snapshot::KIND, &bytes)?;
        }
        let listed = self.set.expected_targets(TARGETS)?.clone();
        let stored = self.store.load(TARGETS)?;
        if stored.is_none_or(|bytes| self.set.update_targets(&bytes).is_err()) {
            let bytes = self.get_role(TARGETS, &listed, self.set.limits().targets_bytes).await?;
            self.set.update_targets(&bytes)?;
            self.store.save(TARGETS, &bytes)?;
        }
        Ok(())
    }

    /// Searches the target `path` through the delegations, fetching the roles it needs (5.6.7).
    pub async fn find_target(&mut self, path: &str) -> Result<Option<TargetFile>, RefreshError> {
        let mut search = Search::new(path);
        loop {
            match search.step(&self.set)? {
                SearchStep::Found { target, .. } => return Ok(Some(target)),
                SearchStep::NotFound => return Ok(None),
                SearchStep::Need(need) => self.get_delegated(&need).await?,
            }
        }
    }

    async fn get_delegated(&mut self, need: &Need) -> Result<(), RefreshError> {
        let stored = self.store.load(&need.role)?;
        if stored.is_some_and(|bytes| self.set.update_delegated(&bytes, need).is_ok()) {
            return Ok(());
        }
        let listed = self.set.expected_targets(&need.role)?.clone();
        let bytes = self.get_role(&need.role, &listed, self.set.limits().targets_bytes).await?;
        self.set.update_delegated(&bytes, need)?;
        Ok(self.store.save(&need.role, &bytes)?)
    }

    /// Gets a target from `folder` of `source` and returns its bytes once they are the ones that are listed (W25). For documents; `limit` bounds what a listing may ask for.
    pub async fn get_target(&self, source: &S, folder: &str, path: &str, target: &TargetFile, limit: u64) -> Result<Vec<u8>, RefreshError> {
        let file =
            if self.set.root().consistent_snapshot { prefixed(path, target.hashes.any_hex().unwrap_or_default()) } else { path.to_owned() };
        let bytes = source.get(&format!("{folder}{file}"), target.length.min(limit)).await?;
        if target.match_bytes(&bytes) { Ok(bytes) } else { Err(RefreshError::Target { path: path.to_owned() }) }
    }

    async fn get_role(&self, role: &str, listed: &MetaFile, limit: u64) -> Result<Vec<u8>, RefreshError> {
        let name = encode(role);
        let file = if self.set.root().consistent_snapshot { format!("{}.{name}.json", listed.version) } else { format!("{name}.json") };
        Ok(self.source.get(&format!("{}{file}", self.folder), listed.length.unwrap_or(limit).min(limit)).await?)
    }
}

/// `a/b/file` as `a/b/<prefix>.file`.
fn prefixed(path: &str, prefix: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, file)) => format!("{folder}/{prefix}.{file}"),
        None => format!("{prefix}.{path}"),
    }
}

/// A role's name as part of a file name or URL: all but unreserved characters (RFC 3986 section 2.3) percent-encoded, so that it is one component; what is put before
/// or after it keeps it from being `.` or `..`.
pub(crate) fn encode(role: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    role.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_names_never_leave_their_folder() {
        assert_eq!(encode("windows"), "windows");
        assert_eq!(encode("../x"), "..%2Fx");
        assert_eq!(encode("a b/é"), "a%20b%2F%C3%A9");
    }
}
