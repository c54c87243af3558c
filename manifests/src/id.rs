//! [`Id`]: names one attempt to change the install, the backup that it made, and its line in the history.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::quote::quoted;

/// Eight random bytes, written as 16 hex characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 8]);

/// The text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an id (16 lower-case hex characters)")]
pub struct InvalidId(String);

impl Id {
    /// A new id, with the feature `random`. Ids need not be secret, only different: should the system have no randomness, time and process id stand in.
    #[cfg(feature = "random")]
    pub fn random() -> Id {
        let mut bytes = [0; 8];
        if getrandom::fill(&mut bytes).is_err() {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64);
            bytes = (now ^ u64::from(std::process::id()).rotate_left(40)).to_be_bytes();
        }
        Id(bytes)
    }

    /// The id of these bytes.
    pub const fn from_bytes(bytes: [u8; 8]) -> Id {
        Id(bytes)
    }
}

impl FromStr for Id {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let bytes = hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.filter(|_| lower).map(Id).ok_or_else(|| InvalidId(quoted(text, 40).to_string()))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
