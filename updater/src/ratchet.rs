//! `ratchet.json`: what only ever grows. It keeps a station from being led back to an old release (attack class "rollback"), also by its own backups.

use std::collections::BTreeMap;

use manifests::channel::{FORMAT, Place};
use manifests::digest::Digest;
use manifests::json::{self, JsonError};
use manifests::name::Os;
use serde::{Deserialize, Serialize};

use crate::clock::Floor;
use crate::fs::{Folder, FsError, LocalPath, Point};

/// Longest file that is read, in bytes.
const LIMIT_BYTES: usize = 1 << 20;

/// Most releases that are remembered as blocked.
const BLOCKED: usize = 100;

/// What only ever grows (`docs/format.md` section 11).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ratchet {
    /// The highest place this folder ever accepted; none before the first install.
    pub highest: Option<Place>,
    /// The highest epoch accepted from a policy, per OS.
    pub epochs: BTreeMap<Os, u64>,
    /// What a rollback left: nothing up to it is offered until it is superseded or the hold is lifted.
    pub hold: Option<Held>,
    /// Releases that failed to live here, under any sequence with the same manifest.
    pub blocked: Vec<Held>,
    /// The latest time at which something that this folder accepted was signed.
    pub signed: Option<Floor>,
}

/// A release, by its place and content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its place when it was left or failed.
    pub at: Place,
    /// Digest of its manifest.
    pub manifest: Digest,
}

/// The ratchet cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RatchetError {
    /// It is there, but damaged. It is not made anew by itself: that would forget what may not be forgotten.
    #[error("`.updater/ratchet.json` is damaged ({reason}): run `updater install` again with the install link")]
    Damaged {
        /// How.
        reason: String,
    },
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

#[derive(Serialize, Deserialize)]
struct RatchetWire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    highest: Option<Place>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    epochs: BTreeMap<Os, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold: Option<Held>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    blocked: Vec<Held>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signed: Option<Floor>,
}

impl Ratchet {
    fn path() -> LocalPath {
        LocalPath::state("ratchet.json")
    }

    /// Reads the document.
    pub fn parse(bytes: &[u8]) -> Result<Ratchet, RatchetError> {
        let damaged = |error: JsonError| RatchetError::Damaged { reason: error.to_string() };
        let wire: RatchetWire = json::from_slice(bytes, LIMIT_BYTES).map_err(damaged)?;
        if wire.format != FORMAT || wire.document != "ratchet" {
            return Err(RatchetError::Damaged {
                reason: format!("it has type `{}` and format {}", manifests::quote::quoted(&wire.document, 80), wire.format),
            });
        }
        let RatchetWire { highest, epochs, hold, blocked, signed, .. } = wire;
        Ok(Ratchet { highest, epochs, hold, blocked, signed })
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Ratchet { highest, epochs, hold, blocked, signed } = self.clone();
        let wire = RatchetWire { format: FORMAT, document: "ratchet".into(), highest, epochs, hold, blocked, signed };
        // Numbers, hex and names: nothing in it can fail to serialise.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// The ratchet of `folder`; the default when there is none.
    pub fn load(folder: &Folder) -> Result<Ratchet, RatchetError> {
        folder.read(&Self::path())?.map_or(Ok(Ratchet::default()), |bytes| Ratchet::parse(&bytes))
    }

    /// Stores it durably.
    pub fn save(&self, folder: &Folder) -> Result<(), RatchetError> {
        Ok(folder.write_durably(&Self::path(), &self.to_bytes(), Point::RatchetFile)?)
    }

    /// Remembers that a release at `place` was accepted: never again one below it.
    pub fn raise(&mut self, place: Place) {
        self.highest = self.highest.max(Some(place));
    }

    /// Remembers that a policy with `epoch` for `os` was accepted.
    pub fn raise_epoch(&mut self, os: Os, epoch: u64) {
        let known = self.epochs.entry(os).or_insert(epoch);
        *known = epoch.max(*known);
    }

    /// Remembers when something that was accepted was signed; `false` when that is known already. A floor of other keys is replaced, higher or not: it was theirs.
    pub fn raise_signed(&mut self, floor: Floor) -> bool {
        let is_known = self.signed.is_some_and(|known| known.by == floor.by && known.at >= floor.at);
        if !is_known {
            self.signed = Some(floor);
        }
        !is_known
    }

    /// Holds what a rollback left.
    pub fn hold(&mut self, left: Held) {
        self.hold = Some(left);
    }

    /// Never takes the release `failed` again by itself, under whatever number.
    pub fn block(&mut self, failed: Held) {
        self.blocked.push(failed);
        // What was blocked so long ago is offered by nobody any more; and the highest place keeps what is old away.
        let surplus = self.blocked.len().saturating_sub(BLOCKED);
        self.blocked.drain(..surplus);
    }

    /// Whether the release at `place` with `manifest` is held: it is not above the hold, or it is the very content that was left, under a new number.
    pub fn is_held(&self, place: Place, manifest: &Digest) -> bool {
        self.hold.is_some_and(|held| place <= held.at || *manifest == held.manifest)
    }

    /// Whether the release with `manifest` failed to live here.
    pub fn is_blocked(&self, manifest: &Digest) -> bool {
        self.blocked.iter().any(|held| held.manifest == *manifest)
    }
}

#[cfg(test)]
mod tests {
    use manifests::time::UtcTime;

    use super::*;

    fn full() -> Ratchet {
        let held = Held { at: Place(1, 13), manifest: Digest::of(b"13") };
        let signed = Some(Floor { at: UtcTime::from_unix(1_763_683_200), by: Digest::of(b"keys") });
        Ratchet { highest: Some(Place(1, 13)), epochs: BTreeMap::from([(Os::Windows, 2)]), hold: Some(held), blocked: vec![held], signed }
    }

    #[test]
    fn what_is_written_reads_back() {
        for ratchet in [full(), Ratchet::default()] {
            assert_eq!(Ratchet::parse(&ratchet.to_bytes()).unwrap(), ratchet);
        }
    }

    #[test]
    fn it_never_goes_down() {
        let mut ratchet = full();
        ratchet.raise(Place(1, 12));
        ratchet.raise_epoch(Os::Windows, 1);
        assert_eq!(ratchet, full());
        ratchet.raise(Place(2, 1));
        assert_eq!(ratchet.highest, Some(Place(2, 1)));
    }

    #[test]
    fn f14_the_signed_time_only_grows_while_the_same_keys_sign() {
        let mut ratchet = full();
        let known = ratchet.signed.unwrap();
        assert!(!ratchet.raise_signed(Floor { at: UtcTime::from_unix(known.at.unix() - 1), ..known }));
        assert!(!ratchet.raise_signed(known));
        assert_eq!(ratchet, full());
        let later = Floor { at: UtcTime::from_unix(known.at.unix() + 1), ..known };
        assert!(ratchet.raise_signed(later));
        let renewed = Floor { at: UtcTime::from_unix(1), by: Digest::of(b"new keys") };
        assert!(ratchet.raise_signed(renewed));
        assert_eq!(ratchet.signed, Some(renewed));
    }

    #[test]
    fn a_hold_ends_with_a_higher_sequence_of_another_manifest() {
        let ratchet = full();
        let other = Digest::of(b"14");
        assert!(ratchet.is_held(Place(1, 13), &Digest::of(b"13")));
        assert!(ratchet.is_held(Place(1, 12), &other));
        assert!(ratchet.is_held(Place(1, 14), &Digest::of(b"13")));
        assert!(!ratchet.is_held(Place(1, 14), &other));
    }

    #[test]
    fn damage_is_named_and_not_taken_for_a_fresh_start() {
        let bytes = full().to_bytes();
        for damaged in [&b""[..], &bytes[..bytes.len() / 2], b"{}", b"{\"format\":9,\"type\":\"ratchet\"}"] {
            assert!(matches!(Ratchet::parse(damaged), Err(RatchetError::Damaged { .. })));
        }
    }
}
