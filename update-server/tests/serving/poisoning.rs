//! Attack C12: nothing that a client says about names or itself changes an answer, so no cache can be filled with another's.

use std::collections::BTreeSet;

use manifests::digest::Digest;
use manifests::testing::TestRepository;
use update_server::app::App;
use update_server::config::{RepositorySettings, Settings};

use crate::client::{Answer, Client};
use crate::sample::{Running, Sample};

/// What of an answer a cache would keep.
fn kept(mut answer: Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    answer.fields.retain(|(name, _)| name != "date");
    (answer.status, answer.fields, answer.body)
}

async fn ask(client: &mut Client, target: &str, fields: &str) -> Answer {
    client.send(format!("GET {target} HTTP/1.1\r\n{fields}\r\n").as_bytes()).await;
    client.answer(false).await.unwrap()
}

#[tokio::test]
async fn c12_no_header_of_a_client_changes_an_answer() {
    let sample = Sample::new();
    let (object, _) = sample.object(1000);
    let server = sample.serve().await;
    let paths =
        ["/repo/acme/metadata/timestamp.json", "/repo/acme/metadata/1.root.json", &object, "/i/shop1", "/healthz", "/nothing", "/repo/x/y"];
    for path in paths {
        let plain = kept(ask(&mut server.client().await, path, "Host: updates.example\r\n").await);
        assert!(plain.1.iter().all(|(name, _)| name != "vary" && name != "location"), "{path}: {:?}", plain.1);
        for fields in [
            "Host: evil.example\r\n",
            "Host: evil.example:1\r\n",
            "Host: updates.example\r\nX-Forwarded-Host: evil.example\r\n",
            "Host: updates.example\r\nForwarded: host=evil.example;proto=http\r\n",
            "Host: updates.example\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /evil\r\n",
            "Host: updates.example\r\nX-Original-URL: /repo/acme/metadata/2.root.json\r\nX-Rewrite-URL: /healthz\r\n",
            "Host: updates.example\r\nX-HTTP-Method-Override: DELETE\r\n",
            "Host: updates.example\r\nOrigin: https://evil.example\r\nReferer: https://evil.example/\r\n",
            "Host: updates.example\r\nUser-Agent: windows\r\nAccept: text/html\r\nAccept-Language: ru\r\nAccept-Encoding: gzip\r\nCookie: os=linux\r\n",
        ] {
            assert!(kept(ask(&mut server.client().await, path, fields).await) == plain, "{path} with {fields}");
        }
        for target in [format!("{path}?host=evil.example&os=windows"), format!("http://evil.example{path}")] {
            assert!(kept(ask(&mut server.client().await, &target, "Host: updates.example\r\n").await) == plain, "{target}");
        }
        let text = format!("{:?} {}", plain.1, String::from_utf8_lossy(&plain.2));
        assert!(!text.contains("example"), "{path} repeats who was asked: {text}");
    }
}

/// Each system has addresses of its own, and what lies there never changes: there is nothing to vary.
#[tokio::test]
async fn c12_what_differs_between_systems_differs_in_its_url() {
    let test = TestRepository::new();
    for (channel, content) in
        [("linux/smartclient/x86_64/stable.json", "for linux"), ("windows/smartclient/x86_64/stable.json", "for windows")]
    {
        let source = test.folder(content, &[("app.exe", content.as_bytes())]);
        let mut request = test.request(&source, "1.0.0");
        request.id = manifests::name::ChannelId::from_target_path(channel).unwrap();
        test.publish(&request);
    }
    let repositories = vec![RepositorySettings::served("acme".parse().unwrap(), test.path())];
    let settings = Settings { repositories, ..Settings::default() };
    let server = Running::start(settings.clone(), App::new(&settings)).await;
    let documents: Vec<String> = test.view().named.into_iter().filter(|file| file.ends_with(".stable.json")).collect();
    assert_eq!(documents.len(), 2);
    let mut bodies = BTreeSet::new();
    for file in &documents {
        for os in ["linux", "windows"] {
            let answer = ask(&mut server.client().await, &format!("/repo/acme/{file}"), &format!("Host: h\r\nUser-Agent: {os}\r\n")).await;
            assert_eq!((answer.status, answer.field("vary")), (200, None));
            assert_eq!(answer.field("cache-control"), Some("public, max-age=31536000, immutable"));
            assert!(file.contains(&Digest::of(&answer.body).to_string()), "the name is the content's own");
            bodies.insert(answer.body);
        }
    }
    assert_eq!(bodies.len(), 2);
}
