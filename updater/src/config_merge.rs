//! Brings the publisher's changes of a config file into the copy that its user changed (D-04, AC-48): pure, from bytes to bytes.
//!
//! The user's file is the one that is edited: its order, comments, blank lines, line ends, byte order mark and encoding stay, and no line of it ever goes. What comes in:
//!
//! - A key that the publisher adds, after the key that it follows in the publisher's file, with the comment right above it; a new section at the end.
//! - The publisher's value, where the user never touched it since the last release, which can be told where that release's file is known; and always for keys that the publisher lists.
//!
//! Everything else is the user's: changed values, keys that he deleted (where the last release's file is known), keys that the publisher dropped. Of a key that stands there several times every line is
//! changed, so that it does not matter which of them a program reads. Merging the outcome once more changes nothing, and where nothing is to be done not one byte changes.

mod encoding;
mod ini;

use std::collections::{BTreeMap, HashMap};

use encoding::{Content, Encoding};
use ini::{Kind, Line};
use manifests::quote::quoted;

pub use ini::NotIni;

/// Largest file that is merged, in bytes: ten times the largest config file of a client seen, and small enough to keep a copy of each.
pub const LARGEST_BYTES: usize = 256 * 1024;

/// Why a file cannot be merged; the release's version is then written beside it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotMerge {
    /// Too large.
    #[error("{whose} file is larger than {LARGEST_BYTES} bytes")]
    TooLarge {
        /// Whose file.
        whose: Whose,
    },
    /// Not an INI file.
    #[error("{whose} file cannot be read as an INI file: {source}")]
    NotIni {
        /// Whose file.
        whose: Whose,
        /// Why not.
        source: NotIni,
    },
    /// What comes in holds letters that would be others in the user's file.
    #[error("the two files are in different encodings, and `{key}` holds letters beyond ASCII")]
    Encoding {
        /// The key.
        key: String,
    },
}

/// Whose file something is said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The one on the station.
    Users,
    /// The release's.
    Publishers,
}

impl std::fmt::Display for Whose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Whose::Users => "the user's",
            Whose::Publishers => "the release's",
        })
    }
}

/// The user's file with what `new`, the release's, brings. `base` is the file of the release that the user's was made from, where it is known. `listed` names keys whose value is the publisher's
/// alone: `Section.Key`, or `Section.*` for all of a section; `.Key` stands before the first section.
pub fn merge(users: &[u8], new: &[u8], base: Option<&[u8]>, listed: &[String]) -> Result<Vec<u8>, CannotMerge> {
    let users = content(users, Whose::Users)?;
    let new = content(new, Whose::Publishers)?;
    // Where the last release's file is not to be understood, it is as good as lost.
    let base = base.and_then(|base| content(base, Whose::Publishers).ok());
    let (users, new) = (File::read(&users, Whose::Users)?, File::read(&new, Whose::Publishers)?);
    let base = base.as_ref().and_then(|base| File::read(base, Whose::Publishers).ok());
    let is_same_encoding = users.has_encoding_of(&new);
    let mut merging = Merging { users: &users, new: &new, base: base.as_ref(), listed, is_same_encoding, edits: Edits::default() };
    merging.run()?;
    Ok(users.with(&merging.edits, &new))
}

fn content(file: &[u8], whose: Whose) -> Result<Content<'_>, CannotMerge> {
    if file.len() > LARGEST_BYTES {
        return Err(CannotMerge::TooLarge { whose });
    }
    Content::read(file).map_err(|source| CannotMerge::NotIni { whose, source })
}

/// Name of a section and of a key in it, without regard to case.
type Name = (Vec<u8>, Vec<u8>);

/// A file, and where each key stands in it.
struct File<'a> {
    encoding: Encoding,
    is_utf8: bool,
    is_ascii: bool,
    lines: Vec<Line<'a>>,
    /// The lines of each key, in order.
    keys: HashMap<Name, Vec<usize>>,
    /// The first line of each section.
    sections: HashMap<Vec<u8>, usize>,
}

impl<'a> File<'a> {
    fn read(content: &'a Content<'_>, whose: Whose) -> Result<File<'a>, CannotMerge> {
        let Content { encoding, bytes } = content;
        let lines = ini::lines(bytes).map_err(|source| CannotMerge::NotIni { whose, source })?;
        let (mut keys, mut sections): (HashMap<Name, Vec<usize>>, HashMap<Vec<u8>, usize>) = Default::default();
        let mut section = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            match line.kind {
                Kind::Section(name) => {
                    section = name.to_ascii_lowercase();
                    sections.entry(section.clone()).or_insert(at);
                }
                Kind::Entry(key, _) => keys.entry((section.clone(), key.to_ascii_lowercase())).or_default().push(at),
                Kind::Blank | Kind::Comment => {}
            }
        }
        let (is_utf8, is_ascii) = (std::str::from_utf8(bytes).is_ok(), bytes.is_ascii());
        Ok(File { encoding: *encoding, is_utf8, is_ascii, lines, keys, sections })
    }

    /// Whether letters beyond ASCII that come from `other` mean here what they mean there.
    fn has_encoding_of(&self, other: &File<'_>) -> bool {
        let is_marked = self.encoding.is_marked();
        // Without a mark, letters can be those of any code page; a file that has none yet takes what comes.
        is_marked == other.encoding.is_marked() && (self.is_utf8 == other.is_utf8 || (self.is_ascii && !is_marked))
    }

    fn values(&self, name: &Name) -> Vec<Option<&'a [u8]>> {
        let value = |at: &usize| match self.lines.get(*at)?.kind {
            Kind::Entry(_, value) => Some(value),
            _ => None,
        };
        self.keys.get(name).into_iter().flatten().filter_map(value).collect()
    }

    /// The first line of the comment that stands right above the line `at`.
    fn comment_above(&self, at: usize) -> usize {
        let above = self.lines.get(..at).unwrap_or_default();
        at - above.iter().rev().take_while(|line| line.kind == Kind::Comment).count()
    }

    fn line_end(&self) -> Option<&'a [u8]> {
        self.lines.first().map(|line| line.end).filter(|end| !end.is_empty())
    }

    /// This file with `edits`, whose lines end as this one's do, or as those of `other` where this one has none.
    fn with(&self, edits: &Edits<'_>, other: &File<'_>) -> Vec<u8> {
        let end = self.line_end().or_else(|| other.line_end()).unwrap_or(b"\n");
        let mut out = Out { bytes: Vec::new(), end };
        for (at, line) in self.lines.iter().enumerate() {
            out.add(edits.before.get(&at).into_iter().flatten());
            out.bytes.extend_from_slice(edits.replaced.get(&at).map_or(line.text, Vec::as_slice));
            out.bytes.extend_from_slice(line.end);
        }
        out.add(edits.before.get(&self.lines.len()).into_iter().flatten());
        for (_, lines) in &edits.sections {
            // An empty line sets a new section off.
            if !out.bytes.is_empty() && !out.ends_blank() {
                out.add([&&b""[..]]);
            }
            out.add(lines);
        }
        self.encoding.write(out.bytes)
    }
}

/// A file that is being written.
struct Out<'e> {
    bytes: Vec<u8>,
    /// How lines that come in end.
    end: &'e [u8],
}

impl Out<'_> {
    fn add<'l>(&mut self, lines: impl IntoIterator<Item = &'l &'l [u8]>) {
        for line in lines {
            // The last line of a file may have no end.
            if !self.bytes.is_empty() && !self.bytes.ends_with(b"\n") {
                self.bytes.extend_from_slice(self.end);
            }
            self.bytes.extend_from_slice(line);
            self.bytes.extend_from_slice(self.end);
        }
    }

    fn ends_blank(&self) -> bool {
        let mut lines = self.bytes.rsplit(|byte| *byte == b'\n');
        let (after, last) = (lines.next(), lines.next());
        [after, last].iter().all(|line| line.is_some_and(|line| line.trim_ascii().is_empty()))
    }
}

/// What changes in the user's file.
#[derive(Default)]
struct Edits<'a> {
    /// Lines with another text.
    replaced: HashMap<usize, Vec<u8>>,
    /// Lines that come before the line of that number.
    before: BTreeMap<usize, Vec<&'a [u8]>>,
    /// New sections, with their lines.
    sections: Vec<(Vec<u8>, Vec<&'a [u8]>)>,
}

/// What happens to the lines of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The user does not have it: it comes in.
    Add,
    /// It stays as the user has it.
    Stay,
    /// It gets the release's values.
    Take,
}

struct Merging<'f, 'a> {
    users: &'f File<'a>,
    new: &'f File<'a>,
    base: Option<&'f File<'a>>,
    listed: &'f [String],
    is_same_encoding: bool,
    edits: Edits<'a>,
}

impl<'a> Merging<'_, 'a> {
    fn run(&mut self) -> Result<(), CannotMerge> {
        let new = self.new;
        let (mut section, mut header) = (Vec::new(), None);
        // Before which of the user's lines the next key of a section comes.
        let mut cursors: HashMap<Vec<u8>, usize> = HashMap::new();
        // What happens to a key, how many of its lines have been seen, and where the last of them is.
        let mut known: HashMap<Name, (Fate, usize, usize)> = HashMap::new();
        for (at, line) in new.lines.iter().enumerate() {
            let Kind::Entry(key, value) = line.kind else {
                if let Kind::Section(name) = line.kind {
                    (section, header) = (name.to_ascii_lowercase(), Some(at));
                }
                continue;
            };
            let name = (section.clone(), key.to_ascii_lowercase());
            let (fate, nth, place) = known.get(&name).copied().unwrap_or_else(|| (self.fate(&name), 0, 0));
            let stands = self.users.keys.get(&name).map(Vec::as_slice).unwrap_or_default();
            let start = || self.users.sections.get(&section).map_or(0, |header| header + 1);
            let cursor = cursors.entry(section.clone()).or_insert_with(start);
            // What stands several times comes in the order in which it stands in the release's file, wherever its neighbours are.
            *cursor = stands.get(nth).map_or((*cursor).max(place), |users| users + 1);
            let (cursor, is_last) = (*cursor, new.keys.get(&name).is_some_and(|lines| lines.len() == nth + 1));
            known.insert(name, (fate, nth + 1, cursor.max(place)));
            match fate {
                Fate::Stay => {}
                Fate::Take if nth < stands.len() => {
                    // The user's further lines of this key get the last value, so that all programs read the same.
                    let until = if is_last { stands.len() } else { nth + 1 };
                    for users in stands.get(nth..until).unwrap_or_default() {
                        self.set(*users, key, value)?;
                    }
                }
                Fate::Add | Fate::Take => self.add(&section, header, at, key, cursor)?,
            }
        }
        Ok(())
    }

    fn fate(&self, name: &Name) -> Fate {
        let (users, new) = (self.users.values(name), self.new.values(name));
        let before = self.base.map(|base| base.values(name)).unwrap_or_default();
        let is_listed = self.is_listed(name);
        match users.is_empty() {
            // What the last release had and the user has not, he deleted.
            true if is_listed || before.is_empty() => Fate::Add,
            true => Fate::Stay,
            false if users != new && (is_listed || users == before) => Fate::Take,
            false => Fate::Stay,
        }
    }

    fn is_listed(&self, (section, key): &Name) -> bool {
        let whole = [section, &b"."[..], key].concat();
        self.listed.iter().any(|listed| {
            let listed = listed.trim().to_ascii_lowercase().into_bytes();
            listed == whole || listed.strip_suffix(b".*").is_some_and(|listed| listed == section)
        })
    }

    /// Gives the user's line another value.
    fn set(&mut self, users: usize, key: &[u8], value: Option<&[u8]>) -> Result<(), CannotMerge> {
        let Some(line) = self.users.lines.get(users) else { return Ok(()) };
        if matches!(line.kind, Kind::Entry(_, has) if has == value) {
            return Ok(());
        }
        self.check_letters(key, value.unwrap_or_default())?;
        self.edits.replaced.insert(users, line.with_value(value));
        Ok(())
    }

    /// Brings in the line `at` of the release's file, with the comment above it, before the user's line `cursor` or into a new section.
    fn add(&mut self, section: &[u8], header: Option<usize>, at: usize, key: &[u8], cursor: usize) -> Result<(), CannotMerge> {
        let new = self.new;
        let text = |lines: std::ops::Range<usize>| new.lines.get(lines).unwrap_or_default().iter().map(|line| line.text);
        let is_readable = |text: &&[u8]| self.is_same_encoding || text.is_ascii();
        let line: Vec<&[u8]> = text(new.comment_above(at)..at).filter(is_readable).chain(text(at..at + 1)).collect();
        line.last().map_or(Ok(()), |line| self.check_letters(key, line))?;
        let Some(header) = header.filter(|_| !self.users.sections.contains_key(section)) else {
            self.edits.before.entry(cursor).or_default().extend(line);
            return Ok(());
        };
        if !self.edits.sections.iter().any(|(known, _)| known == section) {
            let above: Vec<&[u8]> = text(new.comment_above(header)..header).filter(is_readable).chain(text(header..header + 1)).collect();
            above.last().map_or(Ok(()), |line| self.check_letters(key, line))?;
            self.edits.sections.push((section.to_vec(), above));
        }
        if let Some((_, lines)) = self.edits.sections.iter_mut().find(|(known, _)| known == section) {
            lines.extend(line);
        }
        Ok(())
    }

    /// Refuses letters that would be others in the user's file, and a byte order mark within a file, which may come to stand where one says what all letters are.
    fn check_letters(&self, key: &[u8], text: &[u8]) -> Result<(), CannotMerge> {
        let is_readable = self.is_same_encoding || (text.is_ascii() && key.is_ascii());
        if is_readable && !encoding::has_mark(key) {
            Ok(())
        } else {
            Err(CannotMerge::Encoding { key: quoted(&String::from_utf8_lossy(key), 80).to_string() })
        }
    }
}

#[cfg(test)]
mod tests;
