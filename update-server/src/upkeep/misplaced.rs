//! Keys that a server should not hold: of roles that commit to what stations install.
//!
//! A server signs with the keys of snapshot and timestamp alone, whatever else lies in its folder. But who steals the server has what lies there, so a
//! key of root, targets or an operating system is told of, loudly. Key files are known by their names and by the public key they hold, which is in the
//! clear even in an encrypted one; nothing is decrypted here.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use manifests::publish::custody::stays_with_server;
use manifests::publish::keys::could_be_key;
use manifests::publish::view::View;
use serde::Deserialize;

/// A key of a role that is signed elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfflineKey {
    role: String,
    id: String,
    public: String,
}

/// The keys of the offline roles of a repository.
pub fn offline_keys(view: &View) -> Vec<OfflineKey> {
    let tables = || std::iter::once(&view.root.keys).chain(view.targets.delegations.iter().map(|delegations| &delegations.keys));
    let roles = view.headers().into_iter().map(|(role, ..)| role).filter(|role| !stays_with_server(role));
    roles
        .flat_map(|role| {
            let ids = view.keys_of(&role).map(|keys| keys.keyids.clone()).unwrap_or_default();
            ids.into_iter().map(move |id| (role.clone(), id))
        })
        .filter_map(|(role, id)| {
            let key = tables().find_map(|table| table.get(&id))?;
            Some(OfflineKey { role, id: id.to_string(), public: key.public().to_owned() })
        })
        .collect()
}

/// The roles of those of `keys` that have a file in `folder`, in order, none twice.
pub fn misplaced(keys: &[OfflineKey], folder: &Path) -> io::Result<Vec<String>> {
    let mut here: BTreeSet<String> = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        here.extend(name.split('.').next().map(str::to_owned));
        here.extend(public_key(&entry.path()));
    }
    let mut roles: Vec<String> =
        keys.iter().filter(|key| here.contains(&key.id) || here.contains(&key.public)).map(|key| key.role.clone()).collect();
    roles.dedup();
    Ok(roles)
}

/// The public key that a key file names; `None` for everything else, and for what cannot be read, with which nobody signs from here.
fn public_key(path: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Claim {
        public: String,
    }
    if !path.symlink_metadata().ok()?.is_file() {
        return None;
    }
    let bytes = could_be_key(path).ok()??;
    serde_json::from_slice::<Claim>(&bytes).ok().map(|claim| claim.public)
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifests::name::Name;
    use manifests::publish::Repository;
    use std::fs;

    #[test]
    fn keys_of_offline_roles_are_found_under_any_name_and_those_of_online_roles_are_not() {
        let temp = tempfile::tempdir().unwrap();
        let name: Name = "acme".parse().unwrap();
        let repository = Repository::init(&temp.path().join("acme"), &name, None, "2026-11-21T10:00:00Z".parse().unwrap()).unwrap();
        let view = repository.view().unwrap();
        let keys = offline_keys(&view);
        let folder = temp.path().join("online");
        fs::create_dir(&folder).unwrap();
        let take = |role: &str, to: &str| {
            let id = &view.keys_of(role).unwrap().keyids[0];
            fs::copy(temp.path().join(format!("acme.keys/{id}.json")), folder.join(to.replace("ID", id.as_str()))).unwrap();
        };
        take("snapshot", "ID.json");
        take("timestamp", "ID.json");
        assert_eq!(misplaced(&keys, &folder).unwrap(), [""; 0]);
        take("windows", "renamed.txt");
        fs::write(folder.join("note"), "no key").unwrap();
        assert_eq!(misplaced(&keys, &folder).unwrap(), ["windows"]);
        // An encrypted key file may be no JSON at all.
        let id = &view.keys_of("root").unwrap().keyids[0];
        fs::write(folder.join(format!("{id}.json.age")), [0xff; 9000]).unwrap();
        assert_eq!(misplaced(&keys, &folder).unwrap(), ["root", "windows"]);
        assert!(misplaced(&keys, &temp.path().join("nothing")).is_err());
    }
}
