//! A repository over HTTP. Plain HTTP is allowed, since nothing that arrives is believed; a redirect never leads from https to http, nor to another site (attack C3).

use std::error::Error as _;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH, RANGE};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, StatusCode};
use url::Url;

use super::source::{FetchError, Fetched, Source};

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a server may send nothing in the middle of an answer (attack C2).
const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Redirects followed within a site.
const MAX_REDIRECTS: usize = 5;

/// A repository at a URL.
#[derive(Debug, Clone)]
pub struct HttpSource {
    client: Client,
    base: Url,
}

impl HttpSource {
    /// The repository at `base`, which ends in `/`.
    pub fn new(base: Url) -> Result<HttpSource, FetchError> {
        let address = |reason: String| FetchError::Address { url: base.to_string(), reason };
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(address("only http and https are fetched".into()));
        }
        let client = Client::builder()
            .user_agent(concat!("stationmaster-updater/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(STALL_TIMEOUT)
            .redirect(Policy::custom(within_site))
            .build()
            .map_err(|error| address(chain(&error)))?;
        Ok(HttpSource { client, base })
    }

    /// The document at exactly `url`, at most `limit` bytes: for install links, which lie outside any repository.
    pub async fn get_url(&self, url: &Url, limit: u64) -> Result<Vec<u8>, FetchError> {
        let response = self.send(url.clone(), HeaderMap::new()).await?;
        read_whole(response, url, limit).await
    }

    fn url(&self, path: &str) -> Result<Url, FetchError> {
        // `+` in a query means a space to some servers, and in a path to a few (S3); percent-encoded it means itself to all.
        self.base
            .join(&path.replace('+', "%2B"))
            .map_err(|error| FetchError::Address { url: format!("{}{path}", self.base), reason: error.to_string() })
    }

    async fn send(&self, url: Url, headers: HeaderMap) -> Result<Response, FetchError> {
        let response = self.client.get(url.clone()).headers(headers).send().await.map_err(|error| network(&url, &error))?;
        let url = url.to_string();
        match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED => Ok(response),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(FetchError::NotFound { url }),
            status => Err(FetchError::Status { url, status: status.as_u16() }),
        }
    }
}

impl Source for HttpSource {
    async fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        self.get_url(&self.url(path)?, limit).await
    }

    async fn get_if_changed(&self, path: &str, etag: Option<&str>, limit: u64) -> Result<Fetched, FetchError> {
        let url = self.url(path)?;
        let mut headers = HeaderMap::new();
        if let Some(value) = etag.and_then(|etag| etag.parse().ok()) {
            headers.insert(IF_NONE_MATCH, value);
        }
        let asked_for_change = !headers.is_empty();
        let response = self.send(url.clone(), headers).await?;
        if response.status() == StatusCode::NOT_MODIFIED && asked_for_change {
            return Ok(Fetched::NotModified);
        }
        let etag = response.headers().get(ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Fetched::New(read_whole(response, &url, limit).await?, etag))
    }

    async fn get_range(
        &self,
        path: &str,
        range: Range<u64>,
        length: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, FetchError>>, FetchError> {
        let url = self.url(path)?;
        let mut headers = HeaderMap::new();
        let whole = range == (0..length);
        if !whole && let Ok(value) = format!("bytes={}-{}", range.start, range.end - 1).parse() {
            headers.insert(RANGE, value);
        }
        let response = self.send(url.clone(), headers).await?;
        let wrong_range = || FetchError::WrongRange { url: url.to_string(), asked: range.clone() };
        let skip = match response.status() {
            StatusCode::PARTIAL_CONTENT if content_range(response.headers()) == Some((range.clone(), length)) => 0,
            // A server may answer a range with the whole: then what comes before is read and dropped.
            StatusCode::OK if response.content_length().is_none_or(|announced| announced == length) => range.start,
            StatusCode::OK if is_web_page(response.headers()) => return Err(FetchError::WebPage { url: url.to_string() }),
            _ => return Err(wrong_range()),
        };
        Ok(cut(response, url.to_string(), skip, range.end - range.start))
    }
}

/// The body of `response` without its first `skip` bytes, exactly `expected` bytes long or ending in an error.
fn cut(response: Response, url: String, skip: u64, expected: u64) -> BoxStream<'static, Result<Bytes, FetchError>> {
    let state = (Some(response.bytes_stream().boxed()), skip, 0u64);
    futures_util::stream::unfold(state, move |(body, mut skip, mut received)| {
        let url = url.clone();
        async move {
            let mut body = body?;
            if received == expected {
                return None;
            }
            loop {
                let mut piece = match body.next().await {
                    Some(Ok(piece)) => piece,
                    Some(Err(error)) => return Some((Err(FetchError::Network { url, reason: chain(&error) }), (None, 0, 0))),
                    None => return Some((Err(FetchError::Truncated { url, received, expected }), (None, 0, 0))),
                };
                let dropped = skip.min(piece.len() as u64);
                skip -= dropped;
                let _ = piece.split_to(dropped as usize);
                piece.truncate(usize::try_from(expected - received).unwrap_or(usize::MAX));
                if !piece.is_empty() {
                    received += piece.len() as u64;
                    return Some((Ok(piece), (Some(body), skip, received)));
                }
            }
        }
    })
    .boxed()
}

async fn read_whole(response: Response, url: &Url, limit: u64) -> Result<Vec<u8>, FetchError> {
    let too_long = || FetchError::TooLong { url: url.to_string(), limit };
    if is_web_page(response.headers()) {
        return Err(FetchError::WebPage { url: url.to_string() });
    }
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(too_long());
    }
    let mut body = response.bytes_stream();
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| network(url, &error))?;
        if (bytes.len() + piece.len()) as u64 > limit {
            return Err(too_long());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// `Content-Range: bytes a-b/total` as (a..b+1, total).
fn content_range(headers: &HeaderMap) -> Option<(Range<u64>, u64)> {
    let (range, total) = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.parse().ok()?..last.parse::<u64>().ok()?.checked_add(1)?, total.parse().ok()?))
}

fn is_web_page(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|kind| kind.starts_with("text/html"))
}

fn within_site(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let Some(from) = attempt.previous().last() else { return attempt.stop() };
    let same_site = from.host_str() == attempt.url().host_str();
    let no_downgrade = from.scheme() == attempt.url().scheme() || attempt.url().scheme() == "https";
    if same_site && no_downgrade && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

fn network(url: &Url, error: &reqwest::Error) -> FetchError {
    FetchError::Network { url: url.to_string(), reason: chain(error) }
}

/// The causes of `error`, the innermost last; reqwest's own text repeats the address.
fn chain(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    match causes.last() {
        Some(last) if error.is_timeout() => format!("it took too long ({last})"),
        Some(last) => last.clone(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_is_read_exactly_or_not_at_all() {
        let read = |text: &str| content_range(&HeaderMap::from_iter([(CONTENT_RANGE, text.parse().unwrap())]));
        assert_eq!(read("bytes 5-9/100"), Some((5..10, 100)));
        for text in ["bytes 5-/100", "bytes */100", "5-9/100", "bytes 5-9/*", "bytes 5-18446744073709551615/1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
