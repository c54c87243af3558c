//! `manifests prune`.

use std::path::PathBuf;

use clap::Args;
use manifests::time::UtcTime;
use serde_json::{Value, json};

use super::channel::channel_json;
use super::{HandoverArgs, Outcome, Output, WriterArgs};

/// List only the newest releases of every channel, and all security floors
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  manifests prune acme --keep 3 && manifests gc acme

A release that is listed no more can no longer be fetched once `gc` has removed its objects. Stations that run it go on running it.")]
pub(crate) struct PruneArgs {
    /// The repository
    repo: PathBuf,
    /// How many releases that can be installed stay in each channel
    #[arg(long, value_name = "N", default_value_t = 3)]
    keep: usize,
    /// Say what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    handover: HandoverArgs,
    #[command(flatten)]
    writer: WriterArgs,
}

impl PruneArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        let pruned =
            self.writer.open(&self.repo)?.delivering(self.handover.delivery()).prune(self.keep, self.dry_run, now, &output.progress())?;
        let verb = if self.dry_run { "would drop" } else { "dropped" };
        let numbers = |sequences: &[u64]| sequences.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        let text = match pruned.is_empty() {
            true => "nothing to prune".to_owned(),
            false => pruned
                .iter()
                .map(|entry| format!("{verb} {} of {}", numbers(&entry.sequences), entry.channel))
                .collect::<Vec<_>>()
                .join("\n"),
        };
        let entry =
            |entry: &manifests::publish::retire::Pruned| json!({ "channel": channel_json(&entry.channel), "sequences": entry.sequences });
        let value = json!({ "dry_run": self.dry_run, "pruned": pruned.iter().map(entry).collect::<Vec<Value>>() });
        let collect = format!("manifests gc {}", self.repo.display());
        let waits = if pruned.is_empty() || self.dry_run { None } else { self.handover.written(&self.repo) };
        let (text, next) = waits.map_or((text.clone(), collect), |(waits, next)| (format!("{text}\n{waits}"), next));
        Ok(output.result(&text, Some(&next), &value))
    }
}
