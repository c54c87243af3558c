//! The header fields of served content: types, how long a cache may keep it, entity tags.

use axum::http::HeaderValue;
use manifests::digest::Digest;

use super::served_path::Kind;

/// No browser guesses a type.
pub const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
/// For what is about a moment or a person.
pub const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Documents.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Ranges are served.
pub const BYTES: HeaderValue = HeaderValue::from_static("bytes");

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// A year, which is as long as caches are asked to keep anything; `immutable` spares even the question.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// A station sees a release at most half a minute late, a CDN asks twice a minute.
const SHORT: HeaderValue = HeaderValue::from_static("public, max-age=30");

impl Kind {
    /// `Content-Type`.
    pub fn content_type(self) -> HeaderValue {
        match self {
            Kind::Object(_) => OCTETS,
            Kind::Timestamp | Kind::Root | Kind::Role | Kind::Target(_) => JSON,
        }
    }

    /// `Cache-Control`.
    pub fn cache_control(self) -> HeaderValue {
        match self {
            Kind::Timestamp => SHORT,
            Kind::Root | Kind::Role | Kind::Target(_) | Kind::Object(_) => IMMUTABLE,
        }
    }
}

/// The strong entity tag of content with this digest.
pub fn etag(digest: &Digest) -> HeaderValue {
    // Hex and two quotes are always a valid value; an empty one would only cost a cache its validator.
    HeaderValue::from_str(&format!("\"{digest}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}
