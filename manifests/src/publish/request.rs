//! What a publish is asked for, and what it came to.

use std::path::PathBuf;

use super::compose::{Attributes, ConfigRule, Extras};
use super::lint::{Finding, Names, Rule};
use super::packs::Effort;
use super::scan::{Found, FoundKind};
use crate::build::Build;
use crate::channel::{Bound, ChannelDocument, Kind, ObjectRef};
use crate::compat;
use crate::name::ChannelId;
use crate::path::RelPath;

/// What to publish, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishRequest {
    /// A folder, or a zip file.
    pub source: PathBuf,
    /// Where to list it.
    pub id: ChannelId,
    /// The version.
    pub build: Build,
    /// Platform, product or updater; what the channel is, or a product, when absent.
    pub kind: Option<Kind>,
    /// What is said of the release.
    pub attributes: Attributes,
    /// The server that clients of the channel talk to.
    pub server: ServerSays,
    /// What happens to files of earlier releases that this one does not have.
    pub extras: Extras,
    /// Policies of configuration files; the first that matches counts.
    pub config: Vec<ConfigRule>,
    /// How hard to compress.
    pub effort: Effort,
    /// Which case names may have.
    pub names: Names,
    /// Rules of lint that may be broken.
    pub allowed: Vec<Rule>,
    /// The least number the release may have: above those that a repository gave out and lost, because it was restored from a backup.
    pub sequence_at_least: Option<u64>,
    /// Say what would be done, and write nothing.
    pub dry_run: bool,
}

impl PublishRequest {
    /// A request with the defaults of `docs/format.md`.
    pub fn new(source: impl Into<PathBuf>, id: ChannelId, build: Build) -> PublishRequest {
        PublishRequest {
            source: source.into(),
            id,
            build,
            kind: None,
            attributes: Attributes::default(),
            server: ServerSays::default(),
            extras: Extras::default(),
            config: vec![],
            effort: Effort::default(),
            names: Names::default(),
            allowed: vec![],
            sequence_at_least: None,
            dry_run: false,
        }
    }
}

/// What a channel says from now on of the server that its clients talk to (D-07). Where nothing is given it goes on saying what it said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerSays {
    /// Its build; `Some(None)` takes away what is said.
    pub build: Option<Option<Bound>>,
    /// Which clients fit it.
    pub compat: Option<compat::Rule>,
}

impl ServerSays {
    /// The document that says so.
    pub(super) fn of(&self, document: ChannelDocument) -> ChannelDocument {
        let server = self.build.clone().unwrap_or_else(|| document.server.clone());
        let compat = self.compat.clone().unwrap_or_else(|| document.compat.clone());
        ChannelDocument { server, compat, ..document }
    }
}

impl PublishRequest {
    /// The entry point as the folder spells it, unless names count as they are; as it was given, when there is none like it.
    pub(super) fn entry_point_in(&self, found: &[Found]) -> Option<RelPath> {
        let wanted = self.attributes.entry_point.as_ref()?;
        let files = found.iter().filter(|entry| matches!(entry.kind, FoundKind::File { .. }));
        let spelt = || files.filter_map(|entry| entry.path.parse::<RelPath>().ok()).filter(|path| path.folded() == wanted.folded());
        let is_there = found.iter().any(|entry| entry.path == wanted.as_str());
        let other = if self.names == Names::AsIs || is_there { None } else { spelt().next() };
        Some(other.unwrap_or_else(|| wanted.clone()))
    }
}

/// What a publish came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A release was listed.
    Published(Published),
    /// It waits in a signing request or a bundle; stations do not see it yet.
    HandedOver(Published),
    /// The channel's current release is this one already; nothing was written.
    AlreadyCurrent(Published),
    /// The channel's current release is this one already; what the channel says of its server is new.
    Described(Published),
    /// A dry run: this is what would be listed. `manifest` and `new_bytes` are not known before packing.
    Planned(Published),
}

impl Outcome {
    /// The release, whichever way.
    pub fn published(&self) -> &Published {
        match self {
            Outcome::Published(published)
            | Outcome::HandedOver(published)
            | Outcome::AlreadyCurrent(published)
            | Outcome::Described(published)
            | Outcome::Planned(published) => published,
        }
    }
}

/// A release that a publish was about.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// Its number.
    pub sequence: u64,
    /// Its version.
    pub build: Build,
    /// Its manifest; `None` in a dry run.
    pub manifest: Option<ObjectRef>,
    /// Files in it.
    pub files: usize,
    /// Bytes of all files together.
    pub content_bytes: u64,
    /// Files whose content had to be packed.
    pub new_files: usize,
    /// Bytes of that content.
    pub new_content_bytes: u64,
    /// Bytes of objects that were not in the repository before.
    pub new_bytes: u64,
    /// Stored bytes of packs that were there and are used again.
    pub reused_bytes: u64,
    /// What lint warned about.
    pub warnings: Vec<Finding>,
}
