//! What stands behind the name of a secret: `password = X`, `--token X`, `senha: X`, `"api_key": "X"`.
//!
//! In words that people wrote nobody can say where a value ends, so behind a name that means a secret all goes that stands behind the next sign, and the next word in any case. Behind names that have
//! other meanings, and behind options of a command, it is one word.

use std::ops::Range;

use super::BLANK;

/// In a name that means a secret, in the languages of whoever is supported here.
const PARTS: [&str; 21] = [
    "passw",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "api key",
    "authorization",
    "credential",
    "cookie",
    "senha",
    "contraseñ",
    "contrasen",
    "парол",
    "секрет",
    "密码",
    "密碼",
    "口令",
    "密钥",
];
/// Words that are a secret's name where a value stands right behind them, and mean something else elsewhere.
const WORDS: [&str; 10] = ["pin", "pw", "pass", "auth", "key", "chave", "clave", "session", "sessionid", "jsessionid"];

/// What a name may mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    /// A secret.
    Secret,
    /// A secret or something else.
    Maybe,
    /// An option of a command, which has one value.
    Option,
}

/// Whether `name`, a whole one, has a secret for its value.
pub(super) fn is_secret(name: &str) -> bool {
    meaning(&lower(name)).is_some()
}

/// Whether the word behind `word`, a whole one, is a secret.
pub(super) fn is_secret_option(word: &str) -> bool {
    meaning(&lower(word)) == Some(Name::Option) && word.chars().all(is_part)
}

/// `line` without them. What stands in a value may be a name itself: what is behind that goes, too.
pub(super) fn removed(line: &str) -> String {
    let lowered = lower(line);
    let body = line.trim_end_matches(['\r', '\n']);
    let (mut gone, mut is_all_gone) = (vec![], false);
    for run in runs(&lowered[..body.len()]) {
        let Some(name) = name_at(&lowered, &run) else { continue };
        let rest = &body[run.end..];
        let value = match (name, sign_behind(rest, name)) {
            (Name::Option | Name::Maybe, Some(sign)) => Some(sign),
            (Name::Option | Name::Secret, None) if rest.starts_with(char::is_whitespace) => Some(0),
            _ => None,
        };
        gone.extend(value.map(|sign| word_behind(body, run.end + sign)));
        // The password of a user: X. The first such sign is that of all names before it.
        if name == Name::Secret && !is_in_a_path(&body[..run.start], rest) && !std::mem::replace(&mut is_all_gone, true) {
            gone.extend(rest.find(SIGNS).map(|sign| begin_of_word(body, run.end + end_of_letter(rest, sign))..body.len()));
        }
    }
    blanked(line, gone)
}

/// `line` with one [`BLANK`] for all that lies in `gone` without a gap.
fn blanked(line: &str, mut gone: Vec<Range<usize>>) -> String {
    gone.sort_by_key(|range| range.start);
    let (mut clean, mut at) = (String::new(), 0);
    for range in gone.into_iter().filter(|range| !range.is_empty()) {
        if range.start > at || clean.is_empty() {
            clean += &line[at..range.start];
            clean += BLANK;
        }
        at = at.max(range.end);
    }
    clean + &line[at..]
}

/// Between a name and its value.
const SIGNS: [char; 4] = ['=', ':', '：', '＝'];

/// Where the sign ends that stands right behind a name, which may be in quotation marks. Words of a command may be a list of texts.
fn sign_behind(rest: &str, name: Name) -> Option<usize> {
    let unquoted = rest.trim_start_matches(['"', '\'', '`', '\\']);
    let is_listed = name == Name::Option && unquoted.len() < rest.len() && unquoted.starts_with(',');
    let sign = rest.len() - unquoted.trim_start().len();
    (is_listed || rest[sign..].starts_with(SIGNS)).then(|| end_of_letter(rest, sign))
}

/// The name is that of a folder, or of a file in one: `before` and `rest` stand around it. Our messages have paths in backticks; without these one begins at the top. `user/password: X` is none.
fn is_in_a_path(before: &str, rest: &str) -> bool {
    let is_folder = rest.starts_with('/') || (rest.starts_with('\\') && !rest.starts_with("\\\""));
    let begin = before.rfind(|c: char| c.is_whitespace() || "\"'`(=".contains(c)).map_or(0, |at| end_of_letter(before, at));
    let (quote, path) = before.split_at(begin);
    let is_whole =
        quote.ends_with('`') || path.get(1..).is_some_and(|path| path.starts_with(":\\")) || (path.starts_with('/') && path.len() > 1);
    is_folder || (is_whole && path.ends_with(['/', '\\']))
}

fn end_of_letter(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(0, char::len_utf8)
}

fn begin_of_word(body: &str, at: usize) -> usize {
    body.len() - body[at..].trim_start().len()
}

/// The word behind `body[..at]` and white space, with its quotation marks.
fn word_behind(body: &str, at: usize) -> Range<usize> {
    let begin = begin_of_word(body, at);
    let word = &body[begin..];
    // What is in quotation marks may have white space in it, and one that was torn ends nowhere.
    let quoted = match word.chars().next().filter(|quote| "\"'`".contains(*quote)) {
        Some(quote) => word[1..].find(quote).map_or(word.len(), |at| at + 2),
        None => 0,
    };
    begin..word[quoted..].find(char::is_whitespace).map_or(body.len(), |end| begin + quoted + end)
}

/// Where there are letters of which names are made.
fn runs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = at + text[at..].find(is_part)?;
        at = text[begin..].find(|c| !is_part(c)).map_or(text.len(), |end| begin + end);
        Some(begin..at)
    })
}

/// What the name means that is at `run`; what is before it may be a part of it.
fn name_at(lowered: &str, run: &Range<usize>) -> Option<Name> {
    let (before, word) = (&lowered[..run.start], &lowered[run.clone()]);
    match word {
        "key" if before.ends_with("api ") => Some(Name::Secret),
        "p" if before.strip_suffix('/').is_some_and(|before| !before.ends_with(is_part)) => Some(Name::Maybe),
        word => meaning(word),
    }
}

/// What the name `word` means, in lower case.
fn meaning(word: &str) -> Option<Name> {
    let is_secret = PARTS.iter().any(|part| word.contains(part));
    let last = word.rsplit(['-', '_', '.']).next().unwrap_or(word);
    let may_be = WORDS.contains(&last);
    match word.starts_with('-') && (is_secret || may_be) {
        true => Some(Name::Option),
        false if is_secret => Some(Name::Secret),
        false => may_be.then_some(Name::Maybe),
    }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || "-_.".contains(c)
}

/// `text` in lower case, with every letter at its place.
fn lower(text: &str) -> String {
    let small = |c: char| Some(c).map(|c| c.to_lowercase()).filter(|low| low.len() == 1).and_then(|mut low| low.next());
    text.chars().map(|c| small(c).filter(|low| low.len_utf8() == c.len_utf8()).unwrap_or(c)).collect()
}
