//! `manifests list`.

use std::path::PathBuf;

use clap::Args;
use manifests::channel::{Bound, ChannelDocument, Release};
use manifests::publish::Repository;
use manifests::time::UtcTime;
use serde_json::{Value, json};

use super::channel::channel_json;
use super::output::one_line;
use super::{Outcome, Output};

/// List the releases of a repository
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  manifests list acme --json")]
pub(crate) struct ListArgs {
    /// The repository
    repo: PathBuf,
}

impl ListArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        let repository = Repository::open(&self.repo, None)?;
        let view = repository.view()?;
        let mut text = format!("repository `{}`, root {}", repository.name(), view.root_pin.version);
        for document in view.channels.values() {
            text += &format!("\n\n{}", document.id);
            if let Some(Bound(server)) = &document.server {
                text += &format!("\n  clients talk to a server of build {server} and fit it by the rule {}", document.compat);
            }
            for release in &document.releases {
                text += &format!("\n  {}", line(document, release));
            }
            for unavailable in &document.unavailable {
                text += &format!("\n  {:>6}  not understood by this program: {}", unavailable.sequence, one_line(&unavailable.reason));
            }
        }
        if view.channels.is_empty() {
            text += "\nno releases yet";
        }
        text += "\n";
        for (role, _, expires) in view.headers() {
            let days = (expires.unix() - now.unix()).div_euclid(86_400);
            text += &if days < 0 { format!("\n{role} EXPIRED at {expires}") } else { format!("\n{role} is valid for {days} days") };
        }
        let roles = |(role, version, expires): (String, u64, UtcTime)| json!({ "role": role, "version": version, "expires": expires });
        let value = json!({
            "repository": repository.name(),
            "root": view.root_pin,
            "channels": view.channels.values().map(channel).collect::<Vec<_>>(),
            "roles": view.headers().into_iter().map(roles).collect::<Vec<_>>(),
        });
        let next = format!("manifests verify {}", self.repo.display());
        Ok(output.result(&text, Some(&next), &value))
    }
}

fn line(document: &ChannelDocument, release: &Release) -> String {
    let current = document.current().is_some_and(|current| current.sequence == release.sequence);
    let mut marks = Vec::new();
    marks.extend(current.then(|| "current".to_owned()));
    marks.extend(release.security.then(|| "security".to_owned()));
    marks.extend(release.floor.then(|| "floor".to_owned()));
    marks.extend(release.allow_downgrade.then(|| "allows downgrade".to_owned()));
    marks.extend(release.deadline.map(|deadline| format!("deadline {deadline}")));
    marks.extend(release.withdrawn.as_ref().map(|withdrawn| format!("withdrawn at {}: {}", withdrawn.at, one_line(&withdrawn.reason))));
    format!("{:>6}  {:<24} {}  {}", release.sequence, release.build, release.released, marks.join(", ")).trim_end().to_owned()
}

fn channel(document: &ChannelDocument) -> Value {
    let mut value = channel_json(&document.id);
    value["kind"] = json!(document.kind);
    value["epoch"] = json!(document.epoch);
    value["current"] = json!(document.current().map(|release| release.sequence));
    value["server"] = json!(document.server);
    value["compat"] = json!(document.compat);
    value["releases"] = document.releases.iter().map(release).collect();
    value
}

fn release(release: &Release) -> Value {
    json!({
        "sequence": release.sequence,
        "build": release.build.text(),
        "scheme": release.build.scheme(),
        "released": release.released,
        "manifest": release.manifest,
        "entry_point": release.entry_point,
        "requires": release.requires,
        "compatible": release.compatible,
        "security": release.security,
        "floor": release.floor,
        "withdrawn": release.withdrawn,
        "allow_downgrade": release.allow_downgrade,
        "deadline": release.deadline,
        "approver": release.approver,
        "notes": release.notes,
    })
}
