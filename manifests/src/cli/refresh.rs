//! `manifests refresh`.

use std::path::PathBuf;

use clap::Args;
use manifests::time::UtcTime;
use serde_json::{Value, json};

use super::{Exit, Outcome, Output, WriterArgs};

/// Sign anew what would expire; run it every day
#[derive(Debug, Args)]
#[command(after_help = "\
Example, as a daily job:
  manifests refresh acme --wait 600

The timestamp is signed anew each time, everything else when less than half of its life is left. A role whose key is not here is named and
left as it is.")]
pub(crate) struct RefreshArgs {
    /// The repository
    repo: PathBuf,
    #[command(flatten)]
    writer: WriterArgs,
}

impl RefreshArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        let refreshed = self.writer.open(&self.repo)?.refresh(now, &output.progress())?;
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
        output.result(&lines.join("\n"), Some(&next), &value);
        Ok(Exit::Done)
    }
}
