//! Reports of stations, signed by keys from fixed seeds.

use manifests::signed::Envelope;
use manifests::signer::{Ed25519Signer, Signer as _};
use serde_json::{Value, json};

use super::Add;

fn station(seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(&[seed; 32].into())
}

/// What a station with a great deal to say signs.
fn content() -> Value {
    json!({
        "format": 0,
        "type": "report",
        "repository": "acme",
        "station": station(1).key(),
        "events": [
            {
                "channel": "windows/smartclient/x86_64/stable.json",
                "alert": true,
                "attempt": {
                    "id": "0123456789abcdef",
                    "time": "2025-11-21T00:00:00Z",
                    "host": "till-3",
                    "os_user": "Ана \"the till\"",
                    "approver": "root",
                    "trigger": "schedule",
                    "joined": ["push"],
                    "from": { "build": "17.3.0.13", "sequence": 11 },
                    "to": { "build": "17.3.0.14", "sequence": 12 },
                    "result": "rolled-back",
                    "code": "not-alive",
                    "detail": "the probe failed:\n\texit code 7",
                    "bytes": 5,
                },
            },
            {
                "attempt": {
                    "id": "fedcba9876543210",
                    "time": "2025-11-21T00:00:01Z",
                    "host": "till-3",
                    "os_user": "ana",
                    "trigger": "update",
                    "result": "applied",
                },
            },
        ],
    })
}

/// The content after `change`, signed by the keys from `seeds`.
fn signed(seeds: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut content = content();
    change(&mut content);
    let mut envelope = Envelope::unsigned(&content).expect("a value");
    for seed in seeds {
        envelope.add_signature(&station(*seed)).expect("signed");
    }
    manifests::canonical::to_stored(&envelope).expect("integers and text")
}

pub(crate) fn reports(add: Add<'_>) {
    let whole = signed(&[1], |_| {});
    let text = String::from_utf8(whole.clone()).expect("UTF-8");
    add("good-report-full.json", "every field, and an attempt with none that may be absent", whole.clone());
    add(
        "good-report-unknown-field.json",
        "a later minor addition, signed with the rest",
        signed(&[1], |content| content["later"] = 1.into()),
    );
    add("bad-report-cut.json", "half a document", whole[..whole.len() / 2].to_vec());
    add("bad-report-trailing-bytes.json", "something hides behind the document", format!("{text}{{}}").into());
    add("bad-report-changed.json", "somebody on the way made it another computer", text.replace("till-3", "till-4").into());
    add("bad-report-unsigned.json", "anybody can have written it", signed(&[], |_| {}));
    add("bad-report-stranger.json", "signed, but not by the key that it names", signed(&[2], |_| {}));
    add("bad-report-two-signatures.json", "one report is one station's", signed(&[1, 2], |_| {}));
    add("bad-report-later-format.json", "only newer code knows what it means", signed(&[1], |content| content["format"] = 7.into()));
    add("bad-report-other-type.json", "signed or stored as something else (A17)", signed(&[1], |content| content["type"] = "else".into()));
    add("bad-report-no-events.json", "it says nothing", signed(&[1], |content| content["events"] = json!([])));
    add(
        "bad-report-null-for-absent.json",
        "null and absent are two things",
        signed(&[1], |content| content["events"][0]["channel"] = Value::Null),
    );
    add(
        "bad-report-channel-leaves-its-folder.json",
        "a path is checked before anybody shows or opens it (D1)",
        signed(&[1], |content| content["events"][0]["channel"] = "../../x.json".into()),
    );
    for (name, why, member, value) in [
        ("control-in-host", "it would act on an administrator's terminal", "host", "till\u{1b}[2J".to_owned()),
        ("line-end-in-user", "it would make two lines of one", "os_user", "ana\nroot".to_owned()),
        ("endless-detail", "somebody has to read it", "detail", "x".repeat(2049)),
        ("unknown-result", "a word that nobody knows", "result", "bored".to_owned()),
        ("short-id", "one spelling of an id", "id", "0123".to_owned()),
    ] {
        add(&format!("bad-report-{name}.json"), why, signed(&[1], |content| content["events"][0]["attempt"][member] = value.into()));
    }
}
