//! The root role: which keys speak for which top-level role (TUF 1.0.34 section 4.3).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::key::Key;
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

impl Root {
    /// The keys of a top-level role.
    pub fn keys_of_role(&self, role: &str) -> Option<&RoleKeys> {
        match role {
            "root" => Some(&self.roles.root),
            "timestamp" => Some(&self.roles.timestamp),
            "snapshot" => Some(&self.roles.snapshot),
            "targets" => Some(&self.roles.targets),
            _ => None,
        }
    }

    /// Whether keys or threshold of the timestamp or snapshot role differ from those of `before` (TUF 1.0.34 section 5.3.11): then stations forget the timestamp and snapshot they have,
    /// so that a repository recovers from versions that were driven up by a thief (W9).
    pub fn changes_online_keys_of(&self, before: &Root) -> bool {
        let of = |root: &Root| [&root.roles.timestamp, &root.roles.snapshot].map(|role| root.keys_of(role));
        of(self) != of(before)
    }

    /// The keys of a role as values, in no order, with the threshold.
    fn keys_of(&self, role: &RoleKeys) -> (BTreeMap<String, Option<Key>>, u64) {
        let keys = role.keyids.iter().map(|id| (id.to_string(), self.keys.get(id).cloned())).collect();
        (keys, role.threshold.get())
    }
}

impl HasHeader for Root {
    const KIND: &'static str = "root";

    fn header(&self) -> &Header {
        &self.header
    }
}
