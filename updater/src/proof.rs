//! `proof.json`: whether the build that is installed has proved that it lives (AC-44, attack F11).
//!
//! What is expected of a release is written before the swap that brings it, so a kill at any moment after it finds the release unproved, and the next start of the updater goes on from there. A
//! release that failed stays marked until the build before it is back; then it is blocked (`ratchet.json`). A release that is not named here is proved: it was here before all this, or
//! came back from a backup, where it got when it lived, or because somebody named it.

use std::time::Duration;

use manifests::channel::{FORMAT, Place, Probe};
use manifests::digest::Digest;
use manifests::json;
use serde::{Deserialize, Serialize};

use crate::fs::{Folder, FsError, LocalPath, Point};

/// Longest file that is read, in bytes.
const LIMIT_BYTES: usize = 1 << 20;
/// How long a build must live when its publisher does not say: design section 6.
const ALIVE: Duration = Duration::from_secs(60);
/// Early deaths of an unproved build after which the one before it comes back: one may be an accident.
const DEATHS: u32 = 2;
/// Probes that began and of which no updater saw the end, after which the build before it comes back: it may be what ends them.
const UNENDED: u32 = 2;

/// How far the proof of a release has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody knows yet.
    Unproved,
    /// It lives.
    Proved,
    /// It does not, and has to go.
    Failed,
}

/// What is expected of a release, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Digest of its manifest.
    pub manifest: Digest,
    /// Its place.
    pub at: Place,
    /// How to find out; without it, whether it lives long enough under `updater launch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// How far that has come.
    pub state: State,
    /// How often it died early, one time after the other.
    #[serde(default)]
    pub deaths: u32,
    /// How often its probe has begun, one time after the other, and nobody knows how it ended.
    #[serde(default, skip_serializing_if = "is_none")]
    pub begun: u32,
    /// Why it failed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

fn is_none(count: &u32) -> bool {
    *count == 0
}

/// What has to be done about the proof of the installed release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Todo {
    /// Nothing: it is proved.
    Nothing,
    /// Its probe is run.
    Probe(Probe),
    /// It is watched when it is started: alive for so long, it is proved.
    Watch(Duration),
    /// It failed, for this reason: the build before it comes back.
    Return(String),
}

/// What is known of the releases that were installed last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proofs {
    releases: Vec<Proof>,
}

#[derive(Serialize, Deserialize)]
struct ProofsWire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    releases: Vec<Proof>,
}

impl Proofs {
    fn path() -> LocalPath {
        LocalPath::state("proof.json")
    }

    /// Reads the document; what cannot be read says nothing.
    pub fn parse(bytes: &[u8]) -> Proofs {
        let wire = json::from_slice::<ProofsWire>(bytes, LIMIT_BYTES).ok();
        let known = wire.filter(|wire| wire.format == FORMAT && wire.document == "proof");
        Proofs { releases: known.map_or_else(Vec::new, |wire| wire.releases) }
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let wire = ProofsWire { format: FORMAT, document: "proof".into(), releases: self.releases.clone() };
        // Text and numbers only: nothing in it can fail to serialise.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// What is known in `folder`.
    pub fn load(folder: &Folder) -> Result<Proofs, FsError> {
        Ok(folder.read(&Self::path())?.map_or_else(Proofs::default, |bytes| Proofs::parse(&bytes)))
    }

    /// Stores it durably.
    pub fn save(&self, folder: &Folder) -> Result<(), FsError> {
        folder.write_durably(&Self::path(), &self.to_bytes(), Point::ProofFile)
    }

    /// Expects a proof of the release with `manifest`, which a swap is about to bring in place of `installed`.
    pub fn expect(&mut self, manifest: Digest, at: Place, probe: Option<Probe>, installed: Option<Digest>) {
        // What is installed keeps its line until the swap is done: it may be undone.
        self.releases.retain(|known| Some(known.manifest) == installed && known.manifest != manifest);
        self.releases.push(Proof { manifest, at, probe, state: State::Unproved, deaths: 0, begun: 0, why: None });
    }

    /// What is known of the release with `manifest`.
    pub fn of(&self, manifest: &Digest) -> Option<&Proof> {
        self.releases.iter().find(|known| known.manifest == *manifest)
    }

    fn of_mut(&mut self, manifest: &Digest) -> Option<&mut Proof> {
        self.releases.iter_mut().find(|known| known.manifest == *manifest)
    }

    /// What has to be done about the release with `manifest`.
    pub fn todo(&self, manifest: &Digest) -> Todo {
        let Some(known) = self.of(manifest) else { return Todo::Nothing };
        match (known.state, &known.probe) {
            (State::Proved, _) => Todo::Nothing,
            (State::Failed, _) => Todo::Return(known.why.clone().unwrap_or_default()),
            (State::Unproved, Some(Probe::Alive { seconds })) => Todo::Watch(Duration::from_secs(*seconds)),
            (State::Unproved, None) => Todo::Watch(ALIVE),
            (State::Unproved, Some(_)) if known.begun >= UNENDED => {
                Todo::Return(format!("the updater ended {UNENDED} times while its probe ran"))
            }
            (State::Unproved, Some(probe)) => Todo::Probe(probe.clone()),
        }
    }

    /// The probe of the release with `manifest` is about to run: whoever starts next knows of it, should this updater not live to see its end.
    pub fn begin(&mut self, manifest: &Digest) {
        if let Some(known) = self.of_mut(manifest) {
            known.begun += 1;
        }
    }

    /// The probe of the release with `manifest` is over, whatever it found.
    pub fn end(&mut self, manifest: &Digest) {
        if let Some(known) = self.of_mut(manifest) {
            known.begun = 0;
        }
    }

    /// The release with `manifest` lives. What has failed does not any more.
    pub fn prove(&mut self, manifest: &Digest) {
        if let Some(known) = self.of_mut(manifest).filter(|known| known.state == State::Unproved) {
            (known.state, known.deaths) = (State::Proved, 0);
        }
    }

    /// The release with `manifest` does not live.
    pub fn fail(&mut self, manifest: &Digest, why: String) {
        if let Some(known) = self.of_mut(manifest) {
            (known.state, known.why) = (State::Failed, Some(why));
        }
    }

    /// Somebody wants the release with `manifest`, though it failed: it is not taken back again. What is still unproved stays so.
    pub fn pardon(&mut self, manifest: &Digest) {
        if matches!(self.todo(manifest), Todo::Return(_)) {
            self.releases.retain(|known| known.manifest != *manifest);
        }
    }

    /// The release with `manifest`, when it is still unproved, ended early; too often, and it fails.
    pub fn died(&mut self, manifest: &Digest, how: &str) {
        let Some(known) = self.of_mut(manifest).filter(|known| known.state == State::Unproved) else { return };
        known.deaths += 1;
        if known.deaths >= DEATHS {
            (known.state, known.why) = (State::Failed, Some(format!("it ended {DEATHS} times soon after its start, at last {how}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(name: &str) -> Digest {
        Digest::of(name.as_bytes())
    }

    fn expecting(probe: Option<Probe>) -> Proofs {
        let mut proofs = Proofs::default();
        proofs.expect(digest("new"), Place(1, 2), probe, Some(digest("old")));
        proofs
    }

    #[test]
    fn what_is_written_reads_back_and_damage_says_nothing() {
        let mut proofs = expecting(Some(Probe::Command { command: vec!["bin/x".into()], timeout_seconds: 5 }));
        proofs.fail(&digest("new"), "it failed".into());
        assert_eq!(Proofs::parse(&proofs.to_bytes()), proofs);
        for damaged in [&b""[..], b"{}", &proofs.to_bytes()[1..]] {
            assert_eq!(Proofs::parse(damaged), Proofs::default());
        }
    }

    #[test]
    fn what_has_to_be_done_follows_from_state_and_probe() {
        let file = Probe::File("x".parse().unwrap());
        assert_eq!(expecting(None).todo(&digest("new")), Todo::Watch(Duration::from_secs(60)));
        assert_eq!(expecting(Some(Probe::Alive { seconds: 5 })).todo(&digest("new")), Todo::Watch(Duration::from_secs(5)));
        let mut proofs = expecting(Some(file.clone()));
        assert_eq!(proofs.todo(&digest("new")), Todo::Probe(file));
        assert_eq!(proofs.todo(&digest("old")), Todo::Nothing);
        proofs.prove(&digest("new"));
        assert_eq!(proofs.todo(&digest("new")), Todo::Nothing);
        proofs.fail(&digest("new"), "why".into());
        assert_eq!(proofs.todo(&digest("new")), Todo::Return("why".into()));
        proofs.prove(&digest("new"));
        assert_eq!(proofs.todo(&digest("new")), Todo::Return("why".into()), "what failed is not proved any more");
    }

    #[test]
    fn f11_two_early_deaths_of_an_unproved_build_are_enough_and_none_of_a_proved_one() {
        let mut proofs = expecting(None);
        proofs.died(&digest("new"), "by signal 6");
        assert_eq!(proofs.of(&digest("new")).unwrap().state, State::Unproved);
        proofs.died(&digest("new"), "by signal 11");
        let Todo::Return(why) = proofs.todo(&digest("new")) else { panic!("it stays") };
        assert!(why.contains("signal 11"), "{why}");
        let mut proofs = expecting(None);
        proofs.died(&digest("new"), "with code 1");
        proofs.prove(&digest("new"));
        for _ in 0..5 {
            proofs.died(&digest("new"), "with code 1");
        }
        assert_eq!(proofs.todo(&digest("new")), Todo::Nothing);
    }

    #[test]
    fn f11_two_probes_in_a_row_that_nobody_saw_end_are_enough() {
        let mut proofs = expecting(Some(Probe::Command { command: vec!["bin/x".into()], timeout_seconds: 5 }));
        proofs.begin(&digest("new"));
        proofs.end(&digest("new"));
        assert!(!String::from_utf8(proofs.to_bytes()).unwrap().contains("begun"));
        proofs.begin(&digest("new"));
        assert!(matches!(proofs.todo(&digest("new")), Todo::Probe(_)), "one may be an accident");
        proofs.begin(&digest("new"));
        let proofs = Proofs::parse(&proofs.to_bytes());
        assert!(matches!(proofs.todo(&digest("new")), Todo::Return(_)));
        let mut wanted = proofs.clone();
        wanted.pardon(&digest("new"));
        assert_eq!(wanted.todo(&digest("new")), Todo::Nothing);
    }

    #[test]
    fn a_swap_that_is_undone_leaves_what_was_known_of_the_old_release() {
        let mut proofs = expecting(None);
        proofs.died(&digest("new"), "with code 1");
        proofs.expect(digest("newer"), Place(1, 3), None, Some(digest("new")));
        assert_eq!(proofs.of(&digest("new")).unwrap().deaths, 1);
        proofs.expect(digest("newest"), Place(1, 4), None, Some(digest("newer")));
        assert_eq!(proofs.of(&digest("new")), None, "two swaps later nobody asks");
        proofs.expect(digest("newer"), Place(1, 5), None, Some(digest("newer")));
        assert_eq!(proofs.of(&digest("newer")).unwrap().at, Place(1, 5), "once");
    }
}
