//! Commits what was signed elsewhere: signing requests, and submission bundles with objects.
//!
//! Nothing in a file is believed but signatures by keys that the repository names itself. Signatures are counted before a single object is taken in, every new release is read back whole
//! before it becomes visible, and the versions that the proposal was composed from must still be the current ones (compare and set).

use std::path::Path;

use super::audit::PackContents;
use super::bundle;
use super::commit::{self, SignedRole};
use super::progress::Progress;
use super::proposal::Proposal;
use super::refresh::Signing;
use super::signers::Signers;
use super::signing_request;
use super::view::{self, View};
use super::{PublishError, Repository};
use crate::build::Build;
use crate::name::ChannelId;
use crate::role::HasHeader as _;
use crate::snapshot::Snapshot;
use crate::time::UtcTime;
use crate::timestamp::Timestamp;

/// What a commit of signed files made visible.
#[derive(Debug, Clone, PartialEq)]
pub struct Submitted {
    /// The roles that are new, with version and expiry.
    pub signed: Vec<SignedRole>,
    /// Releases that were not listed before.
    pub releases: Vec<(ChannelId, u64, Build)>,
    /// Objects that were not there before.
    pub new_objects: usize,
}

impl Repository {
    /// Commits the proposal in `files`: one signing request, several copies of one that different people signed, or one submission bundle.
    pub fn submit(&self, files: &[impl AsRef<Path>], now: UtcTime, progress: &dyn Progress) -> Result<Submitted, PublishError> {
        self.submit_signing(Signing::All, files, now, progress)
    }

    /// As [`Repository::submit`], adding signatures for the roles in `which` alone: whatever keys lie in its folder, a server signs for nothing that lists releases (attack A21).
    pub fn submit_signing(
        &self,
        which: Signing,
        files: &[impl AsRef<Path>],
        now: UtcTime,
        progress: &dyn Progress,
    ) -> Result<Submitted, PublishError> {
        let _lock = self.lock("commit", progress)?;
        let view = self.view()?;
        let mut proposal = joined(files)?;
        let signers = self.complete(which, &view, &mut proposal)?;
        commit::refuse_stale(&proposal, &view)?;
        let mut new_objects = 0;
        for file in files {
            if let Some(mut bundle) = bundle::open(file.as_ref())? {
                new_objects += bundle.import(&self.disk)?;
            }
        }
        let releases = view.new_releases(&proposal.documents)?;
        let mut contents = PackContents::default();
        for (id, release) in &releases {
            contents.add(&view::read_manifest(&self.disk, &release.manifest, &view::release_id(id, &release.build), &self.limits)?);
        }
        if let Some(problem) = contents.check(&self.disk, progress)?.into_iter().next() {
            return Err(PublishError::Incomplete(problem));
        }
        let signed = commit::commit(&self.disk, &proposal, Some(&view), &signers, now)?;
        let releases = releases.into_iter().map(|(id, release)| (id, release.sequence, release.build)).collect();
        Ok(Submitted { signed, releases, new_objects })
    }

    /// Adds the signatures that keys here can make and `which` allows, and refuses what is still not signed as the repository itself demands.
    fn complete(&self, which: Signing, view: &View, proposal: &mut Proposal) -> Result<Signers, PublishError> {
        if proposal.repository != self.name {
            return Err(PublishError::OtherRepository { found: proposal.repository.clone(), expected: self.name.clone() });
        }
        // Whose signatures count is decided by the roles that are current here, not by what the file says was before.
        proposal.take_context(&self.disk, view)?;
        let needed = proposal.all_signers();
        let mut signers = Signers::default();
        signers.gather(&self.keys, needed.iter().filter(|(role, _)| which.may_sign(role)).map(|(_, keys)| keys))?;
        // Snapshot and timestamp are no part of a proposal; a key that signs them may be one of other roles as well.
        if which == Signing::All {
            proposal.sign(&signers)?;
        }
        if let Some(unsigned) = proposal.progress().into_iter().find(|progress| !progress.is_complete()) {
            return Err(PublishError::NotSigned(Box::new(unsigned)));
        }
        let online = needed.iter().filter(|(role, _)| [Snapshot::KIND, Timestamp::KIND].contains(&role.as_str()));
        match online.into_iter().find_map(|(role, keys)| signers.missing(role, keys, &self.keys)) {
            Some(missing) => Err(missing.into()),
            None => Ok(signers),
        }
    }
}

/// The proposal of which all `files` are copies, with the signatures of all.
fn joined(files: &[impl AsRef<Path>]) -> Result<Proposal, PublishError> {
    let mut proposals = files.iter().map(|file| signing_request::read(file.as_ref()));
    let mut proposal = proposals.next().ok_or(PublishError::NoRequest)??;
    for other in proposals {
        proposal.merge(other?)?;
    }
    Ok(proposal)
}
