//! `manifests commit`.

use std::path::PathBuf;

use clap::Args;
use manifests::time::UtcTime;
use serde_json::json;

use super::channel::channel_json;
use super::{Outcome, Output, WriterArgs};

/// Make visible what was signed elsewhere: a signing request, several signed copies of one, or a submission bundle
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  manifests commit release-13.json --repo acme
  manifests commit root-by-one.json root-by-two.json --repo acme
  manifests commit release-13.zip --repo acme

Nothing in the files is believed but signatures by keys that the repository names. A change that was made before somebody else's is refused: make it again.")]
pub(crate) struct CommitArgs {
    /// The file, or the signed copies of it
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The repository
    #[arg(long)]
    repo: PathBuf,
    #[command(flatten)]
    writer: WriterArgs,
}

impl CommitArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        let submitted = self.writer.open(&self.repo)?.submit(&self.files, now, &output.progress())?;
        let roles = submitted.signed.iter().map(|(role, version, expires)| format!("{role} {version} is current, valid until {expires}"));
        let releases =
            submitted.releases.iter().map(|(id, sequence, build)| format!("published build {build} as sequence {sequence} of {id}"));
        let text = releases.chain(roles).collect::<Vec<_>>().join("\n");
        let signed =
            submitted.signed.iter().map(|(role, version, expires)| json!({ "role": role, "version": version, "expires": expires }));
        let releases = submitted
            .releases
            .iter()
            .map(|(id, sequence, build)| json!({ "channel": channel_json(id), "sequence": sequence, "build": build.text() }));
        let value = json!({
            "roles": signed.collect::<Vec<_>>(),
            "releases": releases.collect::<Vec<_>>(),
            "new_objects": submitted.new_objects,
        });
        Ok(output.result(&text, Some(&format!("manifests list {}", self.repo.display())), &value))
    }
}
