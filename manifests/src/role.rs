//! What all TUF roles share: the header, keys with a threshold, listed hashes, and the one function that says whether a role is signed.
//!
//! [`verify`] is the only threshold count in the project. Root, delegations and everything else go through it, so that a fix reaches all of them
//! (tough had two counts, and the same CVE twice).

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU64;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::Digest as _;

use crate::canonical::CanonicalError;
use crate::digest;
use crate::json::Malformed;
use crate::key::{Key, KeyId, Verifier};
use crate::limits::Limits;
use crate::quote::quoted;
use crate::signed::Envelope;
use crate::time::UtcTime;

/// Longest name of a role or key in a message, in characters.
pub(crate) const NAME: usize = 100;

/// Why a role's file is not acceptable as that role.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// The threshold of signatures is not met.
    #[error("{} has {valid} valid signatures of the {threshold} it needs", quoted(.role, NAME))]
    Unsigned {
        /// The role.
        role: String,
        /// Distinct keys of the role whose signature verified.
        valid: u64,
        /// The signatures needed.
        threshold: u64,
    },
    /// A key id stands twice in `signatures` (W5, A14).
    #[error("{} has two signatures by key {}", quoted(.role, NAME), quoted(.key.as_str(), NAME))]
    RepeatedSignature {
        /// The role.
        role: String,
        /// The key id.
        key: KeyId,
    },
    /// More signatures than anyone needs (A15).
    #[error("{} has {count} signatures, more than the {limit} allowed", quoted(.role, NAME))]
    TooManySignatures {
        /// The role.
        role: String,
        /// How many.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The content is not of the role's shape.
    #[error("{} is malformed: {source}", quoted(.role, NAME))]
    Malformed {
        /// The role.
        role: String,
        /// What is wrong.
        source: Malformed,
    },
    /// `_type` names another role (W21, A17).
    #[error("{} says it is of type `{}`", quoted(.role, NAME), quoted(.found, NAME))]
    WrongType {
        /// The role that was asked for.
        role: String,
        /// What the file says.
        found: String,
    },
    /// The signed part has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// What every role begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// `root`, `timestamp`, `snapshot` or `targets`.
    #[serde(rename = "_type")]
    pub kind: String,
    /// The version of the TUF specification; only its major part counts.
    pub spec_version: SpecVersion,
    /// The version of this role, from 1.
    pub version: NonZeroU64,
    /// The role is valid before this instant.
    pub expires: UtcTime,
}

impl Header {
    /// A header as we write it.
    pub fn new(kind: &str, version: NonZeroU64, expires: UtcTime) -> Header {
        Header { kind: kind.to_owned(), spec_version: SpecVersion("1.0.34".to_owned()), version, expires }
    }
}

/// A version of the TUF specification that we can read: major version 1 (W21, A25).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpecVersion(String);

impl<'de> Deserialize<'de> for SpecVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parts: Vec<&str> = text.split('.').collect();
        let numeric = parts.iter().all(|part| !part.is_empty() && part.len() < 10 && part.bytes().all(|b| b.is_ascii_digit()));
        if numeric && (2..=3).contains(&parts.len()) && parts.first() == Some(&"1") {
            Ok(SpecVersion(text))
        } else {
            Err(serde::de::Error::custom(format_args!("spec_version `{}` is not 1.x", quoted(&text, 20))))
        }
    }
}

/// The keys of a role, and how many of them must sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleKeys {
    /// Key ids, none twice.
    pub keyids: Vec<KeyId>,
    /// Signatures needed: at least one.
    pub threshold: NonZeroU64,
}

impl<'de> Deserialize<'de> for RoleKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            keyids: Vec<KeyId>,
            threshold: NonZeroU64,
        }
        let Fields { keyids, threshold } = Fields::deserialize(deserializer)?;
        RoleKeys::new(keyids, threshold).map_err(serde::de::Error::custom)
    }
}

impl RoleKeys {
    /// Keys with a threshold.
    ///
    /// # Errors
    /// A key id that stands twice (A14). A threshold above the number of keys is no error here: nothing will ever be signed by it (A13), and the file that holds it may
    /// be right for its other roles.
    pub fn new(keyids: Vec<KeyId>, threshold: NonZeroU64) -> Result<RoleKeys, String> {
        let mut seen = HashSet::new();
        if let Some(twice) = keyids.iter().find(|id| !seen.insert(*id)) {
            return Err(format!("key id {} stands twice in one role", quoted(twice.as_str(), NAME)));
        }
        Ok(RoleKeys { keyids, threshold })
    }
}

/// A table of keys by id.
pub type KeyTable = BTreeMap<KeyId, Key>;

/// Reads a key table that is not longer than `limit`, refusing keys under an id that is not theirs unless `verifier` allows it.
pub(crate) fn check_key_table(keys: &KeyTable, verifier: &dyn Verifier, limits: &Limits) -> Result<(), String> {
    if keys.len() > limits.keys {
        return Err(format!("{} keys, more than the {} allowed", keys.len(), limits.keys));
    }
    if verifier.accepts_foreign_key_ids() {
        return Ok(());
    }
    match keys.iter().find(|(id, key)| key.id() != **id) {
        Some((id, _)) => Err(format!("key id {} is not that of its key", quoted(id.as_str(), NAME))),
        None => Ok(()),
    }
}

/// Returns the content of `envelope` if enough of `role_keys` signed it.
///
/// W5: each key counts once, under whatever ids it is listed; only keys that the role names count; a signature that does not verify counts as none.
///
/// # Errors
/// [`RoleError`]; nothing of the content is returned then.
pub fn verify<T: DeserializeOwned + HasHeader>(
    envelope: &Envelope,
    role: &str,
    keys: &KeyTable,
    role_keys: &RoleKeys,
    verifier: &dyn Verifier,
    limits: &Limits,
) -> Result<T, RoleError> {
    let count = envelope.signatures.len();
    if count > limits.signatures {
        return Err(RoleError::TooManySignatures { role: role.to_owned(), count, limit: limits.signatures });
    }
    let mut seen = HashSet::new();
    if let Some(twice) = envelope.signatures.iter().find(|signature| !seen.insert(&signature.keyid)) {
        return Err(RoleError::RepeatedSignature { role: role.to_owned(), key: twice.keyid.clone() });
    }
    let (valid, threshold) = (valid_signatures(envelope, keys, role_keys, verifier)?, role_keys.threshold.get());
    if valid < threshold {
        return Err(RoleError::Unsigned { role: role.to_owned(), valid, threshold });
    }
    let malformed = |error: serde_json::Error| RoleError::Malformed { role: role.to_owned(), source: error.into() };
    let content = T::deserialize(&envelope.signed).map_err(malformed)?;
    if content.header().kind != T::KIND {
        return Err(RoleError::WrongType { role: role.to_owned(), found: content.header().kind.clone() });
    }
    Ok(content)
}

/// How many distinct keys of `role_keys` have a valid signature in `envelope`: the count behind [`verify`], which alone decides.
///
/// # Errors
/// The content has no canonical form, so nothing can have signed it.
pub fn valid_signatures(
    envelope: &Envelope,
    keys: &KeyTable,
    role_keys: &RoleKeys,
    verifier: &dyn Verifier,
) -> Result<u64, CanonicalError> {
    let message = envelope.message()?;
    let mut signed_by = HashSet::new();
    for signature in envelope.signatures.iter().filter(|signature| role_keys.keyids.contains(&signature.keyid)) {
        let (Some(key), Some(bytes)) = (keys.get(&signature.keyid), signature.bytes()) else { continue };
        if verifier.verify(key, &message, &bytes) {
            signed_by.insert((key.keytype(), key.public()));
        }
    }
    Ok(signed_by.len() as u64)
}

/// A role's content: has a [`Header`] of a fixed `_type`.
pub trait HasHeader {
    /// The value of `_type`.
    const KIND: &'static str;

    /// The header.
    fn header(&self) -> &Header;

    /// The version, from 1.
    fn version(&self) -> u64 {
        self.header().version.get()
    }

    /// Whether the role has expired at `now`; at its expiry it has (A5).
    fn is_expired(&self, now: UtcTime) -> bool {
        self.header().expires <= now
    }
}

/// Hashes of a file by algorithm. At least one is known; all known ones must match (W16, A23).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hashes(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Hashes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = BTreeMap::<String, String>::deserialize(deserializer)?;
        if !map.contains_key("sha256") && !map.contains_key("sha512") {
            return Err(serde::de::Error::custom("no hash by sha256 or sha512 is listed"));
        }
        Ok(Hashes(map))
    }
}

impl Hashes {
    /// The SHA-256 alone, as we write it.
    pub fn sha256(digest: digest::Digest) -> Hashes {
        Hashes(BTreeMap::from([("sha256".to_owned(), digest.to_hex())]))
    }

    /// The SHA-256, where it is listed and well formed.
    pub fn get_sha256(&self) -> Option<digest::Digest> {
        self.0.get("sha256").and_then(|hex| hex.parse().ok())
    }

    /// Hex of one listed hash, for the name of a file under consistent snapshots.
    pub fn any_hex(&self) -> Option<&str> {
        self.0.get("sha256").or_else(|| self.0.get("sha512")).map(String::as_str)
    }

    /// Whether `bytes` have all the listed hashes that we know.
    pub fn match_bytes(&self, bytes: &[u8]) -> bool {
        self.0.iter().all(|(algorithm, listed)| match algorithm.as_str() {
            "sha256" => *listed == hex::encode(sha2::Sha256::digest(bytes)),
            "sha512" => *listed == hex::encode(sha2::Sha512::digest(bytes)),
            _ => true,
        })
    }
}

/// What a timestamp or snapshot says of a metadata file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetaFile {
    /// The version, from 1.
    pub version: NonZeroU64,
    /// The length in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub length: Option<u64>,
    /// The hashes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub hashes: Option<Hashes>,
}

impl MetaFile {
    /// What is said of `bytes` as version `version`.
    pub fn of(bytes: &[u8], version: NonZeroU64) -> MetaFile {
        MetaFile { version, length: Some(bytes.len() as u64), hashes: Some(Hashes::sha256(digest::Digest::of(bytes))) }
    }

    /// Whether `bytes` have the listed length and hashes.
    pub fn match_bytes(&self, bytes: &[u8]) -> bool {
        self.length.is_none_or(|length| length == bytes.len() as u64) && self.hashes.as_ref().is_none_or(|hashes| hashes.match_bytes(bytes))
    }
}
