//! What stations report: who may, how much, and where it is kept (S3-24, D-22, AC-74, AC-75).
//!
//! A report is signed by the key of the station that sends it ([`manifests::report`]), so one station cannot speak for another, and nobody on the way can change what is said. Who holds a key is
//! not known here: nobody has vouched for it yet. So anybody who reaches this server can make a key and tell stories, and what keeps that from mattering is that reports decide nothing, and
//! that there is an end to everything: the length of a report, how many are read at once, attempts per key and day and per address and day ([`quota`]), and the bytes of a month ([`journal`]).

pub mod journal;
pub mod quota;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use manifests::attempt::Outcome;
use manifests::id::Id;
use manifests::name::Name;
use manifests::quote::quoted;
use manifests::report::Report;
use manifests::time::UtcTime;
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::config::{Limits, ReportSettings, Settings};
use crate::places::is_unlimited;
use crate::publishing::throttle::Throttle;
use journal::{Entry, Journal, JournalError, month_of};
use quota::Quota;

/// Reports that are read and written down at once; each holds up to [`manifests::report::LIMIT_BYTES`] in memory.
const AT_ONCE: usize = 32;

/// Everything that has to do with reports.
pub struct Reports {
    /// Which addresses sent too much that was no report.
    pub throttle: Throttle,
    /// A report must arrive within this time.
    pub patience: Duration,
    /// One place for each report that is dealt with at once.
    pub places: Arc<Semaphore>,
    settings: ReportSettings,
    limits: Limits,
    desks: BTreeMap<Name, Arc<Desk>>,
}

/// Where the reports of one repository are written down.
pub struct Desk {
    repository: Name,
    open: Mutex<Option<Open>>,
    /// Apart from what is held while a disk is waited for.
    trouble: Mutex<Option<Trouble>>,
    counts: Mutex<BTreeMap<Outcome, u64>>,
}

/// A journal that is open, and what of today's it has seen.
struct Open {
    journal: Journal,
    quota: Quota,
}

/// Why a report was not written down.
struct Trouble {
    since: UtcTime,
    cause: String,
    /// The month that is full; it is over when the next one begins.
    full: Option<String>,
}

impl Trouble {
    fn is_full_in(&self, now: UtcTime) -> bool {
        self.full.as_ref().is_some_and(|month| *month == month_of(now))
    }
}

/// What a station is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// The attempts that are written down, now or before.
    pub taken: Vec<Id>,
}

/// Why nothing of a report was written down.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// The station, or its address, has said enough for today.
    #[error("the station or its address has reported enough for a day")]
    Enough,
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Reports {
    /// What `settings` allow; `None` when no reports are taken. Nothing is read yet.
    pub fn new(settings: &Settings) -> Option<Reports> {
        let reports = settings.reports.clone()?;
        let desk =
            |name: &Name| Desk { repository: name.clone(), open: Mutex::default(), trouble: Mutex::default(), counts: Mutex::default() };
        let desks = settings.repositories.iter().map(|one| (one.name.clone(), Arc::new(desk(&one.name))));
        Some(Reports {
            throttle: Throttle::default(),
            patience: settings.limits.send_timeout,
            places: Arc::new(Semaphore::new(AT_ONCE)),
            settings: reports,
            limits: settings.limits.clone(),
            desks: desks.collect(),
        })
    }

    /// Whether `address` is a proxy, behind which others send.
    pub fn is_unlimited(&self, address: IpAddr) -> bool {
        is_unlimited(&self.limits, address)
    }

    /// Where reports for the repository `name` are taken in.
    pub fn desk(&self, name: &str) -> Option<Arc<Desk>> {
        self.desks.get(&name.parse::<Name>().ok()?).cloned()
    }

    /// Writes down what is new in `report`, which came from `address` at `now`, as far as there is room for it; durable when it returns. Waits for files.
    ///
    /// # Errors
    /// Nothing new was written down.
    pub fn take(&self, desk: &Desk, report: &Report, address: IpAddr, now: UtcTime) -> Result<Taken, NotTaken> {
        let address = (!self.is_unlimited(address)).then_some(address);
        desk.take(&self.settings, report, address, now)
    }

    /// Why reports about the repository `name` are refused; `None` while they are written down.
    pub fn trouble(&self, name: &Name, now: UtcTime) -> Option<String> {
        let trouble = self.desks.get(name)?.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let trouble = trouble.as_ref().filter(|trouble| trouble.full.is_none() || trouble.is_full_in(now))?;
        Some(format!("reports of stations are refused since {}, and they keep what they have to say: {}", trouble.since, trouble.cause))
    }

    /// How many attempts of each outcome were written down since the start, by repository.
    pub fn counts(&self) -> impl Iterator<Item = (&Name, BTreeMap<Outcome, u64>)> {
        self.desks.iter().map(|(name, desk)| (name, desk.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}

impl Desk {
    fn take(&self, settings: &ReportSettings, report: &Report, address: Option<IpAddr>, now: UtcTime) -> Result<Taken, NotTaken> {
        let (taken, new) = self.write_down(settings, report, address, now)?;
        self.count(&new);
        new.iter().filter(|entry| entry.event.alert).for_each(alert);
        Ok(taken)
    }

    /// What of `report` is in the journal now, and what of it is new there.
    fn write_down(
        &self,
        settings: &ReportSettings,
        report: &Report,
        address: Option<IpAddr>,
        now: UtcTime,
    ) -> Result<(Taken, Vec<Entry>), NotTaken> {
        // Held until what came of it is known to whoever asks: a report that was quicker must not be contradicted.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Open { journal, quota } = match &mut *open {
            Some(open) => open,
            closed => {
                let opened = Open::new(&settings.journal.join(self.repository.as_str()), settings, now);
                closed.insert(opened.inspect_err(|error| self.remember(error, now))?)
            }
        };
        let (mut taken, mut new) = (vec![], Vec::<Entry>::new());
        for event in &report.events {
            let entry = Entry::new(now, report.station.clone(), self.repository.clone(), event.clone());
            if journal.knows(&entry) || new.iter().any(|other| other.event.attempt.id == event.attempt.id) {
                taken.push(event.attempt.id);
            } else if quota.admits(&report.station, address, now) {
                new.push(entry);
            }
        }
        if taken.is_empty() && new.is_empty() {
            return Err(NotTaken::Enough);
        }
        if let Err(error) = journal.append(&new, now) {
            self.remember(&error, now);
            // Whatever the disk has of it now is read again before anything else is written.
            if matches!(error, JournalError::Io { .. }) {
                *open = None;
            }
            return Err(error.into());
        }
        // What was there already proves nothing of a disk that refuses.
        if !new.is_empty() {
            self.forget(now);
        }
        taken.extend(new.iter().map(|entry| entry.event.attempt.id));
        Ok((Taken { taken }, new))
    }

    /// Keeps why nothing was written down for whoever asks, and logs a month that is full once.
    fn remember(&self, error: &JournalError, now: UtcTime) {
        let full = if let JournalError::Full { month, .. } = error { Some(month.clone()) } else { None };
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let known = trouble.take().filter(|known| known.full == full);
        if full.is_some() && known.is_none() {
            tracing::error!(repository.name = %self.repository, error = %error, "no more reports are taken this month");
        }
        *trouble = Some(Trouble { since: known.map_or(now, |known| known.since), cause: error.to_string(), full });
    }

    /// Something was written down. A month that is full stays so, though a short one may still fit.
    fn forget(&self, now: UtcTime) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        *trouble = trouble.take().filter(|trouble| trouble.is_full_in(now));
    }

    fn count(&self, new: &[Entry]) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in new {
            *counts.entry(entry.event.attempt.result).or_default() += 1;
        }
    }
}

impl Open {
    fn new(folder: &Path, settings: &ReportSettings, now: UtcTime) -> Result<Open, JournalError> {
        let mut quota = Quota::default();
        let journal = Journal::open(folder, settings.keep_months, settings.max_month_bytes, now, |entry| quota.count(entry))?;
        Ok(Open { journal, quota })
    }
}

/// One line in the log for each failure that an administrator has to hear of (S3-24).
fn alert(entry: &Entry) {
    let attempt = &entry.event.attempt;
    let shown = |text: &str| quoted(text, 300).to_string();
    let build = |at: &Option<manifests::attempt::BuildAt>| at.as_ref().map(|at| shown(&at.build)).unwrap_or_default();
    tracing::warn!(
        repository.name = %entry.repository,
        channel.path = entry.event.channel.as_deref().unwrap_or_default(),
        station.key = %entry.station,
        station.host = shown(&attempt.host),
        attempt.id = %attempt.id,
        attempt.result = attempt.result.as_str(),
        attempt.code = shown(attempt.code.as_deref().unwrap_or_default()),
        attempt.from = build(&attempt.from),
        attempt.to = build(&attempt.to),
        "a station could not be updated: {}",
        shown(attempt.detail.as_deref().unwrap_or_default())
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifests::attempt::Attempt;
    use manifests::report::Event;
    use manifests::signer::{Ed25519Signer, Signer as _};

    fn now() -> UtcTime {
        UtcTime::from_unix(1_763_683_200)
    }

    fn report(seed: u8, ids: std::ops::Range<u16>) -> Report {
        let event = |id: u16| {
            let text = format!(
                r#"{{"id":"{id:016x}","time":"2025-11-21T00:00:00Z","host":"till","os_user":"ana","trigger":"update","result":"failed","code":"no-space"}}"#
            );
            let attempt: Attempt = serde_json::from_str(&text).unwrap();
            Event { channel: None, alert: true, attempt }
        };
        let station = Ed25519Signer::from_seed(&[seed; 32].into()).key_id();
        Report { station, repository: "acme".parse().unwrap(), events: ids.map(event).collect() }
    }

    fn reports(folder: &Path, change: impl Fn(&mut ReportSettings)) -> Reports {
        let mut settings = ReportSettings::in_state(folder);
        change(&mut settings);
        let repositories = vec![crate::config::RepositorySettings::served("acme".parse().unwrap(), folder)];
        Reports::new(&Settings { reports: Some(settings), repositories, ..Settings::default() }).unwrap()
    }

    fn take(reports: &Reports, report: &Report, now: UtcTime) -> Result<usize, NotTaken> {
        let address = IpAddr::from([192, 0, 2, 1]);
        reports.take(&reports.desk("acme").unwrap(), report, address, now).map(|taken| taken.taken.len())
    }

    fn lines(folder: &Path) -> usize {
        let mut lines = 0;
        journal::read(&folder.join("journal/acme"), |_| lines += 1).unwrap();
        lines
    }

    #[test]
    fn ac_74_an_attempt_is_written_down_once_by_key_and_id_and_also_after_a_restart() {
        let temp = tempfile::tempdir().unwrap();
        let first = reports(temp.path(), |_| {});
        assert_eq!(take(&first, &report(1, 0..3), now()).unwrap(), 3);
        assert_eq!(take(&first, &report(1, 1..5), now()).unwrap(), 4, "all are there, two of them are new");
        assert_eq!(lines(temp.path()), 5);
        drop(first);
        let again = reports(temp.path(), |_| {});
        assert_eq!(take(&again, &report(1, 0..5), now().plus_days(40)).unwrap(), 5, "in another month as well");
        assert_eq!(lines(temp.path()), 5);
        assert_eq!(take(&again, &report(2, 0..1), now()).unwrap(), 1, "another station's attempt is another attempt");
        assert_eq!(lines(temp.path()), 6);
        assert_eq!(again.counts().next().unwrap().1[&Outcome::Failed], 1);
        let twice = Report { events: [report(3, 7..8).events, report(3, 7..8).events].concat(), ..report(3, 0..0) };
        assert_eq!(take(&again, &twice, now()).unwrap(), 2);
        assert_eq!(lines(temp.path()), 7, "said twice in one report, it is written down once");
    }

    #[test]
    fn a_station_that_does_not_stop_is_heard_again_tomorrow_and_others_today() {
        let temp = tempfile::tempdir().unwrap();
        let first = reports(temp.path(), |_| {});
        for hundred in 0..5 {
            assert_eq!(take(&first, &report(1, hundred * 100..(hundred + 1) * 100), now()).unwrap(), 100);
        }
        assert!(matches!(take(&first, &report(1, 500..501), now()), Err(NotTaken::Enough)));
        assert_eq!(take(&first, &report(1, 499..501), now()).unwrap(), 1, "what is there is there");
        drop(first);
        let again = reports(temp.path(), |_| {});
        assert!(matches!(take(&again, &report(1, 500..501), now()), Err(NotTaken::Enough)), "a restart forgets nothing");
        assert_eq!(take(&again, &report(2, 500..501), now()).unwrap(), 1);
        assert_eq!(take(&again, &report(1, 500..501), now().plus_days(1)).unwrap(), 1);
    }

    #[test]
    fn a_full_month_takes_no_more_and_loses_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let reports = reports(temp.path(), |settings| settings.max_month_bytes = 2000);
        assert_eq!(take(&reports, &report(1, 0..3), now()).unwrap(), 3);
        assert!(matches!(take(&reports, &report(1, 3..9), now()), Err(NotTaken::Journal(JournalError::Full { .. }))));
        assert_eq!((take(&reports, &report(1, 0..3), now()).unwrap(), lines(temp.path())), (3, 3));
        let trouble = |days: i64| reports.trouble(&"acme".parse().unwrap(), now().plus_days(days));
        assert!(trouble(0).is_some_and(|text| text.contains("max_month_bytes")), "what was there already proves nothing");
        assert_eq!(take(&reports, &report(1, 3..4), now()).unwrap(), 1, "a short one still fits");
        assert!(trouble(0).is_some(), "and most do not");
        assert_eq!(trouble(31), None, "it is over with the month");
        assert_eq!(take(&reports, &report(1, 3..6), now().plus_days(31)).unwrap(), 3, "the next month has room");
    }

    #[test]
    fn a_journal_that_cannot_be_written_is_told_of_since_when_until_it_can() {
        let temp = tempfile::tempdir().unwrap();
        let reports = reports(temp.path(), |_| {});
        let trouble = || reports.trouble(&"acme".parse().unwrap(), now());
        assert_eq!(trouble(), None);
        std::fs::write(temp.path().join("journal"), "in the way").unwrap();
        for seconds in [0, 90] {
            let later = UtcTime::from_unix(now().unix() + seconds);
            assert!(matches!(take(&reports, &report(1, 0..1), later), Err(NotTaken::Journal(JournalError::Io { .. }))));
            let told = trouble().unwrap();
            assert!(told.contains(&format!("since {}", now())) && told.contains("journal"), "{told}");
        }
        std::fs::remove_file(temp.path().join("journal")).unwrap();
        assert_eq!((take(&reports, &report(1, 0..1), now()).unwrap(), trouble()), (1, None));
    }
}
