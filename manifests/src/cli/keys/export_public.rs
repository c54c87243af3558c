//! `manifests keys export-public`.

use std::path::PathBuf;

use clap::Args;
use manifests::key::KeyId;
use manifests::publish::custody::{CustodyError, key_named, write_public};
use manifests::publish::keys::KeyFolder;
use serde_json::json;

use super::{Outcome, Output};

/// Write the public half of a key, to be sent to whoever rotates
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  manifests keys export-public --keys ~/acme.keys --output mine.pub

It is the key as TUF metadata holds it; read its id to the other side over another line, so that nobody puts his own in its place.")]
pub(crate) struct ExportPublicArgs {
    /// The first digits of the key's id; may be left out when the folder holds one only
    key: Option<String>,
    /// The folder that holds it
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl ExportPublicArgs {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let found = KeyFolder::new(&self.keys).list()?.keys;
        let ids: Vec<KeyId> = found.iter().map(|file| file.id.clone()).collect();
        let id = match (&self.key, ids.as_slice()) {
            (Some(text), ids) => key_named(text, ids).map_err(|error| match error {
                CustodyError::Ambiguous(_) => error,
                _ => CustodyError::NotInFolder(self.keys.clone()),
            })?,
            (None, [id]) => id,
            (None, []) => return Err(CustodyError::NotInFolder(self.keys).into()),
            (None, _) => return Err(CustodyError::WhichKey(self.keys).into()),
        };
        let key = found.iter().find(|file| file.id == *id).ok_or_else(|| CustodyError::NotInFolder(self.keys.clone()))?;
        let public = json!(key.key);
        Ok(match &self.output {
            None => output.result(&public.to_string(), None, &public),
            Some(file) => {
                write_public(file, &key.key)?;
                let next = format!("manifests keys rotate REPO ROLE --admit {} where the repository is", file.display());
                output.result(&format!("wrote the public half of {} to {}", key.id, file.display()), Some(&next), &public)
            }
        })
    }
}
