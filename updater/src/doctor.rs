//! What keeps a station from updating: rights, room, clock, proxy, server, trust, schedule, a second updater, agent, format of the state. Each with its result, cause and cure.
//!
//! [`examine`] is pure: it judges facts that somebody gathered. Nothing here changes anything.

use std::collections::BTreeMap;

use manifests::time::UtcTime;
use serde::Serialize;

use crate::interference::Verdict as Others;
use crate::text::{Message, Value};

/// How far the clock may be off before it is said, in seconds: an hour, as in a check ([`crate::clock`]).
const CLOCK_SECONDS: i64 = 3600;
/// So many days before it expires, trust is said to be running out: whoever publishes signs anew every day.
const SOON_DAYS: i64 = 3;

/// What is known of a station.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What the clock says.
    pub now: Option<UtcTime>,
    /// Why the state cannot be read, when it cannot.
    pub state: Option<String>,
    /// What cannot be written, in words.
    pub not_writable: Vec<String>,
    /// Bytes that are free on the disk, and bytes that the installed client has.
    pub space: Option<(u64, u64)>,
    /// The latest time at which something that is trusted was signed.
    pub signed: Option<UtcTime>,
    /// The proxy that is used, without its password.
    pub proxy: Option<String>,
    /// What the server answered.
    pub server: Option<Server>,
    /// When what is trusted expires, by role.
    pub expires: BTreeMap<String, UtcTime>,
    /// The scheduled task, and whether the system knows it.
    pub schedule: Option<(String, Option<bool>)>,
    /// Files that are not as installed.
    pub drift: usize,
    /// What others who change the files are known to do.
    pub others: Others,
    /// Whether an agent works for this folder, and whether it answers; `None` when it needs none.
    pub agent: Option<bool>,
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
    let mut found = vec![state(facts), rights(facts), space(facts)];
    found.extend([clock(facts), proxy(facts)]);
    found.extend(server(facts));
    found.extend([trust(facts), schedule(facts), second_updater(facts), agent(facts)]);
    found
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
    match &facts.state {
        None => good("state", Message::new("doctor-state-good", [])),
        Some(why) => bad("state", Message::new("doctor-state-bad", [("why", why.clone().into())]), Message::new("doctor-state-cure", [])),
    }
}

fn rights(facts: &Facts) -> Finding {
    match facts.not_writable.first() {
        None => good("rights", Message::new("doctor-rights-good", [])),
        Some(first) => bad(
            "rights",
            Message::new("doctor-rights-bad", [("count", facts.not_writable.len().into()), ("first", first.clone().into())]),
            Message::new("doctor-rights-cure", []),
        ),
    }
}

fn space(facts: &Facts) -> Finding {
    let short = |free: u64, client: u64| Message::new("doctor-space-short", [("free", free.into()), ("client", client.into())]);
    match facts.space {
        None => warning("space", Message::new("doctor-space-unknown", []), Message::new("doctor-space-unknown-cure", [])),
        Some((free, client)) if free < client / 4 => bad("space", short(free, client), Message::new("doctor-space-bad-cure", [])),
        Some((free, client)) if free < client => warning("space", short(free, client), Message::new("doctor-space-soon-cure", [])),
        Some((free, _)) => good("space", Message::new("doctor-space-good", [("free", free.into())])),
    }
}

fn clock(facts: &Facts) -> Finding {
    let cure = Message::new("doctor-clock-cure", []);
    let Some(now) = facts.now else { return warning("clock", Message::new("doctor-clock-unknown", []), cure) };
    let server = match &facts.server {
        Some(Server::Answered(time)) => *time,
        _ => None,
    };
    match (facts.signed, server) {
        (Some(signed), _) if signed.unix() - now.unix() > CLOCK_SECONDS => {
            bad("clock", Message::new("doctor-clock-behind", [("now", said(now)), ("signed", said(signed))]), cure)
        }
        (_, Some(server)) if (server.unix() - now.unix()).abs() > CLOCK_SECONDS => warning(
            "clock",
            Message::new("doctor-clock-differs", [("now", said(now)), ("server", said(server))]),
            Message::new("doctor-clock-differs-cure", []),
        ),
        (_, Some(_)) => good("clock", Message::new("doctor-clock-good", [("now", said(now))])),
        (_, None) => good("clock", Message::new("doctor-clock-alone", [("now", said(now))])),
    }
}

fn said(time: UtcTime) -> Value<'static> {
    time.to_string().into()
}

fn proxy(facts: &Facts) -> Finding {
    match &facts.proxy {
        None => good("proxy", Message::new("doctor-proxy-none", [])),
        Some(proxy) => good("proxy", Message::new("doctor-proxy-used", [("proxy", proxy.clone().into())])),
    }
}

/// Whether the server answers, and whether the connection to it is safe.
fn server(facts: &Facts) -> [Finding; 2] {
    const UNSAFE: &str = "unsafe-connection";
    let unsafe_cure = || Message::new("doctor-tls-cure", []);
    match &facts.server {
        None => ["server", "tls"]
            .map(|check| warning(check, Message::new("doctor-server-unasked", []), Message::new("doctor-server-unasked-cure", []))),
        Some(Server::Answered(_)) => {
            [good("server", Message::new("doctor-server-good", [])), good("tls", Message::new("doctor-tls-good", []))]
        }
        Some(Server::Failed { code, why }) if code == UNSAFE => [
            bad("server", Message::new("doctor-server-unsafe", []), unsafe_cure()),
            bad("tls", Message::new("doctor-tls-bad", [("why", why.clone().into())]), unsafe_cure()),
        ],
        Some(Server::Failed { why, .. }) => [
            bad("server", Message::new("doctor-server-bad", [("why", why.clone().into())]), Message::new("doctor-server-cure", [])),
            warning("tls", Message::new("doctor-tls-none", []), Message::new("doctor-tls-none-cure", [])),
        ],
    }
}

fn trust(facts: &Facts) -> Finding {
    let (Some(now), Some((role, expires))) = (facts.now, facts.expires.iter().min_by_key(|(_, expires)| **expires)) else {
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
}

fn schedule(facts: &Facts) -> Finding {
    match &facts.schedule {
        None => warning("schedule", Message::new("doctor-schedule-none", []), Message::new("doctor-schedule-none-cure", [])),
        Some((name, Some(false))) => warning(
            "schedule",
            Message::new("doctor-schedule-unknown", [("name", name.clone().into())]),
            Message::new("doctor-schedule-unknown-cure", []),
        ),
        Some((name, _)) => good("schedule", Message::new("doctor-schedule-good", [("name", name.clone().into())])),
    }
}

fn second_updater(facts: &Facts) -> Finding {
    const CHECK: &str = "second-updater";
    match &facts.others {
        Others::Second(evidence) => bad(CHECK, evidence.cause(), evidence.cure()),
        Others::Held(evidence, until) => {
            bad(CHECK, evidence.cause(), evidence.cure().and(Message::new("second-updater-held", [("until", said(*until))])))
        }
        Others::Alone if facts.drift > 0 => {
            warning(CHECK, Message::new("doctor-drift", [("count", facts.drift.into())]), Message::new("doctor-drift-cure", []))
        }
        Others::Alone => good(CHECK, Message::new("doctor-others-none", [])),
    }
}

fn agent(facts: &Facts) -> Finding {
    match facts.agent {
        None => good("agent", Message::new("doctor-agent-none", [])),
        Some(true) => good("agent", Message::new("doctor-agent-good", [])),
        Some(false) => warning("agent", Message::new("doctor-agent-silent", []), Message::new("doctor-agent-silent-cure", [])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interference::{Interference, Round};

    const NOW: i64 = 1_763_683_200;

    fn at(days: i64) -> UtcTime {
        UtcTime::from_unix(NOW + days * 86_400)
    }

    fn healthy() -> Facts {
        Facts {
            now: Some(at(0)),
            space: Some((1_000, 10)),
            signed: Some(at(-1)),
            server: Some(Server::Answered(Some(at(0)))),
            expires: [("timestamp".to_owned(), at(6)), ("root".to_owned(), at(300))].into(),
            schedule: Some(("stationmaster-updater".into(), Some(true))),
            ..Facts::default()
        }
    }

    /// What is known after files were found to be others' so many times, an hour apart.
    fn changed(times: i64) -> Others {
        let round = |hour: i64| Round {
            time: UtcTime::from_unix(NOW - hour * 3600),
            files: 2,
            names: vec!["client.exe".into()],
            backups: vec![],
            programs: vec!["`SmartUpdate.exe` (7)".into()],
        };
        (0..times).rev().fold(Interference::default(), |known, hour| known.after(round(hour))).judge(at(0))
    }

    #[test]
    fn a_healthy_station_has_nothing_to_be_cured() {
        let found = examine(&healthy());
        assert!(found.iter().all(|finding| finding.verdict == Verdict::Good && finding.cure.is_none()), "{found:#?}");
        assert_eq!(found.len(), 11);
    }

    #[test]
    fn each_fault_is_found_by_its_check_with_a_cure() {
        let failed = |code: &str| Some(Server::Failed { code: code.into(), why: "no".into() });
        let cases: [(&str, Verdict, Facts); 14] = [
            ("state", Verdict::Bad, Facts { state: Some("damaged".into()), ..healthy() }),
            ("rights", Verdict::Bad, Facts { not_writable: vec!["`a`".into()], ..healthy() }),
            ("space", Verdict::Bad, Facts { space: Some((1, 10)), ..healthy() }),
            ("clock", Verdict::Bad, Facts { now: Some(at(-30)), ..healthy() }),
            ("clock", Verdict::Warning, Facts { server: Some(Server::Answered(Some(at(1)))), ..healthy() }),
            ("server", Verdict::Bad, Facts { server: failed("unreachable"), ..healthy() }),
            ("tls", Verdict::Bad, Facts { server: failed("unsafe-connection"), ..healthy() }),
            ("trust", Verdict::Bad, Facts { expires: [("root".to_owned(), at(0))].into(), ..healthy() }),
            ("trust", Verdict::Warning, Facts { expires: [("timestamp".to_owned(), at(1))].into(), ..healthy() }),
            ("schedule", Verdict::Warning, Facts { schedule: None, ..healthy() }),
            ("second-updater", Verdict::Warning, Facts { drift: 1, ..healthy() }),
            ("second-updater", Verdict::Bad, Facts { others: changed(2), ..healthy() }),
            ("second-updater", Verdict::Bad, Facts { others: changed(3), drift: 1, ..healthy() }),
            ("agent", Verdict::Warning, Facts { agent: Some(false), ..healthy() }),
        ];
        for (check, verdict, facts) in cases {
            let found = examine(&facts);
            let finding = found.iter().find(|finding| finding.check == check).unwrap();
            assert!(finding.verdict == verdict && finding.cure.is_some(), "{finding:?}");
        }
    }

    #[test]
    fn a_second_updater_is_named_with_what_it_changed_what_ran_and_where_it_is_switched_off() {
        let said = |others: Others| {
            let found = examine(&Facts { others, ..healthy() });
            let finding = found.into_iter().find(|finding| finding.check == "second-updater").unwrap();
            (finding.cause.in_english(), finding.cure.map_or(String::new(), |cure| cure.in_english()))
        };
        let (cause, cure) = said(changed(2));
        assert!(cause.contains("`client.exe` (+1) had become others, 2 times within a week"), "{cause}");
        assert!(cause.contains("there ran then: `SmartUpdate.exe` (7)") && cure.contains("`Enable=0`"), "{cause}; {cure}");
        assert!(!cure.contains("not put back"), "{cure}");
        let (_, cure) = said(changed(3));
        assert!(cure.contains("`Enable=0`") && cure.contains("not put back before 2025-11-21T22:00:00Z"), "{cure}");
        assert_eq!(said(changed(1)), ("nobody else changes the files".into(), String::new()), "one change can be an accident");
    }
}
