//! A repository before it is signed.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::keys;
use crate::random::Random;

/// Roles with their content and signers, and the targets' contents.
#[derive(Debug, Clone)]
pub(super) struct Model {
    /// Root 1 first. The last says whether snapshots are consistent.
    pub(super) roots: Vec<Role>,
    /// `timestamp`, `snapshot`, `targets` and all delegated roles. What they list of each other is filled in when the files are made.
    pub(super) roles: BTreeMap<String, Role>,
    /// What a listing of a metadata file says beside its version.
    pub(super) listing: Listing,
    /// Target paths with their contents, oldest first: what was published stays served under its hash.
    pub(super) contents: Vec<(String, Vec<u8>)>,
    /// Which roles the snapshot does not list, though they exist.
    pub(super) unlisted: Vec<String>,
    /// The next key that nobody has yet.
    pub(super) next_key: usize,
}

/// A role's content and who signs it.
#[derive(Debug, Clone)]
pub(super) struct Role {
    pub(super) signed: Value,
    pub(super) signers: Vec<usize>,
}

/// What is listed of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listing {
    pub(super) length: bool,
    pub(super) sha256: bool,
    pub(super) sha512: bool,
}

/// The top-level roles.
pub(super) const TOP_LEVEL: [&str; 4] = ["root", "timestamp", "snapshot", "targets"];

impl Model {
    /// The newest root.
    pub(super) fn root(&self) -> &Role {
        self.roots.last().expect("there is always a root")
    }

    /// Whether files are named by version and hash.
    pub(super) fn consistent(&self) -> bool {
        self.root().signed["consistent_snapshot"] == json!(true)
    }

    /// A key that nobody has yet; they come round after [`keys::COUNT`].
    pub(super) fn new_key(&mut self) -> usize {
        self.next_key += 1;
        self.next_key % keys::COUNT
    }

    /// Names of the targets roles, the top-level one included.
    pub(super) fn targets_roles(&self) -> Vec<String> {
        self.roles.keys().filter(|name| !["timestamp", "snapshot"].contains(&name.as_str())).cloned().collect()
    }

    /// Targets roles that delegate.
    pub(super) fn delegating_roles(&self) -> Vec<String> {
        let delegates = |name: &String| self.roles[name].signed["delegations"]["roles"].as_array().is_some_and(|roles| !roles.is_empty());
        self.targets_roles().into_iter().filter(delegates).collect()
    }

    /// Moves the version of a role by `by`, not below 1.
    pub(super) fn bump(&mut self, role: &str, by: i64) {
        let signed = &mut self.roles.get_mut(role).expect("a role of the model").signed;
        let version = signed["version"].as_i64().expect("an honest version");
        signed["version"] = json!((version + by).max(1));
    }

    /// The next version of a role and of what lists it.
    pub(super) fn publish_anew(&mut self, role: &str) {
        match role {
            "root" => self.next_root(|_, _| {}),
            "timestamp" => self.bump("timestamp", 1),
            "snapshot" => self.online_anew(),
            _ => {
                self.bump(role, 1);
                self.online_anew();
            }
        }
    }

    /// The next snapshot and timestamp.
    pub(super) fn online_anew(&mut self) {
        self.bump("snapshot", 1);
        self.bump("timestamp", 1);
    }

    /// A new root, signed by the root keys before and after; `edit` gets its content and the signers it is to have.
    pub(super) fn next_root(&mut self, edit: impl FnOnce(&mut Value, &mut Vec<usize>)) {
        let Role { mut signed, mut signers } = self.root().clone();
        signers.retain(|key| signed["roles"]["root"]["keyids"].as_array().is_some_and(|ids| ids.contains(&json!(keys::id(*key)))));
        signed["version"] = json!(self.roots.len() + 1);
        edit(&mut signed, &mut signers);
        self.roots.push(Role { signed, signers });
    }

    /// Gives a top-level role new keys in a new root, and lets it sign with them.
    pub(super) fn rotate(&mut self, role: &str, random: &mut Random) {
        let count = 1 + random.below(2);
        let new: Vec<usize> = (0..count).map(|_| self.new_key()).collect();
        let threshold = 1 + random.below(count);
        self.next_root(|signed, signers| {
            signed["roles"][role] = role_keys(&new, threshold);
            add_keys(&mut signed["keys"], &new);
            if role == "root" {
                signers.extend(&new);
            }
        });
        if let Some(role) = self.roles.get_mut(role) {
            role.signers = new;
        }
    }
}

/// `{"keyids":[…],"threshold":N}`.
pub(super) fn role_keys(numbers: &[usize], threshold: usize) -> Value {
    let ids: Vec<&str> = numbers.iter().map(|number| keys::id(*number)).collect();
    json!({"keyids": ids, "threshold": threshold})
}

/// Puts keys into a key table.
pub(super) fn add_keys(table: &mut Value, numbers: &[usize]) {
    if !table.is_object() {
        *table = Value::Object(Map::new());
    }
    for number in numbers {
        table[keys::id(*number)] = keys::object(*number);
    }
}
