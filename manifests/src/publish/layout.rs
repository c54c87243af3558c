//! Where everything lies in a content repository (`docs/format.md` section 2). All paths are relative to it and `/`-separated.

use crate::digest::Digest;
use crate::name::Os;

/// Name, format: read by tools only.
pub const REPOSITORY: &str = "repository.json";
/// The only file that is ever replaced.
pub const TIMESTAMP: &str = "metadata/timestamp.json";
/// Held by a command that writes.
pub const LOCK: &str = ".lock";
/// What `gc` found unnamed, and when first.
pub const UNNAMED: &str = ".unnamed.json";
/// A root and a timestamp that are about to become visible together.
pub const UNFINISHED: &str = ".unfinished.json";
/// What the names of files that are being written begin with.
pub const TEMPORARY: &str = ".tmp-";
/// The folders that hold what is served.
pub const SERVED: [&str; 3] = ["metadata", "targets", "objects"];

/// The roles that targets delegates to, in that order.
pub fn os_roles() -> impl Iterator<Item = Os> {
    Os::ALL.iter().copied()
}

/// The file of a version of a role.
pub fn role_file(role: &str, version: u64) -> String {
    format!("metadata/{version}.{role}.json")
}

/// Version and role of a file in `metadata/`; `None` for the timestamp and for strangers.
pub fn parse_role_file(name: &str) -> Option<(u64, &str)> {
    let (version, role) = name.strip_suffix(".json")?.split_once('.')?;
    let canonical = !version.starts_with('0') && version.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && !role.is_empty()).then(|| version.parse().ok().map(|version| (version, role))).flatten()
}

/// The file of a target under consistent snapshots: the hash goes before the last component.
pub fn target_file(target_path: &str, digest: &Digest) -> String {
    match target_path.rsplit_once('/') {
        Some((folder, name)) => format!("targets/{folder}/{digest}.{name}"),
        None => format!("targets/{digest}.{target_path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_files_read_back_and_strangers_do_not() {
        assert_eq!(parse_role_file("12.snapshot.json"), Some((12, "snapshot")));
        assert_eq!(role_file("root", 1), "metadata/1.root.json");
        for name in ["timestamp.json", "01.root.json", "x.root.json", "1.root", "1..json", "-1.root.json", "99999999999999999999.root.json"]
        {
            assert_eq!(parse_role_file(name), None, "{name}");
        }
    }

    #[test]
    fn the_hash_of_a_target_goes_before_its_last_component() {
        let digest = Digest::of(b"");
        assert_eq!(target_file("policy.json", &digest), format!("targets/{digest}.policy.json"));
        assert_eq!(target_file("linux/p/any/stable.json", &digest), format!("targets/linux/p/any/{digest}.stable.json"));
    }
}
