//! How old a copy may be that was carried here, and what is said of it (`offline_max_age_days`, `docs/format.md` section 4).
//!
//! A stick that a technician brings once a quarter is never fresh by the clock of a timestamp that is signed anew every day. So from a folder, and from nothing else, timestamp and snapshot are
//! accepted for some days longer. How many is the publisher's word: that of the policy that the station knows *and* that of the policy in the copy.

use manifests::policy::Policy;
use manifests::time::UtcTime;
use manifests::trust::TrustedSet;

/// The days that count before any policy is known; the copy's own policy then has the last word.
const LONGEST_DAYS: u32 = 3650;

/// A copy is older than its publisher allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the copy is too old: its timestamp expired at {expired}, and the publisher allows {days} days more for what is carried: bring a newer copy (or is this computer's clock wrong? It is taken to be {now})"
)]
pub struct TooOld {
    /// When its timestamp expired.
    pub expired: UtcTime,
    /// How many days more are allowed.
    pub days: u32,
    /// The time by which it was judged.
    pub now: UtcTime,
}

/// The days for which a copy is accepted, by the policy that is known so far.
pub fn days(known: Option<&Policy>) -> u32 {
    known.map_or(LONGEST_DAYS, |policy| policy.offline_max_age_days)
}

/// Until when the copy that `set` trusts is accepted, by `policy` too, which came with it; `None` while it is fresh.
pub fn stale_until(set: &TrustedSet, days: u32, policy: &Policy) -> Result<Option<UtcTime>, TooOld> {
    let (Some(allowed), Some(timestamp)) = (set.stale_until(), set.timestamp()) else { return Ok(None) };
    let days = days.min(policy.offline_max_age_days);
    let (expired, now) = (timestamp.header.expires, set.now());
    let until = allowed.min(expired.plus_days(days.into()));
    if now < until { Ok(Some(until)) } else { Err(TooOld { expired, days, now }) }
}
