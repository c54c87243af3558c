//! What counts as an ed25519 signature (A16). The vectors were computed with an implementation of RFC 8032 that shares no code with ours.

use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use manifests::key::{Ed25519Verifier, Key, Verifier};
use manifests::limits::Limits;
use manifests::role::RoleError;
use manifests::signer::Signer as _;
use manifests::trust::{Origin, TrustError};
use serde_json::json;

use crate::refused;
use crate::repository::{Repository, edit_file, signer};
use crate::station::start;

/// The eight points whose order divides eight.
const SMALL_ORDER: [&str; 8] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];
/// Key, message and the one good signature.
const PUBLIC: &str = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
const MESSAGE: &[u8] = b"stationmaster";
const GOOD: &str =
    "48a6174704b93fac6962c82160c9e016b2ea49bfbfb2d80aeb2087d5bf84056e71cd6e3085d919a6d7e2a9bf8cfcc556082e464119b140baa618f960889aa201";
/// R plus a point of order eight, S made to fit: good for verifiers that multiply by the cofactor.
const MIXED_ORDER_R: &str =
    "5118abbc3df82719a12aa07e38b5843cc6f6bbb38ef11b5390de32170102c971c66334e2188110c604a078f9ee845e9d4dae599fbfcbd9d7a828d1e89897a109";
/// R the neutral element, S made to fit: good for every verifier that does not look at R.
const NEUTRAL_R: &str =
    "01000000000000000000000000000000000000000000000000000000000000007ccddcdcda1781504adcaeb3d7857410e79726be13a6311483e177eaebc48908";
/// The order of the group, little-endian.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).expect("hex")
}

fn key(public: &str) -> Key {
    serde_json::from_value(json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": public } })).expect("a key")
}

fn verifies(signature: &[u8]) -> bool {
    Ed25519Verifier.verify(&key(PUBLIC), MESSAGE, signature)
}

/// What a verifier without our strictness says.
fn lax(public: &str, message: &[u8], signature: &[u8]) -> bool {
    let public: [u8; 32] = bytes(public).try_into().expect("32 bytes");
    let signature = Signature::from_slice(signature).expect("64 bytes");
    VerifyingKey::from_bytes(&public).is_ok_and(|key| key.verify(message, &signature).is_ok())
}

#[test]
fn a16_the_one_good_signature_verifies_over_its_message_alone() {
    assert!(verifies(&bytes(GOOD)));
    assert!(!Ed25519Verifier.verify(&key(PUBLIC), b"stationmasteR", &bytes(GOOD)));
    assert!(!Ed25519Verifier.verify(&key(PUBLIC), b"", &bytes(GOOD)));
}

#[test]
fn a16_keys_of_small_order_verify_nothing_though_lax_verifiers_take_them() {
    let forged = [bytes(SMALL_ORDER[0]), vec![0; 32]].concat();
    assert!(lax(SMALL_ORDER[0], b"whatever", &forged), "the attack is real");
    let mut taken = 0;
    for public in SMALL_ORDER {
        for r in SMALL_ORDER {
            for n in 0..8u8 {
                let (message, signature) = ([n], [bytes(r), vec![0; 32]].concat());
                taken += usize::from(lax(public, &message, &signature));
                assert!(!Ed25519Verifier.verify(&key(public), &message, &signature), "{public} {r} {n}");
            }
        }
    }
    assert!(taken > 8, "lax verifiers took {taken}");
}

#[test]
fn a16_a_role_with_a_key_of_small_order_is_signed_by_nobody() {
    let mut repository = Repository::new();
    let weak = key(SMALL_ORDER[0]);
    repository.root.roles.timestamp.keyids = vec![weak.id()];
    repository.root.keys.insert(weak.id(), weak.clone());
    let files = repository.files();
    let forged = edit_file(&files.timestamp, |file| {
        file["signatures"] = json!([{ "keyid": weak.id(), "sig": format!("{}{}", SMALL_ORDER[0], "00".repeat(32)) }]);
    });
    let mut set = start(&files.root, Ed25519Verifier, Limits::default()).expect("such a root can be published");
    refused!(set.update_timestamp(&forged, Origin::Source), TrustError::Role(RoleError::Unsigned { valid: 0, .. }));
}

#[test]
fn a16_a_scalar_at_or_above_the_order_is_refused() {
    let (good, order) = (bytes(GOOD), bytes(ORDER));
    let mut signature = good.clone();
    // S + n·L is the same scalar; as bytes there is room for n up to 14.
    for n in 1..=14 {
        let mut carry = 0u16;
        for (byte, add) in signature[32..].iter_mut().zip(&order) {
            carry += u16::from(*byte) + u16::from(*add);
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        assert_eq!(carry, 0, "no overflow at {n}");
        assert!(!verifies(&signature), "S + {n}·L");
    }
    for top in [0x10, 0x20, 0x40, 0x80, 0xF0] {
        let mut signature = good.clone();
        signature[63] |= top;
        assert!(!verifies(&signature), "S with the bits {top:x}");
    }
}

#[test]
fn a16_an_r_of_mixed_or_small_order_is_refused() {
    assert!(!verifies(&bytes(MIXED_ORDER_R)));
    assert!(lax(PUBLIC, MESSAGE, &bytes(NEUTRAL_R)), "the attack is real, for who holds the key");
    assert!(!verifies(&bytes(NEUTRAL_R)));
}

#[test]
fn a16_signatures_of_another_length_are_refused() {
    let good = bytes(GOOD);
    for signature in [&good[..63], &[&good[..], &[0]].concat(), &good[1..], &good[..32], &[]] {
        assert!(!verifies(signature), "{} bytes", signature.len());
    }
}

#[test]
fn a16_signatures_that_are_not_lower_case_hex_are_refused() {
    let mut repository = Repository::new();
    let files = repository.files();
    let set = || start(&files.root, Ed25519Verifier, Limits::default()).expect("a good root");
    let with = |change: &dyn Fn(&str) -> String| {
        edit_file(&files.timestamp, |file| {
            let sig = change(file["signatures"][0]["sig"].as_str().expect("text"));
            file["signatures"][0]["sig"] = json!(sig);
        })
    };
    set().update_timestamp(&with(&str::to_owned), Origin::Source).expect("unchanged");
    let changes: [&dyn Fn(&str) -> String; 9] = [
        &|sig| sig.to_uppercase(),
        &|sig| sig[1..].to_owned(),
        &|sig| sig[2..].to_owned(),
        &|sig| format!("{sig}00"),
        &|sig| format!("0x{sig}"),
        &|sig| format!(" {sig}"),
        &|sig| format!("{sig}\n"),
        &|sig| sig.replace(|c: char| c.is_ascii_digit(), "é"),
        &|_| String::new(),
    ];
    for change in changes {
        refused!(set().update_timestamp(&with(change), Origin::Source), TrustError::Role(RoleError::Unsigned { valid: 0, .. }));
    }
}

#[test]
fn a16_keys_that_are_no_lower_case_ed25519_key_verify_nothing() {
    for public in [&PUBLIC.to_uppercase()[..], &PUBLIC[2..], &format!("{PUBLIC}00"), &PUBLIC[1..], "", "zz"] {
        assert!(!Ed25519Verifier.verify(&key(public), MESSAGE, &bytes(GOOD)), "{public}");
    }
    for (keytype, scheme) in
        [("rsa", "ed25519"), ("ed25519", "rsassa-pss-sha256"), ("Ed25519", "ed25519"), ("ed25519", ""), ("", ""), ("none", "none")]
    {
        let other = json!({ "keytype": keytype, "scheme": scheme, "keyval": { "public": PUBLIC } });
        let other: Key = serde_json::from_value(other).expect("a key");
        assert!(!Ed25519Verifier.verify(&other, MESSAGE, &bytes(GOOD)), "{keytype} {scheme}");
    }
}

#[test]
fn a_signer_makes_what_the_verifier_accepts() {
    let signer = signer("anyone");
    let signature = signer.sign(MESSAGE).expect("signed in memory");
    assert!(Ed25519Verifier.verify(signer.key(), MESSAGE, &signature));
}
