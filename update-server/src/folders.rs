//! Folders that publish themselves: a build that is copied into one becomes the next release of its channel, signed with a key that signs for nothing else (S3-5…S3-17, AC-59).
//!
//! A folder is published once it is still and whole: two looks a settle time apart are equal, nobody who can be seen has a file of it open for writing, no program in it is cut off, and lint has
//! nothing against it. Until then stations see the last release; what keeps a folder from being published is told by its rule in the log, in `/readyz` and in metrics.
//!
//! The key lies on this machine, so whoever owns the machine can release these channels, and no others: a channel that its folder has no role for is not published, whatever keys lie here.

mod build;
mod writers;

pub mod publish;
pub mod state;

pub(crate) use build::read as read_build;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use manifests::name::{ChannelId, Name};
use manifests::publish::commit::CommitError;
use manifests::publish::keys::KeyError;
use manifests::publish::{PublishError, Silent};
use manifests::time::UtcTime;
use tokio::task::JoinSet;

use crate::app::App;
use crate::config::{self, FolderSettings, Settings};
use crate::upkeep::schedule::{self, Outcome};
use crate::upkeep::{Upkeep, chance};
use crate::watch::{self, Acted, Event};
use state::{Again, Standing, State};

/// The folders of a server, with what became of each.
#[derive(Debug, Default)]
pub struct Folders(Vec<Arc<Folder>>);

/// One of them.
#[derive(Debug)]
pub struct Folder {
    settings: FolderSettings,
    state: Mutex<Option<State>>,
    /// How often in a row it was tried in vain.
    failures: AtomicU32,
}

impl Folders {
    /// The folders that `settings` name; nothing is looked at yet.
    pub fn new(settings: &Settings) -> Folders {
        for remark in config::folder::shared(&settings.folders) {
            tracing::warn!("{remark}");
        }
        Folders(
            settings
                .folders
                .iter()
                .map(|settings| Arc::new(Folder { settings: settings.clone(), state: Mutex::default(), failures: AtomicU32::default() }))
                .collect(),
        )
    }

    /// What became of each, in the order of the configuration; `None` before it was first looked at.
    pub fn states(&self) -> Vec<(&FolderSettings, Option<State>)> {
        self.0.iter().map(|folder| (&folder.settings, folder.state())).collect()
    }

    /// Gives each folder its role, where it has none yet and the targets keys lie here. Where they do not, [`publish::attend`] says what to do.
    ///
    /// # Errors
    /// What keeps the change from being made, other than keys that are elsewhere.
    pub fn prepare(&self, upkeep: &Upkeep, now: UtcTime) -> Result<(), PublishError> {
        let mut wanted: BTreeMap<&Name, Vec<ChannelId>> = BTreeMap::new();
        for Folder { settings, .. } in self.0.iter().map(Arc::as_ref) {
            wanted.entry(&settings.repository).or_default().push(settings.id.clone());
        }
        for (name, mut ids) in wanted {
            let Some(kept) = upkeep.get(name) else { continue };
            let repository = kept.open()?;
            let view = repository.view()?;
            ids.retain(|id| !view.folders().iter().any(|(_, known)| known == id));
            if ids.is_empty() {
                continue;
            }
            match repository.add_folders(&ids, false, now, &Silent) {
                Ok(_) => ids.iter().for_each(|id| tracing::info!(repository.name = %name, channel.path = id.target_path(), "the folder has a role and a key of its own now")),
                Err(PublishError::Commit(CommitError::Key(KeyError::Missing { .. }))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Folder {
    fn state(&self) -> Option<State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers what became of it; what is new is logged.
    fn settle(&self, standing: Standing, now: UtcTime) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.as_ref().is_some_and(|state| state.standing == standing) {
            return;
        }
        standing.log(&self.settings);
        let released = standing.release().or_else(|| state.as_ref().and_then(|state| state.released.clone()));
        // One writer after the other keeps it busy for as long as all of them together.
        let busy_since = state.as_ref().filter(|state| matches!((&state.standing, &standing), (Standing::Busy(_), Standing::Busy(_))));
        let since = busy_since.map_or(now, |state| state.since);
        *state = Some(State { standing, since, released });
    }

    /// When it is tried again.
    fn next(&self, again: Again) -> Acted {
        match again {
            Again::OnChange => {
                self.failures.store(0, Ordering::Relaxed);
                Acted::DealtWith
            }
            Again::Soon => Acted::Again(watch::LOOK_ANYWAY),
            Again::Later => {
                let times = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
                Acted::Again(schedule::pause(Outcome::Failed { times }, chance()))
            }
        }
    }
}

/// Publishes every folder of `app` whenever it has changed, in `tasks`.
pub fn start(app: &Arc<App>, tasks: &mut JoinSet<()>) {
    for folder in &app.folders.0 {
        tasks.spawn(keep(app.clone(), folder.clone()));
    }
}

async fn keep(app: Arc<App>, folder: Arc<Folder>) {
    let Some(path) = folder.settings.path.clone() else {
        folder.settle(Standing::NoPath, app.clock.now());
        return;
    };
    let (server, settle) = (folder.settings.server_program.clone(), folder.settings.settle);
    watch::watch(path, server, settle, |event| {
        let (app, folder) = (app.clone(), folder.clone());
        async move {
            let now = app.clock.now();
            let standing = match event {
                Event::Unreadable(error) => Standing::Unreadable(error.to_string()),
                Event::Still => {
                    let (app, attended) = (app.clone(), folder.clone());
                    let work = tokio::task::spawn_blocking(move || publish::attend(&attended.settings, &app.upkeep, now));
                    work.await.unwrap_or_else(|stopped| Standing::Failed { text: stopped.to_string(), passing: true })
                }
            };
            let acted = folder.next(standing.again());
            folder.settle(standing, now);
            acted
        }
    })
    .await;
}
