//! `manifests init`.

use std::path::{Path, PathBuf};

use clap::Args;
use manifests::name::Name;
use manifests::publish::Repository;
use manifests::publish::custody::CustodyError;
use manifests::publish::init::RootKeys;
use manifests::publish::keys::{Encryption, KeyError, KeyFolder};
use manifests::time::UtcTime;
use serde_json::json;

use super::{Outcome, Output, passphrase};

/// Make a new repository, with one new key for every role
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  manifests init /srv/updates/acme --name acme --keys /media/stick/acme.keys

The keys are what stations trust. They are never served; keep a copy of the folder offline. Whoever has them can sign releases; with --encrypt, whoever
has them and the passphrase. There is no way to get a forgotten passphrase back.")]
pub(crate) struct InitArgs {
    /// A new or empty folder
    repo: PathBuf,
    /// The repository's name: a-z 0-9 . _ -
    #[arg(long)]
    name: Name,
    /// Where to put the private keys [default: REPO.keys beside the repository]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// How many root keys to make, for as many holders
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    root_keys: usize,
    /// How many of them must sign a new root
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    root_threshold: u64,
    /// Put the keys under a passphrase
    #[arg(long)]
    encrypt: bool,
    /// The file whose first line is that passphrase [default: the variable MANIFESTS_PASSPHRASE, else you are asked]
    #[arg(long, value_name = "FILE", requires = "encrypt")]
    passphrase_file: Option<PathBuf>,
}

impl InitArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        let passphrase =
            if self.encrypt { Some(passphrase::of_new_keys(self.passphrase_file.as_deref()).map_err(KeyError::from)?) } else { None };
        let folder = |repository: &Path| {
            let plain = self.keys.as_deref().map_or_else(|| KeyFolder::beside(repository), KeyFolder::new);
            match passphrase {
                Some(passphrase) => plain.encrypting(Encryption::new(passphrase)),
                None => plain,
            }
        };
        let root = RootKeys::new(self.root_keys, self.root_threshold).ok_or(CustodyError::Threshold {
            role: "root".to_owned(),
            keys: self.root_keys,
            threshold: self.root_threshold,
        })?;
        let repository = Repository::init_with(&self.repo, &self.name, folder, root, now)?;
        let pin = repository.root_pin()?;
        let (repo, keys) = (self.repo.display(), repository.keys().path().display());
        let text = format!(
            "repository `{}` is in {repo}\n{}keys are in {keys}: keep a copy offline, and think about who can read them\nroot {} has sha256 {}",
            self.name,
            if self.encrypt { "encrypted " } else { "" },
            pin.version,
            pin.sha256
        );
        let next = format!("manifests publish FOLDER --repo {repo} --product PRODUCT --os OS --build BUILD");
        let value = json!({ "repository": self.name, "path": repository.path().display().to_string(), "keys": repository.keys().path().display().to_string(), "encrypted": self.encrypt, "root": pin });
        Ok(output.result(&text, Some(&next), &value))
    }
}
