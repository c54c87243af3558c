//! What a rollback does to each path. Pure.
//!
//! Only managed paths are dealt with: those that the installed release or the one in the backup put there. They become what the backup holds, or go when it holds nothing there. Whatever else
//! is in the folder stays, and so does a configuration file that its user has changed.

use std::collections::{BTreeMap, BTreeSet};

use manifests::path::RelPath;
use manifests::release::ConfigPolicy;

use crate::fs::LocalPath;
use crate::installed::{Installed, InstalledFile};
use crate::swap::operation::{FileIdentity, Identity};

/// What lies at a live path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Have {
    Nothing,
    Folder,
    Leaf(Identity),
    /// Something that no swap handles.
    Other,
}

/// What happens to a managed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Move {
    /// It is as in the backup already, or it is not ours.
    Stay,
    /// It stays as its user has it.
    KeepUsers,
    /// The file or link of the backup comes, in place of `old`.
    Restore { old: Option<Identity>, new: Identity, replaces_folder: bool },
    /// The file gets time and mode of the backup's.
    Set { old: FileIdentity, new: FileIdentity },
    /// It goes.
    Remove { old: Identity },
}

/// What happens to the path at which `have` lies, where the backup holds `wanted`. `current` is the record of the file in the installed release; `is_current` whether that release put
/// anything there.
pub(crate) fn decide(have: &Have, wanted: Option<&Identity>, current: Option<&InstalledFile>, is_current: bool) -> Move {
    if current.is_some_and(|current| is_users(have, current)) {
        return Move::KeepUsers;
    }
    match (have, wanted) {
        (Have::Leaf(old), Some(new)) if old == new => Move::Stay,
        (Have::Leaf(Identity::File(old)), Some(Identity::File(new))) if old.has_content_of(new) => Move::Set { old: *old, new: *new },
        (Have::Leaf(old), Some(new)) => Move::Restore { old: Some(old.clone()), new: new.clone(), replaces_folder: false },
        (Have::Nothing | Have::Other, Some(new)) => Move::Restore { old: None, new: new.clone(), replaces_folder: false },
        (Have::Folder, Some(new)) => Move::Restore { old: None, new: new.clone(), replaces_folder: true },
        (Have::Leaf(old), None) if is_current => Move::Remove { old: old.clone() },
        (_, None) => Move::Stay,
    }
}

/// What happens instead of `what` to a file that is called otherwise than the backup spells it: that of the backup comes, with its name, also where the content is the same.
pub(crate) fn respell(what: Move, have: &Have, wanted: Option<&Identity>) -> Move {
    match (what, have, wanted) {
        (Move::Stay | Move::Set { .. }, Have::Leaf(old), Some(new)) => {
            Move::Restore { old: Some(old.clone()), new: new.clone(), replaces_folder: false }
        }
        (what, ..) => what,
    }
}

/// Whether this is a configuration file that its user changed or deleted (`docs/format.md` section 6).
fn is_users(have: &Have, current: &InstalledFile) -> bool {
    let may_be_kept = current.policy.is_some_and(|policy| policy != ConfigPolicy::Overwrite);
    let is_released = matches!(have, Have::Leaf(Identity::File(file)) if (file.size, file.sha256) == (current.size, current.sha256));
    may_be_kept && !is_released
}

/// The paths that a rollback deals with: what `current` and `earlier` put there.
pub(crate) fn managed(current: Option<&Installed>, earlier: Option<&Installed>, wanted: &BTreeMap<RelPath, Identity>) -> BTreeSet<RelPath> {
    let of = |installed: &Installed| {
        let files = installed.files.iter().map(|file| file.path.clone());
        files.chain(installed.links.iter().map(|link| link.path.clone())).collect::<Vec<_>>()
    };
    let mut paths: BTreeSet<RelPath> = current.into_iter().flat_map(of).collect();
    match earlier {
        Some(earlier) => paths.extend(of(earlier)),
        // Nobody can say what of a foreign backup was managed: all of it comes back.
        None => paths.extend(wanted.keys().cloned()),
    }
    paths
}

/// The folders that can go, deepest first: those that led to what is removed, or were the release's own, and that the backup does not have.
pub(crate) fn folders_to_remove(current: Option<&Installed>, removed: &[RelPath], kept_in_backup: &BTreeSet<LocalPath>) -> Vec<RelPath> {
    let own = current.into_iter().flat_map(|current| &current.folders);
    let candidates = removed.iter().flat_map(RelPath::parents).chain(own.flat_map(|folder| folder.parents().chain([folder.clone()])));
    let gone: BTreeSet<RelPath> = candidates.filter(|path| !kept_in_backup.contains(&path.into())).collect();
    gone.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifests::digest::Digest;
    use manifests::time::FileTime;

    fn file(content: &str, mtime: i64) -> FileIdentity {
        FileIdentity { size: content.len() as u64, mtime: FileTime::clamped(mtime), mode: 0o644, sha256: Digest::of(content.as_bytes()) }
    }

    fn leaf(content: &str) -> Have {
        Have::Leaf(Identity::File(file(content, 1)))
    }

    fn installed(content: &str, policy: ConfigPolicy) -> InstalledFile {
        let FileIdentity { size, mtime, mode, sha256 } = file(content, 1);
        InstalledFile {
            path: "a".parse().unwrap(),
            size,
            as_set: mtime,
            as_read: Some(mtime),
            mode,
            policy: Some(policy),
            sha256,
            is_listed: true,
        }
    }

    #[test]
    fn a_managed_path_becomes_what_the_backup_holds() {
        let (current, wanted) = (installed("new", ConfigPolicy::Overwrite), Identity::File(file("old", 1)));
        let decide = |have: &Have, wanted: Option<&Identity>| super::decide(have, wanted, Some(&current), true);
        assert!(matches!(decide(&leaf("new"), Some(&wanted)), Move::Restore { old: Some(_), .. }));
        assert!(matches!(decide(&leaf("changed by its user"), Some(&wanted)), Move::Restore { old: Some(_), .. }));
        assert!(matches!(decide(&Have::Nothing, Some(&wanted)), Move::Restore { old: None, .. }));
        assert_eq!(decide(&leaf("old"), Some(&wanted)), Move::Stay);
        assert!(matches!(decide(&leaf("old"), Some(&Identity::File(file("old", 2)))), Move::Set { .. }));
        assert!(matches!(decide(&leaf("new"), None), Move::Remove { .. }));
        assert!(matches!(decide(&Have::Folder, Some(&wanted)), Move::Restore { replaces_folder: true, .. }));
    }

    #[test]
    fn ac_56_a_file_that_is_called_otherwise_gets_the_name_in_the_backup_and_a_users_config_file_stays() {
        let (have, same, later) = (leaf("old"), Identity::File(file("old", 1)), Identity::File(file("old", 2)));
        for wanted in [&same, &later] {
            let what = respell(decide(&have, Some(wanted), None, true), &have, Some(wanted));
            assert!(matches!(what, Move::Restore { old: Some(_), .. }), "{what:?}");
        }
        assert_eq!(respell(Move::KeepUsers, &have, Some(&same)), Move::KeepUsers);
        assert_eq!(respell(Move::Stay, &have, None), Move::Stay);
    }

    #[test]
    fn ac_06_what_is_not_ours_stays() {
        assert_eq!(super::decide(&leaf("mine"), None, None, false), Move::Stay);
        assert_eq!(super::decide(&Have::Folder, None, None, true), Move::Stay);
    }

    #[test]
    fn ac_48_a_configuration_file_that_its_user_changed_or_deleted_stays_so() {
        let wanted = Identity::File(file("old", 1));
        for policy in [ConfigPolicy::Keep, ConfigPolicy::NewBeside, ConfigPolicy::Merge] {
            let current = installed("new", policy);
            for have in [leaf("mine"), Have::Nothing] {
                assert_eq!(super::decide(&have, Some(&wanted), Some(&current), true), Move::KeepUsers);
                assert_eq!(super::decide(&have, None, Some(&current), true), Move::KeepUsers);
            }
            assert!(matches!(super::decide(&leaf("new"), Some(&wanted), Some(&current), true), Move::Restore { .. }));
        }
    }
}
