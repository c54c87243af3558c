//! Takes submissions into a repository on this machine, signing with the keys of snapshot and timestamp alone.
//!
//! Everything that makes a submission fit is the library's business: signatures by keys that the repository itself names, the versions it was made for,
//! every object read back ([`manifests::publish::submit`]). Here its verdict becomes one that a client can act on.

use std::path::Path;
use std::sync::Arc;

use manifests::publish::commit::CommitError;
use manifests::publish::lock::LockError;
use manifests::publish::refresh::Signing;
use manifests::publish::submit::Submitted;
use manifests::publish::{PublishError, Silent};
use manifests::time::UtcTime;

use super::{Intake, Refused, Taken, TakenRelease, TakenRole};
use crate::upkeep::Kept;

/// Submissions go into the repository that is kept here.
pub(super) struct IntoRepository(pub(super) Arc<Kept>);

impl Intake for IntoRepository {
    fn submit(&self, bundle: &Path, now: UtcTime) -> Result<Taken, Refused> {
        let repository = self.0.open().map_err(refused)?;
        // What is wrong with the repository before the submission is looked at is not the submission's fault.
        repository.view().map_err(|error| Refused::Failed(error.to_string()))?;
        repository.submit_signing(Signing::Online, &[bundle], now, &Silent).map(taken).map_err(refused)
    }
}

fn taken(submitted: Submitted) -> Taken {
    let role = |(role, version, expires)| TakenRole { role, version, expires };
    let release = |(id, sequence, build): (manifests::name::ChannelId, u64, manifests::build::Build)| TakenRelease {
        channel: id.to_string(),
        sequence,
        build: build.text().to_owned(),
    };
    Taken {
        roles: submitted.signed.into_iter().map(role).collect(),
        releases: submitted.releases.into_iter().map(release).collect(),
        new_objects: submitted.new_objects,
    }
}

/// Whose fault it was. What is not known to be the submission's own is the server's, whose operator then reads of it.
fn refused(error: PublishError) -> Refused {
    let reason = error.to_string();
    match error {
        PublishError::Lock(LockError::Held { .. }) => Refused::Busy(reason),
        PublishError::Commit(CommitError::Stale { .. }) => Refused::NotCurrent(reason),
        PublishError::Commit(
            CommitError::Unsound(_) | CommitError::Backwards(_) | CommitError::RunAway { .. } | CommitError::OtherRequest,
        )
        | PublishError::View(_)
        | PublishError::OtherRepository { .. }
        | PublishError::NotSigned(_)
        | PublishError::Incomplete(_)
        | PublishError::Manifest(_)
        | PublishError::TooLong { .. } => Refused::Unfit(reason),
        // Where it lies here is nobody's business.
        PublishError::NotARequest { reason, .. } => Refused::Unfit(format!("it is no submission bundle: {reason}")),
        _ => Refused::Failed(reason),
    }
}
