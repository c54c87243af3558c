//! What stands behind the name of a secret: `password = X`, `--token X`, `senha: X`, `"api_key": "X"`.
//!
//! In words that people wrote nobody can say where a value ends, so behind a name that means a secret all goes that stands behind the next sign, and the next word in any case. Behind names that have
//! other meanings, and behind options of a command, it is one word.

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

/// `line` without them.
pub(super) fn removed(line: &str) -> String {
    let lowered = lower(line);
    let (body, end) = line.split_at(line.trim_end_matches(['\r', '\n']).len());
    // Behind `until` nothing stays.
    let (mut clean, mut at, mut until) = (String::new(), 0, body.len());
    while let Some((name_end, name)) = next_name(&lowered[..until], at) {
        clean += &body[at..name_end];
        let rest = &body[name_end..until];
        let sign = sign_behind(rest, name);
        if name == Name::Secret && !is_in_a_path(rest) {
            // The password of a user: X.
            until = rest.find(SIGNS).map_or(until, |sign| name_end + end_of_letter(rest, sign));
        }
        let value = match (name, sign) {
            (Name::Option | Name::Maybe, Some(sign)) => Some(sign),
            (Name::Option | Name::Secret, None) if rest.starts_with(char::is_whitespace) => Some(0),
            _ => None,
        };
        at = name_end + value.map_or(0, |sign| blank_word(&mut clean, &body[name_end..until], sign));
    }
    let rest = if until < body.len() { format!(" {BLANK}") } else { String::new() };
    format!("{clean}{}{rest}{end}", &body[at..until])
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

/// The name is that of a folder.
fn is_in_a_path(rest: &str) -> bool {
    rest.starts_with('/') || (rest.starts_with('\\') && !rest.starts_with("\\\""))
}

fn end_of_letter(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(0, char::len_utf8)
}

/// Blanks the word behind `rest[..sign]` and white space, with its quotation marks; says how many bytes it went over.
fn blank_word(clean: &mut String, rest: &str, sign: usize) -> usize {
    let word = rest[sign..].trim_start();
    let begin = rest.len() - word.len();
    // What is in quotation marks may have white space in it, and one that was torn ends nowhere.
    let quoted = match word.chars().next().filter(|quote| "\"'`".contains(*quote)) {
        Some(quote) => word[1..].find(quote).map_or(word.len(), |at| at + 2),
        None => 0,
    };
    let length = word[quoted..].find(char::is_whitespace).map_or(word.len(), |at| quoted + at);
    *clean += &rest[..begin];
    *clean += if length == 0 { "" } else { BLANK };
    begin + length
}

/// Where the next name ends, from `from` on, and what it means.
fn next_name(lowered: &str, from: usize) -> Option<(usize, Name)> {
    let mut at = from;
    while let Some(begin) = lowered[at..].find(is_part).map(|found| at + found) {
        let end = lowered[begin..].find(|c| !is_part(c)).map_or(lowered.len(), |found| begin + found);
        // What is before it may be a part of it: `api key`, ` /p`.
        let with = |before: &str, name: &str| lowered[from..begin].ends_with(before) && &lowered[begin..end] == name;
        let found = if with("api ", "key") {
            Some(Name::Secret)
        } else if with("/", "p") && !lowered[from..begin - 1].ends_with(is_part) {
            Some(Name::Maybe)
        } else {
            meaning(&lowered[begin..end])
        };
        if let Some(name) = found {
            return Some((end, name));
        }
        at = end;
    }
    None
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
