//! Tells the server what waits in the [`outbox`]: who did what here, and how it ended (AC-74); above all what failed (S3-24, D-22, AC-75).
//!
//! Best effort, in one request and a bounded time, over the very network that updates come by: the same proxy, the same authorities, the same site. What the server says it has taken is dropped;
//! everything else stays for the next time. A cut after the answer tells an attempt twice, and the server knows it again by its id. A server that takes no reports – a plain mirror, a CDN – is
//! asked again after a day ([`RETRY_SECONDS`]), not at every check.

use std::time::Duration;

use manifests::report::{Event, LIMIT_BYTES, Report};
use manifests::signed::EnvelopeError;
use manifests::signer::Signer;
use manifests::time::UtcTime;
use serde::Deserialize;
use tokio::time::timeout;
use url::Url;

use crate::fetch::http::{HttpSource, Network};
use crate::fetch::source::FetchError;
use crate::fs::{Folder, FsError};
use crate::id::Id;
use crate::outbox;
use crate::settings::{Settings, SettingsError};
use crate::station::{Station, StationError};
use crate::station_key::{self, StationKeyError};

/// Longest that telling may take: whoever waits for the updater waits no longer for this.
const PATIENCE: Duration = Duration::from_secs(10);
/// So long a server is not asked again that takes no reports.
pub const RETRY_SECONDS: i64 = 86_400;
/// Longest answer that is read, in bytes: the ids of all that was sent.
const ANSWER_BYTES: u64 = 16 * 1024;

/// Why nothing was told. Everything waits for the next time.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The settings cannot be used, so whether anything may be told is not known.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// There is no key to sign with.
    #[error(transparent)]
    Key(#[from] StationKeyError),
    /// It could not be signed.
    #[error(transparent)]
    Sign(#[from] EnvelopeError),
    /// The server did not answer, or did not take it.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It took too long.
    #[error("telling the server took longer than {} seconds", PATIENCE.as_secs())]
    TooSlow,
    /// The answer is none.
    #[error("the server's answer to a report cannot be read: {0}")]
    Answer(String),
    /// That the server takes no reports could not be noted.
    #[error(transparent)]
    Station(#[from] StationError),
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// What a server says it has written down, now or before.
#[derive(Deserialize)]
struct Taken {
    taken: Vec<Id>,
}

/// What is to be told, signed; nothing of it is sent yet.
pub struct Letter {
    to: Url,
    repository: Url,
    bytes: Vec<u8>,
    ids: Vec<Id>,
}

/// What a server made of a letter.
pub enum Reply {
    /// These attempts are written down there.
    Taken(Vec<Id>),
    /// It takes no reports.
    Refused,
}

/// Tells the server of `station` what waits in `folder`; how many attempts it has taken. Costs nothing where nothing waits.
pub async fn deliver(folder: &Folder, station: &mut Station, network: &Network, now: UtcTime) -> Result<usize, ReportError> {
    let Some(letter) = write(folder, station, now)? else { return Ok(0) };
    settle(folder, station, letter.send(network).await?, now)
}

/// Puts what waits in `folder` into a letter; `None` where there is nothing to send. What waited when reports were switched off is dropped.
pub fn write(folder: &Folder, station: &Station, now: UtcTime) -> Result<Option<Letter>, ReportError> {
    let of_here = |waiting: outbox::Waiting| waiting.repository.as_ref().is_none_or(|name| *name == station.name).then_some(waiting.event);
    let events: Vec<Event> = outbox::waiting(folder)?.into_iter().filter_map(of_here).collect();
    if events.is_empty() {
        return Ok(None);
    }
    let ids: Vec<Id> = events.iter().map(|event| event.attempt.id).collect();
    if !Settings::load(folder)?.reports {
        outbox::delivered(folder, &ids)?;
        return Ok(None);
    }
    if is_refused(station, now) {
        return Ok(None);
    }
    let (key, to) = (station_key::load_or_make(folder)?, address(station)?);
    Ok(Some(Letter { to, repository: station.repository.clone(), bytes: fitting(station, &events, &key)?, ids }))
}

impl Letter {
    /// Sends it. Changes nothing here.
    pub async fn send(self, network: &Network) -> Result<Reply, ReportError> {
        let source = HttpSource::with(self.repository, network)?;
        let patience = PATIENCE.min(network.limits.document);
        let answer = match timeout(patience, source.post(&self.to, self.bytes, ANSWER_BYTES)).await {
            Ok(Err(error)) if takes_none(&error) => return Ok(Reply::Refused),
            answered => answered.map_err(|_| ReportError::TooSlow)??,
        };
        let Taken { taken } = serde_json::from_slice(&answer).map_err(|error| ReportError::Answer(error.to_string()))?;
        // Only what was sent: an answer can drop nothing else.
        Ok(Reply::Taken(self.ids.into_iter().filter(|id| taken.contains(id)).collect()))
    }
}

/// Notes what the server replied; how many attempts it has taken.
pub fn settle(folder: &Folder, station: &mut Station, reply: Reply, now: UtcTime) -> Result<usize, ReportError> {
    match reply {
        Reply::Taken(taken) => {
            outbox::delivered(folder, &taken)?;
            Ok(taken.len())
        }
        Reply::Refused => {
            station.reports_refused = Some(now);
            station.save(folder)?;
            Ok(0)
        }
    }
}

/// Whether the server has said lately that it takes no reports. A time that lies ahead of the clock says nothing.
fn is_refused(station: &Station, now: UtcTime) -> bool {
    station.reports_refused.is_some_and(|refused| (0..RETRY_SECONDS).contains(&(now.unix() - refused.unix())))
}

/// Whether the server has no place for reports.
fn takes_none(error: &FetchError) -> bool {
    matches!(error, FetchError::NotFound { .. } | FetchError::Status { status: 405 | 501, .. })
}

/// Where reports go: beside `/repo/NAME/`, under which the repository is served.
fn address(station: &Station) -> Result<Url, FetchError> {
    let place = format!("../../v1/reports/{}", station.name);
    let unfit = |error: url::ParseError| FetchError::Address { url: place.clone(), reason: error.to_string() };
    let mut address = station.repository.join(&place).map_err(unfit)?;
    address.set_query(None);
    Ok(address)
}

/// A report of the oldest of `events`, as many as fit into one.
fn fitting(station: &Station, events: &[Event], key: &dyn Signer) -> Result<Vec<u8>, EnvelopeError> {
    let mut most = events.len();
    loop {
        let report = Report::sign(&station.name, &events[..most], key)?;
        if most == 1 || report.len() as u64 <= LIMIT_BYTES {
            return Ok(report);
        }
        most = most.div_ceil(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn station(repository: &str) -> Station {
        let text = format!(
            r#"{{"format":0,"type":"station","product":"p","os":"linux","arch":"any","channel":"stable","repository":"{repository}","name":"acme"}}"#
        );
        Station::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn reports_go_to_the_server_that_serves_the_repository() {
        for (repository, expected) in [
            ("https://updates.example/repo/acme/", "https://updates.example/v1/reports/acme"),
            ("http://u:p@10.0.0.1:8080/updates/repo/acme/", "http://u:p@10.0.0.1:8080/updates/v1/reports/acme"),
            ("http://h/r/", "http://h/v1/reports/acme"),
        ] {
            assert_eq!(address(&station(repository)).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn a_server_that_takes_no_reports_is_asked_again_after_a_day_and_when_the_clock_was_wrong() {
        let mut station = station("http://h/repo/acme/");
        let at = |seconds| UtcTime::from_unix(1_763_683_200 + seconds);
        assert!(!is_refused(&station, at(0)));
        station.reports_refused = Some(at(0));
        assert!(is_refused(&station, at(0)) && is_refused(&station, at(RETRY_SECONDS - 1)));
        assert!(!is_refused(&station, at(RETRY_SECONDS)) && !is_refused(&station, at(-1)));
    }

    #[test]
    fn more_than_fits_into_one_report_is_told_in_two() {
        let key = manifests::signer::Ed25519Signer::from_seed(&zeroize::Zeroizing::new([7; 32]));
        let attempt = r#"{"id":"0101010101010101","time":"2025-11-21T00:00:00Z","host":"till-3","os_user":"ana","trigger":"update","result":"failed"}"#;
        let mut attempt: crate::history::Attempt = serde_json::from_str(attempt).unwrap();
        let event = |attempt: &crate::history::Attempt| Event { channel: None, alert: true, attempt: attempt.clone() };
        let station = station("http://h/repo/acme/");
        let told = |events: &[Event]| {
            let report = fitting(&station, events, &key).unwrap();
            assert!(report.len() as u64 <= LIMIT_BYTES);
            Report::parse(&report).unwrap().events.len()
        };
        assert_eq!(told(&vec![event(&attempt); outbox::LIMIT]), outbox::LIMIT);
        // The worst there is: every sign of it is escaped.
        let worst = |length| Some("\"".repeat(length));
        (attempt.host, attempt.os_user) = ("\"".repeat(256), "\"".repeat(256));
        (attempt.approver, attempt.code, attempt.detail) = (worst(256), worst(256), worst(2048));
        assert_eq!(told(&vec![event(&attempt); outbox::LIMIT]), outbox::LIMIT / 2);
    }
}
