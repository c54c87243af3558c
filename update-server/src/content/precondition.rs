//! Conditional requests and ranges of RFC 9110, sections 13 and 14, in the order of section 13.2.2. Pure: headers in, a verdict out.

use axum::http::{HeaderMap, HeaderName, Method, header};

use super::range::Selection;

/// What a request deserves, given the file's entity tag and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// 200 with all of it.
    Whole,
    /// 206 with these bytes, the last inclusive.
    Part {
        /// The first byte.
        first: u64,
        /// The last byte.
        last: u64,
    },
    /// 304: the client has it.
    NotModified,
    /// 412: the client wants another version.
    PreconditionFailed,
    /// 416: the client wants bytes that do not exist.
    Unsatisfiable,
}

/// Judges a `GET` or `HEAD` of a file of `length` bytes whose strong entity tag is `etag`, quotes included.
pub fn judge(method: &Method, headers: &HeaderMap, etag: &[u8], length: u64) -> Verdict {
    if !is_expected(headers, etag) {
        return Verdict::PreconditionFailed;
    }
    if any(headers, &header::IF_NONE_MATCH, etag, true) {
        return Verdict::NotModified;
    }
    // Range is defined for GET alone.
    let Some(range) = headers.get(header::RANGE).filter(|_| method == Method::GET) else { return Verdict::Whole };
    // A date in If-Range never matches: there is no Last-Modified here.
    if headers.get(header::IF_RANGE).is_some_and(|value| value.as_bytes() != etag) {
        return Verdict::Whole;
    }
    match Selection::of(range.as_bytes(), length) {
        Selection::Whole => Verdict::Whole,
        Selection::Part { first, last } => Verdict::Part { first, last },
        Selection::Unsatisfiable => Verdict::Unsatisfiable,
    }
}

/// Whether `If-Match` is absent or names the strong entity tag `etag`.
pub fn is_expected(headers: &HeaderMap, etag: &[u8]) -> bool {
    !headers.contains_key(header::IF_MATCH) || any(headers, &header::IF_MATCH, etag, false)
}

fn any(headers: &HeaderMap, name: &HeaderName, etag: &[u8], weak: bool) -> bool {
    headers.get_all(name).iter().any(|value| lists(value.as_bytes(), etag, weak))
}

/// Whether the list of entity tags `value` holds `etag`, or is `*`. Ours contain no comma, so a comma always separates.
fn lists(value: &[u8], etag: &[u8], weak: bool) -> bool {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).any(|tag| {
        let opaque = if weak { tag.strip_prefix(b"W/").unwrap_or(tag) } else { tag };
        opaque == etag || tag == b"*"
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn judged(method: Method, fields: &[(header::HeaderName, &'static str)]) -> Verdict {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_static(value));
        }
        judge(&method, &headers, b"\"e1\"", 10)
    }

    #[test]
    fn conditions_are_judged_before_ranges() {
        use header::{IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE};
        let part = Verdict::Part { first: 1, last: 2 };
        for (fields, verdict) in [
            (&[][..], Verdict::Whole),
            (&[(IF_NONE_MATCH, "\"e1\"")], Verdict::NotModified),
            (&[(IF_NONE_MATCH, "W/\"e1\"")], Verdict::NotModified),
            (&[(IF_NONE_MATCH, "*")], Verdict::NotModified),
            (&[(IF_NONE_MATCH, "\"e0\", \"e1\"")], Verdict::NotModified),
            (&[(IF_NONE_MATCH, "\"e0\""), (IF_NONE_MATCH, "\"e1\"")], Verdict::NotModified),
            (&[(IF_NONE_MATCH, "\"e0\"")], Verdict::Whole),
            (&[(IF_NONE_MATCH, "e1")], Verdict::Whole),
            (&[(IF_NONE_MATCH, "\"e1\""), (RANGE, "bytes=1-2")], Verdict::NotModified),
            (&[(IF_NONE_MATCH, "\"e0\""), (RANGE, "bytes=1-2")], part),
            (&[(IF_MATCH, "\"e1\""), (RANGE, "bytes=1-2")], part),
            (&[(IF_MATCH, "W/\"e1\"")], Verdict::PreconditionFailed),
            (&[(IF_MATCH, "\"e0\""), (IF_NONE_MATCH, "\"e1\"")], Verdict::PreconditionFailed),
            (&[(IF_RANGE, "\"e1\""), (RANGE, "bytes=1-2")], part),
            (&[(IF_RANGE, "W/\"e1\""), (RANGE, "bytes=1-2")], Verdict::Whole),
            (&[(IF_RANGE, "\"e0\""), (RANGE, "bytes=1-2")], Verdict::Whole),
            (&[(IF_RANGE, "Sat, 21 Nov 2026 10:00:00 GMT"), (RANGE, "bytes=1-2")], Verdict::Whole),
            (&[(IF_RANGE, "\"e0\""), (RANGE, "bytes=99-")], Verdict::Whole),
            (&[(RANGE, "bytes=99-")], Verdict::Unsatisfiable),
        ] {
            assert_eq!(judged(Method::GET, fields), verdict, "{fields:?}");
        }
    }

    #[test]
    fn head_has_no_ranges() {
        assert_eq!(judged(Method::HEAD, &[(header::RANGE, "bytes=1-2")]), Verdict::Whole);
        assert_eq!(judged(Method::HEAD, &[(header::IF_NONE_MATCH, "\"e1\"")]), Verdict::NotModified);
    }
}
