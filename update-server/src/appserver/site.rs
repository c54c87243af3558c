//! What a server makes of an `AppServer.ini`: keys, a repository, a role for each folder, install documents, all in one folder of its own.
//!
//! All keys lie on this machine then, unencrypted, so whoever owns it can sign what stations install. That is how it was before, when a station took what the application server had; `/readyz`,
//! `updater status` and the command itself say so. `manifests keys split` moves all but the online keys away.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use manifests::install_link::{ContentPin, InstallDocument, InstallLink};
use manifests::name::{Name, Os};
use manifests::publish::{PublishError, Repository, Silent};
use manifests::time::UtcTime;

use super::{AppServerError, UpdateFolder, Wanted};
use crate::config::folder::{refuse_nested, whole};
use crate::config::{ConfigError, FolderSettings, OnlineKeys, ReportSettings, RepositorySettings, Settings};
use crate::install_documents::{self, BaseUrl, LinkError};

/// The folder beside an `AppServer.ini` in which all that is made goes, unless another is given.
const STATE: &str = "stationmaster-state";
/// The repository that is made in it.
const REPOSITORY: &str = "smartclient";
/// How long one command on the repository waits for another.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server that an `AppServer.ini` describes.
#[derive(Debug)]
pub struct Site {
    /// Where everything of it lies.
    pub state: PathBuf,
    /// What it serves and publishes.
    pub settings: Settings,
    /// The repository; `None` where the section was never on.
    pub repository: Option<Repository>,
}

/// Why there is no such server.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The file.
    #[error(transparent)]
    AppServer(#[from] AppServerError),
    /// The state folder.
    #[error("make `{path}` (choose another place with --state): {source}")]
    State {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder to publish holds the state, or lies in it.
    #[error(
        "publish `{folder}`: all that this server makes lies in `{state}`, and one of the two is in the other (choose another place with --state)"
    )]
    Nested {
        /// The folder.
        folder: PathBuf,
        /// The state.
        state: PathBuf,
    },
    /// There is nothing to take over.
    #[error("take `{0}` over: it names no folder, for its section [Update] has neither PathWindows nor PathLinux nor PathMacOSX")]
    NoFolder(PathBuf),
    /// A key without a value cannot be taken over.
    #[error("take {setting} over: it says nothing; give it the path of the folder, or take the line out")]
    NoPath {
        /// The key and the file, for people.
        setting: String,
    },
    /// What is there is no folder.
    #[error("take {setting} over: `{path}` is no folder; give it the path of one")]
    NotAFolder {
        /// The key and the file, for people.
        setting: String,
        /// Where it leads.
        path: PathBuf,
    },
    /// A configuration cannot say where it is.
    #[error(
        "take {setting} over: the name of `{path}` is not Unicode, and a configuration can hold no other; rename it, or have it seen elsewhere and give that place with --folder"
    )]
    NotUnicode {
        /// The key and the file, for people.
        setting: String,
        /// Where it leads.
        path: PathBuf,
    },
    /// Two folders to publish lie in one another.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The repository.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A link.
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl Site {
    /// Reads the file at `ini` and makes what is missing of its server in `state`, or beside the file. Where the section is off and its folders are not `wanted` always, nothing is made and
    /// nothing is published; what was published before goes on being served.
    ///
    /// # Errors
    /// A file that cannot be followed, or a state folder that cannot be made or read. What the file says is judged before the first key is made: keys in a folder that stations are given would
    /// be everybody's.
    pub fn prepare(ini: &Path, state: Option<&Path>, listen: Option<SocketAddr>, wanted: Wanted, now: UtcTime) -> Result<Site, SiteError> {
        let update = super::read(ini, wanted)?;
        for remark in &update.remarks {
            tracing::warn!("{remark}");
        }
        let state = state_of(ini, state);
        let mut folders: Vec<FolderSettings> = update.folders.iter().map(|folder| settings_of(folder, ini)).collect();
        if wanted != Wanted::WhileOn {
            refuse_unfit(&folders, ini)?;
        }
        refuse_nested(&folders)?;
        refuse_within(&folders, &state)?;
        let repository = repository(&state, update.enabled || wanted != Wanted::WhileOn, now)?;
        let mut settings = Settings {
            listen: listen.unwrap_or(Settings::default().listen),
            install_documents: state.join("install"),
            reports: Some(ReportSettings::in_state(&state)),
            ..Settings::default()
        };
        if let Some(repository) = &repository {
            let keys = OnlineKeys {
                folder: repository.keys().path().to_owned(),
                passphrase_file: None,
                refresh_every: Some(Duration::from_secs(86_400)),
                all: true,
            };
            let served = RepositorySettings::served(repository.name().clone(), repository.path());
            settings.repositories.push(RepositorySettings { keys: Some(keys), ..served });
            folders.iter_mut().for_each(|folder| folder.repository = repository.name().clone());
            settings.folders = folders;
        }
        Ok(Site { state, settings, repository })
    }

    /// The link by which a station with `os` installs; `base` is where the server is reached.
    ///
    /// # Errors
    /// A document that cannot be written.
    pub fn link(&self, repository: &Repository, os: Os, base: &BaseUrl) -> Result<InstallLink, SiteError> {
        let name = repository.name().clone();
        let content = ContentPin { url: format!("../repo/{name}/"), name, root: repository.root_pin()? };
        let FolderSettings { id, .. } = FolderSettings::new(None, String::new(), repository.name().clone(), os);
        let mut document = InstallDocument::new(id.product, id.channel, content);
        (document.os, document.arch) = (Some(os), Some(id.arch));
        Ok(install_documents::publish(&self.settings.install_documents, &document, None, base)?)
    }
}

/// The folder of everything that is made for the file at `ini`: the one that was `given`, else one beside the file.
pub fn state_of(ini: &Path, given: Option<&Path>) -> PathBuf {
    let state = given.map_or_else(|| ini.parent().unwrap_or(Path::new("")).join(STATE), Path::to_owned);
    std::path::absolute(&state).unwrap_or(state)
}

/// The name of the repository that is made here.
fn repository_name() -> Name {
    // Eleven lower-case letters are a name.
    REPOSITORY.parse().unwrap_or_else(|_| unreachable!("`{REPOSITORY}` is a name"))
}

fn settings_of(folder: &UpdateFolder, ini: &Path) -> FolderSettings {
    let setting = format!("`{}` of `{}`", folder.key, ini.display());
    FolderSettings::new(folder.path.clone(), setting, repository_name(), folder.os)
}

/// Refuses to take over what no configuration could say, and what can be no folder to publish. One that is not there can come: a share that is away.
fn refuse_unfit(folders: &[FolderSettings], ini: &Path) -> Result<(), SiteError> {
    for FolderSettings { path, setting, .. } in folders {
        let setting = setting.clone();
        match path.clone() {
            None => return Err(SiteError::NoPath { setting }),
            Some(path) if path.to_str().is_none() => return Err(SiteError::NotUnicode { setting, path }),
            Some(path) if path.exists() && !path.is_dir() => return Err(SiteError::NotAFolder { setting, path }),
            Some(_) => {}
        }
    }
    if folders.is_empty() { Err(SiteError::NoFolder(ini.to_owned())) } else { Ok(()) }
}

/// Refuses a state that lies in a folder to publish, and the other way round: stations would be given the keys.
fn refuse_within(folders: &[FolderSettings], state: &Path) -> Result<(), SiteError> {
    let state = whole(state);
    let is_nested = |folder: &PathBuf| folder.starts_with(&state) || state.starts_with(folder);
    match folders.iter().filter_map(|folder| folder.path.as_deref().map(whole)).find(is_nested) {
        Some(folder) => Err(SiteError::Nested { folder, state }),
        None => Ok(()),
    }
}

/// The repository in `state`, made when it is wanted and missing.
fn repository(state: &Path, wanted: bool, now: UtcTime) -> Result<Option<Repository>, SiteError> {
    let path = state.join("repository");
    let made = path.join("metadata/timestamp.json").exists();
    if !made && !wanted {
        return Ok(None);
    }
    let failed = |source| SiteError::State { path: state.to_owned(), source };
    std::fs::create_dir_all(state).map_err(failed)?;
    let repository = if made { Repository::open(&path, None)? } else { Repository::init(&path, &repository_name(), None, now)? };
    let repository = repository.waiting(PATIENCE);
    // A server that was off for a year would serve what has expired.
    let signed = repository.refresh(now, &Silent).map(|_| ());
    signed.or_else(|error| match error {
        PublishError::Commit(manifests::publish::commit::CommitError::Key(manifests::publish::keys::KeyError::Missing { .. })) => Ok(()),
        other => Err(other),
    })?;
    Ok(Some(repository))
}
