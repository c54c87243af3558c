//! Makes a new repository: keys, an empty role for every OS, and a policy.
//!
//! The timestamp is written last, so a repository exists wholly or not at all; an `init` that was cut short is simply run again.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroU64;
use std::path::Path;
use std::time::Duration;

use super::change::Change;
use super::commit::{self, CommitError};
use super::disk::{Disk, failed};
use super::keys::KeyFolder;
use super::lock::Lock;
use super::proposal::Proposal;
use super::signers::Signers;
use super::versions::lifetime_days;
use super::view::View;
use super::{Description, PublishError, Repository, layout};
use crate::canonical;
use crate::channel::FORMAT;
use crate::digest::Digest;
use crate::install_link::RootPin;
use crate::name::Name;
use crate::policy::{Custody, POLICY_PATH, Policy};
use crate::publish::progress::Silent;
use crate::role::{HasHeader, Header, KeyTable, RoleKeys};
use crate::root::{Root, TopLevelRoles};
use crate::signed::Envelope;
use crate::signer::{Ed25519Signer, Signer};
use crate::snapshot::Snapshot;
use crate::targets::{DelegatedRole, Delegations, Scope, Targets};
use crate::time::UtcTime;
use crate::timestamp::Timestamp;
use crate::trust::TARGETS;

/// Most keys of a role: as many as a signed root may have signatures ([`crate::limits::Limits`]), halved, for a root is signed by the keys before it, too.
pub(super) const MOST_KEYS: usize = 32;

impl Repository {
    /// Makes the repository `name` at `path`, a new or empty folder, with one new key for every role in `keys` (`<repo>.keys` beside it when absent).
    ///
    /// All keys lie on this machine then, which is what its policy says of them.
    pub fn init(path: &Path, name: &Name, keys: Option<&Path>, now: UtcTime) -> Result<Repository, PublishError> {
        Repository::init_with(path, name, |path| keys.map_or_else(|| KeyFolder::beside(path), KeyFolder::new), RootKeys::ONE, now)
    }

    /// As [`Repository::init`], in the key folder that `keys` gives for the repository's absolute path: one that encrypts what it makes, for instance. Root gets
    /// the keys that `root` says; all other roles get one.
    pub fn init_with(
        path: &Path,
        name: &Name,
        keys: impl FnOnce(&Path) -> KeyFolder,
        root: RootKeys,
        now: UtcTime,
    ) -> Result<Repository, PublishError> {
        if name.as_str().ends_with(".keys") {
            return Err(PublishError::KeysName(name.clone()));
        }
        fs::create_dir_all(path).map_err(failed("make", path))?;
        let path = fs::canonicalize(path).map_err(failed("find", path))?;
        let keys = keys(&path);
        refuse_occupied(&path)?;
        let _lock = Lock::take(&path, "init", Duration::ZERO, &Silent)?;
        keys.create()?;
        if fs::canonicalize(keys.path()).map_err(failed("find", keys.path()))?.starts_with(&path) {
            return Err(PublishError::KeysInside(path));
        }
        let disk = Disk::new(&path);
        let unfinished = disk.path(layout::REPOSITORY).exists();
        disk.put(layout::REPOSITORY, &canonical::to_stored(&Description { format: FORMAT, name: name.clone() })?)?;
        let mut made = BTreeMap::new();
        for role in roles() {
            let count = if role == Root::KIND { root.count } else { 1 };
            made.insert(role.clone(), keys_for(&keys, &role, count, unfinished)?);
        }
        write_roles(&disk, name, made, root, now)?;
        Ok(Repository { keys, ..Repository::open(&path, None)? })
    }
}

/// How many keys root has, and how many of them must sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootKeys {
    count: usize,
    threshold: NonZeroU64,
}

impl RootKeys {
    /// One key, which signs alone.
    pub const ONE: RootKeys = RootKeys { count: 1, threshold: NonZeroU64::MIN };

    /// `count` keys of which `threshold` must sign; `None` when that is impossible, or more than a root holds.
    pub fn new(count: usize, threshold: u64) -> Option<RootKeys> {
        let threshold = NonZeroU64::new(threshold).filter(|threshold| threshold.get() <= count as u64)?;
        (count <= MOST_KEYS).then_some(RootKeys { count, threshold })
    }
}

/// Every role of a content repository.
fn roles() -> impl Iterator<Item = String> {
    [Root::KIND, TARGETS, Snapshot::KIND, Timestamp::KIND].into_iter().map(str::to_owned).chain(layout::os_roles().map(|os| os.to_string()))
}

/// New keys, or those that an unfinished `init` left.
fn keys_for(keys: &KeyFolder, role: &str, count: usize, unfinished: bool) -> Result<Vec<Ed25519Signer>, PublishError> {
    let mut made = if unfinished { keys.made_for(role)? } else { vec![] };
    made.truncate(count);
    while made.len() < count {
        made.push(keys.generate(role)?);
    }
    Ok(made)
}

/// Refuses a folder that is a repository or holds something else; what an unfinished `init` left is neither.
fn refuse_occupied(path: &Path) -> Result<(), PublishError> {
    match Repository::open(path, None) {
        Ok(repository) if repository.disk.path(layout::TIMESTAMP).exists() => {
            Err(PublishError::AlreadyARepository { path: path.to_owned(), name: repository.name })
        }
        Ok(_) => Ok(()),
        Err(PublishError::NotARepository(_)) => {
            let ours =
                |name: &std::ffi::OsStr| name == layout::LOCK || name.to_str().is_some_and(|name| name.starts_with(layout::TEMPORARY));
            let entries = fs::read_dir(path).map_err(failed("list", path))?;
            let names =
                entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<Vec<_>, _>>().map_err(failed("list", path))?;
            if names.iter().all(|name| ours(name)) { Ok(()) } else { Err(PublishError::NotEmpty(path.to_owned())) }
        }
        Err(other) => Err(other),
    }
}

fn write_roles(
    disk: &Disk,
    name: &Name,
    made: BTreeMap<String, Vec<Ed25519Signer>>,
    root_keys: RootKeys,
    now: UtcTime,
) -> Result<(), PublishError> {
    let header = |kind: &str| Header::new(kind, NonZeroU64::MIN, now.plus_days(lifetime_days(kind)));
    let keys_of = |role: &str| {
        let ids = made.get(role).into_iter().flatten().map(Signer::key_id).collect();
        let threshold = if role == Root::KIND { root_keys.threshold } else { NonZeroU64::MIN };
        // Keys that were just made are all different.
        RoleKeys::new(ids, threshold).map_err(|_| CommitError::NoRole(role.to_owned()))
    };
    let table = |roles: &mut dyn Iterator<Item = &str>| -> KeyTable {
        let signers = roles.flat_map(|role| made.get(role).into_iter().flatten());
        signers.map(|signer| (signer.key_id(), signer.key().clone())).collect()
    };
    let root = Root {
        header: header(Root::KIND),
        consistent_snapshot: true,
        keys: table(&mut [Root::KIND, Timestamp::KIND, Snapshot::KIND, TARGETS].into_iter()),
        roles: TopLevelRoles {
            root: keys_of(Root::KIND)?,
            timestamp: keys_of(Timestamp::KIND)?,
            snapshot: keys_of(Snapshot::KIND)?,
            targets: keys_of(TARGETS)?,
        },
    };
    let delegated = |os: crate::name::Os| {
        let scope = Scope::Paths(vec![format!("{os}/*/*/*")]);
        Ok::<_, CommitError>(DelegatedRole { name: os.to_string(), keys: keys_of(os.as_str())?, terminating: true, scope })
    };
    let delegations = Delegations {
        keys: table(&mut layout::os_roles().map(crate::name::Os::as_str)),
        roles: layout::os_roles().map(delegated).collect::<Result<_, _>>()?,
    };
    let empty = Targets { header: header(TARGETS), targets: BTreeMap::new(), delegations: None };
    let mut policy = Policy::new(name.clone());
    policy.custody = roles().map(|role| (role, Custody::Online)).collect();

    let bytes = {
        let signers: Vec<&dyn Signer> = made.get(Root::KIND).into_iter().flatten().map(|signer| signer as &dyn Signer).collect();
        Envelope::sign(&root, &signers).map_err(|source| CommitError::Sign { role: Root::KIND.to_owned(), source })?
    };
    disk.put(&layout::role_file(Root::KIND, root.version()), &bytes)?;
    let view = View {
        root_pin: RootPin { version: root.version(), sha256: Digest::of(&bytes), length: bytes.len() as u64 },
        root,
        timestamp: None,
        snapshot: None,
        delegated: layout::os_roles().map(|os| (os.to_string(), empty.clone())).collect(),
        targets: Targets { delegations: Some(delegations), ..empty },
        channels: BTreeMap::new(),
        named: vec![],
        policy: policy.clone(),
    };
    let change = Change {
        documents: [(POLICY_PATH.to_owned(), policy.to_bytes()?)].into(),
        renewed: layout::os_roles().map(|os| os.to_string()).chain([TARGETS.to_owned()]).collect(),
        ..Change::default()
    };
    let mut signers = Signers::default();
    made.into_values().flatten().for_each(|signer| signers.add(signer));
    let mut proposal = Proposal::compose(disk, &view, &change, now)?;
    proposal.sign(&signers)?;
    commit::commit(disk, &proposal, None, &signers, now)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> UtcTime {
        UtcTime::from_unix(1_800_000_000)
    }

    #[test]
    fn a_new_repository_verifies_and_says_where_its_keys_are() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("acme");
        let repository = Repository::init(&path, &"acme".parse().unwrap(), None, now()).unwrap();
        let view = repository.view().unwrap();
        assert_eq!((view.root_pin.version, view.policy.online_roles().count(), view.delegated.len()), (1, 9, 5));
        assert_eq!(fs::read_dir(outer.path().join("acme.keys")).unwrap().count(), 9);
        assert!(view.headers().iter().all(|(role, version, _)| role == "root" || *version == 1_800_000_000));
    }

    #[test]
    fn a_second_init_and_a_folder_in_use_are_refused() {
        let outer = tempfile::tempdir().unwrap();
        let name = "acme".parse().unwrap();
        let path = outer.path().join("acme");
        Repository::init(&path, &name, None, now()).unwrap();
        assert!(matches!(Repository::init(&path, &name, None, now()), Err(PublishError::AlreadyARepository { .. })));
        fs::create_dir(outer.path().join("used")).unwrap();
        fs::write(outer.path().join("used/x"), b"").unwrap();
        assert!(matches!(Repository::init(&outer.path().join("used"), &name, None, now()), Err(PublishError::NotEmpty(_))));
        assert!(fs::exists(outer.path().join("used/x")).unwrap() && !fs::exists(outer.path().join("used.keys")).unwrap());
        let inside = outer.path().join("new");
        assert!(matches!(Repository::init(&inside, &name, Some(&inside.join("keys")), now()), Err(PublishError::KeysInside(_))));
        assert!(matches!(Repository::init(&inside, &"a.keys".parse().unwrap(), None, now()), Err(PublishError::KeysName(_))));
    }

    #[test]
    fn an_init_that_was_cut_short_is_ended_by_the_next() {
        let outer = tempfile::tempdir().unwrap();
        let (path, name) = (outer.path().join("acme"), "acme".parse().unwrap());
        Repository::init(&path, &name, None, now()).unwrap();
        fs::remove_file(path.join(layout::TIMESTAMP)).unwrap();
        let repository = Repository::init(&path, &name, None, now().plus_days(1)).unwrap();
        repository.view().unwrap();
        assert_eq!(fs::read_dir(repository.keys().path()).unwrap().count(), 9);
    }
}
