//! A server on a free port, over a repository whose files have the right names.
//!
//! One key signs every role, so that all of it verifies; versions and expiries are what the tests want them to be.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use manifests::digest::Digest;
use manifests::publish::keys::KeyFolder;
use manifests::signed::Envelope;
use manifests::signer::{Ed25519Signer, Signer as _};
use manifests::time::UtcTime;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use update_server::app::App;
use update_server::clock::FixedClock;
use update_server::config::{RepositorySettings, Settings};
use update_server::server::{Listeners, Stopped, bind};

use crate::client::{Answer, Client};

pub(crate) const NOW: &str = "2026-11-21T10:00:00Z";

/// A repository in a temporary folder.
pub(crate) struct Sample {
    pub(crate) folder: TempDir,
    signer: Ed25519Signer,
}

impl Sample {
    pub(crate) fn new() -> Sample {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyFolder::new(&folder.path().join("sample.keys"));
        keys.create().unwrap();
        let sample = Sample { signer: keys.generate("every").unwrap(), folder };
        let policy = json!({"custody": {"root": "online", "targets": "offline", "windows": "online"}, "format": 0,
            "repository": "acme", "type": "policy"});
        let policy = policy.to_string().into_bytes();
        let policy_file = format!("targets/{}.policy.json", Digest::of(&policy));
        sample.write(&policy_file, &policy);
        let listed = json!({"policy.json": {"length": policy.len(), "hashes": {"sha256": Digest::of(&policy)}}});
        let table = json!({sample.signer.key_id().as_str(): sample.signer.key()});
        let keys = json!({"keyids": [sample.signer.key_id()], "threshold": 1});
        let mut meta = json!({"targets.json": {"version": 2}});
        let mut delegated = vec![];
        for (os, version) in [("android", 1), ("linux", 1), ("macosx", 1), ("wince", 1), ("windows", 3)] {
            let file = format!("metadata/{version}.{os}.json");
            sample.role("targets", &file, version, "2027-11-01T00:00:00Z", json!({"targets": {}}));
            meta[format!("{os}.json")] = json!({"version": version});
            let mut role = json!({"name": os, "terminating": true, "paths": [format!("{os}/*/*/*")]});
            role.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
            delegated.push(role);
        }
        let delegations = json!({"keys": table, "roles": delegated});
        let content = json!({"targets": listed, "delegations": delegations});
        sample.role("targets", "metadata/2.targets.json", 2, "2026-11-30T00:00:00Z", content);
        sample.role("snapshot", "metadata/5.snapshot.json", 5, "2026-12-20T10:00:00Z", json!({"meta": meta}));
        sample.timestamp(5, "2026-11-28T10:00:00Z");
        let roles = json!({"root": keys, "timestamp": keys, "snapshot": keys, "targets": keys});
        for version in [1, 2] {
            let file = format!("metadata/{version}.root.json");
            let content = json!({"consistent_snapshot": true, "keys": table, "roles": roles});
            sample.role("root", &file, version, "2027-10-01T00:00:00Z", content);
        }
        sample.write("repository.json", b"{\"format\":0,\"name\":\"acme\"}");
        sample.write(".lock", b"");
        fs::create_dir_all(sample.folder.path().join("acme.keys")).unwrap();
        fs::write(sample.folder.path().join("acme.keys/secret.json"), b"secret").unwrap();
        fs::create_dir(sample.folder.path().join("install")).unwrap();
        fs::write(sample.folder.path().join("install/shop1.json"), b"{\"an\":\"install document\"}").unwrap();
        sample
    }

    /// Replaces the timestamp, by renaming as publishing does.
    pub(crate) fn timestamp(&self, version: u64, expires: &str) {
        self.role("timestamp", "metadata/new", version, expires, json!({"meta": {"snapshot.json": {"version": 5}}}));
        fs::rename(self.path("metadata/new"), self.path("metadata/timestamp.json")).unwrap();
    }

    fn role(&self, kind: &str, file: &str, version: u64, expires: &str, content: Value) {
        let mut signed = json!({"_type": kind, "spec_version": "1.0.34", "version": version, "expires": expires});
        signed.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        self.write(file, &Envelope::sign(&signed, &[&self.signer]).unwrap());
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join("acme").join(relative)
    }

    pub(crate) fn write(&self, relative: &str, bytes: &[u8]) {
        fs::create_dir_all(self.path(relative).parent().unwrap()).unwrap();
        fs::write(self.path(relative), bytes).unwrap();
    }

    /// Stores an object of `length` bytes, all different enough; returns its address and its bytes.
    pub(crate) fn object(&self, length: usize) -> (String, Vec<u8>) {
        let bytes: Vec<u8> = (0..length as u64).flat_map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes()).take(length).collect();
        let path = Digest::of(&bytes).object_path();
        self.write(&path, &bytes);
        (format!("/repo/acme/{path}"), bytes)
    }

    /// The default settings, with this repository.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            repositories: vec![RepositorySettings::served("acme".parse().unwrap(), self.folder.path().join("acme"))],
            install_documents: self.folder.path().join("install"),
            ..Settings::default()
        }
    }

    /// Starts a server with the default settings.
    pub(crate) async fn serve(&self) -> Running {
        self.serve_with(|_| ()).await
    }

    /// Starts a server with settings that `change` may change.
    pub(crate) async fn serve_with(&self, change: impl FnOnce(&mut Settings)) -> Running {
        let mut settings = self.settings();
        change(&mut settings);
        let app = App { clock: Arc::new(FixedClock(NOW.parse::<UtcTime>().unwrap())), ..App::new(&settings) };
        Running::start(settings, app).await
    }
}

/// A server that runs until it is stopped or dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    /// Where operators ask, when they have an address of their own.
    pub(crate) operators: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Stopped>,
}

impl Running {
    /// Serves `app` on free ports.
    pub(crate) async fn start(settings: Settings, app: App) -> Running {
        let everybody = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let operators = settings.operators_listen.map(|address| bind(address).unwrap());
        let address = everybody.local_addr().unwrap();
        let operators_address = operators.as_ref().map(|listener| listener.local_addr().unwrap());
        let listeners = Listeners { everybody, operators };
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let task = tokio::spawn(async move { update_server::run_app(listeners, shutdown, &settings, Arc::new(app)).await });
        Running { address, operators: operators_address, stop, task }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.client().await.request("GET", path, "").await
    }

    /// Gives the signal to stop; what is returned ends when the server has.
    pub(crate) fn stop(self) -> JoinHandle<Stopped> {
        self.stop.send(()).unwrap();
        self.task
    }
}

/// No test waits longer than this for anything.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("in time")
}
