//! Addresses without user, password, query and fragment, and logins without a scheme before them.

use super::BLANK;

/// Each address without user, query and fragment, and each `user:password@` without them, with or without a scheme before it.
pub(super) fn removed(line: &str) -> String {
    let (mut clean, mut rest) = (String::new(), line);
    while !rest.is_empty() {
        let (word, after) = rest.split_at(end_of_word(rest));
        clean += &match word.split_once("://") {
            Some((before, address)) => format!("{}://{}", without_login(before), without_user_and_query(address)),
            None => without_login(word),
        };
        let between = after.chars().next().map_or(0, char::len_utf8);
        clean += &after[..between];
        rest = &after[between..];
    }
    clean
}

/// Where the word ends with which `line` begins: a password may have commas, brackets and quotation marks in it, so only white space ends one for certain, and a quotation mark where a text of JSON or
/// of a message would end.
fn end_of_word(line: &str) -> usize {
    let ends = |(at, letter): (usize, char)| match letter {
        '"' | '\'' | '`' => line[at + 1..].chars().next().is_none_or(|next| next.is_whitespace() || ",:;.)}]".contains(next)),
        '<' | '>' => true,
        letter => letter.is_whitespace(),
    };
    line.char_indices().find(|&found| ends(found)).map_or(line.len(), |(at, _)| at)
}

/// What follows `://`: what stands before the last `@` goes where it is a user's or has a password, and so does what follows `?` or `#`.
fn without_user_and_query(address: &str) -> String {
    let authority = address.find(['/', '\\', '?', '#']).unwrap_or(address.len());
    let (user, rest) = match address.rsplit_once('@') {
        Some((before, rest)) if before.contains(':') || before.len() < authority => (format!("{BLANK}@"), rest),
        _ => (String::new(), address),
    };
    match rest.find(['?', '#']) {
        Some(end) => format!("{user}{}?{BLANK}", &rest[..end]),
        None => user + rest,
    }
}

/// A word without the `user:password`, or a data base's `user/password`, before its last `@`.
fn without_login(word: &str) -> String {
    let Some((before, host)) = word.rsplit_once('@') else { return word.to_owned() };
    let beginning = |end: usize| before[..end].rfind(|c: char| "=:,;\"'`([{".contains(c)).map_or(0, |at| at + 1);
    let login = before.match_indices(':').map(|(colon, _)| (beginning(colon), colon)).find(|(begin, colon)| begin < colon);
    let login = login.map(|(begin, _)| begin).or_else(|| {
        let begin = beginning(before.len());
        let (user, password) = before[begin..].split_once('/')?;
        // Paths have more of them, and versions and sizes digits behind the sign.
        let is_login = !user.is_empty() && !password.is_empty() && !user.starts_with('.') && !password.contains('/');
        (is_login && !host.starts_with(|c: char| c.is_ascii_digit())).then_some(begin)
    });
    login.map_or_else(|| word.to_owned(), |begin| format!("{}{BLANK}@{host}", &word[..begin]))
}
