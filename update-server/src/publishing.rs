//! Publishing over the network: who may, into what, one at a time.
//!
//! A submission holds what its publisher made and signed elsewhere; this server adds snapshot and timestamp, which make it visible. So a token is no
//! key: whoever steals one can bring in only what offline keys have signed, onto the very versions that it was made for (attack A21). What is checked of a
//! submission is the business of whoever takes it in ([`Intake`]); here it is received, and there is one answer for everything.

pub mod incoming;
mod repository;
pub mod throttle;
pub mod tokens;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use manifests::name::Name;
use manifests::time::UtcTime;
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::config::{Limits, Settings};
use crate::places::is_unlimited;
use crate::upkeep::Upkeep;
use incoming::Bounds;
use repository::IntoRepository;
use throttle::Throttle;
use tokens::Tokens;

/// Takes submissions into one repository.
pub trait Intake: Send + Sync + 'static {
    /// Verifies the submission at `bundle` and makes it visible, wholly or not at all. Waits for files.
    fn submit(&self, bundle: &Path, now: UtcTime) -> Result<Taken, Refused>;
}

/// A submission that stations see now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// The roles that are new, with their versions; timestamp last.
    pub roles: Vec<TakenRole>,
    /// The releases that were not listed before.
    pub releases: Vec<TakenRelease>,
    /// Objects that were not there before.
    pub new_objects: usize,
}

/// A role that is new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TakenRole {
    /// Its name.
    pub role: String,
    /// Its version.
    pub version: u64,
    /// When it expires.
    pub expires: UtcTime,
}

/// A release that is new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TakenRelease {
    /// Its channel, in words.
    pub channel: String,
    /// Its number.
    pub sequence: u64,
    /// Its build.
    pub build: String,
}

/// Why a submission was not taken in. Nothing that stations see has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was made for versions that are not current any more.
    #[error("{0}")]
    NotCurrent(String),
    /// It is not what it should be, or not signed as it must be.
    #[error("{0}")]
    Unfit(String),
    /// Another command is at the repository.
    #[error("{0}")]
    Busy(String),
    /// The server could not; its operator must do something.
    #[error("{0}")]
    Failed(String),
}

/// Everything that has to do with publishing.
pub struct Publishing {
    /// Who may.
    pub tokens: Tokens,
    /// Who was wrong too often.
    pub throttle: Throttle,
    /// Bounds on a submission.
    pub bounds: Bounds,
    limits: Limits,
    desks: BTreeMap<Name, Desk>,
}

/// Where the submissions of one repository are taken in.
#[derive(Clone)]
pub struct Desk {
    /// The repository's folder.
    pub folder: PathBuf,
    /// What takes them in.
    pub intake: Arc<dyn Intake>,
    /// One at a time.
    pub place: Arc<Semaphore>,
}

impl Publishing {
    /// What `settings` allow; `None` when there is no token. Nothing is read yet.
    pub fn new(settings: &Settings, upkeep: &Upkeep) -> Option<Publishing> {
        Publishing::with(settings, |name| Some(Arc::new(IntoRepository(upkeep.get(name)?.clone())) as Arc<dyn Intake>))
    }

    /// As [`Publishing::new`], with an intake for each repository that `intake` gives one.
    pub fn with(settings: &Settings, intake: impl Fn(&Name) -> Option<Arc<dyn Intake>>) -> Option<Publishing> {
        let open = settings.repositories.iter().filter(|one| !one.publish_tokens.is_empty());
        let desks: BTreeMap<Name, Desk> = open
            .filter_map(|one| {
                let desk = Desk { folder: one.path.clone(), intake: intake(&one.name)?, place: Arc::new(Semaphore::new(1)) };
                Some((one.name.clone(), desk))
            })
            .collect();
        let tokens = settings.repositories.iter().filter(|one| desks.contains_key(&one.name));
        let tokens = tokens.flat_map(|one| one.publish_tokens.iter().map(|token| (one.name.clone(), *token)));
        let tokens = Tokens::new(tokens);
        (!desks.is_empty()).then(|| Publishing {
            tokens,
            throttle: Throttle::default(),
            bounds: (&settings.limits).into(),
            limits: settings.limits.clone(),
            desks,
        })
    }

    /// Whether `address` is a proxy, behind which others are wrong.
    pub fn is_unlimited(&self, address: IpAddr) -> bool {
        is_unlimited(&self.limits, address)
    }

    /// Where submissions for the repository `name` are taken in.
    pub fn desk(&self, name: &str) -> Option<&Desk> {
        self.desks.get(&name.parse::<Name>().ok()?)
    }

    /// Removes what submissions that a server died over have left.
    pub fn sweep(&self) {
        for desk in self.desks.values() {
            if let Err(error) = incoming::sweep(&desk.folder) {
                tracing::warn!(repository.path = %desk.folder.display(), error = %error, "what is left of earlier submissions could not be removed");
            }
        }
    }
}
