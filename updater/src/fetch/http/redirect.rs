//! Which redirects are followed (attack C3): only within the site that was asked, never to a lesser connection.
//!
//! A site is a host with its port; from http to https of the same host is within it. What a redirect leads to is verified like anything else, but somebody who redirects could make an updater knock
//! at doors of the network that it stands in, or carry a password elsewhere.

use url::Url;

/// Why a redirect is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another host. Networks that ask for a log-in do this.
    #[error(
        "that is another server. Probably a log-in page of the network (a captive portal) stands between: open a web browser and log in"
    )]
    OtherHost,
    /// The same host, another port.
    #[error("that is another port, so another server")]
    OtherPort,
    /// From https to http.
    #[error("that is no safe connection any more")]
    Downgrade,
    /// To something else than http and https.
    #[error("only http and https are fetched")]
    Scheme,
    /// To where it came from.
    #[error("the redirects lead in a circle")]
    Circle,
    /// Too many.
    #[error("no more redirects are followed")]
    TooMany,
    /// To nothing that is an address.
    #[error("that is no address")]
    NoAddress,
}

/// Whether the redirect from the last of `visited` to `location` is followed, and where it leads: with the credentials of the site, whatever the redirect says of them.
pub(super) fn follow(visited: &[Url], location: &str, most: usize) -> Result<Url, Refusal> {
    let from = visited.last().ok_or(Refusal::NoAddress)?;
    let mut to = from.join(location).map_err(|_| Refusal::NoAddress)?;
    if !matches!(to.scheme(), "http" | "https") {
        return Err(Refusal::Scheme);
    }
    if to.host() != from.host() {
        return Err(Refusal::OtherHost);
    }
    let is_upgrade = (from.scheme(), to.scheme()) == ("http", "https");
    if (from.scheme(), to.scheme()) == ("https", "http") {
        return Err(Refusal::Downgrade);
    }
    let both_default = from.port().is_none() && to.port().is_none();
    if to.port_or_known_default() != from.port_or_known_default() && !(is_upgrade && both_default) {
        return Err(Refusal::OtherPort);
    }
    to.set_fragment(None);
    let carried = to.set_username(from.username()).and_then(|()| to.set_password(from.password()));
    carried.map_err(|()| Refusal::NoAddress)?;
    if visited.contains(&to) {
        return Err(Refusal::Circle);
    }
    if visited.len() > most { Err(Refusal::TooMany) } else { Ok(to) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(from: &str, location: &str) -> Result<String, Refusal> {
        follow(&[from.parse().unwrap()], location, 5).map(|url| url.to_string())
    }

    #[test]
    fn within_a_site_they_are_followed() {
        for (from, location, to) in [
            ("http://h/a", "/b", "http://h/b"),
            ("http://h/a/", "b", "http://h/a/b"),
            ("http://h:8080/a", "http://h:8080/b#part", "http://h:8080/b"),
            ("http://h/a", "https://h/a", "https://h/a"),
            ("http://h/a", "https://h:443/a", "https://h/a"),
            ("https://h/a", "//h/b", "https://h/b"),
            ("https://[::1]:8443/a", "/b", "https://[::1]:8443/b"),
        ] {
            assert_eq!(one(from, location).as_deref(), Ok(to), "{from} to {location}");
        }
    }

    #[test]
    fn c3_all_others_are_refused_by_name() {
        for (from, location, refusal) in [
            ("https://h/a", "http://h/a", Refusal::Downgrade),
            ("https://h/a", "http://h:443/a", Refusal::Downgrade),
            ("https://h/a", "file:///etc/passwd", Refusal::Scheme),
            ("https://h/a", "ftp://h/a", Refusal::Scheme),
            ("https://h/a", "data:,x", Refusal::Scheme),
            ("https://h/a", "https://other/a", Refusal::OtherHost),
            ("https://h/a", "https://sub.h/a", Refusal::OtherHost),
            ("https://h/a", "//169.254.169.254/latest", Refusal::OtherHost),
            ("http://h/a", "http://127.0.0.1/a", Refusal::OtherHost),
            ("http://127.0.0.1/a", "http://localhost/a", Refusal::OtherHost),
            ("http://h/a", "http://h:22/a", Refusal::OtherPort),
            ("http://h:8080/a", "https://h/a", Refusal::OtherPort),
            ("http://h/a", "https://h:8443/a", Refusal::OtherPort),
            ("http://h/a", "http://[", Refusal::NoAddress),
            ("http://h/a", "/a", Refusal::Circle),
        ] {
            assert_eq!(one(from, location), Err(refusal), "{from} to {location}");
        }
    }

    #[test]
    fn c3_the_credentials_are_those_of_the_site_and_stay_within_it() {
        assert_eq!(one("https://ana:secret@h/a", "/b").as_deref(), Ok("https://ana:secret@h/b"));
        assert_eq!(one("https://h/a", "https://eve:x@h/b").as_deref(), Ok("https://h/b"));
        assert_eq!(one("https://ana:secret@h/a", "https://other/b"), Err(Refusal::OtherHost));
    }

    #[test]
    fn c3_a_circle_and_a_long_way_end() {
        let visited: Vec<Url> = ["http://h/a", "http://h/b"].iter().map(|url| url.parse().unwrap()).collect();
        assert_eq!(follow(&visited, "/a", 5), Err(Refusal::Circle));
        assert!(follow(&visited, "/c", 2).is_ok());
        assert_eq!(follow(&visited, "/c", 1), Err(Refusal::TooMany));
    }
}
