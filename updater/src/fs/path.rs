//! [`LocalPath`]: any path below an install folder, of whatever names the file system allows.
//!
//! A [`RelPath`] is what a release may name; the user's own files, backups and our state have names that no release may have. A `LocalPath` cannot leave the folder either: it has no empty,
//! `.` or `..` component. In documents it is written escaped (`docs/format.md` section 11).

use std::fmt;

use manifests::path::{BACKUP_PREFIX, RelPath, STATE_FOLDER};

/// A path below an install folder, `/`-separated; empty for the folder itself. Ordered by bytes.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalPath(Vec<u8>);

/// The text is no path below a folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path below the folder")]
pub struct InvalidLocalPath(String);

impl LocalPath {
    /// The folder itself.
    pub const fn root() -> LocalPath {
        LocalPath(Vec::new())
    }

    /// `.updater`, the folder of our state.
    pub fn state_folder() -> LocalPath {
        LocalPath(STATE_FOLDER.into())
    }

    /// `.updater/NAME`. `name` is ours: one or more plain components.
    pub fn state(name: &str) -> LocalPath {
        LocalPath([STATE_FOLDER.as_bytes(), b"/", name.as_bytes()].concat())
    }

    /// A path from raw bytes, as a file system gives them.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<LocalPath, InvalidLocalPath> {
        let bad = |name: &[u8]| matches!(name, b"" | b"." | b"..");
        if bytes.split(|byte| *byte == b'/').any(bad) || bytes.contains(&0) {
            return Err(InvalidLocalPath(escape(&bytes[..bytes.len().min(200)])));
        }
        Ok(LocalPath(bytes))
    }

    /// Reads the escaped form.
    pub fn from_escaped(text: &str) -> Result<LocalPath, InvalidLocalPath> {
        unescape(text).ok_or_else(|| InvalidLocalPath(text.escape_debug().take(200).collect())).and_then(LocalPath::from_bytes)
    }

    /// The escaped form: one line without tabs, the same on every OS.
    pub fn to_escaped(&self) -> String {
        escape(&self.0)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the folder itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// This path and `name` below it: one component, or several of ours.
    pub fn join(&self, name: impl AsRef<[u8]>) -> LocalPath {
        let name = name.as_ref();
        let mut joined = Vec::with_capacity(self.0.len() + 1 + name.len());
        joined.extend_from_slice(&self.0);
        if !joined.is_empty() && !name.is_empty() {
            joined.push(b'/');
        }
        joined.extend_from_slice(name);
        LocalPath(joined)
    }

    /// The same path below `folder`.
    pub fn below(&self, folder: &LocalPath) -> LocalPath {
        folder.join(&self.0)
    }

    /// The same path as it is seen from `folder`, which it is below.
    pub fn within(&self, folder: &LocalPath) -> Option<LocalPath> {
        if folder.is_root() {
            return Some(self.clone());
        }
        Some(LocalPath(self.0.strip_prefix(&folder.0[..])?.strip_prefix(b"/")?.to_vec()))
    }

    /// The components, outermost first; none for the folder itself.
    pub fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/').filter(|name| !name.is_empty())
    }

    /// The folder that holds this path, and its name there; `None` for the folder itself.
    pub fn split(&self) -> Option<(LocalPath, &[u8])> {
        let cut = self.0.iter().rposition(|byte| *byte == b'/');
        match cut {
            Some(at) => Some((LocalPath(self.0[..at].to_vec()), &self.0[at + 1..])),
            None => (!self.0.is_empty()).then_some((LocalPath::root(), &self.0[..])),
        }
    }

    /// The folder that holds this path; the folder itself for that.
    pub fn parent(&self) -> LocalPath {
        self.split().map_or_else(LocalPath::root, |(parent, _)| parent)
    }

    /// The last component; empty for the folder itself.
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// As a path that a release may name, when it is one.
    pub fn as_rel_path(&self) -> Option<RelPath> {
        std::str::from_utf8(&self.0).ok()?.parse().ok()
    }

    /// Whether a name directly in the install folder belongs to us: `.updater`, `bkp_remote.*`, in any case.
    pub fn is_reserved_name(name: &[u8]) -> bool {
        let lower = name.to_ascii_lowercase();
        lower == STATE_FOLDER.as_bytes() || lower.starts_with(BACKUP_PREFIX.as_bytes())
    }
}

impl From<&RelPath> for LocalPath {
    fn from(path: &RelPath) -> LocalPath {
        LocalPath(path.as_str().into())
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { "" })?;
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_escaped(), f)
    }
}

/// Escapes `bytes` for a line of text: `%`, bytes up to 0x20, 0x7F and bytes that are not UTF-8 become `%XX`.
pub fn escape(bytes: &[u8]) -> String {
    if let Ok(plain) = std::str::from_utf8(bytes)
        && !bytes.iter().any(|byte| is_escaped(*byte))
    {
        return plain.to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(at) = rest.bytes().position(is_escaped) {
            text.push_str(&rest[..at]);
            push_escaped(&mut text, rest.as_bytes()[at]);
            rest = &rest[at + 1..];
        }
        text.push_str(rest);
        chunk.invalid().iter().for_each(|byte| push_escaped(&mut text, *byte));
    }
    text
}

fn is_escaped(byte: u8) -> bool {
    byte == b'%' || byte <= 0x20 || byte == 0x7F
}

fn push_escaped(text: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(HEX[usize::from(byte >> 4)].into());
    text.push(HEX[usize::from(byte & 15)].into());
}

/// Undoes [`escape`]; `None` for text that it never makes.
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    if !text.bytes().any(is_escaped) {
        return Some(text.as_bytes().to_vec());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let mut is_plain = true;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let (pair, after) = rest.split_at_checked(2)?;
            rest = after;
            let byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
            is_plain &= is_escaped(byte);
            bytes.push(byte);
        } else if is_escaped(*first) {
            return None;
        } else {
            bytes.push(*first);
        }
    }
    // Whether any other byte had to be escaped depends on its neighbours.
    (is_plain || escape(&bytes) == text).then_some(bytes)
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_survive_escaping_as_one_line(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let text = escape(&bytes);
            prop_assert!(!text.contains(['\t', '\n', '\r', ' ']));
            prop_assert_eq!(unescape(&text), Some(bytes));
        }

        #[test]
        fn text_has_one_meaning_or_none(text in "[a%0-9A-Fa-f \t\u{e9}]{0,12}") {
            if let Some(bytes) = unescape(&text) {
                prop_assert_eq!(escape(&bytes), text);
            }
        }
    }

    #[test]
    fn a_path_that_leaves_the_folder_is_none() {
        for bytes in [&b""[..], b"..", b"a/../b", b"/a", b"a//b", b"a/", b"a/.", b"a\0b"] {
            assert!(LocalPath::from_bytes(bytes.to_vec()).is_err(), "{bytes:?}");
        }
        assert!(LocalPath::from_escaped("a%2Fb%zz").is_err());
        assert!(LocalPath::from_escaped("a/%2E%2E/b").is_err());
    }

    #[test]
    fn parts_of_a_path() {
        let path = LocalPath::from_bytes(b"a/b/c".to_vec()).unwrap();
        assert_eq!(path.split().unwrap().1, b"c");
        assert_eq!(path.parent().parent().to_escaped(), "a");
        assert_eq!(path.parent().parent().parent(), LocalPath::root());
        assert_eq!(path.below(&LocalPath::state("backup")).to_escaped(), ".updater/backup/a/b/c");
    }

    #[test]
    fn our_own_names_are_reserved_in_any_case() {
        for name in [".updater", ".UPDATER", "bkp_remote.001", "BKP_Remote.x"] {
            assert!(LocalPath::is_reserved_name(name.as_bytes()));
        }
        assert!(!LocalPath::is_reserved_name(b"bkp_remote"));
    }
}
