//! Reports of stations: written by strangers, read by administrators.

use manifests::name::ChannelId;
use manifests::report::Report;
use manifests::signed::Envelope;
use manifests::signer::Ed25519Signer;
use serde_json::Value;

use crate::judge;
use crate::samples;
use crate::script::{Script, is_document};

/// Reads a report: a document as it is, or edits to what a station signs, signed again.
pub fn report(data: &[u8]) -> bool {
    let key = Ed25519Signer::from_seed(&[1; 32].into());
    let bytes = if is_document(data) { data.to_vec() } else { edited(&mut Script::new(data), &key) };
    let report = match Report::parse(&bytes) {
        Ok(report) => report,
        Err(error) => {
            judge::assert_readable(&error);
            return false;
        }
    };
    assert!((1..=100).contains(&report.events.len()));
    for event in &report.events {
        assert!(event.channel.as_ref().is_none_or(|channel| ChannelId::from_target_path(channel).is_ok()), "{event:?}");
        let attempt = &event.attempt;
        let builds = [&attempt.from, &attempt.to].into_iter().flatten().map(|at| &at.build);
        for line in [&attempt.host, &attempt.os_user].into_iter().chain(builds).chain(&attempt.approver).chain(&attempt.code) {
            assert!(line.len() <= 256 && !line.chars().any(char::is_control), "{line:?}");
        }
        let detail = attempt.detail.as_deref().unwrap_or_default();
        assert!(detail.len() <= 2048 && !detail.replace(['\n', '\t'], "").chars().any(char::is_control), "{detail:?}");
        assert!(attempt.joined.len() <= 32);
    }
    let again = Report::sign(&report.repository, &report.events, &key).expect("what was read can be signed");
    let again = Report::parse(&again).expect("what we write we read");
    assert_eq!((again.repository, again.events), (report.repository, report.events), "what was accepted is nothing to be cut off");
    true
}

fn edited(script: &mut Script<'_>, key: &Ed25519Signer) -> Vec<u8> {
    let whole: Value = serde_json::from_str(samples::REPORT).expect("a sample is JSON");
    let content = samples::edited(&whole["signed"].to_string(), script);
    let signed = serde_json::from_slice::<Value>(&content).ok().and_then(|content| Envelope::sign(&content, &[key]).ok());
    signed.unwrap_or(content)
}
