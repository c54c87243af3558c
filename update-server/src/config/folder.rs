//! `[[folder]]`: a folder that publishes itself.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use manifests::build::Build;
use manifests::name::{Arch, ChannelId, Name, Os, Variant};
use manifests::path::RelPath;
use manifests::publish::{ConfigRule, Extras, Names, Rule};
use manifests::release::ConfigPolicy;
use serde::Deserialize;

use super::{ConfigError, RepositorySettings};
use crate::folders::read_build;

/// Two looks at a folder are this far apart, where nothing else is said: longer than a copy pauses between two files.
const SETTLE: Duration = Duration::from_secs(5);
/// Releases of a folder that stay listed, where nothing else is said.
const KEPT_RELEASES: usize = 10;

/// A folder that publishes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderSettings {
    /// Where it is; `None` when an `AppServer.ini` has its key without a value.
    pub path: Option<PathBuf>,
    /// What said so, for people: `` `PathWindows` of `…/appserver.ini` ``.
    pub setting: String,
    /// The repository, one of those that this server holds keys of.
    pub repository: Name,
    /// The channel.
    pub id: ChannelId,
    /// The build of whatever is in it; `None` when that is found out.
    pub build: Option<Build>,
    /// The file that starts the client; `None` when it is looked for.
    pub entry_point: Option<RelPath>,
    /// Which case names may have (D-17).
    pub names: Names,
    /// Policies of configuration files; the first that matches counts (D-04).
    pub config: Vec<ConfigRule>,
    /// Whether an older build is a release like any other (S3-26, D-06).
    pub allow_downgrade: bool,
    /// What happens to files that are no longer there (D-05).
    pub extras: Extras,
    /// Rules of lint that may be broken.
    pub allow: Vec<Rule>,
    /// It must look the same for so long.
    pub settle: Duration,
    /// How many releases stay listed.
    pub keep_releases: usize,
    /// The build of the application server that its clients talk to (D-07).
    pub server_build: Option<Build>,
    /// The program whose version is that build.
    pub server_program: Option<PathBuf>,
}

/// One `[[folder]]`; path, repository and os are needed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FolderTable {
    pub(crate) path: PathBuf,
    pub(crate) repository: Name,
    pub(crate) os: String,
    pub(crate) product: Option<Name>,
    pub(crate) arch: Option<Arch>,
    pub(crate) variant: Option<Variant>,
    pub(crate) channel: Option<Name>,
    pub(crate) build: Option<String>,
    pub(crate) entry_point: Option<RelPath>,
    pub(crate) names: Option<NamesWord>,
    pub(crate) config: Option<Vec<String>>,
    pub(crate) allow_downgrade: Option<bool>,
    pub(crate) extras: Option<ExtrasWord>,
    pub(crate) allow: Option<Vec<String>>,
    pub(crate) settle_seconds: Option<u64>,
    pub(crate) keep_releases: Option<usize>,
    pub(crate) server_build: Option<String>,
    pub(crate) server_program: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NamesWord {
    Fold,
    StrictLower,
    AsIs,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ExtrasWord {
    Keep,
    RemoveOwned,
}

impl FolderSettings {
    /// A folder for `os` with the defaults of those that an `AppServer.ini` names: what SmartClient stations know.
    pub fn new(path: Option<PathBuf>, setting: String, repository: Name, os: Os) -> FolderSettings {
        // Both are made of lower-case letters.
        let name = |text: &str| text.parse::<Name>().unwrap_or_else(|_| unreachable!("`{text}` is a name"));
        FolderSettings {
            path,
            setting,
            repository,
            id: ChannelId { os, product: name("smartclient"), arch: Arch::Any, variant: None, channel: name("stable") },
            build: None,
            entry_point: None,
            names: Names::Fold,
            config: vec![ConfigRule::new("*", ConfigPolicy::Overwrite)],
            allow_downgrade: true,
            extras: Extras::Keep,
            allow: vec![],
            settle: SETTLE,
            keep_releases: KEPT_RELEASES,
            server_build: None,
            server_program: None,
        }
    }

    /// The folder and its channel, for people.
    pub fn shown(&self) -> String {
        let path = self.path.as_ref().map_or("the folder".to_owned(), |path| format!("the folder `{}`", path.display()));
        format!("{path} of {}", self.id)
    }
}

/// Refuses folders of which one lies in another: whatever is published of the inner one would be a part of every release of the outer one, too.
pub(crate) fn refuse_nested(folders: &[FolderSettings]) -> Result<(), ConfigError> {
    let places: Vec<(&FolderSettings, PathBuf)> =
        folders.iter().filter_map(|folder| Some((folder, whole(folder.path.as_ref()?)))).collect();
    let inside = |(inner, at): &(&FolderSettings, PathBuf)| {
        let outer = places.iter().find(|(_, outer)| at != outer && at.starts_with(outer))?;
        Some(ConfigError::NestedFolders { inner: inner.shown(), outer: outer.0.shown() })
    };
    places.iter().find_map(inside).map_or(Ok(()), Err)
}

/// What is odd about folders that are the same for two systems, for people.
pub(crate) fn shared(folders: &[FolderSettings]) -> Vec<String> {
    let pairs = folders.iter().enumerate().flat_map(|(index, one)| folders.iter().skip(index + 1).map(move |other| (one, other)));
    let is_shared = |(one, other): &(&FolderSettings, &FolderSettings)| {
        one.id.os != other.id.os && one.path.as_ref().zip(other.path.as_ref()).is_some_and(|(one, other)| whole(one) == whole(other))
    };
    let said = |(one, other): (&FolderSettings, &FolderSettings)| {
        let (one_os, other_os) = (one.id.os, other.id.os);
        format!(
            "{} is that of {other_os}, too: stations with {one_os} and with {other_os} get the files of both; give each a folder of its own",
            one.shown()
        )
    };
    pairs.filter(is_shared).map(said).collect()
}

/// Where `path` leads, links followed. Of one that is not there yet, the part that is there; folders that are made for the rest are no links, so that `..` leads out of them again.
pub(crate) fn whole(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|part| Some((std::fs::canonicalize(part).ok()?, path.strip_prefix(part).ok()?)));
    let Some((mut whole, missing)) = there else { return path };
    for part in missing.components() {
        match part {
            Component::ParentDir => drop(whole.pop()),
            part => whole.push(part),
        }
    }
    whole
}

impl FolderTable {
    /// Checks it; relative paths are relative to `base`.
    pub(super) fn resolve(self, base: &Path, repositories: &[RepositorySettings]) -> Result<FolderSettings, ConfigError> {
        let path = base.join(&self.path);
        let at = self.path.display().to_string();
        let bad = |key: &'static str, reason: String| ConfigError::Folder { folder: at.clone(), key, reason };
        match repositories.iter().find(|known| known.name == self.repository) {
            None => return Err(bad("repository", format!("there is no [[repository]] named `{}`", self.repository))),
            Some(known) if known.keys.is_none() => {
                return Err(bad(
                    "repository",
                    format!("`{}` has no `keys`, and publishing takes the folder's key and those of snapshot and timestamp", known.name),
                ));
            }
            Some(_) => {}
        }
        let os = Os::from_command_line(&self.os).map_err(|error| bad("os", error.to_string()))?;
        let build = |key: &'static str, text: Option<String>| match text {
            None => Ok(None),
            Some(text) => match read_build(&text) {
                Some(build) => Ok(Some(build)),
                None => Err(bad(key, format!("`{text}` is a build in none of the notations 17.3.0.14, 7.00.170117A and 1.2.3-rc.1"))),
            },
        };
        let defaults = FolderSettings::new(Some(path), format!("`path` of its [[folder]] (`{at}`)"), self.repository, os);
        let config = self.config.map(|rules| rules.iter().map(|rule| rule.parse()).collect::<Result<Vec<ConfigRule>, _>>()).transpose();
        let allow = self.allow.unwrap_or_default().iter().map(|rule| rule.parse()).collect::<Result<Vec<Rule>, _>>();
        let settle = self.settle_seconds.unwrap_or(SETTLE.as_secs());
        let keep_releases = self.keep_releases.unwrap_or(KEPT_RELEASES);
        if !(1..=3600).contains(&settle) {
            return Err(bad("settle_seconds", format!("{settle} is not from 1 to 3600")));
        }
        if !(1..=1000).contains(&keep_releases) {
            return Err(bad("keep_releases", format!("{keep_releases} is not from 1 to 1000")));
        }
        if self.server_build.is_some() && self.server_program.is_some() {
            return Err(bad("server_program", "`server_build` says it already; leave one of them out".to_owned()));
        }
        Ok(FolderSettings {
            id: ChannelId {
                product: self.product.unwrap_or(defaults.id.product),
                arch: self.arch.unwrap_or(defaults.id.arch),
                variant: self.variant,
                channel: self.channel.unwrap_or(defaults.id.channel),
                ..defaults.id
            },
            build: build("build", self.build)?,
            entry_point: self.entry_point,
            names: self.names.map_or(defaults.names, |word| match word {
                NamesWord::Fold => Names::Fold,
                NamesWord::StrictLower => Names::StrictLower,
                NamesWord::AsIs => Names::AsIs,
            }),
            config: config.map_err(|error| bad("config", error.to_string()))?.unwrap_or(defaults.config),
            allow_downgrade: self.allow_downgrade.unwrap_or(defaults.allow_downgrade),
            extras: self.extras.map_or(defaults.extras, |word| match word {
                ExtrasWord::Keep => Extras::Keep,
                ExtrasWord::RemoveOwned => Extras::RemoveOwned,
            }),
            allow: allow.map_err(|error| bad("allow", error.to_string()))?,
            settle: Duration::from_secs(settle),
            keep_releases,
            server_build: build("server_build", self.server_build)?,
            server_program: self.server_program.map(|program| base.join(program)),
            ..defaults
        })
    }
}
