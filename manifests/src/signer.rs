//! Private keys, behind a trait so that they can live in a file, a token or a key service.

use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use crate::key::{Key, KeyId};

/// Makes signatures with one private key.
pub trait Signer: Send + Sync {
    /// The public half.
    fn key(&self) -> &Key;

    /// The signature over exactly `message`.
    ///
    /// # Errors
    /// What kept the key's holder (a token, a service) from signing, for people.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;

    /// The id of the public half.
    fn key_id(&self) -> KeyId {
        self.key().id()
    }
}

/// The holder of a private key did not sign.
#[derive(Debug, thiserror::Error)]
#[error("key {key} did not sign: {reason}")]
pub struct SignError {
    /// The key.
    pub key: KeyId,
    /// Why.
    pub reason: String,
}

/// An ed25519 private key in memory; wiped when dropped.
pub struct Ed25519Signer {
    signing: SigningKey,
    key: Key,
}

impl Ed25519Signer {
    /// The key that grows from a 32-byte seed.
    pub fn from_seed(seed: &Zeroizing<[u8; 32]>) -> Self {
        let signing = SigningKey::from_bytes(seed);
        let key = Key::ed25519(&signing.verifying_key());
        Ed25519Signer { signing, key }
    }

    /// The seed, to be written to a key file.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.signing.to_bytes())
    }
}

impl Signer for Ed25519Signer {
    fn key(&self) -> &Key {
        &self.key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.signing.sign(message).to_bytes().to_vec())
    }
}
