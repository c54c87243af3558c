//! `outbox/`: what the server of a station has not been told yet (AC-74), and above all failures that the administrator of the site has to hear of (S3-24, D-22, AC-75).
//!
//! One document per attempt that was applied, declined, failed or rolled back, named by its id, written durably before the line in the history. Every attempt is told once; but the same failure
//! again (the same code, from and to the same builds) is no second alert while the first one waits: a station that cannot reach its server for a month has one thing to say to a person, not hundreds.
//! No more than [`LIMIT`] wait, none longer than [`DAYS`]: repeated failures go first, then the oldest.
//!
//! Nothing here delivers: [`crate::report`] asks [`waiting`], and calls [`delivered`] when the server has answered. A cut between the two sends an attempt twice under one id.

use manifests::channel::FORMAT;
use manifests::json;
use manifests::name::{ChannelId, Name};
use manifests::report::{EVENTS, Event};
use serde::{Deserialize, Serialize};

use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::history::Attempt;
use crate::id::Id;
use crate::settings::Settings;
use crate::station::Station;

/// As many events wait at most: as many as one report holds.
pub const LIMIT: usize = EVENTS;
/// An event waits so many days at most: after that it says nothing about the station any more.
pub const DAYS: i64 = 90;
/// Longest document that is read, in bytes.
const LIMIT_BYTES: usize = 64 * 1024;

/// An event that waits to be told (`docs/format.md` section 14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The name of the content repository, whose server is to be told; `None` when that could not be read.
    pub repository: Option<Name>,
    /// What happened.
    pub event: Event,
}

#[derive(Serialize, Deserialize)]
struct WaitingWire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repository: Option<Name>,
    event: Event,
}

impl Waiting {
    /// Reads the document; what cannot be read says nothing.
    pub fn parse(bytes: &[u8]) -> Option<Waiting> {
        let WaitingWire { format, document, repository, event } = json::from_slice(bytes, LIMIT_BYTES).ok()?;
        (format == FORMAT && document == "event").then_some(Waiting { repository, event })
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Waiting { repository, event } = self.clone();
        let wire = WaitingWire { format: FORMAT, document: "event".into(), repository, event };
        // Text and numbers only: nothing in it can fail to serialise.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    fn attempt(&self) -> &Attempt {
        &self.event.attempt
    }

    /// Whether `attempt` is the same failure again.
    fn is_same(&self, attempt: &Attempt) -> bool {
        let kind = |attempt: &Attempt| (attempt.code.clone(), attempt.from.clone(), attempt.to.clone());
        self.event.alert && kind(self.attempt()) == kind(attempt)
    }
}

fn folder_path() -> LocalPath {
    LocalPath::state("outbox")
}

fn path(id: Id) -> LocalPath {
    folder_path().join(format!("{id}.json"))
}

/// Keeps `attempt` to be told, durably, where it [is reported](Attempt::is_reported) and nobody has switched reports off.
pub(crate) fn put(folder: &Folder, attempt: &Attempt) -> Result<(), FsError> {
    // Settings that cannot be read forbid nothing here: what waits is sent only when they can be.
    if !attempt.is_reported() || Settings::load(folder).is_ok_and(|settings| !settings.reports) {
        return Ok(());
    }
    let all = waiting(folder)?;
    let (outdated, all): (Vec<Waiting>, Vec<Waiting>) = all.into_iter().partition(|waiting| is_outdated(waiting.attempt(), attempt));
    if folder.stat(&folder_path())?.is_none() {
        folder.make_folders(&folder_path(), Point::OutboxFile)?;
        folder.sync_folder(&LocalPath::state_folder(), Point::OutboxFile)?;
    }
    let followed: Option<(ChannelId, Name)> =
        Station::load(folder).ok().flatten().map(|station| (station.channel_id(), station.name.clone()));
    let (channel, repository) = followed.map(|(channel, name)| (channel.target_path(), name)).unzip();
    // Written anew after a cut, it is what it was.
    let is_known = |waiting: &Waiting| waiting.attempt().id != attempt.id && waiting.is_same(attempt);
    let alert = attempt.is_failure() && !all.iter().any(is_known);
    let event = Event { channel, alert, attempt: attempt.clone() };
    folder.write_durably(&path(attempt.id), &Waiting { repository, event }.to_bytes(), Point::OutboxFile)?;
    let surplus = (all.len() + 1).saturating_sub(LIMIT);
    let (repeated, others): (Vec<&Waiting>, Vec<&Waiting>) =
        all.iter().partition(|waiting| waiting.attempt().is_failure() && !waiting.event.alert);
    let gone: Vec<Id> = outdated.iter().chain(repeated.into_iter().chain(others).take(surplus)).map(|gone| gone.attempt().id).collect();
    delivered(folder, &gone)
}

fn is_outdated(waiting: &Attempt, now: &Attempt) -> bool {
    waiting.time.plus_days(DAYS) < now.time
}

/// All that waits, oldest first. What cannot be read is passed over.
pub fn waiting(folder: &Folder) -> Result<Vec<Waiting>, FsError> {
    let mut all = vec![];
    for name in folder.names(&folder_path())? {
        let bytes = folder.read(&folder_path().join(&name))?.unwrap_or_default();
        all.extend(Waiting::parse(&bytes).filter(|waiting| format!("{}.json", waiting.attempt().id).as_bytes() == name));
    }
    all.sort_by_key(|waiting| (waiting.attempt().time, waiting.attempt().id));
    Ok(all)
}

/// A server has taken the events of the attempts `ids`, or nobody has to hear of them any more.
pub fn delivered(folder: &Folder, ids: &[Id]) -> Result<(), FsError> {
    for id in ids {
        folder.discard(&path(*id), Point::OutboxFile)?;
    }
    if ids.is_empty() { Ok(()) } else { folder.empty_trash() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{self, BuildAt, Outcome};
    use crate::trigger::Trigger;
    use manifests::time::UtcTime;

    fn failed(id: u8, code: &str, day: i64) -> Attempt {
        Attempt {
            id: Id::from_bytes([id; 8]),
            time: UtcTime::from_unix(1_763_683_200).plus_days(day),
            host: "till-3".into(),
            os_user: "ana".into(),
            approver: None,
            trigger: Trigger::Update,
            joined: vec![],
            from: Some(BuildAt { build: "1.0.0".into(), sequence: 1 }),
            to: None,
            result: Outcome::Failed,
            code: Some(code.into()),
            detail: Some("no room".into()),
            bytes: None,
        }
    }

    fn folder() -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        folder.make_state_folders().unwrap();
        (place, folder)
    }

    fn codes(folder: &Folder, alert: bool) -> Vec<String> {
        let all = waiting(folder).unwrap().into_iter().filter(|waiting| waiting.event.alert == alert);
        all.filter_map(|waiting| waiting.event.attempt.code).collect()
    }

    fn alerts(folder: &Folder) -> Vec<String> {
        codes(folder, true)
    }

    #[test]
    fn ac_75_each_failure_of_the_history_waits_once_until_it_is_delivered() {
        let (_place, folder) = folder();
        assert_eq!(waiting(&folder).unwrap(), []);
        for attempt in [failed(1, "no-space", 0), failed(2, "unreachable", 1), failed(3, "no-space", 2)] {
            history::append(&folder, &attempt).unwrap();
        }
        assert_eq!(alerts(&folder), ["no-space", "unreachable"], "the same again is no second alert");
        let told: Vec<Attempt> = waiting(&folder).unwrap().into_iter().map(|waiting| waiting.event.attempt).collect();
        assert_eq!(told, history::read(&folder).unwrap(), "AC-74: every attempt is told");
        delivered(&folder, &[Id::from_bytes([1; 8]), Id::from_bytes([3; 8])]).unwrap();
        assert_eq!(alerts(&folder), ["unreachable"]);
        history::append(&folder, &failed(4, "no-space", 3)).unwrap();
        assert_eq!(alerts(&folder), ["unreachable", "no-space"], "after it was told it is news again");
        assert_eq!(folder.names(&LocalPath::state("trash")).unwrap(), [] as [Vec<u8>; 0]);
    }

    #[test]
    fn ac_74_what_was_done_is_told_and_only_failures_concern_an_administrator() {
        let (_place, folder) = folder();
        for (id, result) in (1..).zip([Outcome::Deferred, Outcome::Downloaded, Outcome::Recovered, Outcome::Checked]) {
            history::append(&folder, &Attempt { result, ..failed(id, "file-in-use", 0) }).unwrap();
        }
        assert_eq!(waiting(&folder).unwrap(), []);
        for (id, result) in (5..).zip([Outcome::Applied, Outcome::Declined]) {
            history::append(&folder, &Attempt { result, code: None, ..failed(id, "", 0) }).unwrap();
        }
        history::append(&folder, &Attempt { result: Outcome::RolledBack, code: None, ..failed(7, "", 0) }).unwrap();
        assert_eq!((waiting(&folder).unwrap().len(), alerts(&folder).len()), (3, 0), "somebody went back by hand");
        history::append(&folder, &Attempt { result: Outcome::RolledBack, ..failed(8, "not-alive", 0) }).unwrap();
        assert_eq!(alerts(&folder), ["not-alive"]);
    }

    #[test]
    fn f6_an_attempt_that_is_written_down_again_after_a_cut_stays_the_alert_that_it_was() {
        let (_place, folder) = folder();
        for _ in 0..2 {
            put(&folder, &failed(1, "no-space", 0)).unwrap();
        }
        assert_eq!((alerts(&folder), waiting(&folder).unwrap().len()), (vec!["no-space".to_owned()], 1));
    }

    #[test]
    fn where_reports_are_off_nothing_is_kept_for_a_server() {
        let (_place, folder) = folder();
        Settings::change(&folder, "reports", Some("false")).unwrap();
        history::append(&folder, &failed(1, "no-space", 0)).unwrap();
        assert_eq!((waiting(&folder).unwrap(), history::read(&folder).unwrap().len()), (vec![], 1));
    }

    #[test]
    fn repetitions_go_first_and_then_the_oldest_when_too_many_wait_or_too_long() {
        let (_place, folder) = folder();
        for number in 0..LIMIT {
            history::append(&folder, &failed(number as u8, &format!("code-{}", number.min(90)), 0)).unwrap();
        }
        assert_eq!((alerts(&folder).len(), codes(&folder, false).len()), (91, 9));
        for number in LIMIT..LIMIT + 12 {
            history::append(&folder, &failed(number as u8, &format!("code-{number}"), 0)).unwrap();
        }
        let all = alerts(&folder);
        assert_eq!((all.len(), &all[0][..], &all[LIMIT - 1][..]), (LIMIT, "code-3", "code-111"));
        history::append(&folder, &failed(200, "no-space", DAYS + 1)).unwrap();
        assert_eq!(alerts(&folder), ["no-space"]);
    }

    #[test]
    fn what_is_written_reads_back_and_damage_says_nothing() {
        let event = Event { channel: Some("linux/p/any/stable.json".into()), alert: true, attempt: failed(1, "no-space", 0) };
        let waits = Waiting { repository: Some("acme".parse().unwrap()), event };
        assert_eq!(Waiting::parse(&waits.to_bytes()), Some(waits.clone()));
        for damaged in [&b""[..], b"{}", &waits.to_bytes()[1..]] {
            assert_eq!(Waiting::parse(damaged), None);
        }
        let (_place, folder) = folder();
        history::append(&folder, &failed(1, "no-space", 0)).unwrap();
        folder.write_durably(&folder_path().join("strange"), b"{", Point::OutboxFile).unwrap();
        assert_eq!(alerts(&folder), ["no-space"]);
    }
}
