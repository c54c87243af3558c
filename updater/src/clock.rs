//! The time by which expiry is judged, when the computer's clock may be wrong (attack F14).
//!
//! Every timestamp that a station accepted was signed at some time, and it is later than that now: that time is a *floor*. It comes from signed data alone, so a clock that jumps ahead never
//! raises it, and one that was set back, or whose battery is dead, does not revive what has expired. Somebody who stole the online keys could sign a floor far ahead; it is therefore bound to
//! these keys, and void as soon as the root names others – the cure is the one for stolen keys anyway (W9).
//!
//! The same cure helps a publisher whose own clock ran ahead when it signed.

use manifests::digest::Digest;
use manifests::role::{HasHeader as _, RoleKeys};
use manifests::root::Root;
use manifests::time::UtcTime;
use manifests::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// 2020-01-01T00:00:00Z. A version below it is a plain number and no time (`docs/format.md` section 2).
const EARLIEST_SIGNED: i64 = 1_577_836_800;
/// How far a clock may be behind what was signed before anybody is told: publishers' clocks differ, too.
const BEHIND_SECONDS: i64 = 3600;

/// A time that is surely past: something that the station accepted was signed at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// The time.
    pub at: UtcTime,
    /// The online keys that signed, see [`online_keys`].
    pub by: Digest,
}

impl Floor {
    /// The floor that `timestamp` gives, which was accepted under `root`. Its version is the time at which it was signed, unless that is no time or not before its own expiry.
    pub fn of(timestamp: &Timestamp, root: &Root) -> Option<Floor> {
        let seconds = i64::try_from(timestamp.version()).ok()?;
        let can_be_a_time = (EARLIEST_SIGNED..=timestamp.header().expires.unix()).contains(&seconds);
        can_be_a_time.then(|| Floor { at: UtcTime::from_unix(seconds), by: online_keys(root) })
    }
}

/// Which keys `root` names for the timestamp and the snapshot: the digest of two lines, `timestamp THRESHOLD KEYID…` and `snapshot THRESHOLD KEYID…`, key ids sorted.
pub fn online_keys(root: &Root) -> Digest {
    let line = |role: &str, keys: &RoleKeys| {
        let mut ids: Vec<&str> = keys.keyids.iter().map(|id| id.as_str()).collect();
        ids.sort_unstable();
        format!("{role} {} {}\n", keys.threshold, ids.join(" "))
    };
    Digest::of(format!("{}{}", line("timestamp", &root.roles.timestamp), line("snapshot", &root.roles.snapshot)).as_bytes())
}

/// What the time may be: the computer's clock, what somebody says instead, and the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    says: UtcTime,
    given: Option<UtcTime>,
    floor: Option<Floor>,
}

/// A time given with `--clock` that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the time {given} cannot be: it must lie between {earliest}, when the publisher last signed what this folder has, and this computer's clock, {says}"
)]
pub struct ImpossibleTime {
    /// The time given.
    pub given: UtcTime,
    /// The earliest that can be.
    pub earliest: UtcTime,
    /// What the computer's clock says.
    pub says: UtcTime,
}

impl From<UtcTime> for Clock {
    fn from(says: UtcTime) -> Clock {
        Clock { says, given: None, floor: None }
    }
}

impl Clock {
    /// A computer's clock that `says` the time, and the floor that is known.
    pub fn new(says: UtcTime, floor: Option<Floor>) -> Clock {
        Clock { says, given: None, floor }
    }

    /// The same with the time that somebody gives, because the clock runs ahead and cannot be set. It may not lie before the floor that holds under `root`, nor after the clock: it never makes
    /// anything live longer than a right clock would.
    pub fn given(self, given: UtcTime, root: &Root) -> Result<Clock, ImpossibleTime> {
        let earliest = self.floor(root).unwrap_or(UtcTime::from_unix(EARLIEST_SIGNED));
        if (earliest..=self.says).contains(&given) {
            Ok(Clock { given: Some(given), ..self })
        } else {
            Err(ImpossibleTime { given, earliest, says: self.says })
        }
    }

    /// The time by which expiry is judged while `root` is trusted.
    pub fn now(&self, root: &Root) -> UtcTime {
        let clock = self.given.unwrap_or(self.says);
        self.floor(root).map_or(clock, |floor| floor.max(clock))
    }

    /// The floor, when the clock is so far behind it that somebody should set it.
    pub fn behind(&self, root: &Root) -> Option<UtcTime> {
        self.floor(root).filter(|floor| floor.unix() - self.says.unix() > BEHIND_SECONDS)
    }

    /// What the computer's clock says.
    pub fn says(&self) -> UtcTime {
        self.says
    }

    fn floor(&self, root: &Root) -> Option<UtcTime> {
        self.floor.filter(|floor| floor.by == online_keys(root)).map(|floor| floor.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root whose online roles have these keys; nothing here looks at signatures.
    fn root(timestamp: &str, snapshot: &str) -> Root {
        let keys = |name: &str| serde_json::json!({ "keyids": [Digest::of(name.as_bytes())], "threshold": 1 });
        let json = serde_json::json!({
            "_type": "root", "spec_version": "1.0.34", "version": 1, "expires": "2030-01-01T00:00:00Z", "keys": {},
            "roles": { "root": keys("r"), "targets": keys("t"), "timestamp": keys(timestamp), "snapshot": keys(snapshot) },
        });
        serde_json::from_value(json).unwrap()
    }

    fn time(text: &str) -> UtcTime {
        text.parse().unwrap()
    }

    fn timestamp(version: u64, expires: &str) -> Timestamp {
        let json = serde_json::json!({
            "_type": "timestamp", "spec_version": "1.0.34", "version": version, "expires": expires, "meta": { "snapshot.json": { "version": 1 } },
        });
        serde_json::from_value(json).unwrap()
    }

    fn floor(at: &str, root: &Root) -> Option<Floor> {
        Some(Floor { at: time(at), by: online_keys(root) })
    }

    #[test]
    fn f14_a_version_is_a_time_only_where_it_can_be_one() {
        let root = root("a", "b");
        let signed = time("2026-11-21T10:00:00Z");
        let of = |version: i64, expires: &str| Floor::of(&timestamp(version.unsigned_abs(), expires), &root).map(|floor| floor.at);
        assert_eq!(of(signed.unix(), "2026-11-28T10:00:00Z"), Some(signed));
        assert_eq!(of(7, "2026-11-28T10:00:00Z"), None, "a plain number");
        assert_eq!(of(1 << 53, "2026-11-28T10:00:00Z"), None, "driven up by a thief");
        assert_eq!(of(i64::MAX, "9999-12-31T23:59:59Z"), None, "beyond the calendar");
        assert_eq!(of(signed.unix(), "2026-11-20T10:00:00Z"), None, "signed after it expired");
    }

    #[test]
    fn f14_a_clock_that_went_back_is_not_believed_and_is_told() {
        let root = root("a", "b");
        let clock = Clock::new(time("2001-01-01T00:00:00Z"), floor("2026-11-21T10:00:00Z", &root));
        assert_eq!(clock.now(&root), time("2026-11-21T10:00:00Z"));
        assert_eq!(clock.behind(&root), Some(time("2026-11-21T10:00:00Z")));
        let slightly = Clock::new(time("2026-11-21T09:30:00Z"), floor("2026-11-21T10:00:00Z", &root));
        assert_eq!((slightly.now(&root), slightly.behind(&root)), (time("2026-11-21T10:00:00Z"), None));
    }

    #[test]
    fn f14_a_right_clock_is_above_the_floor() {
        let root = root("a", "b");
        let clock = Clock::new(time("2026-11-22T00:00:00Z"), floor("2026-11-21T10:00:00Z", &root));
        assert_eq!((clock.now(&root), clock.behind(&root)), (clock.says(), None));
    }

    #[test]
    fn f14_a_floor_of_stolen_keys_ends_with_them() {
        let (before, says) = (root("stolen", "b"), time("2026-11-21T10:00:00Z"));
        let clock = Clock::new(says, floor("2036-01-01T00:00:00Z", &before));
        assert_eq!(clock.now(&before), time("2036-01-01T00:00:00Z"));
        for after in [root("new", "b"), root("stolen", "new")] {
            assert_eq!((clock.now(&after), clock.behind(&after)), (says, None));
        }
    }

    #[test]
    fn f14_a_given_time_lies_between_floor_and_clock() {
        let root = root("a", "b");
        let clock = Clock::new(time("2056-01-01T00:00:00Z"), floor("2026-11-21T10:00:00Z", &root));
        let given = clock.given(time("2026-11-22T00:00:00Z"), &root).unwrap();
        assert_eq!(given.now(&root), time("2026-11-22T00:00:00Z"));
        assert!(clock.given(time("2026-11-21T09:59:59Z"), &root).is_err());
        assert!(clock.given(time("2056-01-01T00:00:01Z"), &root).is_err());
        let without_floor = Clock::from(time("2056-01-01T00:00:00Z"));
        assert!(without_floor.given(time("2019-12-31T23:59:59Z"), &root).is_err());
        assert!(without_floor.given(time("2026-11-21T10:00:00Z"), &root).is_ok());
    }
}
