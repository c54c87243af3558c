//! Keeps repositories from expiring, with the keys of snapshot and timestamp alone.
//!
//! Each repository that has `keys` is looked at every quarter of an hour. When its timestamp is a day old, or half of the life of timestamp or snapshot
//! is gone, both that are due are signed anew. That goes through the repository's own lock and through a verification of everything that is signed in
//! it, so what does not verify is never given a new date. Nothing here can publish: [`Signing::Online`] signs no role that lists anything. Of a repository
//! whose folders this server publishes, their roles are renewed as well ([`Signing::Folders`]); of a site that keeps all keys here, all of them are.
//!
//! Whatever goes wrong is logged with its cause, told in `/readyz` and metrics, and tried again; a server that cannot sign goes on serving.

pub mod misplaced;
pub mod passphrase;
pub mod schedule;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use manifests::name::Name;
use manifests::publish::commit::CommitError;
use manifests::publish::keys::KeyError;
use manifests::publish::lock::LockError;
use manifests::publish::refresh::{Signing, distrust, is_due};
use manifests::publish::view::View;
use manifests::publish::{PublishError, Repository, Silent};
use manifests::role::HasHeader as _;
use manifests::time::UtcTime;
use manifests::timestamp::Timestamp;
use tokio::task::JoinSet;

use crate::app::App;
use crate::config::{OnlineKeys, RepositorySettings, Settings};
use schedule::Outcome;

/// How long a refresh waits for another command on the repository before it comes back later.
const PATIENCE: Duration = Duration::from_secs(10);

/// The repositories that this server holds keys for.
#[derive(Debug, Default)]
pub struct Upkeep(BTreeMap<Name, Arc<Kept>>);

/// One of them.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    keys: OnlineKeys,
    signing: Signing,
    record: Mutex<Record>,
}

/// What this server has signed since it started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Refreshes that signed something.
    pub done: u64,
    /// Refreshes that failed.
    pub failed: u64,
    /// When something was last signed.
    pub last_done: Option<UtcTime>,
    /// The failure that lasts; `None` while all is well.
    pub failing: Option<Failing>,
}

/// A failure that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// When it began.
    pub since: UtcTime,
    /// Attempts since then.
    pub times: u32,
    /// The cause of the last one, with what to do.
    pub cause: String,
}

/// The keys of a repository cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// Their folder is not there.
    #[error("find the keys of the repository `{name}` in `{}` (correct `keys` in the configuration): {source}", folder.display())]
    NoFolder {
        /// The repository.
        name: Name,
        /// Where they should be.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// They lie in the repository.
    #[error("use the keys in `{}`: they lie in the repository that they sign; move them out of it", .0.display())]
    Inside(PathBuf),
    /// The repository cannot be opened.
    #[error(transparent)]
    Repository(#[from] PublishError),
}

impl Kept {
    /// The repository with its keys, whose commands wait a moment for one another.
    pub fn open(&self) -> Result<Repository, PublishError> {
        let repository = Repository::open(&self.path, Some(&self.keys.folder))?.waiting(PATIENCE);
        Ok(match &self.keys.passphrase_file {
            Some(file) => repository.unlocked_by(passphrase::source(file.clone())),
            None => repository,
        })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of its keys.
    pub fn keys(&self) -> &OnlineKeys {
        &self.keys
    }

    /// What has been signed so far.
    pub fn record(&self) -> Record {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs what is due of this repository, and records how that went.
    fn attend(&self, name: &Name, every: Duration, now: UtcTime) -> Outcome {
        let attended = self.refresh(every, now);
        let mut record = self.lock();
        match attended {
            Ok(signed) => {
                if let Some(failing) = record.failing.take() {
                    tracing::info!(repository.name = %name, failing.since = %failing.since, "the repository can be signed again");
                }
                if !signed.is_empty() {
                    record.done += 1;
                    record.last_done = Some(now);
                }
                for (role, version, expires) in signed {
                    tracing::info!(repository.name = %name, role.name = role, role.version = version, role.expires = %expires, "signed anew");
                }
                Outcome::Well
            }
            Err(PublishError::Lock(LockError::Held { holder })) => {
                tracing::info!(repository.name = %name, lock.holder = holder, "another command is changing the repository; coming back in a minute");
                Outcome::Busy
            }
            Err(error) => {
                let cause = cause(&error);
                let times = record.failing.as_ref().map_or(0, |failing| failing.times).saturating_add(1);
                let since = record.failing.as_ref().map_or(now, |failing| failing.since);
                tracing::error!(repository.name = %name, error = cause, attempts = times,
                    "the repository could not be signed anew and will expire; trying again (`manifests verify` says what is wrong with it)");
                record.failed += 1;
                record.failing = Some(Failing { since, times, cause });
                Outcome::Failed { times }
            }
        }
    }

    fn refresh(&self, every: Duration, now: UtcTime) -> Result<Vec<(String, u64, UtcTime)>, PublishError> {
        let repository = self.open()?;
        let every = i64::try_from(every.as_secs()).unwrap_or(i64::MAX);
        let timestamp = |view: &View| view.headers().into_iter().find(|(role, ..)| role == Timestamp::KIND).map(|(.., expires)| expires);
        if let Ok(view) = repository.view()
            && let Some(reason) = timestamp(&view).and_then(|expires| distrust(expires, now))
        {
            return Err(CommitError::Clock(reason).into());
        }
        // Looked at without the lock first: most looks find nothing to do. What does not verify may be in the middle of a change, which the lock tells.
        let rests = |view: View| !view.headers().iter().any(|(role, _, expires)| is_due(self.signing, role, *expires, every, now));
        if repository.view().is_ok_and(rests) {
            return Ok(vec![]);
        }
        Ok(repository.refresh_roles(self.signing, now, &Silent)?.signed)
    }
}

impl Upkeep {
    /// The repositories among `settings` that have keys; nothing is read yet.
    pub fn new(settings: &Settings) -> Upkeep {
        let kept = |one: &RepositorySettings| {
            let (path, keys) = (one.path.clone(), one.keys.clone()?);
            let signing = match keys.all {
                true => Signing::All,
                false if settings.folders.iter().any(|folder| folder.repository == one.name) => Signing::Folders,
                false => Signing::Online,
            };
            Some((one.name.clone(), Arc::new(Kept { path, keys, signing, record: Mutex::default() })))
        };
        Upkeep(settings.repositories.iter().filter_map(kept).collect())
    }

    /// The repository of this name, if it is kept.
    pub fn get(&self, name: &Name) -> Option<&Arc<Kept>> {
        self.0.get(name)
    }

    /// Checks what must be right from the start: the repositories are there, and so are the folders of keys, outside of them.
    pub fn check(&self) -> Result<(), UpkeepError> {
        for (name, kept) in &self.0 {
            let folder = &kept.keys.folder;
            let found = std::fs::read_dir(folder).and_then(|_| std::fs::canonicalize(folder));
            let whole = found.map_err(|source| UpkeepError::NoFolder { name: name.clone(), folder: folder.clone(), source })?;
            if whole.starts_with(kept.open()?.path()) {
                return Err(UpkeepError::Inside(folder.clone()));
            }
        }
        Ok(())
    }
}

/// Keeps every repository of `app` that has keys and is to be refreshed, until what is returned is dropped.
pub fn start(app: &Arc<App>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for (name, kept) in &app.upkeep.0 {
        if let Some(every) = kept.keys.refresh_every {
            tasks.spawn(keep(app.clone(), name.clone(), kept.clone(), every));
        }
    }
    tasks
}

async fn keep(app: Arc<App>, name: Name, kept: Arc<Kept>, every: Duration) {
    loop {
        let (repository, called, now) = (kept.clone(), name.clone(), app.clock.now());
        let attended = tokio::task::spawn_blocking(move || repository.attend(&called, every, now)).await;
        let outcome = attended.unwrap_or_else(|error| {
            tracing::error!(repository.name = %name, error = %error, "signing ended abnormally; trying again");
            Outcome::Failed { times: 1 }
        });
        tokio::time::sleep(schedule::pause(outcome, chance())).await;
    }
}

/// Why, with what helps on a server.
fn cause(error: &PublishError) -> String {
    match error {
        PublishError::Commit(CommitError::Key(KeyError::Encrypted { key, path, .. })) => {
            let path = path.display();
            format!("key `{key}` in `{path}` is encrypted: set `passphrase_file` of the repository to the file that holds its passphrase")
        }
        other => other.to_string(),
    }
}

/// A random number; without randomness, servers stay in step, which is no harm.
pub(crate) fn chance() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX / 2)
}
