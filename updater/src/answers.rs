//! What `updater install` is to do where nobody sits: a file of answers, for roll-outs to many stations (D-20).
//!
//! Everything that a person would say stands in it, so nothing is asked. It is read whole before anything begins: a key that is not known, a setting that cannot be, or a link that is none is
//! refused by name, with nothing fetched. `updater/packaging/answers.example.toml` shows every key.

use std::path::{Path, PathBuf};

use manifests::install_link::InstallLink;
use manifests::name::{Arch, Name, Os, Variant};
use serde::Deserialize;

use crate::profile::Profile;
use crate::settings::Settings;
use crate::shortcut::Where;

/// The answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// The install link.
    pub link: InstallLink,
    /// The install folder; where it is missing, the command line says it.
    pub dir: Option<PathBuf>,
    /// Hold the build of another OS than this computer's.
    pub os: Option<Os>,
    /// Hold the build of another arch.
    pub arch: Option<Arch>,
    /// Follow a variant of the product.
    pub variant: Option<Variant>,
    /// Follow another channel than the link's.
    pub channel: Option<Name>,
    /// Trust the root in this file.
    pub root: Option<PathBuf>,
    /// Take everything from this folder, and use no network.
    pub from: Option<PathBuf>,
    /// Whom the install protects against.
    pub profile: Option<Profile>,
    /// Where the state of the profile `service` is kept.
    pub state: Option<PathBuf>,
    /// Let the system's timer check for updates.
    pub schedule: bool,
    /// What people are to click.
    pub shortcut: Option<Shortcut>,
    /// Settings of the station by key, as `updater settings` takes them.
    pub settings: Vec<(String, String)>,
}

/// A shortcut, as `updater create-shortcut` takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shortcut {
    /// What people read below it.
    pub name: Option<String>,
    /// Where they find it.
    pub to: Where,
    /// A file with the picture.
    pub icon: Option<PathBuf>,
    /// Run it in a terminal window.
    pub terminal: bool,
    /// What the client is given.
    pub arguments: Vec<String>,
}

/// The file: everything but the link may be missing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswersFile {
    link: String,
    dir: Option<PathBuf>,
    os: Option<String>,
    arch: Option<String>,
    variant: Option<String>,
    channel: Option<String>,
    root: Option<PathBuf>,
    from: Option<PathBuf>,
    profile: Option<String>,
    state: Option<PathBuf>,
    #[serde(default)]
    schedule: bool,
    shortcut: Option<ShortcutTable>,
    #[serde(default)]
    settings: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShortcutTable {
    name: Option<String>,
    to: Option<String>,
    icon: Option<PathBuf>,
    #[serde(default)]
    terminal: bool,
    #[serde(default)]
    arguments: Vec<String>,
}

impl Answers {
    /// Reads the text of the file. Paths in it are relative to `place`, the folder that it lies in.
    ///
    /// # Errors
    /// What is wrong with it, by key.
    pub fn parse(text: &str, place: &Path) -> Result<Answers, String> {
        let file: AnswersFile = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let path = |path: Option<PathBuf>| path.map(|path| place.join(path));
        Ok(Answers {
            link: said("link", &file.link)?,
            dir: path(file.dir),
            os: file.os.as_deref().map(|os| Os::from_command_line(os).map_err(|error| format!("`os`: {error}"))).transpose()?,
            arch: file.arch.as_deref().map(|arch| said("arch", arch)).transpose()?,
            variant: file.variant.as_deref().map(|variant| said("variant", variant)).transpose()?,
            channel: file.channel.as_deref().map(|channel| said("channel", channel)).transpose()?,
            root: path(file.root),
            from: path(file.from),
            profile: file.profile.as_deref().map(profile).transpose()?,
            state: path(file.state),
            schedule: file.schedule,
            shortcut: file.shortcut.map(|table| shortcut(table, place)),
            settings: settings(&file.settings)?,
        })
    }
}

fn shortcut(table: ShortcutTable, place: &Path) -> Shortcut {
    let ShortcutTable { name, to, icon, terminal, arguments } = table;
    let to = match to.as_deref().map(Where::parse) {
        Some(Where::In(folder)) => Where::In(place.join(folder)),
        said => said.unwrap_or(Where::Menu),
    };
    Shortcut { name, to, icon: icon.map(|icon| place.join(icon)), terminal, arguments }
}

fn said<T: std::str::FromStr<Err: std::fmt::Display>>(key: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("`{key}`: {error}"))
}

fn profile(text: &str) -> Result<Profile, String> {
    match text {
        "user" => Ok(Profile::User),
        "service" => Ok(Profile::Service),
        _ => Err(format!("`profile` is `{}`, and can be `user` or `service`", manifests::quote::quoted(text, 80))),
    }
}

/// The settings as they are typed, all of which can be.
fn settings(table: &toml::Table) -> Result<Vec<(String, String)>, String> {
    Settings::of_table(table).map_err(|error| format!("`settings`: {error}"))?;
    let typed = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(table.iter().map(|(key, value)| (key.clone(), typed(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../packaging/answers.example.toml");
    const LINK: &str = "https://updates.example/i/shop1#3f2a8d0c5b7e4f6a9c1d2e3f405162738495a6b7c8d9e0f1a2b3c4d5e6f70819";

    fn refused(text: &str) -> String {
        Answers::parse(&format!("link = \"{LINK}\"\n{text}"), Path::new("/share")).unwrap_err()
    }

    #[test]
    fn the_example_shows_every_key_and_can_be_used_as_it_stands() {
        let as_it_stands = Answers::parse(EXAMPLE, Path::new("/share")).unwrap();
        assert!(as_it_stands.os.is_none() && as_it_stands.dir.is_some());
        let with_all: String = EXAMPLE
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|line| line.contains(" = ")).unwrap_or(line).to_owned() + "\n")
            .collect();
        let all = Answers::parse(&with_all, Path::new("/share")).unwrap();
        let Answers { dir, os, arch, variant, channel, root, from, profile, state, schedule, shortcut, settings, .. } = all;
        assert!(dir.is_some() && os.is_some() && arch.is_some() && variant.is_some() && channel.is_some());
        assert!(schedule && root.is_some() && from.is_some() && profile.is_some() && state.is_some());
        let shortcut = shortcut.expect("the example shows one");
        assert!(shortcut.name.is_some() && shortcut.icon.is_some() && shortcut.terminal && !shortcut.arguments.is_empty());
        for key in crate::settings::KEYS {
            assert!(settings.iter().any(|(known, _)| known == key), "the example does not show `settings.{key}`");
        }
    }

    #[test]
    fn paths_are_relative_to_the_file_and_absolute_ones_stay() {
        let text = format!("link = \"{LINK}\"\ndir = \"/opt/client\"\nfrom = \"repository\"");
        let answers = Answers::parse(&text, Path::new("/share")).unwrap();
        assert_eq!((answers.dir, answers.from), (Some("/opt/client".into()), Some("/share/repository".into())));
        let shortcut =
            |table: &str| Answers::parse(&format!("link = \"{LINK}\"\nshortcut = {table}"), Path::new("/share")).unwrap().shortcut.unwrap();
        assert_eq!(shortcut("{}").to, Where::Menu);
        assert_eq!(shortcut("{ to = \"desktop\" }").to, Where::Desktop);
        assert_eq!(shortcut("{ to = \"links\" }").to, Where::In("/share/links".into()));
        assert_eq!(shortcut("{ icon = \"a.png\" }").icon, Some("/share/a.png".into()));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        assert!(refused("profil = \"user\"").contains("profil"));
        assert!(refused("profile = \"root\"").contains("`profile` is `root`"));
        assert!(refused("shortcut = { too = \"desktop\" }").contains("too"));
        assert!(refused("os = \"beos\"").contains("`os`"));
        assert!(refused("[settings]\nconsent = \"always\"").contains("`settings`"));
        let misspelt = refused("[settings]\nconsnt = \"manual\"");
        assert!(misspelt.contains("consnt") && !misspelt.contains("line"), "no line of another text: {misspelt}");
        assert!(Answers::parse("dir = \"x\"", Path::new("/")).unwrap_err().contains("link"));
    }
}
