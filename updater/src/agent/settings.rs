//! `agent.toml`: what the agent allows. Only root writes it; without it the defaults hold (`updater/packaging/agent.toml` says each).

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::AgentError;
use crate::fs::owners::{self, Owners};
use crate::profile::registry;

/// Where the settings are unless somebody says otherwise.
pub fn file() -> PathBuf {
    if cfg!(windows) { registry::system().join("agent.toml") } else { "/etc/stationmaster/agent.toml".into() }
}

/// What the agent goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Who may bring a client to what is offered.
    pub update: WhoUpdates,
    /// The groups that may, where not everybody does.
    pub update_groups: Vec<String>,
    /// The groups that may do what root may.
    pub admin_groups: Vec<String>,
    /// Most connections at a time.
    pub connections: usize,
    /// Most connections at a time of one account.
    pub connections_per_account: usize,
}

/// Who may bring a client to what is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhoUpdates {
    /// Whoever works at the computer.
    Everybody,
    /// Members of `update_groups`.
    Members,
}

/// The file: everything may be missing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    update: Option<WhoUpdates>,
    #[serde(default)]
    update_groups: Vec<String>,
    #[serde(default)]
    admin_groups: Vec<String>,
    connections: Option<usize>,
    connections_per_account: Option<usize>,
}

impl Default for Settings {
    fn default() -> Settings {
        let (update_groups, admin_groups) = (vec![], vec![]);
        Settings { update: WhoUpdates::Everybody, update_groups, admin_groups, connections: 32, connections_per_account: 4 }
    }
}

impl Settings {
    /// Reads the text of the file.
    pub fn parse(text: &str) -> Result<Settings, String> {
        let SettingsFile { update, update_groups, admin_groups, connections, connections_per_account } =
            toml::from_str(text).map_err(|error| error.to_string())?;
        let defaults = Settings::default();
        let settings = Settings {
            update: update.unwrap_or(defaults.update),
            update_groups,
            admin_groups,
            connections: connections.unwrap_or(defaults.connections),
            connections_per_account: connections_per_account.unwrap_or(defaults.connections_per_account),
        };
        if settings.update == WhoUpdates::Members && settings.update_groups.is_empty() {
            return Err("`update = \"members\"` needs `update_groups`: without one nobody could update".into());
        }
        if settings.connections == 0 || settings.connections_per_account == 0 {
            return Err("`connections` and `connections_per_account` are at least 1".into());
        }
        Ok(settings)
    }

    /// Reads the file at `path`, which only root may be able to write; the defaults where there is none.
    pub fn load(path: &Path) -> Result<Settings, AgentError> {
        let unusable = |reason: String| AgentError::Settings { path: path.to_owned(), reason };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Settings::default()),
            Err(error) => return Err(unusable(error.to_string())),
        };
        let path = owners::canonical(path)?;
        let owners = Owners::here();
        let mut found = path.parent().map_or(Ok(vec![]), |folder| owners::exposed(folder, owners))?;
        found.extend(owners::exposed_file(&path, owners)?);
        if !found.is_empty() {
            return Err(AgentError::Exposed(found));
        }
        Settings::parse(&text).map_err(unusable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_what_holds_without_one() {
        let shipped = include_str!("../../packaging/agent.toml");
        assert_eq!(Settings::parse(shipped).unwrap(), Settings::default());
        // What is commented out are settings as well.
        let uncommented = shipped.lines().map(|line| line.strip_prefix("# ").filter(|line| line.contains(" = ")).unwrap_or(line));
        let settings = Settings::parse(&uncommented.collect::<Vec<_>>().join("\n")).unwrap();
        assert_eq!((settings.update_groups, settings.admin_groups), (vec!["tills".to_owned()], vec!["it".to_owned()]));
    }

    #[test]
    fn what_is_not_a_setting_is_refused() {
        for text in ["updates = \"everybody\"", "update = \"nobody\"", "update = \"members\"", "connections = 0", "admin_groups = \"it\""] {
            assert!(Settings::parse(text).is_err(), "{text}");
        }
    }
}
