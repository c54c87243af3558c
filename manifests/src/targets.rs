//! The targets roles: files by path, and who else may sign for which paths (TUF 1.0.34 section 4.5).

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::quote::quoted;
use crate::role::{HasHeader, Hashes, Header, KeyTable, NAME, RoleKeys};

/// The content of `targets.json` or of a delegated role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Targets {
    /// Type, versions, expiry.
    #[serde(flatten)]
    pub header: Header,
    /// Files by path.
    pub targets: BTreeMap<String, TargetFile>,
    /// Other roles that may sign.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub delegations: Option<Delegations>,
}

impl HasHeader for Targets {
    const KIND: &'static str = "targets";

    fn header(&self) -> &Header {
        &self.header
    }
}

/// Length and hashes of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetFile {
    /// Exact length in bytes.
    pub length: u64,
    /// Hashes, at least one of them known.
    pub hashes: Hashes,
}

impl TargetFile {
    /// What is said of `bytes`.
    pub fn of(bytes: &[u8]) -> TargetFile {
        TargetFile { length: bytes.len() as u64, hashes: Hashes::sha256(Digest::of(bytes)) }
    }

    /// Whether `bytes` have exactly this length and these hashes (W25).
    pub fn match_bytes(&self, bytes: &[u8]) -> bool {
        self.length == bytes.len() as u64 && self.hashes.match_bytes(bytes)
    }
}

/// Delegated roles in the order of search, with their keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Delegations {
    /// The keys of the delegated roles.
    pub keys: KeyTable,
    /// The roles; no name twice, none that of a top-level role.
    pub roles: Vec<DelegatedRole>,
}

impl<'de> Deserialize<'de> for Delegations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            keys: KeyTable,
            roles: Vec<DelegatedRole>,
        }
        let Fields { keys, roles } = Fields::deserialize(deserializer)?;
        let mut seen = HashSet::new();
        for role in &roles {
            let name = role.name.as_str();
            if name.is_empty() || ["root", "timestamp", "snapshot", "targets"].contains(&name) || !seen.insert(name) {
                return Err(serde::de::Error::custom(format_args!(
                    "delegated role name `{}` is reserved, empty or there twice",
                    quoted(name, NAME)
                )));
            }
        }
        Ok(Delegations { keys, roles })
    }
}

impl Delegations {
    /// The role that a search for the target `path` asks first; where that delegation is terminating, it is also the last.
    pub fn first_for(&self, path: &str) -> Option<&DelegatedRole> {
        self.roles.iter().find(|role| role.covers(path))
    }
}

/// A role that may sign for some paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DelegatedRole {
    /// Its name.
    pub name: String,
    /// Its keys and threshold.
    #[serde(flatten)]
    pub keys: RoleKeys,
    /// Whether the search ends here for paths that match, found or not.
    pub terminating: bool,
    /// For which paths.
    #[serde(flatten)]
    pub scope: Scope,
}

/// The paths a delegation covers: patterns or hash prefixes, never both (W24).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Scope {
    /// Shell-style patterns; `*` and `?` do not match `/`.
    #[serde(rename = "paths")]
    Paths(Vec<String>),
    /// Prefixes of the hex SHA-256 of the path.
    #[serde(rename = "path_hash_prefixes")]
    PathHashPrefixes(Vec<String>),
}

impl<'de> Deserialize<'de> for DelegatedRole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            name: String,
            keyids: Vec<crate::key::KeyId>,
            threshold: std::num::NonZeroU64,
            terminating: bool,
            #[serde(default, deserialize_with = "crate::json::present")]
            paths: Option<Vec<String>>,
            #[serde(default, deserialize_with = "crate::json::present")]
            path_hash_prefixes: Option<Vec<String>>,
        }
        let fields = Fields::deserialize(deserializer)?;
        let scope = match (fields.paths, fields.path_hash_prefixes) {
            (Some(paths), None) => Scope::Paths(paths),
            (None, Some(prefixes)) => Scope::PathHashPrefixes(prefixes),
            _ => return Err(serde::de::Error::custom("a delegation has either `paths` or `path_hash_prefixes`")),
        };
        let keys = RoleKeys::new(fields.keyids, fields.threshold).map_err(serde::de::Error::custom)?;
        Ok(DelegatedRole { name: fields.name, keys, terminating: fields.terminating, scope })
    }
}

impl DelegatedRole {
    /// Whether the delegation covers the target `path`.
    pub fn covers(&self, path: &str) -> bool {
        match &self.scope {
            Scope::Paths(patterns) => patterns.iter().any(|pattern| pattern_matches(pattern, path)),
            Scope::PathHashPrefixes(prefixes) => {
                let hash = hex::encode(Sha256::digest(path.as_bytes()));
                prefixes.iter().any(|prefix| hash.starts_with(prefix.as_str()))
            }
        }
    }
}

/// Shell-style match, segment by segment: wildcards never match `/`; case matters (TUF 1.0.34 section 4.5, PATHPATTERN).
pub(crate) fn pattern_matches(pattern: &str, path: &str) -> bool {
    let (patterns, segments): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    patterns.len() == segments.len() && patterns.iter().zip(&segments).all(|(pattern, segment)| segment_matches(pattern, segment))
}

/// `*` is any run, `?` any one character. Greedy with one point to go back to: no recursion, no memory.
fn segment_matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // What follows the last `*`, and the text from where on it was tried.
    let mut retry = None;
    loop {
        let text_before = text.clone();
        match (pattern.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                retry = Some((pattern.clone(), text_before.clone()));
                text = text_before;
            }
            (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {}
            _ => {
                let Some((after_star, from)) = retry.take() else { return false };
                // The `*` takes one character more than it did.
                let mut further = from;
                if further.next().is_none() {
                    return false;
                }
                pattern = after_star.clone();
                text = further.clone();
                retry = Some((after_star, further));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition: what may follow, tried in full.
    fn by_definition(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=text.len()).any(|taken| by_definition(rest, &text[taken..])),
            (['?', pattern @ ..], [_, text @ ..]) => by_definition(pattern, text),
            ([wanted, pattern @ ..], [found, text @ ..]) => wanted == found && by_definition(pattern, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_segment_matches_as_the_definition_says(pattern in "[ab*?é]{0,8}", text in "[abé]{0,10}") {
            let characters = |text: &str| text.chars().collect::<Vec<char>>();
            prop_assert_eq!(segment_matches(&pattern, &text), by_definition(&characters(&pattern), &characters(&text)), "{} {}", pattern, text);
        }
    }

    #[test]
    fn w24_wildcards_stay_within_a_segment() {
        for (pattern, path) in [
            ("windows/*/*/*", "windows/smartclient/x86_64/stable.json"),
            ("*", "a"),
            ("a?c", "abc"),
            ("*.json", "x.json"),
            ("a*b*c", "axxbyyc"),
            ("**", "x"),
            ("", ""),
        ] {
            assert!(pattern_matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("windows/*/*/*", "linux/a/b/c"),
            ("windows/*/*/*", "windows/a/b/c/d"),
            ("*", "a/b"),
            ("a?c", "a/c"),
            ("windows/*", "Windows/x"),
            ("a*b", "axc"),
            ("?", ""),
            ("a", ""),
        ] {
            assert!(!pattern_matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn a18_a_delegation_may_not_take_the_name_of_a_top_level_role_nor_stand_twice() {
        let role = |name: &str| format!(r#"{{"name":"{name}","keyids":["k"],"threshold":1,"terminating":true,"paths":["*"]}}"#);
        let parse = |roles: String| serde_json::from_str::<Delegations>(&format!(r#"{{"keys":{{}},"roles":[{roles}]}}"#));
        assert!(parse(role("windows")).is_ok());
        assert!(parse(role("root")).is_err());
        assert!(parse(format!("{},{}", role("a"), role("a"))).is_err());
    }
}
