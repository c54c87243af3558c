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
use manifests::role::HasHeader as _;
use manifests::root::Root;
use manifests::targets::TargetFile;
use manifests::time::UtcTime;
use manifests::timestamp::Timestamp;
use manifests::trust::{Origin, TrustError, TrustedSet};

use crate::clock::{Clock, Floor, ImpossibleTime};
use crate::fetch::route::Route;
use crate::fetch::source::{Nowhere, Source};
use crate::fs::Folder;
use crate::offline::{self, TooOld};
use crate::ratchet::{Ratchet, RatchetError};
use crate::refresh::{Refresh, RefreshError, Started};
use crate::station::{Station, StationError};
use crate::trust_store::{StoreError, TrustStore};

/// Where metadata and targets lie in a repository.
const METADATA: &str = "metadata/";
const TARGETS: &str = "targets/";
/// How old the record of the last check may get before it is written again although nothing else changed: a check that finds nothing should not wake a disk.
const RECORD_SECONDS: i64 = 3600;

/// Refreshes in one check, for a station that slept through more changes of keys than one refresh follows: 4,096 roots. Only the holders of the root keys can make a chain of roots at all (A11).
const REFRESHES: usize = 16;

/// What a check found, all of it verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The live releases.
    pub channel: ChannelDocument,
    /// The publisher's policy.
    pub policy: Policy,
    /// Whether the source had anything new since the last check.
    pub changed: bool,
    /// What people should know about the way it was found.
    pub notices: Vec<Notice>,
}

/// Something about a check that people should know and that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::VariantNames, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Notice {
    /// A copy that is past its time, and how long it is still accepted.
    #[error("the copy is past its time; as it was carried here, it is accepted until {until}, {} days from now: bring a newer one before", (until.unix() - now.unix()) / 86_400)]
    StaleCopy {
        /// Until when.
        until: UtcTime,
        /// The time by which it was judged.
        now: UtcTime,
    },
    /// The clock is behind.
    #[error("this computer's clock says {says}, but the publisher signed at {signed}, which is later: set the clock")]
    ClockBehind {
        /// What it says.
        says: UtcTime,
        /// What was signed.
        signed: UtcTime,
    },
    /// The time was given.
    #[error("expiry was judged at {given}, as given with `--clock`, while this computer's clock says {says}: set the clock")]
    ClockGiven {
        /// The time given.
        given: UtcTime,
        /// What the clock says.
        says: UtcTime,
    },
    /// The station slept through many changes of keys.
    #[error("this station missed {0} changes of keys and has followed all of them")]
    LongSleep(u64),
}

impl Notice {
    /// Every code of a notice.
    pub const CODES: &'static [&'static str] = <Notice as strum::VariantNames>::VARIANTS;

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.into()
    }
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
    #[error(
        "the repository has no releases of {0}: check product, OS, arch, variant and channel, and ask whoever runs the server why none is published (its `/readyz` says so)"
    )]
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
    /// A copy that was carried here is too old.
    #[error(transparent)]
    TooOld(#[from] TooOld),
    /// The time that was given cannot be.
    #[error(transparent)]
    Time(#[from] ImpossibleTime),
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

/// The time at which a check takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// What the computer's clock says.
    pub says: UtcTime,
    /// What somebody says instead ([`Clock::given`]).
    pub given: Option<UtcTime>,
}

/// Checks `source` for the station of `folder` and records the check in `station` and `ratchet`.
pub async fn check(
    source: &Route,
    folder: &Arc<Folder>,
    station: &mut Station,
    ratchet: &mut Ratchet,
    when: When,
) -> Result<Checked, CheckError> {
    let store = TrustStore::of_content(Arc::clone(folder));
    let days = offline::days(stored_policy(folder, station)?.as_ref());
    let refreshed = refresh(source, &store, station, ratchet, when, days).await;
    // Also when what came after the timestamp was no good: the time at which it was signed is past all the same.
    if stored_floor(&store).is_some_and(|floor| ratchet.raise_signed(floor)) {
        ratchet.save(folder)?;
    }
    let (mut refresh, etag, walked) = refreshed?;
    let set = refresh.set();
    let mut notices = clock_notices(&Clock::new(when.says, ratchet.signed), set.root(), when);
    notices.extend((walked > set.limits().root_rotations.into()).then_some(Notice::LongSleep(walked)));
    let documents = read_documents(&mut refresh, source, folder, station, ratchet, Some(folder)).await?;
    let now = refresh.set().now();
    if source.is_offline()
        && let Some(until) = offline::stale_until(refresh.set(), days, &documents.policy)?
    {
        notices.push(Notice::StaleCopy { until, now });
    }
    remember(folder, station, etag, now)?;
    Ok(Checked { notices, ..documents })
}

/// Brings the trust store up to date, in as many refreshes as it takes; with the entity tag to remember and the number of roots that were walked.
async fn refresh<'a>(
    source: &'a Route,
    store: &'a TrustStore,
    station: &Station,
    ratchet: &Ratchet,
    when: When,
    days: u32,
) -> Result<(Refresh<'a, Route>, Option<String>, u64), CheckError> {
    let etag = station.etag.as_deref().filter(|_| !source.is_offline());
    let clock = Clock::new(when.says, ratchet.signed);
    let mut first = None;
    let mut refreshes = 0;
    loop {
        let mut refresh = Refresh::new(source, store, METADATA, clock, Arc::new(Ed25519Verifier), Limits::default())?;
        let first = *first.get_or_insert(refresh.set().root().version());
        if let Some(given) = when.given {
            refresh.believe(given)?;
        }
        if source.is_offline() {
            refresh.accept_stale(days);
        }
        refreshes += 1;
        let walked = |refresh: &Refresh<'_, Route>| refresh.set().root().version().saturating_sub(first);
        match refresh.run_conditional(etag).await {
            Ok(Started::Unchanged(refresh)) => {
                let walked = walked(&refresh);
                return Ok((refresh, station.etag.clone(), walked));
            }
            // A source without entity tags that has nothing new does not spoil the tag of one that has.
            Ok(Started::Current { refresh, etag, is_new }) => {
                let walked = walked(&refresh);
                return Ok((refresh, etag.or_else(|| station.etag.clone().filter(|_| !is_new)), walked));
            }
            Err(RefreshError::MoreRoots { version }) if refreshes < REFRESHES => {
                tracing::info!(version, "more roots than one refresh follows; going on");
            }
            Err(RefreshError::Trust(TrustError::Expired { role, expired, now })) if source.is_offline() && role == Timestamp::KIND => {
                return Err(TooOld { expired, days, now }.into());
            }
            Err(other) => return Err(other.into()),
        }
    }
}

/// When the stored timestamp was signed, by keys that the stored root names.
fn stored_floor(store: &TrustStore) -> Option<Floor> {
    // Anything that cannot be read here is said by the refresh, which reads it, too. Its expiry does not matter, so neither does the time.
    let root = store.load(Root::KIND).ok()??;
    let mut set = TrustedSet::new(&root, UtcTime::from_unix(0), Arc::new(Ed25519Verifier), Limits::default()).ok()?;
    set.update_timestamp(&store.load(Timestamp::KIND).ok()??, Origin::Store).ok()?;
    Floor::of(set.timestamp()?, set.root())
}

/// The policy that the last check stored, as far as it can be read.
fn stored_policy(folder: &Arc<Folder>, station: &Station) -> Result<Option<Policy>, StoreError> {
    let stored = TrustStore::of_documents(Arc::clone(folder)).load("policy")?;
    Ok(stored.and_then(|bytes| Policy::parse(&bytes, &station.name, Limits::default().document_bytes).ok()))
}

fn clock_notices(clock: &Clock, root: &Root, when: When) -> Vec<Notice> {
    let says = when.says;
    let given = when.given.map(|given| Notice::ClockGiven { given, says });
    let behind = clock.behind(root).map(|signed| Notice::ClockBehind { says, signed });
    given.into_iter().chain(behind).collect()
}

/// What the last check found, from the store alone.
pub async fn known(folder: &Arc<Folder>, station: &Station, ratchet: &mut Ratchet, says: UtcTime) -> Result<Checked, CheckError> {
    let store = TrustStore::of_content(Arc::clone(folder));
    let clock = Clock::new(says, ratchet.signed);
    let mut refresh = Refresh::new(&Nowhere, &store, METADATA, clock, Arc::new(Ed25519Verifier), Limits::default())?;
    refresh.load_stored_chain()?;
    let notices = clock_notices(&clock, refresh.set().root(), When { says, given: None });
    let documents = read_documents(&mut refresh, &Nowhere, folder, station, ratchet, None).await?;
    Ok(Checked { notices, ..documents })
}

/// What the last check read, as it was verified then and whatever has expired since: security floors and withdrawals do not expire. `None` before the first check, and when it is damaged.
pub fn remembered(folder: &Arc<Folder>, station: &Station) -> Option<(ChannelDocument, Policy)> {
    let store = TrustStore::of_documents(Arc::clone(folder));
    let limit = Limits::default().document_bytes;
    let policy = Policy::parse(&store.load("policy").ok()??, &station.name, limit).ok()?;
    let channel = ChannelDocument::parse(&store.load("channel").ok()??, &station.channel_id(), limit).ok()?;
    Some((channel, policy))
}

async fn read_documents<S: Source>(
    refresh: &mut Refresh<'_, S>,
    source: &S,
    folder: &Arc<Folder>,
    station: &Station,
    ratchet: &mut Ratchet,
    keeps: Option<&Folder>,
) -> Result<Checked, CheckError> {
    let limit = refresh.set().limits().document_bytes;
    let documents = Documents { store: TrustStore::of_documents(Arc::clone(folder)), source, limit };
    let listed = refresh.set().top_level_target(POLICY_PATH).cloned().ok_or(CheckError::NoPolicy)?;
    let (bytes, policy_changed) = documents.get(refresh, "policy", POLICY_PATH, &listed).await?;
    let policy = Policy::parse(&bytes, &station.name, limit)?;
    accept_epoch(&policy, station, ratchet, keeps)?;
    let id = station.channel_id();
    let path = id.target_path();
    let listed = refresh.find_target(&path).await?.ok_or_else(|| CheckError::NoChannel(Box::new(id.clone())))?;
    let (bytes, channel_changed) = documents.get(refresh, "channel", &path, &listed).await?;
    let channel = ChannelDocument::parse(&bytes, &id, limit)?;
    let expected = policy.epoch(id.os);
    if channel.epoch != expected {
        return Err(CheckError::EpochMismatch { expected, found: channel.epoch });
    }
    Ok(Checked { channel, policy, changed: policy_changed || channel_changed, notices: Vec::new() })
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

/// Raises the ratchet, and stores it in the folder that `keeps` it: not where only what was accepted is read again, which must not write over a damaged one.
fn accept_epoch(policy: &Policy, station: &Station, ratchet: &mut Ratchet, keeps: Option<&Folder>) -> Result<(), CheckError> {
    let found = policy.epoch(station.os);
    let accepted = ratchet.epochs.get(&station.os).copied().unwrap_or(0);
    if found < accepted {
        return Err(CheckError::EpochRollback { accepted, found });
    }
    if found > accepted {
        ratchet.raise_epoch(station.os, found);
        keeps.map_or(Ok(()), |folder| ratchet.save(folder))?;
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
