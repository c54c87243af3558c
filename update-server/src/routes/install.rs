//! `/i/CODE`: install documents, for installers.
//!
//! The link that somebody was given holds the digest of the document, so the server need not be trusted with it. Never cached: a link may be
//! taken back at any time by removing the document.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use manifests::name::Code;

use crate::app::App;
use crate::content::disk::DiskError;
use crate::content::{blocking, headers};
use crate::error::Problem;

/// Answers `GET` and `HEAD` of an install document.
pub async fn document(State(app): State<Arc<App>>, request: Request) -> Response {
    match read(&app, request.uri().path()).await {
        Ok(bytes) => {
            let length = HeaderValue::from(bytes.len());
            let mut response = Response::new(Body::from(bytes));
            let fields = response.headers_mut();
            fields.insert(header::CONTENT_TYPE, headers::JSON);
            fields.insert(header::CONTENT_LENGTH, length);
            fields.insert(header::CACHE_CONTROL, headers::NO_STORE);
            fields.insert(header::X_CONTENT_TYPE_OPTIONS, headers::NOSNIFF);
            response
        }
        Err(problem) => problem.answer(request.method()),
    }
}

async fn read(app: &App, url_path: &str) -> Result<Vec<u8>, Problem> {
    let code: Code = url_path.strip_prefix("/i/").and_then(|text| text.parse().ok()).ok_or(Problem::NoSuchInstallCode)?;
    let folder = app.install_documents.clone();
    let limit = manifests::limits::Limits::default().document_bytes;
    blocking(move || {
        folder.read(&format!("{code}.json"), limit).map(|(bytes, _)| bytes).map_err(|error| match error {
            DiskError::Missing(_) => Problem::NoSuchInstallCode,
            DiskError::TooLong { .. } => Problem::ContentDamaged,
            DiskError::Failed { .. } => {
                tracing::error!(error = %error, "an install document could not be read");
                Problem::StorageFailed
            }
        })
    })
    .await
}
