//! `manifests gc`.

use std::path::PathBuf;

use clap::Args;
use manifests::time::UtcTime;
use serde_json::{Value, json};

use super::output::bytes;
use super::{Outcome, Output, WriterArgs};

/// Remove what no release needs, a day after it was first found so
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  manifests gc acme --dry-run

The first run remembers what is not needed, a run a day later removes it: a station in the middle of an update may still want it.")]
pub(crate) struct GcArgs {
    /// The repository
    repo: PathBuf,
    /// Say what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    writer: WriterArgs,
}

impl GcArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        let collected = self.writer.open(&self.repo)?.gc(self.dry_run, now, &output.progress())?;
        let verb = if self.dry_run { "would remove" } else { "removed" };
        let mut text =
            format!("{verb} {} files, {}; {} are needed", collected.removed.len(), bytes(collected.removed_bytes), collected.live);
        let first_due = collected.waiting.iter().map(|(_, due)| *due).min();
        let next = match first_due {
            Some(due) => {
                text += &format!("; {} wait", collected.waiting.len());
                format!("manifests gc {} after {due}", self.repo.display())
            }
            None => format!("manifests verify {}", self.repo.display()),
        };
        let waiting = |(file, due): &(String, UtcTime)| json!({ "file": file, "due": due });
        let value = json!({
            "dry_run": self.dry_run,
            "removed": collected.removed,
            "removed_bytes": collected.removed_bytes,
            "waiting": collected.waiting.iter().map(waiting).collect::<Vec<Value>>(),
            "live": collected.live,
        });
        Ok(output.result(&text, Some(&next), &value))
    }
}
