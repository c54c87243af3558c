//! `update-server serve`: the server, until it is told to stop.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;

use super::{Failure, site};
use crate::app::App;
use crate::appserver::Wanted;
use crate::appserver::site::Site;
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::content::disk::Folder;
use crate::install_documents::BaseUrl;
use crate::server::Listeners;
use crate::{descriptors, identity, logging, server, signals};

/// Serves the repositories and install documents that a configuration names, or the folders of a TOTVS `AppServer.ini`.
///
/// SIGTERM and SIGINT stop it: nothing new is accepted, and transfers under way have the grace of the configuration to end. `/healthz` says that
/// it lives, `/readyz` what stations are about to see, when it expires, and what keeps a folder from being published.
///
/// With an `AppServer.ini` it makes keys and a repository of its own at its first start, publishes the folders of the section [Update] whenever they
/// change, and prints a link for each OS by which stations install.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The configuration (`server.example.toml` documents every setting), or the `AppServer.ini` of an application server: a name that ends in `.ini`.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// With an `AppServer.ini`: where keys, repository and links are kept [default: `stationmaster-state` beside the file].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// With an `AppServer.ini`: the address and port to listen on [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// With an `AppServer.ini`: the address under which stations reach this server, for the links [default: the one it listens on].
    #[arg(long, value_name = "URL")]
    base_url: Option<BaseUrl>,
}

fn start(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::because("start", error)
}

impl Serve {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<(), Failure> {
        let (settings, site) = match is_appserver(&self.config) {
            true => {
                logging::start(&Settings::default().log);
                let site =
                    Site::prepare(&self.config, self.state.as_deref(), self.listen, Wanted::WhileOn, SystemClock.now()).map_err(start)?;
                (site.settings.clone(), Some(site))
            }
            false if self.state.is_some() || self.listen.is_some() || self.base_url.is_some() => {
                return Err(Failure::new(
                    "start: --state, --listen and --base-url are for an AppServer.ini; a configuration says the first two itself, and `update-server link` takes the third",
                ));
            }
            false => {
                let settings = Settings::load(&self.config).map_err(start)?;
                logging::start(&settings.log);
                (settings, None)
            }
        };
        for repository in &settings.repositories {
            identity::check(&Folder::new(&repository.path), &repository.name).map_err(start)?;
        }
        if settings.repositories.is_empty() {
            match &site {
                Some(_) => {
                    tracing::info!(config.path = %self.config.display(), "its section [Update] is not on (Enable=1): nothing is published")
                }
                None => tracing::warn!("no repository is configured; add a [[repository]] to serve one"),
            }
        }
        descriptors::raise_limit(settings.limits.max_connections);
        let app = Arc::new(App::new(&settings));
        app.upkeep.check().map_err(start)?;
        app.folders.prepare(&app.upkeep, app.clock.now()).map_err(start)?;
        let runtime = tokio::runtime::Runtime::new().map_err(start)?;
        let announce = |address: SocketAddr| match &site {
            Some(site) => site::introduce(site, &self.config, address, self.base_url.as_ref(), out),
            None => Ok(()),
        };
        runtime.block_on(serve(&settings, app, announce))
    }
}

/// Whether `path` is the configuration of an application server.
pub(super) fn is_appserver(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("ini"))
}

async fn serve(settings: &Settings, app: Arc<App>, announce: impl FnOnce(SocketAddr) -> Result<(), Failure>) -> Result<(), Failure> {
    let stop = signals::stop().map_err(|error| Failure::because("watch for signals", error))?;
    let (everybody, address) = listen(settings.listen)?;
    let operators = settings.operators_listen.map(listen).transpose()?;
    let operators_address = operators.as_ref().map(|(_, address)| tracing::field::display(*address));
    tracing::info!(listen.address = %address, operators.address = operators_address, repositories = settings.repositories.len(), "serving");
    announce(address)?;
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
