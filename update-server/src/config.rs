//! Configuration in two stages: a file says what it likes, all optional; [`Settings`] are complete and valid, and the only thing that the rest
//! of the server sees. `server.example.toml` documents every key and is compared with the defaults by a test.

mod file;
pub mod folder;
mod reports;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use manifests::digest::Digest;
use manifests::name::{ChannelId, Name};
use serde::Deserialize;

pub use folder::FolderSettings;
pub use reports::ReportSettings;

use file::File;

/// Everything that the server can be told, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Where operators find `/readyz` and `/metrics`; `None` when they are on `listen` with all else.
    pub operators_listen: Option<SocketAddr>,
    /// The folder of install documents.
    pub install_documents: PathBuf,
    /// The repositories, no name twice.
    pub repositories: Vec<RepositorySettings>,
    /// The folders that publish themselves, no channel of a repository twice.
    pub folders: Vec<FolderSettings>,
    /// What is kept of what stations report; `None` when nothing is.
    pub reports: Option<ReportSettings>,
    /// Bounds on clients.
    pub limits: Limits,
    /// Memory for content.
    pub cache: CacheSettings,
    /// What is logged, and how.
    pub log: LogSettings,
    /// How long transfers under way may take after the signal to stop.
    pub shutdown_grace: Duration,
}

/// A content repository to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositorySettings {
    /// Its name, in URLs and in its own documents.
    pub name: Name,
    /// Its folder.
    pub path: PathBuf,
    /// The keys with which this server keeps it from expiring; `None` when somebody else does that.
    pub keys: Option<OnlineKeys>,
    /// The sha256 of each token that may publish into it; without any, nobody can over the network.
    pub publish_tokens: Vec<Digest>,
}

impl RepositorySettings {
    /// A repository that is served and nothing else.
    pub fn served(name: Name, path: impl Into<PathBuf>) -> RepositorySettings {
        RepositorySettings { name, path: path.into(), keys: None, publish_tokens: Vec::new() }
    }
}

/// The keys of snapshot and timestamp, on this machine. They commit to nothing that the publisher has not signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnlineKeys {
    /// The folder of key files.
    pub folder: PathBuf,
    /// The file whose first line opens those of them that are encrypted.
    pub passphrase_file: Option<PathBuf>,
    /// A timestamp of this age is signed anew; `None` when the server does not do that by itself.
    pub refresh_every: Option<Duration>,
    /// Whether every role is signed anew before it expires, with whatever keys lie there: for a site that keeps all of them on one machine, and has nobody who would do it elsewhere.
    pub all: bool,
}

/// Every bound on what a client can make the server hold or wait for (attacks C2, C10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections served at once; more wait in the listening socket.
    pub max_connections: usize,
    /// Connections served at once to one address, which is a /64 where it is IPv6; more are closed at once.
    pub max_connections_per_address: usize,
    /// Addresses that bounds by address leave out: proxies, behind which everybody has one address.
    pub unlimited_addresses: Vec<IpAddr>,
    /// Longest request line and headers together, in bytes.
    pub max_header_bytes: usize,
    /// Most headers in a request.
    pub max_headers: usize,
    /// Longest request body, in bytes.
    pub max_body_bytes: u64,
    /// From the first byte of a request line to the end of the headers.
    pub header_timeout: Duration,
    /// Without a request on a kept-alive connection.
    pub idle_timeout: Duration,
    /// Time spent waiting for a client before its rate is looked at.
    pub send_timeout: Duration,
    /// Bytes that a client must take per second of that time.
    pub min_send_bytes_per_second: u64,
    /// Longest submission, in bytes.
    pub max_publish_bytes: u64,
    /// Bytes of a submission that must arrive per second, looked at after each `send_timeout`.
    pub min_publish_bytes_per_second: u64,
}

/// Memory for content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// Bytes of small files kept in memory.
    pub memory_bytes: usize,
    /// Bytes of buffers for large transfers.
    pub transfer_memory_bytes: usize,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// The form of a line.
    pub format: LogFormat,
    /// Directives of `tracing_subscriber::EnvFilter`, checked.
    pub level: String,
    /// Whether each request is logged.
    pub requests: bool,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// Why there are no settings. The texts name the key and what is allowed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("read the configuration `{path}`: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, or a value of the wrong type; the text shows the line.
    #[error("understand the configuration `{path}` (`server.example.toml` lists every key): {source}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        source: Box<toml::de::Error>,
    },
    /// A value that cannot work.
    #[error("use the configuration: `{key}` is {found}, but must be {allowed}")]
    Value {
        /// The key.
        key: &'static str,
        /// The value.
        found: String,
        /// What would do.
        allowed: &'static str,
    },
    /// Two repositories of one name.
    #[error("use the configuration: two repositories are named `{0}`")]
    RepeatedRepository(Name),
    /// Two folders of one channel.
    #[error("use the configuration: two folders are published as {0}; give one of them another product, arch or channel")]
    RepeatedFolder(ChannelId),
    /// One folder lies in another.
    #[error("publish {inner}: it lies in {outer}, whose releases would hold it as well; move one of the two elsewhere")]
    NestedFolders {
        /// The one inside, with its channel.
        inner: String,
        /// The one around it.
        outer: String,
    },
    /// A folder's setting that cannot work.
    #[error("use the configuration: `{key}` of the [[folder]] `{folder}`: {reason}")]
    Folder {
        /// Its path, as written.
        folder: String,
        /// The key.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A setting that means nothing without another.
    #[error("use the configuration: repository `{repository}` has `{key}`, which needs `{needs}`: {why}")]
    Needs {
        /// The repository.
        repository: Name,
        /// What it has.
        key: &'static str,
        /// What it lacks.
        needs: &'static str,
        /// Why.
        why: &'static str,
    },
}

impl Settings {
    /// Reads the file at `path`; relative paths in it are relative to its folder.
    pub fn load(path: &Path) -> Result<Settings, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let file = toml::from_str(&text).map_err(|source| ConfigError::Syntax { path: path.to_owned(), source: Box::new(source) })?;
        Self::resolve(file, folder)
    }

    fn resolve(file: File, folder: &Path) -> Result<Settings, ConfigError> {
        let defaults = Settings::default();
        let address = |key: &'static str, text: String| {
            text.parse::<SocketAddr>().map_err(|_| ConfigError::Value {
                key,
                found: format!("`{text}`"),
                allowed: "an address and port such as `127.0.0.1:8080` or `[::]:8080`",
            })
        };
        let listen = file.listen.map_or(Ok(defaults.listen), |text| address("listen", text))?;
        let operators_listen = file.operators_listen.map(|text| address("operators_listen", text)).transpose()?;
        let mut repositories: Vec<RepositorySettings> = Vec::new();
        for table in file.repository {
            if repositories.iter().any(|known| known.name == table.name) {
                return Err(ConfigError::RepeatedRepository(table.name));
            }
            repositories.push(table.resolve(folder)?);
        }
        let mut folders: Vec<FolderSettings> = Vec::new();
        for table in file.folder {
            let new = table.resolve(folder, &repositories)?;
            if folders.iter().any(|known| (&known.repository, &known.id) == (&new.repository, &new.id)) {
                return Err(ConfigError::RepeatedFolder(new.id));
            }
            folders.push(new);
        }
        folder::refuse_nested(&folders)?;
        let log = LogSettings {
            format: file.log.format.unwrap_or(defaults.log.format),
            level: file.log.level.unwrap_or(defaults.log.level),
            requests: file.log.requests.unwrap_or(defaults.log.requests),
        };
        if log.level.parse::<tracing_subscriber::EnvFilter>().is_err() {
            return Err(ConfigError::Value {
                key: "log.level",
                found: format!("`{}`", log.level),
                allowed: "error, warn, info, debug, trace, or directives such as `info,update_server=debug`",
            });
        }
        Ok(Settings {
            listen,
            operators_listen,
            install_documents: folder.join(file.install_documents.unwrap_or(defaults.install_documents)),
            repositories,
            folders,
            reports: file.reports.resolve(folder)?,
            limits: Limits::resolve(file.limits)?,
            cache: CacheSettings {
                memory_bytes: file.cache.memory_bytes.unwrap_or(defaults.cache.memory_bytes),
                transfer_memory_bytes: file.cache.transfer_memory_bytes.unwrap_or(defaults.cache.transfer_memory_bytes),
            },
            log,
            shutdown_grace: file.shutdown.grace_seconds.map_or(defaults.shutdown_grace, Duration::from_secs),
        })
    }
}

impl file::RepositoryTable {
    fn resolve(self, folder: &Path) -> Result<RepositorySettings, ConfigError> {
        let given = [
            ("passphrase_file", self.passphrase_file.is_some(), "it opens key files"),
            ("refresh", self.refresh == Some(true), "it signs with them"),
            ("refresh_every_hours", self.refresh_every_hours.is_some(), "it says when they sign"),
            ("refresh_all_roles", self.refresh_all_roles == Some(true), "it signs with them"),
            ("publish_tokens", !self.publish_tokens.is_empty(), "a submission becomes visible by a new timestamp"),
        ];
        if self.keys.is_none()
            && let Some((key, _, why)) = given.into_iter().find(|(_, given, _)| *given)
        {
            return Err(ConfigError::Needs { repository: self.name, key, needs: "keys", why });
        }
        let hours = self.refresh_every_hours.unwrap_or(24);
        // Half of a timestamp's life; it is never let go further.
        if !(1..=84).contains(&hours) {
            return Err(ConfigError::Value { key: "repository.refresh_every_hours", found: hours.to_string(), allowed: "from 1 to 84" });
        }
        let refresh_every = self.refresh.unwrap_or(true).then(|| Duration::from_secs(hours * 3600));
        let passphrase_file = self.passphrase_file.map(|file| folder.join(file));
        Ok(RepositorySettings {
            name: self.name,
            path: folder.join(self.path),
            keys: self.keys.map(|keys| OnlineKeys {
                folder: folder.join(keys),
                passphrase_file,
                refresh_every,
                all: self.refresh_all_roles.unwrap_or(false),
            }),
            publish_tokens: self.publish_tokens,
        })
    }
}

impl Limits {
    fn resolve(table: file::LimitsTable) -> Result<Limits, ConfigError> {
        let defaults = Limits::default();
        let limits = Limits {
            max_connections: table.max_connections.unwrap_or(defaults.max_connections),
            max_connections_per_address: table.max_connections_per_address.unwrap_or(defaults.max_connections_per_address),
            unlimited_addresses: table.unlimited_addresses.unwrap_or(defaults.unlimited_addresses),
            max_header_bytes: table.max_header_bytes.unwrap_or(defaults.max_header_bytes),
            max_headers: table.max_headers.unwrap_or(defaults.max_headers),
            max_body_bytes: table.max_body_bytes.unwrap_or(defaults.max_body_bytes),
            header_timeout: table.header_timeout_seconds.map_or(defaults.header_timeout, Duration::from_secs),
            idle_timeout: table.idle_timeout_seconds.map_or(defaults.idle_timeout, Duration::from_secs),
            send_timeout: table.send_timeout_seconds.map_or(defaults.send_timeout, Duration::from_secs),
            min_send_bytes_per_second: table.min_send_bytes_per_second.unwrap_or(defaults.min_send_bytes_per_second),
            max_publish_bytes: table.max_publish_bytes.unwrap_or(defaults.max_publish_bytes),
            min_publish_bytes_per_second: table.min_publish_bytes_per_second.unwrap_or(defaults.min_publish_bytes_per_second),
        };
        let needs = [
            ("limits.max_connections", limits.max_connections as u64, 1, "from 1 to 1000000"),
            ("limits.max_connections_per_address", limits.max_connections_per_address as u64, 1, "from 1 to 1000000"),
            ("limits.max_header_bytes", limits.max_header_bytes as u64, 8192, "from 8192 to 1000000"),
            ("limits.max_headers", limits.max_headers as u64, 1, "from 1 to 1000000"),
            ("limits.header_timeout_seconds", limits.header_timeout.as_secs(), 1, "from 1 to 1000000"),
            ("limits.idle_timeout_seconds", limits.idle_timeout.as_secs(), 1, "from 1 to 1000000"),
            ("limits.send_timeout_seconds", limits.send_timeout.as_secs(), 1, "from 1 to 1000000"),
        ];
        match needs.into_iter().find(|(_, found, least, _)| !(*least..=1_000_000).contains(found)) {
            Some((key, found, _, allowed)) => Err(ConfigError::Value { key, found: found.to_string(), allowed }),
            None => Ok(limits),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            operators_listen: None,
            install_documents: PathBuf::from("install"),
            repositories: Vec::new(),
            folders: Vec::new(),
            reports: None,
            limits: Limits::default(),
            cache: CacheSettings { memory_bytes: 64 << 20, transfer_memory_bytes: 64 << 20 },
            log: LogSettings { format: LogFormat::Text, level: "info".to_owned(), requests: false },
            shutdown_grace: Duration::from_secs(30),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_connections: 8192,
            max_connections_per_address: 256,
            unlimited_addresses: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            max_header_bytes: 16 << 10,
            max_headers: 64,
            max_body_bytes: 64 << 10,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            send_timeout: Duration::from_secs(30),
            min_send_bytes_per_second: 512,
            max_publish_bytes: 4 << 30,
            min_publish_bytes_per_second: 4096,
        }
    }
}

#[cfg(test)]
mod tests;
