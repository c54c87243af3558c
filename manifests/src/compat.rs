//! Whether a client and the application server that it talks to fit together (D-07, S3-4, S3-5): pure, from two builds and what the publisher signed about them.
//!
//! The rule that holds where nothing else is said is `major-minor`, and it is not symmetric. Only the first two parts count. A client that is older in them does not work; a newer minor most likely does, and
//! the mismatch is logged; another major does not. In the TOTVS notation the first two parts name the line (`7.00`): all builds of one line are compatible under this rule, and a publisher who
//! means less says `exact`, `range` or `list`. Builds of two notations are never ordered, whatever they look like (D-08, AC-20).
//!
//! Three things are asked in this order: the minimums of both sides, then the ranges of builds that the release itself is signed with, then the rule of the channel. The answer carries its reason, and shows
//! both builds.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::build::{Build, InvalidBuild, Scheme};
use crate::channel::{Bound, BuildRange, ChannelDocument, Release, Requires};
use crate::digest::Digest;

/// Which clients fit a server, where no range of a release says it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rule {
    /// Those whose first two parts are the server's, and those of a later minor.
    #[default]
    MajorMinor,
    /// Those of the server's very build.
    Exact,
    /// Those whose release names a range that holds the server, or whose server's does that holds them; nobody else.
    Range,
    /// Those of these builds, whatever the server's is.
    List {
        /// The builds.
        clients: Vec<Bound>,
    },
}

impl Rule {
    /// Whether it is the rule that holds where nothing is said.
    pub fn is_default(&self) -> bool {
        *self == Rule::MajorMinor
    }

    /// Reads `major-minor`, `exact`, `range` or `list:BUILD,BUILD`; builds are read in `scheme` where they can be.
    pub fn read(text: &str, scheme: Option<Scheme>) -> Result<Rule, InvalidRule> {
        match text.split_once(':') {
            None if text == "major-minor" => Ok(Rule::MajorMinor),
            None if text == "exact" => Ok(Rule::Exact),
            None if text == "range" => Ok(Rule::Range),
            Some(("list", builds)) => {
                let clients = builds.split(',').map(|build| Build::beside(build.trim(), scheme).map(Bound));
                Ok(Rule::List { clients: clients.collect::<Result<_, _>>()? })
            }
            _ => Err(InvalidRule::Unknown(crate::quote::quoted(text, 80).to_string())),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::MajorMinor => f.write_str("major-minor"),
            Rule::Exact => f.write_str("exact"),
            Rule::Range => f.write_str("range"),
            Rule::List { clients } => {
                let builds: Vec<&str> = clients.iter().map(|Bound(build)| build.text()).collect();
                write!(f, "list:{}", builds.join(","))
            }
        }
    }
}

/// The text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRule {
    /// Not one of the four.
    #[error("`{0}` is no rule of compatibility (known: major-minor, exact, range, list:BUILD,BUILD)")]
    Unknown(String),
    /// A build of the list is none.
    #[error(transparent)]
    Build(#[from] InvalidBuild),
}

/// What is signed about the two sides. A range stands above the rule.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terms<'a> {
    /// The servers that the client's release works with.
    pub servers: Option<&'a BuildRange>,
    /// The clients that the server's release works with, where there is such a release.
    pub clients: Option<&'a BuildRange>,
    /// What the client's release needs of both sides.
    pub requires: Option<&'a Requires>,
}

impl<'a> Terms<'a> {
    /// What the release of a client says.
    pub fn of(release: &'a Release) -> Terms<'a> {
        Terms { servers: release.compatible.servers.as_ref(), clients: None, requires: Some(&release.requires) }
    }
}

/// Whether a client and a server fit together. Each answer has a stable code, in kebab case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Compatibility {
    /// They do.
    Compatible {
        /// The client's build.
        client: String,
        /// The server's.
        server: String,
    },
    /// The client's minor is newer: it is started, and the mismatch goes into the log (AC-18).
    ClientNewer {
        /// The client's build.
        client: String,
        /// The server's.
        server: String,
    },
    /// They do not (AC-17).
    Incompatible {
        /// The client's build.
        client: String,
        /// The server's.
        server: String,
        /// What speaks against it.
        #[serde(flatten)]
        why: Why,
    },
    /// Client and server both have to be of some build at least, and one or both are not (S3-27, AC-21).
    NeedsBothMinimums {
        /// The client's build, where one is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        client: Option<String>,
        /// The lowest that will do.
        client_minimum: String,
        /// The server's build, where it is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<String>,
        /// The lowest that will do.
        server_minimum: String,
    },
    /// The builds are in two notations, and nothing that is signed says whether they fit: they are not ordered by guessing (AC-20).
    CannotBeCompared {
        /// The client's build.
        client: String,
        /// The server's.
        server: String,
    },
}

/// What speaks against a client and a server together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Why {
    /// The client is older in the first two parts.
    ClientOlder,
    /// The client's first part is newer.
    ClientMajorNewer,
    /// The rule wants one build on both sides.
    NotTheSame,
    /// The server is outside the range that the client's release works with.
    ServerOutOfRange,
    /// The client is outside the range that the server's release works with.
    ClientOutOfRange,
    /// The rule wants a range, and no release names one.
    NoRange,
    /// The client is none of those that the channel lists.
    NotListed,
    /// The server is older than the client's release needs.
    ServerTooOld {
        /// The lowest that it needs.
        minimum: String,
    },
}

impl Compatibility {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Compatibility::Compatible { .. } => "compatible",
            Compatibility::ClientNewer { .. } => "client-newer",
            Compatibility::Incompatible { .. } => "incompatible",
            Compatibility::NeedsBothMinimums { .. } => "needs-both-minimums",
            Compatibility::CannotBeCompared { .. } => "cannot-be-compared",
        }
    }

    /// The client's build and the server's; an unknown one is empty.
    pub fn builds(&self) -> (&str, &str) {
        match self {
            Compatibility::Compatible { client, server }
            | Compatibility::ClientNewer { client, server }
            | Compatibility::Incompatible { client, server, .. }
            | Compatibility::CannotBeCompared { client, server } => (client, server),
            Compatibility::NeedsBothMinimums { client, server, .. } => {
                (client.as_deref().unwrap_or_default(), server.as_deref().unwrap_or_default())
            }
        }
    }

    /// Whether the client may be started against the server.
    pub const fn may_run(&self) -> bool {
        matches!(self, Compatibility::Compatible { .. } | Compatibility::ClientNewer { .. })
    }
}

impl fmt::Display for Compatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |build: &Option<String>| build.as_ref().map_or("none is known here".to_owned(), |build| format!("this is {build}"));
        match self {
            Compatibility::Compatible { client, server } => write!(f, "client {client} and server {server} are compatible"),
            Compatibility::ClientNewer { client, server } => {
                write!(f, "client {client} is newer than server {server}: most likely they work together")
            }
            Compatibility::Incompatible { client, server, why } => {
                write!(f, "client {client} and server {server} are incompatible: {why}")
            }
            Compatibility::NeedsBothMinimums { client, client_minimum, server, server_minimum } => write!(
                f,
                "it needs both minimums: client {client_minimum} or newer ({}) and server {server_minimum} or newer ({})",
                known(client),
                known(server)
            ),
            Compatibility::CannotBeCompared { client, server } => {
                write!(f, "client {client} and server {server} are builds of two notations, and nothing says whether they fit together")
            }
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::ClientOlder => f.write_str("the client is older"),
            Why::ClientMajorNewer => f.write_str("the client is newer by more than a minor version"),
            Why::NotTheSame => f.write_str("both have to be of the same build"),
            Why::ServerOutOfRange => f.write_str("the client was not made for this server"),
            Why::ClientOutOfRange => f.write_str("the server was not made for this client"),
            Why::NoRange => f.write_str("no release says which builds it works with"),
            Why::NotListed => f.write_str("the client is not among those that may be used"),
            Why::ServerTooOld { minimum } => write!(f, "the server has to be {minimum} or newer"),
        }
    }
}

/// Judges a client's build beside a server's.
pub fn judge(client: &Build, server: &Build, rule: &Rule, terms: &Terms<'_>) -> Compatibility {
    if let Some(requires) = terms.requires {
        if let Some(unmet) = both_minimums(requires, Some(client), Some(server)) {
            return unmet;
        }
        if let Some(Bound(minimum)) = requires.server.as_ref().filter(|minimum| !minimum.is_met_by(Some(server))) {
            return incompatible(client, server, Why::ServerTooOld { minimum: minimum.text().to_owned() });
        }
    }
    let both = || (client.text().to_owned(), server.text().to_owned());
    let compatible = || {
        let (client, server) = both();
        Compatibility::Compatible { client, server }
    };
    let cannot_be_compared = || {
        let (client, server) = both();
        Compatibility::CannotBeCompared { client, server }
    };
    if terms.servers.is_some() || terms.clients.is_some() {
        let sides = [(terms.servers, server, Why::ServerOutOfRange), (terms.clients, client, Why::ClientOutOfRange)];
        for (range, build, why) in sides {
            match range.map(|range| range.contains(build)) {
                None | Some(Some(true)) => {}
                Some(Some(false)) => return incompatible(client, server, why),
                Some(None) => return cannot_be_compared(),
            }
        }
        return compatible();
    }
    match rule {
        Rule::Range => incompatible(client, server, Why::NoRange),
        Rule::List { clients } => {
            let orders: Vec<_> = clients.iter().map(|Bound(listed)| listed.compare(client)).collect();
            match orders.contains(&Some(Ordering::Equal)) {
                true => compatible(),
                // A list in another notation says nothing about this client.
                false if !orders.is_empty() && orders.iter().all(Option::is_none) => cannot_be_compared(),
                false => incompatible(client, server, Why::NotListed),
            }
        }
        Rule::Exact => match client.compare(server) {
            None => cannot_be_compared(),
            Some(Ordering::Equal) => compatible(),
            Some(_) => incompatible(client, server, Why::NotTheSame),
        },
        Rule::MajorMinor if client.scheme() != server.scheme() => cannot_be_compared(),
        Rule::MajorMinor => {
            let ((major, minor), (server_major, server_minor)) = (client.major_minor(), server.major_minor());
            match (major.cmp(&server_major), minor.cmp(&server_minor)) {
                (Ordering::Equal, Ordering::Equal) => compatible(),
                (Ordering::Equal, Ordering::Greater) => {
                    let (client, server) = both();
                    Compatibility::ClientNewer { client, server }
                }
                (Ordering::Greater, _) => incompatible(client, server, Why::ClientMajorNewer),
                (Ordering::Less, _) | (Ordering::Equal, Ordering::Less) => incompatible(client, server, Why::ClientOlder),
            }
        }
    }
}

/// Judges the client that a station has installed, the release with `manifest`, by what `channel` says: by the server that the station knows, or else by the channel's. `None` where nobody
/// names a server: then there is nothing to judge.
pub fn judge_installed(channel: &ChannelDocument, client: &Build, manifest: &Digest, server: Option<&Build>) -> Option<Compatibility> {
    let server = server.or(channel.server.as_ref().map(|Bound(build)| build))?;
    let release = channel.releases.iter().find(|release| release.manifest.sha256 == *manifest);
    Some(judge(client, server, &channel.compat, &release.map(Terms::of).unwrap_or_default()))
}

fn incompatible(client: &Build, server: &Build, why: Why) -> Compatibility {
    Compatibility::Incompatible { client: client.text().to_owned(), server: server.text().to_owned(), why }
}

/// What a release that names a minimum of both sides lacks: one answer that names both, whichever is not met. `None` when it names fewer, or when both are met. Where no client is installed
/// there is none that could be too old.
pub fn both_minimums(requires: &Requires, client: Option<&Build>, server: Option<&Build>) -> Option<Compatibility> {
    let (client_minimum, server_minimum) = (requires.client.as_ref()?, requires.server.as_ref()?);
    let met = client.is_none_or(|client| client_minimum.is_met_by(Some(client))) && server_minimum.is_met_by(server);
    let text = |build: &Build| build.text().to_owned();
    (!met).then(|| Compatibility::NeedsBothMinimums {
        client: client.map(text),
        client_minimum: text(&client_minimum.0),
        server: server.map(text),
        server_minimum: text(&server_minimum.0),
    })
}

#[cfg(test)]
mod tests;
