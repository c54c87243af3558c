//! `update-server journal`: what stations reported, for whoever looks after them (S3-24, AC-74).

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use manifests::attempt::BuildAt;
use manifests::name::Name;
use manifests::publish::{PublishError, Repository};
use manifests::quote::quoted;

use super::Failure;
use super::serve::is_appserver;
use crate::appserver::site::state_of;
use crate::config::{ReportSettings, Settings};
use crate::reports::journal::{self, Entry};

/// Longest text that is shown, in characters.
const SHOWN: usize = 300;

/// Shows what stations reported: what was done where, by whom, and how it ended; oldest first.
///
/// `--failed` shows what an administrator has to look at: each with the code of the requirement that was not met, which `updater explain CODE` explains, and with what the station
/// said of it. The server may run meanwhile.
#[derive(Debug, Args)]
pub(super) struct Journal {
    /// The configuration of the server, or the `AppServer.ini` that it serves.
    #[arg(long, value_name = "FILE", required_unless_present = "state")]
    config: Option<PathBuf>,
    /// The folder in which a demo, or a server with an `AppServer.ini`, keeps what it makes.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Only this repository.
    #[arg(long, value_name = "NAME")]
    repository: Option<Name>,
    /// Only attempts that failed, and builds that stations had to take back.
    #[arg(long)]
    failed: bool,
    /// One JSON object a line, as it is kept.
    #[arg(long)]
    json: bool,
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::because("show the journal", error)
}

/// Where a server keeps its journal, and of which repositories.
struct Kept {
    folder: PathBuf,
    /// Those that it has, and those that it had when they were reported on.
    repositories: BTreeSet<Name>,
}

impl Kept {
    fn new(folder: PathBuf, served: impl IntoIterator<Item = Name>) -> Result<Kept, Failure> {
        let mut repositories = reported(&folder).map_err(failed)?;
        repositories.extend(served);
        Ok(Kept { folder, repositories })
    }

    /// That of a server that has a folder for all that is its own.
    fn in_state(state: &Path) -> Result<Kept, Failure> {
        let own = match Repository::open(&state.join("repository"), None) {
            Ok(repository) => Some(repository.name().clone()),
            Err(PublishError::NotARepository(_)) => None,
            Err(error) => return Err(failed(error)),
        };
        let kept = Kept::new(ReportSettings::in_state(state).journal, own)?;
        if kept.repositories.is_empty() {
            return Err(Failure::new(format!(
                "show the journal: no server keeps anything in `{}`: give the folder that it was started with, or --config",
                state.display()
            )));
        }
        Ok(kept)
    }
}

impl Journal {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<(), Failure> {
        let Kept { folder, mut repositories } = self.kept()?;
        if let Some(only) = &self.repository {
            if !repositories.contains(only) {
                let known: Vec<&str> = repositories.iter().map(Name::as_str).collect();
                return Err(Failure::new(format!("show the journal: there is no repository `{only}` (there are: {})", known.join(", "))));
            }
            repositories.retain(|name| name == only);
        }
        let mut entries = vec![];
        for repository in repositories {
            let is_wanted = |entry: &Entry| !self.failed || entry.event.attempt.is_failure();
            journal::read(&folder.join(repository.as_str()), |entry| entries.extend(Some(entry).filter(is_wanted))).map_err(failed)?;
        }
        entries.sort_by_key(|entry| (entry.received, entry.event.attempt.time));
        self.show(&entries, out).map_err(failed)
    }

    /// Whose journal is asked for.
    fn kept(&self) -> Result<Kept, Failure> {
        match (&self.config, &self.state) {
            (Some(config), state) if is_appserver(config) => Kept::in_state(&state_of(config, state.as_deref())),
            (Some(config), None) => {
                let settings = Settings::load(config).map_err(failed)?;
                let Some(reports) = settings.reports else {
                    return Err(Failure::new(format!(
                        "show the journal: `{}` keeps none; with `journal` in its section [reports] stations can report",
                        config.display()
                    )));
                };
                Kept::new(reports.journal, settings.repositories.into_iter().map(|repository| repository.name))
            }
            (Some(_), Some(_)) => {
                Err(Failure::new("show the journal: --state is for a demo or an AppServer.ini; a configuration says it itself"))
            }
            (None, state) => Kept::in_state(state.as_deref().unwrap_or(Path::new(""))),
        }
    }

    fn show(&self, entries: &[Entry], out: &mut dyn Write) -> io::Result<()> {
        for entry in entries {
            match self.json {
                true => writeln!(out, "{}", serde_json::to_string(entry)?)?,
                false => writeln!(out, "{}", line(entry))?,
            }
        }
        if entries.is_empty() && !self.json {
            writeln!(out, "{}", if self.failed { "no station has reported a failure" } else { "no station has reported anything" })?;
        } else if self.failed && !self.json {
            writeln!(out, "Next: `updater explain CODE` says what a code means and what to do")?;
        }
        out.flush()
    }
}

/// The repositories that have a journal in `folder`.
fn reported(folder: &Path) -> io::Result<BTreeSet<Name>> {
    let listed = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        listed => listed?,
    };
    let names = listed.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    Ok(names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect())
}

/// An attempt in words; what a station said of it comes below.
fn line(entry: &Entry) -> String {
    let attempt = &entry.event.attempt;
    let shown = |text: &str| quoted(text, SHOWN).to_string();
    let build = |at: &Option<BuildAt>| at.as_ref().map_or("nothing".to_owned(), |at| shown(&at.build));
    let mut line = format!("{}  {}  {}", attempt.time, shown(&attempt.host), attempt.result.as_str());
    if attempt.from.is_some() || attempt.to.is_some() {
        line += &match &attempt.to {
            Some(_) => format!("  {} → {}", build(&attempt.from), build(&attempt.to)),
            None => format!("  at {}", build(&attempt.from)),
        };
    }
    if let Some(code) = &attempt.code {
        line += &format!("  [{}]", shown(code));
    }
    line += &format!("  by {} ({})", shown(&attempt.os_user), attempt.triggers());
    if let Some(approver) = attempt.approver.as_ref().filter(|approver| **approver != attempt.os_user) {
        line += &format!(", agreed to by {}", shown(approver));
    }
    let channel = entry.event.channel.as_deref().unwrap_or("unknown channel");
    let key: String = entry.station.as_str().chars().take(8).collect();
    line += &format!("  {} {}  station {key}", entry.repository, shown(channel));
    if let Some(detail) = &attempt.detail {
        line += &detail.lines().map(|detail| format!("\n    {}", shown(detail))).collect::<String>();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifests::key::KeyId;

    #[test]
    fn what_stations_say_cannot_act_on_a_terminal() {
        // It can have come there only by somebody's hand: no report is taken with it.
        let event = serde_json::from_str(
            r#"{"attempt":{"id":"0000000000000001","time":"2026-11-21T00:00:00Z","host":"\u001b[2Jtill","os_user":"a\nb","trigger":"update",
                "from":{"build":"1.0","sequence":1},"result":"failed","code":"no-space","detail":"needs 5 bytes\nhas\u202e 4"}}"#,
        )
        .unwrap();
        let entry = Entry::new("2026-11-21T00:00:01Z".parse().unwrap(), KeyId::from_text("0123456789"), "acme".parse().unwrap(), event);
        assert_eq!(
            line(&entry),
            "2026-11-21T00:00:00Z  \\u{1b}[2Jtill  failed  at 1.0  [no-space]  by a\\nb (update)  acme unknown channel  station 01234567\n    needs 5 bytes\n    has\\u{202e} 4"
        );
    }
}
