//! What keeps a station from updating: rights, room, names of backups, clock, proxy, server, trust, schedule, a second updater, agent, format of the state. Each with its result, cause and cure.
//!
//! [`examine`] is pure: it judges facts that somebody gathered. What nobody looked at is never good. Nothing here changes anything.

use std::collections::BTreeMap;

use manifests::time::UtcTime;
use serde::Serialize;

use crate::code::Code;
use crate::fs::Space;
use crate::interference::Verdict as Others;
use crate::room::{Needed, NoRoom};
use crate::text::{Message, Value};

/// How far the clock may be off before it is said, in seconds: an hour, as in a check ([`crate::clock`]).
const CLOCK_SECONDS: i64 = 3600;
/// So many days before it expires, trust is said to be running out: whoever publishes signs anew every day.
const SOON_DAYS: i64 = 3;

/// What is known of a station.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What the clock says.
    pub now: Looked<UtcTime>,
    /// Why the state cannot be read, when it cannot.
    pub state: Option<String>,
    /// Why nothing new is accepted with a state that can.
    pub refusal: Option<Fault>,
    /// Whether the client's files can be replaced.
    pub rights: Looked<Rights>,
    /// What is free on the disk, and bytes that the installed client has.
    pub space: Looked<(Space, u64)>,
    /// What keeps the next backup from a name, when something does.
    pub backups: Looked<Option<Fault>>,
    /// The latest time at which something that is trusted was signed.
    pub signed: Option<UtcTime>,
    /// The proxy that is used, without its password; none when none is.
    pub proxy: Looked<Option<String>>,
    /// What the server answered.
    pub server: Looked<Server>,
    /// When what is trusted expires, by role.
    pub expires: Looked<BTreeMap<String, UtcTime>>,
    /// The scheduled task, none when there is none, and whether the system knows it, none when it does not say.
    pub schedule: Looked<Option<(String, Option<bool>)>>,
    /// Files that are not as installed.
    pub drift: Looked<usize>,
    /// What others who change the files are known to do.
    pub others: Looked<Others>,
    /// Whether an agent works for this folder, and whether it answers; none when it needs none.
    pub agent: Looked<Option<bool>>,
}

/// What was found, or that nobody could look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Looked<T> {
    /// This.
    Found(T),
    /// It was tried: why it failed.
    Failed(String),
    /// Nobody tried: without the state nobody knows where.
    #[default]
    Not,
}

/// Whether the client's files can be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rights {
    /// The agent does that, and who asks it needs none.
    Agents,
    /// What keeps this account from it, in words; nothing when it can.
    Own(Vec<String>),
}

/// An error that an update would end with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The stable code.
    pub code: Code,
    /// The words.
    pub why: String,
}

/// What came of asking the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// It answered; what it says the time is.
    Answered(Option<UtcTime>),
    /// It did not: the code and the words of the error.
    Failed {
        /// The stable code.
        code: String,
        /// The words.
        why: String,
    },
}

impl<T, E: std::fmt::Display> From<Result<T, E>> for Looked<T> {
    fn from(looked: Result<T, E>) -> Looked<T> {
        looked.map_or_else(|error| Looked::Failed(error.to_string()), Looked::Found)
    }
}

impl<T> Looked<T> {
    /// What `judge` makes of what was found; a warning where nothing was.
    fn judge(&self, check: &'static str, judge: impl FnOnce(&T) -> Finding) -> Finding {
        match self {
            Looked::Found(found) => judge(found),
            Looked::Failed(why) => {
                let cause = Message::new("doctor-failed", [("why", why.clone().into())]);
                warning(check, cause, Message::new("doctor-failed-cure", []))
            }
            Looked::Not => warning(check, Message::new("doctor-unseen", []), Message::new("doctor-unseen-cure", [])),
        }
    }
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing stands in the way.
    Good,
    /// It works, and should be looked at.
    Warning,
    /// An update fails, or what it brings does not stay.
    Bad,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found.
    pub cause: Message,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<Message>,
}

/// Judges `facts`: every check, in the order in which an update would meet them.
pub fn examine(facts: &Facts) -> Vec<Finding> {
    [state, rights, space, backups, clock, proxy, server, tls, trust, schedule, second_updater, agent].map(|check| check(facts)).into()
}

fn good(check: &'static str, cause: Message) -> Finding {
    Finding { check, verdict: Verdict::Good, cause, cure: None }
}

fn warning(check: &'static str, cause: Message, cure: Message) -> Finding {
    Finding { check, verdict: Verdict::Warning, cause, cure: Some(cure) }
}

fn bad(check: &'static str, cause: Message, cure: Message) -> Finding {
    Finding { verdict: Verdict::Bad, ..warning(check, cause, cure) }
}

fn state(facts: &Facts) -> Finding {
    match (&facts.state, &facts.refusal) {
        (None, None) => good("state", Message::new("doctor-state-good", [])),
        (None, Some(Fault { code, why })) => {
            bad("state", Message::new("doctor-state-refuses", [("why", why.clone().into())]), explained(*code))
        }
        (Some(why), _) => {
            bad("state", Message::new("doctor-state-bad", [("why", why.clone().into())]), Message::new("doctor-state-cure", []))
        }
    }
}

fn explained(code: Code) -> Message {
    Message::new("doctor-explain-cure", [("code", code.to_string().into())])
}

fn rights(facts: &Facts) -> Finding {
    facts.rights.judge("rights", |rights| match rights {
        Rights::Agents => good("rights", Message::new("doctor-rights-agent", [])),
        Rights::Own(obstacles) => match obstacles.first() {
            None => good("rights", Message::new("doctor-rights-good", [])),
            Some(first) => bad(
                "rights",
                Message::new("doctor-rights-bad", [("count", obstacles.len().into()), ("first", first.clone().into())]),
                Message::new("doctor-rights-cure", []),
            ),
        },
    })
}

fn space(facts: &Facts) -> Finding {
    facts.space.judge("space", |(space, client)| {
        let (free, client) = (space.available_bytes, *client);
        let short = || Message::new("doctor-space-short", [("free", free.into()), ("client", client.into())]);
        // What every update needs beside its own files.
        match Needed::default().with_spare().fits(space) {
            Err(NoRoom::Files { available_files, .. }) => bad(
                "space",
                Message::new("doctor-space-files", [("files", available_files.into())]),
                Message::new("doctor-space-files-cure", []),
            ),
            fits if fits.is_err() || free < client / 4 => bad("space", short(), Message::new("doctor-space-bad-cure", [])),
            _ if free < client => warning("space", short(), Message::new("doctor-space-soon-cure", [])),
            _ => good("space", Message::new("doctor-space-good", [("free", free.into())])),
        }
    })
}

/// Whether the next backup has a name.
fn backups(facts: &Facts) -> Finding {
    facts.backups.judge("backups", |fault| match fault {
        None => good("backups", Message::new("doctor-backups-good", [])),
        Some(Fault { code, why }) => bad("backups", Message::new("doctor-backups-bad", [("why", why.clone().into())]), explained(*code)),
    })
}

fn clock(facts: &Facts) -> Finding {
    let server = match &facts.server {
        Looked::Found(Server::Answered(time)) => *time,
        _ => None,
    };
    facts.now.judge("clock", |&now| match (facts.signed, server) {
        (Some(signed), _) if signed.unix() - now.unix() > CLOCK_SECONDS => bad(
            "clock",
            Message::new("doctor-clock-behind", [("now", said(now)), ("signed", said(signed))]),
            Message::new("doctor-clock-cure", []),
        ),
        (_, Some(server)) if (server.unix() - now.unix()).abs() > CLOCK_SECONDS => warning(
            "clock",
            Message::new("doctor-clock-differs", [("now", said(now)), ("server", said(server))]),
            Message::new("doctor-clock-differs-cure", []),
        ),
        (_, Some(_)) => good("clock", Message::new("doctor-clock-good", [("now", said(now))])),
        (Some(_), None) => good("clock", Message::new("doctor-clock-alone", [("now", said(now))])),
        // It was compared with nothing.
        (None, None) => warning("clock", Message::new("doctor-clock-alone", [("now", said(now))]), see_server()),
    })
}

fn said(time: UtcTime) -> Value<'static> {
    time.to_string().into()
}

fn see_server() -> Message {
    Message::new("doctor-see-server", [])
}

fn proxy(facts: &Facts) -> Finding {
    facts.proxy.judge("proxy", |proxy| match proxy {
        None => good("proxy", Message::new("doctor-proxy-none", [])),
        Some(proxy) => good("proxy", Message::new("doctor-proxy-used", [("proxy", proxy.clone().into())])),
    })
}

/// The code of a connection that is not safe.
const UNSAFE: &str = "unsafe-connection";

/// Whether the server answers.
fn server(facts: &Facts) -> Finding {
    facts.server.judge("server", |server| match server {
        Server::Answered(_) => good("server", Message::new("doctor-server-good", [])),
        Server::Failed { code, .. } if code == UNSAFE => {
            bad("server", Message::new("doctor-server-unsafe", []), Message::new("doctor-tls-cure", []))
        }
        Server::Failed { why, .. } => {
            bad("server", Message::new("doctor-server-bad", [("why", why.clone().into())]), Message::new("doctor-server-cure", []))
        }
    })
}

/// Whether the connection to it is safe.
fn tls(facts: &Facts) -> Finding {
    facts.server.judge("tls", |server| match server {
        Server::Answered(_) => good("tls", Message::new("doctor-tls-good", [])),
        Server::Failed { code, why } if code == UNSAFE => {
            bad("tls", Message::new("doctor-tls-bad", [("why", why.clone().into())]), Message::new("doctor-tls-cure", []))
        }
        Server::Failed { .. } => warning("tls", Message::new("doctor-tls-none", []), see_server()),
    })
}

fn trust(facts: &Facts) -> Finding {
    let first = |expires: &BTreeMap<String, UtcTime>, now: UtcTime| {
        let Some((role, expires)) = expires.iter().min_by_key(|(_, expires)| **expires) else {
            return warning("trust", Message::new("doctor-trust-none", []), Message::new("doctor-trust-none-cure", []));
        };
        let arguments = || [("role", role.clone().into()), ("expires", said(*expires))];
        let cure = Message::new("doctor-trust-cure", []);
        let left = expires.unix() - now.unix();
        if left <= 0 {
            bad("trust", Message::new("doctor-trust-expired", arguments()), cure)
        } else if left < SOON_DAYS * 86_400 {
            warning("trust", Message::new("doctor-trust-soon", arguments()), cure)
        } else {
            good("trust", Message::new("doctor-trust-good", arguments()))
        }
    };
    facts.now.judge("trust", |&now| facts.expires.judge("trust", |expires| first(expires, now)))
}

fn schedule(facts: &Facts) -> Finding {
    const CHECK: &str = "schedule";
    facts.schedule.judge(CHECK, |schedule| {
        let Some((name, is_known)) = schedule else {
            return warning(CHECK, Message::new("doctor-schedule-none", []), Message::new("doctor-schedule-none-cure", []));
        };
        let name = || [("name", name.clone().into())];
        match is_known {
            Some(true) => good(CHECK, Message::new("doctor-schedule-good", name())),
            Some(false) => {
                warning(CHECK, Message::new("doctor-schedule-unknown", name()), Message::new("doctor-schedule-unknown-cure", []))
            }
            None => warning(CHECK, Message::new("doctor-schedule-unsaid", name()), Message::new("doctor-schedule-unsaid-cure", [])),
        }
    })
}

fn second_updater(facts: &Facts) -> Finding {
    const CHECK: &str = "second-updater";
    facts.others.judge(CHECK, |others| match others {
        Others::Second(evidence) => bad(CHECK, evidence.cause(), evidence.cure()),
        Others::Held(evidence, until) => {
            bad(CHECK, evidence.cause(), evidence.cure().and(Message::new("second-updater-held", [("until", said(*until))])))
        }
        Others::Alone => facts.drift.judge(CHECK, |drift| match *drift {
            0 => good(CHECK, Message::new("doctor-others-none", [])),
            count => warning(CHECK, Message::new("doctor-drift", [("count", count.into())]), Message::new("doctor-drift-cure", [])),
        }),
    })
}

fn agent(facts: &Facts) -> Finding {
    facts.agent.judge("agent", |agent| match agent {
        None => good("agent", Message::new("doctor-agent-none", [])),
        Some(true) => good("agent", Message::new("doctor-agent-good", [])),
        Some(false) => {
            let is_needed = facts.rights == Looked::Found(Rights::Agents);
            let verdict = if is_needed { bad } else { warning };
            verdict("agent", Message::new("doctor-agent-silent", []), Message::new("doctor-agent-silent-cure", []))
        }
    })
}

#[cfg(test)]
mod tests;
