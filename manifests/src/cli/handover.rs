//! What a command does with its change when the keys lie elsewhere.

use std::path::{Path, PathBuf};

use clap::Args;
use manifests::publish::deliver::Delivery;

/// Sends the change to be signed elsewhere instead of making it visible.
#[derive(Debug, Args)]
pub(crate) struct HandoverArgs {
    /// Write the change to FILE, to be signed where the keys are (`manifests sign`) and committed here (`manifests commit`)
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// Sign the change but for snapshot and timestamp, and write it to FILE with the objects it needs, for a server that holds those keys
    #[arg(long, value_name = "FILE", conflicts_with = "request")]
    bundle: Option<PathBuf>,
}

impl HandoverArgs {
    /// Where the change goes.
    pub(crate) fn delivery(&self) -> Delivery {
        match (&self.request, &self.bundle) {
            (Some(file), _) => Delivery::Request(file.clone()),
            (None, Some(file)) => Delivery::Bundle(file.clone()),
            (None, None) => Delivery::Commit,
        }
    }

    /// What was written, and the command that goes on with it; `None` when the change is visible already.
    pub(crate) fn written(&self, repo: &Path) -> Option<(String, String)> {
        let repo = repo.display();
        match (&self.request, &self.bundle) {
            (Some(file), _) => {
                let file = file.display();
                let text = format!("stations see nothing of it yet: {file} waits to be signed");
                Some((
                    text,
                    format!("manifests sign --request {file} --keys DIR, where the keys are; then manifests commit {file} --repo {repo}"),
                ))
            }
            (None, Some(file)) => {
                let file = file.display();
                let text = format!("stations see nothing of it yet: {file} is for the server that holds the online keys");
                Some((text, format!("manifests commit {file} --repo REPO there, or send it to the server's /v1/publish")))
            }
            (None, None) => None,
        }
    }
}
