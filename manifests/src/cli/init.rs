//! `manifests init`.

use std::path::PathBuf;

use clap::Args;
use manifests::name::Name;
use manifests::publish::Repository;
use manifests::time::UtcTime;
use serde_json::json;

use super::{Exit, Outcome, Output};

/// Make a new repository, with one new key for every role
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  manifests init /srv/updates/acme --name acme --keys /media/stick/acme.keys

The keys are what stations trust. They are never served; keep a copy of the folder offline. Whoever has them can sign releases.")]
pub(crate) struct InitArgs {
    /// A new or empty folder
    repo: PathBuf,
    /// The repository's name: a-z 0-9 . _ -
    #[arg(long)]
    name: Name,
    /// Where to put the private keys [default: REPO.keys beside the repository]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
}

impl InitArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        let repository = Repository::init(&self.repo, &self.name, self.keys.as_deref(), now)?;
        let pin = repository.root_pin()?;
        let (repo, keys) = (self.repo.display(), repository.keys().path().display());
        let text = format!(
            "repository `{}` is in {repo}\nkeys are in {keys}: keep a copy offline, and think about who can read them\nroot {} has sha256 {}",
            self.name, pin.version, pin.sha256
        );
        let next = format!("manifests publish FOLDER --repo {repo} --product PRODUCT --os OS --build BUILD");
        let value = json!({ "repository": self.name, "path": repository.path(), "keys": repository.keys().path(), "root": pin });
        output.result(&text, Some(&next), &value);
        Ok(Exit::Done)
    }
}
