//! Where a command gets passphrases: a file that was named, else a variable, else whoever sits at the terminal.
//!
//! A terminal is used only when standard input or standard error is one, so that a job whose output goes elsewhere fails with what to give instead of waiting for an answer. What is typed is not
//! shown.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use manifests::publish::passphrase::{LockedKey, Passphrase, PassphraseError, PassphraseSource};
use zeroize::Zeroizing;

use super::output::one_line;

/// The variable that opens keys.
const VARIABLE: &str = "MANIFESTS_PASSPHRASE";

/// The variable that holds what keys are encrypted with from now on.
const NEW_VARIABLE: &str = "MANIFESTS_NEW_PASSPHRASE";

/// How often a person is asked before the command fails.
const TRIES: usize = 3;

/// Fewest bytes of a new passphrase: with fewer, no cost of guessing protects a key that has been copied.
const LEAST_BYTES: usize = 8;

/// Opens encrypted keys.
#[derive(Debug, Args)]
pub(crate) struct PassphraseArgs {
    /// The file whose first line opens encrypted keys [default: the variable MANIFESTS_PASSPHRASE, else you are asked]
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
    /// What encrypted keys are opened with.
    pub(crate) fn source(&self) -> Arc<dyn PassphraseSource> {
        Arc::new(match &self.passphrase_file {
            Some(path) => Given::File(path.clone()),
            None if std::env::var_os(VARIABLE).is_some() => Given::Variable,
            None => Given::Terminal,
        })
    }
}

/// The passphrase for keys that are made now: from `file`, else `MANIFESTS_PASSPHRASE`, else asked for twice.
pub(crate) fn of_new_keys(file: Option<&Path>) -> Result<Passphrase, PassphraseError> {
    new_passphrase(file, VARIABLE, "--passphrase-file or in MANIFESTS_PASSPHRASE")
}

/// The passphrase that takes the place of another: from `file`, else `MANIFESTS_NEW_PASSPHRASE`, else asked for twice.
pub(crate) fn to_change_to(file: Option<&Path>) -> Result<Passphrase, PassphraseError> {
    new_passphrase(file, NEW_VARIABLE, "--new-passphrase-file or in MANIFESTS_NEW_PASSPHRASE")
}

enum Given {
    File(PathBuf),
    Variable,
    Terminal,
}

impl PassphraseSource for Given {
    fn passphrase(&self, key: &LockedKey, refused: usize) -> Result<Option<Passphrase>, PassphraseError> {
        match self {
            Given::File(path) => Passphrase::read(path).map(Some),
            Given::Variable => variable(VARIABLE),
            Given::Terminal if !somebody_is_there() => Ok(None),
            Given::Terminal => {
                let wrong = if refused == 0 { "" } else { "no passphrase given so far opens this key\n" };
                let short = key.id.as_str().get(..12).unwrap_or(key.id.as_str());
                let roles = one_line(&key.roles.join(", "));
                let question = format!("{wrong}passphrase of key {short}… ({roles}): ");
                // An empty answer is a wrong one, not the end of the command.
                match ask(&question) {
                    Err(PassphraseError::Empty) => ask(&format!("it is not empty\n{question}")).map(Some),
                    answer => answer.map(Some),
                }
            }
        }
    }

    fn tries(&self) -> usize {
        if matches!(self, Given::Terminal) { TRIES } else { 1 }
    }
}

fn new_passphrase(file: Option<&Path>, name: &'static str, given_with: &'static str) -> Result<Passphrase, PassphraseError> {
    let given = match file {
        Some(path) => Some(Passphrase::read(path)?),
        None => variable(name)?,
    };
    match given {
        Some(passphrase) => long_enough(passphrase),
        None if somebody_is_there() => {
            let first = long_enough(ask("new passphrase: ")?)?;
            let second = ask("the same again: ")?;
            if first == second { Ok(first) } else { Err(PassphraseError::Differ) }
        }
        None => Err(PassphraseError::NoneNew(given_with)),
    }
}

fn long_enough(passphrase: Passphrase) -> Result<Passphrase, PassphraseError> {
    if passphrase.as_bytes().len() < LEAST_BYTES { Err(PassphraseError::TooShort { least: LEAST_BYTES }) } else { Ok(passphrase) }
}

fn variable(name: &str) -> Result<Option<Passphrase>, PassphraseError> {
    std::env::var_os(name).map(|value| Passphrase::new(Zeroizing::new(value.into_encoded_bytes()))).transpose()
}

fn somebody_is_there() -> bool {
    std::io::stdin().is_terminal() || std::io::stderr().is_terminal()
}

/// Asks on the terminal itself, whatever standard output and input are.
fn ask(question: &str) -> Result<Passphrase, PassphraseError> {
    // A progress bar may stand in the line.
    let clear = if cfg!(unix) { "\r\u{1b}[2K" } else { "\n" };
    let answer = rpassword::prompt_password(format!("{clear}{question}")).map_err(|error| PassphraseError::Terminal(error.to_string()))?;
    Passphrase::new(Zeroizing::new(answer.into_bytes()))
}
