//! What every request handler can reach.

use std::sync::Arc;

use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::content::Content;
use crate::content::disk::Folder;
use crate::routes::health::Readiness;

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
    /// Whether this server also publishes, with keys that lie on this machine.
    pub demo: bool,
}

impl App {
    /// The state that `settings` describe; nothing is read yet.
    pub fn new(settings: &Settings) -> App {
        App {
            content: Content::new(&settings.repositories, &settings.cache),
            install_documents: Folder::new(&settings.install_documents),
            clock: Arc::new(SystemClock),
            readiness: Readiness::default(),
            demo: false,
        }
    }
}
