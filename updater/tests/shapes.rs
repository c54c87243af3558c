//! Local state of the wrong shape (B8): whatever value of `ratchet.json`, `station.json`, the journal's plan or the first line of `installed` is replaced or missing, reading ends with a
//! typed error or a value and never with a panic. What is read back is written again as it was read.

use std::fs;
use std::path::Path;

use manifests::digest::Digest;
use serde_json::{Value, json};
use updater::installed::Installed;
use updater::ratchet::Ratchet;
use updater::station::Station;
use updater::swap::journal::Journal;

/// A frozen sample that uses every field (`tests/vectors/`).
fn sample(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/vectors/good-{name}-full.json"));
    serde_json::from_slice(&fs::read(&path).unwrap_or_else(|e| panic!("cannot read `{}`: {e}", path.display()))).unwrap()
}

/// RFC 6901 pointers to every value in `value`, itself included.
fn pointers(value: &Value) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        Value::Object(map) => map.iter().map(|(key, item)| (key.replace('~', "~0").replace('/', "~1"), item)).collect(),
        _ => vec![],
    };
    let deeper = below.into_iter().flat_map(|(step, item)| pointers(item).into_iter().map(move |rest| format!("/{step}{rest}")));
    std::iter::once(String::new()).chain(deeper).collect()
}

/// What stands in the place of a value; `None` takes it away.
fn others() -> impl Iterator<Item = Option<Value>> {
    let values = [
        json!(null),
        json!(true),
        json!([]),
        json!([null, "x"]),
        json!({}),
        json!({ "x": 1 }),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("x"),
        json!("../x"),
        json!("\u{0}\n\u{202e}é"),
        json!("/".repeat(3000)),
    ];
    values.into_iter().map(Some).chain([None])
}

fn with(document: &Value, pointer: &str, other: Option<&Value>) -> Value {
    let mut document = document.clone();
    let (parent, last) = pointer.rsplit_once('/').unwrap_or_default();
    match (other, document.pointer_mut(parent)) {
        (Some(other), _) => *document.pointer_mut(pointer).unwrap() = other.clone(),
        (None, Some(Value::Object(map))) => drop(map.remove(&last.replace("~1", "/").replace("~0", "~"))),
        (None, Some(Value::Array(items))) => drop(items.remove(last.parse().unwrap())),
        (None, _) => {}
    }
    document
}

/// Reads every variant of a document; `read` gives what is written for what was read.
fn walk(name: &str, document: &Value, read: impl Fn(&[u8]) -> Result<Vec<u8>, String>, write: impl Fn(&Value) -> Vec<u8>) {
    let good = read(&write(document)).unwrap_or_else(|error| panic!("{name} as it is: {error}"));
    assert_eq!(read(&good).as_ref(), Ok(&good), "{name}: what we write, we read");
    let (mut accepted, mut refused) = (0, 0);
    for pointer in pointers(document) {
        for other in others() {
            match read(&write(&with(document, &pointer, other.as_ref()))) {
                Ok(written) => {
                    assert_eq!(read(&written).as_ref(), Ok(&written), "{name}: what we write, we read: {pointer} {other:?}");
                    accepted += 1;
                }
                Err(message) => {
                    assert!(!message.is_empty() && message.len() < 10_000, "{name}: a message for people at {pointer}: {message}");
                    refused += 1;
                }
            }
        }
    }
    assert!(accepted > 0 && refused > 3 * accepted, "{name}: {accepted} accepted, {refused} refused");
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

#[test]
fn b8_a_ratchet_of_the_wrong_shape_is_an_error_and_no_panic() {
    let read = |bytes: &[u8]| Ratchet::parse(bytes).map(|ratchet| ratchet.to_bytes()).map_err(|error| error.to_string());
    walk("ratchet", &sample("ratchet"), read, bytes);
}

#[test]
fn b8_a_record_of_the_station_of_the_wrong_shape_is_an_error_and_no_panic() {
    let read = |bytes: &[u8]| Station::parse(bytes).map(|station| station.to_bytes()).map_err(|error| error.to_string());
    walk("station", &sample("station"), read, bytes);
}

#[test]
fn b8_a_journal_of_the_wrong_shape_is_an_error_and_no_panic() {
    let read = |bytes: &[u8]| Journal::parse(bytes).map(|journal| journal.plan.to_line()).map_err(|error| error.to_string());
    // Each line with its right digest, so that the shape is what is judged.
    let line = |value: &Value| {
        let json = bytes(value);
        [&Digest::of(&json).to_hex().as_bytes()[..16], b" ", &json, b"\n"].concat()
    };
    walk("journal", &sample("plan"), read, line);
    let plan = line(&sample("plan"));
    for later in [json!(null), json!({}), json!({ "phase": 1 }), json!({ "phase": "sideways" }), json!([]), json!({ "phase": null })] {
        let journal = Journal::parse(&[&plan[..], &line(&later)].concat()).unwrap();
        assert_eq!((journal.phase, journal.whole_bytes), (None, plan.len()), "{later}: as if it were not there");
    }
}

#[test]
fn b8_an_installed_state_of_the_wrong_shape_is_an_error_and_no_panic() {
    let header = json!({
        "format": 0, "type": "installed", "product": "smartclient", "os": "windows", "arch": "x86_64", "variant": "imMW_Face", "epoch": 1,
        "sequence": 12, "build": "17.3.0.14", "scheme": "dotted", "manifest": Digest::of(b"x").to_hex(), "entry_point": "a.exe",
    });
    let file = format!("f\t5\t1763683200\t1763683200\t0755\to\t{}\ta.exe\n", Digest::of(b"12345"));
    let sealed = |text: Vec<u8>| [&text[..], format!("end {}\n", Digest::of(&text)).as_bytes()].concat();
    let read = |bytes: &[u8]| Installed::parse(bytes).map(|installed| installed.to_bytes()).map_err(|error| error.to_string());
    walk("installed", &header, read, |value| sealed([&bytes(value)[..], b"\n", file.as_bytes()].concat()));
    // And every field of a line.
    let fields: Vec<&str> = file.trim_end().split('\t').collect();
    for at in 0..fields.len() {
        for other in ["", "-", "0", "-1", "18446744073709551616", "x", "../x", "%", "%zz", "\u{202e}", "%00", ".updater/x", "\t", "é"] {
            let mut fields = fields.clone();
            fields[at] = other;
            let text = [&bytes(&header)[..], b"\n", fields.join("\t").as_bytes(), b"\n"].concat();
            if let Ok(written) = read(&sealed(text)) {
                assert_eq!(read(&written).as_ref(), Ok(&written), "field {at}: {other:?}");
            }
        }
    }
}
