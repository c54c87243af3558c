//! `/healthz` and `/readyz`, for operators and their load balancers.
//!
//! `/healthz` says that the process lives. `/readyz` says whether stations can be served, counts down to every expiry, and says whose keys lie on
//! this machine: then whoever owns the machine can sign ([`crate::readiness`]).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use crate::app::App;
use crate::content::headers;

/// Answers `/healthz`.
pub async fn alive() -> Response {
    json(StatusCode::OK, &Alive { status: "alive" })
}

/// Answers `/readyz`: 200 when every repository is ready, else 503.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    let report = app.readiness.report(&app).await;
    let status = if report.status == "ready" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, &*report)
}

#[derive(Serialize)]
struct Alive {
    status: &'static str,
}

/// An answer about this moment.
pub(crate) fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    // Plain structs of text and numbers cannot fail to serialise; if they did, the status would still be right.
    let mut response = Response::new(Body::from(serde_json::to_vec(value).unwrap_or_default()));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, headers::JSON);
    fields.insert(header::CACHE_CONTROL, headers::NO_STORE);
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, headers::NOSNIFF);
    response
}
