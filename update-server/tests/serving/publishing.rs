//! `POST /v1/publish/NAME`: who may, what is taken in, and one answer for everything that is not.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use manifests::digest::Digest;
use manifests::time::UtcTime;
use serde_json::{Value, json};
use update_server::app::App;
use update_server::config::{OnlineKeys, Settings};
use update_server::publishing::{Intake, Publishing, Refused, Taken};

use crate::client::{Answer, Client};
use crate::sample::{Running, Sample, soon};
use crate::site::{Site, TOKEN};

/// Sends `body` as a submission for the repository `name`.
async fn submit(client: &mut Client, name: &str, fields: &str, body: &[u8]) -> Answer {
    let head = format!("POST /v1/publish/{name} HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n{fields}\r\n", body.len());
    client.send(&[head.as_bytes(), body].concat()).await;
    soon(client.answer(false)).await.unwrap()
}

fn with_token(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// Takes what the test says, and tells it what came.
struct Fake {
    says: Mutex<Receiver<Result<Taken, Refused>>>,
    came: Sender<Vec<u8>>,
}

impl Intake for Fake {
    fn submit(&self, bundle: &Path, _: UtcTime) -> Result<Taken, Refused> {
        self.came.send(fs::read(bundle).unwrap()).unwrap();
        self.says.lock().unwrap().recv().unwrap()
    }
}

/// A server that takes submissions for `acme` the way the test says.
struct Desk {
    sample: Sample,
    server: Running,
    say: Sender<Result<Taken, Refused>>,
    came: Receiver<Vec<u8>>,
}

impl Desk {
    async fn new(change: impl FnOnce(&mut Settings)) -> Desk {
        let sample = Sample::new();
        let mut settings = sample.settings();
        let keys = OnlineKeys { folder: sample.folder.path().join("acme.keys"), passphrase_file: None, refresh_every: None, all: false };
        settings.repositories[0].keys = Some(keys);
        settings.repositories[0].publish_tokens = vec![Digest::of(b"another"), Digest::of(TOKEN.as_bytes())];
        change(&mut settings);
        let (say, says) = channel();
        let (came_in, came) = channel();
        let fake: Arc<dyn Intake> = Arc::new(Fake { says: Mutex::new(says), came: came_in });
        let publishing = Publishing::with(&settings, |_| Some(fake.clone()));
        let server = Running::start(settings.clone(), App { publishing, ..App::new(&settings) }).await;
        Desk { sample, server, say, came }
    }

    /// Nothing of a submission is left beside the repository.
    fn is_clean(&self) -> bool {
        fs::read_dir(self.sample.path(".submissions")).map_or(0, Iterator::count) == 0
    }
}

fn taken() -> Taken {
    Taken { roles: vec![], releases: vec![], new_objects: 3 }
}

#[tokio::test]
async fn without_tokens_there_is_no_such_page() {
    let sample = Sample::new();
    let server = sample.serve().await;
    let answer = submit(&mut server.client().await, "acme", &with_token(TOKEN), b"x").await;
    assert_eq!((answer.status, answer.code()), (404, "no-such-page".into()));
}

#[tokio::test]
async fn a_submission_is_taken_in_whole_and_leaves_nothing_behind() {
    let desk = Desk::new(|_| ()).await;
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    desk.say.send(Ok(taken())).unwrap();
    let mut client = desk.server.client().await;
    let answer = submit(&mut client, "acme", &with_token(TOKEN), &body).await;
    assert_eq!((answer.status, answer.field("cache-control")), (200, Some("no-store")));
    let published: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(published, json!({"repository": "acme", "roles": [], "releases": [], "new_objects": 3}));
    assert!(desk.came.recv().unwrap() == body, "the bytes differ");
    assert!(desk.is_clean());
    // The connection goes on, and so does the other token.
    desk.say.send(Ok(taken())).unwrap();
    assert_eq!(submit(&mut client, "acme", &with_token("another"), b"x").await.status, 200);
    // A body without a length is one as well.
    desk.say.send(Ok(taken())).unwrap();
    let chunked = format!(
        "POST /v1/publish/acme HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n{}\r\n3\r\nabc\r\n0\r\n\r\n",
        with_token(TOKEN)
    );
    client.send(chunked.as_bytes()).await;
    assert_eq!(soon(client.answer(false)).await.unwrap().status, 200);
    assert_eq!((desk.came.recv().unwrap(), desk.came.recv().unwrap()), (b"x".to_vec(), b"abc".to_vec()));
}

/// G9: whether a repository exists, takes submissions or not, whoever has no token for it learns nothing.
#[tokio::test]
async fn strangers_get_one_answer_whatever_they_ask_for() {
    let desk = Desk::new(|settings| {
        let served = update_server::config::RepositorySettings::served("silent".parse().unwrap(), "/nowhere");
        settings.repositories.push(served);
    })
    .await;
    let mut answers = vec![];
    for (name, fields) in [
        ("acme", String::new()),
        ("acme", with_token("wrong")),
        ("acme", "Authorization: Basic YTpi\r\n".to_owned()),
        ("acme", with_token(TOKEN).repeat(2)),
        ("silent", with_token(TOKEN)),
        ("nowhere", with_token(TOKEN)),
        ("nowhere", String::new()),
        ("..%2facme", with_token(TOKEN)),
        ("ACME", with_token(TOKEN)),
    ] {
        let mut answer = submit(&mut desk.server.client().await, name, &fields, b"").await;
        answer.fields.retain(|(name, _)| name != "date");
        assert_eq!(
            (answer.status, answer.code(), answer.field("www-authenticate")),
            (401, "token-refused".into(), Some("Bearer")),
            "{name}"
        );
        answers.push((answer.fields, answer.body));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert!(desk.came.try_recv().is_err(), "nothing was taken in");
}

#[tokio::test]
async fn an_address_that_guesses_has_to_wait_and_proxies_do_not() {
    for (unlimited, expected) in [(vec![], 429), (vec!["127.0.0.1".parse().unwrap()], 200)] {
        let desk = Desk::new(|settings| settings.limits.unlimited_addresses = unlimited).await;
        let mut client = desk.server.client().await;
        for guess in 0..10 {
            assert_eq!(submit(&mut client, "acme", &with_token(&guess.to_string()), b"").await.status, 401);
        }
        desk.say.send(Ok(taken())).unwrap();
        let answer = submit(&mut client, "acme", &with_token(TOKEN), b"x").await;
        assert_eq!(answer.status, expected);
        if expected == 429 {
            assert_eq!(answer.code(), "too-many-wrong-tokens");
            assert!((1..=7).contains(&answer.field("retry-after").unwrap().parse::<u64>().unwrap()));
        }
    }
}

#[tokio::test]
async fn every_refusal_has_its_status_and_code() {
    let desk = Desk::new(|_| ()).await;
    let reason = || "`linux` is at 7 now".to_owned();
    for (refused, status, code, told) in [
        (Refused::NotCurrent(reason()), 409, "base-not-current", true),
        (Refused::Unfit(reason()), 422, "submission-unfit", true),
        (Refused::Busy(reason()), 423, "repository-busy", false),
        (Refused::Failed(reason()), 500, "publish-failed", false),
    ] {
        desk.say.send(Err(refused)).unwrap();
        let answer = submit(&mut desk.server.client().await, "acme", &with_token(TOKEN), b"x").await;
        assert_eq!((answer.status, answer.code()), (status, code.to_owned()));
        let text = String::from_utf8(answer.body.clone()).unwrap();
        assert_eq!(text.contains(&reason()), told, "{text}");
        assert!(desk.is_clean());
    }
}

#[tokio::test]
async fn a_submission_that_is_too_long_is_refused_whether_it_says_so_or_not() {
    let desk = Desk::new(|settings| settings.limits.max_publish_bytes = 1000).await;
    let answer = submit(&mut desk.server.client().await, "acme", &with_token(TOKEN), &[0; 1001]).await;
    assert_eq!((answer.status, answer.code()), (413, "submission-too-long".into()));
    let mut client = desk.server.client().await;
    let head = format!("POST /v1/publish/acme HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n{}\r\n", with_token(TOKEN));
    let chunk = [b"258\r\n".as_slice(), &[0; 600], b"\r\n"].concat();
    client.send(&[head.as_bytes(), &chunk, &chunk].concat()).await;
    assert_eq!(soon(client.answer(false)).await.unwrap().status, 413);
    assert!(desk.is_clean() && desk.came.try_recv().is_err());
}

/// A stranger who says that he will send gigabytes is answered before he does, and the answer arrives although he goes on.
#[tokio::test]
async fn a_stranger_is_refused_before_his_body_is_read() {
    let desk = Desk::new(|_| ()).await;
    let mut client = desk.server.client().await;
    client.send(b"POST /v1/publish/acme HTTP/1.1\r\nHost: test\r\nContent-Length: 4000000000\r\n\r\n").await;
    client.send(&[0; 200_000]).await;
    assert_eq!(soon(client.answer(false)).await.unwrap().status, 401);
    assert!(desk.is_clean());
}

/// Attacks C2 and C10: whoever drips a submission is cut, and the place is free again.
#[tokio::test]
async fn c10_a_submission_that_drips_is_refused_and_frees_its_place() {
    let desk = Desk::new(|settings| settings.limits.send_timeout = Duration::from_millis(300)).await;
    let mut slow = desk.server.client().await;
    let head = format!("POST /v1/publish/acme HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n{}\r\nsome", with_token(TOKEN));
    slow.send(head.as_bytes()).await;
    let answer = soon(slow.answer(false)).await.unwrap();
    assert_eq!((answer.status, answer.code()), (408, "submission-too-slow".into()));
    // One that goes away in the middle frees it as well.
    let mut gone = desk.server.client().await;
    gone.send(head.as_bytes()).await;
    drop(gone);
    desk.say.send(Ok(taken())).unwrap();
    let free = async {
        let mut client = desk.server.client().await;
        while submit(&mut client, "acme", &with_token(TOKEN), b"x").await.status == 423 {
            tokio::task::yield_now().await;
        }
    };
    soon(free).await;
    assert_eq!(desk.came.recv().unwrap(), b"x");
    assert!(desk.is_clean());
}

#[tokio::test]
async fn c11_one_submission_at_a_time_is_taken_in() {
    let desk = Desk::new(|_| ()).await;
    let (mut first, mut second) = (desk.server.client().await, desk.server.client().await);
    first
        .send(format!("POST /v1/publish/acme HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n{}\r\nfirst", with_token(TOKEN)).as_bytes())
        .await;
    let came = tokio::task::spawn_blocking(move || (desk.came.recv().unwrap(), desk.came));
    let (body, came) = soon(came).await.unwrap();
    assert_eq!(body, b"first");
    let answer = submit(&mut second, "acme", &with_token(TOKEN), b"second").await;
    assert_eq!((answer.status, answer.code(), answer.field("retry-after")), (423, "repository-busy".into(), Some("60")));
    desk.say.send(Ok(taken())).unwrap();
    assert_eq!(soon(first.answer(false)).await.unwrap().status, 200);
    assert!(came.try_recv().is_err(), "the second was not kept for later");
}

#[tokio::test]
async fn if_match_must_name_the_timestamp_that_stations_see() {
    let desk = Desk::new(|_| ()).await;
    let mut client = desk.server.client().await;
    let etag = client.request("HEAD", "/repo/acme/metadata/timestamp.json", "").await.field("etag").unwrap().to_owned();
    let answer = submit(&mut client, "acme", &format!("{}If-Match: \"other\"\r\n", with_token(TOKEN)), b"x").await;
    assert_eq!((answer.status, answer.code()), (412, "precondition-failed".into()));
    desk.say.send(Ok(taken())).unwrap();
    let mut client = desk.server.client().await;
    assert_eq!(submit(&mut client, "acme", &format!("{}If-Match: {etag}\r\n", with_token(TOKEN)), b"x").await.status, 200);
}

/// The whole way: made and signed on the publisher's machine, made visible by a server that could not have signed it.
#[tokio::test]
async fn a_bundle_from_the_publisher_is_what_stations_see_next() {
    let site = Site::new();
    let settings = site.settings();
    let server = Running::start(settings.clone(), Arc::into_inner(site.app(&settings)).unwrap()).await;
    let bundle = fs::read(site.bundle(&[("app", b"two"), ("more", &[7; 300_000])], "1.0.1")).unwrap();
    let mut client = server.client().await;
    let answer = submit(&mut client, "acme", &with_token(TOKEN), &bundle).await;
    let published: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer.status, 200, "{published}");
    assert_eq!((&published["releases"][0]["build"], &published["releases"][0]["sequence"]), (&json!("1.0.1"), &json!(2)));
    let roles: Vec<&str> = published["roles"].as_array().unwrap().iter().map(|role| role["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["linux", "snapshot", "timestamp"]);
    let timestamp = client.request("GET", "/repo/acme/metadata/timestamp.json", "").await;
    assert_eq!(timestamp.body, fs::read(site.served().join("metadata/timestamp.json")).unwrap());
    let view = site.on_server().view().unwrap();
    let releases: Vec<u64> = view.channels.values().flat_map(|document| &document.releases).map(|release| release.sequence).collect();
    assert_eq!(releases, [2, 1]);
    assert!(site.on_server().verify(site.publisher.now(), &manifests::publish::Silent).unwrap().problems.is_empty());
    // Compare and set: it was made for what is past now.
    let again = submit(&mut client, "acme", &with_token(TOKEN), &bundle).await;
    assert_eq!((again.status, again.code()), (409, "base-not-current".into()));
}

/// Attack A21: a thief of the token brings a release that the publisher has not signed. It does not help him that the key lies on the server.
#[tokio::test]
async fn a21_a_server_signs_for_no_release_even_with_the_keys_at_hand() {
    let site = Site::new();
    site.give_key_of("linux");
    site.give_key_of("targets");
    let settings = site.settings();
    let server = Running::start(settings.clone(), Arc::into_inner(site.app(&settings)).unwrap()).await;
    let signed = fs::read(site.bundle(&[("app", b"two")], "1.0.1")).unwrap();
    let unsigned = fs::read(site.unsigned(&[("app", b"evil")], "6.6.6")).unwrap();
    let before = fs::read(site.served().join("metadata/timestamp.json")).unwrap();
    let mut client = server.client().await;
    for body in [unsigned.as_slice(), b"PK\x03\x04 no zip", b"", b"{}", &signed[..signed.len() / 2]] {
        let answer = submit(&mut client, "acme", &with_token(TOKEN), body).await;
        assert_eq!((answer.status, answer.code()), (422, "submission-unfit".into()), "{}", String::from_utf8_lossy(&answer.body));
        assert!(!String::from_utf8_lossy(&answer.body).contains("served"), "where it lies is nobody's business");
    }
    assert_eq!(fs::read(site.served().join("metadata/timestamp.json")).unwrap(), before);
    // With its signatures it is what it always was: a release.
    assert_eq!(submit(&mut client, "acme", &with_token(TOKEN), &signed).await.status, 200);
}
