//! An entry of a menu or desktop as freedesktop.org has it (Desktop Entry Specification 1.5), and where such entries lie.

use std::path::{Path, PathBuf};

use super::{Shortcut, ShortcutError, Where};
use crate::fs::outside::Readers;
use crate::schedule::Scope;

/// Desktops start an entry that lies on them only when it may be run.
pub(super) const READERS: Readers = Readers::Runners;

/// In a menu, an entry hides those of the same name in other folders: so no name is one that a package might have.
pub(super) fn file_name(name: &str) -> String {
    format!("stationmaster-{name}.desktop")
}

/// The entry.
pub(super) fn render(shortcut: &Shortcut) -> Result<Vec<u8>, ShortcutError> {
    let words = std::iter::once(&shortcut.program).chain(&shortcut.arguments);
    let command = words.map(|word| argument(word)).collect::<Vec<_>>().join(" ");
    let icon = shortcut.icon.as_ref().map_or_else(String::new, |icon| format!("Icon={}\n", string(icon)));
    let text = format!(
        "[Desktop Entry]\n\
         Type=Application\n\
         Name={name}\n\
         {icon}\
         Exec={command}\n\
         Path={folder}\n\
         Terminal={in_terminal}\n\
         X-Stationmaster-Made-By={mark}\n",
        name = string(&shortcut.name),
        command = string(&command),
        folder = string(&shortcut.folder),
        in_terminal = shortcut.in_terminal,
        mark = shortcut.mark(),
    );
    Ok(text.into_bytes())
}

/// The folder of a menu or desktop.
pub(super) fn place(to: &Where, scope: Scope) -> Option<PathBuf> {
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    match (to, scope) {
        (Where::In(_), _) => None,
        (Where::Menu, Scope::System) => Some("/usr/local/share/applications".into()),
        (Where::Menu, Scope::User) => {
            Some(path("XDG_DATA_HOME").or_else(|| Some(path("HOME")?.join(".local/share")))?.join("applications"))
        }
        // Everybody's desktop is his own.
        (Where::Desktop, Scope::System) => None,
        (Where::Desktop, Scope::User) => {
            let home = path("HOME")?;
            let settings = path("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")).join("user-dirs.dirs");
            Some(desktop(&std::fs::read_to_string(settings).unwrap_or_default(), &home))
        }
    }
}

/// The desktop that `user-dirs.dirs` names: a line `XDG_DESKTOP_DIR="$HOME/…"`, or with an absolute path.
fn desktop(user_dirs: &str, home: &Path) -> PathBuf {
    let said = user_dirs.lines().rev().find_map(|line| line.trim().strip_prefix("XDG_DESKTOP_DIR=")?.strip_prefix('"')?.strip_suffix('"'));
    match said.map(|said| said.strip_prefix("$HOME").ok_or(said)) {
        Some(Ok(below)) => home.join(below.trim_start_matches('/')),
        Some(Err(absolute)) if Path::new(absolute).is_absolute() => absolute.into(),
        _ => home.join("Desktop"),
    }
}

/// A word of `Exec`: quoted, and without field codes.
fn argument(word: &str) -> String {
    let mut quoted = "\"".to_owned();
    for letter in word.chars() {
        if matches!(letter, '"' | '`' | '$' | '\\') {
            quoted.push('\\');
        }
        if letter == '%' {
            quoted.push('%');
        }
        quoted.push(letter);
    }
    quoted + "\""
}

/// A value of the type string, which knows escapes of its own, below those of `Exec`; a space at its begin would be lost.
fn string(text: &str) -> String {
    let escaped = text.replace('\\', r"\\");
    match escaped.strip_prefix(' ') {
        Some(rest) => format!(r"\s{rest}"),
        None => escaped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_desktop_is_the_one_that_the_users_settings_name() {
        let home = Path::new("/home/ana");
        let of = |text: &str| desktop(text, home);
        assert_eq!(of("# made by xdg-user-dirs-update\nXDG_DESKTOP_DIR=\"$HOME/Área de trabalho\"\n"), home.join("Área de trabalho"));
        assert_eq!(of("XDG_DESKTOP_DIR=\"/srv/desktops/ana\""), Path::new("/srv/desktops/ana"));
        assert_eq!(of("XDG_DESKTOP_DIR=\"$HOME/\"\n"), home.join(""));
        for nothing in ["", "XDG_MUSIC_DIR=\"$HOME/Music\"", "XDG_DESKTOP_DIR=\"relative\""] {
            assert_eq!(of(nothing), home.join("Desktop"), "{nothing}");
        }
    }
}
