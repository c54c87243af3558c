//! `update-server link`: the link by which stations install.

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use manifests::digest::Digest;
use manifests::install_link::{ContentPin, InstallDocument, RootPin};
use manifests::name::{Arch, ChannelId, Code, Name, Os, Variant};

use super::Failure;
use crate::config::Settings;
use crate::content::disk::Folder;
use crate::content::roles::{RepositoryState, latest_root};
use crate::install_documents::BaseUrl;
use crate::{identity, install_documents};

/// Writes an install document for a product and prints the link to it.
///
/// The document pins the repository's newest root; the link's fragment pins the document, and is never sent to the server. Whoever is given the
/// link over a channel that they trust need trust nothing else. `updater install LINK --dir DIR` installs from it.
#[derive(Debug, Args)]
pub(super) struct Link {
    /// The configuration of the server that will serve the document.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The repository, by its name in the configuration.
    #[arg(long, value_name = "NAME")]
    repository: Name,
    /// The product to install.
    #[arg(long, value_name = "NAME")]
    product: Name,
    /// The channel to follow.
    #[arg(long, value_name = "NAME", default_value = "stable")]
    channel: Name,
    /// Only for this OS; otherwise each station takes its own.
    #[arg(long, value_parser = super::os)]
    os: Option<Os>,
    /// Only for this arch; otherwise each station takes its own.
    #[arg(long)]
    arch: Option<Arch>,
    /// This variant; otherwise the one without a name.
    #[arg(long)]
    variant: Option<Variant>,
    /// The code in the link, 4 to 64 of A-Z a-z 0-9 _ -; otherwise the beginning of the document's digest.
    #[arg(long)]
    code: Option<Code>,
    /// The address under which stations reach the server, such as `https://updates.example/`.
    #[arg(long, value_name = "URL")]
    base_url: BaseUrl,
}

/// Nothing that the repository lists is what the link would install.
#[derive(Debug, thiserror::Error)]
#[error("the repository `{repository}` lists no {wanted} ({listing})")]
struct NotListed {
    repository: Name,
    wanted: String,
    listing: String,
}

/// What could have been asked for, and what could not be seen.
fn listing(state: &RepositoryState) -> String {
    let unread = format!("not read: {}", joined(&state.unreadable));
    match (state.channels.is_empty(), state.unreadable.is_empty()) {
        (true, true) => "it has no releases yet: make one with `manifests publish`".to_owned(),
        (true, false) => unread,
        (false, true) => format!("it lists: {}", joined(&state.channels)),
        (false, false) => format!("it lists: {}; {unread}", joined(&state.channels)),
    }
}

fn joined<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::because("make the link", error)
}

impl Link {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<(), Failure> {
        let settings = Settings::load(&self.config).map_err(failed)?;
        let Some(repository) = settings.repositories.iter().find(|known| known.name == self.repository) else {
            let known: Vec<&str> = settings.repositories.iter().map(|known| known.name.as_str()).collect();
            return Err(Failure::new(format!(
                "make the link: `{}` has no repository `{}` (it has: {})",
                self.config.display(),
                self.repository,
                known.join(", ")
            )));
        };
        let folder = Folder::new(&repository.path);
        identity::check(&folder, &self.repository).map_err(failed)?;
        self.check_listed(&RepositoryState::read(&folder, &self.repository)).map_err(failed)?;
        let mut document = document(&folder, self.repository, self.product, self.channel).map_err(failed)?;
        (document.os, document.arch, document.variant) = (self.os, self.arch, self.variant);
        let link = install_documents::publish(&settings.install_documents, &document, self.code, &self.base_url);
        let link = link.map_err(failed)?;
        writeln!(out, "{link}").map_err(failed)
    }

    /// A station that follows the link must find something: what is left open is its own choice, a variant never is.
    fn check_listed(&self, state: &RepositoryState) -> Result<(), NotListed> {
        let installs = |id: &ChannelId| {
            (&id.product, &id.channel, &id.variant) == (&self.product, &self.channel, &self.variant)
                && self.os.is_none_or(|os| os == id.os)
                && self.arch.is_none_or(|arch| arch == id.arch)
        };
        if state.channels.iter().any(installs) {
            return Ok(());
        }
        let mut wanted = format!("{} {}", self.product, self.channel);
        let os = self.os.map_or_else(|| "any OS".to_owned(), |os| os.to_string());
        let arch = self.arch.map_or_else(|| "any arch".to_owned(), |arch| arch.to_string());
        wanted += &format!(" for {os} {arch}");
        if let Some(variant) = &self.variant {
            wanted += &format!(" {variant}");
        }
        Err(NotListed { repository: self.repository.clone(), wanted, listing: listing(state) })
    }
}

/// The install document for `product` in `channel` of the repository `name` in `folder`, pinned to its newest root.
pub(super) fn document(
    folder: &Folder,
    name: Name,
    product: Name,
    channel: Name,
) -> Result<InstallDocument, crate::content::roles::RoleStateError> {
    let (version, root) = latest_root(folder)?;
    let root = RootPin { version, sha256: Digest::of(&root), length: root.len() as u64 };
    // Relative to the link, /i/CODE: the repository is where the link was followed to, whatever the server is called there.
    let url = format!("../repo/{name}/");
    Ok(InstallDocument::new(product, channel, ContentPin { name, url, root }))
}
