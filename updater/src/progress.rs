//! What a run tells whoever watches it. The library prints nothing; a terminal, a log or a window implements [`Progress`].

use manifests::path::RelPath;
use serde::Deserialize;

use crate::code::Code;
use crate::deadline::Deadline;

/// The steps of the pipeline, as people see them (`docs/architecture.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Asking the source what is new.
    Check,
    /// Looking at the files of the install.
    Scan,
    /// Receiving what is missing.
    Fetch,
    /// Making complete new files beside the live ones.
    Stage,
    /// Keeping the folder as it is.
    BackUp,
    /// Putting the new files in place.
    Swap,
    /// Finding out whether the new build lives.
    Prove,
    /// Finishing or undoing what an earlier run began.
    Recover,
}

impl Step {
    /// All of them, in the order of a run.
    pub const ALL: &'static [Step] =
        &[Step::Check, Step::Scan, Step::Fetch, Step::Stage, Step::BackUp, Step::Swap, Step::Prove, Step::Recover];

    /// The step of that name.
    pub fn from_name(name: &str) -> Option<Step> {
        serde_json::from_value(name.into()).ok()
    }

    /// Which half of an update it belongs to, as people are shown it (S3-9): files are verified, then updated.
    pub const fn phase(self) -> &'static str {
        match self {
            Step::Check | Step::Scan => "verify",
            Step::Fetch | Step::Stage | Step::BackUp | Step::Swap | Step::Prove => "update",
            Step::Recover => "recover",
        }
    }

    /// The name in JSON lines and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Step::Check => "check",
            Step::Scan => "scan",
            Step::Fetch => "fetch",
            Step::Stage => "stage",
            Step::BackUp => "back-up",
            Step::Swap => "swap",
            Step::Prove => "prove",
            Step::Recover => "recover",
        }
    }
}

/// Watches a run. Called from several threads.
pub trait Progress: Send + Sync {
    /// `step` begins; `total` is what [`Progress::advance`] will add up to (bytes when fetching, files otherwise), 0 when that is not known.
    fn begin(&self, step: Step, total: u64);

    /// `amount` more of the current step is done.
    fn advance(&self, amount: u64);

    /// The current step now works on `path`.
    fn at(&self, path: &RelPath) {
        let _ = path;
    }

    /// Something people should know that stops nothing.
    fn note(&self, text: &str);

    /// A release can be put off only so long, or no longer: said 60, 15 and 5 minutes before that ends, and when it is installed because it has ended (D-26).
    fn deadline(&self, deadline: &Deadline);

    /// An update could not be done, and the run goes on without it (S3-23): what was tried, the code of the failure, and why.
    fn failed(&self, what: &str, code: Code, why: &str) {
        let _ = code;
        self.note(&format!("{what}: {why}"));
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: Step, _: u64) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn deadline(&self, _: &Deadline) {}
}

#[cfg(test)]
mod tests {
    use super::Step;

    #[test]
    fn every_step_is_known_by_its_name() {
        for step in Step::ALL {
            assert_eq!(Step::from_name(step.as_str()), Some(*step));
        }
        assert_eq!(Step::from_name("nap"), None);
    }
}
