//! What an operator should do something about, while there is time. Pure.

use std::collections::BTreeMap;

use manifests::publish::refresh::{is_half_gone, is_online};
use manifests::time::UtcTime;

use crate::content::roles::RoleState;
use crate::upkeep::Record;

/// A role that somebody signs by hand, perhaps on a machine in a safe, is warned of so many days ahead.
const OFFLINE_DAYS: i64 = 30;
/// A snapshot lives for thirty days and is signed anew at half of that.
const SNAPSHOT_DAYS: i64 = 14;
/// A timestamp lives for a week and is signed anew each day.
const TIMESTAMP_DAYS: i64 = 2;
/// The same is logged this often.
const DAY_SECONDS: i64 = 86_400;

/// What kind of thing there is to do: a stable code, in kebab case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantNames, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Concern {
    /// Stations cannot use the repository.
    RepositoryUnsound,
    /// A file of it cannot be read.
    FileUnreadable,
    /// It cannot be signed anew.
    RefreshFailing,
    /// A role has expired.
    RoleExpired,
    /// A role is about to.
    RoleExpiresSoon,
    /// Keys lie here that should lie elsewhere.
    KeysMisplaced,
    /// The folder of keys cannot be read.
    KeysUnreadable,
    /// A folder that should publish itself is not published.
    FolderUnpublished,
    /// What stations report is not written down.
    ReportsRefused,
}

impl Concern {
    /// Every code.
    pub const CODES: &'static [&'static str] = <Concern as strum::VariantNames>::VARIANTS;

    /// The stable code.
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Its kind.
    pub concern: Concern,
    /// What it is about: a role, the path of a channel, or `chain`, `refresh`, `keys`, `files`, `reports`. What is said of one subject is logged once a day.
    pub subject: String,
    /// What is wrong and what to do, for people.
    pub text: String,
}

/// What is known of a repository.
#[derive(Debug, Default)]
pub struct Facts {
    /// Its roles.
    pub roles: Vec<RoleState>,
    /// What could not be read.
    pub unreadable: Vec<String>,
    /// Why it does not verify.
    pub fault: Option<String>,
    /// What this server signed of it; `None` when it does not sign it by itself.
    pub record: Option<Record>,
    /// Keys of offline roles on this server: which, and in which folder.
    pub misplaced: (Vec<String>, String),
    /// Why the folder of keys could not be looked at.
    pub keys_fault: Option<String>,
    /// Folders that are not published, each channel with the reason.
    pub folders: Vec<(String, String)>,
    /// Why what stations report is not written down.
    pub reports_fault: Option<String>,
}

/// Whole days from `now` until `expires`, rounded down; negative when it has expired.
pub fn days_left(expires: UtcTime, now: UtcTime) -> i64 {
    (expires.unix() - now.unix()).div_euclid(DAY_SECONDS)
}

/// What to warn of at `now`, the worst first.
pub fn warnings(facts: &Facts, now: UtcTime) -> Vec<Warning> {
    let mut all = Vec::new();
    let mut warn = |concern: Concern, subject: &str, text: String| all.push(Warning { concern, subject: subject.to_owned(), text });
    if let Some(fault) = &facts.fault {
        warn(Concern::RepositoryUnsound, "chain", format!("stations cannot use this repository, and it is not signed anew: {fault}"));
    }
    for text in &facts.unreadable {
        warn(Concern::FileUnreadable, "files", text.clone());
    }
    let failing = facts.record.as_ref().and_then(|record| record.failing.as_ref());
    if let Some(failing) = failing {
        warn(
            Concern::RefreshFailing,
            "refresh",
            format!("signing anew fails since {} ({} attempts): {}", failing.since, failing.times, failing.cause),
        );
    }
    for (channel, fault) in &facts.folders {
        warn(Concern::FolderUnpublished, channel, fault.clone());
    }
    for role in &facts.roles {
        let cure = match is_online(&role.role) && facts.record.is_some() {
            true => "this server signs it by itself and should have; its log says why it did not",
            false => "sign it anew with `manifests refresh`, where its key is",
        };
        let days = days_left(role.expires, now);
        if role.expires <= now {
            warn(Concern::RoleExpired, &role.role, format!("`{}` expired at {}: {cure}", role.role, role.expires));
        } else if is_soon(role, failing.is_some(), now) {
            let days = if days == 0 { "within a day".to_owned() } else { format!("in {days} day{}", if days == 1 { "" } else { "s" }) };
            warn(Concern::RoleExpiresSoon, &role.role, format!("`{}` expires {days} ({}): {cure}", role.role, role.expires));
        }
    }
    let (misplaced, folder) = &facts.misplaced;
    if !misplaced.is_empty() {
        let roles = misplaced.join(", ");
        warn(
            Concern::KeysMisplaced,
            "keys",
            format!(
                "the keys of {roles} lie in `{folder}`: whoever owns this server can release anything; move them to a machine that the network does not reach (`manifests keys split`)"
            ),
        );
    }
    if let Some(fault) = &facts.keys_fault {
        warn(Concern::KeysUnreadable, "keys", format!("the folder of keys `{folder}` cannot be read: {fault}"));
    }
    if let Some(fault) = &facts.reports_fault {
        warn(Concern::ReportsRefused, "reports", fault.clone());
    }
    all
}

fn is_soon(role: &RoleState, refresh_fails: bool, now: UtcTime) -> bool {
    let days = match role.role.as_str() {
        "timestamp" => TIMESTAMP_DAYS,
        "snapshot" if refresh_fails && is_half_gone(&role.role, role.expires, now) => return true,
        "snapshot" => SNAPSHOT_DAYS,
        _ => OFFLINE_DAYS,
    };
    role.expires <= now.plus_days(days)
}

/// Says which warnings are to be logged: each subject of each repository once a day.
#[derive(Debug, Default)]
pub struct Daily(BTreeMap<(String, String), UtcTime>);

impl Daily {
    /// Whether what is said of `subject` of `repository` is logged at `now`.
    pub fn is_due(&mut self, repository: &str, subject: &str, now: UtcTime) -> bool {
        let key = (repository.to_owned(), subject.to_owned());
        // A clock that was set back begins a new day.
        let told = self.0.get(&key).is_some_and(|last| (0..DAY_SECONDS).contains(&(now.unix() - last.unix())));
        if !told {
            self.0.insert(key, now);
        }
        !told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upkeep::Failing;

    fn now() -> UtcTime {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    fn warned(role: &str, seconds_left: i64, record: Option<Record>) -> Vec<Warning> {
        let role = RoleState { role: role.to_owned(), version: 1, expires: UtcTime::from_unix(now().unix() + seconds_left) };
        warnings(&Facts { roles: vec![role], record, ..Facts::default() }, now())
    }

    fn failing() -> Option<Record> {
        Some(Record { failing: Some(Failing { since: now(), times: 3, cause: "no key".into() }), ..Record::default() })
    }

    #[test]
    fn every_role_is_warned_of_well_before_it_expires() {
        for (role, days) in [("root", 30), ("targets", 30), ("windows", 30), ("snapshot", 14), ("timestamp", 2)] {
            assert_eq!(warned(role, days * DAY_SECONDS + 1, None), [], "{role}");
            let soon = warned(role, days * DAY_SECONDS, None);
            assert_eq!(soon.len(), 1, "{role}");
            assert!(soon[0].subject == role && soon[0].text.contains(&format!("in {days} days (")), "{}", soon[0].text);
            assert!(soon[0].text.contains("manifests refresh"), "{}", soon[0].text);
        }
        for (seconds, words) in
            [(DAY_SECONDS, "in 1 day ("), (DAY_SECONDS - 1, "within a day ("), (0, "expired at "), (-DAY_SECONDS, "expired at ")]
        {
            let text = &warned("root", seconds, None)[0].text;
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn a_snapshot_that_this_server_fails_to_sign_is_warned_of_at_half_of_its_life() {
        let half = 15 * DAY_SECONDS;
        assert_eq!(warned("snapshot", half, Some(Record::default())), [], "it is about to be signed");
        let subjects: Vec<String> = warned("snapshot", half, failing()).into_iter().map(|warning| warning.subject).collect();
        assert_eq!(subjects, ["refresh", "snapshot"]);
        assert_eq!(warned("snapshot", half + 1, failing()).len(), 1, "only of the failure");
        assert!(warned("timestamp", 1, Some(Record::default()))[0].text.contains("its log says why"));
    }

    #[test]
    fn a_fault_comes_first_and_misplaced_keys_are_told_with_their_folder() {
        let facts = Facts {
            fault: Some("`metadata/5.snapshot.json` does not verify".into()),
            misplaced: (vec!["root".into(), "windows".into()], "/keys".into()),
            reports_fault: Some("the journal is full".into()),
            ..Facts::default()
        };
        let told = warnings(&facts, now());
        assert!(told[0].concern == Concern::RepositoryUnsound && told[0].subject == "chain" && told[0].text.contains("5.snapshot.json"));
        assert!(told[1].text.contains("keys of root, windows lie in `/keys`"), "{}", told[1].text);
        assert!(told[2].concern == Concern::ReportsRefused && told[2].text == "the journal is full" && told.len() == 3);
    }

    #[test]
    fn the_same_is_logged_once_a_day() {
        let mut daily = Daily::default();
        let at = |seconds: i64| UtcTime::from_unix(now().unix() + seconds);
        assert!(daily.is_due("acme", "root", now()));
        assert!(daily.is_due("acme", "targets", now()) && daily.is_due("other", "root", now()));
        assert!(!daily.is_due("acme", "root", at(DAY_SECONDS - 1)));
        assert!(daily.is_due("acme", "root", at(DAY_SECONDS)));
        assert!(!daily.is_due("acme", "root", at(DAY_SECONDS + 900)));
        assert!(daily.is_due("acme", "root", at(0)), "the clock was set back");
    }
}
