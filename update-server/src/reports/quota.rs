//! How many attempts one key, and one address, may have written down in a day. Pure.
//!
//! A station that works makes a few a day, and one that fails at every check some dozens; a key that tells hundreds is broken, or no station. Keys cost nothing, so addresses are counted, too:
//! generously, since a whole site may stand behind one. Memory is bounded by the journal: whatever is counted was admitted to it.

use std::collections::HashMap;
use std::net::IpAddr;

use manifests::key::KeyId;
use manifests::time::UtcTime;

use super::journal::Entry;
use crate::places::counted;

/// Attempts of one key in a day: five full outboxes.
const OF_STATION: u32 = 500;
/// Attempts from one address in a day.
const OF_ADDRESS: u32 = 20_000;
const DAY_SECONDS: i64 = 86_400;

/// What was admitted today.
#[derive(Debug, Default)]
pub struct Quota {
    day: i64,
    stations: HashMap<KeyId, u32>,
    addresses: HashMap<IpAddr, u32>,
}

impl Quota {
    /// Counts one more attempt of `station`, from `address` unless that is a proxy's; false, and nothing is counted, when one of the two has had enough on the day of `now`.
    pub fn admits(&mut self, station: &KeyId, address: Option<IpAddr>, now: UtcTime) -> bool {
        self.turn(now);
        let address = address.map(counted);
        let of_station = self.stations.get(station).copied().unwrap_or_default();
        let of_address = address.and_then(|address| self.addresses.get(&address).copied()).unwrap_or_default();
        if of_station >= OF_STATION || of_address >= OF_ADDRESS {
            return false;
        }
        *self.stations.entry(station.clone()).or_default() += 1;
        if let Some(address) = address {
            *self.addresses.entry(address).or_default() += 1;
        }
        true
    }

    /// Counts what an earlier server of this journal has admitted. Addresses are not written down, so those begin anew.
    pub fn count(&mut self, entry: &Entry) {
        self.turn(entry.received);
        *self.stations.entry(entry.station.clone()).or_default() += 1;
    }

    /// Forgets yesterday.
    fn turn(&mut self, now: UtcTime) {
        let day = now.unix().div_euclid(DAY_SECONDS);
        if day != self.day {
            *self = Quota { day, ..Quota::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_cost_nothing_do_not_help_an_address() {
        let (mut quota, now) = (Quota::default(), UtcTime::from_unix(1_763_683_200));
        let address = |last| Some(IpAddr::from([192, 0, 2, last]));
        for number in 0..OF_ADDRESS {
            assert!(quota.admits(&KeyId::from_text(&number.to_string()), address(1), now));
        }
        let fresh = KeyId::from_text("fresh");
        assert!(!quota.admits(&fresh, address(1), now));
        assert!(quota.admits(&fresh, address(2), now) && quota.admits(&fresh, None, now));
        assert!(quota.admits(&fresh, address(1), now.plus_days(1)));
    }
}
