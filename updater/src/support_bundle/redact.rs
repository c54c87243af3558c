//! Texts without what may be secret, for a bundle that goes to strangers (S2-26, AC-76). Pure.
//!
//! Two nets: what is known to be secret here is blanked wherever it stands, also in the middle of a message; and what looks like a secret is blanked wherever it comes from: logins and queries in
//! `addresses`, what stands behind the name of a secret in `named`, tokens that their shape gives away in `tokens`, and every PEM block.
//!
//! A document of JSON, or a line of one, is taken apart, each of its texts is cleaned by itself, and it is written again: what is blanked in one of them takes nothing else with it, and what is escaped
//! hides nothing.

mod addresses;
mod named;
mod tokens;

use serde_json::Value;
use url::Url;

/// What stands in the place of a secret.
pub const BLANK: &str = "[removed]";
/// Shorter ones would blank half of every text.
const SHORTEST_BYTES: usize = 4;

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

    /// `text`, which may be JSON, or have lines of it, without them, and without what looks like one.
    pub fn remove_from(&self, text: &str) -> String {
        self.of_document(text).unwrap_or_else(|| self.of_lines(text, |line| self.of_document(line)))
    }

    /// `text` where it is an object or a list; a document of several lines is one again.
    fn of_document(&self, text: &str) -> Option<String> {
        let whole = text.trim_end();
        let value: Value = whole.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str(whole).ok())??;
        let clean = self.of_value(value);
        let clean = if whole.contains('\n') { format!("{clean:#}") } else { clean.to_string() };
        Some(clean + &text[whole.len()..])
    }

    /// `text` line by line; those that `taken_apart` knows are as it says.
    fn of_lines(&self, text: &str, taken_apart: impl Fn(&str) -> Option<String>) -> String {
        let mut clean = String::with_capacity(text.len());
        let mut is_pem = false;
        for line in text.split_inclusive('\n') {
            if let Some(line) = taken_apart(line) {
                clean += &line;
                continue;
            }
            if line.contains("-----BEGIN ") {
                is_pem = true;
                clean += BLANK;
                clean.push('\n');
            }
            if !is_pem {
                let known = self.0.iter().fold(line.to_owned(), |line, secret| line.replace(secret.as_str(), BLANK));
                clean += &tokens::removed(&named::removed(&addresses::removed(&known)));
            }
            is_pem &= !line.contains("-----END ");
        }
        clean
    }

    fn of_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.of_lines(&text, |_| None).into(),
            Value::Array(items) => self.of_items(items),
            Value::Object(members) => {
                // A name and its value may be members of their own.
                let names_secret = |(name, value): (&String, &Value)| !is_value(name) && value.as_str().is_some_and(named::is_secret);
                let has_secret = members.iter().any(names_secret);
                let member = |(name, value): (String, Value)| {
                    let may_be_secret = named::is_secret(&name) || (has_secret && is_value(&name));
                    let is_secret = may_be_secret && !matches!(value, Value::Null | Value::Bool(_));
                    (self.of_lines(&name, |_| None), if is_secret { BLANK.into() } else { self.of_value(value) })
                };
                members.into_iter().map(member).collect()
            }
            value => value,
        }
    }

    /// Words of a command: the secret may be the one after its name.
    fn of_items(&self, items: Vec<Value>) -> Value {
        let mut is_value = false;
        let item = |item: Value| {
            let is_secret = std::mem::replace(&mut is_value, item.as_str().is_some_and(named::is_secret_option));
            if is_secret { BLANK.into() } else { self.of_value(item) }
        };
        items.into_iter().map(item).collect()
    }
}

/// Whether a member of this name holds what another one names.
fn is_value(name: &str) -> bool {
    ["value", "val", "data"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// `text` with its percent signs decoded.
fn decoded(text: &str) -> String {
    let pairs = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(pairs.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

#[cfg(test)]
mod tests;
