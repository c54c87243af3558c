//! The tables of AC-16 to AC-21: which clients fit which servers.

use super::*;
use crate::canonical;

fn build(text: &str) -> Build {
    // The tables are of four-part builds; one with three parts would be read as semver.
    Build::beside(text, Some(Scheme::Dotted)).unwrap()
}

fn by(rule: &Rule, client: &str, server: &str) -> Compatibility {
    judge(&build(client), &build(server), rule, &Terms::default())
}

fn why(judged: Compatibility) -> Why {
    match judged {
        Compatibility::Incompatible { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

fn bound(text: &str) -> Option<Bound> {
    Some(Bound(build(text)))
}

#[test]
fn ac_16_builds_of_one_major_and_minor_are_compatible_whatever_follows() {
    for (client, server) in [
        ("3.4.0.50000", "3.4.1.2"),
        ("3.4", "3.4.9"),
        ("17.3.0.9", "17.3.0.14"),
        ("17.3.0.14", "17.3.0.9"),
        ("3", "3.0.7.1"),
        ("7.00.131227A", "7.00.191205P"),
        ("7.00.170117A-20190212", "7.00.170117A"),
    ] {
        let judged = by(&Rule::MajorMinor, client, server);
        assert_eq!(judged, Compatibility::Compatible { client: client.into(), server: server.into() });
        assert!(judged.may_run());
    }
}

#[test]
fn ac_17_a_client_that_is_older_in_the_first_two_parts_is_incompatible_and_both_builds_are_shown() {
    for (client, server) in
        [("3.3.9.9", "3.4.0.0"), ("3.3", "3.4"), ("2.9.0.0", "3.0.0.0"), ("3.9", "3.10"), ("11.5.170117A", "12.1.170117A")]
    {
        let judged = by(&Rule::MajorMinor, client, server);
        assert!(judged.to_string().contains(client) && judged.to_string().contains(server), "{judged}");
        assert!(!judged.may_run());
        assert_eq!(why(judged), Why::ClientOlder, "{client} {server}");
    }
}

#[test]
fn ac_18_a_client_with_a_newer_minor_may_run_and_the_mismatch_is_named() {
    let judged = by(&Rule::MajorMinor, "3.5.0.1", "3.4.9.9");
    assert_eq!(judged, Compatibility::ClientNewer { client: "3.5.0.1".into(), server: "3.4.9.9".into() });
    assert!(judged.may_run());
    assert_eq!(judged.to_string(), "client 3.5.0.1 is newer than server 3.4.9.9: most likely they work together");
}

#[test]
fn ac_18_a_newer_major_is_not_a_newer_minor() {
    assert_eq!(why(by(&Rule::MajorMinor, "4.0.0.0", "3.4.0.0")), Why::ClientMajorNewer);
    assert_eq!(why(by(&Rule::MajorMinor, "4.5.0.0", "3.4.0.0")), Why::ClientMajorNewer);
}

#[test]
fn ac_20_builds_of_two_notations_are_not_ordered_by_any_rule() {
    for rule in [Rule::MajorMinor, Rule::Exact, Rule::List { clients: vec![Bound(build("17.3.0.9"))] }] {
        let judged = by(&rule, "7.00.170117A", "17.3.0.14");
        assert_eq!(judged.code(), "cannot-be-compared", "{rule}");
        assert!(!judged.may_run());
    }
    // Nor are equal looks an order.
    let (semver, dotted) = (Build::parse("3.4.0", Scheme::Semver).unwrap(), build("3.4.0"));
    assert_eq!(judge(&semver, &dotted, &Rule::MajorMinor, &Terms::default()).code(), "cannot-be-compared");
    for text in ["", "latest", "3.4.x", "17.3.0.14 "] {
        assert!(Build::recognise(text).is_err(), "{text}");
    }
}

#[test]
fn ac_20_a_range_in_another_notation_is_no_order_either() {
    let range = BuildRange::read("7.00.170117A..", None).unwrap();
    let terms = Terms { servers: Some(&range), ..Terms::default() };
    assert_eq!(judge(&build("17.3.0.9"), &build("17.3.0.14"), &Rule::MajorMinor, &terms).code(), "cannot-be-compared");
    let server = Build::recognise("7.00.191205P").unwrap();
    assert_eq!(judge(&build("17.3.0.9"), &server, &Rule::MajorMinor, &terms).code(), "compatible", "what is signed says it");
}

#[test]
fn ac_21_a_release_that_names_both_minimums_is_refused_naming_both() {
    let requires = Requires { server: bound("17.3.0.14"), client: bound("17.3.0.9"), ..Requires::default() };
    let terms = Terms { requires: Some(&requires), ..Terms::default() };
    for (client, server, fits) in [
        ("17.3.0.8", "17.3.0.14", false),
        ("17.3.0.9", "17.3.0.13", false),
        ("17.3.0.8", "17.3.0.13", false),
        ("17.3.0.9", "17.3.0.14", true),
        ("17.3.0.10", "17.3.0.15", true),
    ] {
        let judged = judge(&build(client), &build(server), &Rule::MajorMinor, &terms);
        assert_eq!(judged.code(), if fits { "compatible" } else { "needs-both-minimums" }, "{client} {server}");
        let text = judged.to_string();
        assert!(fits || [client, server, "17.3.0.9", "17.3.0.14"].iter().all(|build| text.contains(build)), "{text}");
    }
}

#[test]
fn ac_21_what_is_not_known_is_no_minimum_but_no_client_is_too_old_where_there_is_none() {
    let requires = Requires { server: bound("17.3.0.14"), client: bound("17.3.0.9"), ..Requires::default() };
    assert!(both_minimums(&requires, Some(&build("17.3.0.9")), None).is_some());
    assert!(both_minimums(&requires, None, Some(&build("17.3.0.14"))).is_none());
    let one = Requires { client: None, ..requires };
    assert!(both_minimums(&one, Some(&build("17.3.0.8")), Some(&build("17.3.0.1"))).is_none(), "one minimum is named alone");
}

#[test]
fn a_client_that_needs_a_newer_server_says_which() {
    let requires = Requires { server: bound("17.3.0.14"), ..Requires::default() };
    let terms = Terms { requires: Some(&requires), ..Terms::default() };
    let judged = judge(&build("17.3.0.20"), &build("17.3.0.13"), &Rule::MajorMinor, &terms);
    assert_eq!(why(judged), Why::ServerTooOld { minimum: "17.3.0.14".into() });
}

#[test]
fn d_07_the_ranges_of_a_release_stand_above_the_rule() {
    let (servers, clients) = (BuildRange::read("17.2..17.3", Some(Scheme::Dotted)).unwrap(), BuildRange::read("17.1.0.0..", None).unwrap());
    let of = |client: &str, server: &str, clients| {
        judge(&build(client), &build(server), &Rule::MajorMinor, &Terms { servers: Some(&servers), clients, requires: None })
    };
    assert_eq!(of("17.1.0.0", "17.3.0.14", None).code(), "compatible", "the rule alone would call it older; `17.3` holds all of 17.3");
    assert_eq!(why(of("17.3.0.14", "17.4.0.0", None)), Why::ServerOutOfRange);
    assert_eq!(why(of("17.3.0.14", "17.1.9.9", None)), Why::ServerOutOfRange);
    assert_eq!(of("17.1.0.0", "17.3.0.14", Some(&clients)).code(), "compatible");
    assert_eq!(why(of("17.0.9.9", "17.3.0.14", Some(&clients))), Why::ClientOutOfRange, "both sides have to agree");
    assert_eq!(why(by(&Rule::Range, "17.3.0.14", "17.3.0.14")), Why::NoRange);
}

#[test]
fn d_07_exact_and_list() {
    assert_eq!(by(&Rule::Exact, "17.3.0.14", "17.3.0.14").code(), "compatible");
    assert_eq!(by(&Rule::Exact, "17.3", "17.3.0.0").code(), "compatible", "equal is not spelt the same");
    assert_eq!(why(by(&Rule::Exact, "17.3.0.15", "17.3.0.14")), Why::NotTheSame);
    let list = Rule::read("list:17.3.0.9, 17.3.0.14,7.00.170117A", None).unwrap();
    assert_eq!(by(&list, "17.3.0.9", "18.0.0.0").code(), "compatible");
    assert_eq!(why(by(&list, "17.3.0.10", "17.3.0.10")), Why::NotListed);
    assert_eq!(why(by(&Rule::List { clients: vec![] }, "17.3.0.10", "17.3.0.10")), Why::NotListed);
}

#[test]
fn rules_are_read_and_written_as_text_and_in_documents() {
    for (text, json) in [
        ("major-minor", r#"{"rule":"major-minor"}"#),
        ("exact", r#"{"rule":"exact"}"#),
        ("range", r#"{"rule":"range"}"#),
        (
            "list:17.3.0.9,17.3.0.14",
            r#"{"clients":[{"build":"17.3.0.9","scheme":"dotted"},{"build":"17.3.0.14","scheme":"dotted"}],"rule":"list"}"#,
        ),
    ] {
        let rule = Rule::read(text, None).unwrap();
        assert_eq!(rule.to_string(), text);
        assert_eq!(canonical::to_stored(&rule).unwrap(), json.as_bytes());
        assert_eq!(serde_json::from_str::<Rule>(json).unwrap(), rule);
    }
    for text in ["", "Exact", "list", "list:", "list:latest", "range:1..2", "exact:1"] {
        assert!(Rule::read(text, None).is_err(), "{text}");
    }
    for json in [r#"{"rule":"roman"}"#, r#"{}"#, r#"{"rule":"list"}"#, r#"{"rule":"list","clients":[],"servers":[]}"#] {
        assert!(serde_json::from_str::<Rule>(json).is_err(), "{json}");
    }
}

#[test]
fn each_answer_has_the_code_that_documents_name() {
    let (client, server) = (String::from("1.0"), String::from("2.0"));
    for judged in [
        Compatibility::Compatible { client: client.clone(), server: server.clone() },
        Compatibility::ClientNewer { client: client.clone(), server: server.clone() },
        Compatibility::Incompatible { client: client.clone(), server: server.clone(), why: Why::ServerTooOld { minimum: "3.0".into() } },
        Compatibility::NeedsBothMinimums { client: None, client_minimum: client.clone(), server: None, server_minimum: server.clone() },
        Compatibility::CannotBeCompared { client, server },
    ] {
        let json = serde_json::to_value(&judged).unwrap();
        assert_eq!(json["code"], judged.code());
        assert!(!judged.code().contains(' '));
        if judged.code() == "incompatible" {
            assert_eq!(
                json,
                serde_json::json!({"code":"incompatible","client":"1.0","server":"2.0","why":"server-too-old","minimum":"3.0"})
            );
        }
    }
}
