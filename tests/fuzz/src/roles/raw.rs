//! Role metadata as it comes from a server: any bytes, before any signature, against a set in each of its states.

use std::cell::RefCell;
use std::sync::Arc;

use manifests::canonical;
use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::signed::Envelope;
use manifests::trust::{Need, Origin, TrustError, TrustedSet};

use super::{Trusted, now};
use crate::judge;
use crate::samples::{Chain, Files, Hand, LIMIT};

/// The steps of the workflow, each in the state that it is made for.
const STEPS: [&str; 5] = ["root", "timestamp", "snapshot", "targets", "windows"];

thread_local! {
    /// A set before each step. A refused file leaves it as it was, so it serves again.
    static SETS: RefCell<Vec<TrustedSet>> = RefCell::new(sets());
}

/// Reads an envelope and offers it to every step.
pub fn roles_raw(data: &[u8]) -> bool {
    envelope(data);
    let accepted = SETS.with_borrow_mut(|sets| {
        let mut accepted = false;
        for (set, step) in sets.iter_mut().zip(STEPS) {
            let before = Trusted::by(set);
            match offer(set, step, data) {
                Ok(()) => accepted = true,
                Err(error) => {
                    judge::assert_readable(&error);
                    assert_eq!(Trusted::by(set), before, "a refused {step} changes nothing");
                }
            }
        }
        if accepted {
            *sets = self::sets();
        }
        accepted
    });
    // The first root is another matter: it is pinned by its hash, and still has to be signed by itself.
    let first = TrustedSet::new(data, now(), Arc::new(Ed25519Verifier), Limits::default());
    accepted | first.inspect_err(|error| judge::assert_readable(error)).is_ok()
}

/// What is read is written again as the same, and covers the same message.
fn envelope(data: &[u8]) {
    let Ok(envelope) = Envelope::parse(data, LIMIT) else { return };
    let message = envelope.message().expect("strict JSON has a canonical form");
    let written = canonical::to_stored(&envelope).expect("strict JSON has a stored form");
    let again = Envelope::parse(&written, u64::MAX).expect("what we write we read");
    assert_eq!(again.message().expect("a canonical form"), message);
    assert_eq!(again.signatures.len(), envelope.signatures.len());
    // Only control characters keep the canonical form from being JSON.
    if !message.iter().any(|byte| *byte < 0x20) {
        let read: serde_json::Value = serde_json::from_slice(&message).expect("canonical JSON is JSON");
        assert_eq!(read, envelope.signed);
    }
}

fn offer(set: &mut TrustedSet, step: &str, data: &[u8]) -> Result<(), TrustError> {
    match step {
        "root" => set.update_root(data),
        "timestamp" => set.update_timestamp(data, Origin::Source).map(drop),
        "snapshot" => set.update_snapshot(data, Origin::Source).map(drop),
        "targets" => set.update_targets(data),
        _ => set.update_delegated(data, &Need { role: "windows".into(), delegator: "targets".into(), via: None }),
    }
}

fn sets() -> Vec<TrustedSet> {
    let files: Files = Chain::sample().signed(Hand::Ed25519);
    let fresh = || TrustedSet::new(&files.root, now(), Arc::new(Ed25519Verifier), Limits::default()).expect("our own root");
    let advanced = |steps: usize| {
        let mut set = fresh();
        set.update_root(&files.next_root).expect("our own next root");
        for (step, bytes) in STEPS[1..].iter().zip([&files.timestamp, &files.snapshot, &files.targets]).take(steps) {
            offer(&mut set, step, bytes).expect("our own files");
        }
        set
    };
    vec![fresh(), advanced(0), advanced(1), advanced(2), advanced(3)]
}
