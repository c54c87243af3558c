//! How often one address may be wrong about a token. Pure but for its lock.
//!
//! A token of 32 random bytes is never guessed; this keeps weak ones from being, and the log from filling. An address that has used up its attempts is
//! refused before its token is looked at, for otherwise guessing would go on. It gets one back every six seconds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::places::counted;

/// Wrong tokens in a row before an address has to wait.
const ATTEMPTS: u32 = 10;
/// One of them is forgotten after this.
const FORGOTTEN: Duration = Duration::from_secs(6);
/// Addresses that are remembered; with more at once, those who have been quiet longest are forgotten.
const ADDRESSES: usize = 4096;

/// Counts wrong tokens by address.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<HashMap<IpAddr, Wrong>>);

#[derive(Debug, Clone, Copy)]
struct Wrong {
    count: u32,
    since: Instant,
}

impl Wrong {
    /// What is not forgotten yet at `now`.
    fn at(self, now: Instant) -> Wrong {
        let forgotten = (now.saturating_duration_since(self.since).as_secs() / FORGOTTEN.as_secs()).min(u64::from(ATTEMPTS)) as u32;
        Wrong { count: self.count.saturating_sub(forgotten), since: self.since + FORGOTTEN * forgotten }
    }
}

impl Throttle {
    /// How long `address` has to wait at `now`; `None` when it need not.
    pub fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&counted(address)).map(|wrong| wrong.at(now))?;
        (wrong.count >= ATTEMPTS).then(|| (wrong.since + FORGOTTEN).saturating_duration_since(now))
    }

    /// `address` was wrong at `now`.
    pub fn wrong(&self, address: IpAddr, now: Instant) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ADDRESSES {
            all.retain(|_, wrong| wrong.at(now).count > 0);
        }
        if all.len() >= ADDRESSES
            && let Some(quiet) = all.iter().min_by_key(|(_, wrong)| wrong.since).map(|(address, _)| *address)
        {
            all.remove(&quiet);
        }
        let wrong = all.entry(counted(address)).or_insert(Wrong { count: 0, since: now });
        *wrong = wrong.at(now);
        if wrong.count == 0 {
            wrong.since = now;
        }
        wrong.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u32) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::from_bits(last))
    }

    #[test]
    fn ten_wrong_tokens_make_an_address_wait_and_no_other() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..ATTEMPTS {
            assert_eq!(throttle.wait(address(1), now), None);
            throttle.wrong(address(1), now);
        }
        assert_eq!(throttle.wait(address(1), now), Some(FORGOTTEN));
        assert_eq!(throttle.wait(address(2), now), None);
        assert_eq!(throttle.wait(address(1), now + FORGOTTEN - Duration::from_millis(1)), Some(Duration::from_millis(1)));
        assert_eq!(throttle.wait(address(1), now + FORGOTTEN), None);
        throttle.wrong(address(1), now + FORGOTTEN);
        assert!(throttle.wait(address(1), now + FORGOTTEN).is_some(), "one attempt came back, not all");
        assert_eq!(throttle.wait(address(1), now + FORGOTTEN * 20), None);
    }

    #[test]
    fn the_memory_for_addresses_is_bounded() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for n in 0..10_000 {
            throttle.wrong(address(n), now + Duration::from_millis(u64::from(n) / 100));
        }
        assert_eq!(throttle.0.lock().unwrap().len(), ADDRESSES);
    }
}
