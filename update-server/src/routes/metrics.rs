//! `/metrics`, for monitoring.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;

use crate::app::App;
use crate::content::headers;
use crate::error::Problem;
use crate::metrics;

const OPEN_METRICS: HeaderValue = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Answers `/metrics`.
pub async fn text(State(app): State<Arc<App>>, method: Method) -> Response {
    let report = app.readiness.report(&app).await;
    match metrics::text(&app, &report) {
        Ok(text) => {
            let mut response = Response::new(Body::from(text));
            let fields = response.headers_mut();
            fields.insert(header::CONTENT_TYPE, OPEN_METRICS);
            fields.insert(header::CACHE_CONTROL, headers::NO_STORE);
            fields.insert(header::X_CONTENT_TYPE_OPTIONS, headers::NOSNIFF);
            response
        }
        Err(error) => {
            tracing::error!(error = %error, "the metrics could not be written");
            Problem::StorageFailed.answer(&method)
        }
    }
}
