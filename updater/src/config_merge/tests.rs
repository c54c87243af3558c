//! What a merge brings and what it leaves, by examples; then for whatever two people may have written.

use proptest::prelude::*;

use super::*;

fn merged(users: &str, new: &str, base: Option<&str>) -> String {
    listed(users, new, base, &[])
}

fn listed(users: &str, new: &str, base: Option<&str>, keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    String::from_utf8(merge(users.as_bytes(), new.as_bytes(), base.map(str::as_bytes), &keys).unwrap()).unwrap()
}

fn refused(users: &[u8], new: &[u8]) -> String {
    merge(users, new, None, &[]).unwrap_err().to_string()
}

#[test]
fn ac_48_both_sets_are_right_and_comments_and_order_are_kept() {
    let base = "[config]\nlastmainprog=\nlanguage=1\nlocallog=0\n\n[drivers]\nactive=tcp\n";
    let users = "; mine\n[drivers]\nactive = tcp\n\n[config]\n# what I start\nlastmainprog=SIGAFAT\nlanguage=2\nlocallog=0\n";
    let new = "[config]\nlastmainprog=\nenvserver=prod\nlanguage=1\nlocallog=1\n\n[drivers]\nactive=ssl\n; where the server is\nserver=c:\\new\\bin\n";
    assert_eq!(
        merged(users, new, Some(base)),
        "; mine\n[drivers]\nactive = ssl\n; where the server is\nserver=c:\\new\\bin\n\n[config]\n# what I start\nlastmainprog=SIGAFAT\nenvserver=prod\nlanguage=2\nlocallog=1\n"
    );
    // Without the last release's file nobody knows what was touched: everything that is there stays.
    assert_eq!(
        merged(users, new, None),
        "; mine\n[drivers]\nactive = tcp\n; where the server is\nserver=c:\\new\\bin\n\n[config]\n# what I start\nlastmainprog=SIGAFAT\nenvserver=prod\nlanguage=2\nlocallog=0\n"
    );
}

#[test]
fn a_listed_key_is_the_publishers_whatever_the_user_did() {
    let (users, new) = ("[a]\nx=mine\ny=mine\n[b.c]\nz=mine\n", "[A]\nX=new\ny=new\n[b.c]\nz=new\nw=new\n");
    assert_eq!(listed(users, new, None, &["A.x", "b.c.*"]), "[a]\nx=new\ny=mine\n[b.c]\nz=new\nw=new\n");
    assert_eq!(listed("k=mine\n", "k=new\n", None, &[".K"]), "k=new\n");
    assert_eq!(listed("[a]\n", "[a]\nx=1\n", Some("[a]\nx=1\n"), &["a.x"]), "[a]\nx=1\n", "deleted, and listed");
}

#[test]
fn what_the_user_deleted_stays_deleted_and_what_the_publisher_dropped_stays() {
    assert_eq!(merged("[a]\ny=1\n", "[a]\nx=2\ny=1\n", Some("[a]\nx=1\ny=1\n")), "[a]\ny=1\n");
    assert_eq!(merged("[a]\nx=1\ny=1\n", "[a]\ny=1\n", Some("[a]\nx=1\ny=1\n")), "[a]\nx=1\ny=1\n");
    assert_eq!(merged("[b]\ny=1\n", "[a]\nx=2\n[b]\ny=1\n", Some("[a]\nx=1\n[b]\ny=1\n")), "[b]\ny=1\n", "a whole section");
}

#[test]
fn new_keys_come_in_the_publishers_order_and_new_sections_at_the_end() {
    assert_eq!(merged("[a]\n\n[b]\nq=1\n", "[a]\nx=1\ny=2\n[c]\nz=3\n[b]\nq=1\n", None), "[a]\nx=1\ny=2\n\n[b]\nq=1\n\n[c]\nz=3\n");
    assert_eq!(merged("[a]\nq=1\nr=2", "[a]\nq=1\nn1=1\nn2=2\nr=2\nn3=3", None), "[a]\nq=1\nn1=1\nn2=2\nr=2\nn3=3\n");
    assert_eq!(merged("[a]\nr=2\n", "; of all\nglobal=1\n[a]\nfirst=1\nr=2\n", None), "; of all\nglobal=1\n[a]\nfirst=1\nr=2\n");
    assert_eq!(merged("", "[a]\r\nx=1\r\n", None), "[a]\r\nx=1\r\n");
}

#[test]
fn line_ends_white_space_and_the_mark_are_the_users() {
    assert_eq!(merged("[a]\r\n  X  =  1\r\ny=2\r\n", "[a]\nx=9\nz=3\n", Some("[a]\nx=1\n")), "[a]\r\n  X  =  9\r\nz=3\r\ny=2\r\n");
    assert_eq!(merged("\u{feff}[a]\nx=1", "\u{feff}[a]\nx=1\ny=é\n", None), "\u{feff}[a]\nx=1\ny=é\n");
    assert_eq!(merged("[a]\nx\n", "[a]\nx=1\n", Some("[a]\nx\n")), "[a]\nx=1\n");
    assert_eq!(merged("[a]\nx = 1\n", "[a]\nx\n", Some("[a]\nx=1\n")), "[a]\nx\n");
}

#[test]
fn values_are_taken_as_they_are_written() {
    let new = "[Update]\nPathWindows=c:\\ERP\\bin\\remote_upd\nq=\"a ; b\" # not a comment\nurl=http://x/?a=b;c\n";
    assert_eq!(
        merged("[update]\nEnable=1\n", new, None),
        "[update]\nPathWindows=c:\\ERP\\bin\\remote_upd\nq=\"a ; b\" # not a comment\nurl=http://x/?a=b;c\nEnable=1\n"
    );
}

#[test]
fn a_key_that_stands_there_several_times_is_the_same_for_every_program() {
    let base = "[a]\nx=1\nx=2\n";
    assert_eq!(merged("[a]\nx=1\nx=2\n", "[a]\nx=3\n", Some(base)), "[a]\nx=3\nx=3\n");
    assert_eq!(merged("[a]\nx=1\nx=2\n", "[a]\nx=3\nx=4\nx=5\n", Some(base)), "[a]\nx=3\nx=4\nx=5\n");
    assert_eq!(merged("[a]\nx=1\nx=7\n", "[a]\nx=3\nx=4\n", Some(base)), "[a]\nx=1\nx=7\n", "touched");
    assert_eq!(merged("[a]\nx=1\n[b]\n[A]\nx=2\n", "[a]\nx=3\n[b]\n[a]\nx=4\n", Some("[a]\nx=1\nx=2\n[b]\n")), "[a]\nx=3\n[b]\n[A]\nx=4\n");
}

#[test]
fn latin_1_and_utf_8_both_pass_and_are_not_mixed() {
    let latin = merge(b"[a]\nname=Jo\xE3o\n", b"[a]\ncity=S\xE3o Paulo\nname=\n", None, &[]).unwrap();
    assert_eq!(latin, b"[a]\ncity=S\xE3o Paulo\nname=Jo\xE3o\n");
    assert!(refused(b"[a]\nname=Jo\xE3o\n", "[a]\ncity=São Paulo\n".as_bytes()).contains("`city` holds letters beyond ASCII"));
    assert!(refused("\u{feff}[a]\n".as_bytes(), b"[a]\ncity=S\xE3o\n").contains("encodings"));
    // What comes in is plain, whatever else there is in the other file.
    assert_eq!(merge(b"[a]\nname=Jo\xE3o\n", "; é\n[a]\nx=1\n".as_bytes(), None, &[]).unwrap(), b"[a]\nx=1\nname=Jo\xE3o\n");
    assert_eq!(
        merge(b"[a]\nname=Jo\xE3o\n", "[a]\n; é\nx=1\n".as_bytes(), None, &[]).unwrap(),
        b"[a]\nx=1\nname=Jo\xE3o\n",
        "a comment that would be garbled stays out"
    );
}

fn utf_16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(to_bytes).collect()
}

#[test]
fn ac_48_a_file_in_utf_16_stays_in_utf_16_with_all_its_letters() {
    let users = "[config]\r\nname=João 日本 \u{1f600}\r\nlanguage=1\r\n";
    let (new, base) = ("[config]\nlanguage=2\ncity=São Paulo\n", "[config]\nlanguage=1\n");
    let merged = "[config]\r\nname=João 日本 \u{1f600}\r\nlanguage=2\r\ncity=São Paulo\r\n";
    for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let users = utf_16(users, to_bytes);
        for new in [utf_16(new, u16::to_be_bytes), utf_16(new, u16::to_le_bytes), format!("\u{feff}{new}").into_bytes()] {
            assert_eq!(merge(&users, &new, Some(base.as_bytes()), &[]).unwrap(), utf_16(merged, to_bytes));
        }
        // Without a mark nobody knows which letters these are.
        for new in [new.as_bytes(), b"[config]\ncity=S\xE3o\n"] {
            assert!(refused(&users, new).contains("`city` holds letters beyond ASCII"));
        }
        assert!(refused(&users, b"\xEF\xBB\xBF[config]\ncity=S\xE3o\n").contains("letters beyond ASCII"), "a mark that is not true");
        assert_eq!(
            merge(&users, b"[config]\nlanguage=2\n", Some(base.as_bytes()), &[]).unwrap(),
            utf_16(&merged.replace("city=São Paulo\r\n", ""), to_bytes)
        );
    }
    assert!(refused(b"[a]\n", &utf_16("[a]\nx=é\n", u16::to_le_bytes)).contains("encodings"));
    assert_eq!(merge(b"[a]\n", &utf_16("[a]\nx=1\n", u16::to_le_bytes), None, &[]).unwrap(), b"[a]\nx=1\n");
}

#[test]
fn what_is_no_ini_file_is_refused_with_the_line() {
    for (file, why) in [
        (&b"[\0a\0]\0"[..], "UTF-16 without a byte order mark"),
        (b"[a]\n\0", "UTF-16 without a byte order mark"),
        (b"\xFF\xFE[\0a\0]\0\n", "half a letter"),
        (b"\xFE\xFF\0[\xD8\x01\0]", "half a letter"),
        (b"\xFF\xFE\0\0[\0\0\0", "line 1 holds a control character"),
        (b"[a]\nx=\x01\n", "line 2 holds a control character"),
        (b"[a\nx=1\n", "line 1 is none"),
        (b"[a]\n[b]=c\n", "line 2 is none"),
        (b"<config>\n</config>\n", "line 1 is none"),
        (b"{\"a\":1}", "line 1 is none"),
        (b"=1\n", "line 1 is none"),
    ] {
        let text = refused(file, b"[a]\n");
        assert!(text.contains(why) && text.starts_with("the user's file"), "{text}");
        assert!(refused(b"[a]\n", file).starts_with("the release's file"));
    }
    let large = [b"[a]\n", &b";\n".repeat(LARGEST_BYTES)[..]].concat();
    assert!(refused(&large, b"").contains("larger than 262144 bytes"));
    // A lost base is none.
    assert_eq!(merge(b"[a]\nx=1\n", b"[a]\nx=2\n", Some(b"<damaged>"), &[]).unwrap(), b"[a]\nx=1\n");
}

/// A file as people write them: a few names, so that they meet.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        3 => ("[a-d]", "[ \t]{0,2}", "[ \t]{0,1}", "(|[xyz]|[a-z\\\\;# \"=]{0,6})").prop_map(|(key, before, after, value)| format!("{key}{before}={after}{value}")),
        1 => "[ ]{0,2}[a-d]".prop_map(|text| text),
        1 => "[;#] ?[a-z ]{0,8}".prop_map(|text| text),
        1 => "[ ]{0,2}".prop_map(|text| text),
        2 => "\\[[ABab]\\]".prop_map(|text| text),
    ];
    (prop::collection::vec(line, 0..14), prop::bool::ANY, prop::bool::ANY, prop::bool::ANY).prop_map(|(lines, crlf, ends, bom)| {
        let end = if crlf { "\r\n" } else { "\n" };
        let mut text = lines.join(end);
        if ends {
            text.push_str(end);
        }
        let encoding = if bom { Encoding::Utf8 } else { Encoding::Unmarked };
        encoding.write(text.into_bytes())
    })
}

fn keys() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("(A|b|)\\.(a|B|\\*)", 0..3)
}

/// The lines of `part` stand in `whole` in this order, as far as `counts` says.
fn stand_in(part: &[u8], whole: &[u8], counts: impl Fn(&Kind<'_>) -> bool) -> bool {
    let all = |bytes| {
        let content = Content::read(bytes).unwrap();
        File::read(&content, Whose::Users)
            .unwrap()
            .lines
            .iter()
            .filter(|line| counts(&line.kind))
            .map(|line| line.text.to_vec())
            .collect::<Vec<_>>()
    };
    let mut found = all(whole).into_iter();
    all(part).iter().all(|line| found.any(|other| other == *line))
}

fn names(bytes: &[u8]) -> std::collections::BTreeSet<Name> {
    File::read(&Content::read(bytes).unwrap(), Whose::Users).unwrap().keys.into_keys().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_of_the_users_is_lost(users in file(), new in file(), base in prop::option::of(file()), keys in keys()) {
        let merged = merge(&users, &new, base.as_deref(), &keys).unwrap();
        prop_assert!(stand_in(&users, &merged, |kind| matches!(kind, Kind::Comment | Kind::Section(_))));
        prop_assert!(names(&merged).is_superset(&names(&users)));
        prop_assert!(names(&merged).is_subset(&names(&users).union(&names(&new)).cloned().collect()));
        if base.is_none() && keys.is_empty() {
            // Without leave to change anything every line stays as it is.
            prop_assert!(stand_in(&users, &merged, |_| true));
            prop_assert!(names(&merged).is_superset(&names(&new)));
        }
    }

    #[test]
    fn merging_once_more_changes_nothing(users in file(), new in file(), base in prop::option::of(file()), keys in keys()) {
        let once = merge(&users, &new, base.as_deref(), &keys).unwrap();
        prop_assert_eq!(merge(&once, &new, base.as_deref(), &keys).unwrap(), once.clone());
        // And the next release, if it is the same.
        prop_assert_eq!(merge(&once, &new, Some(&new), &keys).unwrap(), once);
    }

    #[test]
    fn a_merge_of_utf_16_is_the_merge_of_the_same_letters_in_utf_8(users in file(), new in file(), base in file(), keys in keys()) {
        let letters = |file: &[u8]| Content::read(file).unwrap().bytes.into_owned();
        let [users, new, base] = [&users, &new, &base].map(|file| letters(file));
        let merged = |mine: Encoding, theirs: Encoding| merge(&mine.write(users.clone()), &theirs.write(new.clone()), Some(&theirs.write(base.clone())), &keys).unwrap();
        let plain = letters(&merged(Encoding::Utf8, Encoding::Utf8));
        for mine in [Encoding::Utf8, Encoding::Utf16Little, Encoding::Utf16Big] {
            for theirs in [Encoding::Unmarked, Encoding::Utf8, Encoding::Utf16Little, Encoding::Utf16Big] {
                prop_assert_eq!(merged(mine, theirs), mine.write(plain.clone()), "{:?} {:?}", mine, theirs);
            }
        }
    }

    #[test]
    fn what_the_publisher_did_not_change_changes_not_one_byte(users in file(), new in file()) {
        prop_assert_eq!(merge(&users, &new, Some(&new), &[]).unwrap(), users.clone());
        prop_assert_eq!(merge(&users, &users, None, &[]).unwrap(), users);
    }

    #[test]
    fn every_key_has_the_value_that_the_rules_give_it(users in file(), new in file(), base in file(), keys in keys()) {
        let merged = merge(&users, &new, Some(&base), &keys).unwrap();
        let read = [&users, &new, &base, &merged].map(|bytes| Content::read(bytes).unwrap());
        let [users, new, base, merged] = read.each_ref().map(|content| File::read(content, Whose::Users).unwrap());
        for name in users.keys.keys().chain(new.keys.keys()) {
            let [mine, theirs, before, now] = [&users, &new, &base, &merged].map(|file| file.values(name));
            let listed = keys.iter().any(|key| {
                let (section, key) = key.to_ascii_lowercase().rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
                section.as_bytes() == name.0 && (key == "*" || key.as_bytes() == name.1)
            });
            if theirs.is_empty() {
                prop_assert_eq!(now, mine, "dropped by the publisher");
            } else if listed || (!mine.is_empty() && mine == before) || (mine.is_empty() && before.is_empty()) {
                prop_assert_eq!(&now[..theirs.len()], &theirs[..], "the publisher's");
                prop_assert!(now[theirs.len()..].iter().all(|value| value == theirs.last().unwrap()));
            } else {
                prop_assert_eq!(now, mine, "the user's");
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(users in prop::collection::vec(any::<u8>(), 0..60), new in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = merge(&users, &new, None, &["a.b".into()]);
        let _ = merge(&users, &new, Some(&users), &[]);
    }
}
