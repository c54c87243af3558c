//! What monitoring reads at `/metrics`, in the text format of Prometheus.
//!
//! Requests and bytes are counted where they happen, by one addition each in memory that is there from the start. Everything else is taken from the
//! readiness report when somebody asks. Labels are names of repositories, roles, channels and rules, classes of routes and statuses: nothing that a client sends ever
//! becomes one, so nobody can make this grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::app::App;
use crate::readiness::{FolderReport, Report, RepositoryReport};
use crate::reports::Reports;

/// The classes of paths that requests are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `/repo/…`.
    Repository,
    /// `/i/…`.
    Install,
    /// `/v1/publish/…`.
    Publish,
    /// `/v1/reports/…`.
    Reports,
    /// `/healthz`, `/readyz`, `/metrics`.
    Operators,
    /// Everything else.
    Other,
}

impl Route {
    const ALL: [Route; 6] = [Route::Repository, Route::Install, Route::Publish, Route::Reports, Route::Operators, Route::Other];

    /// The class of the path of a request.
    pub fn of(path: &str) -> Route {
        match path {
            // First what is asked for most.
            _ if path.starts_with("/repo/") => Route::Repository,
            _ if path.starts_with("/i/") => Route::Install,
            _ if path.starts_with("/v1/publish/") => Route::Publish,
            _ if path.starts_with("/v1/reports/") => Route::Reports,
            "/healthz" | "/readyz" | "/metrics" => Route::Operators,
            _ => Route::Other,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Route::Repository => "repository",
            Route::Install => "install",
            Route::Publish => "publish",
            Route::Reports => "reports",
            Route::Operators => "operators",
            Route::Other => "other",
        }
    }
}

/// Statuses are from 100 to 599.
const STATUSES: usize = 500;

/// What is counted while it happens.
#[derive(Debug)]
pub struct Metrics {
    requests: Box<[[AtomicU64; STATUSES]; Route::ALL.len()]>,
    sent_bytes: AtomicU64,
    connections_open: AtomicI64,
    connections_refused: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            requests: Box::new([const { [const { AtomicU64::new(0) }; STATUSES] }; Route::ALL.len()]),
            sent_bytes: AtomicU64::default(),
            connections_open: AtomicI64::default(),
            connections_refused: AtomicU64::default(),
        }
    }
}

impl Metrics {
    /// A request was answered.
    pub fn answered(&self, route: Route, status: u16) {
        let counter = usize::from(status).checked_sub(100).and_then(|status| self.requests[route as usize].get(status));
        if let Some(counter) = counter {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A socket took `count` bytes.
    pub fn sent(&self, count: usize) {
        self.sent_bytes.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// A connection was closed at once, for its address has too many.
    pub fn refused(&self) {
        self.connections_refused.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection is open until what is returned is dropped.
    pub fn connection(self: &Arc<Self>) -> Connection {
        self.connections_open.fetch_add(1, Ordering::Relaxed);
        Connection(self.clone())
    }
}

/// Counts a connection while it lives.
#[derive(Debug)]
pub struct Connection(Arc<Metrics>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections_open.fetch_sub(1, Ordering::Relaxed);
    }
}

type Labels = Vec<(&'static str, String)>;

/// All of it as text, `report` being of now.
pub fn text(app: &App, report: &Report) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("stationmaster");
    repositories(&mut registry, &report.repositories);
    folders(&mut registry, &report.folders);
    reports(&mut registry, app.reports.as_ref());
    traffic(&mut registry, &app.metrics);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn repositories(registry: &mut Registry, repositories: &[RepositoryReport]) {
    let (ready, left, version) = (Gauges::default(), Gauges::default(), Gauges::default());
    let (refreshes, last) = (Family::<Labels, Counter>::default(), Gauges::default());
    for repository in repositories {
        let name = || vec![("repository", repository.name.clone())];
        ready.get_or_create(&name()).set(i64::from(repository.ready));
        for role in &repository.roles {
            let labels = [name(), vec![("role", role.role.clone())]].concat();
            left.get_or_create(&labels).set(role.seconds_left);
            version.get_or_create(&labels).set(i64::try_from(role.version).unwrap_or(i64::MAX));
        }
        let Some(refresh) = &repository.refresh else { continue };
        for (result, count) in [("done", refresh.done), ("failed", refresh.failed)] {
            refreshes.get_or_create(&[name(), vec![("result", result.to_owned())]].concat()).inc_by(count);
        }
        if let Some(at) = refresh.last {
            last.get_or_create(&name()).set(at.unix());
        }
    }
    registry.register("repository_ready", "Whether stations can use the repository", ready);
    registry.register_with_unit("role_expires_in", "Time until a role expires, negative when it has", Unit::Seconds, left);
    registry.register("role_version", "Version of a role", version);
    registry.register("refreshes", "Times that timestamp or snapshot were signed anew by this server, or could not be", refreshes);
    registry.register_with_unit("refresh_last_done_timestamp", "When this server last signed anew", Unit::Seconds, last);
}

fn folders(registry: &mut Registry, folders: &[FolderReport]) {
    let (published, broken) = (Gauges::default(), Gauges::default());
    for folder in folders {
        let labels = || vec![("repository", folder.repository.clone()), ("channel", folder.channel.clone())];
        let state = [labels(), vec![("state", folder.state.to_owned())]].concat();
        published.get_or_create(&state).set(i64::from(folder.fault.is_none()));
        for rule in &folder.rules {
            broken.get_or_create(&[labels(), vec![("rule", (*rule).to_owned())]].concat()).set(1);
        }
    }
    registry.register("folder_ready", "Whether nothing keeps a folder from being published, with its state", published);
    registry.register("folder_breaks_rule", "A rule of lint that keeps a folder from being published", broken);
}

fn reports(registry: &mut Registry, reports: Option<&Reports>) {
    let attempts = Family::<Labels, Counter>::default();
    for (name, counts) in reports.into_iter().flat_map(Reports::counts) {
        for (outcome, count) in counts {
            let labels = vec![("repository", name.to_string()), ("result", outcome.as_str().to_owned())];
            attempts.get_or_create(&labels).inc_by(count);
        }
    }
    registry.register("reported_attempts", "Attempts to update that stations reported and that were written down", attempts);
}

fn traffic(registry: &mut Registry, metrics: &Metrics) {
    let requests = Family::<Labels, Counter>::default();
    for (route, statuses) in Route::ALL.iter().zip(metrics.requests.iter()) {
        for (status, count) in (100..).zip(statuses).map(|(status, count): (u16, _)| (status, count.load(Ordering::Relaxed))) {
            if count > 0 {
                let labels = vec![("route", route.label().to_owned()), ("status", status.to_string())];
                requests.get_or_create(&labels).inc_by(count);
            }
        }
    }
    let (sent, refused) = (Counter::<u64>::default(), Counter::<u64>::default());
    sent.inc_by(metrics.sent_bytes.load(Ordering::Relaxed));
    refused.inc_by(metrics.connections_refused.load(Ordering::Relaxed));
    let open = Gauge::<i64>::default();
    open.set(metrics.connections_open.load(Ordering::Relaxed));
    registry.register("requests", "Requests answered, by class of route and status", requests);
    registry.register_with_unit("sent", "What sockets took, heads included", Unit::Bytes, sent);
    registry.register("connections_open", "Connections that are open", open);
    registry.register("connections_refused", "Connections closed at once, for their address had too many", refused);
}

type Gauges = Family<Labels, Gauge>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn no_path_becomes_a_label() {
        let app = App::new(&Settings::default());
        for path in
            ["/repo/a/b", "/repo/x/y", "/i/code", "/v1/publish/acme", "/v1/reports/acme", "/metrics", "/etc/passwd", "/repo", "*", ""]
        {
            app.metrics.answered(Route::of(path), 404);
        }
        for status in [0, 99, 600, u16::MAX] {
            app.metrics.answered(Route::Other, status);
        }
        app.metrics.sent(7);
        let text = text(&app, &Report { status: "ready", demo: false, repositories: vec![], folders: vec![] }).unwrap();
        let requests: Vec<&str> = text.lines().filter(|line| line.starts_with("stationmaster_requests_total{")).collect();
        let mut expected = [("repository", 2), ("install", 1), ("publish", 1), ("reports", 1), ("operators", 1), ("other", 4)]
            .map(|(route, count)| format!("stationmaster_requests_total{{route=\"{route}\",status=\"404\"}} {count}"));
        expected.sort();
        let mut found = requests.clone();
        found.sort_unstable();
        assert_eq!(found, expected);
        assert!(text.contains("\nstationmaster_sent_bytes_total 7\n") && text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn a_connection_counts_while_it_lives() {
        let metrics = Arc::new(Metrics::default());
        let one = metrics.connection();
        let other = metrics.connection();
        assert_eq!(metrics.connections_open.load(Ordering::Relaxed), 2);
        drop((one, other));
        assert_eq!(metrics.connections_open.load(Ordering::Relaxed), 0);
    }
}
