//! Edits to a valid document, chosen by bytes: how a fuzzer gets behind parsers, digests and signatures.
//!
//! Any bytes are a script. The same bytes make the same edits on every machine; an exhausted script chooses zero from then on.

use serde_json::{Map, Number, Value};

/// Bytes as a row of choices.
#[derive(Debug)]
pub struct Script<'a>(&'a [u8]);

/// Texts that readers have been wrong about.
const TEXTS: &[&str] = &[
    "",
    "a",
    "root",
    "timestamp",
    "snapshot",
    "targets",
    "windows",
    "linux",
    "policy.json",
    "../../../etc/passwd",
    "C:\\x",
    ".updater/journal",
    "bkp_remote.001/x",
    "con.txt",
    "progra~1",
    "a:b",
    "a\u{202e}b",
    "\u{0}",
    "\n\t\u{1b}[31m",
    "\u{FFFD}",
    "e\u{301}",
    "é",
    "İ",
    "ﬁ",
    "/",
    "..",
    "*",
    "*/*/*/*",
    "1.0.34",
    "2.0.0",
    "1",
    "1.2",
    "1.2.3",
    "7.00.170117A-20190212",
    "17.3.0.14",
    "semver",
    "dotted",
    "totvs",
    "x86_64",
    "any",
    "ed25519",
    "rsa",
    "sha256",
    "sha512",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2026-11-21T10:00:00Z",
    "2026-11-21T10:00:00.5Z",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "E3B0",
    "http://h/",
    "//h/",
    "https://u:p@h:99999/?q#f",
    "overwrite",
    "keep",
    "new-beside",
    "channel",
    "install",
    "policy",
    "manifest",
];

/// Keys that mean something in one document or another.
const KEYS: &[&str] = &[
    "_type",
    "version",
    "expires",
    "spec_version",
    "keys",
    "roles",
    "meta",
    "targets",
    "delegations",
    "threshold",
    "keyids",
    "name",
    "paths",
    "path_hash_prefixes",
    "terminating",
    "format",
    "type",
    "sequence",
    "epoch",
    "epochs",
    "floors",
    "releases",
    "withdrawn",
    "floor",
    "requires",
    "probe",
    "deltas",
    "files",
    "links",
    "packs",
    "frames",
    "dictionary",
    "dictionaries",
    "directories",
    "removed",
    "at",
    "size",
    "config",
    "unknown",
    "",
];

/// Numbers at the edges of what is allowed.
const NUMBERS: &[i128] = &[
    0,
    1,
    2,
    -1,
    5,
    255,
    256,
    65_535,
    65_536,
    1_000_001,
    4_000_001,
    (1 << 31) - 1,
    -(1 << 31),
    -(1 << 31) - 1,
    1 << 33,
    (1 << 33) - 1,
    (1 << 53) - 1,
    1 << 53,
    i64::MAX as i128,
    i64::MIN as i128,
    u64::MAX as i128,
    8 << 20,
    (8 << 20) + 1,
    3650,
    3651,
];

/// Values are not let grow beyond this many bytes, about: what is larger is refused for its length, which is tested elsewhere.
const LARGEST: usize = 48 << 10;

impl<'a> Script<'a> {
    /// The script that `bytes` are.
    pub fn new(bytes: &'a [u8]) -> Script<'a> {
        Script(bytes)
    }

    /// Whether nothing is left of it.
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte; 0 when there is none.
    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// A choice out of `count`, which is not 0.
    pub fn below(&mut self, count: usize) -> usize {
        let high = if count > 256 { usize::from(self.byte()) << 8 } else { 0 };
        (high | usize::from(self.byte())) % count.max(1)
    }

    /// Up to `most` bytes as they are.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let length = self.below(most + 1).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// One of `choices`.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// A text: one of those that readers have been wrong about, or what stands in the script.
    pub fn text(&mut self) -> String {
        match self.byte() % 4 {
            0 => String::from_utf8_lossy(self.bytes(40)).into_owned(),
            1 => self.one_of(TEXTS).repeat(1 + self.below(600)),
            _ => self.one_of(TEXTS).to_owned(),
        }
    }

    /// A value of any kind.
    pub fn value(&mut self) -> Value {
        match self.byte() % 12 {
            0 => Value::Null,
            1 => Value::Bool(self.byte() & 1 == 0),
            2 => Value::Array(vec![]),
            3 => Value::Object(Map::new()),
            4 => (0..self.below(80)).fold(self.text().into(), |inner, _| Value::Array(vec![inner])),
            5 => Value::Array((0..self.below(300)).map(Value::from).collect()),
            6 | 7 => self.text().into(),
            8 => Value::from(u64::from_le_bytes(self.array())),
            9 => Value::from(self.byte()),
            10 => Number::from_f64(f64::from(self.byte()) / 2.0).map_or(Value::Null, Value::Number),
            _ => Number::from_i128(self.one_of(NUMBERS)).map_or(Value::Null, Value::Number),
        }
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// Makes one edit somewhere in `value`, unless earlier ones made it too large to be worth it.
    pub fn edit(&mut self, value: &mut Value) {
        if weight(value) > LARGEST {
            self.rest();
        } else {
            self.edit_below(value);
        }
    }

    fn edit_below(&mut self, value: &mut Value) {
        let count = match value {
            Value::Array(items) => items.len(),
            Value::Object(map) => map.len(),
            _ => 0,
        };
        // One choice more than there are children: the value itself.
        let chosen = self.below(count + 1);
        if chosen < count {
            let child = match value {
                Value::Array(items) => items.get_mut(chosen),
                Value::Object(map) => map.values_mut().nth(chosen),
                _ => None,
            };
            if let Some(child) = child {
                return self.edit_below(child);
            }
        }
        match value {
            Value::Array(items) => self.edit_items(items, value_of),
            Value::Object(map) => self.edit_members(map),
            Value::String(text) => self.edit_text(text),
            Value::Number(number) => {
                let near = number.as_i128().unwrap_or(0) + i128::from(self.byte()) - 128;
                *value = Number::from_i128(near).filter(|_| self.byte() & 1 == 0).map_or_else(|| self.value(), Value::Number);
            }
            other => *other = self.value(),
        }
    }

    fn edit_items(&mut self, items: &mut Vec<Value>, make: fn(&mut Script<'a>) -> Value) {
        let at = self.below(items.len().max(1));
        match self.byte() % 6 {
            0 => items.push(make(self)),
            1 if !items.is_empty() => drop(items.remove(at)),
            2 if !items.is_empty() => items.insert(0, items[at].clone()),
            3 if !items.is_empty() => {
                let last = items.len() - 1;
                items.swap(at, last);
            }
            4 if !items.is_empty() => {
                let many = items[at].clone();
                let most = LARGEST / (weight(&many) + 1);
                items.extend(std::iter::repeat_n(many, self.below(1200).min(most)));
            }
            _ => items.clear(),
        }
    }

    fn edit_members(&mut self, map: &mut Map<String, Value>) {
        let Some(key) = map.keys().nth(self.below(map.len().max(1))).cloned() else {
            map.insert(self.one_of(KEYS).to_owned(), self.value());
            return;
        };
        match self.byte() % 7 {
            0 => drop(map.remove(&key)),
            1 => drop(map.insert(key, self.value())),
            2 => drop(map.insert(self.one_of(KEYS).to_owned(), self.value())),
            3 => drop(map.insert(self.text(), self.value())),
            4 => {
                let moved = map.remove(&key).unwrap_or_default();
                map.insert(self.text(), moved);
            }
            5 => {
                let copied = map.get(&key).cloned().unwrap_or_default();
                map.insert(self.one_of(KEYS).to_owned(), copied);
            }
            _ => {
                // Two members change places.
                let other = map.keys().nth(self.below(map.len())).cloned().unwrap_or_default();
                let (a, b) = (map.get(&key).cloned().unwrap_or_default(), map.get(&other).cloned().unwrap_or_default());
                map.insert(key, b);
                map.insert(other, a);
            }
        }
    }

    fn edit_text(&mut self, text: &mut String) {
        let characters: Vec<char> = text.chars().collect();
        let at = self.below(characters.len() + 1);
        let (before, after) = characters.split_at(at);
        let (before, after): (String, String) = (before.iter().collect(), after.iter().collect());
        *text = match self.byte() % 5 {
            0 => self.text(),
            1 => format!("{before}{}{after}", self.text()),
            2 => before + after.get(after.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default(),
            3 => before,
            _ => text.chars().map(|c| if self.byte() & 1 == 0 { c.to_ascii_uppercase() } else { c }).collect(),
        };
    }

    /// Breaks the text of a document in ways that no value shows: bytes changed, cut, put in or doubled.
    pub fn damage(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len().max(1)).min(bytes.len());
        match self.byte() % 5 {
            0 => {
                let flip = self.byte() | 1;
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= flip;
                }
            }
            1 => bytes.truncate(at),
            2 => drop(bytes.splice(at..at, self.bytes(20).iter().copied())),
            3 => {
                let end = (at + self.below(64)).min(bytes.len());
                let stretch = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, stretch));
            }
            _ => bytes.extend_from_slice(self.bytes(20)),
        }
    }
}

/// About how many bytes a value takes.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 16,
        Value::Array(items) => 16 + items.iter().map(weight).sum::<usize>(),
        Value::Object(map) => 16 + map.iter().map(|(key, value)| key.len() + 16 + weight(value)).sum::<usize>(),
        _ => 16,
    }
}

fn value_of(script: &mut Script<'_>) -> Value {
    script.value()
}

/// Whether `bytes` are a document as it is; anything else is a script.
pub fn is_document(bytes: &[u8]) -> bool {
    bytes.starts_with(b"{")
}
