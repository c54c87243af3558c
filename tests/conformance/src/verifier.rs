//! The signature schemes of the suite: ed25519 as in production, and RSA-PSS and ECDSA P-256, which production refuses.

use manifests::key::{Ed25519Verifier, Key, Verifier};
use ring::signature::{ECDSA_P256_SHA256_ASN1, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm};
use spki::SubjectPublicKeyInfoRef;
use spki::der::{Decode as _, Document};

/// Accepts what the suite signs with.
pub(crate) struct SuiteVerifier;

impl Verifier for SuiteVerifier {
    fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        match (key.keytype(), key.scheme()) {
            ("ed25519", "ed25519") => Ed25519Verifier.verify(key, message, signature),
            ("rsa", "rsassa-pss-sha256") => verify_pem(&RSA_PSS_2048_8192_SHA256, key, message, signature),
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => verify_pem(&ECDSA_P256_SHA256_ASN1, key, message, signature),
            _ => false,
        }
    }

    /// The specification does not ask clients to compute key ids, and the suite does not.
    fn accepts_foreign_key_ids(&self) -> bool {
        true
    }
}

fn verify_pem(algorithm: &'static dyn VerificationAlgorithm, key: &Key, message: &[u8], signature: &[u8]) -> bool {
    let Ok((_, document)) = Document::from_pem(key.public()) else { return false };
    let Ok(info) = SubjectPublicKeyInfoRef::from_der(document.as_bytes()) else { return false };
    UnparsedPublicKey::new(algorithm, info.subject_public_key.raw_bytes()).verify(message, signature).is_ok()
}
