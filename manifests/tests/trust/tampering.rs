//! Whatever one byte of a signed file becomes: it is refused, or what the signatures cover is unchanged (W26).

use std::sync::LazyLock;

use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::role::{self, HasHeader, KeyTable, RoleKeys};
use manifests::root::Root;
use manifests::signed::Envelope;
use manifests::snapshot::Snapshot;
use manifests::targets::Targets;
use manifests::timestamp::Timestamp;
use proptest::prelude::*;
use serde::de::DeserializeOwned;

use crate::repository::Repository;

/// A signed file, and the keys it has to be signed by.
#[derive(Clone)]
struct Signed {
    role: &'static str,
    bytes: Vec<u8>,
    /// What the signatures cover.
    message: Vec<u8>,
    keys: KeyTable,
    role_keys: RoleKeys,
}

/// One file of each role, with three signatures of which two are needed; signed once.
fn samples() -> Vec<Signed> {
    static SAMPLES: LazyLock<Vec<Signed>> = LazyLock::new(make_samples);
    SAMPLES.clone()
}

fn make_samples() -> Vec<Signed> {
    let mut repository = Repository::new();
    let names = ["a", "b", "c"];
    for role in ["root", "timestamp", "snapshot", "targets"] {
        repository.set_keys(role, &names, 2);
    }
    let files = repository.files();
    let (keys, role_keys) = (repository.root.keys, repository.root.roles.root);
    [("root", files.root), ("timestamp", files.timestamp), ("snapshot", files.snapshot), ("targets", files.targets)]
        .map(|(role, bytes)| {
            let message = Envelope::parse(&bytes, 1 << 20).expect("an envelope").message().expect("a canonical form");
            let sample = Signed { role, bytes, message, keys: keys.clone(), role_keys: role_keys.clone() };
            assert_eq!(sample.accept(&sample.bytes).as_ref(), Some(&sample.message), "{role} is good");
            sample
        })
        .into()
}

impl Signed {
    /// The same document with white space.
    fn pretty(self) -> Signed {
        let value: serde_json::Value = serde_json::from_slice(&self.bytes).expect("JSON");
        Signed { bytes: serde_json::to_vec_pretty(&value).expect("JSON"), ..self }
    }

    /// What `bytes` are accepted as: the message that the signatures cover.
    fn accept(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self.role {
            "root" => self.verify::<Root>(bytes),
            "timestamp" => self.verify::<Timestamp>(bytes),
            "snapshot" => self.verify::<Snapshot>(bytes),
            _ => self.verify::<Targets>(bytes),
        }
    }

    fn verify<T: DeserializeOwned + HasHeader>(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let envelope = Envelope::parse(bytes, 1 << 20).ok()?;
        role::verify::<T>(&envelope, self.role, &self.keys, &self.role_keys, &Ed25519Verifier, &Limits::default()).ok()?;
        envelope.message().ok()
    }
}

#[test]
fn every_bit_of_a_timestamp_is_covered_or_says_nothing() {
    let timestamp = || samples().swap_remove(1);
    for sample in [timestamp(), timestamp().pretty()] {
        let mut accepted = 0;
        for position in 0..sample.bytes.len() {
            for bit in 0..8 {
                let mut bytes = sample.bytes.clone();
                bytes[position] ^= 1 << bit;
                if let Some(found) = sample.accept(&bytes) {
                    assert_eq!(found, sample.message, "bit {bit} of byte {position}");
                    accepted += 1;
                }
            }
        }
        assert!(accepted > 0, "one of three signatures may be damaged");
        assert!(accepted < sample.bytes.len() * 8, "and the rest may not");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_byte_replaced_inserted_or_removed_is_refused_or_says_nothing(
        which in 0..4usize, pretty in any::<bool>(), position in any::<proptest::sample::Index>(), byte in any::<u8>(), how in 0..3u8,
    ) {
        let sample = samples().swap_remove(which);
        let sample = if pretty { sample.pretty() } else { sample };
        let mut bytes = sample.bytes.clone();
        let position = position.index(bytes.len());
        match how {
            0 => bytes[position] = byte,
            1 => bytes.insert(position, byte),
            _ => drop(bytes.remove(position)),
        }
        if let Some(found) = sample.accept(&bytes) {
            prop_assert_eq!(found, sample.message);
        }
    }

    #[test]
    fn bytes_of_no_kind_are_refused_and_nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for sample in samples() {
            prop_assert!(sample.accept(&bytes).is_none());
        }
    }

    #[test]
    fn a_file_that_is_cut_off_is_refused(which in 0..4usize, position in any::<proptest::sample::Index>()) {
        let sample = samples().swap_remove(which);
        prop_assert!(sample.accept(&sample.bytes[..position.index(sample.bytes.len())]).is_none());
    }
}
