//! A repository over HTTP. Plain HTTP is allowed, since nothing that arrives is believed; redirects stay within the site ([`Refusal`]), and time is bounded ([`HttpLimits`]).
//!
//! Bodies are taken as they are: compression by a server or proxy would change the bytes that lengths and hashes are signed for, and could hide a bomb (attack B10). A proxy of the system
//! or of `HTTPS_PROXY` is used, but never towards this computer itself.

mod limits;
mod network;
mod pace;
mod redirect;
mod tls;

use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use manifests::time::UtcTime;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, LOCATION, RANGE,
};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Response, StatusCode};
use tokio::time::timeout;
use url::{Host, Url};

pub use limits::HttpLimits;
pub use network::{InvalidAuthority, Network};
pub use redirect::Refusal;
pub use tls::TlsFault;

use super::address::shown;
use super::source::{FetchError, Fetched, Source};
use pace::{Pace, TooSlow};

/// Longest document that has to arrive within [`HttpLimits::document`], in bytes; longer ones (release manifests) are bound by their rate alone.
const LONGEST_METADATA: u64 = 8 << 20;

/// A repository at a URL.
#[derive(Debug, Clone)]
pub struct HttpSource {
    /// For plain HTTP.
    plain: Client,
    /// For HTTPS, made when it is first needed: it reads the system's authorities, of which a bare computer has none.
    safe: OnceLock<Client>,
    base: Url,
    network: Network,
}

impl HttpSource {
    /// The repository at `base`, which ends in `/`, with the default limits and the system's authorities.
    pub fn new(base: Url) -> Result<HttpSource, FetchError> {
        HttpSource::with(base, &Network::default())
    }

    /// The same over `network`.
    pub fn with(base: Url, network: &Network) -> Result<HttpSource, FetchError> {
        let address = |reason: String| FetchError::Address { url: shown(base.as_str()), reason };
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(address("only http and https are fetched".into()));
        }
        let plain = client(&base, network).tls_certs_only([]).build().map_err(|error| address(chain(&error)))?;
        Ok(HttpSource { plain, safe: OnceLock::new(), base, network: network.clone() })
    }

    fn client_for(&self, url: &Url) -> Result<&Client, FetchError> {
        if url.scheme() == "http" {
            return Ok(&self.plain);
        }
        if let Some(safe) = self.safe.get() {
            return Ok(safe);
        }
        let unusable = |error: reqwest::Error| FetchError::Tls { url: shown(url.as_str()), fault: TlsFault::Other(chain(&error)) };
        let authorities = self.network.authorities.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>();
        let safe = client(&self.base, &self.network).tls_certs_merge(authorities.map_err(unusable)?).build().map_err(unusable)?;
        Ok(self.safe.get_or_init(|| safe))
    }

    /// What the server says the time is, when it is asked for `path` and says one. Nothing of the answer is believed.
    pub async fn time(&self, path: &str) -> Result<Option<UtcTime>, FetchError> {
        let answer = self.send(self.url(path)?, HeaderMap::new()).await?;
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        Ok(date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()).map(|date| UtcTime::from_unix(date.timestamp().as_second())))
    }

    /// The document at exactly `url`, at most `limit` bytes: for install links, which lie outside any repository.
    pub async fn get_url(&self, url: &Url, limit: u64) -> Result<Vec<u8>, FetchError> {
        self.within_time(url, limit, async {
            let response = self.send(url.clone(), HeaderMap::new()).await?;
            self.read_whole(response, url, limit, true).await
        })
        .await
    }

    /// What the server answers when it is handed the JSON document `body` at exactly `url`, at most `limit` bytes.
    pub async fn post(&self, url: &Url, body: Vec<u8>, limit: u64) -> Result<Vec<u8>, FetchError> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let body = Bytes::from(body);
        self.within_time(url, limit, async {
            let response = self.exchange(url.clone(), headers, Some(body)).await?;
            self.read_whole(response, url, limit, true).await
        })
        .await
    }

    fn url(&self, path: &str) -> Result<Url, FetchError> {
        // `+` in a query means a space to some servers, and in a path to a few (S3); percent-encoded it means itself to all.
        self.base
            .join(&path.replace('+', "%2B"))
            .map_err(|error| FetchError::Address { url: shown(&format!("{}{path}", self.base)), reason: error.to_string() })
    }

    async fn send(&self, url: Url, headers: HeaderMap) -> Result<Response, FetchError> {
        self.exchange(url, headers, None).await
    }

    /// Asks for `url`, or hands `body` in there, and follows redirects within the site.
    async fn exchange(&self, url: Url, headers: HeaderMap, body: Option<Bytes>) -> Result<Response, FetchError> {
        let mut visited = vec![url];
        loop {
            // Never empty: it begins with the address that was asked for.
            let Some(url) = visited.last() else { return Err(FetchError::Address { url: String::new(), reason: "it is empty".into() }) };
            let client = self.client_for(url)?;
            let request = match &body {
                Some(body) => client.post(url.clone()).body(body.clone()),
                None => client.get(url.clone()),
            };
            let response = match timeout(self.network.limits.head, request.headers(headers.clone()).send()).await {
                Ok(answered) => answered.map_err(|error| failed(url, &error))?,
                Err(_) => return Err(too_slow(url, TooSlow { received: 0, waited: self.network.limits.head })),
            };
            let shown = shown(url.as_str());
            match response.status() {
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    let to = self.next(&visited, response.headers())?;
                    visited.push(to);
                }
                StatusCode::OK | StatusCode::PARTIAL_CONTENT => return self.acceptable(response, shown),
                StatusCode::NOT_MODIFIED if headers.contains_key(IF_NONE_MATCH) => return Ok(response),
                StatusCode::NOT_FOUND | StatusCode::GONE => return Err(FetchError::NotFound { url: shown }),
                // RFC 6585: what a network that wants a log-in should say.
                StatusCode::NETWORK_AUTHENTICATION_REQUIRED => return Err(FetchError::WebPage { url: shown }),
                StatusCode::PROXY_AUTHENTICATION_REQUIRED => return Err(FetchError::ProxyPassword { url: shown }),
                status => return Err(FetchError::Status { url: shown, status: status.as_u16() }),
            }
        }
    }

    fn next(&self, visited: &[Url], headers: &HeaderMap) -> Result<Url, FetchError> {
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let from = visited.last().map_or(String::new(), |url| shown(url.as_str()));
        redirect::follow(visited, location, self.network.limits.redirects).map_err(|refusal| FetchError::Redirected {
            url: from,
            to: shown(location).chars().take(300).collect(),
            refusal,
        })
    }

    /// An answer whose body is what the server has, and no page.
    fn acceptable(&self, response: Response, url: String) -> Result<Response, FetchError> {
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim).unwrap_or_default();
        let encoding = text(CONTENT_ENCODING);
        if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
            return Err(FetchError::Encoded { url, encoding: encoding.chars().take(60).collect() });
        }
        let kind = text(CONTENT_TYPE).to_ascii_lowercase();
        if kind.starts_with("text/html") || kind.starts_with("application/xhtml") {
            return Err(FetchError::WebPage { url });
        }
        Ok(response)
    }

    /// Bounds the time of a document of at most `limit` bytes.
    async fn within_time<T>(&self, url: &Url, limit: u64, work: impl Future<Output = Result<T, FetchError>>) -> Result<T, FetchError> {
        if limit > LONGEST_METADATA {
            return work.await;
        }
        let late = || too_slow(url, TooSlow { received: 0, waited: self.network.limits.document });
        timeout(self.network.limits.document, work).await.unwrap_or_else(|_| Err(late()))
    }

    async fn read_whole(&self, response: Response, url: &Url, limit: u64, is_json: bool) -> Result<Vec<u8>, FetchError> {
        let too_long = || FetchError::TooLong { url: shown(url.as_str()), limit };
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status { url: shown(url.as_str()), status: response.status().as_u16() });
        }
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(too_long());
        }
        let (mut body, mut pace) = (response.bytes_stream(), Pace::new(&self.network.limits));
        let mut bytes = Vec::new();
        while let Some(piece) = next_piece(&mut body, &mut pace).await.map_err(|slow| too_slow(url, slow))? {
            let piece = piece.map_err(|error| failed(url, &error))?;
            bytes.extend_from_slice(&piece[..piece.len().min(usize::try_from(limit + 1).unwrap_or(usize::MAX))]);
            // A page that says it is JSON is a page (attack C6); only where JSON is due, since contents may begin with anything.
            if is_json && begins_as_page(&bytes) {
                return Err(FetchError::WebPage { url: shown(url.as_str()) });
            }
            if bytes.len() as u64 > limit {
                return Err(too_long());
            }
        }
        Ok(bytes)
    }
}

impl Source for HttpSource {
    async fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        let url = self.url(path)?;
        self.within_time(&url, limit, async {
            let response = self.send(url.clone(), HeaderMap::new()).await?;
            self.read_whole(response, &url, limit, path.ends_with(".json")).await
        })
        .await
    }

    async fn get_if_changed(&self, path: &str, etag: Option<&str>, limit: u64) -> Result<Fetched, FetchError> {
        let url = self.url(path)?;
        let headers = etag.and_then(|etag| etag.parse().ok()).map(|value| (IF_NONE_MATCH, value));
        self.within_time(&url, limit, async {
            let response = self.send(url.clone(), headers.into_iter().collect()).await?;
            if response.status() == StatusCode::NOT_MODIFIED {
                return Ok(Fetched::NotModified);
            }
            let etag = response.headers().get(ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned);
            Ok(Fetched::New(self.read_whole(response, &url, limit, path.ends_with(".json")).await?, etag))
        })
        .await
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
        if !whole && let Ok(value) = format!("bytes={}-{}", range.start, range.end.saturating_sub(1)).parse() {
            headers.insert(RANGE, value);
        }
        let response = self.send(url.clone(), headers).await?;
        let skip = match response.status() {
            StatusCode::PARTIAL_CONTENT if content_range(response.headers()) == Some((range.clone(), length)) => 0,
            // A server may answer a range with the whole: then what comes before is read and dropped.
            StatusCode::OK if response.content_length().is_none_or(|announced| announced == length) => range.start,
            _ => return Err(FetchError::WrongRange { url: shown(url.as_str()), asked: range }),
        };
        let body = Body { stream: response.bytes_stream().boxed(), pace: Pace::new(&self.network.limits), skip, received: 0 };
        Ok(body.exactly(range.end.saturating_sub(range.start), url))
    }
}

/// A body of which a stretch is wanted.
struct Body {
    stream: BoxStream<'static, reqwest::Result<Bytes>>,
    pace: Pace,
    /// Bytes still to be dropped.
    skip: u64,
    received: u64,
}

impl Body {
    /// What follows what is to be dropped, exactly `expected` bytes or ending in an error.
    fn exactly(self, expected: u64, url: Url) -> BoxStream<'static, Result<Bytes, FetchError>> {
        futures_util::stream::unfold(Some(self), move |body| {
            let url = url.clone();
            async move {
                let mut body = body?;
                if body.received == expected {
                    return None;
                }
                match body.next(expected, &url).await {
                    Ok(piece) => Some((Ok(piece), Some(body))),
                    Err(error) => Some((Err(error), None)),
                }
            }
        })
        .boxed()
    }

    async fn next(&mut self, expected: u64, url: &Url) -> Result<Bytes, FetchError> {
        loop {
            let arrived = next_piece(&mut self.stream, &mut self.pace).await.map_err(|slow| too_slow(url, slow))?;
            let mut piece = match arrived {
                Some(piece) => piece.map_err(|error| failed(url, &error))?,
                None => return Err(FetchError::Truncated { url: shown(url.as_str()), received: self.received, expected }),
            };
            let dropped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(piece.len());
            self.skip -= dropped as u64;
            let _ = piece.split_to(dropped);
            piece.truncate(usize::try_from(expected - self.received).unwrap_or(usize::MAX));
            if !piece.is_empty() {
                self.received += piece.len() as u64;
                return Ok(piece);
            }
        }
    }
}

/// The next piece of a body, in time.
async fn next_piece<S>(body: &mut S, pace: &mut Pace) -> Result<Option<reqwest::Result<Bytes>>, TooSlow>
where
    S: futures_util::Stream<Item = reqwest::Result<Bytes>> + Unpin,
{
    let length =
        |piece: &Option<reqwest::Result<Bytes>>| piece.as_ref().and_then(|piece| piece.as_ref().ok()).map_or(0, |piece| piece.len() as u64);
    pace.wait(body.next(), length).await
}

/// `Content-Range: bytes a-b/total` as (a..b+1, total).
fn content_range(headers: &HeaderMap) -> Option<(Range<u64>, u64)> {
    let (range, total) = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.parse().ok()?..last.parse::<u64>().ok()?.checked_add(1)?, total.parse().ok()?))
}

/// Whether these first bytes are those of a web page.
fn begins_as_page(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    text.trim_ascii_start().first() == Some(&b'<')
}

/// What is common to all requests for `base`.
fn client(base: &Url, network: &Network) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("stationmaster-updater/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]))
        .connect_timeout(network.limits.connect)
        // The `self_update` crate switches HTTP/2 on for whoever uses the same client; what is bounded and tested here is HTTP/1.1.
        .http1_only()
        .redirect(Policy::none())
        .referer(false);
    // Redirects stay on this host, so what is true of it is true of every request.
    if is_this_computer(base) { builder.no_proxy() } else { builder }
}

/// Whether `base` names this computer itself, which no proxy can reach.
pub(crate) fn is_this_computer(base: &Url) -> bool {
    match base.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

fn failed(url: &Url, error: &reqwest::Error) -> FetchError {
    let url = shown(url.as_str());
    match TlsFault::among(error) {
        Some(fault) => FetchError::Tls { url, fault },
        None => FetchError::Network { url, reason: chain(error) },
    }
}

fn too_slow(url: &Url, slow: TooSlow) -> FetchError {
    FetchError::TooSlow { url: shown(url.as_str()), received: slow.received, seconds: slow.waited.as_secs() }
}

/// The innermost cause of `error`; reqwest's own text repeats the address, with all that is in it.
fn chain(error: &reqwest::Error) -> String {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = match cause.downcast_ref::<reqwest::Error>() {
        Some(outer) if outer.is_timeout() => "it took too long".to_owned(),
        Some(_) => "the request could not be made".to_owned(),
        None => cause.to_string(),
    };
    if error.is_timeout() && text != "it took too long" { format!("it took too long ({text})") } else { text }
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

    #[test]
    fn c6_a_page_is_known_by_its_first_sign() {
        for page in ["<html>", "<!doctype html>", "\u{feff}\n\t <html>", "<?xml version=\"1.0\"?><html>"] {
            assert!(begins_as_page(page.as_bytes()), "{page:?}");
        }
        for other in ["{\"a\":\"<\"}", "", "  ", "(\u{b5}/\u{fd}"] {
            assert!(!begins_as_page(other.as_bytes()), "{other:?}");
        }
    }

    #[test]
    fn this_computer_is_known_by_its_names() {
        for (base, is_here) in [
            ("http://127.0.0.1:80/", true),
            ("http://127.8.9.1/", true),
            ("http://[::1]/", true),
            ("http://localhost/", true),
            ("http://localhost.example/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(is_this_computer(&base.parse().unwrap()), is_here, "{base}");
        }
    }
}
