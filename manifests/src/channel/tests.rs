use super::*;

fn id() -> ChannelId {
    ChannelId::from_target_path("windows/smartclient/x86_64/stable.json").unwrap()
}

fn release(sequence: u64, extra: &str) -> String {
    format!(
        r#"{{"sequence":{sequence},"build":"17.3.0.{sequence}","scheme":"dotted","released":"2026-11-21T10:00:00Z","manifest":{{"sha256":"{}","length":5}}{extra}}}"#,
        Digest::of(b"m")
    )
}

fn document(os: &str, releases: &[String]) -> String {
    format!(
        r#"{{"format":0,"type":"channel","product":"smartclient","kind":"product","os":"{os}","arch":"x86_64","channel":"stable","epoch":1,"last_sequence":9,"releases":[{}]}}"#,
        releases.join(",")
    )
}

fn parse(text: &str) -> Result<ChannelDocument, ChannelError> {
    ChannelDocument::parse(text.as_bytes(), &id(), 1 << 20)
}

#[test]
fn documents_round_trip() {
    let text = document(
        "windows",
        &[release(9, r#","probe":{"alive_seconds":60},"withdrawn":{"at":"2026-11-21T10:00:00Z","reason":"x"}"#), release(7, "")],
    );
    let read = parse(&text).unwrap();
    assert_eq!(read.current().unwrap().sequence, 7);
    assert_eq!(ChannelDocument::parse(&read.to_bytes().unwrap(), &id(), 1 << 20).unwrap(), read);
}

#[test]
fn ac_53_the_document_of_another_os_is_refused() {
    assert!(matches!(parse(&document("linux", &[])), Err(ChannelError::Other { .. })));
}

#[test]
fn a_release_that_is_not_understood_is_unavailable_but_its_warnings_are_read() {
    for extra in [
        r#","requires":{"moon":{"scheme":"dotted","build":"1"}}"#,
        r#","probe":{"prayer":1}"#,
        r#","scheme2":1,"requires":{"server":{"scheme":"roman","build":"IV"}}"#,
    ] {
        let read = parse(&document("windows", &[release(9, &format!("{extra},\"floor\":true")), release(7, "")])).unwrap();
        assert_eq!((read.releases.len(), read.unavailable[0].sequence, read.unavailable[0].floor), (1, 9, true));
    }
}

#[test]
fn inconsistent_documents_are_refused() {
    for releases in
        [vec![release(7, ""), release(9, "")], vec![release(9, ""), release(9, "")], vec![release(10, "")], vec![release(0, "")]]
    {
        assert!(matches!(parse(&document("windows", &releases)), Err(ChannelError::Inconsistent { .. })), "{releases:?}");
    }
}

#[test]
fn a_later_format_is_named_as_such() {
    let text = document("windows", &[]).replace(r#""format":0"#, r#""format":7"#);
    assert!(matches!(parse(&text), Err(ChannelError::Format { format: 7, .. })));
}
