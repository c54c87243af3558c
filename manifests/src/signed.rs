//! The envelope `{"signatures":[…],"signed":{…}}`: reading one without believing it, and making one.
//!
//! Signatures cover the canonical JSON of `signed` as received, unknown fields included (W26); whoever reads it gets the typed content only
//! through [`crate::role::verify`].

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical::{self, CanonicalError};
use crate::digest;
use crate::json::{self, JsonError};
use crate::key::KeyId;
use crate::signer::{SignError, Signer};

/// One entry of `signatures`.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Signature {
    /// The key that is said to have signed.
    pub keyid: KeyId,
    /// The signature in hex.
    sig: String,
}

impl Signature {
    /// The bytes of the signature; `None` when it is not lower-case hex, which makes it one that does not verify.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        digest::decode_hex(&self.sig)
    }
}

/// A document with signatures that nobody has checked yet.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Envelope {
    /// The signatures, in file order.
    pub signatures: Vec<Signature>,
    /// What they cover.
    pub signed: Value,
}

/// The envelope could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not strict JSON, too long, or not an envelope.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The signed part has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// A key's holder did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl Envelope {
    /// Reads an envelope of at most `limit` bytes.
    pub fn parse(bytes: &[u8], limit: u64) -> Result<Envelope, EnvelopeError> {
        Ok(json::from_slice(bytes, usize::try_from(limit).unwrap_or(usize::MAX))?)
    }

    /// The bytes that signatures cover.
    pub fn message(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical::to_vec(&self.signed)
    }

    /// `content` without any signature.
    pub fn unsigned<T: Serialize>(content: &T) -> Result<Envelope, EnvelopeError> {
        let signed = serde_json::to_value(content).map_err(CanonicalError::NotJson)?;
        Ok(Envelope { signatures: vec![], signed })
    }

    /// Adds the signature of `signer`. Returns whether it was not there before.
    pub fn add_signature(&mut self, signer: &dyn Signer) -> Result<bool, EnvelopeError> {
        let keyid = signer.key_id();
        let sig = hex::encode(signer.sign(&self.message()?)?);
        let known = self.signatures.iter().any(|signature| signature.keyid == keyid && signature.sig == sig);
        if !known {
            // A wrong signature by the same key, which would refuse the file, gives way.
            self.signatures.retain(|signature| signature.keyid != keyid);
            self.signatures.push(Signature { keyid, sig });
        }
        Ok(!known)
    }

    /// Takes over the signatures by keys that have none here.
    pub fn merge_signatures(&mut self, others: Vec<Signature>) {
        for other in others {
            if self.signatures.iter().all(|signature| signature.keyid != other.keyid) {
                self.signatures.push(other);
            }
        }
    }

    /// Signs `content` with each of `signers` and returns the bytes of the file, as it is stored.
    pub fn sign<T: Serialize>(content: &T, signers: &[&dyn Signer]) -> Result<Vec<u8>, EnvelopeError> {
        let mut envelope = Envelope::unsigned(content)?;
        for signer in signers {
            envelope.add_signature(*signer)?;
        }
        Ok(canonical::to_stored(&envelope)?)
    }
}
