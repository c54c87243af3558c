//! Public keys, key ids, and the one place where a signature is checked.
//!
//! Which algorithms count is the [`Verifier`]'s decision, which is injected: production accepts ed25519 alone.

use std::fmt;

use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::canonical;
use crate::digest::{self, Digest};

/// The id of a key, as metadata names it. For keys that we make: the digest of the key's canonical JSON (TUF 1.0.34 section 4.2).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyId(String);

impl KeyId {
    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl KeyId {
    /// An id as a person gave it; whether any key has it is another question.
    pub fn from_text(text: &str) -> KeyId {
        KeyId(text.to_owned())
    }
}

impl From<Digest> for KeyId {
    fn from(digest: Digest) -> Self {
        KeyId(digest.to_hex())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A public key as it stands in a key table, with fields that we do not know.
#[derive(Clone, PartialEq)]
pub struct Key {
    /// As received; the key id covers unknown fields too.
    value: Value,
    keytype: String,
    scheme: String,
    public: String,
}

impl Key {
    /// An ed25519 key.
    pub fn ed25519(public: &VerifyingKey) -> Key {
        let public = hex::encode(public.as_bytes());
        let (keytype, scheme) = ("ed25519".to_owned(), "ed25519".to_owned());
        let value = serde_json::json!({ "keytype": keytype, "scheme": scheme, "keyval": { "public": public } });
        Key { value, keytype, scheme, public }
    }

    /// The type of the key: `ed25519`, `rsa`, …
    pub fn keytype(&self) -> &str {
        &self.keytype
    }

    /// The signature scheme: `ed25519`, `rsassa-pss-sha256`, …
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The public half as text: hex for ed25519, PEM for others.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The computed id: the digest of the canonical JSON.
    pub fn id(&self) -> KeyId {
        // A value that was parsed from strict JSON has a canonical form; one that has none gets an id that no table contains.
        KeyId::from(Digest::of(&canonical::to_vec(&self.value).unwrap_or_default()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} {})", self.scheme, self.public)
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            keytype: String,
            scheme: String,
            keyval: KeyVal,
        }
        #[derive(Deserialize)]
        struct KeyVal {
            public: String,
        }
        let value = Value::deserialize(deserializer)?;
        let fields = Fields::deserialize(&value).map_err(serde::de::Error::custom)?;
        Ok(Key { value, keytype: fields.keytype, scheme: fields.scheme, public: fields.keyval.public })
    }
}

/// Checks one signature. What it does not know, it refuses.
pub trait Verifier: Send + Sync {
    /// Whether `signature` is `key`'s over exactly `message`. `false` for an unknown scheme, a malformed key or a malformed signature.
    fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool;

    /// Whether a key table may name a key by an id other than the computed one. Production: no.
    fn accepts_foreign_key_ids(&self) -> bool {
        false
    }
}

/// The production verifier: ed25519, strictly (attack A16: no small-order keys, no malleable signatures).
#[derive(Debug, Clone, Copy, Default)]
pub struct Ed25519Verifier;

impl Verifier for Ed25519Verifier {
    fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        if key.keytype() != "ed25519" || key.scheme() != "ed25519" {
            return false;
        }
        let public: Option<[u8; 32]> = digest::decode_hex(key.public()).and_then(|bytes| bytes.try_into().ok());
        let verifying = public.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        match (verifying, Signature::from_slice(signature)) {
            (Some(verifying), Ok(signature)) => verifying.verify_strict(message, &signature).is_ok(),
            _ => false,
        }
    }
}
