//! Signs anew what would expire: the timestamp always, everything else when less than half of its life is left.
//!
//! A server that signs by itself asks for [`Signing::Online`]: then nothing but snapshot and timestamp is signed, whatever keys lie in its folder, so that a stray key file never becomes
//! a server that can publish (attacks A20, A21). The repository is verified from the root down, under its lock, before anything of it is signed: what does not verify stays as it is.

use super::change::Change;
use super::commit;
use super::deliver::{Delivered, Delivery};
use super::folder_role;
use super::progress::Progress;
use super::versions::lifetime_days;
use super::{PublishError, Repository};
use crate::role::HasHeader;
use crate::root::Root;
use crate::snapshot::Snapshot;
use crate::time::UtcTime;
use crate::timestamp::Timestamp;

const DAY_SECONDS: i64 = 86_400;

/// Which roles a command may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// Every role whose key is here: a publisher's own machine.
    All,
    /// Snapshot and timestamp, which commit to nothing that their publisher has not signed: a server.
    Online,
    /// Those, and the roles of folders that publish themselves: a server that publishes such folders.
    Folders,
}

impl Signing {
    /// Whether `role` is among them.
    pub fn may_sign(self, role: &str) -> bool {
        match self {
            Signing::All => true,
            Signing::Online => is_online(role),
            Signing::Folders => is_online(role) || folder_role::is_folder(role),
        }
    }
}

/// Whether a server may hold the key of `role` without being able to publish.
pub fn is_online(role: &str) -> bool {
    [Snapshot::KIND, Timestamp::KIND].contains(&role)
}

/// Whether `role`, valid until `expires`, has less than half of its life left at `now`.
pub fn is_half_gone(role: &str, expires: UtcTime, now: UtcTime) -> bool {
    expires <= now.plus_days(lifetime_days(role) / 2)
}

/// Whether a `role` that a server signs is to be signed anew at `now`: half of its life is gone, or it is the timestamp and was signed `every_seconds` ago or earlier.
pub fn is_due(which: Signing, role: &str, expires: UtcTime, every_seconds: i64, now: UtcTime) -> bool {
    let signed = expires.unix().saturating_sub(lifetime_days(role).saturating_mul(DAY_SECONDS));
    let old = role == Timestamp::KIND && now.unix().saturating_sub(signed) >= every_seconds;
    which.may_sign(role) && (old || is_half_gone(role, expires, now))
}

/// Days after a timestamp was signed beyond which a clock is not believed by itself, and seconds by which the timestamp may be ahead of it.
const BELIEVED_DAYS: i64 = 60;

/// Why a clock that says `now` is not to be signed by without a person: stations go by the latest time that they have seen signed, so one leap of a clock strands them all. `expires` is the
/// timestamp's.
pub fn distrust(expires: UtcTime, now: UtcTime) -> Option<String> {
    let signed = UtcTime::from_unix(expires.unix().saturating_sub(lifetime_days(Timestamp::KIND).saturating_mul(DAY_SECONDS)));
    if signed.unix() > now.unix().saturating_add(DAY_SECONDS) {
        return Some(format!(
            "the timestamp was signed at {signed}, which this computer's clock ({now}) has not reached: stations that saw it go by that time; set the clock, and if it was wrong \
             then, let stations forget it with `manifests keys rotate REPO snapshot timestamp`"
        ));
    }
    (now >= signed.plus_days(BELIEVED_DAYS)).then(|| {
        format!("this computer's clock says {now}, more than {BELIEVED_DAYS} days after the timestamp was signed ({signed}): if that is right, run `manifests refresh` once")
    })
}

/// What a refresh did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Roles that were signed, with version and expiry.
    pub signed: Vec<(String, u64, UtcTime)>,
    /// Roles that should have been, but whose keys are not here, with expiry and the reason.
    pub skipped: Vec<(String, UtcTime, String)>,
}

impl Repository {
    /// Signs all that would expire. A role whose keys lie elsewhere is left as it is and named; without the keys of snapshot and timestamp nothing can be done.
    pub fn refresh(&self, now: UtcTime, progress: &dyn Progress) -> Result<Refreshed, PublishError> {
        self.refresh_roles(Signing::All, now, progress)
    }

    /// As [`Repository::refresh`], for the roles in `which` alone; others are neither signed nor named.
    pub fn refresh_roles(&self, which: Signing, now: UtcTime, progress: &dyn Progress) -> Result<Refreshed, PublishError> {
        self.sign_anew(which, false, now, progress)
    }

    /// As [`Repository::refresh`], for every role but root, however long it is still valid: after the repository was restored from a backup, stations know versions of any of them that it
    /// does not, and take only higher ones. Roots follow each other by one, so a new one would be of no use.
    pub fn refresh_all(&self, now: UtcTime, progress: &dyn Progress) -> Result<Refreshed, PublishError> {
        self.sign_anew(Signing::All, true, now, progress)
    }

    fn sign_anew(&self, which: Signing, all: bool, now: UtcTime, progress: &dyn Progress) -> Result<Refreshed, PublishError> {
        let _lock = self.lock("refresh", progress)?;
        let view = self.view()?;
        let mut change = Change::default();
        let mut skipped = Vec::new();
        let mut old_snapshot = false;
        for (role, _, expires) in view.headers() {
            // The timestamp is always signed.
            if role == Timestamp::KIND || !which.may_sign(&role) || !(all && role != Root::KIND || is_half_gone(&role, expires, now)) {
                continue;
            }
            if role == Snapshot::KIND {
                old_snapshot = true;
                continue;
            }
            let keys = view.keys_of(&role).ok_or_else(|| commit::CommitError::NoRole(role.clone()))?;
            match self.keys.signers(&role, keys) {
                Err(error) if !matches!(self.delivery, Delivery::Request(_)) => skipped.push((role, expires, error.to_string())),
                _ => {
                    change.renewed.insert(role);
                }
            }
        }
        if old_snapshot {
            change.renewed.insert(Snapshot::KIND.to_owned());
        }
        let signers = self.gather(&view, &change)?;
        match self.deliver(&view, &signers, &change, now)? {
            Delivered::Committed(signed) => Ok(Refreshed { signed, skipped }),
            Delivered::Written { .. } => Ok(Refreshed { signed: vec![], skipped }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;
    use crate::publish::Silent;

    const NOW: &str = "2026-11-21T10:00:00Z";

    fn made() -> (tempfile::TempDir, Repository, UtcTime) {
        let temp = tempfile::tempdir().unwrap();
        let now = NOW.parse().unwrap();
        let repository = Repository::init(&temp.path().join("acme"), &"acme".parse::<Name>().unwrap(), None, now).unwrap();
        (temp, repository, now)
    }

    fn signed(repository: &Repository, which: Signing, now: UtcTime) -> Vec<String> {
        repository.refresh_roles(which, now, &Silent).unwrap().signed.into_iter().map(|(role, ..)| role).collect()
    }

    /// Attacks A20 and A21: every key lies here, every role is almost expired.
    #[test]
    fn a20_an_online_refresh_never_signs_an_offline_role() {
        let (_temp, repository, now) = made();
        let late = now.plus_days(364);
        let before = repository.view().unwrap();
        assert_eq!(signed(&repository, Signing::Online, late), ["snapshot", "timestamp"]);
        let after = repository.view().unwrap();
        let offline =
            |view: &super::super::view::View| view.headers().into_iter().filter(|(role, ..)| !is_online(role)).collect::<Vec<_>>();
        assert_eq!(offline(&before), offline(&after));
        assert!(signed(&repository, Signing::All, late).contains(&"targets".to_owned()), "the publisher's own refresh does sign them");
    }

    #[test]
    fn an_online_refresh_needs_no_other_keys() {
        let (temp, repository, now) = made();
        let view = repository.view().unwrap();
        for role in ["root", "targets", "windows", "linux"] {
            for id in &view.keys_of(role).unwrap().keyids {
                std::fs::remove_file(temp.path().join("acme.keys").join(format!("{id}.json"))).unwrap();
            }
        }
        assert_eq!(signed(&repository, Signing::Online, now.plus_days(1)), ["timestamp"]);
    }

    #[test]
    fn what_does_not_verify_is_not_signed_anew() {
        let (_temp, repository, now) = made();
        let snapshot = newest(&repository, "snapshot");
        let timestamp = std::fs::read(repository.disk.path("metadata/timestamp.json")).unwrap();
        let damaged = std::fs::read_to_string(&snapshot).unwrap().replace("2026-12", "2027-12");
        std::fs::write(&snapshot, damaged).unwrap();
        let error = repository.refresh_roles(Signing::Online, now.plus_days(1), &Silent).unwrap_err().to_string();
        assert!(error.contains(snapshot.file_name().unwrap().to_str().unwrap()), "{error}");
        assert_eq!(std::fs::read(repository.disk.path("metadata/timestamp.json")).unwrap(), timestamp);
    }

    fn newest(repository: &Repository, role: &str) -> std::path::PathBuf {
        let version = repository.view().unwrap().headers().into_iter().find(|(known, ..)| known == role).unwrap().1;
        repository.disk.path(&super::super::layout::role_file(role, version))
    }

    #[test]
    fn a_timestamp_is_due_when_it_is_a_day_old_and_a_snapshot_when_half_of_its_life_is_gone() {
        let now: UtcTime = NOW.parse().unwrap();
        let due = |role: &str, days_left: i64, seconds: i64| {
            is_due(Signing::Online, role, UtcTime::from_unix(now.plus_days(days_left).unix() + seconds), DAY_SECONDS, now)
        };
        for (role, days_left, seconds, expected) in [
            ("timestamp", 7, 0, false),
            ("timestamp", 6, 1, false),
            ("timestamp", 6, 0, true),
            ("timestamp", -100, 0, true),
            // Signed by a clock that runs ahead: nothing is due until half of it is gone.
            ("timestamp", 30, 0, false),
            ("snapshot", 29, 0, false),
            ("snapshot", 15, 1, false),
            ("snapshot", 15, 0, true),
            ("targets", -1, 0, false),
            ("windows", -1, 0, false),
        ] {
            assert_eq!(due(role, days_left, seconds), expected, "{role} {days_left} days and {seconds} seconds before it expires");
        }
        assert!(is_due(Signing::Online, "timestamp", now.plus_days(3), 30 * DAY_SECONDS, now), "never later than half of its life");
        let folder = |which| is_due(which, "folder.linux.client.any.stable", now.plus_days(180), DAY_SECONDS, now);
        assert!(folder(Signing::Folders) && !folder(Signing::Online), "a folder's role is signed by a server that publishes it");
    }
}
