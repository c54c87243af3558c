//! The root role: which keys speak for which top-level role (TUF 1.0.34 section 4.3).

use serde::{Deserialize, Serialize};

use crate::role::{HasHeader, Header, KeyTable, RoleKeys};

/// The content of `root.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Root {
    /// Type, versions, expiry.
    #[serde(flatten)]
    pub header: Header,
    /// Whether files are served under their version or hash. Ours always are.
    #[serde(default)]
    pub consistent_snapshot: bool,
    /// Every key that a top-level role may use.
    pub keys: KeyTable,
    /// The four top-level roles.
    pub roles: TopLevelRoles,
}

/// Keys and thresholds of the top-level roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopLevelRoles {
    /// Signs root itself.
    pub root: RoleKeys,
    /// Signs the timestamp.
    pub timestamp: RoleKeys,
    /// Signs the snapshot.
    pub snapshot: RoleKeys,
    /// Signs the top-level targets.
    pub targets: RoleKeys,
}

impl HasHeader for Root {
    const KIND: &'static str = "root";

    fn header(&self) -> &Header {
        &self.header
    }
}
