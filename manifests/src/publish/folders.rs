//! Which folders publish themselves: each has a role of its own ([`super::folder_role`]), whose key lies with the server.
//!
//! Making or ending one is a change of the targets role, so it takes the targets keys, wherever they are; publishing such a folder takes the folder's key alone. A channel that was published
//! otherwise before passes from one role to the other whole, releases and numbers kept, so that stations notice nothing: that takes the key of the OS role as well.

use super::custody::plan::Plan;
use super::custody::{CustodyError, Rotated};
use super::progress::Progress;
use super::{PublishError, Repository};
use crate::name::ChannelId;
use crate::time::UtcTime;

impl Repository {
    /// Lets the folders of `ids` publish themselves. Their keys are made in the repository's own key folder: this is run on the machine that serves, also when the targets keys are elsewhere and
    /// the change waits in a request.
    ///
    /// # Errors
    /// [`CustodyError::FolderKnown`] when one does already; whatever keeps a change from being made.
    pub fn add_folders(&self, ids: &[ChannelId], dry_run: bool, now: UtcTime, progress: &dyn Progress) -> Result<Rotated, PublishError> {
        self.change_folders("folders add", ids, |plan, id| plan.add_folder(id), dry_run, now, progress)
    }

    /// Lets the folders of `ids` publish themselves no more. What they published stays listed, by the roles of their operating systems.
    ///
    /// # Errors
    /// [`CustodyError::NoFolder`] when one does not; whatever keeps a change from being made.
    pub fn remove_folders(&self, ids: &[ChannelId], dry_run: bool, now: UtcTime, progress: &dyn Progress) -> Result<Rotated, PublishError> {
        self.change_folders("folders remove", ids, |plan, id| plan.remove_folder(id), dry_run, now, progress)
    }

    fn change_folders(
        &self,
        command: &str,
        ids: &[ChannelId],
        change: fn(&mut Plan<'_>, &ChannelId) -> Result<(), PublishError>,
        dry_run: bool,
        now: UtcTime,
        progress: &dyn Progress,
    ) -> Result<Rotated, PublishError> {
        let _lock = self.lock(command, progress)?;
        let view = self.view()?;
        let mut plan = Plan::new(&view);
        if ids.is_empty() {
            return Err(CustodyError::Nothing.into());
        }
        for id in ids {
            change(&mut plan, id)?;
        }
        self.carry_out(&view, plan, (self.keys(), false), dry_run, now)
    }
}
