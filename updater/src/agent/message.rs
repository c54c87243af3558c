//! What is said over the socket: one JSON object per line (`docs/format.md` section 16).
//!
//! The asker says one [`Request`], the agent any number of [`Event`]s, the last of which is a report. Both know exactly these members: an unknown one is an error, and a protocol of another
//! number is named before anything else of it is read.

use std::io::{self, BufRead, Read as _};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::code::Code;
use crate::deadline::Deadline;
use crate::history::BuildAt;
use crate::pipeline::Consent;
use crate::trigger::Trigger;

/// The protocol that this program speaks.
pub const PROTOCOL: u64 = 0;
/// Longest request, in bytes: a path and a reason.
pub const REQUEST_BYTES: usize = 16 * 1024;
/// Longest event, in bytes: the report of a long history.
pub const EVENT_BYTES: usize = 64 << 20;
/// Longest that a request may wait for others, in seconds: whoever asks for more keeps others out.
pub const WAIT_SECONDS: u64 = 600;

/// What somebody asks for. Not to wait until programs that use the client have ended: the folder is locked meanwhile, so anybody could keep everybody else out by running one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// [`PROTOCOL`].
    pub protocol: u64,
    /// The install folder, as the registry has it.
    pub dir: String,
    /// What to do there.
    pub command: Command,
    /// How long to wait for another updater on the folder, in seconds.
    #[serde(default)]
    pub wait_seconds: u64,
    /// The language of the person, as `--lang` takes it; without it that of the folder's settings or of the agent. It decides the words of the report alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// The commands that can be asked for. Each is the command of that name on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Command {
    /// `updater status`.
    Status {
        /// `--explain`.
        explain: bool,
    },
    /// `updater check`.
    Check {
        /// `--trigger`.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "nameable")]
        trigger: Option<Trigger>,
    },
    /// `updater update`.
    Update {
        /// `--dry-run`.
        dry_run: bool,
        /// Whether the person agrees.
        consent: Agreed,
        /// `--trigger`.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "nameable")]
        trigger: Option<Trigger>,
    },
    /// `updater launch`, but for the client itself.
    Launch {
        /// `--environment`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        environment: Option<String>,
        /// `--server-build`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server_build: Option<String>,
        /// Whether the person agrees to what comes up.
        consent: Agreed,
    },
    /// `updater download`.
    Download {
        /// `--trigger`.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "nameable")]
        trigger: Option<Trigger>,
    },
    /// `updater apply`.
    Apply {},
    /// `updater verify`.
    Verify {
        /// `--repair`.
        repair: bool,
    },
    /// `updater rollback`.
    Rollback {
        /// `--to`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// `--reason`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// `updater ignore`.
    Ignore {
        /// `BUILD`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        build: Option<String>,
        /// `--release`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        release: Option<u64>,
        /// `--undo`.
        undo: bool,
    },
    /// `updater unhold`.
    Unhold {},
    /// `updater backups`.
    Backups {
        /// `--adopt`.
        adopt: bool,
    },
    /// `updater history`.
    History {},
    /// `updater settings KEY VALUE`. Everybody can read them without asking.
    Settings {
        /// Which.
        key: String,
        /// What it is to be; without it, what holds where nothing is set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
    },
}

/// Whether the person who asks agrees to a new release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Agreed {
    /// Nobody was asked yet.
    Unasked,
    /// To whatever it is.
    Yes,
    /// To this one, which the person was shown.
    To(BuildAt),
    /// Not to it.
    No,
    /// Not to this one, which the person was shown, and wants no more to be asked about.
    Ignore(BuildAt),
}

impl Agreed {
    /// The answer to a question about `release`. Where another one came meanwhile, the person has not been shown that one.
    pub fn to(&self, release: Option<&BuildAt>) -> Consent {
        match self {
            Agreed::Unasked => Consent::Nobody,
            Agreed::No => Consent::No,
            Agreed::To(shown) | Agreed::Ignore(shown) if release != Some(shown) => Consent::Nobody,
            Agreed::Yes | Agreed::To(_) => Consent::Yes,
            Agreed::Ignore(_) => Consent::Ignore,
        }
    }
}

/// What the agent says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase", deny_unknown_fields)]
pub enum Event {
    /// A step of the pipeline begins.
    Begin {
        /// Its name.
        step: String,
        /// What `advance` will add up to, 0 when not known.
        total: u64,
    },
    /// So much more of the step is done.
    Advance {
        /// In the unit of `total`.
        amount: u64,
    },
    /// Something people should know.
    Note {
        /// In words.
        text: String,
    },
    /// A release can be put off only so long, or no longer.
    Deadline(Deadline),
    /// The agent is at work, and has nothing new to say.
    Alive {},
    /// It is over.
    Report(Answer),
}

/// How a request ended: what the command would have printed, and its exit code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The exit code.
    pub exit: u8,
    /// For scripts.
    pub json: serde_json::Value,
    /// For people.
    pub text: String,
}

impl Answer {
    /// A failure with a stable code.
    pub fn failure(code: Code, message: &str) -> Answer {
        let json = serde_json::json!({ "error": { "code": code, "message": message } });
        Answer { exit: code.exit() as u8, json, text: format!("error: {message} [{code}]") }
    }
}

impl Command {
    /// Its name on the command line, for logs and people.
    pub const fn name(&self) -> &'static str {
        match self {
            Command::Status { .. } => "status",
            Command::Check { .. } => "check",
            Command::Update { .. } => "update",
            Command::Launch { .. } => "launch",
            Command::Download { .. } => "download",
            Command::Apply {} => "apply",
            Command::Verify { repair: false } => "verify",
            Command::Verify { repair: true } => "verify --repair",
            Command::Rollback { .. } => "rollback",
            Command::Ignore { .. } => "ignore",
            Command::Unhold {} => "unhold",
            Command::Backups { adopt: false } => "backups",
            Command::Backups { adopt: true } => "backups --adopt",
            Command::History {} => "history",
            Command::Settings { .. } => "settings KEY VALUE",
        }
    }
}

/// Reads a trigger that somebody may say. Nobody writes a rollback into a history that was none.
fn nameable<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Trigger>, D::Error> {
    let said = Option::<String>::deserialize(from)?;
    let known = |name: String| Trigger::named(&name).ok_or_else(|| D::Error::custom("it is no trigger that can be said"));
    said.map(known).transpose()
}

/// Why a line is no request.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// It is of another protocol.
    #[error("the request is of protocol {0}, and this agent speaks {PROTOCOL}: update the older of the two programs")]
    Protocol(u64),
    /// It is malformed.
    #[error("the request cannot be read: {0}")]
    Malformed(String),
    /// It would keep others waiting.
    #[error("nobody may keep others waiting for more than {WAIT_SECONDS} seconds")]
    Impatient,
}

impl Request {
    /// Reads a request.
    pub fn parse(line: &[u8]) -> Result<Request, BadRequest> {
        #[derive(Deserialize)]
        struct Head {
            protocol: u64,
        }
        let malformed = |error: manifests::json::JsonError| BadRequest::Malformed(error.to_string());
        let Head { protocol } = manifests::json::from_slice(line, REQUEST_BYTES).map_err(malformed)?;
        if protocol != PROTOCOL {
            return Err(BadRequest::Protocol(protocol));
        }
        let request: Request = manifests::json::from_slice(line, REQUEST_BYTES).map_err(malformed)?;
        if request.wait_seconds > WAIT_SECONDS { Err(BadRequest::Impatient) } else { Ok(request) }
    }
}

/// `message` as a line.
pub fn to_line(message: &impl Serialize) -> Vec<u8> {
    // Messages are text, numbers and what was JSON before: nothing in them can fail to serialise.
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Reads one line of at most `limit` bytes, without its end.
pub fn read_line(from: &mut impl BufRead, limit: usize) -> io::Result<Vec<u8>> {
    let mut line = vec![];
    from.take(limit as u64 + 1).read_until(b'\n', &mut line)?;
    match line.pop() {
        Some(b'\n') => Ok(line),
        Some(_) if line.len() >= limit => Err(io::Error::new(io::ErrorKind::InvalidData, format!("a line is longer than {limit} bytes"))),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPDATE: &str = r#"{"protocol":0,"dir":"/opt/client","command":{"update":{"dry_run":false,"consent":"yes"}},"wait_seconds":0}"#;

    #[test]
    fn a_request_reads_back_as_it_was_written() {
        let request = Request::parse(UPDATE.as_bytes()).unwrap();
        assert_eq!(to_line(&request), format!("{UPDATE}\n").as_bytes());
        let to = UPDATE.replace(r#""yes""#, r#"{"to":{"build":"2.0.0","sequence":7}}"#);
        let Command::Update { consent: Agreed::To(at), .. } = Request::parse(to.as_bytes()).unwrap().command else { panic!("{to}") };
        assert_eq!((at.build.as_str(), at.sequence), ("2.0.0", 7));
        let ignored = Request::parse(to.replace("\"to\"", "\"ignore\"").as_bytes()).unwrap();
        let Command::Update { consent, .. } = ignored.command else { panic!("{to}") };
        let other = BuildAt { sequence: 8, ..at.clone() };
        assert_eq!(
            [consent.to(Some(&at)), consent.to(Some(&other)), consent.to(None)],
            [Consent::Ignore, Consent::Nobody, Consent::Nobody]
        );
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in [
            "",
            "{}",
            "[]",
            &UPDATE.replace("\"dir\"", "\"exec\":\"sh\",\"dir\""),
            &UPDATE.replace("\"dry_run\"", "\"from\":\"/tmp\",\"dry_run\""),
            &UPDATE.replace("update", "install"),
            &UPDATE.replace("\"wait_seconds\"", "\"dir\":\"/etc\",\"wait_seconds\""),
            &UPDATE.replace("\"wait_seconds\"", "\"in_use_seconds\":1,\"wait_seconds\""),
            &UPDATE.replace("\"yes\"", "\"perhaps\""),
            &UPDATE.replace("\"yes\"", "\"yes\",\"trigger\":\"rollback\""),
            &format!("{UPDATE}{UPDATE}"),
        ] {
            assert!(matches!(Request::parse(line.as_bytes()), Err(BadRequest::Malformed(_))), "{line}");
        }
        assert_eq!(Request::parse(UPDATE.replace("\"wait_seconds\":0", "\"wait_seconds\":601").as_bytes()), Err(BadRequest::Impatient));
    }

    #[test]
    fn another_protocol_is_named_before_the_rest_is_read() {
        let later = r#"{"protocol":1,"something":"else"}"#;
        assert_eq!(Request::parse(later.as_bytes()), Err(BadRequest::Protocol(1)));
    }

    #[test]
    fn a_line_is_bounded_and_complete() {
        assert_eq!(read_line(&mut &b"abc\nrest"[..], 3).unwrap(), b"abc");
        assert_eq!(read_line(&mut &b"abcd\n"[..], 3).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(read_line(&mut &b"abc"[..], 30).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
