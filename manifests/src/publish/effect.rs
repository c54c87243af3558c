//! What a proposal changes, in words: what `--dry-run` prints, and what a signer reads before signing.
//!
//! Everything is read off the proposal itself, before against after. That what stands there as "before" is genuine, a signer sees by the signatures of its own keys on it
//! ([`Proposal::context_is_signed`]).

use std::collections::BTreeMap;
use std::fmt;

use super::folder_role;
use super::proposal::{Proposal, content};
use crate::channel::{Bound, ChannelDocument, Release};
use crate::digest::Digest;
use crate::key::KeyId;
use crate::limits::Limits;
use crate::name::{ChannelId, Os};
use crate::policy::{Custody, Floor, POLICY_PATH, Policy};
use crate::role::{HasHeader as _, Header, RoleKeys};
use crate::root::Root;
use crate::snapshot::Snapshot;
use crate::targets::{DelegatedRole, Delegations, Targets};
use crate::time::UtcTime;
use crate::timestamp::Timestamp;
use crate::trust::TARGETS;

/// One thing that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A role has other keys.
    Keys {
        /// The role.
        role: String,
        /// Keys that no longer count.
        dropped: Vec<KeyId>,
        /// Keys that count from now on.
        added: Vec<KeyId>,
        /// Keys it has then.
        keys: usize,
        /// How many must sign.
        threshold: u64,
    },
    /// There is a new root.
    Root {
        /// Its version.
        version: u64,
    },
    /// Stations forget timestamp and snapshot (W9).
    Forgotten,
    /// Other roles may sign, or for other paths.
    Delegations,
    /// A folder publishes itself from now on, or no longer.
    Folder {
        /// Its role.
        role: String,
        /// What it publishes.
        channel: ChannelId,
        /// Whether it does from now on.
        begins: bool,
    },
    /// A new epoch.
    Epoch {
        /// Of which OS.
        os: Os,
        /// Its number.
        epoch: u64,
    },
    /// The policy says otherwise where keys lie.
    Custody {
        /// The role.
        role: String,
        /// Where its keys lie.
        custody: Custody,
    },
    /// The policy changes in other ways.
    Policy,
    /// A channel lists a release that it did not list, or lists it otherwise.
    Release {
        /// The channel.
        channel: ChannelId,
        /// Its number.
        sequence: u64,
        /// Its build.
        build: String,
        /// The digest of its manifest.
        manifest: Digest,
        /// What happens to it.
        what: ReleaseEffect,
    },
    /// A channel says anew which server its clients talk to, or which clients fit it.
    Server {
        /// The channel.
        channel: ChannelId,
        /// The server's build.
        build: Option<String>,
        /// Which clients fit it.
        compat: String,
    },
    /// A document that this program cannot read.
    Unreadable {
        /// Its target path.
        path: String,
    },
    /// A role is signed anew.
    Role {
        /// The role.
        role: String,
        /// Whether nothing else changes in it.
        is_only_renewed: bool,
        /// Its version.
        version: u64,
        /// Until when it is valid.
        expires: UtcTime,
    },
    /// A new security floor.
    Floor(Floor),
    /// Numbers of releases are used up that no release has.
    Numbers {
        /// The channel.
        channel: ChannelId,
        /// The number after which the next release is numbered.
        last: u64,
    },
    /// Whose signatures it takes.
    Signatures {
        /// The role.
        role: String,
        /// How many.
        needed: u64,
        /// Keys among them that are here.
        here: u64,
    },
}

/// What happens to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseEffect {
    /// It is new.
    New,
    /// It is new, and people can put it off only until then.
    NewUntil(UtcTime),
    /// It is withdrawn now.
    Withdrawn,
    /// Other things are said of it, or its epoch is new.
    Changed,
    /// It is offered anew, also to stations with a higher build.
    OfferedAgain,
    /// It is no longer listed.
    Gone,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |ids: &[KeyId]| ids.iter().map(KeyId::as_str).collect::<Vec<_>>().join(", ");
        match self {
            Effect::Keys { role, dropped, added, keys, threshold } => {
                write!(f, "{role}: {threshold} of {keys} keys must sign from now on")?;
                if !dropped.is_empty() {
                    write!(f, "; no longer: {}", list(dropped))?;
                }
                if !added.is_empty() {
                    write!(f, "; new: {}", list(added))?;
                }
                Ok(())
            }
            Effect::Root { version } => {
                write!(
                    f,
                    "root {version}: stations fetch it at their next check, whatever root they start from; install links go on working"
                )
            }
            Effect::Forgotten => {
                f.write_str("stations forget the timestamp and snapshot they have seen, and with them whatever versions a thief gave those")
            }
            Effect::Delegations => f.write_str("targets: other roles may sign, or for other paths"),
            Effect::Folder { role, channel, begins: true } => {
                let path = channel.target_path();
                write!(
                    f,
                    "targets: whoever owns the machine that serves can release `{path}`, and nothing else, from now on: its folder publishes itself, under the role {role}"
                )
            }
            Effect::Folder { role, channel, begins: false } => {
                write!(
                    f,
                    "targets: {role} signs for nothing any more; `{}` is released by the keys of {}",
                    channel.target_path(),
                    channel.os
                )
            }
            Effect::Epoch { os, epoch } => {
                write!(f, "{os}: epoch {epoch} begins: no release of an earlier epoch is taken any more, whatever its number")
            }
            Effect::Custody { role, custody: Custody::Offline } => write!(f, "policy: the keys of {role} are kept offline"),
            Effect::Custody { role, custody: Custody::Online } => write!(f, "policy: the keys of {role} lie on the machine that serves"),
            Effect::Policy => f.write_str("policy: floors go, or bounds or limits change"),
            Effect::Release { channel, sequence, build, manifest, what } => {
                let until;
                let what = match what {
                    ReleaseEffect::New => "is new",
                    ReleaseEffect::NewUntil(deadline) => {
                        until = format!("is new; where people at stations are asked, they can put it off until {deadline}");
                        &until
                    }
                    ReleaseEffect::Withdrawn => "is withdrawn",
                    ReleaseEffect::Changed => "is described anew",
                    ReleaseEffect::OfferedAgain => "is offered anew, also to stations that run a higher build",
                    ReleaseEffect::Gone => "is no longer listed",
                };
                write!(f, "{channel}: release {sequence} (build {build}, manifest {manifest}) {what}")
            }
            Effect::Server { channel, build: Some(build), compat } => {
                write!(f, "{channel}: clients talk to a server of build {build}, and fit it by the rule {compat}")
            }
            Effect::Server { channel, build: None, compat } => {
                write!(f, "{channel}: nothing is said of the server that clients talk to; they fit one by the rule {compat}")
            }
            Effect::Unreadable { path } => write!(f, "`{path}` changes in a way that this program cannot read: do not sign it"),
            Effect::Role { role, is_only_renewed, version, expires } => {
                let what = if *is_only_renewed { "is signed anew, nothing else in it changes" } else { "is signed" };
                write!(f, "{role} {what}: version {version}, valid until {expires}")
            }
            Effect::Floor(Floor { os, product, epoch, sequence, reason }) => {
                write!(f, "policy: {product} for {os} is insecure below {epoch}:{sequence}: {reason}")
            }
            Effect::Numbers { channel, last } => write!(f, "{channel}: the next release is numbered after {last}"),
            Effect::Signatures { role, needed, here } => {
                write!(f, "{role} takes {needed} signature{}; keys at hand: {here}", if *needed == 1 { "" } else { "s" })
            }
        }
    }
}

/// What `proposal` means for stations and for those who sign; `here` says which keys are at hand.
pub fn effects(proposal: &Proposal, here: &dyn Fn(&KeyId) -> bool) -> Vec<Effect> {
    let mut effects = vec![];
    key_effects(proposal, &mut effects);
    for (path, bytes) in &proposal.documents {
        let replaced = proposal.replaced.get(path).map(Vec::as_slice);
        let read = match path.as_str() {
            POLICY_PATH => policy_effects(proposal, replaced, bytes),
            _ => release_effects(path, replaced, bytes),
        };
        effects.extend(read.unwrap_or_else(|| vec![Effect::Unreadable { path: path.clone() }]));
    }
    for (role, envelope) in proposal.in_order() {
        let is_only_renewed = role != Root::KIND && is_only_renewed(proposal, role);
        match content::<Header>(envelope) {
            Some(header) => {
                let (version, expires) = (header.version.get(), header.expires);
                effects.push(Effect::Role { role: role.to_owned(), is_only_renewed, version, expires });
            }
            None => effects.push(Effect::Unreadable { path: role.to_owned() }),
        }
    }
    for progress in proposal.progress() {
        let here = progress.keys.keyids.iter().filter(|id| here(id)).count() as u64;
        effects.push(Effect::Signatures { role: progress.role, needed: progress.keys.threshold.get(), here });
    }
    effects
}

fn key_effects(proposal: &Proposal, effects: &mut Vec<Effect>) {
    let before: Option<Root> = proposal.before.get(Root::KIND).and_then(content);
    let after: Option<Root> = proposal.proposed(Root::KIND);
    let mut compare = |role: &str, before: Option<&RoleKeys>, after: Option<&RoleKeys>| {
        if before == after {
            return;
        }
        let ids = |keys: Option<&RoleKeys>| keys.map(|keys| keys.keyids.clone()).unwrap_or_default();
        let (was, is) = (ids(before), ids(after));
        effects.push(Effect::Keys {
            role: role.to_owned(),
            dropped: was.iter().filter(|id| !is.contains(id)).cloned().collect(),
            added: is.iter().filter(|id| !was.contains(id)).cloned().collect(),
            keys: is.len(),
            threshold: after.map_or(0, |keys| keys.threshold.get()),
        });
    };
    if let (Some(before), Some(after)) = (&before, &after) {
        for role in [Root::KIND, Timestamp::KIND, Snapshot::KIND, TARGETS] {
            compare(role, before.keys_of_role(role), after.keys_of_role(role));
        }
    }
    let delegations =
        |targets: Option<Targets>| targets.and_then(|targets| targets.delegations).map(|delegations| delegations.roles).unwrap_or_default();
    let (mut rearranged, mut folder_effects) = (false, vec![]);
    if let Some(after) = proposal.proposed::<Targets>(TARGETS) {
        let (before, after) = (delegations(proposal.before.get(TARGETS).and_then(content)), delegations(Some(after)));
        let by_name: BTreeMap<&str, &RoleKeys> = before.iter().map(|role| (role.name.as_str(), &role.keys)).collect();
        for role in &after {
            compare(&role.name, by_name.get(role.name.as_str()).copied(), Some(&role.keys));
        }
        let folders = |roles: &[DelegatedRole]| -> Vec<_> {
            roles.iter().filter_map(|role| Some((role.name.clone(), folder_role::channel_of(role)?))).collect()
        };
        let (were, are) = (folders(&before), folders(&after));
        // A folder's role does what it is said to do only in front of all others.
        let in_front = |folders: &[(String, ChannelId)], roles: &[DelegatedRole]| {
            roles.iter().take(folders.len()).all(|role| folder_role::channel_of(role).is_some())
        };
        let shape = |roles: &[DelegatedRole]| -> Vec<_> {
            let others = roles.iter().filter(|role| folder_role::channel_of(role).is_none());
            others.map(|role| (role.name.clone(), role.terminating, role.scope.clone())).collect()
        };
        rearranged = shape(&before) != shape(&after) || in_front(&were, &before) != in_front(&are, &after);
        for (begins, one, other) in [(true, &are, &were), (false, &were, &are)] {
            let changed = one.iter().filter(|folder| !other.contains(folder));
            folder_effects.extend(changed.map(|(role, channel)| Effect::Folder { role: role.clone(), channel: channel.clone(), begins }));
        }
    }
    effects.append(&mut folder_effects);
    effects.extend(rearranged.then_some(Effect::Delegations));
    if let (Some(before), Some(after)) = (before, after) {
        effects.push(Effect::Root { version: after.version() });
        effects.extend(after.changes_online_keys_of(&before).then_some(Effect::Forgotten));
    }
}

/// `None` when either cannot be read.
fn policy_effects(proposal: &Proposal, replaced: Option<&[u8]>, bytes: &[u8]) -> Option<Vec<Effect>> {
    let read = |bytes: &[u8]| Policy::parse(bytes, &proposal.repository, Limits::default().document_bytes).ok();
    let after = read(bytes)?;
    let before = match replaced {
        Some(bytes) => read(bytes)?,
        None => Policy::new(proposal.repository.clone()),
    };
    let mut effects: Vec<Effect> = Os::ALL
        .iter()
        .filter(|os| before.epoch(**os) != after.epoch(**os))
        .map(|os| Effect::Epoch { os: *os, epoch: after.epoch(*os) })
        .collect();
    let moved = after.custody.iter().filter(|(role, custody)| before.custody.get(*role).unwrap_or(&Custody::Offline) != *custody);
    effects.extend(moved.map(|(role, custody)| Effect::Custody { role: role.clone(), custody: *custody }));
    effects.extend(after.floors.iter().filter(|floor| !before.floors.contains(floor)).cloned().map(Effect::Floor));
    let kept = |policy: &Policy| policy.floors.iter().filter(|floor| before.floors.contains(floor)).count();
    let rest = |policy: &Policy| (kept(policy), policy.offline_max_age_days, policy.steering.clone());
    effects.extend((rest(&before) != rest(&after)).then_some(Effect::Policy));
    Some(effects)
}

/// `None` when either cannot be read.
fn release_effects(path: &str, replaced: Option<&[u8]>, bytes: &[u8]) -> Option<Vec<Effect>> {
    let channel = ChannelId::from_target_path(path).ok()?;
    let read = |bytes: &[u8]| {
        ChannelDocument::parse(bytes, &channel, Limits::default().document_bytes).ok().filter(|document| document.unavailable.is_empty())
    };
    let after = read(bytes)?;
    let before = match replaced {
        Some(bytes) => Some(read(bytes)?),
        None => None,
    };
    let effect = |release: &Release, what| Effect::Release {
        channel: channel.clone(),
        sequence: release.sequence,
        build: release.build.text().to_owned(),
        manifest: release.manifest.sha256,
        what,
    };
    let epoch_is_new = before.as_ref().is_some_and(|before| before.epoch != after.epoch);
    let mut effects = vec![];
    for release in &after.releases {
        let was = before.as_ref().and_then(|before| before.release(release.sequence));
        let what = match was {
            None => release.deadline.map_or(ReleaseEffect::New, ReleaseEffect::NewUntil),
            Some(was) if was.withdrawn.is_none() && release.withdrawn.is_some() => ReleaseEffect::Withdrawn,
            Some(_) if epoch_is_new && after.current() == Some(release) => ReleaseEffect::OfferedAgain,
            Some(was) if was != release => ReleaseEffect::Changed,
            Some(_) => continue,
        };
        effects.push(effect(release, what));
    }
    let says = |document: &ChannelDocument| (document.server.clone(), document.compat.clone());
    if before.as_ref().map(says).unwrap_or_default() != says(&after) {
        let build = after.server.as_ref().map(|Bound(build)| build.text().to_owned());
        effects.push(Effect::Server { channel: channel.clone(), build, compat: after.compat.to_string() });
    }
    let listed = after.releases.iter().map(|release| release.sequence).max().unwrap_or(0);
    let counted = before.as_ref().map_or(0, |before| before.last_sequence);
    if after.last_sequence > listed.max(counted) {
        effects.push(Effect::Numbers { channel: channel.clone(), last: after.last_sequence });
    }
    let gone = before.iter().flat_map(|before| &before.releases).filter(|release| after.release(release.sequence).is_none());
    effects.extend(gone.map(|release| effect(release, ReleaseEffect::Gone)));
    Some(effects)
}

/// Whether a role differs from what it was in version and expiry alone.
fn is_only_renewed(proposal: &Proposal, role: &str) -> bool {
    let bare = |targets: Targets| -> (BTreeMap<String, crate::targets::TargetFile>, Option<Delegations>) {
        (targets.targets, targets.delegations)
    };
    let before = proposal.before.get(role).and_then(content).map(bare);
    before.is_some() && before == proposal.proposed(role).map(bare)
}
