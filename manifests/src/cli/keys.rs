//! `manifests keys …`: who holds which keys, one subcommand a file.

use clap::Subcommand;
use manifests::publish::effect::Effect;
use manifests::time::UtcTime;

use super::{Exit, HandoverArgs, Outcome, Output, WriterArgs, keys_passphrase};

mod export_public;
mod generate;
mod list;
mod revoke;
mod rotate;
mod split;

/// Look after the private keys
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    List(list::ListArgs),
    Split(split::SplitArgs),
    Rotate(rotate::RotateArgs),
    Revoke(revoke::RevokeArgs),
    Generate(generate::GenerateArgs),
    ExportPublic(export_public::ExportPublicArgs),
    Passphrase(keys_passphrase::KeysPassphraseArgs),
}

impl KeysCommand {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        match self {
            KeysCommand::List(args) => args.run(now, output),
            KeysCommand::Split(args) => args.run(now, output),
            KeysCommand::Rotate(args) => args.run(now, output),
            KeysCommand::Revoke(args) => args.run(now, output),
            KeysCommand::Generate(args) => args.run(output),
            KeysCommand::ExportPublic(args) => args.run(output),
            KeysCommand::Passphrase(args) => args.run(output),
        }
    }
}

/// What stations see, one line each.
fn shown(effects: &[Effect]) -> String {
    effects.iter().map(|effect| format!("\n  {}", super::output::one_line(&effect.to_string()))).collect()
}

/// What stations see, as scripts read it.
fn effects_json(effects: &[Effect]) -> Vec<String> {
    effects.iter().map(ToString::to_string).collect()
}

/// The folder in which new keys go, and how they are kept there.
#[derive(Debug, clap::Args)]
pub(crate) struct NewKeysArgs {
    /// Where to put new keys, away from the machine that serves; not those of snapshot and timestamp [default: beside the others]
    #[arg(long, value_name = "DIR")]
    new_keys: Option<std::path::PathBuf>,
    /// Put new keys under a passphrase
    #[arg(long)]
    encrypt: bool,
    /// The file whose first line is that passphrase [default: the variable MANIFESTS_PASSPHRASE, else you are asked]
    #[arg(long, value_name = "FILE", requires = "encrypt")]
    new_passphrase_file: Option<std::path::PathBuf>,
}

impl NewKeysArgs {
    /// The folder of `repository`'s keys, or the one that was given, and whether it is another.
    fn folder(
        &self,
        own: &manifests::publish::keys::KeyFolder,
    ) -> Result<(manifests::publish::keys::KeyFolder, bool), manifests::publish::PublishError> {
        use manifests::publish::keys::{Encryption, KeyError, KeyFolder};
        let plain = self.new_keys.as_deref().map_or_else(|| KeyFolder::new(own.path()), KeyFolder::new);
        if !self.encrypt {
            return Ok((plain, self.new_keys.is_some()));
        }
        let passphrase = super::passphrase::of_new_keys(self.new_passphrase_file.as_deref()).map_err(KeyError::from)?;
        Ok((plain.encrypting(Encryption::new(passphrase)), self.new_keys.is_some()))
    }
}

/// The command that shows the keys of `repo`.
fn list_command(repo: &std::path::Path) -> String {
    format!("manifests keys list {}", repo.display())
}

/// Says what a change of keys did or would do; `next` is the command to run once it is done.
pub(crate) fn report(
    rotated: &manifests::publish::custody::Rotated,
    dry_run: bool,
    handover: &HandoverArgs,
    repo: &std::path::Path,
    next: &str,
    output: &Output,
) -> Exit {
    let made =
        rotated.made.iter().map(|(role, id, place)| format!("made key {id} for {role} in {}\n", place.display())).collect::<String>();
    let written = if dry_run { None } else { handover.written(repo) };
    let heading = match (&written, dry_run) {
        (_, true) => "stations would see:",
        (Some(_), false) => "once it is signed and committed, stations will see:",
        (None, false) => "stations will see:",
    };
    let mut text = format!("{made}{heading}{}", shown(&rotated.effects));
    let next = match written {
        Some((waits, next)) => {
            text += &format!("\n{waits}");
            next
        }
        None if dry_run => "the same command without --dry-run".to_owned(),
        None => next.to_owned(),
    };
    let value = serde_json::json!({
        "dry_run": dry_run,
        "made": rotated.made.iter().map(|(role, id, place)| serde_json::json!({ "role": role, "key": id, "folder": place.display().to_string() })).collect::<Vec<_>>(),
        "effects": effects_json(&rotated.effects),
        "file": rotated.delivered.as_ref().and_then(|delivered| delivered.file()).map(|file| file.display().to_string()),
    });
    output.result(&text, Some(&next), &value)
}
