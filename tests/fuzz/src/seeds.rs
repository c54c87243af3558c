//! The seed corpus: what a fuzzer begins from, made from the samples, the same on every machine.
//!
//! Committed under `corpus/<target>`; `cargo test -p fuzz --test replay -- --ignored` writes them again. Small on purpose: each reaches one more place
//! behind the parser, the fuzzer does the rest.

use manifests::digest::Digest;

use crate::ini::BETWEEN;
use crate::samples::{self, Chain, Files, Hand};

/// A seed: the target it is for, its file name, its bytes.
pub type Seed = (&'static str, String, Vec<u8>);

/// All seeds.
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut add = |target: &'static str, name: &str, bytes: &[u8]| seeds.push((target, name.to_owned(), bytes.to_vec()));
    let mut files: Files = Chain::sample().signed(Hand::Ed25519);
    for (index, name) in ["root", "next-root", "timestamp", "snapshot", "targets", "windows"].into_iter().enumerate() {
        add("roles_raw", name, files.part(index));
        let text = String::from_utf8_lossy(files.part(index)).into_owned();
        add("roles_raw", &format!("{name}-unsigned"), text.replacen("\"sig\":\"", "\"sig\":\"00", 1).as_bytes());
    }
    add("roles_raw", "nested", "{\"signatures\":[],\"signed\":".repeat(70).as_bytes());
    add("roles_raw", "controls", br#"{"signatures":[{"keyid":"\u0007","sig":"zz"}],"signed":{"\u0000":"\n","b":-1}}"#);
    add("roles_raw", "same-key-twice", br#"{"signatures":[],"signatures":[],"signed":{}}"#);

    for (target, base) in
        [("channel", samples::CHANNEL), ("policy", samples::POLICY), ("install", samples::INSTALL), ("manifest", samples::MANIFEST)]
    {
        add(target, "full", base.as_bytes());
        add(target, "later-format", base.replace("\"format\":0", "\"format\":1").as_bytes());
        add(target, "null", base.replacen(":0", ":null", 1).as_bytes());
        add(target, "fraction", base.replacen(":1", ":1.0", 1).as_bytes());
    }
    add("policy", "least", br#"{"format":0,"type":"policy","repository":"acme"}"#);
    add("channel", "no-releases", br#"{"format":0,"type":"channel","product":"smartclient","kind":"platform","os":"windows","arch":"x86_64","variant":"imMW_Face","channel":"stable","epoch":1,"last_sequence":0,"releases":[]}"#);
    let digest = Digest::of(b"x");
    for (name, link) in [
        ("link", format!("https://updates.example/i/shop1#{digest}")),
        ("link-without-digest", "http://127.0.0.1:8080/i/shop1".to_owned()),
        ("link-short", "https://h/i/abcd#12".to_owned()),
        ("link-two-fragments", format!("https://h/i/abcd#{digest}#{digest}")),
    ] {
        add("install", name, link.as_bytes());
    }
    let compressed = |text: &[u8]| zstd::bulk::compress(text, 19).expect("compressed in memory");
    add("manifest", "stored", &compressed(samples::MANIFEST.as_bytes()));
    add("manifest", "stored-bomb", &compressed(&vec![b' '; 64 << 20]));
    add("manifest", "stored-bomb-of-zeros", &compressed(&vec![b'['; 4 << 20]));
    add("manifest", "least", br#"{"format":0,"type":"manifest","product":"smartclient","os":"linux","arch":"x86_64","variant":"imMW_Face","build":"17.3.0.14","scheme":"dotted","files":[]}"#);

    for (name, path) in [
        ("plain", "bin/client.dll\n.new"),
        ("letters", "Перевод/файл 1.txt\n../中文/文件"),
        ("combining", "e\u{301}/\u{1e9e}\u{130}ıK\u{fb01}\n"),
        ("almost-a-device", "console/com10/nul-.txt\n"),
        ("almost-short", "long name ~1 here.txt/x~\n./../y"),
        ("link-out", "a/b/c\n../../../x"),
        ("link-into-state", "a/b\n../.updater/journal"),
        ("deep", &["a"; 64].join("/")),
        ("long", &["x".repeat(255), "y".repeat(255)].join("/")),
        ("traversal", "../x"),
        ("drive", "C:\\x"),
        ("stream", "a.txt::$DATA"),
        ("device", "con .txt"),
        ("state", ".ＵPDATER/x"),
        ("hidden", "a\u{202e}gpj.exe"),
    ] {
        add("path", name, path.as_bytes());
    }
    for (name, builds) in [
        ("semver", "\u{0}1.2.3\n1.2.3-rc.1\n1.2.3+5"),
        ("semver-metadata", "\u{0}1.0.0+001\n1.0.0+1\n1.0.0+a"),
        ("dotted", "\u{1}17.3.0.14\n17.3.0.9\n17.3"),
        ("dotted-zeros", "\u{1}1.2\n1.2.0\n01.2"),
        ("dotted-largest", "\u{1}18446744073709551615\n0\n0.0.0.0.0.0.0.0"),
        ("words", "\u{1}latest\n1..2\n+1"),
        ("totvs", "\u{2}7.00.170117A\n7.00.170117A-20190212\n12.1.170117A"),
        ("totvs-dates", "\u{2}7.00.999999Z\n7.00.171317A\n7.00.000101A"),
    ] {
        add("build", name, builds.as_bytes());
    }

    let pack =
        |mode: u8, length: usize, rest: &[u8]| [&[mode][..], &u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes(), rest].concat();
    for (mode, name, dictionary) in
        [(0, "plain", vec![]), (1, "raw", samples::RAW_DICTIONARY.to_vec()), (2, "trained", samples::trained_dictionary())]
    {
        let (content, frame) = samples::frame(&dictionary);
        add("pack", name, &pack(mode, content.len(), &frame));
        add("pack", &format!("{name}-wrong-length"), &pack(mode, content.len() + 1, &frame));
        add("pack", &format!("{name}-cut"), &pack(mode, content.len(), &frame[..frame.len() / 2]));
    }
    add("pack", "hostile-dictionary", &pack(3, 0, &[0x37, 0xA4, 0x30, 0xEC, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
    add("pack", "made", &pack(5, 0, &[&[0, 0][..], &samples::RAW_DICTIONARY.repeat(3)].concat()));
    add("pack", "made-and-damaged", &pack(4, 0, &[&[1, 3, 9, 0, 7][..], &samples::RAW_DICTIONARY.repeat(3)].concat()));
    add("pack", "zeros", &pack(0, 8 << 20, &compressed(&vec![0; 8 << 20])));

    add("state", "installed", format!("i{INSTALLED}").as_bytes());
    add("state", "installed-nothing", format!("i{}", INSTALLED.lines().next().unwrap_or_default().to_owned() + "\n").as_bytes());
    add("state", "journal", format!("j{}", samples::JOURNAL).as_bytes());
    add("state", "journal-committed", format!("j{}\n{{\"phase\":\"committed\"}}", samples::JOURNAL).as_bytes());
    add("state", "journal-torn", format!("j{}\n{{\"phase\":\"ba", samples::JOURNAL).as_bytes());
    let attempt = samples::attempt();
    add("state", "history", format!("h{attempt}\n{attempt}\n").as_bytes());
    add("state", "history-torn", format!("h{}\n{attempt}", &attempt[..attempt.len() / 2]).as_bytes());
    add("state", "ratchet", format!("r{}", samples::RATCHET).as_bytes());
    add("state", "station", format!("s{}", samples::STATION).as_bytes());

    add("report", "full", samples::REPORT.as_bytes());
    add("report", "changed", samples::REPORT.replacen("till-3", "till-4", 1).as_bytes());

    let [mine, new, base] =
        ["; mine\r\n[A]\r\nb = 1\r\nx=2\r\n[c]\r\nk\r\n", "[a]\nb=2\n; n\nn=3\nx=4\n[c]\nk=v\n[e]\nf=\"g\"\n", "[a]\nb=1\nx=2\n"];
    let unicode =
        |text: &str, to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { format!("\u{feff}{text}").encode_utf16().flat_map(to_bytes).collect() };
    let all = |files: &[&[u8]]| files.join(BETWEEN.as_bytes());
    add("ini", "three", &all(&[mine.as_bytes(), new.as_bytes(), base.as_bytes()]));
    add("ini", "two", &all(&[mine.as_bytes(), new.as_bytes()]));
    add("ini", "marked", ["\u{feff}", mine, BETWEEN, "\u{feff}", new, "\u{e9}=1"].concat().as_bytes());
    add("ini", "not-closed", &all(&[b"[a\nb=1", b"[a]\n"]));
    add("ini", "latin-1", &all(&[b"[a]\nx=\xe3\n", b"[a]\ny=\xe3\n"]));
    let little = unicode(&format!("{mine}n=\u{1f600}\n"), u16::to_le_bytes);
    add("ini", "utf-16", &all(&[&little, &unicode(new, u16::to_be_bytes), base.as_bytes()]));
    add("ini", "half-a-letter", &all(&[&little[..little.len() - 1], new.as_bytes()]));

    // Scripts, so that the fuzzer knows from the beginning that there are such.
    for target in ["roles_signed", "channel", "policy", "install", "manifest", "report"] {
        for (name, script) in scripts() {
            add(target, &name, &script);
        }
    }
    for kind in ["j", "r", "s"] {
        for (name, script) in scripts().into_iter().take(3) {
            add("state", &format!("{kind}-{name}"), &[kind.as_bytes(), &script].concat());
        }
    }
    seeds
}

/// `.updater/installed` without its last line.
const INSTALLED: &str = concat!(
    r#"{"format":0,"type":"installed","product":"smartclient","os":"windows","arch":"x86_64","variant":"imMW_Face","epoch":1,"sequence":12,"build":"17.3.0.14","scheme":"dotted","manifest":"62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a","entry_point":"a b.exe"}"#,
    "\nf\t5\t1763683200\t1763683199\t0644\tn\t62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a\ta%20b.ini\n",
    "g\t0\t0\t-\t0755\to\te3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\tbin/old\n",
    "l\t../x%20y\tl/ä\nd\tlogs\n",
);

/// The empty script, and some of no meaning.
fn scripts() -> Vec<(String, Vec<u8>)> {
    let mut state = 0x5EED_u64;
    // SplitMix64.
    let mut byte = move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)).to_le_bytes()[3]
    };
    let made = (1..=8).map(|nth| (format!("script-{nth}"), (0..nth * 6).map(|_| byte()).collect()));
    std::iter::once(("script-0".to_owned(), vec![])).chain(made).collect()
}
