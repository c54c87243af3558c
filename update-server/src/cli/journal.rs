//! `update-server journal`: what stations reported, for whoever looks after them (S3-24, AC-74).

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use manifests::attempt::BuildAt;
use manifests::name::Name;
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

impl Journal {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<(), Failure> {
        let folder = self.folder()?;
        let mut entries = vec![];
        for repository in repositories(&folder).map_err(failed)? {
            if self.repository.as_ref().is_none_or(|name| *name == repository) {
                let is_wanted = |entry: &Entry| !self.failed || entry.event.attempt.is_failure();
                let folder = folder.join(repository.as_str());
                journal::read(&folder, |entry| entries.extend(Some(entry).filter(is_wanted))).map_err(failed)?;
            }
        }
        entries.sort_by_key(|entry| (entry.received, entry.event.attempt.time));
        self.show(&entries, out).map_err(failed)
    }

    /// Where the journal lies.
    fn folder(&self) -> Result<PathBuf, Failure> {
        match (&self.config, &self.state) {
            (Some(config), state) if is_appserver(config) => Ok(ReportSettings::in_state(&state_of(config, state.as_deref())).journal),
            (Some(config), None) => match Settings::load(config).map_err(failed)?.reports {
                Some(reports) => Ok(reports.journal),
                None => Err(Failure::new(format!(
                    "show the journal: `{}` keeps none; with `journal` in its section [reports] stations can report",
                    config.display()
                ))),
            },
            (Some(_), Some(_)) => {
                Err(Failure::new("show the journal: --state is for a demo or an AppServer.ini; a configuration says it itself"))
            }
            (None, state) => Ok(ReportSettings::in_state(state.as_deref().unwrap_or(Path::new(""))).journal),
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
fn repositories(folder: &Path) -> io::Result<Vec<Name>> {
    let listed = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        listed => listed?,
    };
    let names = listed.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    let mut names: Vec<Name> = names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect();
    names.sort();
    Ok(names)
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
