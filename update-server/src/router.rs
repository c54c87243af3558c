//! Every route, by who calls it.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};

use crate::app::App;
use crate::error::Problem;
use crate::routes::{health, install, metrics, publish, reports, repository};

/// Whom a listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// All there is.
    Everybody,
    /// Stations, publishers and load balancers, when operators have a listener of their own.
    Stations,
    /// Operators.
    Operators,
}

/// The routes of a server. `get` answers `HEAD` as well.
pub fn router(app: Arc<App>, audience: Audience) -> Router {
    // Load balancers, which ask where they send others to.
    let mut routes = Router::new().route("/healthz", get(health::alive));
    if audience != Audience::Operators {
        routes = routes
            // Updaters, relays, CDNs.
            .route("/repo/{*path}", get(repository::file))
            // Installers, from a link or a QR code.
            .route("/i/{code}", get(install::document));
        if app.reports.is_some() {
            // Stations, of their updates. Without a journal this is no page at all.
            routes = routes.route("/v1/reports/{repository}", post(reports::report));
        }
        if app.publishing.is_some() {
            // Publishers and their CI. Without tokens this is no page at all.
            routes = routes.route("/v1/publish/{repository}", post(publish::submission));
        }
    }
    if audience != Audience::Stations {
        // Operators and their monitoring.
        routes = routes.route("/readyz", get(health::ready)).route("/metrics", get(metrics::text));
    }
    // Everybody else.
    routes.fallback(no_such_page).method_not_allowed_fallback(method_not_allowed).with_state(app)
}

async fn no_such_page(request: Request) -> Response {
    Problem::NoSuchPage.answer(request.method())
}

async fn method_not_allowed(request: Request) -> Response {
    Problem::MethodNotAllowed.answer(request.method())
}
