//! `updater create-shortcut`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use updater::exit_code::Exit;
use updater::fs::owners::{self, Owners};
use updater::pipeline::{Error, Session};
use updater::profile::{self, Profile};
use updater::progress::Progress;
use updater::schedule::Scope;
use updater::shortcut::{self, Shortcut, Where};

use super::{Global, Report, context, itself};

#[derive(Args)]
pub(crate) struct Arguments {
    /// What people read below it; without it the product's name.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Where: `menu`, `desktop`, or a folder.
    #[arg(long, value_name = "menu|desktop|DIR", default_value = "menu", value_parser = parse_where)]
    to: Where,
    /// A picture. Without it, on Windows that of the client.
    #[arg(long, value_name = "FILE")]
    icon: Option<PathBuf>,
    /// For the account that runs this alone.
    #[arg(long, conflicts_with = "system")]
    user: bool,
    /// For all accounts; what root or an administrator makes is.
    #[arg(long)]
    system: bool,
    /// Run in a terminal window, where progress is shown and questions can be asked; on Windows and macOS it always does.
    #[arg(long)]
    terminal: bool,
    /// What the client is given.
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

impl Arguments {
    /// As a file of answers says it.
    pub(crate) fn answered(answer: updater::answers::Shortcut) -> Arguments {
        let updater::answers::Shortcut { name, to, icon, terminal, arguments } = answer;
        Arguments { name, to, icon, user: false, system: false, terminal, arguments }
    }
}

pub(crate) fn run(global: &Global, command: Arguments, progress: &dyn Progress) -> Result<Report, Error> {
    let Arguments { name, to, icon, user, system, terminal, arguments } = command;
    let session = Session::open(&global.dir, "create-shortcut", &context::begin(global, progress))?;
    let dir = owners::canonical(&global.dir)?;
    let scope = if system { Scope::System } else { scope_unless(user) };
    let shortcut = Shortcut {
        name: name.unwrap_or_else(|| session.station.product.to_string()),
        folder: itself::unicode(&dir)?,
        program: itself::program()?,
        arguments: launch(global, &dir, profile::of(&session.folder), arguments)?,
        icon: icon.map_or_else(|| clients_own(&session, &dir), |icon| picture(&icon).map(Some))?,
        in_terminal: terminal,
    };
    let to = match to {
        Where::In(folder) => Where::In(itself::absolute(&folder)?),
        known => known,
    };
    let path = shortcut::create(&session.folder, &shortcut, &to, scope)?;
    let text = global.texts().get("shortcut-made", &[("file", path.display().to_string().into())]);
    let json =
        json!({ "result": "created", "file": path, "name": shortcut.name, "program": shortcut.program, "arguments": shortcut.arguments });
    Ok(Report::new(&json, text, Exit::Success))
}

/// The words of `updater launch` that start the client of the install folder `dir` with `arguments`.
fn launch(global: &Global, dir: &Path, profile: Profile, arguments: Vec<String>) -> Result<Vec<String>, Error> {
    let mut words = itself::words(&["launch"], global, dir, profile)?;
    if !arguments.is_empty() {
        words.extend(std::iter::once("--".to_owned()).chain(arguments));
    }
    Ok(words)
}

/// Whose it is where nobody says so: what root makes is everybody's.
fn scope_unless(user: bool) -> Scope {
    if !user && Owners::here().are_root_alone() { Scope::System } else { Scope::User }
}

/// Refuses an answer that cannot be, before anything else is done for it: all of it but what the installed client will say. It is to be installed with `profile`.
pub(crate) fn check(global: &Global, answer: &updater::answers::Shortcut, profile: Profile) -> Result<(), Error> {
    shortcut::place(&answer.to, scope_unless(false))?;
    let dir = itself::absolute(&global.dir)?;
    // A picture of the client's own comes with it.
    let icon = answer.icon.as_deref().map(|icon| match itself::absolute(icon)? {
        own if own.starts_with(&dir) => itself::unicode(&own),
        _ => picture(icon),
    });
    let shortcut = Shortcut {
        name: answer.name.clone().unwrap_or_else(|| "client".into()),
        folder: itself::unicode(&dir)?,
        program: itself::program()?,
        arguments: launch(global, &dir, profile, answer.arguments.clone())?,
        icon: icon.transpose()?,
        in_terminal: answer.terminal,
    };
    Ok(shortcut.check()?)
}

/// The picture in `file`, which has to be there: a shortcut says nothing of one that is not.
fn picture(file: &Path) -> Result<String, Error> {
    std::fs::metadata(file).map_err(|source| Error::Argument { path: file.to_owned(), source })?;
    itself::unicode(&itself::absolute(file)?)
}

/// The picture in the client's own program, on the system whose programs have one.
fn clients_own(session: &Session, dir: &Path) -> Result<Option<String>, Error> {
    let entry = session.installed.as_ref().and_then(|installed| installed.release.entry_point.as_ref());
    entry
        .filter(|_| cfg!(windows))
        .map(|entry| itself::unicode(&entry.components().fold(dir.to_owned(), |dir, name| dir.join(name))))
        .transpose()
}

fn parse_where(text: &str) -> Result<Where, String> {
    Ok(Where::parse(text))
}
