//! A server with online keys keeps its repositories from expiring, and never does more. Time is the runtime's, which runs as fast as nothing is to do.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use manifests::publish::Silent;
use manifests::publish::refresh::Signing;
use update_server::{readiness, upkeep};

use crate::site::Site;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const DAY_SECONDS: i64 = 86_400;

#[tokio::test(start_paused = true)]
async fn timestamp_and_snapshot_are_signed_anew_and_nothing_else_is() {
    let site = Site::new();
    let app = site.app(&site.settings());
    let offline = |site: &Site| ["root", "targets", "linux", "windows"].map(|role| site.role(role));
    let (before, snapshot) = (offline(&site), site.role("snapshot"));
    let keeping = upkeep::start(&app);
    tokio::time::sleep(HOUR).await;
    assert_eq!(site.role("timestamp").1.unix(), app.clock.now().unix() + 7 * DAY_SECONDS - 3600, "nothing was due yet");
    tokio::time::sleep(17 * DAY).await;
    let now = app.clock.now().unix();
    let left = site.role("timestamp").1.unix() - now;
    assert!((6 * DAY_SECONDS - 1800..=7 * DAY_SECONDS).contains(&left), "{left} seconds are left of the timestamp");
    let snapshots = site.role("snapshot");
    assert!(snapshots.0 > snapshot.0 && snapshots.1.unix() - now > 14 * DAY_SECONDS, "{snapshots:?}");
    assert_eq!(offline(&site), before);
    let record = app.upkeep.get(&"acme".parse().unwrap()).unwrap().record();
    assert!((16..=18).contains(&record.done) && record.failed == 0 && record.failing.is_none(), "{record:?}");
    drop(keeping);
}

/// Attack A21: the keys of every role lie on the server, every role is about to expire, and still it signs two of them.
#[tokio::test(start_paused = true)]
async fn a21_keys_of_offline_roles_are_never_used_and_are_told_of() {
    let site = Site::new();
    for role in ["root", "targets", "linux"] {
        site.give_key_of(role);
    }
    // The server has been up to yesterday.
    let yesterday = site.publisher.now().plus_days(356);
    site.on_server().refresh_roles(Signing::Online, yesterday, &Silent).unwrap();
    let app = site.app_after(357, &site.settings());
    let before = ["root", "targets", "linux"].map(|role| site.role(role));
    let _keeping = upkeep::start(&app);
    tokio::time::sleep(3 * DAY).await;
    assert_eq!(["root", "targets", "linux"].map(|role| site.role(role)), before);
    let report = app.readiness.report(&app).await;
    let repository = &report.repositories[0];
    assert!(report.status == "ready" && repository.verified);
    let folder = site.keys().display().to_string();
    let told = |words: &[&str]| repository.warnings.iter().any(|warning| words.iter().all(|word| warning.contains(word)));
    assert!(told(&["the keys of root, targets, linux lie in", &folder]), "{:?}", repository.warnings);
    assert!(told(&["`targets` expires in 5 days"]), "{:?}", repository.warnings);
}

/// Stations go by the latest time that they have seen signed: one leap of the server's clock would strand them all.
#[tokio::test(start_paused = true)]
async fn f14_a_server_whose_clock_has_leapt_signs_nothing_and_says_so() {
    let site = Site::new();
    let before = site.role("timestamp");
    let app = site.app_after(200, &site.settings());
    let _keeping = upkeep::start(&app);
    tokio::time::sleep(DAY).await;
    assert_eq!(site.role("timestamp"), before);
    let report = app.readiness.report(&app).await;
    let warnings = &report.repositories[0].warnings;
    assert!(warnings.iter().any(|warning| warning.contains("clock says") && warning.contains("manifests refresh")), "{warnings:?}");
}

#[tokio::test(start_paused = true)]
async fn f14_a_timestamp_from_the_future_is_told_of_with_the_cure() {
    let site = Site::new();
    let ahead = site.publisher.now().plus_days(200);
    site.on_server().refresh_roles(Signing::Online, ahead, &Silent).unwrap();
    let app = site.app_after(1, &site.settings());
    let _keeping = upkeep::start(&app);
    tokio::time::sleep(DAY).await;
    let report = app.readiness.report(&app).await;
    let warnings = &report.repositories[0].warnings;
    assert!(warnings.iter().any(|warning| warning.contains("keys rotate REPO snapshot timestamp")), "{warnings:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_sign_says_why_and_goes_on_when_it_can_again() {
    let site = Site::new();
    let key = site.key_of("timestamp");
    let hidden = key.with_extension("hidden");
    fs::rename(&key, &hidden).unwrap();
    let app = site.app(&site.settings());
    let _keeping = upkeep::start(&app);
    tokio::time::sleep(4 * DAY).await;
    let name = "acme".parse().unwrap();
    let failing = app.upkeep.get(&name).unwrap().record().failing.unwrap();
    assert!(failing.cause.contains("`timestamp`") && failing.times > 70, "{failing:?}");
    let report = app.readiness.report(&app).await;
    assert_eq!(report.status, "ready", "stations can still be served");
    assert!(report.repositories[0].warnings[0].contains("signing anew fails since 2026-11-22T"), "{:?}", report.repositories[0].warnings);
    assert!(report.repositories[0].refresh.as_ref().unwrap().failing_since.is_some());

    fs::rename(&hidden, &key).unwrap();
    tokio::time::sleep(2 * HOUR).await;
    let record = app.upkeep.get(&name).unwrap().record();
    assert!(record.failing.is_none() && record.done == 1 && record.last_done.is_some(), "{record:?}");
}

/// What stations would refuse is not made to look new, and operators are told which file it is.
#[tokio::test(start_paused = true)]
async fn what_does_not_verify_is_not_signed_anew_and_is_not_ready() {
    let site = Site::new();
    let file = format!("{}.targets.json", site.role("targets").0);
    let path = site.served().join("metadata").join(&file);
    let damaged = fs::read_to_string(&path).unwrap().replace("2027-", "2028-");
    fs::write(&path, damaged).unwrap();
    let timestamp = fs::read(site.served().join("metadata/timestamp.json")).unwrap();
    let app = site.app(&site.settings());
    let _keeping = upkeep::start(&app);
    tokio::time::sleep(3 * DAY).await;
    assert_eq!(fs::read(site.served().join("metadata/timestamp.json")).unwrap(), timestamp);
    let report = app.readiness.report(&app).await;
    assert_eq!((report.status, report.repositories[0].verified), ("not-ready", false));
    assert!(report.repositories[0].warnings[0].contains(&file), "{:?}", report.repositories[0].warnings);
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn encrypted_keys_are_opened_with_the_passphrase_in_a_file() {
    use manifests::publish::keys::{Cost, Encryption, KeyFolder};
    use manifests::publish::passphrase::Passphrase;
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new();
    let file = site.publisher.scratch("passphrase");
    fs::write(&file, "open sesame\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let encryption = Encryption::new(Passphrase::read(&file).unwrap()).with_cost(Cost::new(10, 8, 1).unwrap());
    let keys = KeyFolder::new(&site.keys());
    for key in keys.list().unwrap().keys {
        keys.reencrypt(&key.id, Some(&encryption)).unwrap();
    }
    let mut settings = site.settings();
    let (name, day) = ("acme".parse().unwrap(), 25 * HOUR);
    let app = site.app(&settings);
    let keeping = upkeep::start(&app);
    tokio::time::sleep(day).await;
    let cause = app.upkeep.get(&name).unwrap().record().failing.unwrap().cause;
    assert!(cause.contains("is encrypted: set `passphrase_file`"), "{cause}");
    drop(keeping);

    settings.repositories[0].keys.as_mut().unwrap().passphrase_file = Some(file);
    let app = site.app(&settings);
    let _keeping = upkeep::start(&app);
    tokio::time::sleep(day).await;
    assert_eq!(app.upkeep.get(&name).unwrap().record().done, 1);
}

#[test]
fn keys_that_cannot_be_used_stop_the_server_from_starting() {
    let site = Site::new();
    let start = |change: &dyn Fn(&mut update_server::config::OnlineKeys)| {
        let mut settings = site.settings();
        change(settings.repositories[0].keys.as_mut().unwrap());
        update_server::app::App::new(&settings).upkeep.check()
    };
    start(&|_| ()).unwrap();
    let nowhere = start(&|keys| keys.folder = "/nowhere".into()).unwrap_err().to_string();
    assert!(nowhere.contains("`/nowhere`") && nowhere.contains("`acme`"), "{nowhere}");
    let inside = site.served().join("keys");
    fs::create_dir(&inside).unwrap();
    let error = start(&|keys| keys.folder.clone_from(&inside)).unwrap_err().to_string();
    assert!(error.contains("move them out"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_warning_is_logged_at_the_start_and_once_a_day() {
    let site = Site::new();
    site.give_key_of("targets");
    let app = site.app(&site.settings());
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(lines.clone()).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let watching = tokio::spawn(readiness::watch(app.clone()));
    let logged = || lines.0.lock().unwrap().iter().filter(|line| line.contains("the keys of targets lie in")).count();
    tokio::time::sleep(HOUR).await;
    assert_eq!(logged(), 1);
    let line = lines.0.lock().unwrap().iter().find(|line| line.contains("the keys of")).unwrap().clone();
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&event["level"], &event["repository.name"], &event["warning.subject"]), (&"WARN".into(), &"acme".into(), &"keys".into()));
    tokio::time::sleep(2 * DAY + HOUR).await;
    assert_eq!(logged(), 3);
    watching.abort();
}

/// Log lines, kept.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().push(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Lines {
    type Writer = Lines;

    fn make_writer(&self) -> Lines {
        self.clone()
    }
}
