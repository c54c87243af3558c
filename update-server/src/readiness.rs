//! Whether stations can be served, how long that will last, and whose keys lie on this machine.
//!
//! A repository is ready when its timestamp is not expired and all that it signs verifies. Nothing else makes a server unready: what will expire next
//! month, or keys that should lie elsewhere, are warnings, which are also logged once a day. A report is made at most once a second, so that asking often
//! costs nothing.

pub mod chain;
pub mod warnings;

use std::sync::Arc;
use std::time::{Duration, Instant};

use manifests::key::KeyId;
use manifests::name::{ChannelId, Name};
use manifests::time::UtcTime;
use serde::Serialize;
use tokio::sync::Mutex;

use crate::app::App;
use crate::config::FolderSettings;
use crate::content::disk::Folder;
use crate::content::roles::RepositoryState;
use crate::folders::publish::channel_options;
use crate::folders::state::{Standing, State};
use crate::upkeep::misplaced::misplaced;
use crate::upkeep::{Kept, Record};
use chain::Chains;
use warnings::{Daily, Facts, Warning, days_left, warnings};

/// How often the warnings are looked at.
const LOOK: Duration = Duration::from_secs(15 * 60);

/// The last report, while it is fresh.
#[derive(Default)]
pub struct Readiness {
    last: Mutex<Option<(Instant, Arc<Report>)>>,
    chains: Chains,
}

/// What `/readyz` answers.
#[derive(Debug, Serialize)]
pub struct Report {
    /// `ready` or `not-ready`.
    pub status: &'static str,
    /// Whether this is `update-server demo`, which signs with keys on this machine.
    pub demo: bool,
    /// Each repository.
    pub repositories: Vec<RepositoryReport>,
    /// Each folder that publishes itself.
    pub folders: Vec<FolderReport>,
}

/// A folder that publishes itself.
#[derive(Debug, Serialize)]
pub struct FolderReport {
    /// Where it is; absent when nothing says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its repository.
    pub repository: String,
    /// The target path of its channel.
    pub channel: String,
    /// `waiting` before it was first looked at, `published`, `busy`, `refused`, `failed`, `unreadable`, `no-path` or `no-role`.
    pub state: &'static str,
    /// The rules of lint that it breaks.
    pub rules: Vec<&'static str>,
    /// Why stations do not get what is in it, and what to do; absent when they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Since when it is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<UtcTime>,
    /// The number of the release that was last made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// The build of that release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
}

impl FolderReport {
    fn of(settings: &FolderSettings, state: Option<State>, now: UtcTime) -> FolderReport {
        let released = state.as_ref().and_then(|state| state.released.clone());
        let standing = state.as_ref().map(|state| &state.standing);
        FolderReport {
            path: settings.path.as_ref().map(|path| path.display().to_string()),
            repository: settings.repository.to_string(),
            channel: settings.id.target_path(),
            state: standing.map_or("waiting", Standing::word),
            rules: standing.map(Standing::rules).unwrap_or_default(),
            fault: state.as_ref().and_then(|state| state.fault(settings, now)),
            since: state.as_ref().map(|state| state.since),
            sequence: released.as_ref().map(|released| released.sequence),
            build: released.map(|released| released.build),
        }
    }
}

/// One repository.
#[derive(Debug, Serialize)]
pub struct RepositoryReport {
    /// Its name.
    pub name: String,
    /// Whether stations can use it: it verifies, and its timestamp is not expired.
    pub ready: bool,
    /// Whether all that it signs verifies, expiry aside.
    pub verified: bool,
    /// What stations are about to see.
    pub roles: Vec<RoleReport>,
    /// Roles whose keys lie on the server, as its policy says: for these the server is trusted.
    pub keys_on_server: Vec<String>,
    /// What this server signs by itself; absent when it signs nothing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<RefreshReport>,
    /// What is wrong or soon will be, for people, each with its code in brackets.
    pub warnings: Vec<String>,
    #[serde(skip)]
    subjects: Vec<Warning>,
}

/// One role.
#[derive(Debug, Serialize)]
pub struct RoleReport {
    /// Its name.
    pub role: String,
    /// Its version.
    pub version: u64,
    /// When it expires.
    pub expires: UtcTime,
    /// Seconds until then; negative when it has.
    #[serde(skip)]
    pub seconds_left: i64,
    /// Whole days until then, rounded down; negative when it has.
    pub days_left: i64,
    /// Whether it has.
    pub expired: bool,
}

/// What this server has signed of a repository since it started.
#[derive(Debug, Serialize)]
pub struct RefreshReport {
    /// How many times it signed something.
    pub done: u64,
    /// How many times it tried and failed.
    pub failed: u64,
    /// When it last signed something.
    pub last: Option<UtcTime>,
    /// Since when it fails; absent while all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<UtcTime>,
}

impl Readiness {
    /// A report is good for this long.
    const FRESH: Duration = Duration::from_secs(1);

    /// The report of the moment.
    pub async fn report(&self, app: &Arc<App>) -> Arc<Report> {
        // Held while the report is made: whoever asks meanwhile gets the same one.
        let mut last = self.last.lock().await;
        if let Some((made, report)) = &*last
            && made.elapsed() < Self::FRESH
        {
            return report.clone();
        }
        let asked = app.clone();
        let report = tokio::task::spawn_blocking(move || report(&asked)).await;
        let report = report.unwrap_or_else(|error| {
            tracing::error!(error = %error, "the readiness report ended abnormally");
            Report { status: "not-ready", demo: app.demo, repositories: Vec::new(), folders: Vec::new() }
        });
        let report = Arc::new(report);
        *last = Some((Instant::now(), report.clone()));
        report
    }
}

fn report(app: &App) -> Report {
    let now = app.clock.now();
    let repositories: Vec<RepositoryReport> =
        app.content.repositories().map(|(name, folder)| RepositoryReport::of(app, name, folder, now)).collect();
    let ready = repositories.iter().all(|repository| repository.ready);
    let folders = app.folders.states().into_iter().map(|(settings, state)| FolderReport::of(settings, state, now)).collect();
    Report { status: if ready { "ready" } else { "not-ready" }, demo: app.demo, repositories, folders }
}

impl RepositoryReport {
    fn of(app: &App, name: &Name, folder: &Folder, now: UtcTime) -> RepositoryReport {
        let state = RepositoryState::read(folder, name);
        let verdict = app.readiness.chains.verdict(folder, name, now);
        let current = state.role("timestamp").is_some_and(|timestamp| now < timestamp.expires);
        let verified = verdict.fault.is_none();
        let kept = app.upkeep.get(name);
        let roles = state.roles.iter().map(|role| RoleReport {
            role: role.role.clone(),
            version: role.version,
            expires: role.expires,
            seconds_left: role.expires.unix() - now.unix(),
            days_left: days_left(role.expires, now),
            expired: now >= role.expires,
        });
        let roles = roles.collect();
        let record = kept.filter(|kept| kept.keys().refresh_every.is_some()).map(|kept| kept.record());
        let refresh = record.as_ref().map(RefreshReport::of);
        let mut facts = Facts { roles: state.roles, unreadable: state.unreadable, fault: verdict.fault, record, ..Facts::default() };
        if let Some(folder) = kept.map(|kept| &kept.keys().folder) {
            let (misplaced, fault) = match misplaced(&verdict.offline_keys, folder) {
                Ok(misplaced) => (misplaced, None),
                Err(error) => (Vec::new(), Some(error.to_string())),
            };
            (facts.misplaced, facts.keys_fault) = ((misplaced, folder.display().to_string()), fault);
        }
        let of_repository = app.folders.states().into_iter().filter(|(settings, _)| settings.repository == *name);
        let fault = |(settings, state): (&FolderSettings, Option<State>)| Some((settings.id.target_path(), state?.fault(settings, now)?));
        facts.folders = of_repository.filter_map(fault).collect();
        facts.folders.extend(kept.into_iter().flat_map(|kept| left_behind(app, name, &verdict.folders, kept)));
        facts.reports_fault = app.reports.as_ref().and_then(|reports| reports.trouble(name, now));
        let subjects = warnings(&facts, now);
        RepositoryReport {
            name: name.to_string(),
            ready: current && verified,
            verified,
            roles,
            keys_on_server: state.online,
            refresh,
            warnings: subjects.iter().map(|warning| format!("{} [{}]", warning.text, warning.concern.code())).collect(),
            subjects,
        }
    }
}

/// The channels whose key lies here and that no `[[folder]]` publishes, each with what to do: their role goes on naming the release that was last made, and nobody makes another.
fn left_behind(app: &App, name: &Name, roles: &[(ChannelId, Vec<KeyId>)], kept: &Kept) -> Vec<(String, String)> {
    let folders = app.folders.states();
    let is_served = |id: &ChannelId| folders.iter().any(|(settings, _)| settings.repository == *name && settings.id == *id);
    let is_here = |keys: &[KeyId]| keys.iter().any(|key| kept.keys().folder.join(format!("{key}.json")).exists());
    let told = |(id, _): &(ChannelId, Vec<KeyId>)| {
        let (repository, options) = (kept.path().display(), channel_options(id));
        let text = format!(
            "no [[folder]] publishes {id} any more, and its role is still in force with its key here: put the [[folder]] back, or give the channel to whoever holds the keys of {os} with `manifests folders \
             remove {repository} {options}`",
            os = id.os
        );
        (id.target_path(), text)
    };
    roles.iter().filter(|(id, keys)| !is_served(id) && is_here(keys)).map(told).collect()
}

impl RefreshReport {
    fn of(record: &Record) -> RefreshReport {
        RefreshReport {
            done: record.done,
            failed: record.failed,
            last: record.last_done,
            failing_since: record.failing.as_ref().map(|failing| failing.since),
        }
    }
}

/// Logs every warning when the server starts and once a day from then on; for ever.
pub async fn watch(app: Arc<App>) {
    let mut daily = Daily::default();
    loop {
        let (report, now) = (app.readiness.report(&app).await, app.clock.now());
        for repository in &report.repositories {
            for warning in &repository.subjects {
                if daily.is_due(&repository.name, &warning.subject, now) {
                    tracing::warn!(
                        repository.name = repository.name,
                        warning.subject = warning.subject,
                        warning.code = warning.concern.code(),
                        "{}",
                        warning.text
                    );
                }
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}
