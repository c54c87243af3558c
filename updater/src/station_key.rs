//! `station.key`: the key by which a server knows an install again, made when it is first needed.
//!
//! It signs reports and nothing else, so that whoever steals it can tell a server wrong things of this one install, and install nothing. It is readable by the owner of the state alone; in the
//! profile `service` that is root. A key that is lost or damaged is made anew: then the server sees another station, and no report is kept from it.

use manifests::channel::FORMAT;
use manifests::json;
use manifests::signer::Ed25519Signer;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::fs::{Folder, FsError, LocalPath, Point};

/// Longest file that is read, in bytes.
const LIMIT_BYTES: usize = 4096;

/// There is no key.
#[derive(Debug, thiserror::Error)]
pub enum StationKeyError {
    /// The system has no randomness.
    #[error("make the station's key: the system gives no random numbers")]
    Randomness,
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

#[derive(Serialize, Deserialize)]
struct Wire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    seed: String,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

fn path() -> LocalPath {
    LocalPath::state("station.key")
}

/// The key of the install in `folder`, made durably where there is none.
pub fn load_or_make(folder: &Folder) -> Result<Ed25519Signer, StationKeyError> {
    let stored = folder.read(&path())?.map(Zeroizing::new);
    if let Some(seed) = stored.as_ref().and_then(|bytes| parse(bytes)) {
        return Ok(Ed25519Signer::from_seed(&seed));
    }
    if stored.is_some() {
        tracing::warn!("the station's key is damaged and is made anew; its server will take this for another station");
    }
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|_| StationKeyError::Randomness)?;
    let wire = Wire { format: FORMAT, document: "station-key".into(), seed: hex::encode(*seed) };
    // Text and numbers only: nothing in it can fail to serialise.
    let bytes = Zeroizing::new(serde_json::to_vec(&wire).unwrap_or_default());
    folder.write_private(&path(), &bytes, Point::StationKey)?;
    Ok(Ed25519Signer::from_seed(&seed))
}

fn parse(bytes: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let wire: Wire = json::from_slice(bytes, LIMIT_BYTES).ok()?;
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(&wire.seed, &mut *seed).ok()?;
    (wire.format == FORMAT && wire.document == "station-key").then_some(seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifests::signer::Signer as _;

    fn folder() -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        folder.make_state_folders().unwrap();
        (place, folder)
    }

    #[test]
    fn an_install_keeps_its_key_and_two_have_two() {
        let ((_one, first), (_other, second)) = (folder(), folder());
        let key = load_or_make(&first).unwrap().key_id();
        assert_eq!(load_or_make(&first).unwrap().key_id(), key);
        assert_ne!(load_or_make(&second).unwrap().key_id(), key);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_but_its_owner_reads_it() {
        let (_place, folder) = folder();
        load_or_make(&folder).unwrap();
        assert_eq!(folder.stat(&path()).unwrap().unwrap().mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_keeps_no_report_from_its_server() {
        let (_place, folder) = folder();
        for damaged in [&b""[..], b"{}", br#"{"format":0,"type":"station-key","seed":"12"}"#] {
            folder.write_private(&path(), damaged, Point::StationKey).unwrap();
            let key = load_or_make(&folder).unwrap().key_id();
            assert_eq!(load_or_make(&folder).unwrap().key_id(), key);
        }
    }
}
