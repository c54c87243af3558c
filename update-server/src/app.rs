//! What every request handler can reach.

use std::sync::Arc;

use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::content::Content;
use crate::content::disk::Folder;
use crate::folders::Folders;
use crate::metrics::Metrics;
use crate::publishing::Publishing;
use crate::readiness::Readiness;
use crate::reports::Reports;
use crate::upkeep::Upkeep;

/// The state of a server. Plain fields; tests replace what they need.
pub struct App {
    /// Repositories, and what of them is in memory.
    pub content: Content,
    /// The folder of install documents.
    pub install_documents: Folder,
    /// Says what is expired.
    pub clock: Arc<dyn Clock>,
    /// The last answer of `/readyz`.
    pub readiness: Readiness,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The repositories that this server keeps from expiring.
    pub upkeep: Upkeep,
    /// The folders that publish themselves.
    pub folders: Folders,
    /// Who may publish over the network, and into what; `None` when nobody may.
    pub publishing: Option<Publishing>,
    /// What stations report; `None` when they may not.
    pub reports: Option<Reports>,
    /// Whether this server also publishes, with keys that lie on this machine.
    pub demo: bool,
}

impl App {
    /// The state that `settings` describe; nothing is read yet.
    pub fn new(settings: &Settings) -> App {
        let upkeep = Upkeep::new(settings);
        App {
            content: Content::new(&settings.repositories, &settings.cache),
            install_documents: Folder::new(&settings.install_documents),
            clock: Arc::new(SystemClock),
            readiness: Readiness::default(),
            metrics: Arc::default(),
            publishing: Publishing::new(settings, &upkeep),
            reports: Reports::new(settings),
            upkeep,
            folders: Folders::new(settings),
            demo: false,
        }
    }
}
