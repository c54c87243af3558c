//! A proposal as a file that can be carried: to the machine that holds the keys, and back (`docs/format.md` section 9).
//!
//! It holds everything that a signer has to see: the roles to sign, the documents that they list, and the roles as they were. It holds no secret, and nothing in it is believed
//! when it is committed but the signatures.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::disk::{self, failed};
use super::proposal::Proposal;
use super::{PublishError, bundle};
use crate::canonical;
use crate::channel::FORMAT;
use crate::digest::Digest;
use crate::json;
use crate::name::Name;
use crate::signed::Envelope;

/// Longest request, in bytes: a root, a targets role, five OS roles and their documents.
pub const LIMIT_BYTES: u64 = 64 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Wire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    repository: Name,
    base: BTreeMap<String, u64>,
    before: BTreeMap<String, Envelope>,
    roles: BTreeMap<String, Envelope>,
    documents: BTreeMap<String, String>,
    replaced: BTreeMap<String, String>,
}

/// The request as bytes.
pub(super) fn to_bytes(proposal: &Proposal) -> Result<Vec<u8>, PublishError> {
    let Proposal { repository, base, before, roles, documents, replaced, .. } = proposal.clone();
    // Documents are JSON and thus UTF-8; one that were not would not be the one that its role lists.
    let text = |documents: BTreeMap<String, Vec<u8>>| {
        documents.into_iter().map(|(path, bytes)| (path, String::from_utf8_lossy(&bytes).into_owned())).collect()
    };
    let (documents, replaced) = (text(documents), text(replaced));
    let wire = Wire { format: FORMAT, document: "signing-request".to_owned(), repository, base, before, roles, documents, replaced };
    Ok(canonical::to_stored(&wire)?)
}

/// Writes the request to `file`, durably and whole or not at all.
pub fn write(file: &Path, proposal: &Proposal) -> Result<(), PublishError> {
    Ok(disk::write_beside(file, &to_bytes(proposal)?)?)
}

/// Reads the request in `file`, a request or a bundle, without believing it.
pub fn read(file: &Path) -> Result<Proposal, PublishError> {
    let bytes = match bundle::open(file)? {
        Some(mut bundle) => bundle.request()?,
        None => {
            let length = std::fs::metadata(file).map_err(failed("find", file))?.len();
            if length > LIMIT_BYTES {
                return Err(malformed(file, "it is too long".to_owned()));
            }
            std::fs::read(file).map_err(failed("read", file))?
        }
    };
    parse(&bytes).map_err(|reason| malformed(file, reason))
}

fn malformed(file: &Path, reason: String) -> PublishError {
    PublishError::NotARequest { file: file.to_owned(), reason }
}

/// Reads a request. The documents must be those that its roles list.
pub(super) fn parse(bytes: &[u8]) -> Result<Proposal, String> {
    let limit = usize::try_from(LIMIT_BYTES).unwrap_or(usize::MAX);
    let format = json::format_of(bytes, limit).map_err(|error| error.to_string())?;
    if format != FORMAT {
        return Err(format!("it has format {format}; this program reads format {FORMAT}"));
    }
    let wire: Wire = json::from_slice(bytes, limit).map_err(|error| error.to_string())?;
    if wire.document != "signing-request" {
        return Err("its type is not `signing-request`".to_owned());
    }
    let Wire { repository, base, before, roles, documents, replaced, .. } = wire;
    let bytes = |documents: BTreeMap<String, String>| -> BTreeMap<String, Vec<u8>> {
        documents.into_iter().map(|(path, text)| (path, text.into_bytes())).collect()
    };
    let (documents, replaced) = (bytes(documents), bytes(replaced));
    let proposal = Proposal { repository, base, before, roles, documents, replaced, renews_snapshot: true };
    if let Some(known) = proposal.roles.keys().find(|role| !proposal.may_hold(role)) {
        return Err(format!("it holds a role `{}`, which nobody signs by request", known.escape_debug()));
    }
    let new = proposal.documents.iter().find(|(path, bytes)| proposal.lists(path) != Some(Digest::of(bytes)));
    let old = proposal.replaced.iter().find(|(path, bytes)| proposal.listed_before(path) != Some(Digest::of(bytes)));
    // Nor may one be left out, or a signer would not see what changes.
    if let Some(path) = proposal.changed_paths().into_iter().find(|path| !proposal.documents.contains_key(path)) {
        return Err(format!("the document `{}` changes, but is not in it", path.escape_debug()));
    }
    if let Some(path) = proposal.lost_paths().into_iter().next() {
        return Err(format!("`{}` would no longer be listed, which this program never does", path.escape_debug()));
    }
    match new.or(old) {
        Some((path, _)) => Err(format!("the document `{}` is not the one that its role lists", path.escape_debug())),
        None => Ok(proposal),
    }
}
