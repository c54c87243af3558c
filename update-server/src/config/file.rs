//! What a configuration file says: every key optional, unknown keys refused by name. Nothing but [`super::Settings`] is seen by the rest.

use std::net::IpAddr;
use std::path::PathBuf;

use manifests::digest::Digest;
use manifests::name::Name;
use serde::Deserialize;

/// A configuration file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) listen: Option<String>,
    pub(crate) operators_listen: Option<String>,
    pub(crate) install_documents: Option<PathBuf>,
    #[serde(default)]
    pub(crate) repository: Vec<RepositoryTable>,
    #[serde(default)]
    pub(crate) folder: Vec<super::folder::FolderTable>,
    #[serde(default)]
    pub(crate) reports: super::reports::ReportsTable,
    #[serde(default)]
    pub(crate) limits: LimitsTable,
    #[serde(default)]
    pub(crate) cache: CacheTable,
    #[serde(default)]
    pub(crate) log: LogTable,
    #[serde(default)]
    pub(crate) shutdown: ShutdownTable,
}

/// One `[[repository]]`; name and path are needed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepositoryTable {
    pub(crate) name: Name,
    pub(crate) path: PathBuf,
    pub(crate) keys: Option<PathBuf>,
    pub(crate) passphrase_file: Option<PathBuf>,
    pub(crate) refresh: Option<bool>,
    pub(crate) refresh_every_hours: Option<u64>,
    pub(crate) refresh_all_roles: Option<bool>,
    #[serde(default)]
    pub(crate) publish_tokens: Vec<Digest>,
}

/// `[limits]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsTable {
    pub(crate) max_connections: Option<usize>,
    pub(crate) max_connections_per_address: Option<usize>,
    pub(crate) unlimited_addresses: Option<Vec<IpAddr>>,
    pub(crate) max_header_bytes: Option<usize>,
    pub(crate) max_headers: Option<usize>,
    pub(crate) max_body_bytes: Option<u64>,
    pub(crate) header_timeout_seconds: Option<u64>,
    pub(crate) idle_timeout_seconds: Option<u64>,
    pub(crate) send_timeout_seconds: Option<u64>,
    pub(crate) min_send_bytes_per_second: Option<u64>,
    pub(crate) max_publish_bytes: Option<u64>,
    pub(crate) min_publish_bytes_per_second: Option<u64>,
}

/// `[cache]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CacheTable {
    pub(crate) memory_bytes: Option<usize>,
    pub(crate) transfer_memory_bytes: Option<usize>,
}

/// `[log]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogTable {
    pub(crate) format: Option<super::LogFormat>,
    pub(crate) level: Option<String>,
    pub(crate) requests: Option<bool>,
}

/// `[shutdown]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShutdownTable {
    pub(crate) grace_seconds: Option<u64>,
}
