//! A report: what a station did, told to its server and signed by the station (S3-24, D-22, AC-74, AC-75; `docs/format.md` section 18).
//!
//! The envelope is that of TUF's roles. The key that signs stands inside of what it signs, so a report proves that all its attempts, and all reports with the same key, come from one holder,
//! and that nobody changed them on the way through proxies and relays. Who that holder is it does not prove: for that somebody has to vouch for the key.
//!
//! What is read here was written by strangers, and ends on an administrator's terminal: every text is bounded and of one line, but `detail`, which may have several. A station brings its own
//! texts into that shape when it signs, so that an odd user name never keeps a failure from being told.

use serde::{Deserialize, Serialize};

use crate::attempt::Attempt;
use crate::channel::FORMAT;
use crate::json;
use crate::key::{Ed25519Verifier, Key, KeyId, Verifier as _};
use crate::name::{ChannelId, Name};
use crate::quote::quoted;
use crate::signed::{Envelope, EnvelopeError};
use crate::signer::Signer;

/// Longest report, in bytes.
pub const LIMIT_BYTES: u64 = 512 * 1024;
/// Most events in one report.
pub const EVENTS: usize = 100;
/// Longest text of one line, in bytes: names of people, computers and builds.
const LINE_BYTES: usize = 256;
/// Longest `detail`, in bytes.
const DETAIL_BYTES: usize = 2048;

/// Most runs that one attempt stands for.
const JOINED: usize = 32;

/// An attempt, and what it was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The path of the channel document that the folder follows; absent when that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub channel: Option<String>,
    /// Whether an administrator is to be told of it: the first failure of its kind since the last one that was told.
    #[serde(default, skip_serializing_if = "is_false")]
    pub alert: bool,
    /// The attempt, as in the station's history.
    pub attempt: Attempt,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A report whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The key of the station.
    pub station: KeyId,
    /// The content repository that the station follows.
    pub repository: Name,
    /// What happened; never empty.
    pub events: Vec<Event>,
}

/// Bytes are no report, or not what their key has signed.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// No envelope, too long, or not signable.
    #[error("the report is malformed: {0}")]
    Envelope(#[from] EnvelopeError),
    /// What is signed has not the shape of a report.
    #[error("the report is malformed: {0}")]
    Malformed(String),
    /// A format that only newer code reads.
    #[error("the report has format {0}, and format {FORMAT} is read here: update the server")]
    Format(u64),
    /// The signature is not that of the key inside.
    #[error("the report is not signed by the key that it names, and by no other")]
    Signature,
    /// It says nothing, or too much at once.
    #[error("the report has {0} events, but must have 1 to {EVENTS}")]
    Events(usize),
    /// A text that nobody should have to read.
    #[error("`{member}` of attempt {id} is too long, or has control characters: {}", quoted(.text, 80))]
    Text {
        /// The attempt.
        id: crate::id::Id,
        /// Which text.
        member: &'static str,
        /// How it begins.
        text: String,
    },
    /// A channel that cannot be.
    #[error("`channel` is no path of a channel document: {}", quoted(.0, 80))]
    Channel(String),
}

#[derive(Serialize, Deserialize)]
struct Wire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    station: Key,
    repository: Name,
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Head {
    format: u64,
    #[serde(rename = "type")]
    document: String,
}

impl Report {
    /// The bytes of a report of `events`, signed by the station's key, with every text as a reader accepts it.
    ///
    /// # Errors
    /// The key's holder did not sign.
    pub fn sign(repository: &Name, events: &[Event], station: &dyn Signer) -> Result<Vec<u8>, EnvelopeError> {
        let wire = Wire {
            format: FORMAT,
            document: "report".into(),
            station: station.key().clone(),
            repository: repository.clone(),
            events: events.iter().cloned().map(fitted).collect(),
        };
        Envelope::sign(&wire, &[station])
    }

    /// Reads a report of at most [`LIMIT_BYTES`], and believes it only if the key inside has signed it.
    ///
    /// # Errors
    /// What is wrong with it, in words that can be shown.
    pub fn parse(bytes: &[u8]) -> Result<Report, ReportError> {
        let envelope = Envelope::parse(bytes, LIMIT_BYTES)?;
        let malformed = |error: serde_json::Error| ReportError::Malformed(json::Malformed::from(error).to_string());
        let head = Head::deserialize(&envelope.signed).map_err(malformed)?;
        if head.format != FORMAT {
            return Err(ReportError::Format(head.format));
        }
        if head.document != "report" {
            return Err(ReportError::Malformed("its type is not `report`".into()));
        }
        let Wire { station, repository, events, .. } = Wire::deserialize(&envelope.signed).map_err(malformed)?;
        let [signature] = envelope.signatures.as_slice() else { return Err(ReportError::Signature) };
        let message = envelope.message().map_err(EnvelopeError::from)?;
        let id = station.id();
        let holds = |signature: &[u8]| Ed25519Verifier.verify(&station, &message, signature);
        if signature.keyid != id || !signature.bytes().is_some_and(|signature| holds(&signature)) {
            return Err(ReportError::Signature);
        }
        if !(1..=EVENTS).contains(&events.len()) {
            return Err(ReportError::Events(events.len()));
        }
        events.iter().try_for_each(check)?;
        Ok(Report { station: id, repository, events })
    }
}

/// Every text of an attempt by its member, with the longest that it may be; whether it may have several lines.
fn texts(attempt: &mut Attempt) -> impl Iterator<Item = (&'static str, &mut String, usize, bool)> {
    let Attempt { id: _, time: _, host, os_user, approver, trigger: _, joined: _, from, to, result: _, code, detail, bytes: _ } = attempt;
    let lines = [
        Some(("host", host)),
        Some(("os_user", os_user)),
        approver.as_mut().map(|text| ("approver", text)),
        from.as_mut().map(|at| ("from", &mut at.build)),
        to.as_mut().map(|at| ("to", &mut at.build)),
        code.as_mut().map(|text| ("code", text)),
    ];
    let lines = lines.into_iter().flatten().map(|(member, text)| (member, text, LINE_BYTES, false));
    lines.chain(detail.as_mut().map(|text| ("detail", text, DETAIL_BYTES, true)))
}

/// Whether `character` may stand in a text.
fn is_plain(character: char, has_lines: bool) -> bool {
    !character.is_control() || (has_lines && matches!(character, '\n' | '\t'))
}

fn check(event: &Event) -> Result<(), ReportError> {
    if let Some(channel) = event.channel.as_ref().filter(|channel| ChannelId::from_target_path(channel).is_err()) {
        return Err(ReportError::Channel(channel.clone()));
    }
    let mut attempt = event.attempt.clone();
    if attempt.joined.len() > JOINED {
        return Err(ReportError::Text { id: attempt.id, member: "joined", text: attempt.triggers() });
    }
    for (member, text, most, has_lines) in texts(&mut attempt) {
        if text.len() > most || !text.chars().all(|character| is_plain(character, has_lines)) {
            return Err(ReportError::Text { id: event.attempt.id, member, text: text.clone() });
        }
    }
    Ok(())
}

/// `event` with texts that [`check`] accepts; what does not fit is cut off, what cannot be shown is marked.
fn fitted(mut event: Event) -> Event {
    event.channel = event.channel.filter(|channel| ChannelId::from_target_path(channel).is_ok());
    event.attempt.joined.truncate(JOINED);
    for (_, text, most, has_lines) in texts(&mut event.attempt) {
        let mut length = 0_usize;
        let shown = text.chars().map(|character| if is_plain(character, has_lines) { character } else { char::REPLACEMENT_CHARACTER });
        let within = |character: &char| {
            length = length.saturating_add(character.len_utf8());
            length <= most
        };
        *text = shown.take_while(within).collect();
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::{BuildAt, Outcome};
    use crate::canonical;
    use crate::id::Id;
    use crate::signer::Ed25519Signer;
    use crate::time::UtcTime;
    use crate::trigger::Trigger;
    use serde_json::{Value, json};
    use zeroize::Zeroizing;

    fn signer(seed: u8) -> Ed25519Signer {
        Ed25519Signer::from_seed(&Zeroizing::new([seed; 32]))
    }

    fn event(id: u8) -> Event {
        let attempt = Attempt {
            id: Id::from_bytes([id; 8]),
            time: UtcTime::from_unix(1_763_683_200),
            host: "till-3".into(),
            os_user: "ana".into(),
            approver: None,
            trigger: Trigger::Update,
            joined: vec![],
            from: Some(BuildAt { build: "1.0.0".into(), sequence: 1 }),
            to: Some(BuildAt { build: "1.1.0".into(), sequence: 2 }),
            result: Outcome::Failed,
            code: Some("no-space".into()),
            detail: Some("two\nlines".into()),
            bytes: Some(5),
        };
        Event { channel: Some("linux/client/any/stable.json".into()), alert: true, attempt }
    }

    fn acme() -> Name {
        "acme".parse().unwrap()
    }

    fn report() -> Vec<u8> {
        Report::sign(&acme(), &[event(1), event(2)], &signer(1)).unwrap()
    }

    /// The report with its signed part changed, signed anew by `signers`.
    fn changed(change: impl Fn(&mut Value), signers: &[&dyn Signer]) -> Vec<u8> {
        let mut value: Value = serde_json::from_slice(&report()).unwrap();
        change(&mut value["signed"]);
        Envelope::sign(&value["signed"], signers).unwrap()
    }

    #[test]
    fn ac_74_a_report_says_what_the_station_wrote_down_and_by_whose_key() {
        let read = Report::parse(&report()).unwrap();
        assert_eq!((&read.repository, &read.events[..]), (&acme(), &[event(1), event(2)][..]));
        assert_eq!(read.station, signer(1).key_id());
    }

    #[test]
    fn what_somebody_changed_or_another_key_signed_is_refused() {
        let mut tampered: Value = serde_json::from_slice(&report()).unwrap();
        tampered["signed"]["events"][0]["attempt"]["host"] = "till-4".into();
        let mut unsigned = tampered.clone();
        unsigned["signatures"] = json!([]);
        for bytes in [
            canonical::to_stored(&tampered).unwrap(),
            canonical::to_stored(&unsigned).unwrap(),
            changed(|_| {}, &[&signer(2)]),
            changed(|_| {}, &[&signer(1), &signer(2)]),
            changed(|signed| signed["station"] = json!(signer(2).key()), &[&signer(1)]),
        ] {
            assert!(matches!(Report::parse(&bytes), Err(ReportError::Signature)), "{}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn what_is_no_report_of_this_format_is_refused() {
        let refused = |change: fn(&mut Value)| Report::parse(&changed(change, &[&signer(1)])).unwrap_err();
        assert!(matches!(refused(|signed| signed["format"] = 1.into()), ReportError::Format(1)));
        let changes: [fn(&mut Value); 6] = [
            |signed| signed["events"][0]["attempt"]["approver"] = Value::Null,
            |signed| signed["type"] = "lease".into(),
            |signed| signed["repository"] = "../x".into(),
            |signed| signed["events"][0]["attempt"]["result"] = "bored".into(),
            |signed| signed["events"][0]["attempt"]["id"] = "12".into(),
            |signed| signed["station"] = json!({ "keytype": "ed25519" }),
        ];
        for change in changes {
            assert!(matches!(refused(change), ReportError::Malformed(_)));
        }
        assert!(matches!(refused(|signed| signed["events"] = json!([])), ReportError::Events(0)));
        assert!(matches!(refused(|signed| signed["events"] = vec![json!(event(1)); EVENTS + 1].into()), ReportError::Events(101)));
        assert!(matches!(refused(|signed| signed["events"][0]["channel"] = "a/../b".into()), ReportError::Channel(_)));
        assert!(matches!(Report::parse(b"{}"), Err(ReportError::Envelope(_))));
        assert!(matches!(Report::parse(&vec![b' '; LIMIT_BYTES as usize + 1]), Err(ReportError::Envelope(_))));
    }

    #[test]
    fn texts_that_act_on_a_terminal_or_never_end_are_refused_by_their_member() {
        for (pointer, member) in [
            ("/host", "host"),
            ("/os_user", "os_user"),
            ("/from/build", "from"),
            ("/to/build", "to"),
            ("/code", "code"),
            ("/detail", "detail"),
        ] {
            for text in ["\u{1b}[31m".to_owned(), "x\u{85}".into(), "x".repeat(DETAIL_BYTES + 1)] {
                let change = |signed: &mut Value| *signed["events"][1]["attempt"].pointer_mut(pointer).unwrap() = text.clone().into();
                let error = Report::parse(&changed(change, &[&signer(1)])).unwrap_err();
                assert!(matches!(&error, ReportError::Text { member: found, .. } if *found == member), "{error}");
                assert!(!error.to_string().contains('\u{1b}'), "{error}");
            }
        }
    }

    #[test]
    fn a_station_with_odd_names_is_heard_all_the_same() {
        let mut odd = event(1);
        (odd.attempt.os_user, odd.attempt.host) = ("a\u{1b}b\n".into(), "é".repeat(200));
        odd.attempt.detail = Some("x\r\n".repeat(2000));
        odd.channel = Some("nonsense".into());
        let read = Report::parse(&Report::sign(&acme(), &[odd], &signer(1)).unwrap()).unwrap();
        let [event] = &read.events[..] else { panic!("{read:?}") };
        assert_eq!((&event.attempt.os_user[..], event.channel.as_ref()), ("a\u{fffd}b\u{fffd}", None));
        assert_eq!(event.attempt.host, "é".repeat(LINE_BYTES / 2));
        assert!(event.attempt.detail.as_ref().is_some_and(|detail| detail.starts_with("x\u{fffd}\nx") && detail.len() <= DETAIL_BYTES));
    }
}
