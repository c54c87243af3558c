//! `manifests keys revoke`.

use std::path::PathBuf;

use clap::Args;
use manifests::key::KeyId;
use manifests::publish::custody::{Disowned, Revocation, keys_named};
use manifests::time::UtcTime;

use super::{HandoverArgs, NewKeysArgs, Outcome, Output, WriterArgs, list_command as list, report};

/// Make keys count no more, for they were stolen or lost
#[derive(Debug, Args)]
#[command(after_help = "\
Examples: the key of windows was stolen, and perhaps those on the server, too
  manifests keys revoke acme windows snapshot timestamp --new-keys /media/stick/acme.keys --dry-run
  manifests keys revoke acme windows snapshot timestamp --new-keys /media/stick/acme.keys --request revoke.json
The thief published into this very repository; `manifests list` shows what is not yours
  manifests keys revoke acme windows --disown smartclient:13 --new-keys /media/stick/acme.keys --request revoke.json

A key that was only lost is better replaced: `manifests keys rotate acme root --drop 3f2a91 --add 1`. Where too few keys would be left, new ones take their place. For an OS a new epoch begins: what the thief numbered no longer counts, and the current releases
are offered anew. Those that you disown are not.")]
pub(crate) struct RevokeArgs {
    /// The repository
    repo: PathBuf,
    /// The first digits of a key's id, as `manifests keys list` shows it, or a role for all of its keys; repeatable
    #[arg(required = true, value_name = "KEY")]
    ids: Vec<String>,
    /// A release of the thief's that this repository lists, by product and number; it will be listed no more; repeatable
    #[arg(long, value_name = "PRODUCT:NUMBER", value_parser = disowned)]
    disown: Vec<Disowned>,
    /// Say what stations would see, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    new_keys: NewKeysArgs,
    #[command(flatten)]
    handover: HandoverArgs,
    #[command(flatten)]
    writer: WriterArgs,
}

fn disowned(text: &str) -> Result<Disowned, String> {
    let (product, sequence) = text.split_once(':').ok_or("it has the form PRODUCT:NUMBER, such as smartclient:13")?;
    let product = product.parse().map_err(|error: manifests::name::InvalidName| error.to_string())?;
    let sequence = sequence.parse().map_err(|_| format!("`{sequence}` is no number of a release"))?;
    Ok(Disowned { product, sequence })
}

impl RevokeArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        let repository = self.writer.open(&self.repo)?.delivering(self.handover.delivery());
        let view = repository.view()?;
        let mut ids: Vec<KeyId> = vec![];
        for text in &self.ids {
            ids.extend(keys_named(&view, text)?);
        }
        let (folder, is_other) = self.new_keys.folder(repository.keys())?;
        let rotated = repository.revoke(
            &Revocation { keys: &ids, disowned: &self.disown },
            &folder,
            is_other,
            self.dry_run,
            now,
            &output.progress(),
        )?;
        Ok(report(&rotated, self.dry_run, &self.handover, &self.repo, &list(&self.repo), output))
    }
}
