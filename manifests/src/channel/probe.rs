//! How a release is proved on a station, and its three forms in the channel document.

use serde::{Deserialize, Serialize};

use crate::path::RelPath;

/// How to find out whether a release lives once it is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// A file is there.
    File(RelPath),
    /// A command ends with success within the time.
    Command {
        /// Program (relative to the install) and arguments.
        command: Vec<String>,
        /// Seconds it may take.
        timeout_seconds: u64,
    },
    /// The client is still running after this many seconds.
    Alive {
        /// The seconds.
        seconds: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProbeWire {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    file: Option<RelPath>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    command: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    timeout_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    alive_seconds: Option<u64>,
}

impl Serialize for Probe {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut wire = ProbeWire { file: None, command: None, timeout_seconds: None, alive_seconds: None };
        match self {
            Probe::File(path) => wire.file = Some(path.clone()),
            Probe::Command { command, timeout_seconds } => {
                wire.command = Some(command.clone());
                wire.timeout_seconds = Some(*timeout_seconds);
            }
            Probe::Alive { seconds } => wire.alive_seconds = Some(*seconds),
        }
        wire.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Probe {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = ProbeWire::deserialize(deserializer)?;
        match (wire.file, wire.command, wire.timeout_seconds, wire.alive_seconds) {
            (Some(path), None, None, None) => Ok(Probe::File(path)),
            (None, Some(command), Some(timeout_seconds), None) if !command.is_empty() => Ok(Probe::Command { command, timeout_seconds }),
            (None, None, None, Some(seconds)) => Ok(Probe::Alive { seconds }),
            _ => Err(serde::de::Error::custom("a probe is one of file, command with timeout_seconds, alive_seconds")),
        }
    }
}
