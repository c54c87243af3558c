//! What somebody is asked to agree to, and what came of it.

use manifests::path::RelPath;

use super::Returned;
use crate::deadline::Deadline;
use crate::history::BuildAt;
use crate::in_use::Holder;

/// What somebody is asked to agree to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What is installed.
    pub from: Option<BuildAt>,
    /// What would be.
    pub to: BuildAt,
    /// What it costs.
    pub cost: Cost,
    /// Whether whoever is asked may also ignore it (D-26).
    pub may_ignore: bool,
    /// Until when it can be put off, where that ends.
    pub deadline: Option<Deadline>,
}

/// What a plan costs.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Cost {
    /// Bytes to be received.
    pub fetch_bytes: u64,
    /// Files that are written.
    pub put_files: usize,
    /// Files that only get another time or mode.
    pub set_files: usize,
    /// Files and links that go.
    pub removed_files: usize,
    /// Config files whose user's copy stays.
    pub kept_files: Vec<RelPath>,
    /// Config files of which the user's copy gets what the release changed; before it is done, also those that may turn out not to be mergeable.
    pub merged_files: Vec<RelPath>,
    /// Whether a backup is made.
    pub takes_backup: bool,
}

impl Cost {
    /// Of `unmerged` the user's copies stay: that they cannot be merged shows when it is tried.
    pub(super) fn keeps(&mut self, unmerged: &[RelPath]) {
        self.merged_files.retain(|path| !unmerged.contains(path));
        self.kept_files.extend_from_slice(unmerged);
        self.kept_files.sort();
    }
}

/// The answer to a proposal (D-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Go on.
    Yes,
    /// Leave everything as it is.
    No,
    /// Leave everything as it is, and ask no more about this release (D-26). What may not be ignored is as good as [`Consent::No`].
    Ignore,
    /// There is nobody to ask.
    Nobody,
    /// Here it takes two acts, download and installation, each by somebody (AC-26).
    TwoActs,
    /// Whoever asks may not agree to it (D-02).
    NeedsAdmin,
}

/// What somebody has said to whatever will be proposed.
#[derive(Clone, Copy)]
pub enum Word<'w> {
    /// Yes, beforehand.
    Yes,
    /// Nothing yet: this asks, where there is anybody.
    Ask(&'w dyn Fn(&Proposal) -> Consent),
}

/// How an update ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Updated {
    /// Everything was as it should be.
    Nothing,
    /// What would be done.
    Planned(Proposal),
    /// Somebody said no, or there was nobody to ask.
    NotAgreed(Proposal, Consent),
    /// Everything is ready, and waits for those who use what would be replaced. Nothing live was changed.
    Deferred {
        /// What it is and would be, and what it costs.
        proposal: Proposal,
        /// Bytes received.
        received_bytes: u64,
        /// Who it waits for; none when the system did not say who.
        holders: Vec<Holder>,
    },
    /// Everything is ready, and waits for somebody to install it. Nothing live was changed.
    Ready {
        /// What it is and would be, and what it costs.
        proposal: Proposal,
        /// Bytes received.
        received_bytes: u64,
    },
    /// The new build did not live, and the one before it is back.
    Returned {
        /// What it was, would be and was again, and what it cost.
        proposal: Proposal,
        /// Why, and to what.
        returned: Returned,
    },
    /// The folder is now at the release.
    Applied {
        /// What it was and is, and what it cost.
        proposal: Proposal,
        /// Bytes received.
        received_bytes: u64,
        /// The name of the backup that was made.
        backup: Option<String>,
        /// What people should know.
        warnings: Vec<String>,
    },
}
