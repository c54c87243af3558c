//! A whole update system in one folder, for trying it out: keys, a repository, releases of a client, an install link.
//!
//! It is a demo because the keys of every role lie on this machine, unencrypted: whoever owns it can sign what stations install. Everything else
//! is the real thing. What is in the folder is made when it is missing and continued when it is there, so a demo can be stopped at any time.

pub mod sample;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use manifests::build::{Build, InvalidBuild, Scheme};
use manifests::channel::ChannelDocument;
use manifests::install_link::{ContentPin, InstallDocument, InstallLink};
use manifests::name::{ChannelId, Name};
use manifests::publish::refresh::Refreshed;
use manifests::publish::{Outcome, PublishError, PublishRequest, Published, Repository, Silent};
use manifests::time::UtcTime;

use crate::config::{ReportSettings, RepositorySettings, Settings};
use crate::install_documents::{self, LinkError};

/// How long one command on the repository waits for another.
const PATIENCE: Duration = Duration::from_secs(60);
/// Releases that stay listed; every edit makes one.
const KEPT_RELEASES: usize = 10;

/// A demo that is ready to publish and to serve.
#[derive(Debug)]
pub struct Demo {
    repository: Repository,
    state: PathBuf,
    folder: PathBuf,
    id: ChannelId,
}

/// Why there is no demo, or why it cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A folder could not be made or filled.
    #[error("make `{path}`: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The client's folder is not there.
    #[error("publish `{0}`: it is not a folder")]
    NoFolder(PathBuf),
    /// The client's folder and the demo's lie in each other.
    #[error("publish `{folder}`: the demo's own folder `{state}` lies in it, or it in that (choose another with --state)")]
    Nested {
        /// The client's folder.
        folder: PathBuf,
        /// The demo's.
        state: PathBuf,
    },
    /// Publishing.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Builds of the channel are not the demo's.
    #[error("number the next build: {0}")]
    Build(#[from] InvalidBuild),
    /// The install link.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The work ended abnormally.
    #[error("end what was begun: {0}")]
    Stopped(String),
}

impl DemoError {
    /// Whether the same may work in a moment although nobody mends anything: the folder was changing, or somebody else was at the repository.
    pub fn is_passing(&self) -> bool {
        matches!(self, DemoError::Publish(PublishError::Scan(_) | PublishError::Lock(_)))
    }
}

impl Demo {
    /// The demo in the folder `state`, made when it is missing. It publishes `folder`, or a sample client that it makes, as `id`.
    pub fn prepare(state: &Path, folder: Option<&Path>, id: ChannelId, now: UtcTime) -> Result<Demo, DemoError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| DemoError::Folder { path, source }
        };
        fs::create_dir_all(state).map_err(failed(state))?;
        let state = fs::canonicalize(state).map_err(failed(state))?;
        let folder = match folder {
            Some(folder) => {
                let folder = fs::canonicalize(folder).map_err(|_| DemoError::NoFolder(folder.to_owned()))?;
                if !folder.is_dir() {
                    return Err(DemoError::NoFolder(folder));
                }
                if folder.starts_with(&state) || state.starts_with(&folder) {
                    return Err(DemoError::Nested { folder, state });
                }
                folder
            }
            None => {
                let folder = state.join("client");
                sample::write(&folder).map_err(failed(&folder))?;
                folder
            }
        };
        let path = state.join("repository");
        let repository = match Repository::open(&path, None) {
            Ok(repository) if path.join("metadata/timestamp.json").exists() => repository,
            Ok(_) | Err(PublishError::NotARepository(_)) => Repository::init(&path, &name(), None, now)?,
            Err(error) => return Err(error.into()),
        };
        Ok(Demo { repository: repository.waiting(PATIENCE), state, folder, id })
    }

    /// The folder that is published.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder that all of the demo lies in.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// What is published.
    pub fn id(&self) -> &ChannelId {
        &self.id
    }

    /// Where the private keys lie.
    pub fn keys(&self) -> &Path {
        self.repository.keys().path()
    }

    /// Settings of a server of this demo on `listen`.
    pub fn settings(&self, listen: SocketAddr) -> Settings {
        Settings {
            listen,
            install_documents: self.state.join("install"),
            repositories: vec![RepositorySettings::served(self.repository.name().clone(), self.repository.path())],
            reports: Some(ReportSettings::in_state(&self.state)),
            ..Settings::default()
        }
    }

    /// The link by which stations of any OS install; `base_url` is where the server is reached.
    pub fn link(&self, base_url: &str) -> Result<InstallLink, DemoError> {
        let name = self.repository.name().clone();
        let content = ContentPin { url: format!("../repo/{name}/"), name, root: self.repository.root_pin()? };
        let mut document = InstallDocument::new(self.id.product.clone(), self.id.channel.clone(), content);
        // Said outright, so that a release made for another OS can be looked at from here.
        (document.os, document.arch, document.variant) = (Some(self.id.os), Some(self.id.arch), self.id.variant.clone());
        Ok(install_documents::publish(&self.state.join("install"), &document, None, &base_url.parse()?)?)
    }

    /// Publishes the folder as the next release, `1.0.N`, unless the current one has the same files. Returns it if it is new.
    pub fn publish(&self, now: UtcTime) -> Result<Option<Published>, DemoError> {
        let view = self.repository.view()?;
        let current = view.channels.get(&self.id).and_then(ChannelDocument::current).map(|release| &release.build);
        if let Some(current) = current {
            let mut same = PublishRequest::new(&self.folder, self.id.clone(), current.clone());
            same.dry_run = true;
            if let Outcome::AlreadyCurrent(_) = self.repository.publish(&same, now, &Silent)? {
                return Ok(None);
            }
        }
        let request = PublishRequest::new(&self.folder, self.id.clone(), next_build(current)?);
        match self.repository.publish(&request, now, &Silent)? {
            Outcome::Published(published) => Ok(Some(published)),
            Outcome::AlreadyCurrent(_) | Outcome::Described(_) | Outcome::Planned(_) | Outcome::HandedOver(_) => Ok(None),
        }
    }

    /// Signs anew what would expire, and drops what no station needs any more. Once a day is enough.
    pub fn refresh(&self, now: UtcTime) -> Result<Refreshed, DemoError> {
        self.repository.prune(KEPT_RELEASES, false, now, &Silent)?;
        let refreshed = self.repository.refresh(now, &Silent)?;
        self.repository.gc(false, now, &Silent)?;
        Ok(refreshed)
    }
}

/// The repository of every demo has this name.
fn name() -> Name {
    // Four lower-case letters are a name.
    "demo".parse().unwrap_or_else(|_| unreachable!("`demo` is a name"))
}

/// `1.0.1`, or `current` with its last part one higher.
fn next_build(current: Option<&Build>) -> Result<Build, InvalidBuild> {
    let text = match current {
        None => "1.0.1".to_owned(),
        Some(current) => match current.text().rsplit_once('.').and_then(|(head, last)| Some((head, last.parse::<u64>().ok()?))) {
            Some((head, last)) => format!("{head}.{}", last.saturating_add(1)),
            None => format!("{}.1", current.text()),
        },
    };
    Build::parse(&text, current.map_or(Scheme::Dotted, Build::scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_count_up_from_what_is_published() {
        let dotted = |text: &str| Build::parse(text, Scheme::Dotted).unwrap();
        assert_eq!(next_build(None).unwrap(), dotted("1.0.1"));
        for (current, next) in [("1.0.1", "1.0.2"), ("1.0.9", "1.0.10"), ("7", "7.1"), ("17.3.0.14", "17.3.0.15")] {
            assert_eq!(next_build(Some(&dotted(current))).unwrap(), dotted(next));
        }
    }
}
