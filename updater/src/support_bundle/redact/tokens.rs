//! Tokens that are known by what stands before them or by their shape, whatever they are called.

use super::BLANK;

/// What stands before a token in a header.
const SCHEMES: [&str; 2] = ["bearer ", "basic "];
/// How tokens of well-known services begin.
const BEGINNINGS: [&str; 12] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xoxa-", "xoxb-", "xoxp-", "AKIA", "ASIA"];
/// Shorter words with such a beginning are words.
const SHORTEST_BYTES: usize = 16;

/// `line` without them.
pub(super) fn removed(line: &str) -> String {
    without_shapes(&SCHEMES.iter().fold(line.to_owned(), |line, scheme| without_what_follows(scheme, &line)))
}

fn without_what_follows(scheme: &str, line: &str) -> String {
    let (mut clean, mut rest) = (String::new(), line);
    while let Some(at) = rest.to_ascii_lowercase().find(scheme) {
        let (before, token) = rest.split_at(at + scheme.len());
        let end = token.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(token.len());
        clean += before;
        clean += if end == 0 { "" } else { BLANK };
        rest = &token[end..];
    }
    clean + rest
}

fn without_shapes(line: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let (mut clean, mut rest) = (String::new(), line);
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
        clean += if is_token(word) { BLANK } else { word };
        let between = after.chars().next().map_or(0, char::len_utf8);
        clean += &after[..between];
        rest = &after[between..];
    }
    clean
}

/// A signed token has three parts, the first of which is JSON in base 64.
fn is_token(word: &str) -> bool {
    let is_signed = word.starts_with("eyJ") && word.split('.').count() >= 3;
    is_signed || (word.len() >= SHORTEST_BYTES && BEGINNINGS.iter().any(|beginning| word.starts_with(beginning)))
}
