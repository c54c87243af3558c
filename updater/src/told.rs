//! `told.json`: what the station's people said, and were told, about releases that are not installed: which of them they ignore, and which warning of a deadline they had last (D-26).
//!
//! It grants nothing: a release that the station needs is offered whatever stands here ([`manifests::decide`]). Losing it costs a question or a warning that was there before.

use manifests::channel::{FORMAT, Place};
use manifests::json;
use serde::{Deserialize, Serialize};

use crate::fs::{Folder, FsError, LocalPath, Point};

/// Longest file that is read, in bytes.
const LIMIT_BYTES: usize = 64 * 1024;
/// Most releases that are ignored at once; one more lets the oldest go. A station that passes over more in a row has another question than which version.
const MOST_IGNORED: usize = 32;

/// What was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The places of the releases that are ignored, in their order.
    pub ignored: Vec<Place>,
    /// The last warning of a deadline.
    pub warned: Option<Warned>,
}

/// A warning that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warned {
    /// The place of the release that it is about.
    pub at: Place,
    /// Which: so many minutes before the deadline ([`crate::deadline::WARNINGS_MINUTES`]).
    pub minutes: u64,
}

#[derive(Serialize, Deserialize)]
struct ToldWire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<Place>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warned: Option<Warned>,
}

impl Told {
    fn path() -> LocalPath {
        LocalPath::state("told.json")
    }

    /// Reads the document; what cannot be read says nothing.
    pub fn parse(bytes: &[u8]) -> Told {
        let wire = json::from_slice::<ToldWire>(bytes, LIMIT_BYTES).ok();
        let wire = wire.filter(|wire| wire.format == FORMAT && wire.document == "told");
        wire.map_or_else(Told::default, |wire| Told { ignored: wire.ignored, warned: wire.warned })
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let wire = ToldWire { format: FORMAT, document: "told".into(), ignored: self.ignored.clone(), warned: self.warned };
        // Text and numbers only: nothing in it can fail to serialise.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// What was said in `folder`.
    pub fn load(folder: &Folder) -> Result<Told, FsError> {
        Ok(folder.read(&Self::path())?.map_or_else(Told::default, |bytes| Told::parse(&bytes)))
    }

    /// Stores it durably; nothing is said by no file.
    pub fn save(&self, folder: &Folder) -> Result<(), FsError> {
        if *self != Told::default() {
            return folder.write_durably(&Self::path(), &self.to_bytes(), Point::ToldFile);
        }
        folder.discard(&Self::path(), Point::ToldFile)?;
        folder.empty_trash()
    }

    /// Somebody ignores the release at `place`, while the one at `installed` is there; `false` when that was so before. What is not above the installed one is forgotten.
    pub fn ignore(&mut self, place: Place, installed: Place) -> bool {
        self.ignored.retain(|ignored| *ignored > installed);
        if self.ignored.contains(&place) {
            return false;
        }
        self.ignored.push(place);
        self.ignored.sort_unstable();
        let surplus = self.ignored.len().saturating_sub(MOST_IGNORED);
        self.ignored.drain(..surplus);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_damage_says_nothing() {
        let told = Told { ignored: vec![Place(1, 7), Place(2, 1)], warned: Some(Warned { at: Place(2, 1), minutes: 15 }) };
        assert_eq!(Told::parse(&told.to_bytes()), told);
        assert_eq!(told.to_bytes(), br#"{"format":0,"type":"told","ignored":[[1,7],[2,1]],"warned":{"at":[2,1],"minutes":15}}"#);
        for damaged in [&b""[..], b"{}", &told.to_bytes()[1..], br#"{"format":0,"type":"attempts","ignored":[[1,7]]}"#] {
            assert_eq!(Told::parse(damaged), Told::default());
        }
    }

    #[test]
    fn a_release_is_ignored_once_and_what_is_behind_is_forgotten() {
        let mut told = Told::default();
        assert!(told.ignore(Place(1, 3), Place(1, 1)) && told.ignore(Place(1, 2), Place(1, 1)));
        assert!(!told.ignore(Place(1, 3), Place(1, 1)), "known");
        assert_eq!(told.ignored, [Place(1, 2), Place(1, 3)]);
        assert!(told.ignore(Place(2, 1), Place(1, 2)));
        assert_eq!(told.ignored, [Place(1, 3), Place(2, 1)], "the installed one has gone past the other");
        (10..100).for_each(|sequence| assert!(told.ignore(Place(2, sequence), Place(1, 2))));
        assert_eq!((told.ignored.len(), told.ignored[0]), (MOST_IGNORED, Place(2, 68)));
    }
}
