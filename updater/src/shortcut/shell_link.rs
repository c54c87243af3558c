//! A link of the Windows shell (`.lnk`), made by the shell itself, and where such links lie.

use std::path::PathBuf;

use super::{Shortcut, ShortcutError, Where};
use crate::fs::outside::Readers;
use crate::mark;
use crate::schedule::Scope;
use crate::schedule::windows_task::quoted;
use crate::windows_api::places::{self, Known};
use crate::windows_api::shell_link::{Link, bytes};

/// Nothing to Windows.
pub(super) const READERS: Readers = Readers::All;

pub(super) fn file_name(name: &str) -> String {
    format!("{name}.lnk")
}

/// The link.
pub(super) fn render(shortcut: &Shortcut) -> Result<Vec<u8>, ShortcutError> {
    let arguments = shortcut.arguments.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    let link = bytes(&Link {
        program: &shortcut.program,
        arguments: &arguments,
        folder: &shortcut.folder,
        description: &shortcut.mark(),
        icon: shortcut.icon.as_deref(),
    })
    .map_err(ShortcutError::System)?;
    // The shell cuts off what is too long for it, and says nothing.
    let has_arguments = arguments.is_empty() || mark::has(&link, &arguments);
    if has_arguments && mark::has(&link, &shortcut.mark()) {
        return Ok(link);
    }
    Err(ShortcutError::Unfit("what the client is given is too long for a shortcut of Windows: give it less"))
}

/// The folder of the start menu or of the desktop.
pub(super) fn place(to: &Where, scope: Scope) -> Option<PathBuf> {
    let known = match (to, scope) {
        (Where::In(_), _) => return None,
        (Where::Menu, Scope::System) => Known::CommonPrograms,
        (Where::Menu, Scope::User) => Known::Programs,
        (Where::Desktop, Scope::System) => Known::PublicDesktop,
        (Where::Desktop, Scope::User) => Known::Desktop,
    };
    places::known(known).ok()
}
