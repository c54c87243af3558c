//! Who may publish: bearer tokens, known by their sha256 alone.
//!
//! Whoever reads the configuration learns no token from it. A token is compared with those of every repository, in a time that says neither which there
//! are nor how much of it was right, so that a stranger cannot even learn the names of repositories here.

use axum::http::{HeaderMap, header};
use manifests::digest::Digest;
use manifests::name::Name;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// The tokens of all repositories.
#[derive(Debug, Clone, Default)]
pub struct Tokens(Vec<(Name, Digest)>);

/// A token that was right, as logs may name it: the beginning of its sha256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenId(String);

impl std::fmt::Display for TokenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// As long as a token may be, in bytes.
const LONGEST: usize = 512;

impl Tokens {
    /// These, each with the repository that it is for.
    pub fn new(tokens: impl IntoIterator<Item = (Name, Digest)>) -> Tokens {
        Tokens(tokens.into_iter().collect())
    }

    /// The token in `headers` if it may publish into the repository that `name`, as it was sent, names.
    pub fn authorise(&self, headers: &HeaderMap, name: &str) -> Option<TokenId> {
        let token = bearer(headers)?;
        let digest = Digest::of(token);
        let presented = digest.to_hex();
        let mut right = Choice::from(0);
        for (repository, known) in &self.0 {
            // Names are no secret of whoever asks; their lengths may show.
            let same = repository.as_str().as_bytes().ct_eq(name.as_bytes());
            right = Choice::conditional_select(&right, &Choice::from(1), presented.as_bytes().ct_eq(known.to_hex().as_bytes()) & same);
        }
        bool::from(right).then(|| TokenId(presented.chars().take(12).collect()))
    }
}

/// The token of `Authorization: Bearer …`, when there is exactly one.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?.as_bytes();
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    (scheme.eq_ignore_ascii_case(b"Bearer ") && (1..=LONGEST).contains(&token.len())).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        let token = |name: &str, token: &str| (name.parse().unwrap(), Digest::of(token.as_bytes()));
        Tokens::new([token("acme", "one"), token("acme", "two"), token("other", "three")])
    }

    fn authorised(values: &[&str], name: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        tokens().authorise(&headers, name).map(|id| id.to_string())
    }

    #[test]
    fn a_token_opens_its_own_repository_and_no_other() {
        let id = |token: &str| Some(Digest::of(token.as_bytes()).to_hex()[..12].to_owned());
        assert_eq!(authorised(&["Bearer one"], "acme"), id("one"));
        assert_eq!(authorised(&["bearer two"], "acme"), id("two"));
        assert_eq!(authorised(&["Bearer three"], "other"), id("three"));
        for (token, name) in [("three", "acme"), ("one", "other"), ("one", "nowhere"), ("one", ""), ("one", "acmE"), ("one", "acme/")] {
            assert_eq!(authorised(&[&format!("Bearer {token}")], name), None, "{token} {name}");
        }
    }

    #[test]
    fn what_is_not_one_bearer_token_is_none() {
        let digest = Digest::of(b"one").to_hex();
        let long = format!("Bearer {}", "x".repeat(LONGEST + 1));
        for values in [
            &[][..],
            &["one"],
            &["Bearer"],
            &["Bearer "],
            &["Basic one"],
            &["Bearer  one"],
            &["Bearer one "],
            &["Bearer One"],
            &[&format!("Bearer {digest}")],
            &[&long],
            &["Bearer one", "Bearer one"],
        ] {
            assert_eq!(authorised(values, "acme"), None, "{values:?}");
        }
    }
}
