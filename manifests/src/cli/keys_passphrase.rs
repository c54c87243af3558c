//! `manifests keys passphrase`.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use manifests::digest::Digest;
use manifests::key::KeyId;
use manifests::publish::keys::{Encryption, KeyError, KeyFileInfo, KeyFolder};
use serde_json::{Value, json};

use super::output::one_line;
use super::passphrase::{self, PassphraseArgs};
use super::{Outcome, Output};

/// Set, change or remove the passphrase of key files
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  manifests keys passphrase acme
  manifests keys passphrase acme --passphrase-file old.txt --new-passphrase-file new.txt
  manifests keys passphrase acme --remove 5f1d…

Without a KEYID all keys of the folder are changed, or none: every old passphrase is tried before the first file is written. Stations see nothing of this; the
keys stay the same. Copies of the old files, in backups too, still open with the old passphrase: where that is no longer good enough, make new keys.")]
pub(crate) struct KeysPassphraseArgs {
    /// The repository
    repo: PathBuf,
    /// The keys [default: all in the folder]
    #[arg(value_name = "KEYID")]
    ids: Vec<Digest>,
    /// The folder that holds the private keys [default: REPO.keys beside the repository]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Leave the keys without a passphrase
    #[arg(long, conflicts_with = "new_passphrase_file")]
    remove: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// The file whose first line is the new passphrase [default: the variable MANIFESTS_NEW_PASSPHRASE, else you are asked]
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    /// Say what would be done, and ask for nothing
    #[arg(long)]
    dry_run: bool,
}

impl KeysPassphraseArgs {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let place = fs::canonicalize(&self.repo).unwrap_or_else(|_| self.repo.clone());
        let folder = self.keys.as_deref().map_or_else(|| KeyFolder::beside(&place), KeyFolder::new).unlocked_by(self.passphrase.source());
        let chosen = self.chosen(&folder)?;
        if !self.dry_run {
            self.change(&folder, &chosen)?;
        }
        let lines: Vec<String> = chosen
            .iter()
            .map(|info| format!("{}key {} ({}): {}", self.would(), info.id, one_line(&info.roles.join(", ")), self.what(info)))
            .collect();
        let value = |info: &KeyFileInfo| json!({ "keyid": info.id, "roles": info.roles, "result": self.what(info) });
        let value = json!({ "dry_run": self.dry_run, "keys": chosen.iter().map(value).collect::<Vec<Value>>() });
        let next = format!("manifests refresh {}, to see that the keys still sign", self.repo.display());
        Ok(output.result(&lines.join("\n"), Some(&next), &value))
    }

    /// The keys that were named, or all; nothing is changed when one of them cannot be read.
    fn chosen(&self, folder: &KeyFolder) -> Result<Vec<KeyFileInfo>, KeyError> {
        let mut list = folder.list()?;
        if self.ids.is_empty() {
            return match list.unusable.into_iter().next() {
                Some(error) => Err(error),
                None if list.keys.is_empty() => Err(KeyError::NoKeys(folder.path().to_owned())),
                None => Ok(list.keys),
            };
        }
        let wanted: Vec<KeyId> = self.ids.iter().copied().map(KeyId::from).collect();
        if let Some(missing) = wanted.iter().find(|id| !list.keys.iter().any(|info| info.id == **id)) {
            let key = missing.clone();
            return Err(list.unusable.into_iter().next().unwrap_or(KeyError::NoSuchKey { key, folder: folder.path().to_owned() }));
        }
        list.keys.retain(|info| wanted.contains(&info.id));
        Ok(list.keys)
    }

    fn change(&self, folder: &KeyFolder, chosen: &[KeyFileInfo]) -> Result<(), KeyError> {
        for info in chosen {
            folder.unlock(&info.id)?;
        }
        let new = if self.remove { None } else { Some(passphrase::to_change_to(self.new_passphrase_file.as_deref())?) };
        let encryption = new.map(Encryption::new);
        for info in chosen.iter().filter(|info| info.encrypted || encryption.is_some()) {
            folder.reencrypt(&info.id, encryption.as_ref())?;
        }
        Ok(())
    }

    fn what(&self, info: &KeyFileInfo) -> &'static str {
        match (info.encrypted, self.remove) {
            (false, false) => "encrypted",
            (true, false) => "passphrase changed",
            (true, true) => "passphrase removed",
            (false, true) => "has no passphrase already",
        }
    }

    fn would(&self) -> &'static str {
        if self.dry_run { "would be: " } else { "" }
    }
}
