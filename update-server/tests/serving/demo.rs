//! The demo at library level: what it publishes is what a station that follows its link comes to trust.

use std::fs;
use std::sync::Arc;

use manifests::channel::ChannelDocument;
use manifests::install_link::{InstallDocument, InstallLink};
use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::name::{Arch, ChannelId, Os};
use manifests::time::UtcTime;
use manifests::trust::{Origin, Search, SearchStep, TrustedSet};
use tokio::net::TcpListener;
use update_server::demo::{Demo, DemoError};

use crate::client::Client;
use crate::sample::soon;

fn id() -> ChannelId {
    let [product, channel] = ["client", "stable"].map(|name| name.parse().unwrap());
    ChannelId { os: Os::Linux, product, arch: Arch::X86_64, variant: None, channel }
}

fn now() -> UtcTime {
    crate::sample::NOW.parse().unwrap()
}

#[test]
fn every_change_of_the_folder_is_the_next_release() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("client");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("app"), "one").unwrap();
    let state = temp.path().join("client.demo");
    let demo = Demo::prepare(&state, Some(&folder), id(), now()).unwrap();
    let published = |demo: &Demo| demo.publish(now()).unwrap().map(|published| (published.build.text().to_owned(), published.sequence));
    assert_eq!(published(&demo), Some(("1.0.1".into(), 1)));
    assert_eq!(published(&demo), None);
    fs::write(folder.join("app"), "two").unwrap();
    assert_eq!(published(&demo), Some(("1.0.2".into(), 2)));
    let link = demo.link("http://127.0.0.1:8080/").unwrap();
    // Stopped and started again: it goes on where it was.
    let demo = Demo::prepare(&state, Some(&folder), id(), now()).unwrap();
    assert_eq!(published(&demo), None);
    assert_eq!(demo.link("http://127.0.0.1:8080/").unwrap(), link);
    fs::write(folder.join("more"), "three").unwrap();
    assert_eq!(published(&demo), Some(("1.0.3".into(), 3)));
}

#[test]
fn a_demo_inside_of_what_it_publishes_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("client");
    fs::create_dir(&folder).unwrap();
    let nested = Demo::prepare(&folder.join("demo"), Some(&folder), id(), now());
    assert!(matches!(nested, Err(DemoError::Nested { .. })));
    assert!(matches!(Demo::prepare(temp.path(), Some(&temp.path().join("x")), id(), now()), Err(DemoError::NoFolder(_))));
}

#[test]
fn a_folder_that_cannot_be_published_stops_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("client");
    fs::create_dir(&folder).unwrap();
    let demo = Demo::prepare(&temp.path().join("demo"), Some(&folder), id(), now()).unwrap();
    assert!(demo.publish(now()).is_err_and(|error| !error.is_passing()), "an empty folder is no release");
    fs::write(folder.join("app"), "one").unwrap();
    assert!(demo.publish(now()).unwrap().is_some());
}

#[test]
fn what_would_expire_is_signed_anew() {
    let temp = tempfile::tempdir().unwrap();
    let demo = Demo::prepare(temp.path(), None, id(), now()).unwrap();
    demo.publish(now()).unwrap();
    let signed = |days| demo.refresh(now().plus_days(days)).unwrap().signed.into_iter().map(|(role, ..)| role).collect::<Vec<_>>();
    assert_eq!(signed(1), ["timestamp"]);
    assert!(signed(20).contains(&"snapshot".to_owned()));
    assert!(signed(300).contains(&"targets".to_owned()));
}

/// The whole way over HTTP: link, install document, pinned root, roles, channel document, manifest.
#[tokio::test]
async fn a_station_that_follows_the_link_comes_to_the_release() {
    let temp = tempfile::tempdir().unwrap();
    let demo = Demo::prepare(temp.path(), None, id(), now()).unwrap();
    let published = demo.publish(now()).unwrap().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let link: InstallLink = demo.link(&format!("http://{address}/")).unwrap().to_string().parse().unwrap();
    let settings = demo.settings(address);
    tokio::spawn(async move { update_server::run(listener, std::future::pending(), &settings).await });

    let mut client = Client::connect(address).await;
    let limits = Limits::default();
    let walk = async {
        let mut get = async |path: &str| {
            let answer = client.request("GET", path, "").await;
            assert_eq!(answer.status, 200, "{path}");
            answer.body
        };
        let code = link.url.rsplit_once("/i/").unwrap().1;
        let document = InstallDocument::parse(&get(&format!("/i/{code}")).await, &link, limits.document_bytes).unwrap();
        let repository = document.content.url.strip_prefix("..").unwrap();
        let pin = document.content.root;
        let root = get(&format!("{repository}metadata/{}.root.json", pin.version)).await;
        assert_eq!((manifests::digest::Digest::of(&root), root.len() as u64), (pin.sha256, pin.length));
        let mut trusted = TrustedSet::new(&root, now(), Arc::new(Ed25519Verifier), limits.clone()).unwrap();
        trusted.update_timestamp(&get(&format!("{repository}metadata/timestamp.json")).await, Origin::Source).unwrap();
        let version = trusted.expected_snapshot().unwrap().version;
        trusted.update_snapshot(&get(&format!("{repository}metadata/{version}.snapshot.json")).await, Origin::Source).unwrap();
        let version = trusted.expected_targets("targets").unwrap().version;
        trusted.update_targets(&get(&format!("{repository}metadata/{version}.targets.json")).await).unwrap();
        let path = id().target_path();
        let mut search = Search::new(&path);
        let target = loop {
            match search.step(&trusted).unwrap() {
                SearchStep::Need(need) => {
                    let version = trusted.expected_targets(&need.role).unwrap().version;
                    let bytes = get(&format!("{repository}metadata/{version}.{}.json", need.role)).await;
                    trusted.update_delegated(&bytes, &need).unwrap();
                }
                SearchStep::Found { target, .. } => break target,
                SearchStep::NotFound => panic!("no {path}"),
            }
        };
        let (folder, file) = path.rsplit_once('/').unwrap();
        let channel = get(&format!("{repository}targets/{folder}/{}.{file}", target.hashes.get_sha256().unwrap())).await;
        assert!(target.match_bytes(&channel));
        let channel = ChannelDocument::parse(&channel, &id(), limits.document_bytes).unwrap();
        let current = channel.current().unwrap();
        assert_eq!((current.sequence, Some(current.manifest)), (published.sequence, published.manifest));
        let manifest = get(&format!("{repository}{}", current.manifest.sha256.object_path())).await;
        assert_eq!(manifest.len() as u64, current.manifest.length);
    };
    soon(walk).await;
}
