//! The command line: one file for each command. Commands write to what they are given and return errors; only `main` prints and exits.

mod demo;
mod import;
mod journal;
mod link;
mod serve;
mod site;

use std::error::Error;
use std::fmt::Display;
use std::io::Write;

use clap::{Parser, Subcommand};
use manifests::name::{InvalidName, Os};

/// Serves signed releases to stations.
#[derive(Debug, Parser)]
#[command(
    name = "update-server",
    version,
    about,
    after_help = "\
Examples:
  Try everything out on this machine, with a sample client:
    update-server demo
  Serve repositories that `manifests` publishes to:
    update-server serve --config server.toml
  Serve what a TOTVS application server serves to its SmartClients, from the same folders:
    update-server serve --config AppServer.ini --listen 0.0.0.0:8080 --base-url http://updates.example:8080/
  Make the link by which stations install from one of them:
    update-server link --config server.toml --repository acme --product smartclient --channel stable --base-url https://updates.example/
  See which stations could not be updated, and why:
    update-server journal --config server.toml --failed

Exit status: 0 done, 1 failed (standard error says why), 2 the command line is wrong."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Import(import::Import),
    Journal(journal::Journal),
    Link(link::Link),
    Demo(demo::DemoCommand),
}

/// A command that failed: what it could not do, and its cause.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(crate) fn new(what: impl Display) -> Failure {
        Failure { what: what.to_string(), source: None }
    }

    /// `failed to {what}`, because of `source`.
    pub(crate) fn because(what: impl Display, source: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure { what: what.to_string(), source: Some(source.into()) }
    }

    /// What failed and why, for people. A cause that the text before it has already told is not told again.
    pub fn report(&self) -> String {
        let mut report = format!("failed to {self}");
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = error.to_string();
            let text = text.trim();
            if !report.contains(text) {
                report.push_str(": ");
                report.push_str(text);
            }
            cause = error.source();
        }
        report.truncate(report.trim_end().len());
        report
    }
}

/// Reads an OS as people type it.
fn os(text: &str) -> Result<Os, InvalidName> {
    Os::from_command_line(text)
}

impl Cli {
    /// Runs the command; what people are meant to read goes to `out`.
    pub fn run(self, out: &mut dyn Write) -> Result<(), Failure> {
        match self.command {
            Command::Serve(serve) => serve.run(out),
            Command::Import(import) => import.run(out),
            Command::Journal(journal) => journal.run(out),
            Command::Link(link) => link.run(out),
            Command::Demo(demo) => demo.run(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<Box<Link>>,
    }

    fn report(texts: &[&'static str]) -> String {
        let chain = texts.iter().rev().fold(None, |source, text| Some(Box::new(Link { text, source })));
        Failure { what: "start".to_owned(), source: chain.map(|link| link as Box<dyn Error + Send + Sync>) }.report()
    }

    #[test]
    fn each_cause_is_told_once() {
        assert_eq!(report(&[]), "failed to start");
        assert_eq!(report(&["read `a`", "disk on fire"]), "failed to start: read `a`: disk on fire");
        assert_eq!(
            report(&["read `a`: disk on fire (call somebody)", "disk on fire\n", "smoke\n"]),
            "failed to start: read `a`: disk on fire (call somebody): smoke"
        );
    }
}
