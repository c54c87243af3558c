//! `update-server import`: an `AppServer.ini` becomes a configuration of our own, once.

use std::fmt::Write as _;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use manifests::publish::compose::{ConfigRule, InvalidConfigRule};

use super::{Failure, site};
use crate::app::App;
use crate::appserver::site::{Site, state_of};
use crate::appserver::{Place, Wanted};
use crate::clock::{Clock, SystemClock};
use crate::config::{FolderSettings, Settings};
use crate::install_documents::BaseUrl;
use crate::logging;

/// The file that is written, in the state folder.
const CONFIGURATION: &str = "server.toml";

/// Takes over the folders of a TOTVS `AppServer.ini`: writes a configuration, keys and a repository, once.
///
/// Whatever `Enable` says. From then on the configuration counts, and the section [Update] of the application server is to be switched off. Nothing that
/// is there already is overwritten.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file.
    #[arg(long, value_name = "FILE")]
    appserver_ini: PathBuf,
    /// Where configuration, keys, repository and links are kept [default: `stationmaster-state` beside the file].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The address and port to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The address under which stations reach the server, for the links [default: the one it listens on].
    #[arg(long, value_name = "URL")]
    base_url: Option<BaseUrl>,
    /// Where this machine sees the folder of an OS, in place of what the file says: `windows=/mnt/remote_upd`.
    #[arg(long = "folder", value_name = "OS=PATH")]
    folders: Vec<Place>,
    /// What becomes of config files that a user changed, in every folder: `*.ini=keep`; the first that matches counts.
    #[arg(long = "config", value_name = "GLOB=POLICY", value_parser = rule)]
    config: Vec<String>,
}

/// A rule as it is written into the configuration, once it is known to be one.
fn rule(text: &str) -> Result<String, InvalidConfigRule> {
    text.parse::<ConfigRule>().map(|_| text.to_owned())
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::because("import", error)
}

impl Import {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<(), Failure> {
        logging::start(&crate::config::LogSettings { level: "warn".to_owned(), ..Settings::default().log });
        let ini = &self.appserver_ini;
        let path = state_of(ini, self.state.as_deref()).join(CONFIGURATION);
        if path.exists() {
            return Err(Failure::new(format!(
                "import: `{}` is there already and may have been changed since; edit it, or move it away to import once more",
                path.display()
            )));
        }
        let site = Site::prepare(ini, self.state.as_deref(), Some(self.listen), Wanted::Always(&self.folders), SystemClock.now())
            .map_err(failed)?;
        let app = App::new(&site.settings);
        app.folders.prepare(&app.upkeep, app.clock.now()).map_err(failed)?;
        write_once(&path, &configuration(&site, ini, &self.config))
            .map_err(|error| Failure::because(format!("write `{}`", path.display()), error))?;
        // What is read back is what will be served.
        Settings::load(&path).map_err(failed)?;

        let told = self.tell(&site, &path, out);
        told.map_err(|site::SiteOrIo(error)| failed(error))
    }

    fn tell(&self, site: &Site, path: &Path, out: &mut dyn Write) -> Result<(), site::SiteOrIo> {
        let Some(repository) = &site.repository else { return Ok(()) };
        let ini = self.appserver_ini.display();
        writeln!(out, "Wrote {}, which from now on says what is published.", path.display())?;
        site::keys(site, repository, out)?;
        let base = match &self.base_url {
            Some(base) => base.clone(),
            None => format!("http://{}/", site::reachable(self.listen)).parse().map_err(crate::appserver::site::SiteError::from)?,
        };
        site::links(site, repository, &base, out)?;
        writeln!(out)?;
        writeln!(out, "Now set Enable=0 in the section [Update] of {ini}, and restart that application server:")?;
        writeln!(out, "  {}.", site::TWO_UPDATERS)?;
        writeln!(out, "Next: update-server serve --config {}", path.display())?;
        Ok(out.flush()?)
    }
}

/// The configuration of `site`, as people will read it.
fn configuration(site: &Site, ini: &Path, config: &[String]) -> String {
    let quoted = |path: &Path| toml::Value::from(path.display().to_string()).to_string();
    let mut text = format!(
        "# Made of {} by `update-server import`. `server.example.toml` documents every setting.\n\nlisten = \"{}\"\ninstall_documents = \"install\"\n\n[reports]\njournal = \"journal\"\n",
        ini.display(),
        site.settings.listen
    );
    for repository in &site.settings.repositories {
        // Relative to the state folder, in which this lies.
        let _ = write!(
            text,
            "\n[[repository]]\nname = \"{}\"\npath = \"repository\"\nkeys = \"repository.keys\"\nrefresh_all_roles = true\n",
            repository.name
        );
    }
    for FolderSettings { path, repository, id, setting, .. } in &site.settings.folders {
        let path = path.as_deref().map(quoted).unwrap_or_default();
        let _ = write!(text, "\n# {setting}\n[[folder]]\npath = {path}\nrepository = \"{repository}\"\nos = \"{}\"\n", id.os);
        if !config.is_empty() {
            // What no rule names goes on as SmartClient's own update does it.
            let rules: Vec<&str> = config.iter().map(String::as_str).chain(["*=overwrite"]).collect();
            let _ = writeln!(text, "config = {}", toml::Value::from(rules));
        }
    }
    text
}

/// Writes a file that is not there yet, whole or not at all.
fn write_once(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    beside.write_all(text.as_bytes())?;
    beside.as_file().sync_all()?;
    beside.persist_noclobber(path).map(drop).map_err(|error| error.error)
}
