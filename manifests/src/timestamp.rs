//! The timestamp role: which snapshot is current (TUF 1.0.34 section 4.6).

use serde::{Deserialize, Serialize};

use crate::role::{HasHeader, Header, MetaFile};

/// The content of `timestamp.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timestamp {
    /// Type, versions, expiry.
    #[serde(flatten)]
    pub header: Header,
    /// The snapshot.
    pub meta: TimestampMeta,
}

/// The one entry of a timestamp's `meta`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimestampMeta {
    /// The current snapshot.
    #[serde(rename = "snapshot.json")]
    pub snapshot: MetaFile,
}

impl HasHeader for Timestamp {
    const KIND: &'static str = "timestamp";

    fn header(&self) -> &Header {
        &self.header
    }
}
