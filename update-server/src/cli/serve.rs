//! `update-server serve`: the server, until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;

use super::Failure;
use crate::app::App;
use crate::config::Settings;
use crate::content::disk::Folder;
use crate::server::Listeners;
use crate::{descriptors, identity, logging, server, signals};

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
        let app = Arc::new(App::new(&settings));
        app.upkeep.check().map_err(|error| Failure::because("start", error))?;
        let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::because("start", error))?;
        runtime.block_on(serve(&settings, app))
    }
}

async fn serve(settings: &Settings, app: Arc<App>) -> Result<(), Failure> {
    let stop = signals::stop().map_err(|error| Failure::because("watch for signals", error))?;
    let (everybody, address) = listen(settings.listen)?;
    let operators = settings.operators_listen.map(listen).transpose()?;
    let operators_address = operators.as_ref().map(|(_, address)| tracing::field::display(*address));
    tracing::info!(listen.address = %address, operators.address = operators_address, repositories = settings.repositories.len(), "serving");
    let listeners = Listeners { everybody, operators: operators.map(|(listener, _)| listener) };
    let stopped = crate::run_app(listeners, stop, settings, app).await;
    tracing::info!(connections.cut = stopped.cut, "stopped");
    Ok(())
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let failed = |error| Failure::because(format!("listen on `{address}`"), error);
    let listener = server::bind(address).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}
