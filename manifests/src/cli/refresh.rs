//! `manifests refresh`.

use std::path::PathBuf;

use clap::Args;
use manifests::time::UtcTime;
use serde_json::{Value, json};

use super::{HandoverArgs, Outcome, Output, WriterArgs};

/// Sign anew what would expire; run it every day
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  manifests refresh acme --wait 600                  as a daily job
  manifests refresh acme --request yearly.json       what expires, to be signed where the keys are
  manifests refresh acme --all                       after the repository was restored from a backup

The timestamp is signed anew each time, everything else when less than half of its life is left. A role whose key is not here is named and
left as it is; with --request it is written to the file. After a restore --all makes every version higher than those that stations know.")]
pub(crate) struct RefreshArgs {
    /// The repository
    repo: PathBuf,
    /// Sign every role but root anew, however long it is still valid
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    handover: HandoverArgs,
    #[command(flatten)]
    writer: WriterArgs,
}

impl RefreshArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        let repository = self.writer.open(&self.repo)?.delivering(self.handover.delivery());
        let progress = output.progress();
        let refreshed = if self.all { repository.refresh_all(now, &progress)? } else { repository.refresh(now, &progress)? };
        let mut lines: Vec<String> =
            refreshed.signed.iter().map(|(role, version, expires)| format!("signed {role} {version}, valid until {expires}")).collect();
        lines.extend(
            refreshed
                .skipped
                .iter()
                .map(|(role, expires, reason)| format!("warning: {role} expires at {expires} and was not signed: {reason}")),
        );
        let signed = |(role, version, expires): &(String, u64, UtcTime)| json!({ "role": role, "version": version, "expires": expires });
        let skipped = |(role, expires, reason): &(String, UtcTime, String)| json!({ "role": role, "expires": expires, "reason": reason });
        let value = json!({
            "signed": refreshed.signed.iter().map(signed).collect::<Vec<Value>>(),
            "skipped": refreshed.skipped.iter().map(skipped).collect::<Vec<Value>>(),
        });
        let timestamp = refreshed.signed.last().map_or(now, |(.., expires)| *expires);
        let next = format!("manifests refresh {} again tomorrow, before {timestamp} at the latest", self.repo.display());
        let next = self.handover.written(&self.repo).map_or(next, |(waits, next)| {
            lines.push(waits);
            next
        });
        Ok(output.result(&lines.join("\n"), Some(&next), &value))
    }
}
