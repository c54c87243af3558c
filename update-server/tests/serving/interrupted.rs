//! Attack C11: whatever becomes of a publish, stations see the old view or the new one, whole.

use std::time::Duration;

use manifests::name::ChannelId;
use manifests::publish::{Outcome, Repository, Silent};
use manifests::testing::{CHANNEL, TestRepository};
use update_server::config::{RepositorySettings, Settings};

use crate::client::Client;
use crate::sample::{Running, soon};
use crate::station::channel;

async fn serve(test: &TestRepository) -> Running {
    let repositories = vec![RepositorySettings::served("acme".parse().unwrap(), test.path())];
    let settings = Settings { repositories, ..Settings::default() };
    Running::start(settings.clone(), update_server::app::App::new(&settings)).await
}

/// The releases that a station sees, newest first; everything between root and channel verifies.
async fn seen(client: &mut Client, test: &TestRepository) -> Vec<u64> {
    let id = ChannelId::from_target_path(CHANNEL).unwrap();
    let document = soon(channel(client, "/repo/acme/", &test.first_root(), &id, test.now())).await;
    document.releases.iter().map(|release| release.sequence).collect()
}

#[tokio::test]
async fn c11_a_publish_killed_at_any_step_leaves_the_old_view_served() {
    for steps in 0..100 {
        let test = TestRepository::new();
        test.publish_files(&[("app", b"one")], "1.0.0");
        let source = test.folder("next", &[("app", b"two"), ("more", &[7; 100_000])]);
        let server = serve(&test).await;
        let mut client = server.client().await;
        assert_eq!(seen(&mut client, &test).await, [1]);
        test.repository().disk().stop_after(steps);
        let published = test.repository().publish(&test.request(&source, "1.0.1"), test.now(), &Silent);
        if matches!(published, Ok(Outcome::Published(_))) {
            assert!(steps > 8, "only {steps} steps");
            return soon(async { while seen(&mut client, &test).await != [2, 1] {} }).await;
        }
        let seen = seen(&mut client, &test).await;
        // Once the timestamp is in place, what is left to do is not the stations' business.
        assert!(seen == [1] || seen == [2, 1], "killed after {steps} steps: {seen:?}");
        let readiness = client.request("GET", "/readyz", "").await;
        assert_eq!(readiness.status, 200, "killed after {steps} steps: {}", String::from_utf8_lossy(&readiness.body));
    }
    panic!("it never ended");
}

#[tokio::test]
async fn c11_two_publishers_at_once_make_two_releases_one_after_the_other() {
    let test = TestRepository::new();
    test.publish_files(&[("app", b"one")], "1.0.0");
    let server = serve(&test).await;
    let mut client = server.client().await;
    let publishers = ["1.0.1", "1.0.2"].map(|build| {
        let source = test.folder(build, &[("app", build.as_bytes())]);
        let (path, keys) = (test.path().to_owned(), test.repository().keys().path().to_owned());
        let (mut request, now) = (test.request(&source, build), test.now());
        // Whoever comes second may have the lower build.
        request.attributes.allow_downgrade = true;
        std::thread::spawn(move || {
            let repository = Repository::open(&path, Some(&keys)).unwrap().waiting(Duration::from_secs(60));
            repository.publish(&request, now, &Silent).unwrap().published().sequence
        })
    });
    let all = async {
        let mut last = vec![1];
        while last != [3, 2, 1] {
            let seen = seen(&mut client, &test).await;
            assert!(seen.ends_with(&last), "{seen:?} after {last:?}");
            last = seen;
        }
    };
    soon(all).await;
    let mut made = publishers.map(|publisher| publisher.join().unwrap());
    made.sort_unstable();
    assert_eq!(made, [2, 3]);
}
