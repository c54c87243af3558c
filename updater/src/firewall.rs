//! Where this station connects to, for whoever sets up a firewall (S1-19, AC-77): the repositories, as the system's proxy settings lead there, and where a redirect may lead.
//!
//! Found by the rules by which the updater connects, not from a list: the same proxy settings, the same rule for redirects (`fetch/http/redirect.rs`).

use std::net::{IpAddr, ToSocketAddrs as _};

use hyper_util::client::proxy::matcher::Matcher;
use serde::Serialize;
use url::Url;

/// Something that is connected to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Destination {
    /// What for.
    pub purpose: Purpose,
    /// The host, by name or number.
    pub host: String,
    /// Its port; all are TCP.
    pub port: u16,
    /// What the name leads to now; none when that cannot be found out, as where the proxy looks it up.
    pub addresses: Vec<IpAddr>,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The client's releases.
    Repository,
    /// The updater's own releases.
    SelfUpdate,
    /// The proxy, which all of these go through.
    Proxy,
    /// Where a server on port 80 may lead to: the same host with a safe connection.
    Redirect,
}

/// Where the repositories at `client` and `updater` are reached.
pub fn destinations(client: &Url, updater: Option<&Url>) -> Vec<Destination> {
    let proxies = Matcher::from_system();
    let mut found: Vec<Destination> = vec![];
    for (purpose, url) in std::iter::once((Purpose::Repository, client)).chain(updater.map(|url| (Purpose::SelfUpdate, url))) {
        for (purpose, host, port) in reached(purpose, url, &proxies) {
            let is_known = found.iter().any(|known| known.host == host && known.port == port);
            if !is_known {
                found.push(Destination { purpose, addresses: resolved(&host, port), host, port });
            }
        }
    }
    found
}

/// Host and port of everything that is connected to for `url`.
fn reached(purpose: Purpose, url: &Url, proxies: &Matcher) -> Vec<(Purpose, String, u16)> {
    let Some(host) = url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned()) else { return vec![] };
    let proxy =
        if super::fetch::http::is_this_computer(url) { None } else { url.as_str().parse().ok().and_then(|uri| proxies.intercept(&uri)) };
    if let Some(proxy) = proxy {
        let uri = proxy.uri();
        let usual = match uri.scheme_str() {
            Some("https") => 443,
            Some(scheme) if scheme.starts_with("socks") => 1080,
            _ => 80,
        };
        return vec![(Purpose::Proxy, uri.host().unwrap_or_default().to_owned(), uri.port_u16().unwrap_or(usual))];
    }
    let mut found = vec![(purpose, host.clone(), url.port_or_known_default().unwrap_or(443))];
    if url.scheme() == "http" && url.port().is_none() {
        found.push((Purpose::Redirect, host, 443));
    }
    found
}

fn resolved(host: &str, port: u16) -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> =
        (host, port).to_socket_addrs().map(|all| all.map(|address| address.ip()).collect()).unwrap_or_default();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(url: &str, proxies: &Matcher) -> Vec<(Purpose, String, u16)> {
        reached(Purpose::Repository, &Url::parse(url).unwrap(), proxies)
    }

    #[test]
    fn ac_77_repositories_redirects_and_proxies_are_named_by_host_and_port() {
        let none = Matcher::builder().build();
        let host = |purpose, host: &str, port| (purpose, host.to_owned(), port);
        assert_eq!(found("https://updates.example/repo/a/", &none), [host(Purpose::Repository, "updates.example", 443)]);
        assert_eq!(found("https://updates.example:8443/", &none), [host(Purpose::Repository, "updates.example", 8443)]);
        let both = [host(Purpose::Repository, "updates.example", 80), host(Purpose::Redirect, "updates.example", 443)];
        assert_eq!(found("http://updates.example/", &none), both);
        assert_eq!(found("http://[::1]:8080/", &none), [host(Purpose::Repository, "::1", 8080)]);
        let proxy = Matcher::builder().all("http://proxy.example:3128").no("local.example").build();
        assert_eq!(found("https://updates.example/", &proxy), [host(Purpose::Proxy, "proxy.example", 3128)]);
        assert_eq!(found("https://local.example/", &proxy), [host(Purpose::Repository, "local.example", 443)]);
        assert_eq!(
            found("https://127.0.0.1:8443/", &proxy),
            [host(Purpose::Repository, "127.0.0.1", 8443)],
            "no proxy reaches this computer"
        );
    }
}
