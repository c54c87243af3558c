//! `manifests verify`.

use std::path::PathBuf;

use clap::Args;
use manifests::publish::Repository;
use manifests::time::UtcTime;
use serde_json::{Value, json};

use super::{Exit, Outcome, Output};

/// Files that nothing needs that are named in text before the rest is only counted.
const ORPHANS_SHOWN: usize = 20;

/// Check everything: signatures, lengths, hashes, every file of every release
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  manifests verify acme

It changes nothing and may run beside other commands. The exit status is 14 when something is wrong. Files that no release needs are no
fault; `manifests gc` removes them.")]
pub(crate) struct VerifyArgs {
    /// The repository
    repo: PathBuf,
}

impl VerifyArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        let repository = Repository::open(&self.repo, None)?;
        let progress = output.progress();
        let audit = repository.verify(now, &progress);
        drop(progress);
        let audit = audit?;
        let mut text: String = audit.problems.iter().map(|problem| format!("problem {problem}\n")).collect();
        text.extend(audit.orphans.iter().take(ORPHANS_SHOWN).map(|orphan| format!("orphan `{orphan}`\n")));
        if audit.orphans.len() > ORPHANS_SHOWN {
            text += &format!("… and {} orphans more (all of them with --json)\n", audit.orphans.len() - ORPHANS_SHOWN);
        }
        let orphans = match audit.orphans.len() {
            0 => String::new(),
            count => format!("; {count} files that nothing needs"),
        };
        text += &format!(
            "{} {}: {} channels, {} releases, {} packs, {} contents{orphans}",
            audit.problems.len(),
            if audit.problems.len() == 1 { "problem" } else { "problems" },
            audit.channels,
            audit.releases,
            audit.packs,
            audit.files
        );
        let problem =
            |problem: &manifests::publish::audit::Problem| json!({ "code": problem.code, "file": problem.file, "detail": problem.detail });
        let value = json!({
            "problems": audit.problems.iter().map(problem).collect::<Vec<Value>>(),
            "orphans": audit.orphans,
            "channels": audit.channels,
            "releases": audit.releases,
            "packs": audit.packs,
            "contents": audit.files,
        });
        let repo = self.repo.display();
        let next = match (audit.problems.first(), audit.orphans.len()) {
            (Some(problem), _) if problem.code == "expired" => Some(format!("manifests refresh {repo}")),
            (Some(_), _) => Some("restore the files named above from a backup, or publish the builds again".to_owned()),
            (None, 0) => Some(format!("manifests refresh {repo}")),
            (None, _) => Some(format!("manifests gc {repo}")),
        };
        let printed = output.result(&text, next.as_deref(), &value);
        Ok(if audit.problems.is_empty() { printed } else { Exit::Damaged })
    }
}
