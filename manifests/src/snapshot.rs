//! The snapshot role: the versions of all targets roles that belong together (TUF 1.0.34 section 4.4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::role::{HasHeader, Header, MetaFile};

/// The content of `snapshot.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Type, versions, expiry.
    #[serde(flatten)]
    pub header: Header,
    /// By file name, `<role>.json`.
    pub meta: BTreeMap<String, MetaFile>,
}

impl Snapshot {
    /// What is said of the role `name`.
    pub fn role(&self, name: &str) -> Option<&MetaFile> {
        self.meta.get(&format!("{name}.json"))
    }
}

impl HasHeader for Snapshot {
    const KIND: &'static str = "snapshot";

    fn header(&self) -> &Header {
        &self.header
    }
}
