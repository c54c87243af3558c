//! `interference.json`: another updater on the same folder, what it did since we last put things right, and what that is taken for (`docs/format.md` section 11). Judging it is pure.
//!
//! Two updaters on one folder undo each other for ever: each finds the other's files to be wrong, restores its own, and pushes out a backup for it. One repair heals damage; the same again and
//! again is somebody at work. So repairs are counted by *rounds*: a round is one time that files of ours were found to be others'. The second within a week, or a backup under `bkp_remote` that
//! we did not make, names a second updater; three in a day, and repairs are held until somebody says so (`updater unhold`, `updater update --retry`) or a day has passed. New releases still come.

use std::fmt;

use manifests::channel::FORMAT;
use manifests::json;
use manifests::time::UtcTime;
use serde::{Deserialize, Serialize};

use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::text::{Message, Value};

/// Rounds within [`REMEMBERED_SECONDS`] from which on it is no accident.
const NAMED_AFTER: usize = 2;
/// Rounds within a day after which repairs are held: the first heals damage, the second finds out, the third is sure.
const HELD_AFTER: usize = 3;
/// The bound on repairs, in seconds.
const DAY_SECONDS: i64 = 24 * 60 * 60;
/// How long a round counts, in seconds.
const REMEMBERED_SECONDS: i64 = 7 * DAY_SECONDS;
/// Most rounds that are kept; the oldest go first.
const MOST_ROUNDS: usize = 8;
/// Most names that are kept of one round.
const MOST_NAMES: usize = 5;
/// Longest file that is read, in bytes.
const LIMIT_BYTES: usize = 64 * 1024;

/// One time that the folder was found changed by somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// When that was found.
    pub time: UtcTime,
    /// How many files had become others', or were gone.
    pub files: usize,
    /// Some of them.
    pub names: Vec<String>,
    /// Backups that were not made by us.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backups: Vec<String>,
    /// Programs that ran from the folder then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
}

/// What is known of others who work on the folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interference {
    /// The rounds, the oldest first.
    pub rounds: Vec<Round>,
}

/// What the rounds are taken for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing happened, or what can be an accident.
    #[default]
    Alone,
    /// Somebody else is at work; repairs go on.
    Second(Evidence),
    /// Somebody else is at work, and repairs are held until then, unless somebody asks for them.
    Held(Evidence, UtcTime),
}

/// Why somebody else is taken to be at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// How often within a week.
    pub rounds: usize,
    /// The latest.
    pub last: Round,
}

impl Evidence {
    /// What was found out.
    pub fn cause(&self) -> Message {
        let Evidence { rounds, last: Round { time, files, names, backups, programs } } = self;
        let named = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let more = if *files > names.len() { format!(" (+{})", files - names.len()) } else { String::new() };
        let (changed, backups) = (Value::from(named + &more), Value::from(backups.join(", ")));
        let (rounds, time) = (Value::from(*rounds), Value::from(time.to_string()));
        let said = match (*files > 0, self.last.backups.is_empty()) {
            (true, true) => Message::new("second-updater-files", [("files", changed), ("rounds", rounds), ("time", time)]),
            (true, false) => {
                Message::new("second-updater-both", [("files", changed), ("rounds", rounds), ("backups", backups), ("time", time)])
            }
            (false, _) => Message::new("second-updater-backups", [("backups", backups), ("time", time)]),
        };
        if programs.is_empty() {
            return said;
        }
        said.and(Message::new("second-updater-programs", [("programs", programs.join("; ").into())]))
    }

    /// What to do.
    pub fn cure(&self) -> Message {
        Message::new("second-updater-cure", [])
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause().and(self.cure()).in_english())
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    rounds: Vec<Round>,
}

impl Interference {
    fn path() -> LocalPath {
        LocalPath::state("interference.json")
    }

    /// What is known in `folder`.
    pub fn load(folder: &Folder) -> Result<Interference, FsError> {
        Ok(folder.read(&Self::path())?.map(|bytes| Interference::parse(&bytes)).unwrap_or_default())
    }

    /// Stores it durably.
    pub fn save(&self, folder: &Folder) -> Result<(), FsError> {
        folder.write_durably(&Self::path(), &self.to_bytes(), Point::InterferenceFile)
    }

    /// Nobody else is known.
    pub fn forget(folder: &Folder) -> Result<(), FsError> {
        folder.discard(&Self::path(), Point::InterferenceFile)?;
        folder.empty_trash()
    }

    /// Reads the document; what cannot be read says nothing.
    pub fn parse(bytes: &[u8]) -> Interference {
        let wire = json::from_slice::<Wire>(bytes, LIMIT_BYTES).ok();
        wire.filter(|wire| wire.format == FORMAT && wire.document == "interference")
            .map(|wire| Interference { rounds: wire.rounds })
            .unwrap_or_default()
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let wire = Wire { format: FORMAT, document: "interference".into(), rounds: self.rounds.clone() };
        // Text and numbers only: nothing in it can fail to serialise.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// What is known after `round`. Of a round that is long, some names are enough.
    #[must_use]
    pub fn after(mut self, mut round: Round) -> Interference {
        round.names.truncate(MOST_NAMES);
        round.programs.truncate(MOST_NAMES);
        self.rounds.push(round);
        let surplus = self.rounds.len().saturating_sub(MOST_ROUNDS);
        self.rounds.drain(..surplus);
        self
    }

    /// What that is taken for now. Rounds of a clock that ran ahead do not count.
    pub fn judge(&self, now: UtcTime) -> Verdict {
        let age = |round: &&Round| now.unix().saturating_sub(round.time.unix());
        let recent: Vec<&Round> = self.rounds.iter().filter(|round| (0..REMEMBERED_SECONDS).contains(&age(round))).collect();
        let Some(last) = recent.last() else { return Verdict::Alone };
        let strange = recent.iter().any(|round| !round.backups.is_empty());
        if recent.len() < NAMED_AFTER && !strange {
            return Verdict::Alone;
        }
        let evidence = Evidence { rounds: recent.len(), last: (*last).clone() };
        let today: Vec<&&Round> = recent.iter().filter(|round| age(round) < DAY_SECONDS && round.files > 0).collect();
        match today.len().checked_sub(HELD_AFTER).and_then(|first| today.get(first)) {
            Some(first) => Verdict::Held(evidence, UtcTime::from_unix(first.time.unix().saturating_add(DAY_SECONDS))),
            None => Verdict::Second(evidence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    fn at(seconds: i64) -> UtcTime {
        UtcTime::from_unix(1_763_683_200 + seconds)
    }

    fn round(seconds: i64) -> Round {
        Round { time: at(seconds), files: 1, names: vec!["client.exe".into()], backups: vec![], programs: vec![] }
    }

    fn rounds(times: &[i64]) -> Interference {
        times.iter().fold(Interference::default(), |known, seconds| known.after(round(*seconds)))
    }

    #[test]
    fn s3_21_one_change_is_an_accident_and_the_same_again_is_a_second_updater() {
        assert_eq!(rounds(&[]).judge(at(0)), Verdict::Alone);
        assert_eq!(rounds(&[0]).judge(at(0)), Verdict::Alone);
        let Verdict::Second(evidence) = rounds(&[0, HOUR]).judge(at(HOUR)) else { panic!("not named") };
        assert_eq!((evidence.rounds, evidence.last.time), (2, at(HOUR)));
        let said = evidence.to_string();
        assert!(said.contains("`client.exe`") && said.contains("2 times") && said.contains("Enable=0"), "{said}");
    }

    #[test]
    fn s3_21_one_backup_that_we_did_not_make_is_enough() {
        let strange = Round { files: 0, names: vec![], backups: vec!["bkp_remote.003".into()], ..round(0) };
        let Verdict::Second(evidence) = Interference::default().after(strange).judge(at(0)) else { panic!("not named") };
        let said = evidence.to_string();
        assert!(said.contains("bkp_remote.003 was made by another program") && said.contains("`[UPDATE]`"), "{said}");
    }

    #[test]
    fn s3_21_three_rounds_in_a_day_hold_repairs_for_a_day_after_the_first() {
        assert!(matches!(rounds(&[0, HOUR, 25 * HOUR]).judge(at(25 * HOUR)), Verdict::Second(_)), "not in one day");
        let Verdict::Held(_, until) = rounds(&[0, HOUR, 2 * HOUR]).judge(at(2 * HOUR)) else { panic!("not held") };
        assert_eq!(until, at(24 * HOUR));
        assert!(matches!(rounds(&[0, HOUR, 2 * HOUR]).judge(until), Verdict::Second(_)), "then it is tried again");
        assert_eq!(rounds(&[0, HOUR, 2 * HOUR]).judge(at(9 * 24 * HOUR)), Verdict::Alone, "and forgotten in the end");
    }

    #[test]
    fn s3_21_a_clock_that_ran_ahead_does_not_hold_repairs_for_years() {
        let year = 365 * 24 * HOUR;
        assert_eq!(rounds(&[year, year, year]).judge(at(0)), Verdict::Alone);
    }

    #[test]
    fn what_is_written_reads_back_is_bounded_and_damage_says_nothing() {
        let long = Round { names: vec!["x".repeat(200); 1000], ..round(0) };
        let many = (0..100).fold(Interference::default(), |known, _| known.after(long.clone()));
        assert_eq!((many.rounds.len(), many.rounds[0].names.len()), (MOST_ROUNDS, MOST_NAMES));
        assert_eq!(Interference::parse(&many.to_bytes()), many);
        for damaged in [&b""[..], b"{}", &many.to_bytes()[1..]] {
            assert_eq!(Interference::parse(damaged), Interference::default());
        }
    }
}
