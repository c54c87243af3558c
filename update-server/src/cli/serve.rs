//! `update-server serve`: the server, until it is told to stop.

use std::path::PathBuf;

use clap::Args;
use tokio::net::TcpListener;

use super::Failure;
use crate::config::Settings;
use crate::content::disk::Folder;
use crate::{descriptors, identity, logging, signals};

/// Serves the repositories and install documents that a configuration names.
///
/// SIGTERM and SIGINT stop it: nothing new is accepted, and transfers under way have the grace of the configuration to end. `/healthz` says that
/// it lives, `/readyz` what stations are about to see and when it expires.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The configuration; `server.example.toml` documents every setting.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        let settings = Settings::load(&self.config).map_err(|error| Failure::because("start", error))?;
        logging::start(&settings.log);
        for repository in &settings.repositories {
            identity::check(&Folder::new(&repository.path), &repository.name).map_err(|error| Failure::because("start", error))?;
        }
        if settings.repositories.is_empty() {
            tracing::warn!("no repository is configured; add a [[repository]] to serve one");
        }
        descriptors::raise_limit(settings.limits.max_connections);
        let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::because("start", error))?;
        runtime.block_on(serve(&settings))
    }
}

async fn serve(settings: &Settings) -> Result<(), Failure> {
    let stop = signals::stop().map_err(|error| Failure::because("watch for signals", error))?;
    let listening = TcpListener::bind(settings.listen).await;
    let listener = listening.map_err(|error| Failure::because(format!("listen on `{}`", settings.listen), error))?;
    let address = listener.local_addr().map_err(|error| Failure::because("listen", error))?;
    tracing::info!(listen.address = %address, repositories = settings.repositories.len(), "serving");
    let stopped = crate::run(listener, stop, settings).await;
    tracing::info!(connections.cut = stopped.cut, "stopped");
    Ok(())
}
