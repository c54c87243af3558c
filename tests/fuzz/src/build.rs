//! Builds: each scheme's order is total, and what is written is what was read.

use std::cmp::Ordering;

use manifests::build::{Build, Scheme};

use crate::judge;

/// Reads up to three lines as builds: the first byte chooses the scheme.
pub fn build(data: &[u8]) -> bool {
    let Some((choice, rest)) = data.split_first() else { return false };
    let scheme = Scheme::ALL[usize::from(*choice) % Scheme::ALL.len()];
    let Ok(text) = std::str::from_utf8(rest) else { return false };
    if let Some(line) = text.lines().next() {
        recognised(line);
    }
    let mut builds = Vec::new();
    for line in text.lines().take(3) {
        match Build::parse(line, scheme) {
            Ok(build) => {
                assert_eq!((build.text(), build.scheme(), build.to_string().as_str()), (line, scheme, line));
                assert!(line.is_ascii() && line.len() <= Build::MAX_BYTES, "{line:?}");
                assert_eq!(Build::parse(build.text(), scheme).as_ref(), Ok(&build), "it reads back");
                builds.push(build);
            }
            Err(error) => judge::assert_readable(&error),
        }
    }
    for a in &builds {
        assert_eq!(a.compare(a), Some(Ordering::Equal), "{a:?}");
        for b in &builds {
            let order = a.compare(b).expect("one scheme");
            assert_eq!(b.compare(a), Some(order.reverse()), "{a:?} {b:?}");
            assert!(a != b || order == Ordering::Equal, "{a:?} {b:?}");
            if let Some(expected) = expected(a, b) {
                assert_eq!(order, expected, "{a:?} {b:?}");
            }
            for c in &builds {
                if order.is_le() && b.compare(c).is_some_and(Ordering::is_le) {
                    assert!(a.compare(c).is_some_and(Ordering::is_le), "{a:?} {b:?} {c:?}");
                }
            }
        }
    }
    !builds.is_empty()
}

/// The scheme of a text that names none is the first that reads it; other schemes never compare with it.
fn recognised(line: &str) {
    let read: Vec<Build> = Scheme::ALL.into_iter().filter_map(|scheme| Build::parse(line, scheme).ok()).collect();
    assert_eq!(Build::recognise(line).ok().as_ref(), read.first(), "{line:?}");
    for (a, b) in read.iter().zip(read.iter().skip(1)) {
        assert_eq!(a.compare(b), None, "{line:?}");
    }
}

/// The order as `docs/format.md` words it, by other means.
fn expected(a: &Build, b: &Build) -> Option<Ordering> {
    let numbers = |text: &str| text.split('.').map(|part| part.parse::<u64>().expect("digits")).collect::<Vec<_>>();
    match a.scheme() {
        Scheme::Dotted => {
            let padded = |build: &Build| {
                let mut parts = numbers(build.text());
                parts.resize(8, 0);
                parts
            };
            Some(padded(a).cmp(&padded(b)))
        }
        Scheme::Totvs => {
            let key = |build: &Build| {
                let (version, suffix) = build.text().split_once('-').unwrap_or((build.text(), ""));
                let (head, letter) = version.split_at(version.len() - 1);
                // Dates and letters are of one length: as text they sort as they should.
                let (numbers, date) = head.rsplit_once('.').expect("three parts");
                (
                    numbers.split('.').map(|part| part.parse::<u64>().expect("digits")).collect::<Vec<_>>(),
                    date.to_owned(),
                    letter.to_owned(),
                    suffix.to_owned(),
                )
            };
            Some(key(a).cmp(&key(b)))
        }
        // Precedence is the crate's own; the core, at least, can be told by hand.
        Scheme::Semver => {
            let core = |build: &Build| numbers(build.text().split(['-', '+']).next().unwrap_or_default());
            Some(core(a).cmp(&core(b))).filter(|order| order.is_ne())
        }
    }
}
