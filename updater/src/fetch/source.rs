//! Where a repository's files come from. A source moves bytes; it is never trusted and never asked to verify anything.

use std::future::Future;
use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::BoxStream;

use super::http::{Refusal, TlsFault};

/// A place that holds a copy of a repository: a server, a relay, a mirror, a folder.
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

/// No source: for asking the trust store alone.
#[derive(Debug, Clone, Copy)]
pub struct Nowhere;

impl Source for Nowhere {
    async fn get(&self, path: &str, _: u64) -> Result<Vec<u8>, FetchError> {
        Err(FetchError::NotStored { path: path.to_owned() })
    }

    async fn get_if_changed(&self, path: &str, _: Option<&str>, _: u64) -> Result<Fetched, FetchError> {
        Err(FetchError::NotStored { path: path.to_owned() })
    }

    async fn get_range(&self, path: &str, _: Range<u64>, _: u64) -> Result<BoxStream<'static, Result<Bytes, FetchError>>, FetchError> {
        Err(FetchError::NotStored { path: path.to_owned() })
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

/// Why bytes did not arrive. Addresses are as [`super::address::shown`] has them: without what may be secret.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The source has no such file.
    #[error("`{url}` is not there")]
    NotFound {
        /// The address.
        url: String,
    },
    /// Nobody was asked, and the file is not in the trust store.
    #[error("`{path}` is not kept on this computer: `updater check` gets it")]
    NotStored {
        /// The path in the repository.
        path: String,
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
    /// A redirect that leads out of the site (attack C3).
    #[error("`{url}` was redirected to `{to}`, which is not followed: {refusal}")]
    Redirected {
        /// The address.
        url: String,
        /// Where it led.
        to: String,
        /// Why it is not followed.
        refusal: Refusal,
    },
    /// A proxy that wants to know who asks.
    #[error("the proxy on the way to `{url}` wants a password: give it as `http://USER:PASSWORD@PROXY` in `HTTP_PROXY` or `HTTPS_PROXY`")]
    ProxyPassword {
        /// The address.
        url: String,
    },
    /// An answer that was compressed or otherwise changed on the way (attack B10).
    #[error(
        "`{url}` came encoded as `{encoding}`, though it was asked for as it is: a server or proxy that compresses must not do it here"
    )]
    Encoded {
        /// The address.
        url: String,
        /// The encoding.
        encoding: String,
    },
    /// Bytes came too slowly (attack C2).
    #[error("`{url}` is too slow: {received} bytes after {seconds} seconds")]
    TooSlow {
        /// The address.
        url: String,
        /// Bytes that arrived.
        received: u64,
        /// How long they were waited for, in seconds.
        seconds: u64,
    },
    /// No safe connection (attack C4).
    #[error("no connection to `{url}`: {fault}")]
    Tls {
        /// The address.
        url: String,
        /// What is unsafe.
        fault: TlsFault,
    },
    /// A file in a folder cannot be read (attack C13).
    #[error("reading `{path}` failed: {reason}. Is the medium whole, and still there?")]
    Unreadable {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
    /// A file in a folder has another length than its signed description says.
    #[error("`{path}` has {found} of {expected} bytes: the copy is not whole, or not yet")]
    Incomplete {
        /// The file.
        path: String,
        /// Bytes that it has.
        found: u64,
        /// Bytes that it should have.
        expected: u64,
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
            FetchError::Truncated { .. } | FetchError::Network { .. } | FetchError::TooSlow { .. } => true,
            _ => false,
        }
    }
}
