//! The digests of what a station trusts: to be compared with those of its neighbours.
//!
//! A server, a relay or a thief of an OS key can give one station something else than all others (attack C14), every byte of it validly signed. The station alone cannot know; whoever holds two of
//! these lists side by side can. So each file is named by the digest of its exact bytes, whatever can be made of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use manifests::digest::Digest;
use manifests::role::HasHeader as _;
use manifests::root::Root;
use manifests::snapshot::Snapshot;
use manifests::targets::Targets;
use manifests::time::UtcTime;
use manifests::timestamp::Timestamp;
use manifests::trust::TARGETS;
use serde::{Deserialize, Serialize};

use crate::fs::Folder;
use crate::installed::Installed;
use crate::station::Station;
use crate::trust_store::{StoreError, TrustStore};

/// One file that is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrustedFile {
    /// Digest of its bytes.
    pub sha256: Digest,
    /// Its version; documents that are named by their hash have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// When it expires, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<UtcTime>,
}

/// What the station in `folder` trusts, by role: `root`, `timestamp`, `snapshot`, `targets`, the role that releases its channel by its name, the documents `policy` and `channel`, and `manifest`, that of the installed
/// release. What is not there is not listed.
pub fn trusted(
    folder: &Arc<Folder>,
    station: &Station,
    installed: Option<&Installed>,
) -> Result<BTreeMap<String, TrustedFile>, StoreError> {
    let (roles, documents) = (TrustStore::of_content(Arc::clone(folder)), TrustStore::of_documents(Arc::clone(folder)));
    let mut found = BTreeMap::new();
    let releasing = roles.load(TARGETS)?.and_then(|targets| releasing_role(&targets, &station.channel_id().target_path()));
    let delegated = releasing.unwrap_or_else(|| station.os.to_string());
    for role in [Root::KIND, Timestamp::KIND, Snapshot::KIND, TARGETS, delegated.as_str()] {
        if let Some(bytes) = roles.load(role)? {
            let header = header(&bytes);
            let (version, expires) = (header.as_ref().map(|header| header.version), header.map(|header| header.expires));
            found.insert(role.to_owned(), TrustedFile { sha256: Digest::of(&bytes), version, expires });
        }
    }
    for document in ["policy", "channel"] {
        if let Some(bytes) = documents.load(document)? {
            found.insert(document.to_owned(), TrustedFile { sha256: Digest::of(&bytes), version: None, expires: None });
        }
    }
    if let Some(installed) = installed {
        found.insert("manifest".to_owned(), TrustedFile { sha256: installed.release.manifest, version: None, expires: None });
    }
    Ok(found)
}

/// Whose releases the channel at `path` has, by the stored targets: the role of the OS, or that of a folder that publishes itself.
fn releasing_role(targets: &[u8], path: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Envelope {
        signed: Targets,
    }
    let targets = serde_json::from_slice::<Envelope>(targets).ok()?.signed;
    targets.delegations?.first_for(path).map(|role| role.name.clone())
}

#[derive(Deserialize)]
struct Shown {
    version: u64,
    expires: UtcTime,
}

/// Version and expiry as the file says them. It was verified before it was stored; a damaged one is told by its digest.
fn header(bytes: &[u8]) -> Option<Shown> {
    #[derive(Deserialize)]
    struct Envelope {
        signed: Shown,
    }
    serde_json::from_slice::<Envelope>(bytes).ok().map(|envelope| envelope.signed)
}
