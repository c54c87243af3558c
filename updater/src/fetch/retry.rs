//! When to ask again, and when to give up.
//!
//! Stretches of packs are asked for again from where they broke off (`fetch.rs`), with [`Patience`] that begins anew whenever something arrived. Documents are asked for again whole, by
//! [`Retrying`], and less often: somebody may be waiting for the answer.

use std::future::Future;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use tokio::time::Instant;

use super::http::HttpLimits;
use super::source::{FetchError, Fetched, Source};

/// Waits between tries: the first is a setting, each is twice the one before, until it is so many times the first.
const LONGEST_WAIT: u32 = 30;
/// Tries for a stretch without a single byte of progress before the error stands.
const TRIES: u32 = 6;
/// Tries for a document.
const DOCUMENT_TRIES: u32 = 3;
/// A document that failed is not asked for again when so many first waits have gone by: a server that takes this long to fail will not do better.
const DOCUMENT_WAITS: u32 = 60;

/// How often a transient failure may repeat while nothing arrives in between.
#[derive(Debug)]
pub struct Patience {
    failures: u32,
    tries: u32,
    first_wait: Duration,
}

impl Patience {
    /// Full patience for a stretch.
    pub fn new(first_wait: Duration) -> Patience {
        Patience { failures: 0, tries: TRIES, first_wait }
    }

    /// The wait before the next try after one more failure; `None` when patience has run out.
    fn next_wait(&mut self) -> Option<Duration> {
        self.failures += 1;
        let wait = self.first_wait * 2u32.saturating_pow(self.failures - 1).min(LONGEST_WAIT);
        (self.failures < self.tries).then_some(wait)
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

/// A source whose documents are asked for again when that may help.
#[derive(Debug, Clone)]
pub struct Retrying<S> {
    source: S,
    first_wait: Duration,
}

impl<S: Source> Retrying<S> {
    /// `source` with the waits of `limits`.
    pub fn new(source: S, limits: &HttpLimits) -> Retrying<S> {
        Retrying { source, first_wait: limits.first_wait }
    }

    async fn retry<T, F: Future<Output = Result<T, FetchError>>>(&self, ask: impl Fn() -> F) -> Result<T, FetchError> {
        let mut patience = Patience { tries: DOCUMENT_TRIES, ..Patience::new(self.first_wait) };
        let until = Instant::now() + self.first_wait * DOCUMENT_WAITS;
        loop {
            match ask().await {
                Err(error) if error.is_transient() && Instant::now() < until => patience.wait(error).await?,
                outcome => return outcome,
            }
        }
    }
}

impl<S: Source> Source for Retrying<S> {
    async fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        self.retry(|| self.source.get(path, limit)).await
    }

    async fn get_if_changed(&self, path: &str, etag: Option<&str>, limit: u64) -> Result<Fetched, FetchError> {
        self.retry(|| self.source.get_if_changed(path, etag, limit)).await
    }

    /// Whoever asks for a stretch goes on from where it broke off, so this asks once.
    async fn get_range(
        &self,
        path: &str,
        range: Range<u64>,
        length: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, FetchError>>, FetchError> {
        self.source.get_range(path, range, length).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const FIRST: Duration = Duration::from_millis(500);

    /// Fails as it is told, then answers; each failure takes `takes`.
    struct Failing {
        failures: Mutex<Vec<FetchError>>,
        takes: Duration,
    }

    impl Source for Failing {
        async fn get(&self, _: &str, _: u64) -> Result<Vec<u8>, FetchError> {
            tokio::time::sleep(self.takes).await;
            let next = self.failures.lock().unwrap().pop();
            next.map_or(Ok(b"there".to_vec()), Err)
        }

        async fn get_if_changed(&self, path: &str, _: Option<&str>, limit: u64) -> Result<Fetched, FetchError> {
            Ok(Fetched::New(self.get(path, limit).await?, None))
        }

        async fn get_range(&self, _: &str, _: Range<u64>, _: u64) -> Result<BoxStream<'static, Result<Bytes, FetchError>>, FetchError> {
            unreachable!("no stretch is asked for")
        }
    }

    fn status(status: u16) -> FetchError {
        FetchError::Status { url: "u".into(), status }
    }

    /// What comes of a document when its source fails so; how many failures were left, and how long it took.
    async fn ask(failures: Vec<FetchError>, takes: Duration) -> (Result<Vec<u8>, FetchError>, usize, Duration) {
        let begun = Instant::now();
        let source = Retrying::new(Failing { failures: Mutex::new(failures), takes }, &HttpLimits::default());
        let outcome = source.get("a", 1).await;
        let left = source.source.failures.lock().unwrap().len();
        (outcome, left, begun.elapsed())
    }

    #[test]
    fn patience_doubles_and_ends() {
        let mut patience = Patience::new(FIRST);
        let waits: Vec<_> = std::iter::from_fn(|| patience.next_wait()).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_document_that_fails_twice_is_there_the_third_time() {
        let (outcome, _, elapsed) = ask(vec![status(503), status(503)], Duration::ZERO).await;
        assert_eq!(outcome.unwrap(), b"there");
        assert_eq!(elapsed.as_millis(), 1500);
    }

    #[tokio::test(start_paused = true)]
    async fn a_document_that_goes_on_failing_is_given_up() {
        let (outcome, left, _) = ask((0..9).map(|_| status(503)).collect(), Duration::ZERO).await;
        assert!(outcome.is_err() && left == 6, "{outcome:?}, {left} left");
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_get_better_is_not_asked_again() {
        let (outcome, left, elapsed) = ask(vec![status(503), status(404)], Duration::ZERO).await;
        assert!(outcome.is_err() && left == 1 && elapsed.is_zero(), "{outcome:?}, {left} left");
    }

    #[tokio::test(start_paused = true)]
    async fn c2_a_server_that_takes_long_to_fail_is_asked_once() {
        let (outcome, left, _) = ask(vec![status(503), status(503)], Duration::from_secs(31)).await;
        assert!(outcome.is_err() && left == 1, "{outcome:?}, {left} left");
    }
}
