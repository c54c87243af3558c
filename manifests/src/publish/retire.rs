//! Takes releases back: withdrawn ones stay listed, so that stations that run them learn why; pruned ones are listed no more, and `gc` removes what only they needed.

use std::collections::HashSet;

use super::change::Change;
use super::compose::{self, Refused};
use super::progress::Progress;
use super::{PublishError, Repository};
use crate::channel::{ChannelDocument, Withdrawn};
use crate::name::ChannelId;
use crate::time::UtcTime;

/// What a withdrawal did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WithdrawOutcome {
    /// The release is withdrawn now.
    Withdrawn,
    /// It will be, when the signing request is signed and committed.
    HandedOver,
    /// It was before; nothing was written.
    AlreadyWithdrawn(Withdrawn),
}

/// Releases that were pruned from one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// The channel.
    pub channel: ChannelId,
    /// Their numbers, newest first.
    pub sequences: Vec<u64>,
}

impl Repository {
    /// Marks a release as one that nobody should install any more. No station moves by that alone.
    pub fn withdraw(
        &self,
        id: &ChannelId,
        sequence: u64,
        reason: &str,
        now: UtcTime,
        progress: &dyn Progress,
    ) -> Result<WithdrawOutcome, PublishError> {
        if reason.trim().is_empty() {
            return Err(Refused::TextEmpty("the reason").into());
        }
        compose::check_text("the reason", reason, 4096)?;
        let _lock = self.lock("withdraw", progress)?;
        let view = self.view()?;
        let document = view.channels.get(id).ok_or_else(|| Refused::NoChannel(id.clone()))?;
        refuse_newer(document)?;
        let mut document = document.clone();
        let release = document.releases.iter_mut().find(|release| release.sequence == sequence);
        let release = release.ok_or_else(|| Refused::NoRelease { channel: id.clone(), sequence })?;
        if let Some(withdrawn) = &release.withdrawn {
            return Ok(WithdrawOutcome::AlreadyWithdrawn(withdrawn.clone()));
        }
        release.withdrawn = Some(Withdrawn { at: now, reason: reason.to_owned() });
        document.last_sequence = compose::last_sequence(&view.channels, id.os, &id.product);
        let signers = self.gather(&view, &change_of([&document]))?;
        let delivered = self.deliver_documents(&view, &signers, [document], now)?;
        Ok(if delivered.file().is_some() { WithdrawOutcome::HandedOver } else { WithdrawOutcome::Withdrawn })
    }

    /// Leaves the `keep` newest releases of every channel, and all security floors. Objects stay until `gc`.
    pub fn prune(&self, keep: usize, dry_run: bool, now: UtcTime, progress: &dyn Progress) -> Result<Vec<Pruned>, PublishError> {
        self.prune_those(&|_| true, keep, dry_run, now, progress)
    }

    /// As [`Repository::prune`], for one channel: no other key is needed than the one that releases it.
    pub fn prune_channel(&self, id: &ChannelId, keep: usize, now: UtcTime, progress: &dyn Progress) -> Result<Vec<Pruned>, PublishError> {
        self.prune_those(&|other| other == id, keep, false, now, progress)
    }

    fn prune_those(
        &self,
        which: &dyn Fn(&ChannelId) -> bool,
        keep: usize,
        dry_run: bool,
        now: UtcTime,
        progress: &dyn Progress,
    ) -> Result<Vec<Pruned>, PublishError> {
        if keep == 0 {
            return Err(Refused::KeepNothing.into());
        }
        let _lock = self.lock("prune", progress)?;
        let view = self.view()?;
        let mut changed = Vec::new();
        let mut report = Vec::new();
        for document in view.channels.values().filter(|document| which(&document.id)) {
            refuse_newer(document)?;
            let floors: HashSet<u64> = view
                .policy
                .floors
                .iter()
                .filter(|floor| (floor.os, &floor.product) == (document.id.os, &document.id.product))
                .map(|floor| floor.sequence)
                .collect();
            let Some(mut pruned) = compose::pruned(document, keep, &floors) else { continue };
            let gone =
                document.releases.iter().map(|release| release.sequence).filter(|sequence| pruned.release(*sequence).is_none()).collect();
            report.push(Pruned { channel: document.id.clone(), sequences: gone });
            pruned.last_sequence = compose::last_sequence(&view.channels, document.id.os, &document.id.product);
            changed.push(pruned);
        }
        if !changed.is_empty() && !dry_run {
            let signers = self.gather(&view, &change_of(&changed))?;
            self.deliver_documents(&view, &signers, changed, now)?;
        }
        Ok(report)
    }
}

fn refuse_newer(document: &ChannelDocument) -> Result<(), Refused> {
    if document.unavailable.is_empty() { Ok(()) } else { Err(Refused::NewerDocument(document.id.clone())) }
}

/// A change that signs the same roles, to load their keys before any work.
fn change_of<'a>(documents: impl IntoIterator<Item = &'a ChannelDocument>) -> Change {
    Change::of_paths(documents.into_iter().map(|document| document.id.target_path()))
}
