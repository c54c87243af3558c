//! `manifests folders …`: which folders publish themselves.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use manifests::channel::ChannelDocument;
use manifests::publish::Repository;
use manifests::time::UtcTime;
use serde_json::json;

use super::channel::{ChannelArgs, arguments, channel_json};
use super::{HandoverArgs, Outcome, Output, WriterArgs, keys};

/// Let the server publish a folder by itself, with a key that lies there and signs for nothing else
#[derive(Debug, Subcommand)]
pub(crate) enum FoldersCommand {
    Add(AddArgs),
    Remove(RemoveArgs),
    List(ListArgs),
}

/// Let a folder publish itself: makes its key beside those of snapshot and timestamp, and a role for it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples, on the machine that serves:
  manifests folders add acme --product smartclient --os windows --arch any
  manifests folders add acme --product smartclient --os linux --arch any --dry-run

Where the targets keys are elsewhere, the key is made here and the change waits to be signed there:
  manifests folders add acme --product smartclient --os windows --arch any --request folder.json
  manifests sign --request folder.json --keys /media/safe/acme.keys
  manifests commit folder.json --repo acme

Whoever owns the machine that serves can then release this one channel, and nothing else. The server publishes the folder that a [[folder]] of its configuration
names. A channel that was published by command before keeps its releases and numbers; that takes the key of its OS, too.")]
pub(crate) struct AddArgs {
    #[command(flatten)]
    change: ChangeArgs,
}

/// Let a folder publish itself no more; what it published stays listed, signed by the key of its OS
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  manifests folders remove acme --product smartclient --os windows --arch any")]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    change: ChangeArgs,
}

#[derive(Debug, Args)]
struct ChangeArgs {
    /// The repository
    repo: PathBuf,
    #[command(flatten)]
    channel: ChannelArgs,
    /// Say what stations would see, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    handover: HandoverArgs,
    #[command(flatten)]
    writer: WriterArgs,
}

/// List the folders that publish themselves, with their roles and newest releases
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  manifests folders list acme")]
pub(crate) struct ListArgs {
    /// The repository
    repo: PathBuf,
}

impl FoldersCommand {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        match self {
            FoldersCommand::Add(AddArgs { change }) => change.run(true, now, output),
            FoldersCommand::Remove(RemoveArgs { change }) => change.run(false, now, output),
            FoldersCommand::List(args) => args.run(output),
        }
    }
}

impl ChangeArgs {
    fn run(self, add: bool, now: UtcTime, output: &Output) -> Outcome {
        let repository = self.writer.open(&self.repo)?.delivering(self.handover.delivery());
        let (ids, progress) = ([self.channel.id()], output.progress());
        let changed = match add {
            true => repository.add_folders(&ids, self.dry_run, now, &progress)?,
            false => repository.remove_folders(&ids, self.dry_run, now, &progress)?,
        };
        drop(progress);
        let repo = self.repo.display();
        let next = match add {
            true => "update-server serve, with a [[folder]] for it in the configuration".to_owned(),
            false => format!("manifests publish FOLDER --repo {repo} {} --build BUILD", arguments(&ids[0])),
        };
        Ok(keys::report(&changed, self.dry_run, &self.handover, &self.repo, &next, output))
    }
}

impl ListArgs {
    fn run(self, output: &Output) -> Outcome {
        let view = Repository::open(&self.repo, None)?.view()?;
        let (mut lines, mut listed) = (vec![], vec![]);
        for (role, id) in view.folders() {
            let current = view.channels.get(&id).and_then(ChannelDocument::current);
            let newest =
                current.map_or("nothing yet".to_owned(), |release| format!("build {}, sequence {}", release.build, release.sequence));
            lines.push(format!("{id}: {newest}\n  role {role}, path {}", id.target_path()));
            listed.push(json!({
                "role": role, "channel": channel_json(&id), "path": id.target_path(),
                "build": current.map(|release| release.build.text()), "sequence": current.map(|release| release.sequence),
            }));
        }
        let repo = self.repo.display();
        let (text, next) = match lines.is_empty() {
            true => (
                "no folder publishes itself".to_owned(),
                format!("manifests folders add {repo} --product PRODUCT --os OS --arch any, on the machine that serves"),
            ),
            false => (lines.join("\n"), format!("manifests list {repo}")),
        };
        Ok(output.result(&text, Some(&next), &json!({ "folders": listed })))
    }
}
