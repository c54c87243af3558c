//! How long a server may take, in one place (attacks C1, C2). What arrives is bounded by the signed lengths and by [`manifests::limits::Limits`]; this bounds the time.

use std::time::Duration;

/// Bounds on the time of one request. The defaults are slack for a shop behind a telephone line and tight for somebody who wants to hold an updater for a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    /// To open a connection, name look-up and TLS included.
    pub connect: Duration,
    /// From the request to the whole head of the answer, each redirect anew.
    pub head: Duration,
    /// Between two pieces of a body.
    pub stall: Duration,
    /// How long a body may be slower than [`HttpLimits::least_bytes_per_second`].
    pub grace: Duration,
    /// The least average rate of a body, not counting the time in which nobody waited for it (a limit of our own on the rate is not the server's fault). So `n` bytes take at most
    /// `grace + n / least_bytes_per_second`.
    pub least_bytes_per_second: u64,
    /// For one document of metadata (up to 8 MiB: all but long release manifests) from the request to its last byte, redirects included.
    pub document: Duration,
    /// For the answer whether anything is new, while a start of the client waits for it. Nobody is to wait longer for his client because of a server that does not answer.
    pub answer_at_start: Duration,
    /// For everything that a start of the client fetches to bring its files level, with visible progress. Whoever stands at a till has customers waiting; what has arrived by then is kept, so that
    /// every start brings a slow line nearer to the end.
    pub files_at_start: Duration,
    /// Redirects followed within a site.
    pub redirects: usize,
    /// The wait before the second try; it doubles with each (`fetch/retry.rs`).
    pub first_wait: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        HttpLimits {
            connect: Duration::from_secs(15),
            head: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            grace: Duration::from_secs(30),
            least_bytes_per_second: 1024,
            document: Duration::from_secs(300),
            answer_at_start: Duration::from_secs(3),
            files_at_start: Duration::from_secs(30),
            redirects: 5,
            first_wait: Duration::from_millis(500),
        }
    }
}

impl HttpLimits {
    /// The same with all waiting cut to one part in `factor`: for tests, which have no time.
    #[must_use]
    pub fn hastened(self, factor: u32) -> HttpLimits {
        let cut = |time: Duration| time / factor.max(1);
        HttpLimits {
            connect: cut(self.connect),
            head: cut(self.head),
            stall: cut(self.stall),
            grace: cut(self.grace),
            document: cut(self.document),
            answer_at_start: cut(self.answer_at_start),
            files_at_start: cut(self.files_at_start),
            first_wait: cut(self.first_wait),
            ..self
        }
    }
}
