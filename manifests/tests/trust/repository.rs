//! A repository in memory: roles as typed values, keys grown from names, and signatures by whoever a test wants to have signed.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use manifests::digest::Digest;
use manifests::key::KeyId;
use manifests::role::{Header, MetaFile, RoleKeys};
use manifests::root::{Root, TopLevelRoles};
use manifests::signed::Envelope;
use manifests::signer::{Ed25519Signer, Signer};
use manifests::snapshot::Snapshot;
use manifests::targets::{DelegatedRole, Delegations, Scope, TargetFile, Targets};
use manifests::time::UtcTime;
use manifests::timestamp::{Timestamp, TimestampMeta};
use serde::Serialize;
use serde_json::Value;

/// The time of every check.
pub(crate) fn now() -> UtcTime {
    "2026-11-21T10:00:00Z".parse().expect("a time")
}

/// A version.
pub(crate) fn version(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).expect("a version from 1")
}

/// The private key that grows from `name`.
pub(crate) fn signer(name: &str) -> Ed25519Signer {
    Ed25519Signer::from_seed(&(*Digest::of(name.as_bytes()).as_bytes()).into())
}

/// The id of the key `name`.
pub(crate) fn key_id(name: &str) -> KeyId {
    signer(name).key_id()
}

/// The keys `names`, `threshold` of which must sign.
pub(crate) fn role_keys(names: &[&str], threshold: u64) -> RoleKeys {
    RoleKeys::new(names.iter().map(|name| key_id(name)).collect(), version(threshold)).expect("no key twice")
}

/// The file with `content`, signed by the keys `names`.
pub(crate) fn sign(content: &impl Serialize, names: &[&str]) -> Vec<u8> {
    let signers: Vec<Ed25519Signer> = names.iter().map(|name| signer(name)).collect();
    let signers: Vec<&dyn Signer> = signers.iter().map(|signer| signer as &dyn Signer).collect();
    Envelope::sign(content, &signers).expect("signed in memory")
}

/// The file with `content` after `edit`, signed by the keys `names`: what the holders of these keys can make of it, whatever our types allow.
pub(crate) fn sign_edited(content: &impl Serialize, names: &[&str], edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value = serde_json::to_value(content).expect("JSON");
    edit(&mut value);
    sign(&value, names)
}

/// `file` after `edit`, with the signatures it had.
pub(crate) fn edit_file(file: &[u8], edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value = serde_json::from_slice(file).expect("JSON");
    edit(&mut value);
    serde_json::to_vec(&value).expect("JSON")
}

/// A delegation to `role`, all of whose keys `names` must sign; not terminating.
pub(crate) fn delegated(role: &str, names: &[&str], patterns: &[&str]) -> DelegatedRole {
    let keys = role_keys(names, names.len() as u64);
    let scope = Scope::Paths(patterns.iter().map(|pattern| (*pattern).to_owned()).collect());
    DelegatedRole { name: role.to_owned(), keys, terminating: false, scope }
}

/// Delegations to `roles` with the keys `names` in the table.
pub(crate) fn delegations(names: &[&str], roles: Vec<DelegatedRole>) -> Option<Delegations> {
    let keys = names.iter().map(|name| (key_id(name), signer(name).key().clone())).collect();
    Some(Delegations { keys, roles })
}

/// A targets role that lists `paths`, each with its own text as content.
pub(crate) fn targets_of(paths: &[&str]) -> Targets {
    let targets = paths.iter().map(|path| ((*path).to_owned(), TargetFile::of(path.as_bytes()))).collect();
    Targets { header: Header::new("targets", version(1), now().plus_days(365)), targets, delegations: None }
}

/// The roles of a repository. A test changes whatever it likes and then signs with [`Repository::files`].
#[derive(Clone)]
pub(crate) struct Repository {
    pub(crate) root: Root,
    pub(crate) timestamp: Timestamp,
    pub(crate) snapshot: Snapshot,
    pub(crate) targets: Targets,
    pub(crate) delegated: BTreeMap<String, Targets>,
    /// Who signs each role; a role that is not here is signed by the key of its own name.
    pub(crate) signed_by: BTreeMap<String, Vec<String>>,
    /// Files that are served as they are in place of a role's, and listed by what is above them.
    pub(crate) replaced: BTreeMap<String, Vec<u8>>,
    /// Whether snapshot and timestamp list length and hashes, which the specification leaves open.
    pub(crate) lists_hashes: bool,
}

/// The files of a repository at one moment, as served.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) root: Vec<u8>,
    pub(crate) timestamp: Vec<u8>,
    pub(crate) snapshot: Vec<u8>,
    pub(crate) targets: Vec<u8>,
    pub(crate) delegated: BTreeMap<String, Vec<u8>>,
}

/// A target of the role `windows`.
pub(crate) const WINDOWS: &str = "windows/smartclient/x86_64/stable.json";
/// A target of the role `linux`.
pub(crate) const LINUX: &str = "linux/smartclient/x86_64/stable.json";
/// A target of the top-level targets.
pub(crate) const POLICY: &str = "policy.json";

impl Repository {
    /// One key per role, named like the role; `policy.json` at the top, a channel document below each of `windows` and `linux`; all at version 1.
    pub(crate) fn new() -> Repository {
        let names = ["root", "timestamp", "snapshot", "targets"];
        let keys = names.iter().map(|name| (key_id(name), signer(name).key().clone())).collect();
        let [root, timestamp, snapshot, targets] = names.map(|name| role_keys(&[name], 1));
        let header = |kind, days| Header::new(kind, version(1), now().plus_days(days));
        let unlisted = MetaFile { version: version(1), length: None, hashes: None };
        let os_role = |os: &str| DelegatedRole { terminating: true, ..delegated(os, &[os], &[&format!("{os}/*/*/*")]) };
        Repository {
            root: Root {
                header: header("root", 365),
                consistent_snapshot: true,
                keys,
                roles: TopLevelRoles { root, timestamp, snapshot, targets },
            },
            timestamp: Timestamp { header: header("timestamp", 7), meta: TimestampMeta { snapshot: unlisted } },
            snapshot: Snapshot { header: header("snapshot", 30), meta: BTreeMap::new() },
            targets: Targets {
                delegations: delegations(&["windows", "linux"], vec![os_role("windows"), os_role("linux")]),
                ..targets_of(&[POLICY])
            },
            delegated: [("windows", WINDOWS), ("linux", LINUX)].map(|(os, path)| (os.to_owned(), targets_of(&[path]))).into(),
            signed_by: BTreeMap::new(),
            replaced: BTreeMap::new(),
            lists_hashes: true,
        }
    }

    /// Lets the keys `names` sign `role` from now on.
    pub(crate) fn sign_with(&mut self, role: &str, names: &[&str]) {
        self.signed_by.insert(role.to_owned(), names.iter().map(|name| (*name).to_owned()).collect());
    }

    /// Makes the keys `names` those of a top-level role, `threshold` of which must sign.
    pub(crate) fn set_keys(&mut self, role: &str, names: &[&str], threshold: u64) {
        for name in names {
            self.root.keys.insert(key_id(name), signer(name).key().clone());
        }
        let roles = &mut self.root.roles;
        let place = match role {
            "root" => &mut roles.root,
            "timestamp" => &mut roles.timestamp,
            "snapshot" => &mut roles.snapshot,
            "targets" => &mut roles.targets,
            other => panic!("`{other}` is no top-level role"),
        };
        *place = role_keys(names, threshold);
        self.sign_with(role, names);
    }

    /// Signs everything as it is: snapshot and timestamp list what is below them.
    pub(crate) fn files(&mut self) -> Files {
        let delegated: BTreeMap<_, _> =
            self.delegated.iter().map(|(role, content)| (role.clone(), self.sign_role(role, content))).collect();
        let targets = self.sign_role("targets", &self.targets);
        let below = delegated.iter().map(|(role, file)| (role.as_str(), file, self.delegated[role].header.version));
        self.snapshot.meta = below
            .chain([("targets", &targets, self.targets.header.version)])
            .map(|(role, file, version)| (format!("{role}.json"), self.listed(file, version)))
            .collect();
        let snapshot = self.sign_role("snapshot", &self.snapshot);
        self.timestamp.meta.snapshot = self.listed(&snapshot, self.snapshot.header.version);
        let timestamp = self.sign_role("timestamp", &self.timestamp);
        Files { root: self.sign_role("root", &self.root), timestamp, snapshot, targets, delegated }
    }

    /// Gives every role but root the next version and signs everything.
    pub(crate) fn publish(&mut self) -> Files {
        let below = [&mut self.targets.header, &mut self.snapshot.header, &mut self.timestamp.header];
        for header in below.into_iter().chain(self.delegated.values_mut().map(|content| &mut content.header)) {
            header.version = header.version.checked_add(1).expect("a next version");
        }
        self.files()
    }

    /// Changes the root, which becomes the next version, and signs it with the keys `names`.
    pub(crate) fn next_root(&mut self, names: &[&str]) -> Vec<u8> {
        self.root.header.version = self.root.header.version.checked_add(1).expect("a next version");
        sign(&self.root, names)
    }

    /// The names of the keys that sign `role`.
    pub(crate) fn signers<'a>(&'a self, role: &'a str) -> Vec<&'a str> {
        match self.signed_by.get(role) {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => vec![role],
        }
    }

    fn sign_role(&self, role: &str, content: &impl Serialize) -> Vec<u8> {
        self.replaced.get(role).cloned().unwrap_or_else(|| sign(content, &self.signers(role)))
    }

    /// What is said of `file` in the role above it.
    pub(crate) fn listed(&self, file: &[u8], version: NonZeroU64) -> MetaFile {
        match self.lists_hashes {
            true => MetaFile::of(file, version),
            false => MetaFile { version, length: None, hashes: None },
        }
    }
}
