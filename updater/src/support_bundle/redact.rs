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
    /// Learns what is secret in `address`: the password, and the values of its query.
    pub fn of_address(&mut self, address: &str) {
        let Ok(url) = Url::parse(address) else { return };
        let decoded = |text: &str| {
            url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes()).next().map(|(_, value)| value.into_owned())
        };
        let password = url.password().map(str::to_owned);
        let mut found: Vec<String> = password.iter().cloned().chain(password.as_deref().and_then(decoded)).collect();
        found.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
        found.extend(url.fragment().map(str::to_owned));
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

/// Each address without user, query and fragment.
fn without_parts_of_addresses(line: &str) -> String {
    let (mut clean, mut rest) = (String::new(), line);
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        clean += before;
        let end = behind.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ')' | ',')).unwrap_or(behind.len());
        let (address, after) = behind.split_at(end);
        let plain = address.split(['?', '#']).next().unwrap_or_default();
        let path = plain.find(['/', '\\']).unwrap_or(plain.len());
        let (authority, path) = plain.split_at(path);
        match authority.rsplit_once('@') {
            Some((_, host)) => clean += &format!("{BLANK}@{host}"),
            None => clean += authority,
        }
        clean += path;
        if plain.len() < address.len() {
            clean += &format!("?{BLANK}");
        }
        rest = after;
    }
    clean + rest
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
        for (text, clean) in [
            ("cannot log in with Sup+er-Se+cret", "cannot log in with [removed]"),
            ("seen abcd1234 somewhere", "seen [removed] somewhere"),
            ("GET https://a:b@h:8443/x?y=z (403)", "GET https://[removed]@h:8443/x?[removed] (403)"),
            ("http://h/plain, then", "http://h/plain, then"),
            ("proxy_password = \"x\"\nnext = 1\n", "proxy_password = [removed]\nnext = 1\n"),
            ("{\"api_key\": \"x\"}", "{\"api_key\": [removed]"),
            ("Proxy said Bearer eyJ.x.y and more", "Proxy said Bearer [removed] and more"),
            ("a\n-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nb\n", "a\n[removed]\nb\n"),
            ("nothing of that kind", "nothing of that kind"),
        ] {
            assert_eq!(secrets.remove_from(text), clean);
        }
    }
}
