//! Configuration in two stages: a file says what it likes, all optional; [`Settings`] are complete and valid, and the only thing that the rest
//! of the server sees. `server.example.toml` documents every key and is compared with the defaults by a test.

mod file;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use manifests::name::Name;
use serde::Deserialize;

use file::File;

/// Everything that the server can be told, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The folder of install documents.
    pub install_documents: PathBuf,
    /// The repositories, no name twice.
    pub repositories: Vec<RepositorySettings>,
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
}

/// Every bound on what a client can make the server hold or wait for (attacks C2, C10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections served at once; more wait in the listening socket.
    pub max_connections: usize,
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
        let listen = match file.listen {
            None => defaults.listen,
            Some(text) => text.parse().map_err(|_| ConfigError::Value {
                key: "listen",
                found: format!("`{text}`"),
                allowed: "an address and port such as `127.0.0.1:8080` or `[::]:8080`",
            })?,
        };
        let mut repositories: Vec<RepositorySettings> = Vec::new();
        for table in file.repository {
            if repositories.iter().any(|known| known.name == table.name) {
                return Err(ConfigError::RepeatedRepository(table.name));
            }
            repositories.push(RepositorySettings { name: table.name, path: folder.join(table.path) });
        }
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
            install_documents: folder.join(file.install_documents.unwrap_or(defaults.install_documents)),
            repositories,
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

impl Limits {
    fn resolve(table: file::LimitsTable) -> Result<Limits, ConfigError> {
        let defaults = Limits::default();
        let limits = Limits {
            max_connections: table.max_connections.unwrap_or(defaults.max_connections),
            max_header_bytes: table.max_header_bytes.unwrap_or(defaults.max_header_bytes),
            max_headers: table.max_headers.unwrap_or(defaults.max_headers),
            max_body_bytes: table.max_body_bytes.unwrap_or(defaults.max_body_bytes),
            header_timeout: table.header_timeout_seconds.map_or(defaults.header_timeout, Duration::from_secs),
            idle_timeout: table.idle_timeout_seconds.map_or(defaults.idle_timeout, Duration::from_secs),
            send_timeout: table.send_timeout_seconds.map_or(defaults.send_timeout, Duration::from_secs),
            min_send_bytes_per_second: table.min_send_bytes_per_second.unwrap_or(defaults.min_send_bytes_per_second),
        };
        let needs = [
            ("limits.max_connections", limits.max_connections as u64, 1, "from 1 to 1000000"),
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
            install_documents: PathBuf::from("install"),
            repositories: Vec::new(),
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
            max_header_bytes: 16 << 10,
            max_headers: 64,
            max_body_bytes: 64 << 10,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            send_timeout: Duration::from_secs(30),
            min_send_bytes_per_second: 512,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../server.example.toml");

    fn parse(text: &str) -> Result<Settings, ConfigError> {
        let file = toml::from_str(text).map_err(|source| ConfigError::Syntax { path: "test.toml".into(), source: Box::new(source) })?;
        Settings::resolve(file, Path::new(""))
    }

    #[test]
    fn the_example_shows_the_defaults() {
        assert_eq!(parse(EXAMPLE).unwrap(), Settings::default());
        assert_eq!(parse("").unwrap(), Settings::default());
    }

    /// The patterns have no `..`, so a new setting does not compile until it is here, and then fails until the example has it.
    #[test]
    fn the_example_has_every_setting() {
        let File { listen, install_documents, repository, limits, cache, log, shutdown } = toml::from_str(EXAMPLE).unwrap();
        assert!(listen.is_some() && install_documents.is_some() && repository.is_empty());
        let file::LimitsTable {
            max_connections,
            max_header_bytes,
            max_headers,
            max_body_bytes,
            header_timeout_seconds,
            idle_timeout_seconds,
            send_timeout_seconds,
            min_send_bytes_per_second,
        } = limits;
        assert!(max_connections.is_some() && max_header_bytes.is_some() && max_headers.is_some() && max_body_bytes.is_some());
        assert!(header_timeout_seconds.is_some() && idle_timeout_seconds.is_some());
        assert!(send_timeout_seconds.is_some() && min_send_bytes_per_second.is_some());
        let file::CacheTable { memory_bytes, transfer_memory_bytes } = cache;
        assert!(memory_bytes.is_some() && transfer_memory_bytes.is_some());
        let file::LogTable { format, level, requests } = log;
        assert!(format.is_some() && level.is_some() && requests.is_some());
        let file::ShutdownTable { grace_seconds } = shutdown;
        assert!(grace_seconds.is_some());
    }

    #[test]
    fn every_key_of_the_example_has_its_description_above() {
        let lines: Vec<&str> = EXAMPLE.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.trim_start_matches("# ").contains(" = ")) {
            assert!(at > 0 && lines[at - 1].starts_with("# ") && !lines[at - 1].contains(" = "), "`{line}` has no description");
        }
    }

    #[test]
    fn the_commented_repository_of_the_example_is_one() {
        let block = EXAMPLE.lines().filter_map(|line| line.strip_prefix("# "));
        let block: Vec<&str> =
            block.filter(|line| line.starts_with("[[") || line.starts_with("name =") || line.starts_with("path =")).collect();
        let settings = parse(&block.join("\n")).unwrap();
        assert_eq!(settings.repositories[0].name.as_str(), "acme");
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        for (text, name) in [
            ("lisen = \"127.0.0.1:1\"", "lisen"),
            ("[limits]\nmax_conections = 1", "max_conections"),
            ("[[repository]]\nname = \"a\"\npath = \"b\"\nkeys = \"c\"", "keys"),
            ("[cache]\nmemory = 1", "memory"),
        ] {
            assert!(parse(text).unwrap_err().to_string().contains(&format!("`{name}`")), "{text}");
        }
    }

    #[test]
    fn values_that_cannot_work_are_refused_with_their_key() {
        for (text, key) in [
            ("listen = \"localhost\"", "listen"),
            ("[limits]\nmax_connections = 0", "limits.max_connections"),
            ("[limits]\nmax_header_bytes = 100", "limits.max_header_bytes"),
            ("[limits]\nsend_timeout_seconds = 0", "limits.send_timeout_seconds"),
            ("[log]\nlevel = \"update_server=loud\"", "log.level"),
            ("[log]\nformat = \"xml\"", "xml"),
            ("[[repository]]\nname = \"../x\"\npath = \"x\"", "../x"),
            ("[[repository]]\nname = \"a\"", "path"),
            ("[[repository]]\nname = \"a\"\npath = \"x\"\n[[repository]]\nname = \"a\"\npath = \"y\"", "two repositories"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(key), "{text}: {error}");
        }
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let file = toml::from_str("[[repository]]\nname = \"a\"\npath = \"repo\"").unwrap();
        let settings = Settings::resolve(file, Path::new("/etc/stationmaster")).unwrap();
        assert_eq!(settings.repositories[0].path, Path::new("/etc/stationmaster/repo"));
        assert_eq!(settings.install_documents, Path::new("/etc/stationmaster/install"));
    }
}
