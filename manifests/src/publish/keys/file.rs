//! One key file: its bytes and what they say (`docs/format.md` section 9). Pure; [`super::store`] reads and writes them.
//!
//! The public half and the roles are readable without a passphrase. A [`KeyFile`] with a plain seed exists only when its public half belongs to the seed; for an encrypted one that is checked
//! when it is opened. What is wrong is said without repeating anything that the file holds.

use ed25519_dalek::VerifyingKey;
use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::{Zeroize, Zeroizing};

use super::encryption::{Sealed, Seed};
use crate::channel::FORMAT;
use crate::digest::decode_hex;
use crate::json::{self, JsonError};
use crate::key::Key;
use crate::signer::{Ed25519Signer, Signer};

/// Longest key file, in bytes.
pub const MAX_KEY_FILE_BYTES: usize = 4096;

/// What a key file says.
pub(super) struct KeyFile {
    pub(super) key: Key,
    pub(super) roles: Vec<String>,
    pub(super) private: Private,
}

/// The private half.
pub(super) enum Private {
    Plain(Seed),
    Encrypted(Sealed),
}

#[derive(Deserialize)]
struct Written {
    format: u64,
    #[serde(rename = "type")]
    kind: String,
    keytype: String,
    scheme: String,
    #[serde(default)]
    roles: Vec<String>,
    public: String,
    #[serde(default, deserialize_with = "json::present")]
    seed: Option<String>,
    #[serde(default, deserialize_with = "json::present")]
    encrypted: Option<String>,
}

impl Drop for Written {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

impl KeyFile {
    /// Reads `bytes`; says what is wrong with them.
    pub(super) fn parse(bytes: &[u8]) -> Result<KeyFile, String> {
        let mut written: Written = json::from_slice(bytes, MAX_KEY_FILE_BYTES).map_err(without_content)?;
        if written.format != FORMAT || written.kind != "key" || written.keytype != "ed25519" || written.scheme != "ed25519" {
            return Err("its format, type or scheme is not known".into());
        }
        let public: Option<[u8; 32]> = decode_hex(&written.public).and_then(|bytes| bytes.try_into().ok());
        let public = public.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        let key = Key::ed25519(&public.ok_or("its public half is not an ed25519 key of 32 bytes of hex")?);
        let private = match (&written.seed, &written.encrypted) {
            (Some(seed), None) => Private::Plain(read_seed(seed).ok_or("its seed is not 32 bytes of hex")?),
            (None, Some(pem)) => Private::Encrypted(Sealed::parse(pem)?),
            _ => return Err("it needs exactly one of `seed` and `encrypted`".into()),
        };
        if matches!(&private, Private::Plain(seed) if !belongs(seed, &key)) {
            return Err("its public half does not belong to its seed".into());
        }
        Ok(KeyFile { key, roles: std::mem::take(&mut written.roles), private })
    }

    /// The bytes of the file.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Written out by hand: a serialiser would leave copies of the seed in memory.
        let private = Zeroizing::new(match &self.private {
            Private::Plain(seed) => format!(r#""seed":"{}""#, Zeroizing::new(hex::encode(seed.as_slice())).as_str()),
            Private::Encrypted(sealed) => format!(r#""encrypted":{}"#, serde_json::Value::from(sealed.pem())),
        });
        let text = format!(
            r#"{{"format":{FORMAT},"keytype":"ed25519","public":"{}","roles":{},"scheme":"ed25519",{},"type":"key"}}"#,
            self.key.public(),
            serde_json::Value::from(self.roles.as_slice()),
            private.as_str()
        );
        Zeroizing::new(text.into_bytes())
    }
}

/// Whether `seed` is the private half of `key`.
pub(super) fn belongs(seed: &Seed, key: &Key) -> bool {
    Ed25519Signer::from_seed(seed).key() == key
}

/// Whether `bytes` are a private key, whatever their file is called: what says so of itself and has a seed, plain or encrypted, is never published, even where it is otherwise malformed.
pub fn is_private_key(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Claim {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default, deserialize_with = "json::present")]
        seed: Option<IgnoredAny>,
        #[serde(default, deserialize_with = "json::present")]
        encrypted: Option<IgnoredAny>,
    }
    json::from_slice::<Claim>(bytes, MAX_KEY_FILE_BYTES)
        .is_ok_and(|claim| claim.kind == "key" && (claim.seed.is_some() || claim.encrypted.is_some()))
}

fn read_seed(text: &str) -> Option<Seed> {
    let bytes = Zeroizing::new(decode_hex(text)?);
    let mut seed = Zeroizing::new([0; 32]);
    (bytes.len() == seed.len()).then(|| seed.copy_from_slice(&bytes))?;
    Some(seed)
}

/// A parser's words may hold a value that it did not expect, which in this file may be the seed: only the place is said.
fn without_content(error: JsonError) -> String {
    match error {
        JsonError::TooLong { limit, .. } => format!("it is longer than the {limit} bytes of a key file"),
        JsonError::Malformed(error) => format!("it is not the JSON of a key file (line {}, column {})", error.line(), error.column()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::keys::encryption::{Cost, Encryption};
    use crate::publish::passphrase::Passphrase;

    const SEED: &str = "0707070707070707070707070707070707070707070707070707070707070707";

    fn seed() -> Seed {
        Zeroizing::new([7; 32])
    }

    fn key_file(private: Private) -> KeyFile {
        KeyFile { key: Ed25519Signer::from_seed(&seed()).key().clone(), roles: vec!["windows".into(), "o\"dd".into()], private }
    }

    fn sealed() -> Sealed {
        let passphrase = Passphrase::new(Zeroizing::new(b"right".to_vec())).unwrap();
        Encryption::new(passphrase).with_cost(Cost::new(1, 1, 1).unwrap()).seal(&seed()).unwrap()
    }

    fn text(file: &KeyFile) -> String {
        String::from_utf8(file.to_bytes().to_vec()).unwrap()
    }

    #[test]
    fn what_is_written_is_read_alike() {
        for private in [Private::Plain(seed()), Private::Encrypted(sealed())] {
            let written = key_file(private);
            let read = KeyFile::parse(&written.to_bytes()).unwrap();
            assert_eq!((&read.key, &read.roles, text(&read)), (&written.key, &written.roles, text(&written)));
        }
    }

    #[test]
    fn an_encrypted_file_does_not_hold_its_seed() {
        assert!(text(&key_file(Private::Plain(seed()))).contains(SEED));
        assert!(!text(&key_file(Private::Encrypted(sealed()))).contains("0707"));
    }

    #[test]
    fn files_that_contradict_themselves_are_refused() {
        let plain = text(&key_file(Private::Plain(seed())));
        let encrypted = text(&key_file(Private::Encrypted(sealed())));
        let (_, field) = encrypted.split_once(r#""encrypted":"#).unwrap();
        let (pem, _) = field.split_once(r#","type""#).unwrap();
        let seed = format!(r#""seed":"{SEED}""#);
        let bad = [
            plain.replace(&seed, &format!(r#"{seed},"encrypted":{pem}"#)),
            plain.replace(&format!("{seed},"), ""),
            plain.replace(&seed, r#""seed":null"#),
            plain.replace(&seed, &format!(r#""seed":"{}""#, &SEED[2..])),
            plain.replace(&seed, &format!(r#""seed":"{}""#, SEED.replace('7', "8"))),
            plain.replace(r#""format":0"#, r#""format":1"#),
            plain.replace(r#""type":"key""#, r#""type":"policy""#),
            plain.replace("ed25519", "ed448"),
            encrypted.replace("ENCRYPTED PRIVATE", "PRIVATE"),
            encrypted.replace(pem, "\"\""),
            encrypted.replace(pem, "[]"),
        ];
        for text in &bad {
            assert!(*text != plain && *text != encrypted, "{text}");
            assert!(KeyFile::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn no_complaint_repeats_what_the_file_holds() {
        let plain = text(&key_file(Private::Plain(seed())));
        let seeds = [
            plain.replace(r#""format":0"#, &format!(r#""format":"{SEED}""#)),
            plain.replace(r#""roles":["#, &format!(r#""{SEED}":1,"{SEED}":2,"roles":["#)),
            plain.replace(r#""seed":"#, &format!(r#""roles":"{SEED}","seed":"#)),
            format!("{plain}{SEED}"),
            plain.replace(&format!(r#""{SEED}""#), &format!(r#"["{SEED}"]"#)),
            plain.replace("07\"", "0x\""),
        ];
        for text in &seeds {
            let complaint = KeyFile::parse(text.as_bytes()).err().unwrap_or_else(|| panic!("{text}"));
            assert!(!complaint.contains("0707"), "{complaint}");
        }
    }

    #[test]
    fn private_keys_are_known_by_their_content() {
        for private in [Private::Plain(seed()), Private::Encrypted(sealed())] {
            assert!(is_private_key(&key_file(private).to_bytes()));
        }
        for key in [r#" { "seed": "", "type": "key" } "#, r#"{"encrypted":null,"type":"key"}"#, r#"{"seed":1,"encrypted":[],"type":"key"}"#]
        {
            assert!(is_private_key(key.as_bytes()), "{key}");
        }
        for other in [r#"{"type":"key"}"#, r#"{"seed":"1","type":"noise"}"#, r#"{"encrypted":"1"}"#, "[]", "", "{"] {
            assert!(!is_private_key(other.as_bytes()), "{other}");
        }
    }
}
