//! What keeps a station from updating: rights, room, clock, proxy, server, trust, schedule, a second updater, agent, format of the state. Each with its result, cause and cure.
//!
//! [`examine`] is pure: it judges facts that somebody gathered. Nothing here changes anything.

use std::collections::BTreeMap;

use manifests::time::UtcTime;
use serde::Serialize;

use crate::history::{Attempt, Outcome};

/// How far the clock may be off before it is said, in seconds: an hour, as in a check ([`crate::clock`]).
const CLOCK_SECONDS: i64 = 3600;
/// So many days before it expires, trust is said to be running out: whoever publishes signs anew every day.
const SOON_DAYS: i64 = 3;
/// So many repairs within [`REPAIR_DAYS`] are no chance: somebody else keeps changing the files.
const REPAIRS: usize = 3;
/// See [`REPAIRS`].
const REPAIR_DAYS: i64 = 14;

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
    /// What happened here.
    pub history: Vec<Attempt>,
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
    /// An update fails.
    Bad,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found.
    pub cause: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<&'static str>,
}

/// Judges `facts`: every check, in the order in which an update would meet them.
pub fn examine(facts: &Facts) -> Vec<Finding> {
    let mut found = vec![state(facts), rights(facts), space(facts)];
    found.extend([clock(facts), proxy(facts)]);
    found.extend(server(facts));
    found.extend([trust(facts), schedule(facts), second_updater(facts), agent(facts)]);
    found
}

fn good(check: &'static str, cause: impl Into<String>) -> Finding {
    Finding { check, verdict: Verdict::Good, cause: cause.into(), cure: None }
}

fn warning(check: &'static str, cause: impl Into<String>, cure: &'static str) -> Finding {
    Finding { check, verdict: Verdict::Warning, cause: cause.into(), cure: Some(cure) }
}

fn bad(check: &'static str, cause: impl Into<String>, cure: &'static str) -> Finding {
    Finding { verdict: Verdict::Bad, ..warning(check, cause, cure) }
}

fn state(facts: &Facts) -> Finding {
    match &facts.state {
        None => good("state", "what is known of this folder can be read"),
        Some(why) => bad(
            "state",
            why.clone(),
            "do what the message says; `updater install` with the install link makes the state anew, and the client stays",
        ),
    }
}

fn rights(facts: &Facts) -> Finding {
    match facts.not_writable.first() {
        None => good("rights", "every file of the client can be replaced"),
        Some(first) => bad(
            "rights",
            format!("{} cannot be replaced, first: {first}", facts.not_writable.len()),
            "run the updater as the account that owns the folder, or let root install it with `--profile service`",
        ),
    }
}

fn space(facts: &Facts) -> Finding {
    match facts.space {
        None => warning("space", "the free space is not known", "look at the disk"),
        Some((free, client)) if free < client / 4 => bad(
            "space",
            format!("{free} bytes are free, the client has {client}"),
            "make room on this disk: an update needs its new files and a backup",
        ),
        Some((free, client)) if free < client => warning(
            "space",
            format!("{free} bytes are free, the client has {client}"),
            "make room before a release that replaces all of it",
        ),
        Some((free, _)) => good("space", format!("{free} bytes are free")),
    }
}

fn clock(facts: &Facts) -> Finding {
    let Some(now) = facts.now else { return warning("clock", "the time is not known", "set the clock") };
    let server = match &facts.server {
        Some(Server::Answered(time)) => *time,
        _ => None,
    };
    match (facts.signed, server) {
        (Some(signed), _) if signed.unix() - now.unix() > CLOCK_SECONDS => {
            bad("clock", format!("the clock says {now}, and the publisher signed at {signed}, which is later"), "set the clock")
        }
        (_, Some(server)) if (server.unix() - now.unix()).abs() > CLOCK_SECONDS => {
            warning("clock", format!("the clock says {now}, and the server {server}"), "set the clock, here or there")
        }
        (_, Some(_)) => good("clock", format!("{now}, as the server has it")),
        (_, None) => good("clock", format!("{now}; no server said another time")),
    }
}

fn proxy(facts: &Facts) -> Finding {
    match &facts.proxy {
        None => good("proxy", "none is used"),
        Some(proxy) => good("proxy", format!("{proxy} is used")),
    }
}

/// Whether the server answers, and whether the connection to it is safe.
fn server(facts: &Facts) -> [Finding; 2] {
    const UNSAFE: &str = "unsafe-connection";
    let unsafe_cure = "if it is your own authority, name its file with `--ca-file`; else somebody stands between";
    match &facts.server {
        None => ["server", "tls"].map(|check| warning(check, "it was not asked", "run `updater doctor` where the folder can be read")),
        Some(Server::Answered(_)) => [good("server", "it answers"), good("tls", "nothing is wrong with the connection")],
        Some(Server::Failed { code, why }) if code == UNSAFE => {
            [bad("server", "it was not asked, because the connection is not safe", unsafe_cure), bad("tls", why.clone(), unsafe_cure)]
        }
        Some(Server::Failed { why, .. }) => [
            bad(
                "server",
                why.clone(),
                "look at the network, the proxy and the server; `updater print-firewall` says what must be reachable",
            ),
            warning("tls", "no connection came about", "see `server`"),
        ],
    }
}

fn trust(facts: &Facts) -> Finding {
    let (Some(now), Some((role, expires))) = (facts.now, facts.expires.iter().min_by_key(|(_, expires)| **expires)) else {
        return warning("trust", "nothing is trusted yet", "run `updater check`");
    };
    let left = expires.unix() - now.unix();
    let cure = "run `updater check`; when that does not help, the publisher has to sign anew (`manifests refresh`)";
    if left <= 0 {
        bad("trust", format!("`{role}` expired at {expires}"), cure)
    } else if left < SOON_DAYS * 86_400 {
        warning("trust", format!("`{role}` expires at {expires}"), cure)
    } else {
        good("trust", format!("the first to expire is `{role}`, at {expires}"))
    }
}

fn schedule(facts: &Facts) -> Finding {
    match &facts.schedule {
        None => warning("schedule", "nothing checks by itself", "`updater schedule install`"),
        Some((name, Some(false))) => warning("schedule", format!("the system does not know `{name}`"), "`updater schedule install` again"),
        Some((name, _)) => good("schedule", format!("`{name}`")),
    }
}

fn second_updater(facts: &Facts) -> Finding {
    let since = facts.now.map_or(0, UtcTime::unix) - REPAIR_DAYS * 86_400;
    let is_repair = |attempt: &&Attempt| {
        attempt.result == Outcome::Applied && attempt.to.is_some() && attempt.from == attempt.to && attempt.time.unix() >= since
    };
    let repairs = facts.history.iter().filter(is_repair).count();
    let cure = "find out who changes the files: an old updater must be switched off (`Enable=0` in its `AppServer.ini`); two updaters on one folder undo each other";
    if repairs >= REPAIRS {
        bad("second-updater", format!("files were put back {repairs} times in {REPAIR_DAYS} days"), cure)
    } else if facts.drift > 0 {
        warning(
            "second-updater",
            format!("{} files are not as installed", facts.drift),
            "`updater verify` lists them, `updater update` puts them back",
        )
    } else {
        good("second-updater", "nobody else changes the files")
    }
}

fn agent(facts: &Facts) -> Finding {
    match facts.agent {
        None => good("agent", "none is needed in the profile `user`"),
        Some(true) => good("agent", "it answers"),
        Some(false) => warning("agent", "it does not answer", "start it (docs/service.md): people without rights cannot update until then"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::BuildAt;
    use crate::id::Id;

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

    fn repaired(days: i64) -> Attempt {
        let build = Some(BuildAt { build: "1".into(), sequence: 1 });
        Attempt {
            id: Id::random(),
            time: at(days),
            host: "h".into(),
            os_user: "u".into(),
            approver: None,
            trigger: "update".into(),
            from: build.clone(),
            to: build,
            result: Outcome::Applied,
            code: None,
            detail: None,
            bytes: None,
        }
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
        let repairs = (0..3).map(|day| repaired(-day)).collect::<Vec<_>>();
        let cases: [(&str, Verdict, Facts); 12] = [
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
            ("second-updater", Verdict::Bad, Facts { history: repairs, ..healthy() }),
            ("agent", Verdict::Warning, Facts { agent: Some(false), ..healthy() }),
        ];
        for (check, verdict, facts) in cases {
            let found = examine(&facts);
            let finding = found.iter().find(|finding| finding.check == check).unwrap();
            assert!(finding.verdict == verdict && finding.cure.is_some(), "{finding:?}");
        }
        let long_ago = Facts { history: vec![repaired(-90); 3], ..healthy() };
        assert!(examine(&long_ago).iter().all(|finding| finding.verdict == Verdict::Good));
    }
}
