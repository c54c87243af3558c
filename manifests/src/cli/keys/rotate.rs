//! `manifests keys rotate`.

use std::path::PathBuf;

use clap::Args;
use manifests::key::KeyId;
use manifests::publish::custody::{Dropped, Rotation, keys_named, read_public};
use manifests::time::UtcTime;

use super::{HandoverArgs, NewKeysArgs, Outcome, Output, WriterArgs, list_command as list, report};

/// Give roles other keys, or root another number of holders
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  manifests keys rotate acme snapshot timestamp                 both get one new key each, the old ones count no more
  manifests keys rotate acme root --add 2 --threshold 2         two more holders; from now on two of three must sign
  manifests keys rotate acme root --drop 3f2a…                  one holder less
  manifests keys rotate acme root --admit joao.pub --keep       a key that its holder made with `manifests keys generate`
  manifests keys rotate acme windows --new-keys /media/stick/acme.keys --encrypt --request windows.json

Without --add, --admit, --drop, --keep or --threshold each role gets as many new keys as it had, and the old ones count no more. Keys of snapshot and timestamp
are always made beside the repository's others, for the server needs them.")]
pub(crate) struct RotateArgs {
    /// The repository
    repo: PathBuf,
    /// root, targets, snapshot, timestamp, windows, linux, macosx, android, wince
    #[arg(required = true, value_name = "ROLE")]
    roles: Vec<String>,
    /// Keys to make for each role
    #[arg(long, value_name = "NUMBER")]
    add: Option<usize>,
    /// A public key that was made elsewhere, as `manifests keys export-public` writes it; repeatable
    #[arg(long, value_name = "FILE")]
    admit: Vec<PathBuf>,
    /// A key that counts no more, by the first digits of its id; repeatable
    #[arg(long, value_name = "KEYID")]
    drop: Vec<String>,
    /// Let all the keys of now go on counting
    #[arg(long, conflicts_with = "drop")]
    keep: bool,
    /// How many must sign from now on
    #[arg(long, value_name = "NUMBER")]
    threshold: Option<u64>,
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

impl RotateArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        let repository = self.writer.open(&self.repo)?.delivering(self.handover.delivery());
        let admit = self.admit.iter().map(|file| read_public(file)).collect::<Result<Vec<_>, _>>()?;
        let replace = self.add.is_none() && admit.is_empty() && self.drop.is_empty() && !self.keep && self.threshold.is_none();
        let view = repository.view()?;
        let mut dropped: Vec<KeyId> = vec![];
        for text in &self.drop {
            dropped.extend(keys_named(&view, text)?);
        }
        let drop = if replace { Dropped::All } else { Dropped::Ids(dropped) };
        let had = |role: &str| view.keys_of(role).map_or(1, |keys| keys.keyids.len());
        let rotation = |role: &String| Rotation {
            role: role.clone(),
            add: self.add.unwrap_or(if replace { had(role) } else { 0 }),
            admit: admit.clone(),
            drop: drop.clone(),
            threshold: self.threshold,
        };
        let roles: std::collections::BTreeSet<&String> = self.roles.iter().collect();
        let rotations: Vec<Rotation> = roles.into_iter().map(rotation).collect();
        let (folder, is_other) = self.new_keys.folder(repository.keys())?;
        let rotated = repository.rotate(&rotations, &folder, is_other, self.dry_run, now, &output.progress())?;
        Ok(report(&rotated, self.dry_run, &self.handover, &self.repo, &list(&self.repo), output))
    }
}
