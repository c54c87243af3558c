//! When to ask again, and when to give up.

use std::future::Future;
use std::time::Duration;

use super::source::FetchError;

/// Waits between tries: half a second, doubled each time, until this long.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// Tries without a single byte of progress before the error stands.
const TRIES: u32 = 6;

/// How often a transient failure may repeat while nothing arrives in between.
#[derive(Debug, Default)]
pub struct Patience {
    failures: u32,
}

impl Patience {
    /// Full patience.
    pub fn new() -> Patience {
        Patience::default()
    }

    /// The wait before the next try after one more failure; `None` when patience has run out.
    fn next_wait(&mut self) -> Option<Duration> {
        self.failures += 1;
        let wait = Duration::from_millis(500) * 2u32.saturating_pow(self.failures - 1);
        (self.failures < TRIES).then_some(wait.min(LONGEST_WAIT))
    }

    /// Waits before the next try, or returns `error` when patience has run out.
    pub async fn wait(&mut self, error: FetchError) -> Result<(), FetchError> {
        match self.next_wait() {
            Some(wait) => {
                tracing::info!(error = %error, wait_milliseconds = wait.as_millis() as u64, "asking again");
                tokio::time::sleep(wait).await;
                Ok(())
            }
            None => Err(error),
        }
    }
}

/// Calls `ask` until it succeeds, fails for good, or patience runs out.
pub async fn retry<T, F: Future<Output = Result<T, FetchError>>>(mut ask: impl FnMut() -> F) -> Result<T, FetchError> {
    let mut patience = Patience::new();
    loop {
        match ask().await {
            Err(error) if error.is_transient() => patience.wait(error).await?,
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_doubles_and_ends() {
        let mut patience = Patience::new();
        let waits: Vec<_> = std::iter::from_fn(|| patience.next_wait()).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000]);
    }
}
