//! Signs anew what would expire: the timestamp always, everything else when less than half of its life is left.

use super::commit::{self, Change, Signers, lifetime_days};
use super::progress::Progress;
use super::{PublishError, Repository};
use crate::role::HasHeader;
use crate::snapshot::Snapshot;
use crate::time::UtcTime;
use crate::timestamp::Timestamp;

/// What a refresh did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Roles that were signed, with version and expiry.
    pub signed: Vec<(String, u64, UtcTime)>,
    /// Roles that should have been, but whose keys are not here, with expiry and the reason.
    pub skipped: Vec<(String, UtcTime, String)>,
}

impl Repository {
    /// Signs what would expire. A role whose keys lie elsewhere is left as it is and named; without the keys of snapshot and timestamp nothing can be done.
    pub fn refresh(&self, now: UtcTime, progress: &dyn Progress) -> Result<Refreshed, PublishError> {
        let _lock = self.lock("refresh", progress)?;
        let view = self.view()?;
        let mut change = Change::default();
        let mut skipped = Vec::new();
        let mut old_snapshot = false;
        for (role, _, expires) in view.headers().into_iter().filter(|(role, ..)| role != Timestamp::KIND) {
            if expires > now.plus_days(lifetime_days(&role) / 2) {
                continue;
            }
            if role == Snapshot::KIND {
                old_snapshot = true;
                continue;
            }
            let keys = view.keys_of(&role).ok_or_else(|| commit::CommitError::NoRole(role.clone()))?;
            match self.keys.signers(&role, keys) {
                Ok(_) => {
                    change.renewed.insert(role);
                }
                Err(error) => skipped.push((role, expires, error.to_string())),
            }
        }
        if old_snapshot {
            change.renewed.insert(Snapshot::KIND.to_owned());
        }
        let signers = Signers::load(&self.keys, &view, &change)?;
        let signed = commit::commit(&self.disk, &signers, &view, &change, now)?;
        Ok(Refreshed { signed, skipped })
    }
}
