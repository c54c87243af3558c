//! Works out what root, delegations and documents become when keys change. Pure: keys that are to be made are slots until they are.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;

use super::{CustodyError, Disowned, Dropped, Rotation, stays_with_server};
use crate::channel::{ChannelDocument, Release};
use crate::key::Key;
use crate::name::{ChannelId, Name, Os};
use crate::policy::{Custody, Floor, POLICY_PATH, Policy};
use crate::publish::PublishError;
use crate::publish::change::Change;
use crate::publish::compose::Refused;
use crate::publish::folder_role;
use crate::publish::init::MOST_KEYS;
use crate::publish::view::View;
use crate::role::{HasHeader as _, KeyTable, RoleKeys};
use crate::root::Root;
use crate::snapshot::Snapshot;
use crate::targets::Delegations;
use crate::timestamp::Timestamp;
use crate::trust::TARGETS;

/// Sequences above this are nobody's honest work: a release every second for 136 years.
pub(in crate::publish) const HIGHEST_HONEST: u64 = 1 << 32;

/// Root, delegations and documents as they will be.
pub(in crate::publish) struct Plan<'a> {
    view: &'a View,
    root: Root,
    delegations: Delegations,
    policy: Policy,
    /// What has to be signed because of it; complete after [`Plan::settle`].
    pub(super) change: Change,
    /// A role for each key that is still to be made.
    pub(super) slots: Vec<String>,
    /// Roles whose keys change.
    rotated: BTreeSet<String>,
}

impl<'a> Plan<'a> {
    /// Nothing changes yet.
    pub(in crate::publish) fn new(view: &'a View) -> Plan<'a> {
        let delegations = view.targets.delegations.clone().unwrap_or(Delegations { keys: KeyTable::new(), roles: vec![] });
        Plan {
            view,
            root: view.root.clone(),
            delegations,
            policy: view.policy.clone(),
            change: Change::default(),
            slots: vec![],
            rotated: BTreeSet::new(),
        }
    }

    fn keys_of(&mut self, role: &str) -> Option<&mut RoleKeys> {
        match role {
            Root::KIND => Some(&mut self.root.roles.root),
            Timestamp::KIND => Some(&mut self.root.roles.timestamp),
            Snapshot::KIND => Some(&mut self.root.roles.snapshot),
            TARGETS => Some(&mut self.root.roles.targets),
            _ => self.delegations.roles.iter_mut().find(|delegated| delegated.name == role).map(|delegated| &mut delegated.keys),
        }
    }

    /// Changes the keys of one role.
    pub(super) fn rotate(&mut self, rotation: &Rotation) -> Result<(), CustodyError> {
        let role = &rotation.role;
        let keys = self.keys_of(role).ok_or_else(|| CustodyError::NoRole(role.clone()))?;
        if let Dropped::Ids(ids) = &rotation.drop
            && let Some(unknown) = ids.iter().find(|id| !keys.keyids.contains(id))
        {
            return Err(CustodyError::NoKey(unknown.to_string()));
        }
        let before = keys.clone();
        match &rotation.drop {
            Dropped::All => keys.keyids.clear(),
            Dropped::Ids(ids) => keys.keyids.retain(|id| !ids.contains(id)),
        }
        let threshold = rotation.threshold.unwrap_or(before.threshold.get());
        let count = keys.keyids.len().saturating_add(rotation.add).saturating_add(rotation.admit.len());
        let possible = |threshold: &NonZeroU64| threshold.get() <= count as u64 && count <= MOST_KEYS;
        keys.threshold =
            NonZeroU64::new(threshold).filter(possible).ok_or(CustodyError::Threshold { role: role.clone(), keys: count, threshold })?;
        let unchanged = *keys == before && rotation.add == 0 && rotation.admit.is_empty();
        if unchanged {
            return Err(CustodyError::Nothing);
        }
        for key in &rotation.admit {
            self.fill(role, key.clone())?;
        }
        self.slots.extend(std::iter::repeat_n(role.clone(), rotation.add));
        self.rotated.insert(role.clone());
        Ok(())
    }

    /// Lets the folder of `id` publish itself: its role comes before those of the operating systems and lists what the channel has by now.
    pub(in crate::publish) fn add_folder(&mut self, id: &ChannelId) -> Result<(), PublishError> {
        let delegation = folder_role::delegation(id);
        let role = delegation.name.clone();
        if self.delegations.roles.iter().any(|known| known.name == role) {
            return Err(CustodyError::FolderKnown { role, channel: id.clone() }.into());
        }
        let folders = self.delegations.roles.iter().take_while(|known| folder_role::channel_of(known).is_some()).count();
        self.delegations.roles.insert(folders, delegation);
        self.hand_over(id, id.os.as_str())?;
        self.policy.custody.insert(role.clone(), Custody::Online);
        self.change.renewed.insert(role.clone());
        self.slots.push(role);
        Ok(())
    }

    /// Ends that: the role of the OS lists the channel again, as it is.
    pub(in crate::publish) fn remove_folder(&mut self, id: &ChannelId) -> Result<(), PublishError> {
        let role = folder_role::name(id);
        let before = self.delegations.roles.len();
        self.delegations.roles.retain(|known| known.name != role);
        if self.delegations.roles.len() == before {
            return Err(CustodyError::NoFolder(id.clone()).into());
        }
        self.hand_over(id, &role)?;
        self.policy.custody.remove(&role);
        Ok(())
    }

    /// The document of `id`, where there is one, passes from the role `from` to the one that the delegations name now.
    fn hand_over(&mut self, id: &ChannelId, from: &str) -> Result<(), PublishError> {
        let Some(document) = self.view.channels.get(id) else { return Ok(()) };
        if !document.unavailable.is_empty() {
            return Err(Refused::NewerDocument(id.clone()).into());
        }
        self.change.documents.insert(id.target_path(), document.to_bytes()?);
        // A role that is going away is not signed any more.
        if self.keys_of(from).is_some() {
            self.change.renewed.insert(from.to_owned());
        }
        Ok(())
    }

    /// Gives `role` one key more.
    pub(super) fn fill(&mut self, role: &str, key: Key) -> Result<(), CustodyError> {
        let id = key.id();
        if (key.keytype(), key.scheme()) != ("ed25519", "ed25519") {
            return Err(CustodyError::Kind(id));
        }
        let keys = self.keys_of(role).ok_or_else(|| CustodyError::NoRole(role.to_owned()))?;
        if keys.keyids.contains(&id) {
            return Err(CustodyError::Known { role: role.to_owned(), key: id });
        }
        keys.keyids.push(id.clone());
        let is_top_level = [Root::KIND, Timestamp::KIND, Snapshot::KIND, TARGETS].contains(&role);
        let table = if is_top_level { &mut self.root.keys } else { &mut self.delegations.keys };
        table.insert(id, key);
        Ok(())
    }

    /// Begins a new epoch for `os`: its channel documents are signed anew under it without what is disowned, and their current releases are ways back for stations that a thief led too far.
    pub(super) fn begin_epoch(&mut self, os: Os, disowned: &[Disowned]) -> Result<(), PublishError> {
        let epoch = self.policy.begin_epoch(os);
        let mut documents: Vec<ChannelDocument> = self.view.channels.values().filter(|document| document.id.os == os).cloned().collect();
        for document in &mut documents {
            let lost = document
                .unavailable
                .iter()
                .find(|release| !disowned.contains(&Disowned { product: document.id.product.clone(), sequence: release.sequence }));
            if lost.is_some() {
                return Err(Refused::NewerDocument(document.id.clone()).into());
            }
            document.unavailable.clear();
            let product = document.id.product.clone();
            let is_disowned = |release: &Release| disowned.contains(&Disowned { product: product.clone(), sequence: release.sequence });
            document.releases.retain(|release| !is_disowned(release));
            document.epoch = epoch;
            let current = document.current().map(|release| release.sequence);
            for release in document.releases.iter_mut().filter(|release| Some(release.sequence) == current) {
                release.allow_downgrade = true;
            }
        }
        // Whoever kept a backup of the thief's build goes back to it no more without an admin who says why.
        for product in documents.iter().map(|document| document.id.product.clone()).collect::<BTreeSet<_>>() {
            let reason = "a signing key was stolen: releases of the epoch before may be a thief's".to_owned();
            self.policy.floors.push(Floor { os, product, epoch, sequence: 1, reason });
        }
        let highest = highest_listed(&documents);
        for mut document in documents {
            // Numbers that nobody could have reached by publishing are a thief's. The epoch is new, so counting may go on below them.
            if document.last_sequence > HIGHEST_HONEST {
                document.last_sequence = highest.get(&document.id.product).copied().unwrap_or(0);
            }
            self.change.documents.insert(document.id.target_path(), document.to_bytes()?);
        }
        Ok(())
    }

    /// Lets stations forget the versions they have seen, by giving snapshot and timestamp new keys.
    pub(super) fn forget_versions(&mut self) -> Result<(), CustodyError> {
        for role in [Snapshot::KIND, Timestamp::KIND] {
            if !self.rotated.contains(role) {
                self.rotate(&Rotation { role: role.to_owned(), add: 1, admit: vec![], drop: Dropped::All, threshold: Some(1) })?;
            }
        }
        Ok(())
    }

    /// The policy says where the keys lie that are made for `roles`, but for those that stay with the server.
    pub(super) fn keep_where(&mut self, roles: &[String], custody: Option<Custody>) {
        let Some(custody) = custody else { return };
        for role in roles.iter().filter(|role| !stays_with_server(role)) {
            if self.policy.custody.get(role).copied().unwrap_or(Custody::Offline) != custody {
                self.policy.custody.insert(role.clone(), custody);
            }
        }
    }

    /// Completes the change: what has to be signed anew because of it.
    pub(super) fn settle(&mut self) -> Result<(), PublishError> {
        let used = |roles: &[&RoleKeys], table: &KeyTable| -> KeyTable {
            table
                .iter()
                .filter(|(id, _)| roles.iter().any(|keys| keys.keyids.contains(id)))
                .map(|(id, key)| (id.clone(), key.clone()))
                .collect()
        };
        let top = &self.root.roles;
        self.root.keys = used(&[&top.root, &top.timestamp, &top.snapshot, &top.targets], &self.root.keys);
        let delegated: Vec<&RoleKeys> = self.delegations.roles.iter().map(|delegated| &delegated.keys).collect();
        self.delegations.keys = used(&delegated, &self.delegations.keys);
        for role in &self.rotated {
            match role.as_str() {
                Root::KIND | Timestamp::KIND | Snapshot::KIND => {}
                other => {
                    self.change.renewed.insert(other.to_owned());
                }
            }
        }
        if self.root != self.view.root {
            self.change.root = Some(self.root.clone());
        }
        if self.view.targets.delegations.as_ref() != Some(&self.delegations) {
            self.change.delegations = Some(self.delegations.clone());
        }
        if self.policy != self.view.policy {
            self.change.documents.insert(POLICY_PATH.to_owned(), self.policy.to_bytes()?);
        }
        Ok(())
    }
}

/// The highest number that is listed of each product.
fn highest_listed(documents: &[ChannelDocument]) -> BTreeMap<Name, u64> {
    let mut highest = BTreeMap::new();
    for document in documents {
        let listed = document.releases.iter().map(|release| release.sequence).max().unwrap_or(0);
        let known = highest.entry(document.id.product.clone()).or_insert(0);
        *known = listed.max(*known);
    }
    highest
}
