//! Channel documents, and what a station would decide by them.

use manifests::channel::{ChannelDocument, Place};
use manifests::decide::{Facts, Installed, Verdict, decide};
use manifests::name::ChannelId;
use manifests::policy::Policy;

use crate::judge;
use crate::samples::{self, LIMIT};
use crate::script::{Script, is_document};

/// Reads a channel document: as it is, or edits to a valid one.
pub fn channel(data: &[u8]) -> bool {
    let id = ChannelId::from_target_path(samples::CHANNEL_PATH).expect("a channel");
    let bytes = if is_document(data) { data.to_vec() } else { samples::edited(samples::CHANNEL, &mut Script::new(data)) };
    let document = match ChannelDocument::parse(&bytes, &id, LIMIT) {
        Ok(document) => document,
        Err(error) => {
            judge::assert_readable(&error);
            return false;
        }
    };
    assert_eq!(document.id, id, "a document is about what was asked for");
    let listed: Vec<u64> = document.releases.iter().map(|release| release.sequence).collect();
    let unavailable: Vec<u64> = document.unavailable.iter().map(|release| release.sequence).collect();
    assert!(listed.len() + unavailable.len() <= 1000);
    assert!((1..1 << 53).contains(&document.epoch) && document.last_sequence < 1 << 53);
    for sequences in [&listed, &unavailable] {
        assert!(sequences.windows(2).all(|pair| pair[0] > pair[1]), "newest first, each once: {sequences:?}");
        assert!(sequences.iter().all(|sequence| (1..=document.last_sequence).contains(sequence)));
    }
    assert!(!listed.iter().any(|sequence| unavailable.contains(sequence)));
    for release in &document.releases {
        release.entry_point.iter().for_each(|path| judge::assert_stays_inside(path.as_str()));
        assert!(release.notes.as_ref().is_none_or(|notes| notes.len() <= 4096));
        assert!(release.approver.as_ref().is_none_or(|approver| approver.len() <= 256));
    }
    document.unavailable.iter().for_each(|release| judge::assert_readable(&release.reason));
    // What we did not understand is not written again.
    let again = document.to_bytes().expect("it can be written");
    let again = ChannelDocument::parse(&again, &id, u64::MAX).expect("what we write we read");
    assert_eq!(again, ChannelDocument { unavailable: vec![], ..document.clone() });
    decisions(&document);
    true
}

/// Whatever a document says, nothing is offered that is withdrawn, not newer, or an older build that is no way back.
fn decisions(document: &ChannelDocument) {
    let policy = Policy::new("acme".parse().expect("a name"));
    let bare = decide(document, &policy, &Facts::default());
    judge_offer(&bare.verdict, document, None);
    for release in document.releases.iter().take(4) {
        let installed = Installed { place: document.place(release), build: &release.build, manifest: release.manifest.sha256 };
        let facts = Facts { installed: Some(installed), highest: Some(installed.place), ..Facts::default() };
        let decision = decide(document, &policy, &facts);
        judge_offer(&decision.verdict, document, Some(&installed));
        assert!(decision.passed_over.iter().all(|passed| passed.sequence > release.sequence), "only what is newer is passed over");
    }
}

fn judge_offer(verdict: &Verdict<'_>, document: &ChannelDocument, installed: Option<&Installed<'_>>) {
    let (Verdict::Offer(release) | Verdict::Renumber(release)) = verdict else { return };
    assert!(release.withdrawn.is_none(), "{release:?}");
    if let Some(installed) = installed {
        assert!(Place(document.epoch, release.sequence) > installed.place, "{release:?}");
        let older = release.build.compare(installed.build).is_none_or(|order| order.is_lt());
        assert!(release.allow_downgrade || !older, "{release:?}");
    }
}
