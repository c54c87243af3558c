//! The signals that stop a server.

use std::future::Future;
use std::io;

/// Done when the process is told to stop: SIGTERM or SIGINT, or Ctrl-C where there are no signals. Listens from the call on.
#[cfg(unix)]
pub fn stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Done when the process is told to stop: SIGTERM or SIGINT, or Ctrl-C where there are no signals. Listens from the call on.
#[cfg(not(unix))]
pub fn stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(error = %error, "Ctrl-C cannot be heard; end the process to stop the server");
            std::future::pending::<()>().await;
        }
    })
}
