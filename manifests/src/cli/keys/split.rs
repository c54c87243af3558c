//! `manifests keys split`.

use std::path::PathBuf;

use clap::Args;
use manifests::publish::custody;
use manifests::publish::keys::KeyFolder;
use manifests::time::UtcTime;
use serde_json::json;

use super::{Outcome, Output, WriterArgs, effects_json, shown};

/// Move keys off this machine: to a stick, or another computer's share
#[derive(Debug, Args)]
#[command(after_help = "\
Examples: three root keys go to three holders, one each; then targets and all OS keys go; snapshot and timestamp stay, for the server to refresh with
  manifests keys split acme --role root --to /media/one --to /media/two --to /media/three
  manifests keys split acme --to /media/stick/acme.keys --dry-run
  manifests keys split acme --to /media/stick/acme.keys

Copies are written and read back before anything is removed. A key that has lain on a server may have been read there: where that matters, rotate it.")]
pub(crate) struct SplitArgs {
    /// The repository
    repo: PathBuf,
    /// The folder to move them to; given several times, each key of a role goes to another: one for each holder
    #[arg(long, required = true, value_name = "DIR")]
    to: Vec<PathBuf>,
    /// The roles whose keys to move; repeatable [default: all but snapshot, timestamp and those of folders]
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Say what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    writer: WriterArgs,
}

impl SplitArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        let repository = self.writer.open(&self.repo)?;
        let roles = match self.roles.is_empty() {
            true => custody::roles(&repository.view()?).into_iter().filter(|role| !custody::stays_with_server(role)).collect(),
            false => self.roles,
        };
        let folders: Vec<KeyFolder> = self.to.iter().map(|to| KeyFolder::new(to)).collect();
        let split = repository.split(&roles, &folders.iter().collect::<Vec<_>>(), self.dry_run, now, &output.progress())?;
        let verb = if self.dry_run { "would move" } else { "moved" };
        let moved = split.moved.iter().map(|(role, id, to)| format!("{verb} key {id} of {role} to {}\n", to.display())).collect::<String>();
        let would = if self.dry_run { "would" } else { "will" };
        let text = match split.effects.is_empty() {
            true => format!("{moved}stations {would} see nothing of it"),
            false => format!("{moved}stations {would} see:{}", shown(&split.effects)),
        };
        let next = match self.dry_run {
            true => "the same command without --dry-run".to_owned(),
            false => format!("manifests keys list {}, and a second copy of what was moved, in another place", self.repo.display()),
        };
        let value = json!({
            "dry_run": self.dry_run,
            "moved": split.moved.iter().map(|(role, id, to)| json!({ "role": role, "key": id, "folder": to.display().to_string() })).collect::<Vec<_>>(),
            "effects": effects_json(&split.effects),
        });
        Ok(output.result(&text, Some(&next), &value))
    }
}
