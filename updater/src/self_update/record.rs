//! `.updater/self/record.json`: which program lies at the executable's path and why, and the trial that is under way (`docs/format.md` section 17).
//!
//! The trial is the journal of a replacement: it is written before the executable is touched and removed when the new program has proved itself or the old one is back.

use manifests::channel::{Bound, Place};
use manifests::digest::Digest;
use manifests::json::{self, JsonError};
use serde::{Deserialize, Serialize};

use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::id::Id;
use crate::state_format::FORMAT;

use super::home::kept;

/// Longest file that is read, in bytes.
const LIMIT_BYTES: usize = 1 << 16;
/// How often a program may be asked whether it lives without anybody seeing its answer.
const UNANSWERED: u32 = 2;

/// What is known of the executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Whether `check` and `update` look for a newer updater first.
    pub automatic: bool,
    /// The program that was last put at the path and proved itself there.
    pub active: Option<Program>,
    /// What lay there before, kept in `.updater/self/previous`.
    pub previous: Option<Program>,
    /// A replacement that has not ended.
    pub trial: Option<Trial>,
    /// A program that was asked whether it lives, of which nobody saw the answer.
    pub asked: Option<Asked>,
}

/// A program that was started with `self-check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Digest of its file.
    pub sha256: Digest,
    /// How often, one time after the other.
    pub times: u32,
}

/// A program, by its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Digest of the file.
    pub sha256: Digest,
    /// The release that it came with; `None` for one that was put there by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ProgramRelease>,
}

impl Eq for Program {}

/// The release of a program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramRelease {
    /// Its place.
    pub at: Place,
    /// Its build.
    pub build: Bound,
    /// Digest of its manifest.
    pub manifest: Digest,
}

/// A replacement under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Names it; what the new program writes to confirm.
    pub id: Id,
    /// Which way it goes.
    pub phase: Phase,
    /// The program at the path before.
    pub old: Program,
    /// The program that is to be there.
    pub new: Program,
    /// Why it goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Which way a replacement goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// To the new program.
    Forward,
    /// Back to the old one: the new one failed.
    Back,
}

/// The record cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is there, but damaged.
    #[error("`.updater/self/record.json` is damaged ({reason}): run `updater self follow` again with the install link")]
    Damaged {
        /// How.
        reason: String,
    },
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

#[derive(Serialize, Deserialize)]
struct RecordWire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    automatic: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    active: Option<Program>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Program>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trial: Option<Trial>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<Asked>,
}

impl Default for Record {
    fn default() -> Record {
        Record { automatic: true, active: None, previous: None, trial: None, asked: None }
    }
}

impl Record {
    fn path() -> LocalPath {
        kept("record.json")
    }

    /// Reads the document.
    pub fn parse(bytes: &[u8]) -> Result<Record, RecordError> {
        let damaged = |error: JsonError| RecordError::Damaged { reason: error.to_string() };
        let wire: RecordWire = json::from_slice(bytes, LIMIT_BYTES).map_err(damaged)?;
        if wire.format != FORMAT || wire.document != "self" {
            let reason = format!("it has type `{}` and format {}", manifests::quote::quoted(&wire.document, 80), wire.format);
            return Err(RecordError::Damaged { reason });
        }
        let RecordWire { automatic, active, previous, trial, asked, .. } = wire;
        Ok(Record { automatic, active, previous, trial, asked })
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Record { automatic, active, previous, trial, asked } = self.clone();
        // Text, numbers and hex: nothing in it can fail to serialise.
        serde_json::to_vec(&RecordWire { format: FORMAT, document: "self".into(), automatic, active, previous, trial, asked })
            .unwrap_or_default()
    }

    /// The record of the updater's own folder; the default when there is none.
    pub fn load(folder: &Folder) -> Result<Record, RecordError> {
        folder.read(&Self::path())?.map_or(Ok(Record::default()), |bytes| Record::parse(&bytes))
    }

    /// Remembers that the program `sha256` is about to be asked; `false` when it must not be: twice already nobody saw its answer, and it may be what ends whoever asks.
    pub(super) fn begin_to_ask(&mut self, sha256: Digest) -> bool {
        let times = self.asked.take().filter(|asked| asked.sha256 == sha256).map_or(0, |asked| asked.times);
        self.asked = Some(Asked { sha256, times: times + 1 });
        times < UNANSWERED
    }

    /// Stores it durably.
    pub fn save(&self, folder: &Folder) -> Result<(), FsError> {
        folder.write_durably(&Self::path(), &self.to_bytes(), Point::SelfRecord)
    }
}

#[cfg(test)]
mod tests {
    use manifests::build::{Build, Scheme};

    use super::*;

    fn full() -> Record {
        let release = |n: u64| {
            let build = Bound(Build::parse(&format!("0.{n}.0"), Scheme::Semver).unwrap());
            Some(ProgramRelease { at: Place(1, n), build, manifest: Digest::of(&[n as u8]) })
        };
        let program = |n: u64| Program { sha256: Digest::of(&[n as u8, 0]), release: release(n) };
        let trial = Trial {
            id: Id::from_bytes([7; 8]),
            phase: Phase::Back,
            old: Program { release: None, ..program(1) },
            new: program(2),
            reason: Some("it died".into()),
        };
        let asked = Some(Asked { sha256: Digest::of(b"asked"), times: 1 });
        Record { automatic: false, active: Some(program(1)), previous: Some(program(0)), trial: Some(trial), asked }
    }

    #[test]
    fn what_is_written_reads_back() {
        for record in [full(), Record::default()] {
            assert_eq!(Record::parse(&record.to_bytes()).unwrap(), record);
        }
    }

    #[test]
    fn f13_a_program_is_asked_twice_without_an_answer_and_no_more() {
        let mut record = full();
        let asked = [1u8, 1, 1, 2, 2, 2].map(|program| record.begin_to_ask(Digest::of(&[program])));
        assert_eq!(asked, [true, true, false, true, true, false]);
        record.asked = None;
        assert!(record.begin_to_ask(Digest::of(&[2])), "it answered");
    }

    #[test]
    fn damage_is_named() {
        let bytes = full().to_bytes();
        for damaged in [&b""[..], &bytes[..bytes.len() / 2], b"{}", br#"{"format":0,"type":"ratchet","automatic":true}"#] {
            assert!(matches!(Record::parse(damaged), Err(RecordError::Damaged { .. })));
        }
    }
}
