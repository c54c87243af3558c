//! Role metadata from whoever holds the keys, or some of them: a valid chain is edited, signed again, and taken step by step.
//!
//! The keys are real, the signatures are seals ([`Seal`]): as strict as ed25519, and cheap enough to make by the thousand. What the set accepts is judged
//! from its JSON: enough seals, of keys that count, over the canonical form; versions and times as the workflow wants them.

use std::collections::BTreeSet;
use std::sync::Arc;

use manifests::canonical;
use manifests::limits::Limits;
use manifests::role::HasHeader;
use manifests::trust::{Origin, Search, SearchStep, TrustError, TrustedSet, Updated};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Trusted, now};
use crate::judge;
use crate::samples::{CHANNEL, CHANNEL_PATH, Chain, Files, Hand, MOST_EDITS, NOW, Seal};
use crate::script::Script;

/// Reads a script of edits, and takes what comes of it; true when the whole chain was accepted.
pub fn roles_signed(data: &[u8]) -> bool {
    let mut script = Script::new(data);
    let flags = script.byte();
    let mut chain = Chain::sample();
    for _ in 0..MOST_EDITS {
        if script.is_over() {
            break;
        }
        let part = script.below(6);
        script.edit(chain.part(part));
    }
    // Whether parents list what their children became.
    chain.stale = flags & 0b11 == 0b11;
    let mut files = chain.signed(Hand::Seal);
    if flags & 0b1_1100 == 0b1_1100 {
        signatures(&mut files, data);
    }
    let origin = if flags & 0b10_0000 == 0 { Origin::Source } else { Origin::Store };
    let verifier = Arc::new(Seal);
    let mut set = match TrustedSet::new(&files.root, now(), verifier, Limits::default()) {
        Ok(set) => set,
        Err(error) => {
            judge::assert_readable(&error);
            return false;
        }
    };
    assert_signed(&files.root, &files.root, "root");
    let mut whole = take(&mut set, |set| set.update_root(&files.next_root)).is_some_and(|()| {
        assert_signed(&files.next_root, &files.root, "root");
        assert_signed(&files.next_root, &files.next_root, "root");
        assert_eq!(version(&files.next_root), version(&files.root).and_then(|version| version.checked_add(1)));
        true
    });
    let trusted_root = if whole { files.next_root.clone() } else { files.root.clone() };
    if let Err(error) = set.check_root_expiry() {
        judge::assert_readable(&error);
    }
    if flags & 0b100_0000 != 0 {
        // What the station had before: a floor under everything that follows.
        let earlier = Chain::earlier().signed(Hand::Seal);
        let _ = set.update_timestamp(&earlier.timestamp, Origin::Store).and_then(|_| set.update_snapshot(&earlier.snapshot, Origin::Store));
    }
    whole &= online_roles(&mut set, &files, &trusted_root, origin);
    whole & found(&mut set, &files)
}

/// Timestamp, snapshot and targets.
fn online_roles(set: &mut TrustedSet, files: &Files, root: &[u8], origin: Origin) -> bool {
    let before = Trusted::by(set);
    let floor = before.timestamp.as_ref().map(|timestamp| (timestamp.version(), timestamp.meta.snapshot.version));
    let Some(updated) = take(set, |set| set.update_timestamp(&files.timestamp, origin)) else { return false };
    let Some(timestamp) = set.timestamp() else { unreachable!("it was accepted") };
    assert_signed(&files.timestamp, root, "timestamp");
    assert!(floor.is_none_or(|floor| (timestamp.version(), timestamp.meta.snapshot.version) >= floor), "a timestamp never goes back");
    assert!(updated == Updated::Same || origin == Origin::Store || is_unexpired(&files.timestamp));
    assert!(
        matches!(set.update_timestamp(&files.timestamp, Origin::Source), Ok(Updated::Same) | Err(TrustError::Expired { .. })),
        "the same again is the same"
    );

    let Some(_) = take(set, |set| set.update_snapshot(&files.snapshot, origin)) else { return false };
    assert_signed(&files.snapshot, root, "snapshot");
    if let (Some(was), Some(is)) = (&before.snapshot, set.snapshot()) {
        let kept = was.meta.iter().all(|(file, entry)| is.meta.get(file).is_some_and(|now| now.version >= entry.version));
        assert!(kept, "no role of a trusted snapshot goes back or away");
    }
    let listed = pointer(&files.timestamp, "/signed/meta/snapshot.json");
    assert!(origin == Origin::Store || is_listed(&listed, &files.snapshot) && is_unexpired(&files.snapshot));

    let Some(()) = take(set, |set| set.update_targets(&files.targets)) else { return false };
    assert_signed(&files.targets, root, "targets");
    assert!(is_listed(&pointer(&files.snapshot, "/signed/meta/targets.json"), &files.targets) && is_unexpired(&files.targets));
    assert!(is_unexpired(&files.timestamp) && is_unexpired(&files.snapshot), "nothing is read by what has expired");
    true
}

/// The search for a channel document; whatever it asks for, it gets the one delegated role there is.
fn found(set: &mut TrustedSet, files: &Files) -> bool {
    let mut search = Search::new(CHANNEL_PATH);
    // Each role is visited once, and no more than the limit.
    for _ in 0..=2 * Limits::default().delegations {
        match search.step(set) {
            Err(error) => {
                judge::assert_readable(&error);
                return false;
            }
            Ok(SearchStep::NotFound) => return false,
            Ok(SearchStep::Found { target, .. }) => return target.match_bytes(CHANNEL.as_bytes()),
            Ok(SearchStep::Need(need)) => {
                if take(set, |set| set.update_delegated(&files.windows, &need)).is_none() {
                    return false;
                }
                assert!(is_unexpired(&files.windows));
            }
        }
    }
    panic!("a search that does not end");
}

/// Takes a step. What it refuses has changed nothing; what is trusted now is written and read as the same.
fn take<T>(set: &mut TrustedSet, step: impl FnOnce(&mut TrustedSet) -> Result<T, TrustError>) -> Option<T> {
    let before = Trusted::by(set);
    match step(set) {
        Ok(done) => {
            let Trusted { root, timestamp, snapshot, targets } = Trusted::by(set);
            if root != before.root {
                same_again(&root);
            }
            changed(&before.timestamp, &timestamp).inspect(|content| same_again(*content));
            changed(&before.snapshot, &snapshot).inspect(|content| same_again(*content));
            changed(&before.targets, &targets).inspect(|content| same_again(*content));
            Some(done)
        }
        Err(error) => {
            judge::assert_readable(&error);
            assert_eq!(Trusted::by(set), before, "what is refused changes nothing");
            None
        }
    }
}

fn changed<'a, T: PartialEq>(before: &Option<T>, after: &'a Option<T>) -> Option<&'a T> {
    after.as_ref().filter(|_| before != after)
}

fn same_again<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(content: &T) {
    let written = canonical::to_stored(content).expect("trusted content can be written");
    assert_eq!(serde_json::from_slice::<T>(&written).expect("what we write we read"), *content);
}

/// Doubles, drops or borrows signatures.
fn signatures(files: &mut Files, data: &[u8]) {
    let mut script = Script::new(&data[data.len() / 2..]);
    for _ in 0..1 + script.below(3) {
        let other = files.part(script.below(6)).clone();
        let file = files.part(script.below(6));
        let Ok(mut envelope) = serde_json::from_slice::<Value>(file) else { continue };
        let Some(list) = envelope["signatures"].as_array_mut() else { continue };
        match script.byte() % 4 {
            0 => drop(list.pop()),
            1 => list.extend(list.first().cloned()),
            2 => list.extend(pointer(&other, "/signatures/0")),
            _ => script.edit(&mut envelope["signatures"]),
        }
        *file = serde_json::to_vec(&envelope).expect("JSON");
    }
}

/// Panics unless the keys that `root` names for `role` have sealed `file`, as many as it wants.
fn assert_signed(file: &[u8], root: &[u8], role: &str) {
    let envelope: Value = serde_json::from_slice(file).expect("accepted metadata is JSON");
    let message = canonical::to_vec(&envelope["signed"]).expect("a canonical form");
    let wanted = pointer(root, &format!("/signed/roles/{role}")).expect("root names the role");
    let keyids: BTreeSet<&str> = wanted["keyids"].as_array().expect("key ids").iter().filter_map(Value::as_str).collect();
    let valid: BTreeSet<String> = (envelope["signatures"].as_array().expect("signatures").iter())
        .filter_map(|signature| {
            let keyid = signature["keyid"].as_str().filter(|keyid| keyids.contains(keyid))?;
            let key = pointer(root, &format!("/signed/keys/{}", keyid.replace('~', "~0").replace('/', "~1")))?;
            let public = key["keyval"]["public"].as_str()?;
            (signature["sig"].as_str()? == hex::encode(Seal::over(public, &message))).then(|| public.to_owned())
        })
        .collect();
    let threshold = wanted["threshold"].as_u64().expect("a threshold");
    assert!(threshold > 0 && valid.len() as u64 >= threshold, "{role} is trusted with {} of {threshold} signatures", valid.len());
    assert_eq!(envelope["signed"]["_type"], role);
}

fn is_listed(entry: &Option<Value>, file: &[u8]) -> bool {
    let Some(entry) = entry else { return false };
    let is_length = entry.get("length").is_none_or(|length| length.as_u64() == Some(file.len() as u64));
    let sha256 = entry.get("hashes").and_then(|hashes| hashes.get("sha256"));
    is_length
        && sha256.is_none_or(|hash| *hash == manifests::digest::Digest::of(file).to_hex())
        && entry.get("version").and_then(Value::as_u64) == version(file)
}

/// Times of the one accepted form sort as text.
fn is_unexpired(file: &[u8]) -> bool {
    pointer(file, "/signed/expires").is_some_and(|expires| expires.as_str().is_some_and(|expires| expires > NOW))
}

fn version(file: &[u8]) -> Option<u64> {
    pointer(file, "/signed/version")?.as_u64()
}

fn pointer(file: &[u8], pointer: &str) -> Option<Value> {
    serde_json::from_slice::<Value>(file).ok()?.pointer(pointer).cloned()
}
