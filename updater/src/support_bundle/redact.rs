//! Texts without what may be secret, for a bundle that goes to strangers (S2-26, AC-76). Pure.
//!
//! Two nets: what is known to be secret here is blanked wherever it stands, also in the middle of a message; and what looks like a secret is blanked wherever it comes from – what stands between
//! `://` and `@` and behind `?` or `#` of an address, the values of names such as `password` and `token`, what follows `Bearer` or `Basic`, and every PEM block.

use url::Url;

/// What stands in the place of a secret.
pub const BLANK: &str = "[removed]";
/// Shorter ones would blank half of every text.
const SHORTEST_BYTES: usize = 4;
/// A name with one of these in it has a secret for its value.
const NAMES: [&str; 10] = ["passw", "passphrase", "pwd", "secret", "token", "apikey", "api_key", "api-key", "authorization", "credential"];

/// What is known to be secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Learns what is secret in `address`, which may be a proxy's without a scheme: the password, as it stands there and as it is meant, and the values of its query.
    pub fn of_address(&mut self, address: &str) {
        let (_, rest) = address.split_once("://").unwrap_or(("", address));
        let mut found: Vec<String> = vec![];
        if let Some((_, password)) = rest.rsplit_once('@').and_then(|(user, _)| user.split_once(':')) {
            found.extend([password.to_owned(), decoded(password)]);
        }
        if let Ok(url) = Url::parse(&format!("http://{rest}")) {
            // As a parser writes it again, into messages.
            found.extend(url.password().map(str::to_owned));
            found.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
            found.extend(url.fragment().map(str::to_owned));
        }
        self.0.extend(found.into_iter().filter(|secret| secret.len() >= SHORTEST_BYTES));
        // The longest first: a part of one may be another.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// `text` without them, and without what looks like one.
    pub fn remove_from(&self, text: &str) -> String {
        let known = self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), BLANK));
        let mut clean = String::with_capacity(known.len());
        let mut is_pem = false;
        for line in known.split_inclusive('\n') {
            if line.contains("-----BEGIN ") {
                is_pem = true;
                clean += BLANK;
                clean.push('\n');
            }
            if !is_pem {
                clean += &without_tokens(&without_values(&without_parts_of_addresses(line)));
            }
            is_pem &= !line.contains("-----END ");
        }
        clean
    }
}

/// `text` with its percent signs decoded.
fn decoded(text: &str) -> String {
    let pairs = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(pairs.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

/// Each address without user, query and fragment, and each `user:password@` without them, with or without a scheme before it.
fn without_parts_of_addresses(line: &str) -> String {
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

/// A word without the `user:password` before its last `@`.
fn without_login(word: &str) -> String {
    let Some((before, host)) = word.rsplit_once('@') else { return word.to_owned() };
    let login = before.match_indices(':').find_map(|(colon, _)| {
        let begin = before[..colon].rfind(|c: char| "=:,;\"'`([{".contains(c)).map_or(0, |at| at + 1);
        (begin < colon).then_some(begin)
    });
    login.map_or_else(|| word.to_owned(), |begin| format!("{}{BLANK}@{host}", &word[..begin]))
}

/// `NAME = VALUE` and `"NAME": "VALUE"` without the value, where the name has a secret.
fn without_values(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    // Lower-casing ASCII keeps every place where it is.
    let Some(name) = NAMES.iter().filter_map(|name| lower.find(name)).min() else { return line.to_owned() };
    let Some(sign) = line[name..].find(['=', ':']).map(|at| name + at + 1) else { return line.to_owned() };
    let end = if line.ends_with('\n') { "\n" } else { "" };
    format!("{} {BLANK}{end}", &line[..sign])
}

/// What follows `Bearer` or `Basic` goes.
fn without_tokens(line: &str) -> String {
    ["bearer ", "basic "].iter().fold(line.to_owned(), |line, scheme| match line.to_ascii_lowercase().find(scheme) {
        None => line,
        Some(at) => {
            let (before, token) = line.split_at(at + scheme.len());
            let end = token.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(token.len());
            format!("{before}{BLANK}{}", &token[end..])
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ac_76_what_is_secret_or_looks_like_it_is_not_in_the_text() {
        let mut secrets = Secrets::default();
        secrets.of_address("https://till:Sup%2Ber-Se%2Bcret@updates.example/repo/?token=abcd1234");
        // What an HTTP client takes for a proxy, too.
        secrets.of_address("till:Secret9@proxy:3128");
        secrets.of_address("http://till:Odd,one)\"x@proxy:3128");
        for (text, clean) in [
            ("cannot log in with Sup+er-Se+cret", "cannot log in with [removed]"),
            ("seen abcd1234 somewhere", "seen [removed] somewhere"),
            ("GET https://a:b@h:8443/x?y=z (403)", "GET https://[removed]@h:8443/x?[removed] (403)"),
            ("http://h/plain, then", "http://h/plain, then"),
            ("proxy_password = \"x\"\nnext = 1\n", "proxy_password = [removed]\nnext = 1\n"),
            ("{\"api_key\": \"x\"}", "{\"api_key\": [removed]"),
            ("Proxy said Bearer eyJ.x.y and more", "Proxy said Bearer [removed] and more"),
            ("a\n-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nb\n", "a\n[removed]\nb\n"),
            ("the proxy refused Secret9", "the proxy refused [removed]"),
            ("the proxy refused Odd,one)\"x, too", "the proxy refused [removed], too"),
            // What nobody knew of.
            ("HTTPS_PROXY=till:Another1@proxy:3128\n", "HTTPS_PROXY=[removed]@proxy:3128\n"),
            ("via http://u:a,b)c\"d'e@proxy:3128 now", "via http://[removed]@proxy:3128 now"),
            ("via u:a/b?c#d@proxy:3128 now", "via [removed]@proxy:3128 now"),
            (
                r#"{"why":"u:pass@h said no","of":"http://u:p,q@h/x?y=z"}"#,
                r#"{"why":"[removed]@h said no","of":"http://[removed]@h/x?[removed]"}"#,
            ),
            (r#"{"time":"12:30:05Z","who":"till@shop","port":"h:80"}"#, r#"{"time":"12:30:05Z","who":"till@shop","port":"h:80"}"#),
            ("nothing of that kind", "nothing of that kind"),
        ] {
            assert_eq!(secrets.remove_from(text), clean);
        }
    }
}
