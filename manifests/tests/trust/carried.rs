//! Metadata that was carried here may be older than its timestamp says (`offline_max_age_days`, `docs/format.md` section 4); nothing else of it may be less than it is over a network.

use manifests::trust::{Origin, TrustError, TrustedSet};

use crate::refused;
use crate::repository::{Repository, now};
use crate::station::{station_at, take};

/// In the repository of these tests a timestamp lives for 7 days, a snapshot for 30, targets for a year.
fn carried(days_later: i64, allowed: u32) -> Result<TrustedSet, TrustError> {
    let files = Repository::new().publish();
    let mut set = station_at(&files.root, now().plus_days(days_later));
    set.accept_stale(allowed);
    take(&mut set, &files).map(|()| set)
}

#[test]
fn timestamp_and_snapshot_live_on_until_so_many_days_after_the_timestamp() {
    for day in [8, 29, 31, 96] {
        let set = carried(day, 90).unwrap_or_else(|error| panic!("day {day}: {error}"));
        assert_eq!(set.stale_until(), Some(now().plus_days(97)), "day {day}");
    }
    assert_eq!(carried(6, 90).expect("fresh").stale_until(), None);
    refused!(carried(97, 90).map(drop), TrustError::Expired { role, .. } if role == "timestamp");
    refused!(carried(8, 0).map(drop), TrustError::Expired { role, .. } if role == "timestamp");
}

#[test]
fn no_other_role_gets_more_time() {
    refused!(carried(366, 3650).map(drop), TrustError::Expired { role, .. } if role == "targets");
    let files = Repository::new().publish();
    let mut set = station_at(&files.root, now().plus_days(4000));
    set.accept_stale(3650);
    refused!(set.check_root_expiry(), TrustError::Expired { role, .. } if role == "root");
}

#[test]
fn an_old_copy_is_still_no_older_than_what_was_trusted() {
    let mut repository = Repository::new();
    let (old, new) = (repository.publish(), repository.publish());
    let mut set = station_at(&old.root, now().plus_days(20));
    set.accept_stale(90);
    set.update_timestamp(&new.timestamp, Origin::Store).expect("stored");
    refused!(set.update_timestamp(&old.timestamp, Origin::Source), TrustError::Rollback { .. });
}

#[test]
fn the_time_is_set_before_any_timestamp_and_never_after() {
    let files = Repository::new().publish();
    let mut set = station_at(&files.root, now().plus_days(8));
    refused!(set.update_timestamp(&files.timestamp, Origin::Source).map(drop), TrustError::Expired { .. });
    set.set_time(now()).expect("nothing depends on it yet");
    set.update_timestamp(&files.timestamp, Origin::Source).expect("fresh");
    refused!(set.set_time(now().plus_days(-1)), TrustError::OutOfOrder(_));
}
