//! How each kind of document is read: as the product reads it, in a fixed place and at a fixed time.

use std::fs;
use std::sync::Arc;

use fuzz::samples::{self, Chain, Hand};
use manifests::build::{Build, Scheme};
use manifests::channel::{Bound, ChannelDocument, Release};
use manifests::digest::Digest;
use manifests::install_link::{InstallDocument, InstallLink};
use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::name::{ChannelId, Os};
use manifests::pack::FrameDecoder;
use manifests::path::RelPath;
use manifests::policy::Policy;
use manifests::release::Manifest;
use manifests::report::Report;
use manifests::role::HasHeader;
use manifests::trust::{Need, Origin, TrustedSet};
use serde_json::{Value, json};
use updater::installed::Installed;
use updater::ratchet::Ratchet;
use updater::station::Station;
use updater::swap::journal::Journal;

/// Reads a document of one kind, given its file name and bytes: what it says, or why it is refused.
type Read = fn(&str, &[u8]) -> Result<String, String>;

/// Every kind, by the second word of its files' names.
pub(crate) const KINDS: &[(&str, Read)] = &[
    ("first", first_root),
    ("root", next_root),
    ("timestamp", timestamp),
    ("snapshot", snapshot),
    ("targets", targets),
    ("windows", windows),
    ("policy", policy),
    ("channel", channel),
    ("manifest", |_, bytes| manifest(&zstd::bulk::compress(bytes, 1).expect("compressed in memory"), &Limits::default())),
    ("stored", |_, bytes| manifest(bytes, &Limits { manifest_json_bytes: 1 << 20, ..Limits::default() })),
    ("frame", frame),
    ("dictionary", dictionary),
    ("install", install),
    ("link", link),
    ("path", path),
    ("build", build),
    ("installed", installed),
    ("plan", plan),
    ("journal", |_, bytes| journal(bytes)),
    ("history", history),
    ("ratchet", ratchet),
    ("station", station),
    ("report", report),
];

fn shown(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn set_from(root: &[u8]) -> Result<TrustedSet, String> {
    TrustedSet::new(root, samples::NOW.parse().expect("a time"), Arc::new(Ed25519Verifier), Limits::default()).map_err(shown)
}

/// A root that is pinned.
fn first_root(_: &str, bytes: &[u8]) -> Result<String, String> {
    let set = set_from(bytes)?;
    Ok(format!("root {}, {} of {} keys", set.root().version(), set.root().roles.root.threshold, set.root().roles.root.keyids.len()))
}

/// The root after the first.
fn next_root(_: &str, bytes: &[u8]) -> Result<String, String> {
    let mut set = set_from(&Chain::sample().signed(Hand::Ed25519).root)?;
    set.update_root(bytes).map_err(shown)?;
    set.check_root_expiry().map_err(shown)?;
    Ok(format!("root {}, {} of {} keys", set.root().version(), set.root().roles.root.threshold, set.root().roles.root.keyids.len()))
}

/// A set that trusts the timestamp, the snapshot and the targets of `chain`, as far as they are wanted.
fn set_with(chain: &Chain, steps: usize) -> TrustedSet {
    let files = chain.signed(Hand::Ed25519);
    let mut set = set_from(&files.root).expect("our own root");
    set.update_root(&files.next_root).expect("our own root");
    if steps > 0 {
        set.update_timestamp(&files.timestamp, Origin::Source).expect("our own timestamp");
    }
    if steps > 1 {
        set.update_snapshot(&files.snapshot, Origin::Source).expect("our own snapshot");
    }
    if steps > 2 {
        set.update_targets(&files.targets).expect("our own targets");
    }
    set
}

/// The sample chain, with `bytes` listed where their role is.
fn listing(role: &str, version: u64, bytes: &[u8]) -> Chain {
    let mut chain = Chain::sample();
    let entry = json!({"version": version, "length": bytes.len(), "hashes": {"sha256": Digest::of(bytes).to_hex()}});
    let signed_of = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).map_or(Value::Null, |envelope| envelope["signed"].clone());
    if role == "snapshot" {
        chain.timestamp["meta"]["snapshot.json"] = entry;
    } else {
        chain.snapshot["meta"][format!("{role}.json")] = entry;
        let snapshot = samples::sign(&chain.snapshot, &["snapshot"], Hand::Ed25519);
        chain.timestamp["meta"]["snapshot.json"] =
            json!({"version": 5, "length": snapshot.len(), "hashes": {"sha256": Digest::of(&snapshot).to_hex()}});
        if role == "targets" {
            chain.targets = signed_of(bytes);
        }
    }
    chain.stale = true;
    chain
}

/// After root 2, before anything else.
fn timestamp(_: &str, bytes: &[u8]) -> Result<String, String> {
    let mut set = set_with(&Chain::sample(), 0);
    set.update_timestamp(bytes, Origin::Source).map_err(shown)?;
    let timestamp = set.timestamp().expect("it was accepted");
    Ok(format!("timestamp {}, snapshot {}, until {}", timestamp.version(), timestamp.meta.snapshot.version, timestamp.header.expires))
}

/// Listed as version 5 by the timestamp.
fn snapshot(_: &str, bytes: &[u8]) -> Result<String, String> {
    let mut set = set_with(&listing("snapshot", 5, bytes), 1);
    set.update_snapshot(bytes, Origin::Source).map_err(shown)?;
    let snapshot = set.snapshot().expect("it was accepted");
    let roles: Vec<String> = snapshot.meta.iter().map(|(file, entry)| format!("{file} {}", entry.version)).collect();
    Ok(format!("snapshot {}: {}", snapshot.version(), roles.join(", ")))
}

/// Listed as version 3 by the snapshot.
fn targets(_: &str, bytes: &[u8]) -> Result<String, String> {
    let mut set = set_with(&listing("targets", 3, bytes), 2);
    set.update_targets(bytes).map_err(shown)?;
    let targets = set.targets().expect("it was accepted");
    let delegated: Vec<&str> =
        targets.delegations.iter().flat_map(|delegations| &delegations.roles).map(|role| role.name.as_str()).collect();
    Ok(format!("targets {}: {} files, delegates to {}", targets.version(), targets.targets.len(), delegated.join(", ")))
}

/// Delegated to by the sample targets, and listed as version 4 by the snapshot.
fn windows(_: &str, bytes: &[u8]) -> Result<String, String> {
    let mut set = set_with(&listing("windows", 4, bytes), 3);
    set.update_delegated(bytes, &Need { role: "windows".into(), delegator: "targets".into(), via: None }).map_err(shown)?;
    let mut search = manifests::trust::Search::new(samples::CHANNEL_PATH);
    match search.step(&set).map_err(shown)? {
        manifests::trust::SearchStep::Found { role, target } => Ok(format!("{} bytes, by {role}", target.length)),
        other => Err(format!("{other:?}")),
    }
}

fn policy(_: &str, bytes: &[u8]) -> Result<String, String> {
    let policy = Policy::parse(bytes, &"acme".parse().expect("a name"), 1 << 20).map_err(shown)?;
    let floor = policy.floor(Os::Windows, &"smartclient".parse().expect("a name"));
    let floor = floor.map_or("no floor".to_owned(), |(place, reason)| format!("floor {place} ({reason})"));
    let online: Vec<&str> = policy.online_roles().collect();
    Ok(format!(
        "epoch {} for windows, {floor}, {} days offline, online: {}, least soak {} s",
        policy.epoch(Os::Windows),
        policy.offline_max_age_days,
        online.join(" "),
        policy.steering.least_soak_seconds
    ))
}

fn channel(_: &str, bytes: &[u8]) -> Result<String, String> {
    let id = ChannelId::from_target_path(samples::CHANNEL_PATH).expect("a channel");
    let document = ChannelDocument::parse(bytes, &id, 1 << 20).map_err(shown)?;
    let releases: Vec<String> = document.releases.iter().map(described).collect();
    let unavailable: Vec<String> = document.unavailable.iter().map(|release| release.sequence.to_string()).collect();
    let current = document.current().map_or("none".to_owned(), |release| release.sequence.to_string());
    let server = document.server.map_or_else(String::new, |Bound(server)| format!(", server {server} by the rule {}", document.compat));
    Ok(format!("{}: current {current}, releases [{}], unavailable [{}]{server}", document.id, releases.join(", "), unavailable.join(", ")))
}

fn described(release: &Release) -> String {
    let deadline = release.deadline.map_or_else(String::new, |deadline| format!(" by {deadline}"));
    format!("{} {:?}{deadline}", release.sequence, release.build)
}

fn manifest(stored: &[u8], limits: &Limits) -> Result<String, String> {
    let manifest = Manifest::parse(stored, &samples::release_id(), limits).map_err(shown)?;
    let paths: Vec<String> = manifest.files.iter().map(|file| format!("{} {:o}", file.path, file.mode())).collect();
    let links: Vec<String> = manifest.links.iter().map(|link| format!("{} -> {}", link.path, link.target)).collect();
    Ok(format!("{}: {} bytes, files [{}], links [{}]", manifest.id, manifest.total_size(), paths.join(", "), links.join(", ")))
}

/// Expected to hold what the sample frame holds. The file's name says which dictionary it gets.
fn frame(file: &str, bytes: &[u8]) -> Result<String, String> {
    let dictionary = match file {
        _ if file.contains("raw") => Some(samples::RAW_DICTIONARY.to_vec()),
        _ if file.contains("trained") => Some(fs::read(super::folder().join("good-dictionary-trained.zdict")).expect("read")),
        _ => None,
    };
    let (expected, _) = samples::frame(b"");
    let content =
        FrameDecoder::new(dictionary.as_deref()).and_then(|mut decoder| decoder.decode(bytes, expected.len() as u64)).map_err(shown)?;
    if content == expected { Ok(format!("{} bytes", content.len())) } else { Err("other content".into()) }
}

fn dictionary(_: &str, bytes: &[u8]) -> Result<String, String> {
    FrameDecoder::new(Some(bytes)).map(|_| format!("a dictionary of {} bytes", bytes.len())).map_err(shown)
}

/// Through a link with its digest.
fn install(_: &str, bytes: &[u8]) -> Result<String, String> {
    let link = InstallLink { url: "https://updates.example/i/shop1".into(), digest: Some(Digest::of(bytes)) };
    let document = InstallDocument::parse(bytes, &link, 1 << 20).map_err(shown)?;
    Ok(format!(
        "{} {} for {:?} {:?} {:?} from {} at {}, root {}",
        document.product,
        document.channel,
        document.os,
        document.arch,
        document.variant,
        document.content.name,
        document.content.url,
        document.content.root.version
    ))
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(shown)
}

fn link(_: &str, bytes: &[u8]) -> Result<String, String> {
    let link: InstallLink = text(bytes)?.parse().map_err(shown)?;
    Ok(format!("{} {}", link.url, link.digest.map_or("without digest".to_owned(), |digest| digest.to_hex())))
}

fn path(_: &str, bytes: &[u8]) -> Result<String, String> {
    let path: RelPath = text(bytes)?.parse().map_err(shown)?;
    Ok(format!("{} components, folds to {:.100}", path.components().count(), path.folded()))
}

/// `SCHEME TEXT`
fn build(_: &str, bytes: &[u8]) -> Result<String, String> {
    let (scheme, text) = text(bytes)?.split_once(' ').expect("a scheme and a text");
    let build = Build::parse(text, scheme.parse::<Scheme>().map_err(shown)?).map_err(shown)?;
    let order = |other: &str| build.compare(&Build::parse(other, build.scheme()).expect("a build")).expect("one scheme");
    let compared = match build.scheme() {
        Scheme::Semver => ("1.2.3", order("1.2.3")),
        Scheme::Dotted => ("17.3.0.9", order("17.3.0.9")),
        Scheme::Totvs => ("7.00.170117A", order("7.00.170117A")),
    };
    Ok(format!("{build:?}, {:?} against {}", compared.1, compared.0))
}

fn installed(_: &str, bytes: &[u8]) -> Result<String, String> {
    let installed = Installed::parse(bytes).map_err(shown)?;
    Ok(format!(
        "{} at {}: {} files, {} links, {} folders",
        installed.release.id,
        installed.release.place,
        installed.files.len(),
        installed.links.len(),
        installed.folders.len()
    ))
}

/// The first line of a journal, without its check.
fn plan(_: &str, bytes: &[u8]) -> Result<String, String> {
    journal(&[&Digest::of(bytes).to_hex().as_bytes()[..16], b" ", bytes, b"\n"].concat())
}

fn journal(bytes: &[u8]) -> Result<String, String> {
    let journal = Journal::parse(bytes).map_err(shown)?;
    Ok(format!("to {}: {} operations, {:?}", journal.plan.to, journal.plan.operations.len(), journal.phase))
}

fn history(_: &str, bytes: &[u8]) -> Result<String, String> {
    match updater::history::parse(bytes).as_slice() {
        [] => Err("no line of an attempt".into()),
        attempts => Ok(format!("{} attempts, the last {:?}", attempts.len(), attempts[attempts.len() - 1].result)),
    }
}

fn ratchet(_: &str, bytes: &[u8]) -> Result<String, String> {
    let ratchet = Ratchet::parse(bytes).map_err(shown)?;
    Ok(format!(
        "highest {:?}, hold {:?}, {} blocked, epochs {:?}",
        ratchet.highest,
        ratchet.hold.map(|hold| hold.at),
        ratchet.blocked.len(),
        ratchet.epochs
    ))
}

fn station(_: &str, bytes: &[u8]) -> Result<String, String> {
    let station = Station::parse(bytes).map_err(shown)?;
    Ok(format!("{} from {} at {}", station.channel_id(), station.name, station.repository))
}

fn report(_: &str, bytes: &[u8]) -> Result<String, String> {
    let report = Report::parse(bytes).map_err(shown)?;
    let said = report.events.iter().map(|event| format!("{} {}", event.attempt.id, event.attempt.result.as_str())).collect::<Vec<_>>();
    let key: String = report.station.as_str().chars().take(8).collect();
    Ok(format!("station {key}… of {}: {}", report.repository, said.join(", ")))
}
