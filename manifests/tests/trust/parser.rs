//! Hostile spellings (B1–B5, B7, B9) through every reader that there is, not only through the one strict pass that they share: a reader that forgot it would show here.

use manifests::channel::{ChannelDocument, ChannelError};
use manifests::install_link::{InstallDocument, InstallError};
use manifests::json::JsonError;
use manifests::limits::Limits;
use manifests::policy::{Policy, PolicyError};
use manifests::release::{Manifest, ManifestError};
use manifests::signed::EnvelopeError;
use manifests::trust::TrustError;
use serde_json::{Value, json};

use crate::documents::{ROLES, channel, channel_id, content, install_document, link, manifest, policy, release_id, serve, stored};
use crate::repository::{Repository, sign};

/// Why a reader refused.
#[derive(Debug)]
enum Fault {
    /// What it was given is no JSON of ours, or not of the document's shape.
    Json(JsonError),
    /// Something else.
    Other(String),
}

type Write = dyn Fn(&Value) -> Vec<u8>;
type Read = dyn Fn(&[u8]) -> Result<(), Fault>;

/// A document and its production reader.
struct Reader {
    name: &'static str,
    value: Value,
    /// The bytes in which this content comes, signed where it is a role.
    write: Box<Write>,
    read: Box<Read>,
}

impl Reader {
    fn text(&self) -> String {
        String::from_utf8((self.write)(&self.value)).expect("UTF-8")
    }

    #[track_caller]
    fn refuses(&self, bytes: &[u8], what: &str) {
        match (self.read)(bytes) {
            Err(Fault::Json(_)) => {}
            other => panic!("{}, {what}: {other:?}", self.name),
        }
    }
}

/// The longest document that the readers below take, in bytes; roles have limits of their own.
const LIMIT: u64 = 1 << 20;

fn reader(
    name: &'static str,
    value: Value,
    write: impl Fn(&Value) -> Vec<u8> + 'static,
    read: impl Fn(&[u8]) -> Result<(), Fault> + 'static,
) -> Reader {
    Reader { name, value, write: Box::new(write), read: Box::new(read) }
}

fn readers() -> Vec<Reader> {
    let plain = |value: &Value| serde_json::to_vec(value).expect("JSON");
    let other = |error: &dyn std::fmt::Display| Fault::Other(error.to_string());
    let mut readers = vec![
        reader("channel", channel(), plain, move |bytes| match ChannelDocument::parse(bytes, &channel_id(), LIMIT) {
            // A release that is not understood is set aside; everything around it is read.
            Ok(document) => document.unavailable.first().map_or(Ok(()), |release| Err(Fault::Other(release.reason.clone()))),
            Err(ChannelError::Malformed { source, .. }) => Err(Fault::Json(source)),
            Err(error) => Err(other(&error)),
        }),
        reader("policy", policy(), plain, move |bytes| match Policy::parse(bytes, &"acme".parse().expect("a name"), LIMIT) {
            Ok(_) => Ok(()),
            Err(PolicyError::Malformed(source)) => Err(Fault::Json(source)),
            Err(error) => Err(other(&error)),
        }),
        reader("install document", install_document(), plain, move |bytes| match InstallDocument::parse(bytes, &link(), LIMIT) {
            Ok(_) => Ok(()),
            Err(InstallError::Malformed(source)) => Err(Fault::Json(source)),
            Err(error) => Err(other(&error)),
        }),
        reader("manifest", manifest(), plain, move |bytes| match Manifest::parse(&stored(bytes), &release_id(), &Limits::default()) {
            Ok(_) => Ok(()),
            Err(ManifestError::Malformed { source, .. }) => Err(Fault::Json(source)),
            Err(error) => Err(other(&error)),
        }),
    ];
    for role in ROLES {
        let mut repository = Repository::new();
        repository.files();
        let value = content(&repository, role);
        let signing = repository.clone();
        let write = move |value: &Value| sign(value, &signing.signers(role));
        readers.push(reader(role, value, write, move |bytes| match serve(&repository, role, bytes.to_vec()) {
            Ok(()) => Ok(()),
            Err(TrustError::Envelope { source: EnvelopeError::Json(source), .. }) => Err(Fault::Json(source)),
            Err(error) => Err(other(&error)),
        }));
    }
    for reader in &readers {
        (reader.read)(reader.text().as_bytes()).unwrap_or_else(|fault| panic!("{} as it is: {fault:?}", reader.name));
    }
    readers
}

/// `text`, an object, with one more field at its end.
fn with_field(text: &str, field: &str) -> Vec<u8> {
    let end = text.rfind('}').expect("an object");
    format!("{},\"x-unknown\":{field}}}", &text[..end]).into_bytes()
}

/// `text` with `replacement` in the place of `length` bytes at `at`.
fn replaced(text: &str, at: usize, length: usize, replacement: &str) -> String {
    format!("{}{replacement}{}", &text[..at], &text[at + length..])
}

#[test]
fn b1_a_document_longer_than_its_limit_is_refused_before_it_is_parsed_whatever_it_holds() {
    let limits = Limits::default();
    let of = |role: &str| match role {
        "root" => limits.root_bytes,
        "timestamp" => limits.timestamp_bytes,
        // The snapshot says how long it is; where it says more than the limit, the limit counts.
        "targets" | "windows" => limits.targets_bytes,
        "snapshot" => limits.snapshot_bytes,
        "manifest" => limits.manifest_bytes,
        _ => LIMIT,
    };
    for reader in readers() {
        let limit = usize::try_from(of(reader.name)).expect("small");
        if reader.name == "manifest" {
            continue; // Stored compressed: see the tests of decompression in `src/release.rs` and of packs.
        }
        let text = reader.text();
        // Neither is JSON at all beyond its first bytes, and nobody notices, because nobody looks.
        let spaces = [text.as_bytes(), &vec![b' '; 64 << 20]].concat();
        let endless = [b"\"", &vec![b'x'; limit][..]].concat();
        let zeros = vec![0; limit + 1];
        for (bytes, what) in [(spaces, "64 MiB of spaces"), (endless, "an endless string"), (zeros, "zeros")] {
            match (reader.read)(&bytes) {
                Err(Fault::Json(JsonError::TooLong { length, .. })) => assert_eq!(length, bytes.len()),
                other => panic!("{}, {what}: {other:?}", reader.name),
            }
        }
        let within = [text.as_bytes(), &vec![b' '; limit - text.len()]].concat();
        (reader.read)(&within).unwrap_or_else(|fault| panic!("{} at its limit: {fault:?}", reader.name));
    }
}

#[test]
fn b2_a_nesting_of_a_hundred_thousand_is_refused_by_every_reader_on_a_small_stack() {
    let hostile = || {
        for reader in readers() {
            for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":[", "]}]")] {
                let text = reader.text();
                for depth in [65, 100_000] {
                    let nested = [open.repeat(depth), "1".into(), close.repeat(depth)].concat();
                    let inside = with_field(&text, &nested);
                    if inside.len() < 10_000 || !matches!(reader.name, "timestamp" | "root" | "channel" | "policy" | "install document") {
                        reader.refuses(&inside, "nested in an unknown field");
                    }
                    reader.refuses(&with_field(&text, &open.repeat(depth)), "and never closed");
                    reader.refuses(nested.as_bytes(), "nested from the start");
                }
            }
        }
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(hostile).expect("a thread").join().expect("no overflow, no panic");
}

#[test]
fn b3_a_key_that_stands_twice_in_any_object_is_refused_by_every_reader() {
    for reader in readers() {
        let text = reader.text();
        let objects: Vec<usize> = text.match_indices("{\"").map(|(at, _)| at + 1).collect();
        assert!(objects.len() > 1, "{}", reader.name);
        for at in objects {
            let key = text[at..].split_inclusive('"').take(2).collect::<String>();
            let letter = key.chars().nth(1).expect("a key");
            let escaped = key.replacen(letter, &format!("\\u{:04x}", letter as u32), 1);
            for again in [&key, &escaped] {
                for value in ["null", "1", "99"] {
                    reader.refuses(replaced(&text, at, 0, &format!("{again}:{value},")).as_bytes(), &key);
                }
            }
        }
        reader.refuses(&with_field(&text, r#"{"version":1,"version":99}"#), "below an unknown field");
    }
}

#[test]
fn b4_numbers_that_are_no_integers_of_64_bits_are_refused_by_every_reader_wherever_they_stand() {
    const BAD: [&str; 14] = [
        "NaN",
        "Infinity",
        "-Infinity",
        "1.0",
        "1e3",
        "1E+3",
        "-0",
        "-0.0",
        "18446744073709551616",
        "-9223372036854775809",
        "01",
        "+1",
        "0x1",
        ".5",
    ];
    for reader in readers() {
        let text = reader.text();
        for bad in BAD {
            reader.refuses(&with_field(&text, bad), bad);
            reader.refuses(&with_field(&text, &format!("[{bad}]")), bad);
        }
        let bytes = text.as_bytes();
        let in_text =
            |at: usize| bytes[..at].iter().enumerate().filter(|(n, byte)| **byte == b'"' && bytes[n - 1] != b'\\').count() % 2 == 1;
        let is_number = |at: &usize| bytes[*at].is_ascii_digit() && matches!(bytes[*at - 1], b':' | b'[' | b',') && !in_text(*at);
        let numbers: Vec<usize> = (1..bytes.len()).filter(is_number).collect();
        assert!(!numbers.is_empty(), "{}", reader.name);
        for at in numbers {
            let length = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let number = &text[at..at + length];
            for bad in [format!("{number}.0"), format!("{number}e0"), format!("0{number}"), format!("-0{number}"), "-0".into()] {
                reader.refuses(replaced(&text, at, length, &bad).as_bytes(), &bad);
            }
        }
    }
}

#[test]
fn b5_bytes_that_are_no_text_are_refused_by_every_reader() {
    let bad: [&[u8]; 12] = [
        br#""\ud800""#,
        br#""\udc00\ud800""#,
        br#""\ud800x""#,
        b"\"\xc0\xaf\"",
        b"\"\xe0\x80\xaf\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf4\x90\x80\x80\"",
        b"\"\xff\"",
        b"\"a\x00b\"",
        b"\"a\nb\"",
        br#""\x41""#,
        br#""\u00g0""#,
    ];
    for reader in readers() {
        let text = reader.text();
        for bad in bad {
            let marked = with_field(&text, "@");
            let at = marked.iter().rposition(|byte| *byte == b'@').expect("the mark");
            reader.refuses(&[&marked[..at], bad, &marked[at + 1..]].concat(), &String::from_utf8_lossy(bad));
        }
        reader.refuses(&[b"\xef\xbb\xbf", text.as_bytes()].concat(), "a byte order mark");
        reader.refuses(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), "UTF-16");
        reader.refuses(&[text.as_bytes(), b"\0"].concat(), "a NUL behind it");
        reader.refuses(&[text.as_bytes(), text.as_bytes()].concat(), "two documents");
        reader.refuses(&text.as_bytes()[..text.len() - 1], "cut off");
        reader.refuses(b"", "nothing");
    }
}

/// Texts, and the hex of their canonical form as the reference implementation (python-tuf by way of securesystemslib) makes it. Many more are compared, live, by `tests/oracles/`.
const CANONICAL: [(&str, &str); 7] = [
    (r#"{"b":1,"a":[true,null,false],"":{}}"#, "7b22223a7b7d2c2261223a5b747275652c6e756c6c2c66616c73655d2c2262223a317d"),
    (
        r#"{"\u00e9":2,"e\u0301":1,"z":0,"Z":9,"\ud83d\ude00":4,"\ufb00":3,"\uffff":5}"#,
        "7b225a223a392c2265cc81223a312c227a223a302c22c3a9223a322c22efac80223a332c22efbfbf223a352c22f09f9880223a347d",
    ),
    (
        r#""\" \\ \/ \b\f\n\r\t \u0000 \u001f \u007f \u0080 \u2028 \u2029""#,
        "225c22205c5c202f20080c0a0d092000201f207f20c28020e280a820e280a922",
    ),
    (
        "[-9223372036854775808,18446744073709551615,0,-1]",
        "5b2d393232333337323033363835343737353830382c31383434363734343037333730393535313631352c302c2d315d",
    ),
    (r#"{"a\"b":"\\","a\\b":"\"","\n":"\t"}"#, "7b220a223a2209222c22615c2262223a225c5c222c22615c5c62223a225c22227d"),
    (r#"[[],{},[[{}]],""]"#, "5b5b5d2c7b7d2c5b5b7b7d5d5d2c22225d"),
    (
        r#"{"10":1,"9":2,"_type":"x","signed":{"Z":1,"a":2,"\u0001":3}}"#,
        "7b223130223a312c2239223a322c225f74797065223a2278222c227369676e6564223a7b2201223a332c225a223a312c2261223a327d7d",
    ),
];

#[test]
fn b6_the_canonical_form_is_that_of_the_reference_implementation_byte_for_byte() {
    for (text, canonical) in CANONICAL {
        manifests::json::check(text.as_bytes(), text.len()).expect("strict JSON");
        let value: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(hex::encode(manifests::canonical::to_vec(&value).expect("a canonical form")), canonical, "{text}");
    }
}

/// Objects whose fields are entries of a map, or where a reader must know every field because ignoring one would change what it does.
fn is_closed(pointer: &str) -> bool {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    ["keys", "meta", "hashes", "custody", "epochs"].contains(&last)
        || ["/requires", "/compatible", "/probe"].iter().any(|part| pointer.contains(part))
        || (last == "targets" && !pointer.contains("/roles/"))
}

#[test]
fn b7_unknown_fields_are_accepted_in_every_object_of_every_document() {
    for reader in readers() {
        let mut objects = 0;
        let mut everywhere = reader.value.clone();
        for pointer in crate::shapes::pointers(&reader.value) {
            let mut one = reader.value.clone();
            for document in [&mut one, &mut everywhere] {
                let Some(Value::Object(object)) = document.pointer_mut(&pointer) else { continue };
                if !is_closed(&pointer) {
                    object.insert("x-unknown".into(), json!({ "deep": [null, -1, u64::MAX, "é\n\"\\", { "": {} }] }));
                    objects += 1;
                }
            }
            // A key object with another field is another key, under another id (A14).
            let is_key = pointer.contains("/keys/");
            let read = (reader.read)(&(reader.write)(&one));
            assert!(read.is_ok() || is_key, "{} at {pointer}: {read:?}", reader.name);
        }
        assert!(objects >= 2, "{}", reader.name);
    }
}

#[test]
fn b9_a_time_has_one_spelling_in_every_document() {
    const BAD: [&str; 20] = [
        "2026-11-21T10:00:00",
        "2026-11-21T10:00:00+02:00",
        "2026-11-21T10:00:00+00:00",
        "2026-11-21T10:00:00-00:00",
        "2026-11-21 10:00:00Z",
        "2026-11-21T10:00:00.000Z",
        "2026-11-21T10:00Z",
        "2026-11-21",
        "2026-06-30T23:59:60Z",
        "2026-11-21T24:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "+10000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "0000-00-00T00:00:00Z",
        "2026-11-21t10:00:00z",
        " 2026-11-21T10:00:00Z",
        "２026-11-21T10:00:00Z",
        "",
    ];
    let mut fields = 0;
    for reader in readers() {
        let is_time = |pointer: &String| {
            let value = reader.value.pointer(pointer).and_then(Value::as_str);
            value.is_some_and(|text| text.parse::<manifests::time::UtcTime>().is_ok())
        };
        for pointer in crate::shapes::pointers(&reader.value).into_iter().filter(is_time) {
            fields += 1;
            let with = |text: &Value| {
                let mut value = reader.value.clone();
                *value.pointer_mut(&pointer).expect("a pointer into it") = text.clone();
                (reader.read)(&(reader.write)(&value))
            };
            for bad in BAD.map(Value::from).iter().chain([&json!(1_795_255_200), &json!(null)]) {
                assert!(with(bad).is_err(), "{} {pointer}: {bad}", reader.name);
            }
            assert!(with(&json!("9999-12-31T23:59:59Z")).is_ok(), "the last second there is");
            // 1970 can be written: a release of then, or a role that has expired.
            let expired = with(&json!("1970-01-01T00:00:00Z"));
            match reader.name {
                "channel" | "root" => assert!(expired.is_ok(), "{expired:?}"),
                _ => assert!(matches!(&expired, Err(Fault::Other(text)) if text.contains("expired")), "{expired:?}"),
            }
        }
    }
    assert!(fields >= 5 + 2, "every role, and every release");
}
