//! `outbox/`: failures that the administrator of the site has to hear of, kept until a server has taken them (S3-24, D-22, AC-75).
//!
//! One document per event, named by the id of the attempt, written durably before the line in the history. The same failure again (the same code, from and to the same builds) is the same event
//! while it waits: a station that cannot reach its server for a month has one thing to say, not hundreds. No more than [`LIMIT`] wait, none longer than [`DAYS`]; the oldest goes first.
//!
//! Nothing here delivers: whoever does asks [`waiting`], and calls [`delivered`] when the server has answered. A cut between the two sends an event twice under one id.

use manifests::channel::FORMAT;
use manifests::json;
use manifests::name::{ChannelId, Name};
use serde::{Deserialize, Serialize};

use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::history::{Attempt, Outcome};
use crate::id::Id;
use crate::station::Station;

/// As many events wait at most: one after the other fits in a single report of some hundred kilobytes.
pub const LIMIT: usize = 100;
/// An event waits so many days at most: after that it says nothing about the station any more.
pub const DAYS: i64 = 90;
/// Longest document that is read, in bytes.
const LIMIT_BYTES: usize = 64 * 1024;

/// A failure that waits to be told (`docs/format.md` section 14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What the folder follows, as the path of its channel document; `None` when that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The name of the content repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<Name>,
    /// The attempt, as in the history.
    pub attempt: Attempt,
}

#[derive(Serialize, Deserialize)]
struct EventWire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    event: Event,
}

impl Event {
    /// Reads the document; what cannot be read says nothing.
    pub fn parse(bytes: &[u8]) -> Option<Event> {
        let wire = json::from_slice::<EventWire>(bytes, LIMIT_BYTES).ok()?;
        (wire.format == FORMAT && wire.document == "event").then_some(wire.event)
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let wire = EventWire { format: FORMAT, document: "event".into(), event: self.clone() };
        // Text and numbers only: nothing in it can fail to serialise.
        serde_json::to_vec(&wire).unwrap_or_default()
    }
}

fn folder_path() -> LocalPath {
    LocalPath::state("outbox")
}

fn path(id: Id) -> LocalPath {
    folder_path().join(format!("{id}.json"))
}

/// Whether an administrator has to hear of `attempt`: it failed, or a build had to be taken back by itself.
pub fn concerns(attempt: &Attempt) -> bool {
    match attempt.result {
        Outcome::Failed => true,
        Outcome::RolledBack => attempt.code.is_some(),
        _ => false,
    }
}

/// Keeps `attempt` to be told, durably, if it [`concerns`] an administrator and the same does not wait already.
pub(crate) fn put(folder: &Folder, attempt: &Attempt) -> Result<(), FsError> {
    if !concerns(attempt) {
        return Ok(());
    }
    let all = waiting(folder)?;
    let is_same = |other: &Attempt| (&other.code, &other.from, &other.to) == (&attempt.code, &attempt.from, &attempt.to);
    let (outdated, all): (Vec<Event>, Vec<Event>) = all.into_iter().partition(|event| is_outdated(&event.attempt, attempt));
    if folder.stat(&folder_path())?.is_none() {
        folder.make_folders(&folder_path(), Point::OutboxFile)?;
        folder.sync_folder(&LocalPath::state_folder(), Point::OutboxFile)?;
    }
    let is_news = !all.iter().any(|event| is_same(&event.attempt));
    if is_news {
        let followed: Option<(ChannelId, Name)> =
            Station::load(folder).ok().flatten().map(|station| (station.channel_id(), station.name.clone()));
        let (channel, repository) = followed.map(|(channel, name)| (channel.target_path(), name)).unzip();
        let event = Event { channel, repository, attempt: attempt.clone() };
        folder.write_durably(&path(attempt.id), &event.to_bytes(), Point::OutboxFile)?;
    }
    let surplus = (all.len() + usize::from(is_news)).saturating_sub(LIMIT);
    let gone: Vec<&Event> = outdated.iter().chain(all.iter().take(surplus)).collect();
    for event in &gone {
        folder.discard(&path(event.attempt.id), Point::OutboxFile)?;
    }
    if gone.is_empty() { Ok(()) } else { folder.empty_trash() }
}

fn is_outdated(waiting: &Attempt, now: &Attempt) -> bool {
    waiting.time.plus_days(DAYS) < now.time
}

/// All that waits, oldest first. What cannot be read is passed over.
pub fn waiting(folder: &Folder) -> Result<Vec<Event>, FsError> {
    let mut all = vec![];
    for name in folder.names(&folder_path())? {
        let bytes = folder.read(&folder_path().join(&name))?.unwrap_or_default();
        all.extend(Event::parse(&bytes).filter(|event| format!("{}.json", event.attempt.id).as_bytes() == name));
    }
    all.sort_by_key(|event| (event.attempt.time, event.attempt.id));
    Ok(all)
}

/// A server has taken the event of the attempt `id`.
pub fn delivered(folder: &Folder, id: Id) -> Result<(), FsError> {
    folder.discard(&path(id), Point::OutboxFile)?;
    folder.empty_trash()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{self, BuildAt};
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

    fn codes(folder: &Folder) -> Vec<String> {
        waiting(folder).unwrap().into_iter().filter_map(|event| event.attempt.code).collect()
    }

    #[test]
    fn ac_75_each_failure_of_the_history_waits_once_until_it_is_delivered() {
        let (_place, folder) = folder();
        assert_eq!(waiting(&folder).unwrap(), []);
        for attempt in [failed(1, "no-space", 0), failed(2, "unreachable", 1), failed(3, "no-space", 2)] {
            history::append(&folder, &attempt).unwrap();
        }
        assert_eq!(codes(&folder), ["no-space", "unreachable"], "the same again is the same event");
        assert_eq!(history::read(&folder).unwrap().len(), 3);
        delivered(&folder, Id::from_bytes([1; 8])).unwrap();
        assert_eq!(codes(&folder), ["unreachable"]);
        history::append(&folder, &failed(4, "no-space", 3)).unwrap();
        assert_eq!(codes(&folder), ["unreachable", "no-space"], "after it was told it is news again");
        assert_eq!(folder.names(&LocalPath::state("trash")).unwrap(), [] as [Vec<u8>; 0]);
    }

    #[test]
    fn only_failures_concern_an_administrator() {
        let (_place, folder) = folder();
        for result in [Outcome::Applied, Outcome::Deferred, Outcome::Declined, Outcome::Recovered, Outcome::Checked] {
            history::append(&folder, &Attempt { result, ..failed(1, "file-in-use", 0) }).unwrap();
        }
        history::append(&folder, &Attempt { result: Outcome::RolledBack, code: None, ..failed(2, "", 0) }).unwrap();
        assert_eq!(waiting(&folder).unwrap(), [], "somebody went back by hand");
        history::append(&folder, &Attempt { result: Outcome::RolledBack, ..failed(3, "not-alive", 0) }).unwrap();
        assert_eq!(codes(&folder), ["not-alive"]);
    }

    #[test]
    fn the_oldest_goes_when_too_many_wait_or_too_long() {
        let (_place, folder) = folder();
        for number in 0..LIMIT + 5 {
            history::append(&folder, &failed(number as u8, &format!("code-{number}"), 0)).unwrap();
        }
        let all = codes(&folder);
        assert_eq!((all.len(), &all[0][..], &all[LIMIT - 1][..]), (LIMIT, "code-5", "code-104"));
        history::append(&folder, &failed(200, "no-space", DAYS + 1)).unwrap();
        assert_eq!(codes(&folder), ["no-space"]);
    }

    #[test]
    fn what_is_written_reads_back_and_damage_says_nothing() {
        let event = Event { channel: Some("linux/p/any/stable.json".into()), repository: None, attempt: failed(1, "no-space", 0) };
        assert_eq!(Event::parse(&event.to_bytes()), Some(event.clone()));
        for damaged in [&b""[..], b"{}", &event.to_bytes()[1..]] {
            assert_eq!(Event::parse(damaged), None);
        }
        let (_place, folder) = folder();
        history::append(&folder, &failed(1, "no-space", 0)).unwrap();
        folder.write_durably(&folder_path().join("strange"), b"{", Point::OutboxFile).unwrap();
        assert_eq!(codes(&folder), ["no-space"]);
    }
}
