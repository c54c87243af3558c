//! The listener and its connections: how many there are, what a request may weigh, and how they end.
//!
//! [`run`] takes the listeners and the signal to stop from its caller, so that tests own both. When as many connections are open as are allowed,
//! the next ones wait in the listening socket; since no client can hold its connection for ever ([`crate::connection`]), they wait a bounded
//! time, and since none has more than its share ([`crate::places`]), others come in between. After the signal no connection is accepted, idle ones
//! are closed, and transfers under way have the grace to end. HTTP/1.1 is all that is spoken: what HTTP/2 can be abused for does not exist here.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::Service as _;

use crate::app::App;
use crate::config::Settings;
use crate::connection::{Guarded, Requests};
use crate::error::Problem;
use crate::metrics::Route;
use crate::places::{Places, is_unlimited};
use crate::router::{Audience, router};
use crate::sendfile::Stretches;
use crate::{folders, readiness, upkeep};

/// How many connections were still open when the grace was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that were cut.
    pub cut: usize,
}

/// Where a server listens.
#[derive(Debug)]
pub struct Listeners {
    /// For stations and, unless they have their own, operators.
    pub everybody: TcpListener,
    /// For operators alone: then `/readyz` and `/metrics` are here and not there.
    pub operators: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(everybody: TcpListener) -> Self {
        Listeners { everybody, operators: None }
    }
}

/// New connections that the system keeps for us at a listener. With fewer, a burst of stations makes some of them try again only a second later.
const WAITING: u32 = 4096;

/// Listens at `address`.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that was just stopped leaves connections behind; on Windows the option means something else.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// Operators and their monitoring need no more connections than this.
const OPERATORS_CONNECTIONS: usize = 64;

/// Serves what `settings` describe on `listeners` until `shutdown` is done; returns when the last connection has ended.
pub async fn run(listeners: impl Into<Listeners>, shutdown: impl Future<Output = ()>, settings: &Settings) -> Stopped {
    run_app(listeners, shutdown, settings, Arc::new(App::new(settings))).await
}

/// As [`run`], with an `app` that the caller made.
pub async fn run_app(listeners: impl Into<Listeners>, shutdown: impl Future<Output = ()>, settings: &Settings, app: Arc<App>) -> Stopped {
    let Listeners { everybody, operators } = listeners.into();
    if let Some(publishing) = &app.publishing {
        publishing.sweep();
    }
    let mut beside = upkeep::start(&app);
    folders::start(&app, &mut beside);
    beside.spawn(readiness::watch(app.clone()));
    let (stop, stopped) = watch::channel(());
    let stop = async move {
        shutdown.await;
        drop(stop);
    };
    let audience = if operators.is_some() { Audience::Stations } else { Audience::Everybody };
    let public = Server::new(settings, audience, &app).listen(everybody, stopped.clone(), settings.limits.max_connections);
    let private = async {
        match operators {
            Some(listener) => Server::new(settings, Audience::Operators, &app).listen(listener, stopped, OPERATORS_CONNECTIONS).await,
            None => 0,
        }
    };
    let ((), public, private) = tokio::join!(stop, public, private);
    Stopped { cut: public + private }
}

/// The next connection. Errors of single connections are not ours; having no more descriptors is waited out.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(error = %error, "accepting connections fails; trying again in a moment");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// What every connection needs.
struct Server {
    http: http1::Builder,
    router: Router,
    settings: Arc<Settings>,
    app: Arc<App>,
    places: Arc<Places>,
}

impl Server {
    fn new(settings: &Settings, audience: Audience, app: &Arc<App>) -> Server {
        let mut http = http1::Builder::new();
        // Slices must not be copied together ([`crate::sendfile`]).
        http.writev(true)
            .max_headers(settings.limits.max_headers)
            // Bounds a head that never ends, and what is buffered of an answer beside the piece that is being sent.
            .max_buf_size(settings.limits.max_header_bytes)
            // The socket's own limits are stricter and need no timer for each head.
            .header_read_timeout(None);
        let places = Places::new(settings.limits.max_connections_per_address);
        Server { http, router: router(app.clone(), audience), settings: Arc::new(settings.clone()), app: app.clone(), places }
    }

    /// Serves at most `most` connections at once on `listener` until the sender of `stopped` is gone; returns how many had to be cut.
    async fn listen(self, listener: TcpListener, mut stopped: watch::Receiver<()>, most: usize) -> usize {
        let all = Arc::new(Semaphore::new(most));
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        loop {
            let next = async {
                // The semaphore is never closed.
                let place = all.clone().acquire_owned().await;
                (accept(&listener).await, place)
            };
            tokio::select! {
                biased;
                _ = stopped.changed() => break,
                ((socket, peer), place) = next => {
                    let unlimited = is_unlimited(&self.settings.limits, peer.ip());
                    let of_address = if unlimited { None } else { self.places.take(peer.ip()) };
                    if of_address.is_none() && !unlimited {
                        // Closed at once: an answer would cost more than the connection.
                        self.app.metrics.refused();
                        continue;
                    }
                    let (served, counted) = (self.connection(socket, peer, graceful.watcher()), self.app.metrics.connection());
                    connections.spawn(async move {
                        served.await;
                        drop((place, of_address, counted));
                    });
                }
            }
            while connections.try_join_next().is_some() {}
        }
        drop(listener);
        tracing::info!(connections.open = connections.len(), "stopping");
        if tokio::time::timeout(self.settings.shutdown_grace, graceful.shutdown()).await.is_err() {
            while connections.try_join_next().is_some() {}
            tracing::warn!(connections.open = connections.len(), "the grace is over; cutting the connections that are left");
        }
        while connections.try_join_next().is_some() {}
        let cut = connections.len();
        connections.shutdown().await;
        cut
    }

    /// Serves one connection to its end.
    fn connection(&self, socket: TcpStream, peer: SocketAddr, watcher: Watcher) -> impl Future<Output = ()> + Send + use<> {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(peer = %peer, error = %error, "a socket refused TCP_NODELAY");
        }
        let requests = Requests::default();
        let (http, router, settings, app) = (self.http.clone(), self.router.clone(), self.settings.clone(), self.app.clone());
        let connection = Stretches::connection(socket, move |socket| {
            let guarded = Guarded::new(socket, requests.clone(), app.metrics.clone(), &settings.limits);
            let service = service_fn(move |request: Request<Incoming>| {
                requests.arrived();
                let answer = answer(router.clone(), settings.clone(), app.clone(), peer, request);
                let requests = requests.clone();
                async move {
                    let answered = answer.await;
                    requests.answered();
                    answered
                }
            });
            watcher.watch(http.serve_connection(TokioIo::new(guarded), service))
        });
        async move {
            if let Err(error) = connection.await {
                tracing::debug!(peer = %peer, error = %Chain(&error), "a connection ended early");
            }
        }
    }
}

async fn answer(
    mut router: Router,
    settings: Arc<Settings>,
    app: Arc<App>,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let logged = (settings.log.requests || tracing::enabled!(tracing::Level::DEBUG))
        .then(|| (request.method().clone(), request.uri().path().to_owned()));
    let route = Route::of(request.uri().path());
    // Submissions and reports have a limit of their own, and who sends them matters.
    let has_own_limit = (route == Route::Publish && app.publishing.is_some()) || (route == Route::Reports && app.reports.is_some());
    if has_own_limit {
        request.extensions_mut().insert(Peer(peer));
    }
    let response = if !has_own_limit && request.body().size_hint().lower() > settings.limits.max_body_bytes {
        Problem::BodyTooLarge.answer(request.method())
    } else {
        router.call(request).await?
    };
    app.metrics.answered(route, response.status().as_u16());
    if let Some((method, path)) = logged {
        let (status, bytes) = (response.status().as_u16(), response.body().size_hint().exact());
        if settings.log.requests {
            tracing::info!(peer = %peer, http.method = %method, http.path = %path, http.status = status, http.body_bytes = bytes, "request");
        } else {
            tracing::debug!(peer = %peer, http.method = %method, http.path = %path, http.status = status, http.body_bytes = bytes, "request");
        }
    }
    Ok(response)
}

/// Who sent a request, for handlers to whom it matters.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// An error with its causes, on one line.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
