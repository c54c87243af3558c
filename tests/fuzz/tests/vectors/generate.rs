//! Makes the documents of `tests/vectors`: the sample ones, and one for each way in which a document can be wrong.

mod releases;
mod reports;
mod roles;
mod words;

use fuzz::samples::{self, CHANNEL, INSTALL, JOURNAL, MANIFEST, POLICY, RATCHET, STATION};
use manifests::digest::Digest;

/// A document, and why it is there.
pub(crate) struct Made {
    pub(crate) file: String,
    pub(crate) why: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// Its bytes depend on the version of the compressor.
    pub(crate) is_compressed: bool,
}

/// All of them.
pub(crate) fn all() -> Vec<Made> {
    let mut made = Vec::new();
    let mut add = |file: &str, why, bytes: Vec<u8>| {
        let is_compressed = file.contains("-stored-") || file.contains("-frame-") || file.contains("-dictionary-");
        made.push(Made { file: file.to_owned(), why, bytes, is_compressed });
    };
    every_json(&mut add);
    roles::roles(&mut add);
    documents(&mut add);
    releases::manifests(&mut add);
    releases::objects(&mut add);
    words::words(&mut add);
    state(&mut add);
    reports::reports(&mut add);
    made
}

type Add<'a> = &'a mut dyn FnMut(&str, &'static str, Vec<u8>);

/// `text` with `from`, which stands there, replaced once.
fn with(text: &str, from: &str, to: &str) -> Vec<u8> {
    assert!(text.contains(from), "`{from}` does not stand in {text}");
    text.replacen(from, to, 1).into_bytes()
}

/// What is wrong with JSON of any kind.
fn every_json(add: Add<'_>) {
    for (kind, base) in [
        ("policy", POLICY),
        ("channel", CHANNEL),
        ("install", INSTALL),
        ("manifest", MANIFEST),
        ("plan", JOURNAL),
        ("ratchet", RATCHET),
        ("station", STATION),
    ] {
        add(&format!("good-{kind}-full.json"), "every field", base.into());
        // The last one: a plan holds a line of the history, which has one of its own.
        let (before, after) = base.split_at(base.rfind("\"format\":0").expect("a format"));
        add(
            &format!("bad-{kind}-same-key-twice.json"),
            "two readers may take different ones (B3)",
            format!("{before}\"format\":0,{after}").into(),
        );
        add(
            &format!("bad-{kind}-later-format.json"),
            "only newer code knows what it means",
            [before, &after.replacen('0', "7", 1)].concat().into(),
        );
        let written = format!("\"type\":\"{}\"", if kind == "plan" { "swap" } else { kind });
        let at = base.rfind(&written).expect("a type");
        let other = format!("{}\"type\":\"else\"{}", &base[..at], &base[at + written.len()..]);
        add(&format!("bad-{kind}-other-type.json"), "signed or stored as something else (A17)", other.into());
        add(&format!("bad-{kind}-trailing-bytes.json"), "something hides behind the document", format!("{base}{{}}").into());
        add(&format!("bad-{kind}-cut.json"), "half a document", base.as_bytes()[..base.len() / 2].to_vec());
    }
    let channel = |from: &str, to: &str| with(CHANNEL, from, to);
    let last = "\"last_sequence\":12";
    for (name, number) in [
        ("fraction", "12.0"),
        ("exponent", "12e0"),
        ("minus-zero", "-0"),
        ("beyond-64-bits", "18446744073709551616"),
        ("leading-zero", "012"),
    ] {
        add(
            &format!("bad-channel-number-{name}.json"),
            "readers disagree about such numbers (B4)",
            channel(last, &format!("\"last_sequence\":{number}")),
        );
    }
    let nested = format!("\"later\":{}{}", "[".repeat(64), "]".repeat(64));
    add("bad-channel-nested-too-deep.json", "a stack is not endless (B2); depth 65", channel("\"kind\"", &format!("{nested},\"kind\"")));
    let nested = format!("\"later\":{}{}", "[".repeat(63), "]".repeat(63));
    add(
        "good-channel-nested-as-deep-as-allowed.json",
        "depth 64, in a field that nobody knows",
        channel("\"kind\"", &format!("{nested},\"kind\"")),
    );
    for (name, why, notes) in [
        ("lone-surrogate", "no text (B5)", br"\ud800".as_slice()),
        ("raw-control", "no JSON (B5)", b"\n"),
        ("overlong-utf-8", "a slash in disguise (B5)", b"\xc0\xaf"),
        ("surrogate-in-utf-8", "no text (B5)", b"\xed\xa0\x80"),
        ("bad-escape", "no JSON (B5)", br"\x41"),
    ] {
        let (before, after) = CHANNEL.split_once("Fixes printing.").expect("notes");
        add(&format!("bad-channel-text-{name}.json"), why, [before.as_bytes(), notes, after.as_bytes()].concat());
    }
    add("bad-channel-byte-order-mark.json", "nothing stands before a document (B5)", format!("\u{feff}{CHANNEL}").into());
    add("bad-channel-null-for-absent.json", "null and absent are two things", channel("\"variant\":\"imMW_Face\"", "\"variant\":null"));
    add("bad-channel-escaped-key-twice.json", "one key, in two spellings (B3)", channel("\"kind\":", r#""k\u0069nd":"product","kind":"#));
}

/// What is wrong with policies, channel documents and install documents alone.
fn documents(add: Add<'_>) {
    add("good-policy-least.json", "defaults for all that is optional", br#"{"format":0,"type":"policy","repository":"acme"}"#.to_vec());
    add("bad-policy-epoch-zero.json", "epochs begin at 1", with(POLICY, "\"windows\":2", "\"windows\":0"));
    add(
        "bad-policy-epoch-beyond-53-bits.json",
        "no reader in JavaScript could tell it from the next",
        with(POLICY, "\"windows\":2", "\"windows\":9007199254740992"),
    );
    add("bad-policy-floor-of-sequence-zero.json", "sequences begin at 1", with(POLICY, "\"sequence\":7", "\"sequence\":0"));
    add(
        "bad-policy-offline-for-ever.json",
        "old copies would never be refused",
        with(POLICY, "\"offline_max_age_days\":120", "\"offline_max_age_days\":3651"),
    );
    add(
        "bad-policy-of-another-repository.json",
        "one publisher's policy for another's releases (AC-53)",
        with(POLICY, "\"repository\":\"acme\"", "\"repository\":\"evil\""),
    );
    add("bad-policy-unknown-custody.json", "a word that nobody knows", with(POLICY, "\"windows\":\"online\"", "\"windows\":\"nearby\""));

    let empty = br#"{"format":0,"type":"channel","product":"smartclient","kind":"platform","os":"windows","arch":"x86_64","variant":"imMW_Face","channel":"stable","epoch":1,"last_sequence":0,"releases":[]}"#;
    add("good-channel-without-releases.json", "a channel before its first release", empty.to_vec());
    add("bad-channel-of-another-os.json", "what is right elsewhere (AC-53)", with(CHANNEL, "\"os\":\"windows\"", "\"os\":\"linux\""));
    add("bad-channel-of-another-variant.json", "what is right elsewhere (AC-53)", with(CHANNEL, "imMW_Face", "imMW_face"));
    add("bad-channel-oldest-first.json", "newest first, each once", with(CHANNEL, "\"sequence\":3", "\"sequence\":11"));
    add(
        "bad-channel-sequence-above-the-last.json",
        "the next release would have the number of this one",
        with(CHANNEL, "\"last_sequence\":12", "\"last_sequence\":11"),
    );
    add("bad-channel-sequence-zero.json", "sequences begin at 1", with(CHANNEL, "\"sequence\":3", "\"sequence\":0"));
    add("bad-channel-sequence-as-text.json", "numbers are numbers", with(CHANNEL, "\"sequence\":3", "\"sequence\":\"3\""));
    add(
        "bad-channel-epoch-beyond-53-bits.json",
        "no reader in JavaScript could tell it from the next",
        with(CHANNEL, "\"epoch\":1", "\"epoch\":9007199254740992"),
    );
    add(
        "good-channel-unsafe-entry-point.json",
        "D1 in one release leaves the others",
        with(CHANNEL, "\"entry_point\":\"smartclient.exe\"", "\"entry_point\":\"../smartclient.exe\""),
    );
    add(
        "good-channel-unknown-requirement.json",
        "a station that cannot tell, does not install",
        with(CHANNEL, "\"requires\":{", "\"requires\":{\"moon\":{\"scheme\":\"dotted\",\"build\":\"1\"},"),
    );
    let deadline = |text: &str| with(CHANNEL, r#""sequence":12}"#, &format!(r#""sequence":12,"deadline":"{text}"}}"#));
    add("good-channel-with-a-deadline.json", "until when people may put it off", deadline("2026-11-30T18:00:00Z"));
    add(
        "good-channel-deadline-in-another-zone.json",
        "one spelling of an instant (B9); a release that is not understood leaves the others",
        deadline("2026-11-30T15:00:00-03:00"),
    );
    let server = r#""last_sequence":12,"server":{"build":"17.3.0.14","scheme":"dotted"}"#;
    let says = |more: &str| with(CHANNEL, r#""last_sequence":12"#, &format!("{server}{more}"));
    add("good-channel-with-a-server.json", "clients of this channel talk to that server (D-07)", says(""));
    let list = r#","compat":{"clients":[{"build":"17.3.0.9","scheme":"dotted"}],"rule":"list"}"#;
    add("good-channel-with-a-list.json", "who fits that server, one by one (D-07)", says(list));
    add("bad-channel-unknown-rule.json", "nobody guesses who fits", says(r#","compat":{"rule":"roman"}"#));
    add(
        "bad-channel-server-without-a-scheme.json",
        "a build is read in a scheme or not at all (D-08)",
        with(CHANNEL, r#""last_sequence":12"#, r#""last_sequence":12,"server":{"build":"17.3.0.14"}"#),
    );

    add(
        "bad-install-url-without-a-slash.json",
        "what is joined to it would replace its last part",
        with(INSTALL, "../repo/acme/", "../repo/acme"),
    );
    add("bad-install-root-version-zero.json", "versions begin at 1", with(INSTALL, "\"version\":1", "\"version\":0"));
    add("bad-install-unknown-os.json", "a word that nobody knows", with(INSTALL, "\"os\":\"windows\"", "\"os\":\"beos\""));
    add("bad-install-digest-in-capitals.json", "one spelling of a digest", {
        let digest = Digest::of(b"root").to_hex();
        with(INSTALL, &digest, &digest.to_uppercase())
    });
    add(
        "bad-install-product-leaves-its-folder.json",
        "a name is one component (D1)",
        with(INSTALL, "\"product\":\"smartclient\"", "\"product\":\"../x\""),
    );
}

/// `.updater/installed`, journals and histories.
fn state(add: Add<'_>) {
    let ended = |text: &str| format!("{text}end {}\n", Digest::of(text.as_bytes())).into_bytes();
    let digest = Digest::of(b"x").to_hex();
    let head = format!(
        r#"{{"format":0,"type":"installed","product":"smartclient","os":"windows","arch":"x86_64","variant":"imMW_Face","epoch":1,"sequence":12,"build":"17.3.0.14","scheme":"dotted","manifest":"{digest}","entry_point":"a b.exe"}}"#
    );
    let whole = format!(
        "{head}\nf\t5\t1763683200\t1763683199\t0644\tn\t{digest}\ta%20b.ini\ng\t0\t0\t-\t0755\to\t{digest}\tbin/old\nl\t../x%20y\tl/ä\nd\tlogs\n"
    );
    add("good-installed-full.txt", "every kind of line", ended(&whole));
    add("bad-installed-cut.txt", "torn by a power cut", ended(&whole)[..200].to_vec());
    add(
        "bad-installed-changed.txt",
        "a byte that rotted",
        String::from_utf8(ended(&whole)).expect("UTF-8").replace("bin/old", "bin/odd").into(),
    );
    add("bad-installed-path-leaves-the-folder.txt", "a right digest is no excuse (D1)", ended(&whole.replace("bin/old", "../old")));
    add("bad-installed-path-twice.txt", "which one?", ended(&whole.replace("bin/old", "a%20b.ini")));
    add("bad-installed-mode-of-three-digits.txt", "one spelling of a mode", ended(&whole.replace("0644", "644")));
    add("bad-installed-later-format.txt", "only newer code knows what it means", ended(&whole.replace("\"format\":0", "\"format\":1")));

    let line = |json: &str| format!("{} {json}\n", &Digest::of(json.as_bytes()).to_hex()[..16]);
    let plan = line(JOURNAL);
    add("good-journal-planned.txt", "nothing has moved, or some", plan.clone().into());
    add("good-journal-committed.txt", "from here on only forward", (plan.clone() + &line(r#"{"phase":"committed"}"#)).into());
    add(
        "good-journal-torn-after-the-plan.txt",
        "a torn later line is as if it were not there",
        (plan.clone() + &line(r#"{"phase":"back"}"#)[..20]).into(),
    );
    add("bad-journal-torn-plan.txt", "nothing may be concluded from it", plan[..plan.len() / 2].into());
    add("bad-journal-changed-plan.txt", "a byte that rotted", plan.replace("\"rmdir\"", "\"mkdir\"").into());
    let staged = Digest::of(b"bb").to_hex();
    add(
        "bad-plan-stages-outside.json",
        "a name in staging/ is one plain name (D1)",
        with(JOURNAL, &format!("\"staged\":\"{staged}\""), "\"staged\":\"../x\""),
    );
    add(
        "bad-plan-path-leaves-the-folder.json",
        "what is read back is checked like what is signed (D1)",
        with(JOURNAL, "\"path\":\"d/x\"", "\"path\":\"../x\""),
    );
    add("bad-plan-removes-twice.json", "no swap of ours does", with(JOURNAL, "\"path\":\"d/x\"", "\"path\":\"a.exe\""));

    let attempt = samples::attempt();
    add("good-history-two.jsonl", "a line for each attempt", format!("{attempt}\n{attempt}\n").into());
    add("good-history-torn.jsonl", "a torn line hides only itself", format!("{}\n{attempt}\n", &attempt[..40]).into());
    add("bad-history-later-format.jsonl", "only newer code knows what it means", with(&attempt, "\"format\":0", "\"format\":1"));
    add("bad-history-torn.jsonl", "nothing whole", attempt.as_bytes()[..40].to_vec());

    add("good-ratchet-new.json", "before the first install", br#"{"format":0,"type":"ratchet"}"#.to_vec());
    add(
        "bad-station-repository-without-a-slash.json",
        "what is joined to it would replace its last part",
        with(STATION, "repo/acme/", "repo/acme"),
    );
    add(
        "bad-station-repository-no-address.json",
        "nothing can be joined to it",
        with(STATION, "https://updates.example/repo/acme/", "mailto:acme/"),
    );
}
