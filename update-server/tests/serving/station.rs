//! What a station sees: every role verified from a root that it trusts, down to a channel document.

use std::sync::Arc;

use manifests::channel::ChannelDocument;
use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::name::ChannelId;
use manifests::time::UtcTime;
use manifests::trust::{Origin, Search, SearchStep, TrustedSet};

use crate::client::Client;

/// The bytes of a file that must be there.
pub(crate) async fn get(client: &mut Client, path: &str) -> Vec<u8> {
    let answer = client.request("GET", path, "").await;
    assert_eq!(answer.status, 200, "{path}");
    answer.body
}

/// The document of the channel `id` in the repository at `base`, `/repo/NAME/`, trusting the root in `root`.
pub(crate) async fn channel(client: &mut Client, base: &str, root: &[u8], id: &ChannelId, now: UtcTime) -> ChannelDocument {
    let limits = Limits::default();
    let mut trusted = TrustedSet::new(root, now, Arc::new(Ed25519Verifier), limits.clone()).unwrap();
    trusted.update_timestamp(&get(client, &format!("{base}metadata/timestamp.json")).await, Origin::Source).unwrap();
    let version = trusted.expected_snapshot().unwrap().version;
    trusted.update_snapshot(&get(client, &format!("{base}metadata/{version}.snapshot.json")).await, Origin::Source).unwrap();
    let version = trusted.expected_targets("targets").unwrap().version;
    trusted.update_targets(&get(client, &format!("{base}metadata/{version}.targets.json")).await).unwrap();
    let path = id.target_path();
    let mut search = Search::new(&path);
    let target = loop {
        match search.step(&trusted).unwrap() {
            SearchStep::Need(need) => {
                let version = trusted.expected_targets(&need.role).unwrap().version;
                let bytes = get(client, &format!("{base}metadata/{version}.{}.json", need.role)).await;
                trusted.update_delegated(&bytes, &need).unwrap();
            }
            SearchStep::Found { target, .. } => break target,
            SearchStep::NotFound => panic!("no {path}"),
        }
    };
    let (folder, file) = path.rsplit_once('/').unwrap();
    let document = get(client, &format!("{base}targets/{folder}/{}.{file}", target.hashes.get_sha256().unwrap())).await;
    assert!(target.match_bytes(&document));
    ChannelDocument::parse(&document, id, limits.document_bytes).unwrap()
}
