//! Asks the source what is new: brings the trust store up to date, and reads the policy and the channel document that the station follows.
//!
//! When nothing is new this costs one conditional request. What is remembered of a check – the entity tag that makes the next one cheap – is stored last, so a 304 never
//! ends a check whose chain is incomplete (W1).

use std::sync::Arc;

use manifests::channel::{ChannelDocument, ChannelError};
use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::name::ChannelId;
use manifests::policy::{POLICY_PATH, Policy, PolicyError};
use manifests::targets::TargetFile;
use manifests::time::UtcTime;

use crate::fetch::source::{Nowhere, Source};
use crate::fs::Folder;
use crate::ratchet::{Ratchet, RatchetError};
use crate::refresh::{Refresh, RefreshError, Started};
use crate::station::{Station, StationError};
use crate::trust_store::{StoreError, TrustStore};

/// Where metadata and targets lie in a repository.
const METADATA: &str = "metadata/";
const TARGETS: &str = "targets/";
/// How old the record of the last check may get before it is written again although nothing else changed: a check that finds nothing should not wake a disk.
const RECORD_SECONDS: i64 = 3600;

/// What a check found, all of it verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The live releases.
    pub channel: ChannelDocument,
    /// The publisher's policy.
    pub policy: Policy,
    /// Whether the source had anything new since the last check.
    pub changed: bool,
}

/// Why a check failed. What was known before still is.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The trust store could not be brought up to date.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// The policy is not usable.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The channel document is not usable.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The repository has no policy.
    #[error("the repository has no policy: it was not made by `manifests init`, or it is damaged")]
    NoPolicy,
    /// The repository has no such channel.
    #[error("the repository has no releases of {0}: check product, OS, arch, variant and channel")]
    NoChannel(Box<ChannelId>),
    /// The policy's epoch is below one that was accepted.
    #[error("the policy is of epoch {found}, but epoch {accepted} was accepted before: an old copy, or an attack")]
    EpochRollback {
        /// The epoch accepted.
        accepted: u64,
        /// The epoch that came.
        found: u64,
    },
    /// The channel document is of another epoch than the policy says.
    #[error("the channel document is of epoch {found}, the policy of epoch {expected}: the publisher has to publish again")]
    EpochMismatch {
        /// The policy's.
        expected: u64,
        /// The channel document's.
        found: u64,
    },
    /// The station's record.
    #[error(transparent)]
    Station(#[from] StationError),
    /// The ratchet.
    #[error(transparent)]
    Ratchet(#[from] RatchetError),
}

impl From<StoreError> for CheckError {
    fn from(error: StoreError) -> Self {
        RefreshError::from(error).into()
    }
}

/// Checks `source` for the station of `folder` and records the check in `station` and `ratchet`.
pub async fn check<S: Source>(
    source: &S,
    folder: &Arc<Folder>,
    station: &mut Station,
    ratchet: &mut Ratchet,
    now: UtcTime,
) -> Result<Checked, CheckError> {
    let store = TrustStore::of_content(Arc::clone(folder));
    let refresh = Refresh::new(source, &store, METADATA, now, Arc::new(Ed25519Verifier), Limits::default())?;
    let (refresh, etag) = match refresh.run_conditional(station.etag.as_deref()).await? {
        Started::Unchanged(refresh) => (refresh, station.etag.clone()),
        Started::Current { refresh, etag } => (refresh, etag),
    };
    let documents = read_documents(refresh, source, folder, station, ratchet).await?;
    remember(folder, station, etag, now)?;
    Ok(documents)
}

/// What the last check found, from the store alone.
pub async fn known(folder: &Arc<Folder>, station: &Station, ratchet: &mut Ratchet, now: UtcTime) -> Result<Checked, CheckError> {
    let store = TrustStore::of_content(Arc::clone(folder));
    let mut refresh = Refresh::new(&Nowhere, &store, METADATA, now, Arc::new(Ed25519Verifier), Limits::default())?;
    refresh.load_stored_chain()?;
    read_documents(refresh, &Nowhere, folder, station, ratchet).await
}

async fn read_documents<S: Source>(
    mut refresh: Refresh<'_, S>,
    source: &S,
    folder: &Arc<Folder>,
    station: &Station,
    ratchet: &mut Ratchet,
) -> Result<Checked, CheckError> {
    let limit = refresh.set().limits().document_bytes;
    let documents = Documents { store: TrustStore::of_documents(Arc::clone(folder)), source, limit };
    let listed = refresh.set().top_level_target(POLICY_PATH).cloned().ok_or(CheckError::NoPolicy)?;
    let (bytes, policy_changed) = documents.get(&refresh, "policy", POLICY_PATH, &listed).await?;
    let policy = Policy::parse(&bytes, &station.name, limit)?;
    accept_epoch(&policy, station, ratchet, folder)?;
    let id = station.channel_id();
    let path = id.target_path();
    let listed = refresh.find_target(&path).await?.ok_or_else(|| CheckError::NoChannel(Box::new(id.clone())))?;
    let (bytes, channel_changed) = documents.get(&refresh, "channel", &path, &listed).await?;
    let channel = ChannelDocument::parse(&bytes, &id, limit)?;
    let expected = policy.epoch(id.os);
    if channel.epoch != expected {
        return Err(CheckError::EpochMismatch { expected, found: channel.epoch });
    }
    Ok(Checked { channel, policy, changed: policy_changed || channel_changed })
}

/// Documents that are targets: kept beside the trust store, believed only as far as they match what is listed now.
struct Documents<'a, S> {
    store: TrustStore,
    source: &'a S,
    limit: u64,
}

impl<S: Source> Documents<'_, S> {
    /// The bytes of a document, and whether they had to be fetched.
    async fn get(&self, refresh: &Refresh<'_, S>, name: &str, path: &str, listed: &TargetFile) -> Result<(Vec<u8>, bool), CheckError> {
        if let Some(stored) = self.store.load(name)?.filter(|stored| listed.match_bytes(stored)) {
            return Ok((stored, false));
        }
        let bytes = refresh.get_target(self.source, TARGETS, path, listed, self.limit).await?;
        self.store.save(name, &bytes)?;
        Ok((bytes, true))
    }
}

fn accept_epoch(policy: &Policy, station: &Station, ratchet: &mut Ratchet, folder: &Folder) -> Result<(), CheckError> {
    let found = policy.epoch(station.os);
    let accepted = ratchet.epochs.get(&station.os).copied().unwrap_or(0);
    if found < accepted {
        return Err(CheckError::EpochRollback { accepted, found });
    }
    if found > accepted {
        ratchet.raise_epoch(station.os, found);
        ratchet.save(folder)?;
    }
    Ok(())
}

fn remember(folder: &Folder, station: &mut Station, etag: Option<String>, now: UtcTime) -> Result<(), CheckError> {
    let stale = station.checked.is_none_or(|checked| (now.unix() - checked.unix()).abs() >= RECORD_SECONDS);
    if stale || station.etag != etag {
        station.etag = etag;
        station.checked = Some(now);
        station.save(folder)?;
    }
    Ok(())
}
