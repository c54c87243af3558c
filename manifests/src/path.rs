//! Relative paths of files in a release, under one rule set on every OS (`docs/format.md` section 1, attacks D1–D8).
//!
//! A [`RelPath`] is parsed once, at publishing and again at the station, and can then be joined to a folder without leaving it, without naming a device, a
//! stream, an alias or our own state. It deliberately does not implement `AsRef<Path>`: only the module that owns the file system joins it.

use std::fmt;
use std::str::FromStr;

use crate::name::serde_as_text;
use crate::quote::quoted;
use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Name of the updater's own folder inside an install.
pub const STATE_FOLDER: &str = ".updater";
/// What the names of backup folders begin with (S3-21).
pub const BACKUP_PREFIX: &str = "bkp_remote.";

/// Longest path, in bytes of UTF-8.
pub const MAX_BYTES: usize = 2048;
/// Most components of a path.
pub const MAX_COMPONENTS: usize = 64;
/// Longest component, in bytes of UTF-8 and in UTF-16 units.
pub const MAX_COMPONENT: usize = 255;

/// A safe path relative to an install folder, `/`-separated. Ordered by bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(String);
serde_as_text!(RelPath);

/// Why a text is not a [`RelPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unsafe path `{path}`: {fault}")]
pub struct InvalidPath {
    /// The text, as it can be shown.
    pub path: String,
    /// The rule it breaks.
    pub fault: PathFault,
}

/// The rules of paths, as what breaks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathFault {
    /// More than [`MAX_BYTES`] in all, [`MAX_COMPONENTS`] components or [`MAX_COMPONENT`] in one.
    #[error("too long or too deep")]
    TooLong,
    /// Empty path, absolute path, or an empty component.
    #[error("empty or absolute, or it has an empty component")]
    Empty,
    /// A `.` or `..` component.
    #[error("`.` and `..` are not allowed")]
    Dots,
    /// A character that some OS does not allow, or that hides what a name is.
    #[error("character U+{0:04X} is not allowed")]
    Character(u32),
    /// A component ends in `.` or a space, or begins with a space: Windows would change the name.
    #[error("a name may not end in a dot or space, nor begin with a space")]
    Trimmed,
    /// `con`, `nul.txt`, `com1` and the like.
    #[error("Windows device names are not allowed")]
    DeviceName,
    /// `progra~1`: could be the short name of another file.
    #[error("8.3 short names are not allowed")]
    ShortName,
    /// Inside `.updater` or `bkp_remote.*`.
    #[error("reserved for the updater's own state and backups")]
    Reserved,
}

impl RelPath {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components, never empty.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The folders that lead to this path, outermost first; none for a path of one component.
    pub fn parents(&self) -> impl Iterator<Item = RelPath> + '_ {
        self.0.match_indices('/').filter_map(|(at, _)| self.0.get(..at)).map(|parent| RelPath(parent.to_owned()))
    }

    /// The last component.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// This path with `suffix` appended to its last component, when that is still a safe path.
    pub fn with_suffix(&self, suffix: &str) -> Result<RelPath, InvalidPath> {
        format!("{}{suffix}", self.0).parse()
    }

    /// The form in which two paths that one file system takes for the same are equal (attack D4).
    pub fn folded(&self) -> String {
        fold(&self.0)
    }

    /// Where a symbolic link at this path leads, by text alone: `None` when `target` is absolute, leaves the folder, or resolves to no safe path.
    pub fn resolve_link(&self, target: &str) -> Option<RelPath> {
        let mut stack: Vec<&str> = self.components().collect();
        stack.pop();
        for component in target.split('/') {
            match component {
                "" => return None,
                "." => {}
                ".." => {
                    stack.pop()?;
                }
                name => stack.push(name),
            }
        }
        stack.join("/").parse().ok()
    }
}

impl FromStr for RelPath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        match fault(text) {
            None => Ok(RelPath(text.to_owned())),
            Some(fault) => Err(InvalidPath { path: quoted(text, 200).to_string(), fault }),
        }
    }
}

/// The first rule that `text` breaks, if any.
fn fault(text: &str) -> Option<PathFault> {
    if text.len() > MAX_BYTES || text.split('/').count() > MAX_COMPONENTS {
        return Some(PathFault::TooLong);
    }
    if let Some(found) = text.split('/').find_map(component_fault) {
        return Some(found);
    }
    is_reserved(text.split('/').next().unwrap_or_default()).then_some(PathFault::Reserved)
}

/// Whether a first component is, on some file system, our state or a backup.
fn is_reserved(first: &str) -> bool {
    if first.is_ascii() {
        // What folding does to ASCII, without the copy: this is run for every path of every manifest.
        let prefix = first.as_bytes().get(..BACKUP_PREFIX.len());
        return first.eq_ignore_ascii_case(STATE_FOLDER)
            || prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(BACKUP_PREFIX.as_bytes()));
    }
    let first = fold(first);
    first == STATE_FOLDER || first.starts_with(BACKUP_PREFIX)
}

fn component_fault(name: &str) -> Option<PathFault> {
    if name.is_empty() {
        return Some(PathFault::Empty);
    }
    if name == "." || name == ".." {
        return Some(PathFault::Dots);
    }
    // No text has more UTF-16 units than bytes.
    if name.len() > MAX_COMPONENT {
        return Some(PathFault::TooLong);
    }
    if let Some(bad) = name.chars().find(|c| !is_allowed(*c)) {
        return Some(PathFault::Character(bad as u32));
    }
    if name.ends_with(['.', ' ']) || name.starts_with(' ') {
        return Some(PathFault::Trimmed);
    }
    if is_device_name(name) {
        return Some(PathFault::DeviceName);
    }
    is_short_name(name).then_some(PathFault::ShortName)
}

fn is_allowed(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control() && !matches!(c, '\\' | '<' | '>' | ':' | '"' | '|' | '?' | '*');
    }
    // Default-ignorable: zero-width, bidirectional, variation selectors. HFS+ drops some of them, so `.upd<U+206A>ater` would be our own folder.
    let hidden = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c);
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    let no_text = matches!(category, GeneralCategory::Control | GeneralCategory::PrivateUse | GeneralCategory::Unassigned);
    !hidden && !no_text && c != '\u{FFFD}'
}

/// Whether Windows takes `name` for a device, whatever extension it has.
pub(crate) fn is_device_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ');
    if stem.is_ascii() && !(3..=7).contains(&stem.len()) {
        return false;
    }
    let stem = stem.to_lowercase();
    match stem.as_str() {
        "con" | "prn" | "aux" | "nul" | "conin$" | "conout$" | "clock$" => true,
        _ => {
            let digit = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
            digit.is_some_and(|rest| {
                let mut chars = rest.chars();
                matches!((chars.next(), chars.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
            })
        }
    }
}

/// Whether `name` has the shape of a short name that Windows makes up: a stem of at most eight ending in `~` and digits (attack D6).
fn is_short_name(name: &str) -> bool {
    if !name.contains('~') {
        return false;
    }
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let Some((base, digits)) = stem.rsplit_once('~') else { return false };
    let short = stem.chars().count() <= 8 && extension.chars().count() <= 3 && !base.is_empty();
    short && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// NFKC, full case folding, NFKC again, all forms of the letter i made one, and NFKC a last time for the marks that stood on them.
fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    let composed = nfkc.normalize(text);
    let folded = CaseMapper::new().fold_string(&composed).into_owned();
    let mut one_i = String::with_capacity(folded.len());
    for character in nfkc.normalize(&folded).chars() {
        match character {
            'ı' => one_i.push('i'),
            '\u{307}' if one_i.ends_with('i') => {}
            other => one_i.push(other),
        }
    }
    nfkc.normalize(&one_i).into_owned()
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PathFault::*;

    fn fault_of(text: &str) -> Option<PathFault> {
        text.parse::<RelPath>().err().map(|error| error.fault)
    }

    #[test]
    fn ordinary_paths_pass() {
        for text in [
            "a",
            "bin/client.dll",
            "Перевод/файл 1.txt",
            "中文/文件",
            "a.b/.c",
            "x~",
            "long name ~1 here.txt",
            "console/common",
            "é/e\u{301}x",
            "smartclient.app/Contents/MacOS/x",
        ] {
            assert_eq!(fault_of(text), None, "{text}");
        }
    }

    #[test]
    fn d1_traversal_absolute_drive_and_unc_paths_are_refused() {
        for text in ["../x", "a/../../x", "a/..", "..", "."] {
            assert_eq!(fault_of(text), Some(Dots), "{text}");
        }
        for text in ["", "/etc/x", "//srv/x", "a//b", "a/"] {
            assert_eq!(fault_of(text), Some(Empty), "{text}");
        }
        for text in ["..\\x", "C:\\x", "C:x", "\\\\srv\\share\\x", "\\\\?\\C:\\x", "C:/x"] {
            assert!(matches!(fault_of(text), Some(Character(_))), "{text}");
        }
    }

    #[test]
    fn d2_alternate_data_streams_are_refused() {
        for text in ["a.txt:evil", "a.txt::$DATA", "x/a:b"] {
            assert_eq!(fault_of(text), Some(Character(':' as u32)), "{text}");
        }
    }

    #[test]
    fn d3_device_names_trimmed_names_and_wildcards_are_refused() {
        for text in ["CON", "nul.txt", "COM1.dll", "com¹", "CONIN$", "a/aux", "lpt9.a.b", "con .txt", "Clock$"] {
            assert_eq!(fault_of(text), Some(DeviceName), "{text}");
        }
        for text in ["a.", "a ", " a", "dir./x", "..."] {
            assert_eq!(fault_of(text), Some(Trimmed), "{text}");
        }
        for text in ["a<b", "a>b", "a\"b", "a|b", "a?", "*", "a\u{0}b", "a\nb", "a\u{7f}", "a\u{85}"] {
            assert!(matches!(fault_of(text), Some(Character(_))), "{text:?}");
        }
    }

    #[test]
    fn d4_names_that_hide_what_they_are_are_refused() {
        for text in ["a\u{202e}gpj.exe", "a\u{200d}b", "a\u{200b}", "\u{feff}a", "a\u{ffff}"] {
            assert!(matches!(fault_of(text), Some(Character(_))), "{text:?}");
        }
    }

    #[test]
    fn d4_names_that_some_file_system_takes_for_one_fold_alike() {
        for (a, b) in [
            ("A.dll", "a.dll"),
            ("é", "e\u{301}"),
            ("İx", "ix"),
            ("ı", "I"),
            ("straße", "STRASSE"),
            ("ẞ", "ß"),
            ("ａ", "a"),
            ("ﬁ", "FI"),
            ("Σ", "ς"),
            ("K", "k"),
            ("İ\u{301}", "Í"),
            ("ı\u{301}", "í"),
            ("İ\u{307}", "ı\u{307}"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
        assert_ne!(fold("a"), fold("b"));
    }

    #[test]
    fn d6_short_name_aliases_are_refused() {
        for text in ["PROGRA~1", "UPDATE~1", "bkp_re~1.001", "a/x~12.exe"] {
            assert_eq!(fault_of(text), Some(ShortName), "{text}");
        }
    }

    #[test]
    fn d7_paths_over_the_limits_are_refused() {
        for text in ["x".repeat(40_000), "x".repeat(300), "é".repeat(128), "a/".repeat(2000) + "a", vec!["a"; 65].join("/")] {
            assert_eq!(fault_of(&text), Some(TooLong), "{} bytes", text.len());
        }
        assert_eq!(fault_of(&vec!["a"; 64].join("/")), None);
        assert_eq!(fault_of(&"x".repeat(255)), None);
    }

    #[test]
    fn d8_the_updaters_own_folder_and_backups_are_refused_in_any_spelling() {
        for text in [".updater", ".UPDATER/journal", "bkp_remote.001", "BKP_Remote.x/y", ".ｕpdater/x"] {
            assert_eq!(fault_of(text), Some(Reserved), "{text}");
        }
        assert_eq!(fault_of("x/.updater"), None);
    }

    #[test]
    fn links_resolve_inside_the_folder_or_not_at_all() {
        let at = |path: &str, target: &str| path.parse::<RelPath>().unwrap().resolve_link(target).map(|p| p.to_string());
        assert_eq!(at("a/b/c", "../x"), Some("a/x".into()));
        assert_eq!(at("a/b", "./c/d"), Some("a/c/d".into()));
        for target in ["../../x", "/etc/passwd", "..", "", "a//b", "C:\\x", "../.updater/x"] {
            assert_eq!(at("a/b", target), None, "{target}");
        }
    }
}
