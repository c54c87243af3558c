//! Where a repository's files come from. A source moves bytes; it is never trusted and never asked to verify anything.

use std::future::Future;
use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::BoxStream;

/// A place that holds a copy of a repository: a server, a relay, a mirror.
///
/// Contract: paths are relative to the source's base; a file that is not there is [`FetchError::NotFound`] and nothing else is; an answer that is longer than allowed is
/// cut off with [`FetchError::TooLong`] before more than the limit has been kept in memory.
pub trait Source: Send + Sync {
    /// The whole file at `path`, at most `limit` bytes.
    fn get(&self, path: &str, limit: u64) -> impl Future<Output = Result<Vec<u8>, FetchError>> + Send;

    /// The file at `path` unless it still has the entity tag `etag`; with the file, its new tag.
    fn get_if_changed(&self, path: &str, etag: Option<&str>, limit: u64) -> impl Future<Output = Result<Fetched, FetchError>> + Send;

    /// The bytes `range` of the file at `path`, which has `length` bytes, as they arrive. Never yields more than the range's length.
    fn get_range(
        &self,
        path: &str,
        range: Range<u64>,
        length: u64,
    ) -> impl Future<Output = Result<BoxStream<'static, Result<Bytes, FetchError>>, FetchError>> + Send;
}

/// A source that has nothing: for asking the trust store alone.
#[derive(Debug, Clone, Copy)]
pub struct Nowhere;

impl Source for Nowhere {
    async fn get(&self, path: &str, _: u64) -> Result<Vec<u8>, FetchError> {
        Err(FetchError::NotFound { url: path.to_owned() })
    }

    async fn get_if_changed(&self, path: &str, _: Option<&str>, _: u64) -> Result<Fetched, FetchError> {
        Err(FetchError::NotFound { url: path.to_owned() })
    }

    async fn get_range(&self, path: &str, _: Range<u64>, _: u64) -> Result<BoxStream<'static, Result<Bytes, FetchError>>, FetchError> {
        Err(FetchError::NotFound { url: path.to_owned() })
    }
}

/// The answer to a conditional request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The file still has the tag.
    NotModified,
    /// The file, and its tag if the source gave one.
    New(Vec<u8>, Option<String>),
}

/// Why bytes did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The source has no such file.
    #[error("`{url}` is not there (404)")]
    NotFound {
        /// The address.
        url: String,
    },
    /// The source answered with another status.
    #[error("`{url}` was answered with status {status}")]
    Status {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// More bytes than the file can have.
    #[error("`{url}` is longer than the {limit} bytes it may have")]
    TooLong {
        /// The address.
        url: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// Fewer bytes than were announced, or than the file has.
    #[error("`{url}` broke off after {received} of {expected} bytes")]
    Truncated {
        /// The address.
        url: String,
        /// Bytes that arrived.
        received: u64,
        /// Bytes that were to arrive.
        expected: u64,
    },
    /// A range was asked for and something else came (attack C7).
    #[error("`{url}` was asked for bytes {asked:?} and answered with others")]
    WrongRange {
        /// The address.
        url: String,
        /// The range asked for.
        asked: Range<u64>,
    },
    /// A web page where a file was to be: a captive portal or a proxy's log-in (attack C6).
    #[error("`{url}` was answered with a web page: a log-in page of the network stands between this computer and the server")]
    WebPage {
        /// The address.
        url: String,
    },
    /// The connection failed.
    #[error("no answer from `{url}`: {reason}")]
    Network {
        /// The address.
        url: String,
        /// What happened, innermost cause last.
        reason: String,
    },
    /// The address is unusable.
    #[error("`{url}` is not an address that can be fetched: {reason}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
}

impl FetchError {
    /// Whether asking again, from where the answer broke off, may help.
    pub fn is_transient(&self) -> bool {
        match self {
            FetchError::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            FetchError::Truncated { .. } | FetchError::Network { .. } => true,
            _ => false,
        }
    }
}
