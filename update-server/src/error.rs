//! What goes wrong for a client, as problem JSON (RFC 9457) with a stable code.
//!
//! The `code` is for programs and `updater explain`; it never changes its meaning. `detail` is for people. The cause of a failure of the server
//! itself is logged where it happens and stays inside.

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::content::headers;

/// An answer that is not what the client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No route has this path.
    NoSuchPage,
    /// A path under `/repo` that names nothing served: unknown repository, forbidden name, or no such file. One code for all, so that
    /// nobody learns which (G9).
    NoSuchFile {
        /// Whether the file may come into being at any moment, so that no cache may remember its absence: the next root.
        soon: bool,
    },
    /// No install document of this code.
    NoSuchInstallCode,
    /// The route exists, but not for this method.
    MethodNotAllowed,
    /// The range begins after the end of a file of `length` bytes.
    RangeNotSatisfiable {
        /// The length of the file in bytes.
        length: u64,
    },
    /// `If-Match` names another version.
    PreconditionFailed,
    /// The request has a body longer than `limits.max_body_bytes`.
    BodyTooLarge,
    /// A stored file is not what its name says; nothing of it is served.
    ContentDamaged,
    /// The storage did not answer.
    StorageFailed,
}

impl Problem {
    /// One of each, for tests and documentation.
    pub const ALL: &'static [Problem] = &[
        Problem::NoSuchPage,
        Problem::NoSuchFile { soon: false },
        Problem::NoSuchInstallCode,
        Problem::MethodNotAllowed,
        Problem::RangeNotSatisfiable { length: 0 },
        Problem::PreconditionFailed,
        Problem::BodyTooLarge,
        Problem::ContentDamaged,
        Problem::StorageFailed,
    ];

    /// The HTTP status.
    pub const fn status(&self) -> StatusCode {
        match self {
            Problem::NoSuchPage | Problem::NoSuchFile { .. } | Problem::NoSuchInstallCode => StatusCode::NOT_FOUND,
            Problem::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Problem::RangeNotSatisfiable { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Problem::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Problem::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::ContentDamaged => StatusCode::INTERNAL_SERVER_ERROR,
            Problem::StorageFailed => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Problem::NoSuchPage => "no-such-page",
            Problem::NoSuchFile { .. } => "no-such-file",
            Problem::NoSuchInstallCode => "no-such-install-code",
            Problem::MethodNotAllowed => "method-not-allowed",
            Problem::RangeNotSatisfiable { .. } => "range-not-satisfiable",
            Problem::PreconditionFailed => "precondition-failed",
            Problem::BodyTooLarge => "request-body-too-large",
            Problem::ContentDamaged => "content-damaged",
            Problem::StorageFailed => "storage-failed",
        }
    }

    const fn detail(&self) -> &'static str {
        match self {
            Problem::NoSuchPage => "Nothing is served here. Repositories are under /repo/, install documents under /i/.",
            Problem::NoSuchFile { .. } => "The repository does not exist, has no such file, or does not serve it.",
            Problem::NoSuchInstallCode => "The install link is mistyped, or its document was removed. Ask for a new link.",
            Problem::MethodNotAllowed => "This is read only: use GET or HEAD.",
            Problem::RangeNotSatisfiable { .. } => "The range begins at or after the end of the file; Content-Range has its length.",
            Problem::PreconditionFailed => "The file is not the version that If-Match names.",
            Problem::BodyTooLarge => "The request has a body, and it is longer than this server reads.",
            Problem::ContentDamaged => "The stored file is damaged and is not served. Its owner can find out more with `manifests verify`.",
            Problem::StorageFailed => "The storage behind this server did not answer. Try again later.",
        }
    }

    const fn cache_control(&self) -> HeaderValue {
        match self {
            Problem::NoSuchFile { soon: false } => HeaderValue::from_static("public, max-age=30"),
            _ => HeaderValue::from_static("no-store"),
        }
    }

    /// The answer to a request of `method`; `HEAD` gets its head alone.
    pub fn answer(&self, method: &Method) -> Response {
        let mut response = self.clone().into_response();
        if method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response
    }
}

/// The members of RFC 9457 that we use. `type` is absent, which means `about:blank`: then `title` is the status in words.
#[derive(Serialize)]
struct Document {
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'static str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let title = status.canonical_reason().unwrap_or("Error");
        let document = Document { title, status: status.as_u16(), code: self.code(), detail: self.detail() };
        // Four plain members cannot fail to serialise; if they did, an empty body would still carry the status.
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        let fields = response.headers_mut();
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        fields.insert(header::CACHE_CONTROL, self.cache_control());
        fields.insert(header::X_CONTENT_TYPE_OPTIONS, headers::NOSNIFF);
        if let Problem::RangeNotSatisfiable { length } = self
            && let Ok(value) = HeaderValue::from_str(&format!("bytes */{length}"))
        {
            fields.insert(header::CONTENT_RANGE, value);
        }
        *response.body_mut() = Body::from(body);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_kebab_case_and_different() {
        let codes: HashSet<&str> = Problem::ALL.iter().map(Problem::code).collect();
        assert_eq!(codes.len(), Problem::ALL.len());
        for code in codes {
            assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && !code.starts_with('-') && !code.ends_with('-'), "{code}");
        }
    }
}
