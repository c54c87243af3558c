//! How long the next piece of a body may take (attack C2): neither a stall nor a drip holds an updater.
//!
//! Only the time in which somebody waited for the body counts. While our own limit on the rate holds us back, or a disk is slow, the sender is not to blame.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::HttpLimits;

/// The pace of one body.
#[derive(Debug)]
pub(super) struct Pace {
    stall: Duration,
    grace: Duration,
    least_bytes_per_second: u64,
    waited: Duration,
    received: u64,
}

/// A body was too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooSlow {
    /// Bytes that had arrived.
    pub(super) received: u64,
    /// How long they were waited for.
    pub(super) waited: Duration,
}

impl Pace {
    /// For a body of which nothing was waited for yet.
    pub(super) fn new(limits: &HttpLimits) -> Pace {
        let HttpLimits { stall, grace, least_bytes_per_second, .. } = *limits;
        Pace { stall, grace, least_bytes_per_second: least_bytes_per_second.max(1), waited: Duration::ZERO, received: 0 }
    }

    /// How long the next piece may be waited for.
    fn patience(&self) -> Duration {
        let allowed = self.grace + Duration::from_secs_f64(self.received as f64 / self.least_bytes_per_second as f64);
        allowed.saturating_sub(self.waited).min(self.stall)
    }

    /// Waits for the next piece, of which `length` gives the bytes.
    pub(super) async fn wait<T>(&mut self, piece: impl Future<Output = T>, length: impl FnOnce(&T) -> u64) -> Result<T, TooSlow> {
        let begun = Instant::now();
        let arrived = tokio::time::timeout(self.patience(), piece).await;
        self.waited += begun.elapsed();
        let arrived = arrived.map_err(|_| TooSlow { received: self.received, waited: self.waited })?;
        self.received += length(&arrived);
        Ok(arrived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits() -> HttpLimits {
        HttpLimits { stall: 30 * SECOND, grace: 30 * SECOND, least_bytes_per_second: 1000, ..HttpLimits::default() }
    }

    /// Receives pieces of `bytes` bytes, each `gap` after it was asked for; how many came before it was too slow, and when that was.
    async fn receive(bytes: u64, gap: Duration, pieces: usize) -> (usize, Result<(), TooSlow>, Duration) {
        let (begun, mut pace) = (Instant::now(), Pace::new(&limits()));
        for piece in 0..pieces {
            if let Err(slow) = pace.wait(tokio::time::sleep(gap), |()| bytes).await {
                return (piece, Err(slow), begun.elapsed());
            }
        }
        (pieces, Ok(()), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn c2_a_drip_ends_when_the_grace_is_over() {
        let (pieces, outcome, elapsed) = receive(1, 10 * SECOND, 1_000_000).await;
        assert!(outcome.is_err() && pieces == 3 && elapsed < 31 * SECOND, "{pieces} pieces in {elapsed:?}: {outcome:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn c2_a_stall_ends_though_much_had_arrived() {
        let mut pace = Pace::new(&limits());
        pace.wait(std::future::ready(()), |()| 1 << 40).await.unwrap();
        let begun = Instant::now();
        assert!(pace.wait(std::future::pending::<()>(), |()| 0).await.is_err());
        assert_eq!(begun.elapsed(), 30 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_just_above_the_least_rate_goes_on_for_ever() {
        let (pieces, outcome, _) = receive(10_100, 10 * SECOND, 10_000).await;
        assert_eq!((pieces, outcome), (10_000, Ok(())));
        let (_, outcome, elapsed) = receive(9_000, 10 * SECOND, 10_000).await;
        assert!(outcome.is_err(), "one below it does not");
        assert!(elapsed < 310 * SECOND, "{elapsed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_holds_us_back_ourselves_is_not_the_senders_fault() {
        let mut pace = Pace::new(&limits());
        for _ in 0..100 {
            pace.wait(std::future::ready(()), |()| 1).await.unwrap();
            tokio::time::sleep(100 * SECOND).await;
        }
    }
}
