//! `manifests keys generate`.

use std::path::PathBuf;

use clap::Args;
use manifests::publish::keys::{Encryption, KeyError, KeyFolder};
use manifests::signer::Signer as _;
use serde_json::json;

use super::super::passphrase;
use super::{Outcome, Output};

/// Make a key that signs for nothing yet: for a holder who keeps it, and sends its public half to whoever rotates
#[derive(Debug, Args)]
#[command(after_help = "\
Example, at the new holder's own machine:
  manifests keys generate root --keys ~/acme.keys --encrypt
  manifests keys export-public --keys ~/acme.keys --output mine.pub
and then, where the repository is:
  manifests keys rotate acme root --admit mine.pub --threshold 2 --request root.json")]
pub(crate) struct GenerateArgs {
    /// The role that it is meant for
    role: String,
    /// The folder to put it in
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Put it under a passphrase
    #[arg(long)]
    encrypt: bool,
    /// The file whose first line is that passphrase [default: the variable MANIFESTS_PASSPHRASE, else you are asked]
    #[arg(long, value_name = "FILE", requires = "encrypt")]
    passphrase_file: Option<PathBuf>,
}

impl GenerateArgs {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let mut folder = KeyFolder::new(&self.keys);
        if self.encrypt {
            folder = folder.encrypting(Encryption::new(passphrase::of_new_keys(self.passphrase_file.as_deref()).map_err(KeyError::from)?));
        }
        manifests::publish::custody::known_role(&self.role)?;
        folder.create()?;
        let id = folder.generate(&self.role)?.key_id();
        let text = format!("made key {id} for {} in {}", self.role, self.keys.display());
        let next = format!("manifests keys export-public --keys {} --output FILE", self.keys.display());
        Ok(output.result(&text, Some(&next), &json!({ "key": id, "role": self.role, "encrypted": self.encrypt })))
    }
}
