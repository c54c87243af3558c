//! Config files that are merged: whatever a user and a publisher wrote, nothing of the user's is lost.

use updater::config_merge::{LARGEST_BYTES, merge};

use crate::judge;

/// Merges three files, which stand one after the other with a zero byte between: the user's, the release's and that of the release before.
pub fn ini(data: &[u8]) -> bool {
    let mut files = data.splitn(3, |byte| *byte == 0);
    let (users, new, base) = (files.next().unwrap_or_default(), files.next().unwrap_or_default(), files.next());
    let listed = ["A.b".to_owned(), "c.*".to_owned(), ".d".to_owned()];
    let once = match merge(users, new, base, &listed) {
        Ok(merged) => merged,
        Err(error) => {
            judge::assert_readable(&error);
            return false;
        }
    };
    // Each line of the release's comes in once at most, and each of the user's gets one value at most.
    let longest = new.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap_or(0) + 1;
    let lines = users.split(|byte| *byte == b'\n').count();
    assert!(once.len() <= users.len() + 4 * new.len() + lines * longest + 16, "{} of {} and {}", once.len(), users.len(), new.len());
    assert!(has_all(users, &once), "{:?} in {:?}", String::from_utf8_lossy(users), String::from_utf8_lossy(&once));
    if once.len() <= LARGEST_BYTES {
        assert_eq!(merge(&once, new, base, &listed).expect("what was merged is an INI file"), once, "merging once more changes nothing");
    }
    assert_eq!(merge(users, new, Some(new), &[]).expect("it was merged before"), users, "nothing changed");
    true
}

/// Whether every comment, section and key of `users` stands in `merged`, in the same order, by the words before a value alone.
fn has_all(users: &[u8], merged: &[u8]) -> bool {
    fn words(file: &[u8]) -> impl Iterator<Item = &[u8]> {
        let file = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file);
        let lines = file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        lines.map(|line| match line.first() {
            Some(b';' | b'#' | b'[') => line,
            _ => line.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii(),
        })
    }
    let mut found = words(merged);
    words(users).all(|word| found.any(|other| other == word))
}
