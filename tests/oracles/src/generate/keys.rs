//! A pool of keys, grown from their numbers. Ids and objects are written out here, so that an error in the project's own would show.

use std::sync::OnceLock;

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How many keys there are.
pub(super) const COUNT: usize = 64;

struct Entry {
    signing: SigningKey,
    public: String,
    id: String,
}

fn pool() -> &'static [Entry] {
    static POOL: OnceLock<Vec<Entry>> = OnceLock::new();
    POOL.get_or_init(|| {
        let entry = |number: usize| {
            let signing = SigningKey::from_bytes(&Sha256::digest(format!("key {number}")).into());
            let public = hex::encode(signing.verifying_key().as_bytes());
            let canonical = format!(r#"{{"keytype":"ed25519","keyval":{{"public":"{public}"}},"scheme":"ed25519"}}"#);
            Entry { signing, public, id: hex::encode(Sha256::digest(canonical)) }
        };
        (0..COUNT).map(entry).collect()
    })
}

/// The id of key `number`.
pub(super) fn id(number: usize) -> &'static str {
    &pool()[number].id
}

/// Key `number` as it stands in a key table.
pub(super) fn object(number: usize) -> Value {
    json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": pool()[number].public}})
}

/// The number of the key with this id.
pub(super) fn with_id(id: &str) -> Option<usize> {
    pool().iter().position(|entry| entry.id == id)
}

/// An entry of `signatures` by key `number` over `message`.
pub(super) fn sign(number: usize, message: &[u8]) -> Value {
    json!({"keyid": id(number), "sig": hex::encode(pool()[number].signing.sign(message).to_bytes())})
}
