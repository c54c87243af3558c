//! `manifests publish`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use manifests::build::{Build, InvalidBuild, Scheme};
use manifests::channel::{Bound, BuildRange, Compatible, Kind, Probe, Requires};
use manifests::compat;
use manifests::path::RelPath;
use manifests::publish::{Attributes, ConfigRule, Effort, Extras, Names, Outcome, PublishRequest, Rule, ServerSays};
use manifests::time::UtcTime;
use serde_json::json;

use super::channel::{self, ChannelArgs};
use super::output::{bytes, finding_json};
use super::{Exit, HandoverArgs, Output, WriterArgs};

/// Publish a folder or zip as the next release of a channel
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  manifests publish build/ --repo acme --product smartclient --os windows --build 17.3.0.14 --entry-point smartclient.exe
  manifests publish mac.zip --repo acme --product smartclient --os macosx --arch aarch64 --build 17.3.0.14
  manifests publish build/ --repo acme --product smartclient --os linux --build 17.3.0.14 --config 'etc/*.conf=keep' --dry-run
  manifests publish build/ --repo acme --product smartclient --os windows --build 17.3.0.14 --server-build 17.3.0.14

The same command twice publishes once. A folder that is not fit is refused, with all reasons at once; `--json` lists them for scripts.
Times in a zip are taken as UTC unless the entry says better.")]
pub(crate) struct PublishArgs {
    /// A folder that holds an unpacked build, or a zip of one
    source: PathBuf,
    /// The repository
    #[arg(long)]
    repo: PathBuf,
    #[command(flatten)]
    channel: ChannelArgs,
    /// The version, in the vendor's notation: 17.3.0.14, 7.00.170117A, 1.2.3-rc.1
    #[arg(long)]
    build: String,
    /// How the version is to be read [default: the channel's; else the first of semver, dotted, totvs that reads it]
    #[arg(long)]
    scheme: Option<Scheme>,
    /// What kind of thing the product is [default: the channel's; else product]
    #[arg(long, value_enum)]
    kind: Option<KindArg>,
    /// The lowest build of the updater that may install it; stations with an older one update that first
    #[arg(long, value_name = "BUILD")]
    requires_updater: Option<String>,
    /// The build of the application server that clients of this channel talk to; `none` takes away what the channel says of it [default: as before]
    #[arg(long, value_name = "BUILD")]
    server_build: Option<String>,
    /// Which clients fit that server: major-minor, exact, range or list:BUILD,BUILD [default: as before; at first major-minor]
    #[arg(long, value_name = "RULE")]
    compat: Option<String>,
    /// The servers that this client works with, whatever the rule says: MIN..MAX, MIN.. or ..MAX
    #[arg(long, value_name = "RANGE")]
    works_with_servers: Option<String>,
    /// The lowest build of the server that this client works with
    #[arg(long, value_name = "BUILD")]
    requires_server: Option<String>,
    /// The lowest build of the client that this one may replace
    #[arg(long, value_name = "BUILD")]
    requires_client: Option<String>,
    /// What is new, for people
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    /// Who answers for the release
    #[arg(long, value_name = "NAME")]
    approver: Option<String>,
    /// The file that starts the client
    #[arg(long, value_name = "PATH")]
    entry_point: Option<RelPath>,
    /// It fixes a security fault: it is offered whatever the subscription says
    #[arg(long)]
    security: bool,
    /// The build may be below the current one; stations go back to it
    #[arg(long)]
    allow_downgrade: bool,
    /// Until when people may put it off or ignore it, such as 2026-11-21T18:00:00Z; they are warned 60, 15 and 5 minutes before, and from then on nobody is asked
    #[arg(long, value_name = "TIME")]
    deadline: Option<UtcTime>,
    /// Files of earlier releases that this one does not have: `keep` leaves them on stations, `remove-owned` removes those that nobody changed
    #[arg(long, value_enum, default_value = "keep")]
    extras: ExtrasArg,
    /// What happens to a file that its user changed: overwrite, keep, new-beside or merge, after `merge:` with keys whose value is yours all the same, as in '*.ini=merge:Update.Server,Drivers.*';
    /// repeatable, the first that matches counts [default: *.ini=merge]
    #[arg(long, value_name = "GLOB=POLICY")]
    config: Vec<ConfigRule>,
    /// How a station finds out that the build lives: file:PATH, alive:SECONDS or command:SECONDS:PROGRAM ARGUMENTS
    #[arg(long, value_name = "PROBE", value_parser = probe)]
    probe: Option<Probe>,
    /// How hard to compress: `best` takes some ten times as long and saves 5 to 10 %
    #[arg(long, value_enum, default_value = "fast")]
    effort: EffortArg,
    /// `fold` accepts names in any case (twins are an error) and finds --entry-point in any, `as-is` only as it is spelt, `strict-lower` only lower case
    #[arg(long, value_enum, default_value = "fold")]
    names: NamesArg,
    /// Publish although this rule is broken: only-archives, no-app-bundle, live-client, server-folder, truncated-program; repeatable
    #[arg(long, value_name = "RULE")]
    allow: Vec<Rule>,
    /// The least number of the release: above those that were given out and lost with a disk (docs/operating.md)
    #[arg(long, value_name = "NUMBER")]
    sequence_at_least: Option<u64>,
    /// Say what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    handover: HandoverArgs,
    #[command(flatten)]
    writer: WriterArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KindArg {
    Platform,
    Product,
    Updater,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ExtrasArg {
    Keep,
    RemoveOwned,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EffortArg {
    Fast,
    Best,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum NamesArg {
    Fold,
    StrictLower,
    AsIs,
}

fn probe(text: &str) -> Result<Probe, String> {
    const FORMS: &str = "it has the form file:PATH, alive:SECONDS or command:SECONDS:PROGRAM ARGUMENTS";
    let seconds = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is no number of seconds"));
    match text.split_once(':').ok_or(FORMS)? {
        ("file", path) => path.parse().map(Probe::File).map_err(|error: manifests::path::InvalidPath| error.to_string()),
        ("alive", after) => Ok(Probe::Alive { seconds: seconds(after)? }),
        ("command", rest) => {
            let (timeout, line) = rest.split_once(':').ok_or(FORMS)?;
            let command: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            if command.is_empty() { Err(FORMS.into()) } else { Ok(Probe::Command { command, timeout_seconds: seconds(timeout)? }) }
        }
        _ => Err(FORMS.into()),
    }
}

impl PublishArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> super::Outcome {
        let repository = self.writer.open(&self.repo)?.delivering(self.handover.delivery());
        let id = self.channel.id();
        // The scheme of a channel is the one that its builds are compared in, so it is the default for the next.
        let current = match self.scheme {
            Some(_) => None,
            None => repository.view()?.channels.get(&id).and_then(|document| document.current().map(|release| release.build.scheme())),
        };
        let build = match read_build(&self.build, self.scheme, current) {
            Ok(build) => build,
            Err(error) => return Ok(usage("--build", &error.to_string())),
        };
        let (requires, compatible, server) = match self.builds_beside(build.scheme()) {
            Ok(said) => said,
            Err((argument, reason)) => return Ok(usage(argument, &reason)),
        };
        let request = PublishRequest {
            kind: self.kind.map(|kind| match kind {
                KindArg::Platform => Kind::Platform,
                KindArg::Product => Kind::Product,
                KindArg::Updater => Kind::Updater,
            }),
            attributes: Attributes {
                entry_point: self.entry_point,
                requires,
                compatible,
                security: self.security,
                allow_downgrade: self.allow_downgrade,
                deadline: self.deadline,
                approver: self.approver,
                notes: self.notes,
                probe: self.probe,
            },
            server,
            extras: match self.extras {
                ExtrasArg::Keep => Extras::Keep,
                ExtrasArg::RemoveOwned => Extras::RemoveOwned,
            },
            config: self.config,
            effort: match self.effort {
                EffortArg::Fast => Effort::Fast,
                EffortArg::Best => Effort::Best,
            },
            names: match self.names {
                NamesArg::Fold => Names::Fold,
                NamesArg::StrictLower => Names::StrictLower,
                NamesArg::AsIs => Names::AsIs,
            },
            allowed: self.allow,
            sequence_at_least: self.sequence_at_least,
            dry_run: self.dry_run,
            ..PublishRequest::new(self.source, id.clone(), build)
        };
        let progress = output.progress();
        let outcome = repository.publish(&request, now, &progress);
        drop(progress);
        let outcome = outcome?;
        let published = outcome.published();
        output.warnings(&published.warnings);
        let (word, text) = match &outcome {
            Outcome::AlreadyCurrent(_) => (
                "already-current",
                format!("already current: {id} is build {}, sequence {}; nothing was written", published.build, published.sequence),
            ),
            Outcome::Described(_) => (
                "described",
                format!(
                    "already current: {id} is build {}, sequence {}; what the channel says of its server is new",
                    published.build, published.sequence
                ),
            ),
            Outcome::Planned(_) => {
                ("planned", format!("would publish build {} as sequence {} of {id}", published.build, published.sequence))
            }
            Outcome::HandedOver(_) => ("handed-over", format!("build {} will be sequence {} of {id}", published.build, published.sequence)),
            Outcome::Published(_) => {
                ("published", format!("published build {} as sequence {} of {id}", published.build, published.sequence))
            }
        };
        let counts = match &outcome {
            Outcome::AlreadyCurrent(_) | Outcome::Described(_) => String::new(),
            _ => format!(
                "\n{} {}, {}; {} of them new, {}{}; {} in packs used again",
                published.files,
                if published.files == 1 { "file" } else { "files" },
                bytes(published.content_bytes),
                published.new_files,
                bytes(published.new_content_bytes),
                if request.dry_run { String::new() } else { format!(", {} stored", bytes(published.new_bytes)) },
                bytes(published.reused_bytes)
            ),
        };
        let waits = if matches!(outcome, Outcome::HandedOver(_)) { self.handover.written(&self.repo) } else { None };
        let next = match (&outcome, &waits) {
            (Outcome::Planned(_), _) => "the same command without --dry-run".to_owned(),
            (_, Some((_, next))) => next.clone(),
            _ => format!(
                "manifests list {}; to take it back: manifests withdraw {} {} {} --reason WHY",
                self.repo.display(),
                self.repo.display(),
                channel::arguments(&id),
                published.sequence
            ),
        };
        let value = json!({
            "result": word,
            "channel": channel::channel_json(&id),
            "sequence": published.sequence,
            "build": published.build.text(),
            "scheme": published.build.scheme(),
            "manifest": published.manifest,
            "files": published.files,
            "content_bytes": published.content_bytes,
            "new_files": published.new_files,
            "new_content_bytes": published.new_content_bytes,
            "new_bytes": published.new_bytes,
            "reused_bytes": published.reused_bytes,
            "warnings": published.warnings.iter().map(finding_json).collect::<Vec<_>>(),
        });
        let waits = waits.map_or_else(String::new, |(text, _)| format!("\n{text}"));
        Ok(output.result(&format!("{text}{counts}{waits}"), Some(&next), &value))
    }
}

impl PublishArgs {
    /// What is said of the builds of other parts; those of server and client are read as the release's is where they can be. An error names its argument.
    fn builds_beside(&self, scheme: Scheme) -> Result<(Requires, Compatible, ServerSays), (&'static str, String)> {
        let read = |argument, text: &Option<String>, scheme| match text.as_deref().map(|text| Build::beside(text, scheme)).transpose() {
            Ok(build) => Ok(build.map(Bound)),
            Err(error) => Err((argument, error.to_string())),
        };
        let requires = Requires {
            server: read("--requires-server", &self.requires_server, Some(scheme))?,
            client: read("--requires-client", &self.requires_client, Some(scheme))?,
            updater: read("--requires-updater", &self.requires_updater, None)?,
            platform: None,
        };
        let range = self.works_with_servers.as_deref().map(|text| BuildRange::read(text, Some(scheme))).transpose();
        let servers = range.map_err(|error| ("--works-with-servers", error.to_string()))?;
        let rule = self.compat.as_deref().map(|text| compat::Rule::read(text, Some(scheme))).transpose();
        let build = match self.server_build.as_deref() {
            Some("none") => Some(None),
            _ => read("--server-build", &self.server_build, Some(scheme))?.map(Some),
        };
        let server = ServerSays { build, compat: rule.map_err(|error| ("--compat", error.to_string()))? };
        Ok((requires, Compatible { servers, clients: None }, server))
    }
}

/// The build in the scheme that was given, else in that of the channel where it is one, else in the first that reads it.
fn read_build(text: &str, given: Option<Scheme>, current: Option<Scheme>) -> Result<Build, InvalidBuild> {
    given.map_or_else(|| Build::beside(text, current), |scheme| Build::parse(text, scheme))
}

/// Says what the parser could not know, as the parser does.
fn usage(argument: &str, reason: &str) -> Exit {
    // A closed terminal is no reason to do anything else.
    let _ = clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("{argument}: {reason}\n")).print();
    Exit::Usage
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifests::release::ConfigPolicy;

    #[test]
    fn the_scheme_of_the_channel_comes_before_a_guess() {
        let read = |text, current| read_build(text, None, current).unwrap().scheme();
        assert_eq!(read("17.3.0", None), Scheme::Semver);
        assert_eq!(read("17.3.0", Some(Scheme::Dotted)), Scheme::Dotted);
        assert_eq!(read("7.00.170117A", Some(Scheme::Dotted)), Scheme::Totvs);
        assert!(read_build("17.3.0", Some(Scheme::Totvs), None).is_err());
    }

    #[test]
    fn probes_and_policies_are_read() {
        assert_eq!(probe("alive:60"), Ok(Probe::Alive { seconds: 60 }));
        assert_eq!(probe("file:bin/x"), Ok(Probe::File("bin/x".parse().unwrap())));
        let command = Probe::Command { command: vec!["bin/x".into(), "--check".into()], timeout_seconds: 5 };
        assert_eq!(probe("command:5:bin/x --check"), Ok(command));
        for text in ["", "alive:x", "file:../x", "command:5:", "command:x", "prayer:1"] {
            assert!(probe(text).is_err(), "{text}");
        }
        assert_eq!("*.ini=keep".parse::<ConfigRule>().unwrap().policy, ConfigPolicy::Keep);
        let merge: ConfigRule = "*.ini=merge:Update.Server, Drivers.*".parse().unwrap();
        assert_eq!((merge.policy, merge.publishers), (ConfigPolicy::Merge, vec!["Update.Server".to_owned(), "Drivers.*".to_owned()]));
        for text in ["*.ini", "*.ini=x", "*.ini=keep:A.b", "*.ini=merge:", "*.ini=merge:key", "*.ini=MERGE"] {
            assert!(text.parse::<ConfigRule>().is_err(), "{text}");
        }
    }
}
