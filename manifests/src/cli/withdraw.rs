//! `manifests withdraw`.

use std::path::PathBuf;

use clap::Args;
use manifests::publish::retire::WithdrawOutcome;
use manifests::time::UtcTime;
use serde_json::json;

use super::channel::{self, ChannelArgs};
use super::output::one_line;
use super::{HandoverArgs, Outcome, Output, WriterArgs};

/// Mark a release as one that nobody should install any more
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  manifests withdraw acme --product smartclient --os windows 12 --reason 'crashes at start'

No station moves by this alone: those that run it learn the reason. To move them, publish an earlier build again with --allow-downgrade.")]
pub(crate) struct WithdrawArgs {
    /// The repository
    repo: PathBuf,
    /// The release's number, as `manifests list` shows it
    sequence: u64,
    #[command(flatten)]
    channel: ChannelArgs,
    /// Why, for people; stations show it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    handover: HandoverArgs,
    #[command(flatten)]
    writer: WriterArgs,
}

impl WithdrawArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        let id = self.channel.id();
        let outcome = self.writer.open(&self.repo)?.delivering(self.handover.delivery()).withdraw(
            &id,
            self.sequence,
            &self.reason,
            now,
            &output.progress(),
        )?;
        let (word, text) = match &outcome {
            WithdrawOutcome::Withdrawn => ("withdrawn", format!("release {} of {id} is withdrawn", self.sequence)),
            WithdrawOutcome::HandedOver => ("handed-over", format!("release {} of {id} will be withdrawn", self.sequence)),
            WithdrawOutcome::AlreadyWithdrawn(before) => (
                "already-withdrawn",
                format!(
                    "release {} of {id} was withdrawn at {} already: {}; nothing was written",
                    self.sequence,
                    before.at,
                    one_line(&before.reason)
                ),
            ),
        };
        let waits = if outcome == WithdrawOutcome::HandedOver { self.handover.written(&self.repo) } else { None };
        let earlier = format!(
            "manifests publish EARLIER-BUILD --repo {} {} --build BUILD --allow-downgrade",
            self.repo.display(),
            channel::arguments(&id)
        );
        let value = json!({ "result": word, "channel": channel::channel_json(&id), "sequence": self.sequence });
        let (text, next) = match waits {
            Some((waits, next)) => (format!("{text}\n{waits}"), next),
            None => (text, earlier),
        };
        Ok(output.result(&text, Some(&next), &value))
    }
}
