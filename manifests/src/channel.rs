//! The channel document: the live releases of one product on one OS, arch, variant and channel (`docs/format.md` section 5).
//!
//! It is a TUF target, so its bytes have been verified before they come here. What it says of itself must still be what was asked for (AC-53): a server cannot pass the
//! document of one OS for that of another, even one that is correctly signed.

mod bounds;
mod probe;

use serde::{Deserialize, Serialize};

use crate::build::{Build, Scheme};
use crate::canonical;
use crate::compat::Rule;
use crate::digest::Digest;
use crate::json::{self, JsonError};
use crate::name::{Arch, ChannelId, Name, Os, Variant};
use crate::path::RelPath;
use crate::quote::quoted;
use crate::time::UtcTime;

pub use bounds::{Bound, BuildRange, Compatible, Requires};
pub use probe::Probe;

/// The format that this code reads and writes.
pub const FORMAT: u64 = 0;
/// Most releases in a document.
pub const MAX_RELEASES: usize = 1000;
/// Highest sequence and epoch.
pub const MAX_SEQUENCE: u64 = (1 << 53) - 1;

/// A place in the history of an (OS, product): epochs first, then sequences (design section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place(
    /// The epoch, from 1.
    pub u64,
    /// The sequence, from 1.
    pub u64,
);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            1 => write!(f, "{}", self.1),
            epoch => write!(f, "{epoch}:{}", self.1),
        }
    }
}

/// What kind of thing a product is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What products run on; shown in another colour (S1-20).
    Platform,
    /// A product.
    Product,
    /// The updater itself.
    Updater,
}

/// The live releases of a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelDocument {
    /// Product, OS, arch, variant and channel.
    pub id: ChannelId,
    /// Platform, product or updater.
    pub kind: Kind,
    /// The epoch of all sequences here.
    pub epoch: u64,
    /// The highest sequence given out for the (OS, product) when this was signed.
    pub last_sequence: u64,
    /// The build of the application server that clients of this channel talk to, where the publisher knows it.
    pub server: Option<Bound>,
    /// Which clients fit that server, where their release does not say it.
    pub compat: Rule,
    /// The releases that this code understands, newest first.
    pub releases: Vec<Release>,
    /// The releases that it does not, newest first.
    pub unavailable: Vec<Unavailable>,
}

/// One release.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// Its number within the epoch.
    pub sequence: u64,
    /// The vendor's version.
    pub build: Build,
    /// When it was released.
    pub released: UtcTime,
    /// The stored bytes of its manifest.
    pub manifest: ObjectRef,
    /// The file that starts the client.
    pub entry_point: Option<RelPath>,
    /// What it needs.
    pub requires: Requires,
    /// With what it works.
    pub compatible: Compatible,
    /// Fixes a security fault: offered whatever the subscription says (D-09).
    pub security: bool,
    /// Whoever is below this release is below a security floor.
    pub floor: bool,
    /// Set when nobody should install it any more.
    pub withdrawn: Option<Withdrawn>,
    /// May go to a build below the installed one (D-06).
    pub allow_downgrade: bool,
    /// Until when people may put it off; from then on nobody is asked.
    pub deadline: Option<UtcTime>,
    /// Who answered for it (D-01).
    pub approver: Option<String>,
    /// What is new, for people.
    pub notes: Option<String>,
    /// How to find out whether it lives.
    pub probe: Option<Probe>,
    /// Objects that make it from an earlier release.
    pub deltas: Vec<DeltaRef>,
}

/// A release that an older reader cannot install, but whose warnings it still reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Unavailable {
    /// Its number within the epoch.
    pub sequence: u64,
    /// Fixes a security fault.
    pub security: bool,
    /// Is a security floor.
    pub floor: bool,
    /// Set when nobody should install it any more.
    pub withdrawn: Option<Withdrawn>,
    /// What this code does not understand.
    pub reason: String,
}

/// An object of a repository: the digest and length of its stored bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// SHA-256 of the stored bytes.
    pub sha256: Digest,
    /// Their number.
    pub length: u64,
}

/// Why and when a release was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// When.
    pub at: UtcTime,
    /// Why, for people.
    pub reason: String,
}

/// A delta to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaRef {
    /// Digest of the manifest that it starts from.
    pub from: Digest,
    /// The delta.
    pub object: ObjectRef,
}

/// Why bytes are not the channel document that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// Not strict JSON of the shape.
    #[error("the channel document of {id} is malformed: {source}")]
    Malformed {
        /// What was asked for.
        id: Box<ChannelId>,
        /// What is wrong.
        source: JsonError,
    },
    /// A format that only newer code reads.
    #[error("the channel document of {id} has format {format}; this updater reads format {FORMAT}: update the updater")]
    Format {
        /// What was asked for.
        id: Box<ChannelId>,
        /// Its format.
        format: u64,
    },
    /// It is about something else (AC-53).
    #[error("asked for {id}, got the channel document of {found}")]
    Other {
        /// What was asked for.
        id: Box<ChannelId>,
        /// What the document says of itself.
        found: String,
    },
    /// It contradicts itself.
    #[error("the channel document of {id} is inconsistent: {reason}")]
    Inconsistent {
        /// What was asked for.
        id: Box<ChannelId>,
        /// How.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
struct DocumentWire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    product: Name,
    kind: Kind,
    os: Os,
    arch: Arch,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    variant: Option<Variant>,
    channel: Name,
    epoch: u64,
    last_sequence: u64,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    server: Option<Bound>,
    #[serde(default, skip_serializing_if = "Rule::is_default")]
    compat: Rule,
    releases: Vec<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct ReleaseWire {
    sequence: u64,
    build: String,
    scheme: Scheme,
    released: UtcTime,
    manifest: ObjectRef,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    entry_point: Option<RelPath>,
    #[serde(default, skip_serializing_if = "is_default")]
    requires: Requires,
    #[serde(default, skip_serializing_if = "is_default")]
    compatible: Compatible,
    #[serde(default, skip_serializing_if = "is_default")]
    security: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    floor: bool,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    withdrawn: Option<Withdrawn>,
    #[serde(default, skip_serializing_if = "is_default")]
    allow_downgrade: bool,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    deadline: Option<UtcTime>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    approver: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    notes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    probe: Option<Probe>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    deltas: Vec<DeltaRef>,
}

/// What is read of a release whatever else it holds.
#[derive(Deserialize)]
struct WarningsWire {
    sequence: u64,
    #[serde(default)]
    security: bool,
    #[serde(default)]
    floor: bool,
    #[serde(default, deserialize_with = "crate::json::present")]
    withdrawn: Option<Withdrawn>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl ChannelDocument {
    /// A channel without releases.
    pub fn empty(id: ChannelId, kind: Kind, epoch: u64) -> Self {
        ChannelDocument {
            id,
            kind,
            epoch,
            last_sequence: 0,
            server: None,
            compat: Rule::default(),
            releases: Vec::new(),
            unavailable: Vec::new(),
        }
    }

    /// Reads the document of `id`, at most `limit` bytes.
    pub fn parse(bytes: &[u8], id: &ChannelId, limit: u64) -> Result<Self, ChannelError> {
        let boxed = || Box::new(id.clone());
        let malformed = |source| ChannelError::Malformed { id: boxed(), source };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let format = json::format_of(bytes, limit).map_err(malformed)?;
        if format != FORMAT {
            return Err(ChannelError::Format { id: boxed(), format });
        }
        let wire: DocumentWire = json::from_slice(bytes, limit).map_err(malformed)?;
        let found = ChannelId { os: wire.os, product: wire.product, arch: wire.arch, variant: wire.variant, channel: wire.channel };
        if wire.document != "channel" || found != *id {
            return Err(ChannelError::Other { id: boxed(), found: format!("{found} (type `{}`)", quoted(&wire.document, 80)) });
        }
        let mut document = ChannelDocument {
            id: found,
            kind: wire.kind,
            epoch: wire.epoch,
            last_sequence: wire.last_sequence,
            server: wire.server,
            compat: wire.compat,
            releases: vec![],
            unavailable: vec![],
        };
        let count = wire.releases.len();
        let mut sequences = Vec::with_capacity(count.min(MAX_RELEASES));
        for value in wire.releases {
            let warnings = WarningsWire::deserialize(&value).map_err(|source| malformed(source.into()))?;
            sequences.push(warnings.sequence);
            match read_release(value) {
                Ok(release) => document.releases.push(release),
                Err(reason) => document.unavailable.push(Unavailable {
                    sequence: warnings.sequence,
                    security: warnings.security,
                    floor: warnings.floor,
                    withdrawn: warnings.withdrawn,
                    reason,
                }),
            }
        }
        match inconsistency(&document, &sequences) {
            Some(reason) => Err(ChannelError::Inconsistent { id: boxed(), reason }),
            None => Ok(document),
        }
    }

    /// The bytes of the document, as it is stored. Releases that this code did not understand are not written: a publisher never holds any.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::CanonicalError> {
        let ChannelId { os, product, arch, variant, channel } = self.id.clone();
        let releases = self.releases.iter().map(|release| serde_json::to_value(wire_of(release))).collect::<Result<_, _>>()?;
        let (kind, epoch, last_sequence) = (self.kind, self.epoch, self.last_sequence);
        canonical::to_stored(&DocumentWire {
            format: FORMAT,
            document: "channel".into(),
            product,
            kind,
            os,
            arch,
            variant,
            channel,
            epoch,
            last_sequence,
            server: self.server.clone(),
            compat: self.compat.clone(),
            releases,
        })
    }

    /// The newest release that is not withdrawn.
    pub fn current(&self) -> Option<&Release> {
        self.releases.iter().find(|release| release.withdrawn.is_none())
    }

    /// The release of this sequence.
    pub fn release(&self, sequence: u64) -> Option<&Release> {
        self.releases.iter().find(|release| release.sequence == sequence)
    }

    /// The place of a release of this document.
    pub fn place(&self, release: &Release) -> Place {
        Place(self.epoch, release.sequence)
    }
}

fn read_release(value: serde_json::Value) -> Result<Release, String> {
    let wire: ReleaseWire = serde_json::from_value(value).map_err(|error| JsonError::from(error).to_string())?;
    let build = Build::parse(&wire.build, wire.scheme).map_err(|error| error.to_string())?;
    if wire.approver.as_ref().is_some_and(|text| text.len() > 256) || wire.notes.as_ref().is_some_and(|text| text.len() > 4096) {
        return Err("approver or notes too long".into());
    }
    Ok(Release {
        sequence: wire.sequence,
        build,
        released: wire.released,
        manifest: wire.manifest,
        entry_point: wire.entry_point,
        requires: wire.requires,
        compatible: wire.compatible,
        security: wire.security,
        floor: wire.floor,
        withdrawn: wire.withdrawn,
        allow_downgrade: wire.allow_downgrade,
        deadline: wire.deadline,
        approver: wire.approver,
        notes: wire.notes,
        probe: wire.probe,
        deltas: wire.deltas,
    })
}

fn wire_of(release: &Release) -> ReleaseWire {
    let release = release.clone();
    ReleaseWire {
        sequence: release.sequence,
        build: release.build.text().to_owned(),
        scheme: release.build.scheme(),
        released: release.released,
        manifest: release.manifest,
        entry_point: release.entry_point,
        requires: release.requires,
        compatible: release.compatible,
        security: release.security,
        floor: release.floor,
        withdrawn: release.withdrawn,
        allow_downgrade: release.allow_downgrade,
        deadline: release.deadline,
        approver: release.approver,
        notes: release.notes,
        probe: release.probe,
        deltas: release.deltas,
    }
}

fn inconsistency(document: &ChannelDocument, sequences: &[u64]) -> Option<String> {
    if sequences.len() > MAX_RELEASES {
        return Some(format!("{} releases, more than {MAX_RELEASES}", sequences.len()));
    }
    if !(1..=MAX_SEQUENCE).contains(&document.epoch) || document.last_sequence > MAX_SEQUENCE {
        return Some("epoch or last_sequence out of range".into());
    }
    if sequences.iter().any(|sequence| !(1..=document.last_sequence).contains(sequence)) {
        return Some(format!("a sequence is outside 1..={}", document.last_sequence));
    }
    (!sequences.is_sorted_by(|newer, older| newer > older)).then(|| "releases are not newest first, each once".into())
}

#[cfg(test)]
mod tests;
