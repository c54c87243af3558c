//! Shortcuts (D-12): what people click to start the client is `updater launch`, so that it is brought up to date and watched, whoever starts it.
//!
//! A shortcut is one file, in the form that the system's own desktop reads: an entry of freedesktop.org, a link of the Windows shell, a command file of macOS. It names the updater that made it and
//! the install folder, both absolute. Made again at the same place it is the same one; a file that is not ours is never replaced. Where shortcuts were made is remembered in
//! `.updater/shortcuts.json`, so that they can be taken away: those that still are ours ([`crate::mark`]).

#[cfg(any(all(test, unix), not(any(windows, target_os = "macos"))))]
mod desktop_entry;
#[cfg(not(any(windows, target_os = "macos")))]
use desktop_entry as platform;

#[cfg(any(all(test, unix), target_os = "macos"))]
mod command_file;
#[cfg(target_os = "macos")]
use command_file as platform;

#[cfg(windows)]
mod shell_link;
#[cfg(windows)]
use shell_link as platform;

use std::path::{Path, PathBuf};

use manifests::channel::FORMAT;
use manifests::json;
use manifests::path::RelPath;
use manifests::quote::quoted;
use serde::{Deserialize, Serialize};

use crate::fs::{Folder, FsError, LocalPath, Point, outside};
use crate::mark;
use crate::schedule::Scope;

/// The command that makes them, in their marks.
const COMMAND: &str = "create-shortcut";
/// Longest file that is read, in bytes.
const LIMIT_BYTES: usize = 64 * 1024;
/// Longest name, in bytes.
const LONGEST_NAME: usize = 100;

/// What is started, and how it looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortcut {
    /// What people read below it.
    pub name: String,
    /// The install folder, absolute and without links; the client is started in it.
    pub folder: String,
    /// The updater, absolute.
    pub program: String,
    /// What it is given.
    pub arguments: Vec<String>,
    /// A file with the picture; without it the system's own choice.
    pub icon: Option<String>,
    /// Run it in a window where progress is shown and questions are asked. Windows and macOS always do.
    pub in_terminal: bool,
}

/// Where people find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    /// Among the programs: the start menu, the applications.
    Menu,
    /// On the desktop.
    Desktop,
    /// In a folder that somebody named.
    In(PathBuf),
}

impl Where {
    /// As people say it: `menu`, `desktop`, or a folder.
    pub fn parse(text: &str) -> Where {
        match text {
            "menu" => Where::Menu,
            "desktop" => Where::Desktop,
            folder => Where::In(folder.into()),
        }
    }
}

/// A shortcut cannot be made or taken away.
#[derive(Debug, thiserror::Error)]
pub enum ShortcutError {
    /// A text that cannot be written into such a file, or be its name.
    #[error("`{text}` cannot be written into a shortcut ({why}): use another one")]
    Text {
        /// The text, as it can be shown.
        text: String,
        /// Why not.
        why: String,
    },
    /// There is no such place here.
    #[error("there is no place for {} shortcuts {} on this system: name a folder with `--to DIR`", scope, match place { Where::Desktop => "on the desktop", _ => "in the menu" })]
    NoPlace {
        /// Where.
        place: Where,
        /// Whose.
        scope: Scope,
    },
    /// The file belongs to somebody else.
    #[error("`{}` is there already and was not made for this install folder: give another `--name`, or move it away first", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// Shortcuts of this system cannot be like that.
    #[error("{0}")]
    Unfit(&'static str),
    /// The system, which makes shortcuts itself, does not.
    #[error("the system makes no shortcut: {0}")]
    System(std::io::Error),
    /// The file cannot be written or removed.
    #[error("the shortcut `{}` cannot be made or removed: {source} (run as root or administrator for all accounts, or use `--user`)", path.display())]
    Outside {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// What became of the shortcuts of an install folder that is given up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Those that are gone.
    pub gone: Vec<PathBuf>,
    /// Those that somebody made his own, or put another file in place of: they stay.
    pub left: Vec<PathBuf>,
}

/// `shortcuts.json`: where shortcuts were made, and the tag in the mark of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shortcuts(Vec<Made>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    path: PathBuf,
    tag: String,
}

#[derive(Serialize, Deserialize)]
struct ShortcutsWire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    shortcuts: Vec<Made>,
}

impl Shortcut {
    fn tag(&self) -> String {
        mark::tag(&self.folder)
    }

    /// What stands in the file, and in none of another install folder.
    fn mark(&self) -> String {
        mark::mark(COMMAND, &self.tag())
    }

    /// Refuses what cannot be written into such a file, or be its name.
    pub fn check(&self) -> Result<(), ShortcutError> {
        self.file_name()?;
        self.render().map(drop)
    }

    /// The name of the file: one that every system can have (attacks D1–D8), whatever this one takes.
    fn file_name(&self) -> Result<String, ShortcutError> {
        let refused = |why: String| ShortcutError::Text { text: quoted(&self.name, 80).to_string(), why };
        let name: RelPath =
            platform::file_name(&self.name).parse().map_err(|error: manifests::path::InvalidPath| refused(error.fault.to_string()))?;
        match name.components().count() {
            1 if self.name.len() <= LONGEST_NAME => Ok(name.to_string()),
            1 => Err(refused(format!("a name has at most {LONGEST_NAME} bytes"))),
            _ => Err(refused("a name has no `/`".into())),
        }
    }

    /// The bytes of the file. Control characters would end a line of it.
    fn render(&self) -> Result<Vec<u8>, ShortcutError> {
        let texts = self.arguments.iter().chain([&self.name, &self.folder, &self.program]).chain(&self.icon);
        if let Some(text) = texts.into_iter().find(|text| text.chars().any(char::is_control)) {
            return Err(ShortcutError::Text { text: quoted(text, 80).to_string(), why: "it has control characters".into() });
        }
        platform::render(self)
    }
}

impl Shortcuts {
    fn path() -> LocalPath {
        LocalPath::state("shortcuts.json")
    }

    /// Reads the document; what cannot be read says nothing. A tag that is none of ours is not believed: whoever can write here must not choose what an uninstall finds to be ours.
    pub fn parse(bytes: &[u8]) -> Shortcuts {
        let known = json::from_slice::<ShortcutsWire>(bytes, LIMIT_BYTES).ok();
        let known = known.filter(|wire| wire.format == FORMAT && wire.document == "shortcuts");
        let is_tag = |made: &Made| made.tag.len() == 8 && made.tag.bytes().all(|byte| byte.is_ascii_hexdigit());
        Shortcuts(known.map_or_else(Vec::new, |wire| wire.shortcuts.into_iter().filter(is_tag).collect()))
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Paths were given as Unicode: nothing in them can fail to serialise.
        serde_json::to_vec(&ShortcutsWire { format: FORMAT, document: "shortcuts".into(), shortcuts: self.0.clone() }).unwrap_or_default()
    }

    /// What is known in `folder`.
    pub fn load(folder: &Folder) -> Result<Shortcuts, FsError> {
        Ok(Shortcuts::parse(&folder.read(&Self::path())?.unwrap_or_default()))
    }

    /// Stores it durably.
    pub fn save(&self, folder: &Folder) -> Result<(), FsError> {
        folder.write_durably(&Self::path(), &self.to_bytes(), Point::ShortcutFile)
    }

    /// One more, unless it is known.
    #[must_use]
    pub fn with(mut self, path: &Path, tag: String) -> Shortcuts {
        self.0.retain(|made| made.path != path);
        self.0.push(Made { path: path.to_owned(), tag });
        self
    }
}

/// The folder that `to` is. One that is no Unicode could not be written down, and with it every other shortcut would be forgotten.
pub fn place(to: &Where, scope: Scope) -> Result<PathBuf, ShortcutError> {
    let folder = match to {
        Where::In(folder) => folder.clone(),
        known => platform::place(known, scope).ok_or_else(|| ShortcutError::NoPlace { place: to.clone(), scope })?,
    };
    match folder.to_str() {
        Some(_) => Ok(folder),
        None => Err(ShortcutError::Text { text: folder.display().to_string(), why: "it is not Unicode".into() }),
    }
}

/// Makes `shortcut` for `folder` at the place `to`; returns its file. Made twice it is one.
///
/// # Errors
/// Nothing was made when a file of that name is not ours.
pub fn create(folder: &Folder, shortcut: &Shortcut, to: &Where, scope: Scope) -> Result<PathBuf, ShortcutError> {
    let path = place(to, scope)?.join(shortcut.file_name()?);
    let bytes = shortcut.render()?;
    let refused = |source| ShortcutError::Outside { path: path.clone(), source };
    if outside::read(&path).map_err(refused)?.is_some_and(|old| !mark::has(&old, &shortcut.mark())) {
        return Err(ShortcutError::Taken { path });
    }
    // Remembered first: what a cut leaves is found and taken away.
    Shortcuts::load(folder)?.with(&path, shortcut.tag()).save(folder)?;
    outside::place(&path, &bytes, platform::READERS, Point::ShortcutFile).map_err(refused)?;
    Ok(path)
}

/// Takes the shortcuts of `folder` away, for whoever gives the folder up.
pub fn remove_all(folder: &Folder) -> Result<Removed, ShortcutError> {
    let mut removed = Removed::default();
    for Made { path, tag } in Shortcuts::load(folder)?.0 {
        let refused = |source| ShortcutError::Outside { path: path.clone(), source };
        match outside::read(&path).map_err(refused)? {
            None => {}
            Some(bytes) if mark::has(&bytes, &mark::mark(COMMAND, &tag)) => {
                outside::remove(&path, Point::ShortcutFile).map_err(refused)?;
                removed.gone.push(path);
            }
            Some(_) => removed.left.push(path),
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests;
