//! A limit on the rate of a download, shared by its connections.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// At most so many bytes per second, on average since the limit was made.
#[derive(Debug)]
pub struct RateLimit {
    bytes_per_second: u64,
    /// When the bytes taken so far will have been paid for.
    paid_until: Mutex<Option<Instant>>,
}

impl RateLimit {
    /// A limit of `bytes_per_second`, above 0.
    pub fn new(bytes_per_second: u64) -> RateLimit {
        RateLimit { bytes_per_second: bytes_per_second.max(1), paid_until: Mutex::new(None) }
    }

    /// Takes `bytes` that have arrived, and waits until they have been paid for. Not reading on makes the sender slow down.
    pub async fn take(&self, bytes: u64) {
        let until = {
            let Ok(mut paid_until) = self.paid_until.lock() else { return };
            let now = Instant::now();
            let from = paid_until.map_or(now, |until| until.max(now));
            let until = from + Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
            *paid_until = Some(until);
            until
        };
        tokio::time::sleep_until(until).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_limit_holds_over_connections() {
        let limit = RateLimit::new(1000);
        let begin = Instant::now();
        tokio::join!(limit.take(1500), limit.take(500), limit.take(1000));
        assert_eq!(begin.elapsed().as_secs(), 3);
    }
}
