//! `/healthz` and `/readyz`, for operators and their load balancers.
//!
//! `/healthz` says that the process lives. `/readyz` says whether stations can be served, counts down to every expiry, and says whose keys lie on
//! this machine: then whoever owns the machine can sign. A repository is ready when its timestamp can be read and is not expired. The answer is
//! computed at most once a second, so that asking often costs nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use manifests::time::UtcTime;
use serde::Serialize;
use tokio::sync::Mutex;

use crate::app::App;
use crate::content::headers;
use crate::content::roles::RepositoryState;

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

/// The last report, while it is fresh.
#[derive(Default)]
pub struct Readiness {
    last: Mutex<Option<(Instant, Arc<Report>)>>,
}

/// What `/readyz` answers.
#[derive(Debug, Serialize)]
pub struct Report {
    /// `ready` or `not-ready`.
    pub status: &'static str,
    /// Whether this is `update-server demo`, which signs with keys on this machine.
    pub demo: bool,
    /// Each repository.
    pub repositories: Vec<RepositoryReport>,
}

/// One repository.
#[derive(Debug, Serialize)]
pub struct RepositoryReport {
    /// Its name.
    pub name: String,
    /// Whether its timestamp can be read and is not expired.
    pub ready: bool,
    /// What stations are about to see.
    pub roles: Vec<RoleReport>,
    /// Roles whose keys lie on this server, as its policy says: for these the server is trusted.
    pub keys_on_server: Vec<String>,
    /// What is wrong or soon will be, for people.
    pub warnings: Vec<String>,
}

/// One role.
#[derive(Debug, Serialize)]
pub struct RoleReport {
    /// Its name.
    pub role: String,
    /// Its version.
    pub version: u64,
    /// When it expires.
    pub expires: UtcTime,
    /// Whole days until then, rounded down; negative when it has.
    pub days_left: i64,
    /// Whether it has.
    pub expired: bool,
}

impl Readiness {
    /// A report is good for this long.
    const FRESH: Duration = Duration::from_secs(1);

    async fn report(&self, app: &Arc<App>) -> Arc<Report> {
        // Held while the report is made: whoever asks meanwhile gets the same one.
        let mut last = self.last.lock().await;
        if let Some((made, report)) = &*last
            && made.elapsed() < Self::FRESH
        {
            return report.clone();
        }
        let asked = app.clone();
        let report = tokio::task::spawn_blocking(move || report(&asked)).await;
        let report = report.unwrap_or_else(|error| {
            tracing::error!(error = %error, "the readiness report ended abnormally");
            Report { status: "not-ready", demo: app.demo, repositories: Vec::new() }
        });
        let report = Arc::new(report);
        *last = Some((Instant::now(), report.clone()));
        report
    }
}

fn report(app: &App) -> Report {
    let now = app.clock.now();
    let repositories: Vec<RepositoryReport> = app
        .content
        .repositories()
        .map(|(name, folder)| RepositoryReport::of(name.as_str(), RepositoryState::read(folder, name), now))
        .collect();
    let ready = repositories.iter().all(|repository| repository.ready);
    Report { status: if ready { "ready" } else { "not-ready" }, demo: app.demo, repositories }
}

impl RepositoryReport {
    /// Warned of that many days before a role expires; the timestamp, signed anew each day, is warned of one day before.
    const SOON_DAYS: i64 = 14;

    fn of(name: &str, state: RepositoryState, now: UtcTime) -> RepositoryReport {
        let ready = state.role("timestamp").is_some_and(|timestamp| now < timestamp.expires);
        let mut warnings = state.unreadable;
        let roles: Vec<RoleReport> = state
            .roles
            .into_iter()
            .map(|role| RoleReport {
                days_left: (role.expires.unix() - now.unix()).div_euclid(86_400),
                expired: now >= role.expires,
                role: role.role,
                version: role.version,
                expires: role.expires,
            })
            .collect();
        for role in &roles {
            let soon = if role.role == "timestamp" { 1 } else { Self::SOON_DAYS };
            if role.expired {
                warnings.push(format!("{} expired at {}", role.role, role.expires));
            } else if role.days_left < soon {
                warnings.push(format!("{} expires at {}", role.role, role.expires));
            }
        }
        RepositoryReport { name: name.to_owned(), ready, roles, keys_on_server: state.online, warnings }
    }
}

fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    // Plain structs of text and numbers cannot fail to serialise; if they did, the status would still be right.
    let mut response = Response::new(Body::from(serde_json::to_vec(value).unwrap_or_default()));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, headers::JSON);
    fields.insert(header::CACHE_CONTROL, headers::NO_STORE);
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
