//! Every route, by who calls it.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;

use crate::app::App;
use crate::error::Problem;
use crate::routes::{health, install, repository};

/// The routes of a server. `get` answers `HEAD` as well.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        // Updaters, relays, CDNs.
        .route("/repo/{*path}", get(repository::file))
        // Installers, from a link or a QR code.
        .route("/i/{code}", get(install::document))
        // Operators and their load balancers.
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        // Everybody else.
        .fallback(no_such_page)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
}

async fn no_such_page(request: Request) -> Response {
    Problem::NoSuchPage.answer(request.method())
}

async fn method_not_allowed(request: Request) -> Response {
    Problem::MethodNotAllowed.answer(request.method())
}
