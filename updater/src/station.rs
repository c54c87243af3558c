//! `station.json`: what a folder follows.

use manifests::channel::FORMAT;
use manifests::json::{self, JsonError};
use manifests::name::{Arch, ChannelId, Name, Os, Variant};
use manifests::time::UtcTime;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::fs::{Folder, FsError, LocalPath, Point};

/// Longest file that is read, in bytes.
const LIMIT_BYTES: usize = 1 << 20;

/// What a folder follows (`docs/format.md` section 10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    /// The product.
    pub product: Name,
    /// The OS of the tree, which need not be that of the machine.
    pub os: Os,
    /// The instruction set.
    pub arch: Arch,
    /// The variant.
    pub variant: Option<Variant>,
    /// The channel.
    pub channel: Name,
    /// Where the content repository is; ends in `/`.
    pub repository: Url,
    /// The name of the content repository.
    pub name: Name,
    /// The ETag of the trusted timestamp.
    pub etag: Option<String>,
    /// When the last check was completed.
    pub checked: Option<UtcTime>,
    /// When the server last said that it takes no reports.
    pub reports_refused: Option<UtcTime>,
}

/// `station.json` cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StationError {
    /// It is there, but damaged.
    #[error("`.updater/station.json` is damaged ({reason}): run `updater install` again with the install link")]
    Damaged {
        /// How.
        reason: String,
    },
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

#[derive(Serialize, Deserialize)]
struct StationWire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    product: Name,
    os: Os,
    arch: Arch,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant: Option<Variant>,
    channel: Name,
    repository: String,
    name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checked: Option<UtcTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reports_refused: Option<UtcTime>,
}

impl Station {
    fn path() -> LocalPath {
        LocalPath::state("station.json")
    }

    /// Reads the document.
    pub fn parse(bytes: &[u8]) -> Result<Station, StationError> {
        let damaged = |reason: String| StationError::Damaged { reason };
        let wire: StationWire = json::from_slice(bytes, LIMIT_BYTES).map_err(|error: JsonError| damaged(error.to_string()))?;
        if wire.format != FORMAT || wire.document != "station" {
            return Err(damaged(format!("it has type `{}` and format {}", manifests::quote::quoted(&wire.document, 80), wire.format)));
        }
        let repository = Url::parse(&wire.repository).map_err(|error| damaged(format!("repository: {error}")))?;
        if !repository.path().ends_with('/') || repository.cannot_be_a_base() {
            return Err(damaged("the repository's URL does not end in `/`".into()));
        }
        let StationWire { product, os, arch, variant, channel, name, etag, checked, reports_refused, .. } = wire;
        Ok(Station { product, os, arch, variant, channel, repository, name, etag, checked, reports_refused })
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Station { product, os, arch, variant, channel, repository, name, etag, checked, reports_refused } = self.clone();
        let (format, document, repository) = (FORMAT, "station".to_owned(), repository.to_string());
        let wire = StationWire { format, document, product, os, arch, variant, channel, repository, name, etag, checked, reports_refused };
        // Text and numbers only: nothing in it can fail to serialise.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// What `folder` follows; `None` when it follows nothing.
    pub fn load(folder: &Folder) -> Result<Option<Station>, StationError> {
        folder.read(&Self::path())?.map(|bytes| Station::parse(&bytes)).transpose()
    }

    /// Stores it durably; with a password in the repository's address, for the owner's eyes alone (F15).
    pub fn save(&self, folder: &Folder) -> Result<(), StationError> {
        let has_secret = !self.repository.username().is_empty() || self.repository.password().is_some();
        let write = if has_secret { Folder::write_private } else { Folder::write_durably };
        Ok(write(folder, &Self::path(), &self.to_bytes(), Point::StationFile)?)
    }

    /// The channel document that it follows.
    pub fn channel_id(&self) -> ChannelId {
        let Station { product, os, arch, variant, channel, .. } = self.clone();
        ChannelId { product, os, arch, variant, channel }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"{"format":0,"type":"station","product":"smartclient","os":"windows","arch":"x86_64","variant":"imMW_Face","channel":"stable","repository":"http://127.0.0.1:8080/repo/acme/","name":"acme","etag":"\"5\"","checked":"2026-11-21T10:00:00Z"}"#;

    #[test]
    fn what_is_written_reads_back() {
        let station = Station::parse(SAMPLE.as_bytes()).unwrap();
        assert_eq!(Station::parse(&station.to_bytes()).unwrap(), station);
        assert_eq!(station.to_bytes(), SAMPLE.as_bytes());
    }

    #[test]
    fn damage_is_named() {
        for damaged in ["", &SAMPLE[..100], "{}", &SAMPLE.replace("acme/\"", "acme\""), &SAMPLE.replace("http://", "nothing")] {
            assert!(matches!(Station::parse(damaged.as_bytes()), Err(StationError::Damaged { .. })), "{damaged}");
        }
    }
}
