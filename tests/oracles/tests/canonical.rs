//! B6: the bytes that signatures cover are the same for us, for securesystemslib (python-tuf) and for sigstore-tuf.

use manifests::canonical;
use oracles::python::Python;
use oracles::random::Random;
use serde_json::{Map, Value, json};

/// How many values are compared.
const VALUES: usize = 6_000;
/// How many go in one question.
const BATCH: usize = 500;

/// Where the order of keys or the form of a string is easily got wrong: escapes, control characters, what UTF-16 sorts otherwise than UTF-8, what normalisation would change.
const CHARACTERS: &[char] = &[
    'a',
    'Z',
    '0',
    ' ',
    '"',
    '\\',
    '/',
    '\u{0}',
    '\u{1}',
    '\n',
    '\r',
    '\t',
    '\u{8}',
    '\u{c}',
    '\u{1f}',
    '\u{7f}',
    '\u{80}',
    '\u{85}',
    'é',
    'e',
    '\u{301}',
    'ﬀ',
    'Å',
    '\u{212b}',
    'ß',
    '\u{2028}',
    '\u{d7ff}',
    '\u{e000}',
    '\u{feff}',
    '\u{fffd}',
    '\u{ffff}',
    '𐀀',
    '😀',
    '\u{10ffff}',
    '中',
    '\u{202e}',
];

fn text(random: &mut Random) -> String {
    (0..random.below(6)).map(|_| *random.pick(CHARACTERS)).collect()
}

fn number(random: &mut Random) -> Value {
    match random.below(6) {
        0 => json!(0),
        1 => json!(random.pick(&[i64::MIN, i64::MIN + 1, -(1 << 53) - 1, -1])),
        2 => json!(random.pick(&[u64::MAX, u64::MAX - 1, 1 << 63, (1 << 53) + 1, 1 << 53])),
        3 => json!(random.bits()),
        4 => json!(random.bits() as i64),
        _ => json!(random.below(1000)),
    }
}

fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 4 } else { 7 }) {
        0 => Value::Null,
        1 => json!(random.percent(50)),
        2 => number(random),
        3 => json!(text(random)),
        4 => (0..random.below(5)).map(|_| value(random, depth - 1)).collect(),
        _ => Value::Object((0..random.below(7)).map(|_| (text(random), value(random, depth - 1))).collect::<Map<_, _>>()),
    }
}

#[test]
fn b6_canonical_json_has_the_same_bytes_for_everyone() {
    let mut random = Random::new(6);
    let mut python = Python::start();
    let mut objects = 0;
    for _ in 0..VALUES / BATCH {
        let values: Vec<Value> = (0..BATCH).map(|_| value(&mut random, 5)).collect();
        objects += values.iter().filter(|value| value.as_object().is_some_and(|map| map.len() > 2)).count();
        let texts: Vec<String> = values.iter().map(Value::to_string).collect();
        let answers = python.ask("canonical", json!({ "documents": texts }));
        let answers = answers.as_array().expect("a form for each value");
        assert_eq!(answers.len(), values.len());
        for ((value, text), theirs) in values.iter().zip(&texts).zip(answers) {
            let ours = canonical::to_vec(value).expect("integers of 64 bits");
            assert_eq!(theirs.as_str(), Some(hex::encode(&ours).as_str()), "python-tuf: {text}");
            assert_eq!(sigstore_tuf::canonical_json::to_canonical_bytes(value).expect("integers"), ours, "sigstore-tuf: {text}");
        }
    }
    assert!(objects > VALUES / 20, "only {objects} values had keys to sort");
}
