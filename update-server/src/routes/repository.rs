//! `/repo/NAME/…`: the files of content repositories, for updaters, relays and CDNs.
//!
//! Read only, public, byte for byte as published: no content encoding ever (attack B10), strong entity tags, single ranges. The path is judged as
//! it was sent (attack C9).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use crate::app::App;
use crate::content::Found;
use crate::content::headers;
use crate::content::precondition::{self, Verdict};
use crate::content::transfer::Transfer;
use crate::error::Problem;
use crate::sendfile::Stretches;

/// Fewer bytes of a large file are read and written together with the head; a call of their own would cost more than it saves.
const WORTH_SENDING: u64 = 32 << 10;

/// Answers `GET` and `HEAD` of a file.
pub async fn file(State(app): State<Arc<App>>, request: Request) -> Response {
    match app.content.find(request.uri().path()).await {
        Ok(found) => answer(&app, &found, &request),
        Err(problem) => problem.answer(request.method()),
    }
}

fn answer(app: &App, found: &Found, request: &Request) -> Response {
    let head = found.head();
    let (status, first, end) = match precondition::judge(request.method(), request.headers(), head.etag.as_bytes(), head.length) {
        Verdict::Whole => (StatusCode::OK, 0, head.length),
        Verdict::Part { first, last } => (StatusCode::PARTIAL_CONTENT, first, last + 1),
        Verdict::NotModified => (StatusCode::NOT_MODIFIED, 0, 0),
        Verdict::PreconditionFailed => return Problem::PreconditionFailed.answer(request.method()),
        Verdict::Unsatisfiable => return Problem::RangeNotSatisfiable { length: head.length }.answer(request.method()),
    };
    let body = if request.method() == Method::HEAD || first == end { Body::empty() } else { bytes(app, found, first, end) };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.reserve(8);
    fields.insert(header::ETAG, head.etag.clone());
    fields.insert(header::CACHE_CONTROL, head.kind.cache_control());
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, headers::NOSNIFF);
    if status == StatusCode::NOT_MODIFIED {
        return response;
    }
    fields.insert(header::CONTENT_TYPE, head.kind.content_type());
    fields.insert(header::ACCEPT_RANGES, headers::BYTES);
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from(end - first));
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(value) = HeaderValue::from_str(&format!("bytes {first}-{}/{}", end - 1, head.length))
    {
        fields.insert(header::CONTENT_RANGE, value);
    }
    response
}

/// The bytes from `first` to before `end`.
fn bytes(app: &App, found: &Found, first: u64, end: u64) -> Body {
    match found {
        // What is in memory has a length that fits it.
        Found::Memory(memory) => Body::from(memory.bytes.slice(first as usize..end as usize)),
        Found::Disk(_, opened) => match Stretches::here().filter(|_| end - first >= WORTH_SENDING) {
            Some(stretches) => stretches.body(opened.clone(), first, end),
            None => Transfer::body(opened.clone(), app.content.buffers().clone(), first, end),
        },
    }
}
