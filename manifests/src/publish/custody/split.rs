//! Moves private keys off the machine that serves.
//!
//! First they are copied and the copies read back, then the policy says that they are kept offline, and only then do they go from here: at every moment at least one copy exists, and a
//! split that was cut short is simply run again. A key that has lain on a server may have been read there; where that matters, rotate it instead.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Custody, CustodyError};
use crate::key::KeyId;
use crate::policy::POLICY_PATH;
use crate::publish::change::Change;
use crate::publish::deliver::Delivery;
use crate::publish::disk::failed;
use crate::publish::effect::{Effect, effects};
use crate::publish::keys::KeyFolder;
use crate::publish::progress::Progress;
use crate::publish::proposal::Proposal;
use crate::publish::{PublishError, Repository};
use crate::role::HasHeader as _;
use crate::snapshot::Snapshot;
use crate::time::UtcTime;
use crate::timestamp::Timestamp;

/// What a split did, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Keys that were moved, with the role they sign for and the folder they are in.
    pub moved: Vec<(String, KeyId, PathBuf)>,
    /// What stations see of it.
    pub effects: Vec<Effect>,
}

impl Repository {
    /// Moves the keys of `roles` from the repository's key folder to the folders `to`. With several, the first key of a role goes to the first folder, the second to the second, and so on:
    /// so holders get one key each.
    pub fn split(
        &self,
        roles: &[String],
        to: &[&KeyFolder],
        dry_run: bool,
        now: UtcTime,
        progress: &dyn Progress,
    ) -> Result<Split, PublishError> {
        if self.delivery != Delivery::Commit {
            return Err(CustodyError::Waits.into());
        }
        let _lock = self.lock("keys split", progress)?;
        let view = self.view()?;
        let mut moved = vec![];
        let mut policy = view.policy.clone();
        for role in roles {
            let keys = view.keys_of(role).ok_or_else(|| CustodyError::NoRole(role.clone()))?;
            let is_moved = |moved: &[(String, KeyId, &KeyFolder)], id: &KeyId| moved.iter().any(|(_, other, _)| other == id);
            let here: Vec<&KeyId> = keys.keyids.iter().filter(|id| self.keys.holds(id) && !is_moved(&moved, id)).collect();
            let online = [Snapshot::KIND, Timestamp::KIND].into_iter().filter(|online| !roles.iter().any(|role| role == online));
            for online in online {
                let needs = |id: &&&KeyId| view.keys_of(online).is_some_and(|keys| keys.keyids.contains(id));
                if let Some(id) = here.iter().find(needs) {
                    return Err(CustodyError::NeededHere { key: (*id).clone(), role: role.clone(), online: online.to_owned() }.into());
                }
            }
            moved.extend(here.into_iter().zip(to.iter().cycle()).map(|(id, to)| (role.clone(), id.clone(), *to)));
            policy.custody.insert(role.clone(), Custody::Offline);
        }
        let mut change = Change::default();
        if policy != view.policy {
            change.documents.insert(POLICY_PATH.to_owned(), policy.to_bytes()?);
        }
        if moved.is_empty() && change.documents.is_empty() {
            return Err(CustodyError::Nothing.into());
        }
        let proposal = Proposal::compose(&self.disk, &view, &change, now)?;
        let effects = if change.documents.is_empty() { vec![] } else { effects(&proposal, &|id| self.keys.holds(id)) };
        if dry_run {
            return Ok(split(moved, effects));
        }
        for (_, id, to) in &moved {
            let copy = self.keys.copy_to(id, to)?;
            self.refuse_same_place(id, &copy)?;
        }
        if !change.documents.is_empty() {
            let signers = self.gather(&view, &change)?;
            self.deliver(&view, &signers, &change, now)?;
        }
        for (_, id, _) in &moved {
            self.keys.remove(id)?;
        }
        Ok(split(moved, effects))
    }
}

impl Repository {
    /// What is removed here must not be the copy itself: by another spelling of this folder, or through a link.
    fn refuse_same_place(&self, id: &KeyId, copy: &Path) -> Result<(), PublishError> {
        let here = self.keys.path().join(copy.file_name().unwrap_or_default());
        let place = |path: &Path| fs::canonicalize(path).map_err(failed("find", path));
        if place(&here)? == place(copy)? {
            return Err(CustodyError::SamePlace { key: id.clone(), folder: self.keys.path().to_owned() }.into());
        }
        Ok(())
    }
}

fn split(moved: Vec<(String, KeyId, &KeyFolder)>, effects: Vec<Effect>) -> Split {
    Split { moved: moved.into_iter().map(|(role, id, to)| (role, id, to.path().to_owned())).collect(), effects }
}
