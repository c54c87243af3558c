//! The demo at library level: what it publishes is what a station that follows its link comes to trust.

use std::fs;

use manifests::install_link::{InstallDocument, InstallLink};
use manifests::limits::Limits;
use manifests::name::{Arch, ChannelId, Os};
use manifests::time::UtcTime;
use tokio::net::TcpListener;
use update_server::demo::{Demo, DemoError};

use crate::client::Client;
use crate::sample::soon;
use crate::station::{channel, get};

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
        let code = link.url.rsplit_once("/i/").unwrap().1;
        let document = InstallDocument::parse(&get(&mut client, &format!("/i/{code}")).await, &link, limits.document_bytes).unwrap();
        let repository = document.content.url.strip_prefix("..").unwrap();
        let pin = document.content.root;
        let root = get(&mut client, &format!("{repository}metadata/{}.root.json", pin.version)).await;
        assert_eq!((manifests::digest::Digest::of(&root), root.len() as u64), (pin.sha256, pin.length));
        let channel = channel(&mut client, repository, &root, &id(), now()).await;
        let current = channel.current().unwrap();
        assert_eq!((current.sequence, Some(current.manifest)), (published.sequence, published.manifest));
        let manifest = get(&mut client, &format!("{repository}{}", current.manifest.sha256.object_path())).await;
        assert_eq!(manifest.len() as u64, current.manifest.length);
    };
    soon(walk).await;
}
