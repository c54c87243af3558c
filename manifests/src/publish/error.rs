//! Why a publisher's command failed: the one type that all of them return. Each step's own error stands beside the step.

use std::path::PathBuf;

use super::audit::Problem;
use super::commit::CommitError;
use super::compose::Refused;
use super::custody::CustodyError;
use super::disk::DiskError;
use super::keys::KeyError;
use super::lint::Findings;
use super::lock::LockError;
use super::proposal::Progress as SigningProgress;
use super::scan::ScanError;
use super::view::ViewError;
use super::zip_source::ZipError;
use crate::name::Name;
use crate::release::ManifestFault;

/// A publisher's command failed. Nothing that stations see has changed, whichever it is.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The folder is not fit.
    #[error("{0}")]
    Lint(Findings),
    /// The release cannot be the next one of its channel.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The folder changed, or could not be read.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The zip could not be unpacked.
    #[error(transparent)]
    Zip(#[from] ZipError),
    /// There is nothing at the place given.
    #[error("there is no folder or zip file at `{}`", .0.display())]
    NoSource(PathBuf),
    /// There is no repository.
    #[error("there is no repository at `{}`: make one with `manifests init`", .0.display())]
    NotARepository(PathBuf),
    /// The repository's own description cannot be read.
    #[error("`{}` is not the description of a repository: {reason}", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is a repository already.
    #[error("`{}` is a repository already, named `{name}`: publish into it, or choose another folder", path.display())]
    AlreadyARepository {
        /// The folder.
        path: PathBuf,
        /// The name it has.
        name: Name,
    },
    /// The folder holds something else.
    #[error("`{}` is not empty and is no repository: choose a new or an empty folder", .0.display())]
    NotEmpty(PathBuf),
    /// A repository's name may not look like a folder of keys.
    #[error("a repository cannot be named `{0}`: names that end in `.keys` are those of key folders")]
    KeysName(Name),
    /// Keys inside what is served.
    #[error("the keys may not lie in the repository: choose a place for them outside `{}`", .0.display())]
    KeysInside(PathBuf),
    /// The repository is damaged.
    #[error(transparent)]
    View(#[from] ViewError),
    /// Another command is at it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A change could not be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A file that was to be signed or committed is neither a signing request nor a bundle.
    #[error("`{}` is no signing request or bundle of this program: {reason}", file.display())]
    NotARequest {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Nothing was given to commit.
    #[error("no signing request was given")]
    NoRequest,
    /// It is for another repository.
    #[error("this is for the repository `{found}`, not for `{expected}`")]
    OtherRepository {
        /// The one it names.
        found: Name,
        /// The one it was given to.
        expected: Name,
    },
    /// Too few have signed.
    #[error("`{}` has {} of the {} signatures it needs: `manifests sign` it with keys among {}", .0.role, .0.signed, .0.keys.threshold, .0.ids())]
    NotSigned(Box<SigningProgress>),
    /// A release came without something that it needs.
    #[error("a release is not complete: {0}; send all of its objects")]
    Incomplete(Problem),
    /// A key operation that makes no sense.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// A document would not be readable by stations.
    #[error("the release would break a rule of the format: {0}")]
    Manifest(#[from] ManifestFault),
    /// A document is larger than stations accept.
    #[error("{what} would be {length} bytes long, more than the {limit} that stations accept: publish less in one release, or prune")]
    TooLong {
        /// Which document.
        what: &'static str,
        /// Its length in bytes.
        length: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A document has no canonical form.
    #[error(transparent)]
    Canonical(#[from] crate::canonical::CanonicalError),
}

impl From<DiskError> for PublishError {
    fn from(error: DiskError) -> Self {
        PublishError::Commit(CommitError::Disk(error))
    }
}

impl From<KeyError> for PublishError {
    fn from(error: KeyError) -> Self {
        PublishError::Commit(CommitError::Key(error))
    }
}
