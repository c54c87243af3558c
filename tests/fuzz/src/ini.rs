//! Config files that are merged: whatever a user and a publisher wrote, nothing of the user's is lost.

use updater::config_merge::{LARGEST_BYTES, merge};

use crate::judge;

/// What stands between two files: no text in UTF-16 has so many zero bytes in a row.
pub const BETWEEN: &str = "\0\0\0";

/// Merges three files, which stand one after the other with [`BETWEEN`] between: the user's, the release's and that of the release before.
pub fn ini(data: &[u8]) -> bool {
    let (users, rest) = cut(data);
    let (new, base) = rest.map_or((&[][..], None), cut);
    let listed = ["A.b".to_owned(), "c.*".to_owned(), ".d".to_owned()];
    let once = match merge(users, new, base, &listed) {
        Ok(merged) => merged,
        Err(error) => {
            judge::assert_readable(&error);
            return false;
        }
    };
    let (mine, theirs, written) = (letters(users), letters(new), letters(&once));
    // Each line of the release's comes in once at most, and each of the user's gets one value at most.
    let longest = theirs.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap_or(0) + 1;
    let lines = mine.split(|byte| *byte == b'\n').count();
    let most = mine.len() + 4 * theirs.len() + lines * longest + 16;
    assert!(written.len() <= most, "{} of {} and {}", written.len(), mine.len(), theirs.len());
    assert!(has_all(&mine, &written), "{:?} in {:?}", String::from_utf8_lossy(&mine), String::from_utf8_lossy(&written));
    if once.len() <= LARGEST_BYTES {
        assert_eq!(merge(&once, new, base, &listed).expect("what was merged is an INI file"), once, "merging once more changes nothing");
    }
    assert_eq!(merge(users, new, Some(new), &[]).expect("it was merged before"), users, "nothing changed");
    true
}

/// What stands before the first [`BETWEEN`], and what behind it.
fn cut(data: &[u8]) -> (&[u8], Option<&[u8]>) {
    match data.windows(BETWEEN.len()).position(|bytes| bytes == BETWEEN.as_bytes()) {
        Some(at) => (&data[..at], Some(&data[at + BETWEEN.len()..])),
        None => (data, None),
    }
}

/// The letters of a file that is one: UTF-16 in UTF-8, and without a byte order mark.
fn letters(file: &[u8]) -> Vec<u8> {
    let unit: fn(&[u8]) -> u16 = match file {
        [0xFF, 0xFE, ..] => |pair| u16::from(pair[0]) | u16::from(pair[1]) << 8,
        [0xFE, 0xFF, ..] => |pair| u16::from(pair[1]) | u16::from(pair[0]) << 8,
        _ => return file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file).to_vec(),
    };
    let units: Vec<u16> = file[2..].chunks_exact(2).map(unit).collect();
    String::from_utf16(&units).expect("what was merged can be read").into_bytes()
}

/// Whether every comment, section and key of `users` stands in `merged`, in the same order, by the words before a value alone.
fn has_all(users: &[u8], merged: &[u8]) -> bool {
    fn words(file: &[u8]) -> impl Iterator<Item = &[u8]> {
        let lines = file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        lines.map(|line| match line.first() {
            Some(b';' | b'#' | b'[') => line,
            _ => line.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii(),
        })
    }
    let mut found = words(merged);
    words(users).all(|word| found.any(|other| other == word))
}
