//! A publisher and its server, as they should be: all keys on the publisher's machine, those of snapshot and timestamp on the server's, a copy of the
//! repository on each.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use manifests::digest::Digest;
use manifests::publish::deliver::Delivery;
use manifests::publish::{Outcome, Repository, Silent};
use manifests::testing::TestRepository;
use manifests::time::UtcTime;
use tokio::time::Instant;
use update_server::app::App;
use update_server::clock::Clock;
use update_server::config::{OnlineKeys, RepositorySettings, Settings};

/// The token of the publisher's CI.
pub(crate) const TOKEN: &str = "a token of the publisher";

/// Both machines.
pub(crate) struct Site {
    /// The publisher's.
    pub(crate) publisher: TestRepository,
}

/// A clock that goes with the time of the runtime, which tests move.
pub(crate) struct RuntimeClock {
    base: UtcTime,
    start: Instant,
}

impl Clock for RuntimeClock {
    fn now(&self) -> UtcTime {
        UtcTime::from_unix(self.base.unix() + self.start.elapsed().as_secs() as i64)
    }
}

impl Site {
    pub(crate) fn new() -> Site {
        let site = Site { publisher: TestRepository::new() };
        site.publisher.publish_files(&[("app", b"one")], "1.0.0");
        copy(site.publisher.path(), &site.served());
        fs::create_dir(site.keys()).unwrap();
        private(&site.keys());
        for role in ["snapshot", "timestamp"] {
            site.give_key_of(role);
        }
        site
    }

    /// The server's copy of the repository.
    pub(crate) fn served(&self) -> PathBuf {
        self.publisher.scratch("served")
    }

    /// The server's keys.
    pub(crate) fn keys(&self) -> PathBuf {
        self.publisher.scratch("online.keys")
    }

    /// The file of the key of `role` on the server.
    pub(crate) fn key_of(&self, role: &str) -> PathBuf {
        let id = self.publisher.view().keys_of(role).unwrap().keyids[0].clone();
        self.keys().join(format!("{id}.json"))
    }

    /// Puts the key of `role` onto the server.
    pub(crate) fn give_key_of(&self, role: &str) {
        let file = self.key_of(role);
        fs::copy(self.publisher.repository().keys().path().join(file.file_name().unwrap()), &file).unwrap();
    }

    /// The repository on the server.
    pub(crate) fn on_server(&self) -> Repository {
        Repository::open(&self.served(), Some(&self.keys())).unwrap()
    }

    /// Version and expiry of `role` on the server.
    pub(crate) fn role(&self, role: &str) -> (u64, UtcTime) {
        let headers = self.on_server().view().unwrap().headers();
        headers.into_iter().find(|(known, ..)| known == role).map(|(_, version, expires)| (version, expires)).unwrap()
    }

    /// Settings of the server: it refreshes, and takes submissions with [`TOKEN`].
    pub(crate) fn settings(&self) -> Settings {
        let keys = OnlineKeys {
            folder: self.keys(),
            passphrase_file: None,
            refresh_every: Some(std::time::Duration::from_secs(86_400)),
            all: false,
        };
        let served = RepositorySettings::served("acme".parse().unwrap(), self.served());
        let repository = RepositorySettings { keys: Some(keys), publish_tokens: vec![Digest::of(TOKEN.as_bytes())], ..served };
        let install_documents = self.publisher.scratch("install");
        fs::create_dir_all(&install_documents).unwrap();
        Settings { repositories: vec![repository], install_documents, ..Settings::default() }
    }

    /// The server's state at the publisher's time, which goes on with that of the runtime.
    pub(crate) fn app(&self, settings: &Settings) -> Arc<App> {
        self.app_after(0, settings)
    }

    /// The same, so many days later.
    pub(crate) fn app_after(&self, days: i64, settings: &Settings) -> Arc<App> {
        let clock = Arc::new(RuntimeClock { base: self.publisher.now().plus_days(days), start: Instant::now() });
        Arc::new(App { clock, ..App::new(settings) })
    }

    /// The next release, `files` as `build`, signed and in a bundle for the server.
    pub(crate) fn bundle(&self, files: &[(&str, &[u8])], build: &str) -> PathBuf {
        let bundle = self.publisher.scratch(&format!("{build}.zip"));
        self.hand_over(self.publisher.repository().keys().path(), Delivery::Bundle(bundle.clone()), files, build);
        bundle
    }

    /// The next release as somebody without any key makes it. Its objects lie on the server already.
    pub(crate) fn unsigned(&self, files: &[(&str, &[u8])], build: &str) -> PathBuf {
        let (request, no_keys) = (self.publisher.scratch(&format!("{build}.json")), self.publisher.scratch("no.keys"));
        self.hand_over(&no_keys, Delivery::Request(request.clone()), files, build);
        copy(&self.publisher.path().join("objects"), &self.served().join("objects"));
        request
    }

    fn hand_over(&self, keys: &Path, delivery: Delivery, files: &[(&str, &[u8])], build: &str) {
        let source = self.publisher.folder("next", files);
        let repository = Repository::open(self.publisher.path(), Some(keys)).unwrap().delivering(delivery);
        let outcome = repository.publish(&self.publisher.request(&source, build), self.publisher.now(), &Silent).unwrap();
        assert!(matches!(outcome, Outcome::HandedOver(_)));
    }
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => assert!(fs::copy(entry.path(), to).is_ok()),
        }
    }
}

#[cfg(unix)]
fn private(folder: &Path) {
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
}

#[cfg(not(unix))]
fn private(_: &Path) {}
