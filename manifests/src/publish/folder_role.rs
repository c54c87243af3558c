//! The role of a self-publishing folder: one key that lies with the server, for one channel document and nothing else.
//!
//! Such a role stands in the delegations of `targets` before the roles of the operating systems, terminating, with the exact path of its channel document as its only pattern. So a station's
//! search (TUF 1.0.34 section 5.6.7) asks this role alone for that path, and never for any other: what its thief can sign is releases of this one channel (`docs/security.md`).

use crate::digest::Digest;
use crate::name::{ChannelId, Name};
use crate::role::RoleKeys;
use crate::targets::{DelegatedRole, Scope};

/// What the names of these roles begin with; no operating system is called so.
const PREFIX: &str = "folder.";

/// The name of the role for `id`: `folder.windows.smartclient.any.stable`, or, where that would be ambiguous or no [`Name`], the OS and the beginning of the digest of the path. It is a file name on every
/// OS, like that of any role.
pub fn name(id: &ChannelId) -> String {
    let ChannelId { os, product, arch, variant, channel } = id;
    let plain = format!("{PREFIX}{os}.{product}.{arch}.{channel}");
    let is_plain = variant.is_none() && ![product, channel].iter().any(|name| name.as_str().contains('.'));
    if is_plain && plain.parse::<Name>().is_ok() {
        return plain;
    }
    let digest = Digest::of(id.target_path().as_bytes()).to_hex();
    format!("{PREFIX}{os}.{}", digest.get(..16).unwrap_or_default())
}

/// Whether a role of this name is a folder's.
pub fn is_folder(role: &str) -> bool {
    role.starts_with(PREFIX)
}

/// The delegation for `id`, without keys yet.
pub(super) fn delegation(id: &ChannelId) -> DelegatedRole {
    let keys = RoleKeys { keyids: vec![], threshold: std::num::NonZeroU64::MIN };
    DelegatedRole { name: name(id), keys, terminating: true, scope: Scope::Paths(vec![id.target_path()]) }
}

/// The channel that a delegated role publishes by itself; `None` when it is no folder's, or has not the shape of one.
pub fn channel_of(delegated: &DelegatedRole) -> Option<ChannelId> {
    let Scope::Paths(paths) = &delegated.scope else { return None };
    let [path] = paths.as_slice() else { return None };
    let id = ChannelId::from_target_path(path).ok()?;
    (delegated.terminating && delegated.name == name(&id) && id.target_path() == *path).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(path: &str) -> ChannelId {
        ChannelId::from_target_path(path).unwrap()
    }

    #[test]
    fn every_channel_has_a_role_of_its_own_whose_name_is_a_file_name() {
        let paths = [
            "windows/smartclient/any/stable.json",
            "windows/smartclient/any/beta.json",
            "windows/a/any/b.any.c.json",
            "windows/a.any.b/any/c.json",
            "windows/a/any+imMW_Face/c.json",
            "windows/a/any+immw_face/c.json",
            &format!("linux/{}/x86_64/{}.json", "p".repeat(64), "c".repeat(64)),
        ];
        let names: std::collections::BTreeSet<String> = paths.iter().map(|path| name(&id(path))).collect();
        assert_eq!(names.len(), paths.len(), "{names:?}");
        assert!(names.contains("folder.windows.smartclient.any.stable"));
        assert!(names.iter().all(|name| is_folder(name) && name.parse::<Name>().is_ok()), "{names:?}");
    }

    #[test]
    fn a_delegation_is_a_folders_only_in_its_exact_shape() {
        let whole = delegation(&id("windows/smartclient/any/stable.json"));
        assert_eq!(channel_of(&whole), Some(id("windows/smartclient/any/stable.json")));
        assert!(whole.covers("windows/smartclient/any/stable.json") && !whole.covers("windows/smartclient/any/beta.json"));
        for other in [
            DelegatedRole { terminating: false, ..whole.clone() },
            DelegatedRole { name: "windows".into(), ..whole.clone() },
            DelegatedRole { scope: Scope::Paths(vec!["windows/smartclient/any/*".into()]), ..whole.clone() },
            DelegatedRole { scope: Scope::Paths(vec!["windows/smartclient/any/beta.json".into()]), ..whole.clone() },
            DelegatedRole { scope: Scope::PathHashPrefixes(vec!["".into()]), ..whole },
        ] {
            assert_eq!(channel_of(&other), None, "{other:?}");
        }
    }
}
