//! Which version a role gets next, and until when it is valid (`docs/format.md` section 2).
//!
//! Roots go up by one. All others also follow the clock, so that a repository restored from a backup is not taken for a rollback.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use super::commit::CommitError;
use super::disk::{Disk, DiskError};
use super::layout;
use crate::role::{HasHeader as _, Header};
use crate::root::Root;
use crate::snapshot::Snapshot;
use crate::time::UtcTime;
use crate::timestamp::Timestamp;

/// Days that a role is valid after it was signed (design section 4).
pub fn lifetime_days(role: &str) -> i64 {
    match role {
        Timestamp::KIND => 7,
        Snapshot::KIND => 30,
        _ => 365,
    }
}

/// Gives out versions.
pub(super) struct Versions {
    now: UtcTime,
    restart: bool,
    highest: BTreeMap<String, u64>,
}

impl Versions {
    /// Versions above this are nobody's honest work: from here on, one by one, a thief could bring a role to the last version there is.
    const HIGHEST_HONEST: u64 = 1 << 52;

    /// Versions at `now`; with `restart`, stations forget those that they have seen.
    pub(super) fn new(disk: &Disk, now: UtcTime, restart: bool) -> Result<Versions, DiskError> {
        Ok(Versions { now, restart, highest: highest_versions(disk)? })
    }

    /// The header of the next root.
    pub(super) fn root_header(&self, last: u64) -> Result<Header, CommitError> {
        let version = last.checked_add(1).and_then(NonZeroU64::new).filter(|version| version.get() < 1 << 53);
        Ok(self.valid(Root::KIND, Root::KIND, version.ok_or_else(|| CommitError::Version(Root::KIND.to_owned()))?))
    }

    /// The header of the next version of a role, `kind` being its `_type` and `listed` the version that stations know.
    pub(super) fn header(&self, role: &str, kind: &str, listed: u64) -> Result<Header, CommitError> {
        let clock = u64::try_from(self.now.unix()).unwrap_or(0);
        let on_disk = self.highest.get(role).copied().unwrap_or(0);
        let last = match listed <= Self::HIGHEST_HONEST {
            true => listed.max(on_disk),
            false if self.restart => on_disk,
            false => return Err(CommitError::RunAway { role: role.to_owned(), version: listed }),
        };
        let version = NonZeroU64::new(last.saturating_add(1).max(clock)).ok_or_else(|| CommitError::Version(role.to_owned()))?;
        Ok(self.valid(role, kind, version))
    }

    /// Refuses a version that would leave no room for later ones.
    pub(super) fn refuse_run_away(role: &str, version: u64) -> Result<(), CommitError> {
        if role != Root::KIND && version > Self::HIGHEST_HONEST {
            return Err(CommitError::RunAway { role: role.to_owned(), version });
        }
        Ok(())
    }

    /// Whether somebody has driven `version` so high that stations have to forget it.
    pub(super) fn has_run_away(version: u64) -> bool {
        version > Self::HIGHEST_HONEST
    }

    fn valid(&self, role: &str, kind: &str, version: NonZeroU64) -> Header {
        Header::new(kind, version, self.now.plus_days(lifetime_days(role)))
    }
}

/// The highest version of each role that has a file, whether anything names it or not. A file that is far ahead is a thief's; its number is never reached.
fn highest_versions(disk: &Disk) -> Result<BTreeMap<String, u64>, DiskError> {
    let mut highest = BTreeMap::new();
    for file in disk.files("metadata")? {
        let name = file.rsplit('/').next().unwrap_or_default();
        if let Some((version, role)) = layout::parse_role_file(name).filter(|(version, _)| *version <= Versions::HIGHEST_HONEST) {
            let known = highest.entry(role.to_owned()).or_insert(0);
            *known = version.max(*known);
        }
    }
    Ok(highest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_version_is_given_twice_beside_a_file_that_a_thief_numbered_last() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("metadata")).unwrap();
        for version in [2_000, 3_000, (1u64 << 53) - 1] {
            std::fs::write(folder.path().join(format!("metadata/{version}.linux.json")), b"{}").unwrap();
        }
        let disk = Disk::new(folder.path());
        for restart in [false, true] {
            let versions = Versions::new(&disk, UtcTime::from_unix(1_000), restart).unwrap();
            assert_eq!(versions.header("linux", "targets", 2_000).unwrap().version.get(), 3_001, "restart: {restart}");
        }
        let versions = Versions::new(&disk, UtcTime::from_unix(1_000), true).unwrap();
        assert_eq!(versions.header("linux", "targets", (1 << 53) - 1).unwrap().version.get(), 3_001);
    }
}
