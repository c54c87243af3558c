//! What goes wrong for a client, as problem JSON (RFC 9457) with a stable code.
//!
//! The `code` is for programs and `updater explain`; it never changes its meaning. `detail` is for people. The cause of a failure of the server
//! itself is logged where it happens and stays inside.
//!
//! What never becomes a request has no document: a head that is not HTTP or is longer than allowed is answered by the HTTP library itself with 400, 414 or
//! 431 and no body, before any of this is asked.

use std::borrow::Cow;

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
    /// No token, a wrong one, or one for another repository. One answer for all, whether the repository exists or not (G9).
    TokenRefused,
    /// Too many wrong tokens from one address.
    TooManyWrongTokens {
        /// When it may try again.
        seconds: u64,
    },
    /// A submission longer than `limits.max_publish_bytes`.
    SubmissionTooLong {
        /// The limit.
        bytes: u64,
    },
    /// A submission slower than `limits.min_publish_bytes_per_second`.
    SubmissionTooSlow,
    /// A submission whose sender stopped in the middle.
    SubmissionCut,
    /// A submission that is not what it should be, or not signed as it must be.
    SubmissionUnfit {
        /// What is wrong.
        reason: String,
    },
    /// A submission that was made for versions which are not current any more.
    BaseNotCurrent {
        /// Which.
        reason: String,
    },
    /// Another submission or command is at the repository.
    RepositoryBusy,
    /// The server could not do its part of publishing.
    PublishFailed,
    /// A report longer than any has to be.
    ReportTooLong,
    /// A report that did not arrive whole, or not in time.
    ReportCut,
    /// A report that is none, or not signed by the key that it names.
    ReportUnfit {
        /// What is wrong.
        reason: String,
    },
    /// A station, or an address, that tells too much.
    TooManyReports {
        /// When it may try again.
        seconds: u64,
    },
    /// The journal has had what the operator allows for this month.
    JournalFull,
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
        Problem::TokenRefused,
        Problem::TooManyWrongTokens { seconds: 0 },
        Problem::SubmissionTooLong { bytes: 0 },
        Problem::SubmissionTooSlow,
        Problem::SubmissionCut,
        Problem::SubmissionUnfit { reason: String::new() },
        Problem::BaseNotCurrent { reason: String::new() },
        Problem::RepositoryBusy,
        Problem::PublishFailed,
        Problem::ReportTooLong,
        Problem::ReportCut,
        Problem::ReportUnfit { reason: String::new() },
        Problem::TooManyReports { seconds: 0 },
        Problem::JournalFull,
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
            Problem::TokenRefused => StatusCode::UNAUTHORIZED,
            Problem::TooManyWrongTokens { .. } => StatusCode::TOO_MANY_REQUESTS,
            Problem::SubmissionTooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::SubmissionTooSlow => StatusCode::REQUEST_TIMEOUT,
            Problem::SubmissionCut => StatusCode::BAD_REQUEST,
            Problem::SubmissionUnfit { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Problem::BaseNotCurrent { .. } => StatusCode::CONFLICT,
            Problem::RepositoryBusy => StatusCode::LOCKED,
            Problem::PublishFailed => StatusCode::INTERNAL_SERVER_ERROR,
            Problem::ReportTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::ReportCut => StatusCode::BAD_REQUEST,
            Problem::ReportUnfit { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Problem::TooManyReports { .. } => StatusCode::TOO_MANY_REQUESTS,
            Problem::JournalFull => StatusCode::INSUFFICIENT_STORAGE,
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
            Problem::TokenRefused => "token-refused",
            Problem::TooManyWrongTokens { .. } => "too-many-wrong-tokens",
            Problem::SubmissionTooLong { .. } => "submission-too-long",
            Problem::SubmissionTooSlow => "submission-too-slow",
            Problem::SubmissionCut => "submission-cut",
            Problem::SubmissionUnfit { .. } => "submission-unfit",
            Problem::BaseNotCurrent { .. } => "base-not-current",
            Problem::RepositoryBusy => "repository-busy",
            Problem::PublishFailed => "publish-failed",
            Problem::ReportTooLong => "report-too-long",
            Problem::ReportCut => "report-cut",
            Problem::ReportUnfit { .. } => "report-unfit",
            Problem::TooManyReports { .. } => "too-many-reports",
            Problem::JournalFull => "journal-full",
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Problem::NoSuchPage => "Nothing is served here. Repositories are under /repo/, install documents under /i/.",
            // Short: a station asks for the next root at every check that finds something new (tests/tests/budgets.rs).
            Problem::NoSuchFile { .. } => "No such file is served.",
            Problem::NoSuchInstallCode => "The install link is mistyped, or its document was removed. Ask for a new link.",
            Problem::MethodNotAllowed => "This page has other methods; Allow names them.",
            Problem::RangeNotSatisfiable { .. } => "The range begins at or after the end of the file; Content-Range has its length.",
            Problem::PreconditionFailed => "The file is not the version that If-Match names.",
            Problem::BodyTooLarge => "The request has a body, and it is longer than this server reads.",
            Problem::ContentDamaged => "The stored file is damaged and is not served. Its owner can find out more with `manifests verify`.",
            Problem::StorageFailed => "The storage behind this server did not answer. Try again later.",
            Problem::TokenRefused => "Publishing needs `Authorization: Bearer TOKEN`, with a token for this repository.",
            Problem::TooManyWrongTokens { .. } => "Too many wrong tokens came from this address. Retry-After says when to try again.",
            Problem::SubmissionTooLong { bytes } => {
                return format!("The submission is longer than the {bytes} bytes that this server takes. Publish less at once.").into();
            }
            Problem::SubmissionTooSlow => "The submission came too slowly. Send it from a better connection.",
            Problem::SubmissionCut => "The submission did not arrive whole. Send it again.",
            Problem::SubmissionUnfit { reason } => return format!("The submission cannot be published: {reason}.").into(),
            Problem::BaseNotCurrent { reason } => {
                return format!("Somebody else has published meanwhile: {reason}. Make the submission again from what is current.").into();
            }
            Problem::RepositoryBusy => "Another submission or command is changing the repository. Send this one again in a minute.",
            Problem::PublishFailed => "This server could not do its part; its log says why. Nothing was published.",
            Problem::ReportTooLong => "The report is longer than any has to be. Send it in parts.",
            Problem::ReportCut => "The report did not arrive whole, or not in time. Send it again.",
            Problem::ReportUnfit { reason } => return format!("This is no report that is taken here: {reason}.").into(),
            Problem::TooManyReports { .. } => "Too much came from this station or address. Retry-After says when to send the rest.",
            Problem::JournalFull => "The journal of this server has had its bytes for this month. Its operator can allow more.",
        })
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
    detail: Cow<'static, str>,
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
        match self {
            Problem::TokenRefused => {
                fields.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Problem::TooManyWrongTokens { seconds } | Problem::TooManyReports { seconds } => {
                fields.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            Problem::RepositoryBusy => {
                fields.insert(header::RETRY_AFTER, HeaderValue::from(60));
            }
            _ => {}
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
