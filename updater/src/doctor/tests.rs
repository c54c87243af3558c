use super::Looked::{Failed, Found};
use super::*;
use crate::interference::{Interference, Round};

const NOW: i64 = 1_763_683_200;
const WHY: &str = "Input/output error";

fn at(days: i64) -> UtcTime {
    UtcTime::from_unix(NOW + days * 86_400)
}

/// So much is free for a client of 3 MiB.
fn room(available_bytes: u64, available_files: Option<u64>) -> (Space, u64) {
    (Space { available_bytes, total_bytes: 1 << 30, available_files }, 3 << 20)
}

fn fault(code: Code) -> Fault {
    Fault { code, why: WHY.into() }
}

fn healthy() -> Facts {
    Facts {
        now: Found(at(0)),
        state: None,
        refusal: None,
        rights: Found(Rights::Own(vec![])),
        space: Found(room(4 << 20, None)),
        backups: Found(None),
        signed: Some(at(-1)),
        proxy: Found(None),
        server: Found(Server::Answered(Some(at(0)))),
        expires: Found([("timestamp".to_owned(), at(6)), ("root".to_owned(), at(300))].into()),
        schedule: Found(Some(("stationmaster-updater".into(), Some(true)))),
        drift: Found(0),
        others: Found(Others::Alone),
        agent: Found(None),
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
    assert_eq!(found.len(), 12);
    let asks = examine(&Facts { rights: Found(Rights::Agents), agent: Found(Some(true)), ..healthy() });
    assert!(asks.iter().all(|finding| finding.verdict == Verdict::Good), "who asks an agent needs no rights: {asks:#?}");
}

#[test]
fn each_fault_is_found_by_its_check_with_a_cure() {
    let failed = |code: &str| Found(Server::Failed { code: code.into(), why: "no".into() });
    let cases: [(&str, Verdict, Facts); 22] = [
        ("state", Verdict::Bad, Facts { state: Some("damaged".into()), ..healthy() }),
        ("rights", Verdict::Bad, Facts { rights: Found(Rights::Own(vec!["`a`".into()])), ..healthy() }),
        ("state", Verdict::Bad, Facts { refusal: Some(fault(Code::DamagedState)), ..healthy() }),
        ("space", Verdict::Bad, Facts { space: Found(room(600 << 10, None)), ..healthy() }),
        ("space", Verdict::Bad, Facts { space: Found((room(900 << 10, None).0, 10)), ..healthy() }),
        ("space", Verdict::Warning, Facts { space: Found(room(2 << 20, None)), ..healthy() }),
        ("space", Verdict::Bad, Facts { space: Found(room(4 << 20, Some(3))), ..healthy() }),
        ("backups", Verdict::Bad, Facts { backups: Found(Some(fault(Code::BackupForeign))), ..healthy() }),
        ("clock", Verdict::Bad, Facts { now: Found(at(-30)), ..healthy() }),
        ("clock", Verdict::Warning, Facts { server: Found(Server::Answered(Some(at(1)))), ..healthy() }),
        ("clock", Verdict::Warning, Facts { signed: None, server: failed("unreachable"), ..healthy() }),
        ("server", Verdict::Bad, Facts { server: failed("unreachable"), ..healthy() }),
        ("tls", Verdict::Bad, Facts { server: failed("unsafe-connection"), ..healthy() }),
        ("trust", Verdict::Bad, Facts { expires: Found([("root".to_owned(), at(0))].into()), ..healthy() }),
        ("trust", Verdict::Warning, Facts { expires: Found([("timestamp".to_owned(), at(1))].into()), ..healthy() }),
        ("schedule", Verdict::Warning, Facts { schedule: Found(None), ..healthy() }),
        ("schedule", Verdict::Warning, Facts { schedule: Found(Some(("task".into(), None))), ..healthy() }),
        ("second-updater", Verdict::Warning, Facts { drift: Found(1), ..healthy() }),
        ("second-updater", Verdict::Bad, Facts { others: Found(changed(2)), ..healthy() }),
        ("second-updater", Verdict::Bad, Facts { others: Found(changed(3)), drift: Found(1), ..healthy() }),
        ("agent", Verdict::Warning, Facts { agent: Found(Some(false)), ..healthy() }),
        ("agent", Verdict::Bad, Facts { agent: Found(Some(false)), rights: Found(Rights::Agents), ..healthy() }),
    ];
    for (check, verdict, facts) in cases {
        let found = examine(&facts);
        let finding = found.iter().find(|finding| finding.check == check).unwrap();
        assert!(finding.verdict == verdict && finding.cure.is_some(), "{finding:?}");
    }
}

#[test]
fn what_nobody_looked_at_is_not_called_good() {
    let unseen = Facts { now: Found(at(0)), state: Some("damaged".into()), ..Facts::default() };
    let found = examine(&unseen);
    assert_eq!(found.len(), 12);
    assert!(found.iter().all(|finding| finding.verdict != Verdict::Good && finding.cure.is_some()), "{found:#?}");

    let cases = [
        ("rights", Facts { rights: Failed(WHY.into()), ..healthy() }),
        ("space", Facts { space: Failed(WHY.into()), ..healthy() }),
        ("backups", Facts { backups: Failed(WHY.into()), ..healthy() }),
        ("trust", Facts { expires: Failed(WHY.into()), ..healthy() }),
        ("schedule", Facts { schedule: Failed(WHY.into()), ..healthy() }),
        ("second-updater", Facts { drift: Failed(WHY.into()), ..healthy() }),
    ];
    for (check, facts) in cases {
        let finding = examine(&facts).into_iter().find(|finding| finding.check == check).unwrap();
        assert_eq!(finding.verdict, Verdict::Warning, "{finding:?}");
        assert!(finding.cause.in_english().contains(WHY) && finding.cure.is_some(), "{finding:?}");
    }
}

#[test]
fn a_second_updater_is_named_with_what_it_changed_what_ran_and_where_it_is_switched_off() {
    let said = |others: Others| {
        let found = examine(&Facts { others: Found(others), ..healthy() });
        let finding = found.into_iter().find(|finding| finding.check == "second-updater").unwrap();
        (finding.cause.in_english(), finding.cure.map_or(String::new(), |cure| cure.in_english()))
    };
    let (cause, cure) = said(changed(2));
    assert!(cause.contains("`client.exe` (+1) had changed again, 2 times within a week"), "{cause}");
    assert!(cause.contains("there ran then: `SmartUpdate.exe` (7)") && cure.contains("`Enable=0`"), "{cause}; {cure}");
    assert!(!cure.contains("not put back"), "{cure}");
    let (_, cure) = said(changed(3));
    assert!(cure.contains("`Enable=0`") && cure.contains("not put back before 2025-11-21T22:00:00Z"), "{cure}");
    assert_eq!(said(changed(1)), ("nobody else changes the files".into(), String::new()), "one change can be an accident");
}
