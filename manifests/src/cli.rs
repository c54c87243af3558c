//! The command line: one subcommand a file. Each parses, calls the library, and says what came of it and what to do next.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Parser, Subcommand};
use manifests::publish::{PublishError, Repository};
use manifests::time::UtcTime;

mod channel;
mod commit;
mod exit_code;
mod folders;
mod gc;
mod handover;
mod init;
mod keys;
mod keys_passphrase;
mod list;
mod output;
mod passphrase;
mod prune;
mod publish;
mod refresh;
mod sign;
mod verify;
mod withdraw;

use exit_code::Exit;
use handover::HandoverArgs;
use output::Output;
use passphrase::PassphraseArgs;

/// Makes signed releases of folders, and keeps the repository that they lie in.
#[derive(Debug, Parser)]
#[command(name = "manifests", version, propagate_version = true, after_help = HELP, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON object instead of text; errors too
    #[arg(long, global = true)]
    json: bool,
}

const HELP: &str = "\
A first release, from a folder that holds an unpacked build:
  manifests init acme --name acme
  manifests publish build/ --repo acme --product smartclient --os windows --build 17.3.0.14
  manifests list acme

Every day (the timestamp expires after a week):
  manifests refresh acme

A release turned out bad: withdraw it, then publish the one before again
  manifests withdraw acme --product smartclient --os windows 12 --reason 'crashes at start'
  manifests publish old-build/ --repo acme --product smartclient --os windows --build 17.3.0.9 --allow-downgrade

Keys that lie elsewhere: hand the change over, sign it there, commit it here
  manifests publish build/ --repo acme --product smartclient --os windows --build 17.3.0.15 --request release.json
  manifests sign --request release.json --keys /media/safe/acme.keys
  manifests commit release.json --repo acme

Exit status:
  0   done, or nothing to do
  1   a file could not be read or written
  2   the command line is wrong
  10  the folder or zip is not fit to be published; all reasons are listed
  11  refused: lower build, other scheme, no such release, not enough signatures, …
  12  another command is changing the repository
  13  a private key is missing, exposed or locked
  14  the repository is damaged, or `verify` found problems
  15  there is no repository, or something else is where it should be made
  16  the folder changed while it was being published";

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::InitArgs),
    Publish(Box<publish::PublishArgs>),
    List(list::ListArgs),
    Verify(verify::VerifyArgs),
    Withdraw(withdraw::WithdrawArgs),
    Prune(prune::PruneArgs),
    Gc(gc::GcArgs),
    Refresh(refresh::RefreshArgs),
    Sign(sign::SignArgs),
    Commit(commit::CommitArgs),
    #[command(subcommand)]
    Folders(folders::FoldersCommand),
    #[command(subcommand)]
    Keys(keys::KeysCommand),
}

/// What every command that changes a repository takes.
#[derive(Debug, Args)]
struct WriterArgs {
    /// The folder that holds the private keys [default: REPO.keys beside the repository]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Wait up to this long for another command to end
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
}

impl WriterArgs {
    fn open(&self, repo: &std::path::Path) -> Result<Repository, PublishError> {
        let repository = Repository::open(repo, self.keys.as_deref())?.waiting(Duration::from_secs(self.wait));
        Ok(repository.unlocked_by(self.passphrase.source()))
    }
}

/// Runs the command of this process.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    let now = now();
    let result = match cli.command {
        Command::Init(args) => args.run(now, &output),
        Command::Publish(args) => args.run(now, &output),
        Command::List(args) => args.run(now, &output),
        Command::Verify(args) => args.run(now, &output),
        Command::Withdraw(args) => args.run(now, &output),
        Command::Prune(args) => args.run(now, &output),
        Command::Gc(args) => args.run(now, &output),
        Command::Refresh(args) => args.run(now, &output),
        Command::Sign(args) => args.run(&output),
        Command::Commit(args) => args.run(now, &output),
        Command::Folders(command) => command.run(now, &output),
        Command::Keys(command) => command.run(now, &output),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = exit_code::of(&error);
            output.error(&error, exit);
            exit.into()
        }
    }
}

type Outcome = Result<Exit, PublishError>;

/// The only reading of a clock in this program.
fn now() -> UtcTime {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    UtcTime::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// The words of a line of shell, quotes taken off, up to a comment for people behind three spaces.
    fn words(line: &str) -> Vec<String> {
        let line = line.split("   ").next().unwrap_or_default();
        let mut words = vec![String::new()];
        let mut quoted = false;
        for character in line.chars() {
            match character {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                // Shortened ids stand for whole ones.
                '…' => words.last_mut().unwrap().push_str(&"0".repeat(60)),
                other => words.last_mut().unwrap().push(other),
            }
        }
        words
    }

    fn examples(command: &clap::Command, found: &mut Vec<(String, String)>) {
        let name = command.get_name().to_owned();
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = help.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| line.starts_with("manifests "));
        found.extend(lines.flat_map(|line| line.split(" && ")).map(|line| (name.clone(), line.to_owned())));
        command.get_subcommands().filter(|command| command.get_name() != "help").for_each(|command| examples(command, found));
    }

    #[test]
    fn every_command_has_examples_and_every_example_is_a_command_line() {
        let mut found = vec![];
        let mut command = Cli::command();
        command.build();
        examples(&command, &mut found);
        for (name, line) in &found {
            assert!(Cli::try_parse_from(words(line)).is_ok(), "in the help of `{name}`: {line}");
        }
        let leaves = |command: &clap::Command| command.get_subcommands().map(|leaf| leaf.get_name().to_owned()).collect::<Vec<_>>();
        let below = ["keys", "folders"].map(|group| leaves(command.find_subcommand(group).unwrap())).concat();
        for leaf in leaves(&command).into_iter().chain(below).filter(|leaf| !["keys", "folders", "help"].contains(&leaf.as_str())) {
            assert!(found.iter().any(|(name, _)| *name == leaf), "`{leaf}` has no example");
        }
    }

    #[test]
    fn help_lists_every_exit_status() {
        for exit in Exit::ALL {
            assert!(HELP.lines().any(|line| line.trim_start().starts_with(&format!("{} ", *exit as u8))), "{exit:?}");
        }
    }
}
