//! The signature schemes of the suite: ed25519 as in production, and RSA-PSS and ECDSA P-256, which production refuses.
//!
//! A key is what its type says: the algorithm that a PEM block names has to be that of the key type, so that no key is read in two ways.

use manifests::key::{Ed25519Verifier, Key, Verifier};
use ring::signature::{ECDSA_P256_SHA256_ASN1, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm};
use spki::der::{Decode as _, Document};
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

/// Accepts what the suite signs with.
pub(crate) struct SuiteVerifier;

/// The label of a public key in PEM (RFC 7468 section 13).
const PEM_LABEL: &str = "PUBLIC KEY";
/// `rsaEncryption` (RFC 8017).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-ecPublicKey` (RFC 5480); the curve is left to the length of the point, which ring checks.
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

impl Verifier for SuiteVerifier {
    fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        let (algorithm, kind): (&'static dyn VerificationAlgorithm, _) = match (key.keytype(), key.scheme()) {
            ("ed25519", "ed25519") => return Ed25519Verifier.verify(key, message, signature),
            ("rsa", "rsassa-pss-sha256") => (&RSA_PSS_2048_8192_SHA256, RSA),
            // The second is an older name of the same key type, which repositories still use.
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => (&ECDSA_P256_SHA256_ASN1, EC),
            _ => return false,
        };
        public_key(key.public(), kind).is_some_and(|public| UnparsedPublicKey::new(algorithm, public).verify(message, signature).is_ok())
    }

    /// The suite names some keys by ids that are not computed from them.
    fn accepts_foreign_key_ids(&self) -> bool {
        true
    }
}

/// The raw key in a PEM block, if it is one of the algorithm `kind`.
fn public_key(pem: &str, kind: ObjectIdentifier) -> Option<Vec<u8>> {
    let (label, document) = Document::from_pem(pem).ok()?;
    let info = SubjectPublicKeyInfoRef::from_der(document.as_bytes()).ok()?;
    (label == PEM_LABEL && info.algorithm.oid == kind).then(|| info.subject_public_key.raw_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
    use spki::AlgorithmIdentifierRef;
    use spki::der::asn1::{AnyRef, BitStringRef};
    use spki::der::pem::LineEnding;

    use super::*;

    /// `prime256v1`.
    const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
    const MESSAGE: &[u8] = b"what is signed";

    fn key(keytype: &str, scheme: &str, public: &str) -> Key {
        let value = serde_json::json!({"keytype": keytype, "scheme": scheme, "keyval": {"public": public}});
        serde_json::from_value(value).expect("a key")
    }

    /// A signature over [`MESSAGE`], and the key that made it in PEM, said to be of the algorithm `kind`.
    fn signed(kind: ObjectIdentifier, label: &'static str) -> (Vec<u8>, String) {
        let random = SystemRandom::new();
        let secret = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, secret.as_ref(), &random).expect("a key pair");
        let info = SubjectPublicKeyInfoRef {
            algorithm: AlgorithmIdentifierRef { oid: kind, parameters: Some(AnyRef::from(&P256)) },
            subject_public_key: BitStringRef::from_bytes(pair.public_key().as_ref()).expect("whole bytes"),
        };
        let pem = Document::encode_msg(&info).expect("DER").to_pem(label, LineEnding::LF).expect("PEM");
        (pair.sign(&random, MESSAGE).expect("a signature").as_ref().to_vec(), pem)
    }

    #[test]
    fn ecdsa_verifies_under_both_names_of_its_key_type_and_no_other() {
        let (signature, pem) = signed(EC, PEM_LABEL);
        for keytype in ["ecdsa", "ecdsa-sha2-nistp256"] {
            assert!(SuiteVerifier.verify(&key(keytype, "ecdsa-sha2-nistp256", &pem), MESSAGE, &signature), "{keytype}");
            assert!(!SuiteVerifier.verify(&key(keytype, "ecdsa-sha2-nistp256", &pem), b"something else", &signature), "{keytype}");
        }
        for (keytype, scheme) in
            [("rsa", "rsassa-pss-sha256"), ("ecdsa", "rsassa-pss-sha256"), ("rsa", "ecdsa-sha2-nistp256"), ("ecdsa", "ed25519")]
        {
            assert!(!SuiteVerifier.verify(&key(keytype, scheme, &pem), MESSAGE, &signature), "{keytype} {scheme}");
        }
    }

    #[test]
    fn a_key_that_says_to_be_of_another_algorithm_verifies_nothing() {
        for (kind, label) in [(RSA, PEM_LABEL), (EC, "CERTIFICATE")] {
            let (signature, pem) = signed(kind, label);
            assert!(!SuiteVerifier.verify(&key("ecdsa", "ecdsa-sha2-nistp256", &pem), MESSAGE, &signature), "{kind} {label}");
        }
        assert!(!SuiteVerifier.verify(&key("ecdsa", "ecdsa-sha2-nistp256", "no PEM"), MESSAGE, b""));
    }
}
