//! `attempts.json`: a release that failed to be applied again and again is left alone (attacks F11 and F12): a loop that fetches, backs up and fails every few hours costs a shop its line and its disk.
//!
//! Counted are failures in a row of one release while it is staged, backed up and swapped in. What has other causes is not: a source that cannot be reached or believed, a client in use, a disk
//! that is full. After [`LIMIT`] of them the release is not taken again until another one comes, or somebody says so (`updater update --retry`, `updater unhold`). Before that, runs that nobody
//! sits at (`updater update --trigger schedule`, say) wait longer each time.

use manifests::channel::{FORMAT, Place};
use manifests::digest::Digest;
use manifests::json;
use manifests::time::UtcTime;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::fs::{Folder, FsError, LocalPath, Point};

/// Failures in a row after which a release is left alone: the first may be chance, the second bad luck.
pub const LIMIT: u32 = 3;
/// Longest file that is read, in bytes.
const LIMIT_BYTES: usize = 64 * 1024;
/// How long scheduled runs wait after the first failure, in seconds; four times as long after each further one.
const FIRST_WAIT_SECONDS: i64 = 15 * 60;

/// The release that failed last, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// Digest of its manifest.
    pub manifest: Digest,
    /// Its place.
    pub at: Place,
    /// How often it failed in a row.
    pub failures: u32,
    /// The code of the last failure.
    pub code: String,
    /// When that was.
    pub last: UtcTime,
}

#[derive(Serialize, Deserialize)]
struct AttemptsWire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<Attempts>,
}

/// Whether a failure with this code, after everything was fetched, speaks against the release or the station rather than for trying again.
pub fn counts(code: Code) -> bool {
    !matches!(code, Code::NoSpace | Code::FileInUse)
}

impl Attempts {
    fn path() -> LocalPath {
        LocalPath::state("attempts.json")
    }

    /// Reads the document; what cannot be read says nothing.
    pub fn parse(bytes: &[u8]) -> Option<Attempts> {
        let wire = json::from_slice::<AttemptsWire>(bytes, LIMIT_BYTES).ok()?;
        (wire.format == FORMAT && wire.document == "attempts").then_some(wire.failed).flatten()
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let wire = AttemptsWire { format: FORMAT, document: "attempts".into(), failed: Some(self.clone()) };
        // Text and numbers only: nothing in it can fail to serialise.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// What failed last in `folder`.
    pub fn load(folder: &Folder) -> Result<Option<Attempts>, FsError> {
        Ok(folder.read(&Self::path())?.and_then(|bytes| Attempts::parse(&bytes)))
    }

    /// Stores it durably.
    pub fn save(&self, folder: &Folder) -> Result<(), FsError> {
        folder.write_durably(&Self::path(), &self.to_bytes(), Point::AttemptsFile)
    }

    /// Nothing has failed.
    pub fn forget(folder: &Folder) -> Result<(), FsError> {
        folder.discard(&Self::path(), Point::AttemptsFile)?;
        folder.empty_trash()
    }

    /// What is known after the release at `at` with `manifest` failed once more.
    pub fn after(known: Option<Attempts>, manifest: Digest, at: Place, code: &str, now: UtcTime) -> Attempts {
        // One failure more than a number can hold is as good as that many.
        let before = known.filter(|known| known.manifest == manifest).map_or(0, |known| known.failures);
        Attempts { manifest, at, failures: before.saturating_add(1), code: code.to_owned(), last: now }
    }

    /// Whether it is left alone.
    pub fn is_quarantined(&self) -> bool {
        self.failures >= LIMIT
    }

    /// Before when a run that nobody sits at does not try it again. A clock that went back past the failure holds nothing up.
    pub fn not_before(&self, now: UtcTime) -> Option<UtcTime> {
        let wait = FIRST_WAIT_SECONDS.saturating_mul(4_i64.saturating_pow(self.failures.saturating_sub(1)));
        let until = self.last.unix().saturating_add(wait);
        (now >= self.last && now.unix() < until).then(|| UtcTime::from_unix(until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> UtcTime {
        UtcTime::from_unix(1_763_683_200 + seconds)
    }

    fn failed(times: u32) -> Attempts {
        let fail = |known: Option<Attempts>| Some(Attempts::after(known, Digest::of(b"13"), Place(1, 13), "storage-error", at(0)));
        (0..times).fold(None, |known, _| fail(known)).unwrap()
    }

    #[test]
    fn what_is_written_reads_back_and_damage_says_nothing() {
        let attempts = failed(2);
        assert_eq!(Attempts::parse(&attempts.to_bytes()), Some(attempts.clone()));
        for damaged in [&b""[..], b"{}", &attempts.to_bytes()[1..]] {
            assert_eq!(Attempts::parse(damaged), None);
        }
    }

    #[test]
    fn f11_three_failures_in_a_row_of_one_release_are_enough() {
        assert!(!failed(2).is_quarantined());
        assert!(failed(3).is_quarantined());
        let other = Attempts::after(Some(failed(3)), Digest::of(b"14"), Place(1, 14), "storage-error", at(0));
        assert_eq!(other.failures, 1, "another release begins anew");
    }

    #[test]
    fn f12_scheduled_runs_wait_longer_after_each_failure() {
        assert_eq!(failed(1).not_before(at(0)), Some(at(15 * 60)));
        assert_eq!(failed(1).not_before(at(15 * 60)), None);
        assert_eq!(failed(2).not_before(at(15 * 60)), Some(at(60 * 60)));
        assert_eq!(failed(1).not_before(at(-1)), None, "the clock went back");
        assert!(failed(u32::from(u16::MAX)).not_before(at(1)).is_some());
    }
}
