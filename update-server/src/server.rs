//! The listener and its connections: how many there are, what a request may weigh, and how they end.
//!
//! [`run`] takes the listener and the signal to stop from its caller, so that tests own both. When as many connections are open as are allowed,
//! the next ones wait in the listening socket; since no client can hold its connection for ever ([`crate::connection`]), they wait a bounded
//! time. After the signal no connection is accepted, idle ones are closed, and transfers under way have the grace to end.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
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
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower::Service as _;

use crate::app::App;
use crate::config::Settings;
use crate::connection::{Guarded, Requests};
use crate::error::Problem;
use crate::router::router;
use crate::sendfile::Stretches;

/// How many connections were still open when the grace was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that were cut.
    pub cut: usize,
}

/// Serves what `settings` describe on `listener` until `shutdown` is done; returns when the last connection has ended.
pub async fn run(listener: TcpListener, shutdown: impl Future<Output = ()>, settings: &Settings) -> Stopped {
    run_app(listener, shutdown, settings, Arc::new(App::new(settings))).await
}

/// As [`run`], with an `app` that the caller made.
pub async fn run_app(listener: TcpListener, shutdown: impl Future<Output = ()>, settings: &Settings, app: Arc<App>) -> Stopped {
    let server = Server::new(settings, router(app));
    let places = Arc::new(Semaphore::new(settings.limits.max_connections));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            // The semaphore is never closed.
            let place = places.clone().acquire_owned().await;
            (accept(&listener).await, place)
        };
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            ((socket, peer), place) = next => {
                let served = server.connection(socket, peer, graceful.watcher());
                connections.spawn(async move {
                    served.await;
                    drop(place);
                });
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    tracing::info!(connections.open = connections.len(), "stopping");
    if tokio::time::timeout(settings.shutdown_grace, graceful.shutdown()).await.is_err() {
        while connections.try_join_next().is_some() {}
        tracing::warn!(connections.open = connections.len(), "the grace is over; cutting the connections that are left");
    }
    while connections.try_join_next().is_some() {}
    let cut = connections.len();
    connections.shutdown().await;
    Stopped { cut }
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
}

impl Server {
    fn new(settings: &Settings, router: Router) -> Server {
        let mut http = http1::Builder::new();
        // Slices must not be copied together ([`crate::sendfile`]).
        http.writev(true)
            .max_headers(settings.limits.max_headers)
            // Bounds a head that never ends, and what is buffered of an answer beside the piece that is being sent.
            .max_buf_size(settings.limits.max_header_bytes)
            // The socket's own limits are stricter and need no timer for each head.
            .header_read_timeout(None);
        Server { http, router, settings: Arc::new(settings.clone()) }
    }

    /// Serves one connection to its end.
    fn connection(&self, socket: TcpStream, peer: SocketAddr, watcher: Watcher) -> impl Future<Output = ()> + Send + use<> {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(peer = %peer, error = %error, "a socket refused TCP_NODELAY");
        }
        let requests = Requests::default();
        let (http, router, settings) = (self.http.clone(), self.router.clone(), self.settings.clone());
        let connection = Stretches::connection(socket, move |socket| {
            let guarded = Guarded::new(socket, requests.clone(), &settings.limits);
            let service = service_fn(move |request: Request<Incoming>| {
                requests.arrived();
                answer(router.clone(), settings.clone(), peer, request)
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
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let logged = (settings.log.requests || tracing::enabled!(tracing::Level::DEBUG))
        .then(|| (request.method().clone(), request.uri().path().to_owned()));
    let response = if request.body().size_hint().lower() > settings.limits.max_body_bytes {
        Problem::BodyTooLarge.answer(request.method())
    } else {
        router.call(request).await?
    };
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
