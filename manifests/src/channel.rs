//! The channel document: the live releases of one product on one OS, arch, variant and channel (`docs/format.md` section 5).
//!
//! It is a TUF target, so its bytes have been verified before they come here. What it says of itself must still be what was asked for (AC-53): a server cannot pass the
//! document of one OS for that of another, even one that is correctly signed.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::build::{Build, InvalidBuild, Scheme};
use crate::canonical;
use crate::compat::Rule;
use crate::digest::Digest;
use crate::json::{self, JsonError};
use crate::name::{Arch, ChannelId, Name, Os, Variant};
use crate::path::RelPath;
use crate::quote::quoted;
use crate::time::UtcTime;

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

/// Minimum builds of other parts, inclusive.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requires {
    /// Of the server that the client talks to.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub server: Option<Bound>,
    /// Of the client that it is to replace: what a station has installed.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub client: Option<Bound>,
    /// Of the platform it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub platform: Option<Bound>,
    /// Of the updater.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub updater: Option<Bound>,
}

/// Ranges of builds that this release works with (D-07).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compatible {
    /// Clients that may talk to it, when it is a server.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub clients: Option<BuildRange>,
    /// Servers that it may talk to, when it is a client.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub servers: Option<BuildRange>,
}

/// A range of builds, ends included.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildRange {
    /// The lowest.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub min: Option<Bound>,
    /// The highest; a dotted one also admits builds that it is a prefix of.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub max: Option<Bound>,
}

/// A build as a bound, with its scheme.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound(pub Build);

impl Bound {
    /// Whether `build` is this one or newer. One that is not known, or that cannot be compared, is not.
    pub fn is_met_by(&self, build: Option<&Build>) -> bool {
        build.and_then(|build| build.compare(&self.0)).is_some_and(Ordering::is_ge)
    }
}

impl BuildRange {
    /// Whether `build` lies in it; `None` when it cannot be compared with one of the ends.
    pub fn contains(&self, build: &Build) -> Option<bool> {
        let not_below = self.min.as_ref().map_or(Some(true), |Bound(min)| build.compare(min).map(Ordering::is_ge));
        let not_above = self.max.as_ref().map_or(Some(true), |Bound(max)| Some(build.compare(max)?.is_le() || max.is_prefix_of(build)));
        Some(not_below? && not_above?)
    }

    /// Reads `MIN..MAX`, of which one may be left out, or one build alone; builds are read in `scheme` where they can be.
    pub fn read(text: &str, scheme: Option<Scheme>) -> Result<BuildRange, InvalidBuild> {
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let bound = |text: &str| Build::beside(text.trim(), scheme).map(Bound);
        match (min.trim(), max.trim()) {
            ("", max) => Ok(BuildRange { min: None, max: Some(bound(max)?) }),
            (min, "") => Ok(BuildRange { min: Some(bound(min)?), max: None }),
            (min, max) => Ok(BuildRange { min: Some(bound(min)?), max: Some(bound(max)?) }),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundWire {
    scheme: Scheme,
    build: String,
}

impl Serialize for Bound {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        BoundWire { scheme: self.0.scheme(), build: self.0.text().to_owned() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = BoundWire::deserialize(deserializer)?;
        Build::parse(&wire.build, wire.scheme).map(Bound).map_err(serde::de::Error::custom)
    }
}

/// Why and when a release was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// When.
    pub at: UtcTime,
    /// Why, for people.
    pub reason: String,
}

/// How to find out whether a release lives once it is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// A file is there.
    File(RelPath),
    /// A command ends with success within the time.
    Command {
        /// Program (relative to the install) and arguments.
        command: Vec<String>,
        /// Seconds it may take.
        timeout_seconds: u64,
    },
    /// The client is still running after this many seconds.
    Alive {
        /// The seconds.
        seconds: u64,
    },
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProbeWire {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    file: Option<RelPath>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    command: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    timeout_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    alive_seconds: Option<u64>,
}

impl Serialize for Probe {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut wire = ProbeWire { file: None, command: None, timeout_seconds: None, alive_seconds: None };
        match self {
            Probe::File(path) => wire.file = Some(path.clone()),
            Probe::Command { command, timeout_seconds } => {
                wire.command = Some(command.clone());
                wire.timeout_seconds = Some(*timeout_seconds);
            }
            Probe::Alive { seconds } => wire.alive_seconds = Some(*seconds),
        }
        wire.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Probe {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = ProbeWire::deserialize(deserializer)?;
        match (wire.file, wire.command, wire.timeout_seconds, wire.alive_seconds) {
            (Some(path), None, None, None) => Ok(Probe::File(path)),
            (None, Some(command), Some(timeout_seconds), None) if !command.is_empty() => Ok(Probe::Command { command, timeout_seconds }),
            (None, None, None, Some(seconds)) => Ok(Probe::Alive { seconds }),
            _ => Err(serde::de::Error::custom("a probe is one of file, command with timeout_seconds, alive_seconds")),
        }
    }
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
mod tests {
    use super::*;

    fn id() -> ChannelId {
        ChannelId::from_target_path("windows/smartclient/x86_64/stable.json").unwrap()
    }

    fn release(sequence: u64, extra: &str) -> String {
        format!(
            r#"{{"sequence":{sequence},"build":"17.3.0.{sequence}","scheme":"dotted","released":"2026-11-21T10:00:00Z","manifest":{{"sha256":"{}","length":5}}{extra}}}"#,
            Digest::of(b"m")
        )
    }

    fn document(os: &str, releases: &[String]) -> String {
        format!(
            r#"{{"format":0,"type":"channel","product":"smartclient","kind":"product","os":"{os}","arch":"x86_64","channel":"stable","epoch":1,"last_sequence":9,"releases":[{}]}}"#,
            releases.join(",")
        )
    }

    fn parse(text: &str) -> Result<ChannelDocument, ChannelError> {
        ChannelDocument::parse(text.as_bytes(), &id(), 1 << 20)
    }

    #[test]
    fn documents_round_trip() {
        let text = document(
            "windows",
            &[release(9, r#","probe":{"alive_seconds":60},"withdrawn":{"at":"2026-11-21T10:00:00Z","reason":"x"}"#), release(7, "")],
        );
        let read = parse(&text).unwrap();
        assert_eq!(read.current().unwrap().sequence, 7);
        assert_eq!(ChannelDocument::parse(&read.to_bytes().unwrap(), &id(), 1 << 20).unwrap(), read);
    }

    #[test]
    fn ac_53_the_document_of_another_os_is_refused() {
        assert!(matches!(parse(&document("linux", &[])), Err(ChannelError::Other { .. })));
    }

    #[test]
    fn a_release_that_is_not_understood_is_unavailable_but_its_warnings_are_read() {
        for extra in [
            r#","requires":{"moon":{"scheme":"dotted","build":"1"}}"#,
            r#","probe":{"prayer":1}"#,
            r#","scheme2":1,"requires":{"server":{"scheme":"roman","build":"IV"}}"#,
        ] {
            let read = parse(&document("windows", &[release(9, &format!("{extra},\"floor\":true")), release(7, "")])).unwrap();
            assert_eq!((read.releases.len(), read.unavailable[0].sequence, read.unavailable[0].floor), (1, 9, true));
        }
    }

    #[test]
    fn inconsistent_documents_are_refused() {
        for releases in
            [vec![release(7, ""), release(9, "")], vec![release(9, ""), release(9, "")], vec![release(10, "")], vec![release(0, "")]]
        {
            assert!(matches!(parse(&document("windows", &releases)), Err(ChannelError::Inconsistent { .. })), "{releases:?}");
        }
    }

    #[test]
    fn a_later_format_is_named_as_such() {
        let text = document("windows", &[]).replace(r#""format":0"#, r#""format":7"#);
        assert!(matches!(parse(&text), Err(ChannelError::Format { format: 7, .. })));
    }
}
