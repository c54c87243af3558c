//! A command file of macOS: a script that Finder runs in a window of Terminal. It has been run by a shell, and not on macOS.

use std::path::PathBuf;

use super::{Shortcut, ShortcutError, Where};
use crate::fs::outside::Readers;
use crate::schedule::Scope;

/// What may not be run does not start.
pub(super) const READERS: Readers = Readers::Runners;

pub(super) fn file_name(name: &str) -> String {
    format!("{name}.command")
}

/// The script.
pub(super) fn render(shortcut: &Shortcut) -> Result<Vec<u8>, ShortcutError> {
    if shortcut.icon.is_some() {
        return Err(ShortcutError::Unfit("shortcuts of macOS have no picture of their own: leave `--icon` out, and paste one in Finder"));
    }
    let words: Vec<String> = std::iter::once(&shortcut.program).chain(&shortcut.arguments).map(|word| quoted(word)).collect();
    let (folder, mark) = (quoted(&shortcut.folder), shortcut.mark());
    Ok(format!("#!/bin/sh\n# Made by {mark}.\ncd {folder} || exit\nexec {}\n", words.join(" ")).into_bytes())
}

/// The folder of the programs or of the desktop.
pub(super) fn place(to: &Where, scope: Scope) -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    match (to, scope) {
        (Where::In(_), _) => None,
        (Where::Menu, Scope::System) => Some("/Applications".into()),
        (Where::Menu, Scope::User) => Some(home()?.join("Applications")),
        (Where::Desktop, Scope::System) => None,
        (Where::Desktop, Scope::User) => Some(home()?.join("Desktop")),
    }
}

/// A word of a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_gives_the_updater_the_words_that_were_meant() {
        let awkward = r#"it's a "client" & 100% $HOME \ `x`"#;
        let words = ["%s\n", "launch", "--", awkward, ""].map(str::to_owned).to_vec();
        let shortcut = Shortcut {
            name: "Client".into(),
            folder: "/".into(),
            program: "printf".into(),
            arguments: words,
            icon: None,
            in_terminal: false,
        };
        let script = String::from_utf8(render(&shortcut).unwrap()).unwrap();
        let run = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(run.stdout).unwrap(), format!("launch\n--\n{awkward}\n\n"));
        assert!(render(&Shortcut { icon: Some("x.icns".into()), ..shortcut }).is_err());
    }

    #[test]
    fn finder_runs_a_file_of_that_name_that_may_be_run() {
        assert_eq!((file_name("Kasse 1"), READERS), ("Kasse 1.command".to_owned(), Readers::Runners));
    }

    #[test]
    fn every_account_has_its_own_desktop() {
        assert_eq!(place(&Where::Desktop, Scope::System), None);
        assert_eq!(place(&Where::Menu, Scope::System), Some("/Applications".into()));
    }
}
