//! Links, paths and builds.

use manifests::digest::Digest;

use super::Add;

pub(super) fn words(add: Add<'_>) {
    let digest = Digest::of(b"x").to_hex();
    add("good-link-whole.txt", "as it is handed over", format!("https://updates.example/i/shop1#{digest}").into());
    add("good-link-without-digest.txt", "for use with --root", b"http://192.168.0.9:8080/i/shop1".to_vec());
    add("bad-link-file.txt", "not from the network", format!("file:///etc/passwd#{digest}").into());
    add("bad-link-short-digest.txt", "mistyped", format!("https://h/i/shop1#{}", &digest[1..]).into());
    add("bad-link-digest-in-capitals.txt", "one spelling of a digest", format!("https://h/i/shop1#{}", digest.to_uppercase()).into());
    add("bad-link-two-fragments.txt", "which one?", format!("https://h/i/shop1#{digest}#{digest}").into());

    for (name, why, text) in [
        ("plain", "nothing special", "bin/client.dll"),
        ("letters", "all the world's", "Перевод/файл 1.txt"),
        ("composed", "é in one and in two characters fold alike", "e\u{301}/É"),
        ("turkish", "all forms of i fold alike, marks included", "İ\u{301}ıIi/I\u{307}"),
        ("sharp-s", "ß folds to ss", "Straße/ẞ"),
        ("dotfile", "only the first folder is ours", "a/.updater"),
        ("almost-a-device", "more than a device's name", "console/com10.txt"),
        ("almost-a-short-name", "nine characters before the dot", "backup~1x/longname~1.txt"),
    ] {
        add(&format!("good-path-{name}.txt"), why, text.into());
    }
    add("good-path-deepest.txt", "64 components", vec!["a"; 64].join("/").into());
    add("bad-path-too-deep.txt", "65 components (D7)", vec!["a"; 65].join("/").into());
    add("bad-path-too-long.txt", "2,303 bytes (D7)", vec!["x".repeat(255); 9].join("/").into());
    add("bad-path-component-too-long.txt", "256 bytes in 128 characters (D7)", "é".repeat(128).into());
    for (name, why, text) in [
        ("empty", "names the folder itself (D1)", ""),
        ("traversal", "leaves the folder (D1)", "a/../../x"),
        ("dot", "has another spelling (D1)", "./x"),
        ("absolute", "leaves the folder (D1)", "/x"),
        ("double-slash", "another machine, on some systems (D1)", "//srv/x"),
        ("backslash", "separates on Windows (D1)", "a\\x"),
        ("drive", "leaves the folder on Windows (D1)", "C:x"),
        ("stream", "hides in another file (D2)", "a.txt::$DATA"),
        ("device", "no file on Windows (D3)", "con .txt"),
        ("device-superscript", "no file on Windows (D3)", "COM\u{b9}"),
        ("trailing-space", "another name on Windows (D3)", "a "),
        ("wildcard", "no name on Windows (D3)", "a?"),
        ("control", "acts on terminals (D3)", "a\u{1b}[31m"),
        ("turned-around", "shown as another name (D4)", "a\u{202e}gpj.exe"),
        ("zero-width", "shown as another name (D4)", "a\u{200b}"),
        ("unassigned", "no one knows how it will fold (D4)", "a\u{378}"),
        ("short-name", "may be another file's alias (D6)", "bkp_re~1.001"),
        ("own-state", "the updater's own (D8)", ".UPDATER/x"),
        ("own-state-full-width", "the updater's own, for those who fold (D8)", ".\u{ff35}pdater/x"),
        ("backup", "a backup's (D8)", "Bkp_Remote.001"),
    ] {
        add(&format!("bad-path-{name}.txt"), why, text.into());
    }
    for (name, why, text) in [
        ("semver", "before its release", "semver 1.2.3-rc.1"),
        ("semver-metadata", "metadata counts, last", "semver 1.2.3+5"),
        ("dotted", "by number, not by letter", "dotted 17.3.0.14"),
        ("dotted-leading-zeros", "the same as without", "dotted 017.03.0.9.0.0"),
        ("totvs", "by version, then date", "totvs 12.1.160101A"),
        ("totvs-suffix", "after the one without", "totvs 7.00.170117A-20190212"),
    ] {
        add(&format!("good-build-{name}.txt"), why, text.into());
    }
    for (name, why, text) in [
        ("semver-two-parts", "semver has three", "semver 1.2"),
        ("semver-leading-zero", "semver has none", "semver 1.02.3"),
        ("dotted-word", "words have no order", "dotted 1.2a"),
        ("dotted-sign", "digits only", "dotted +1.2"),
        ("dotted-nine-parts", "eight at most", "dotted 1.2.3.4.5.6.7.8.9"),
        ("dotted-beyond-64-bits", "no number", "dotted 18446744073709551616"),
        ("totvs-month-13", "no date", "totvs 7.00.171317A"),
        ("totvs-small-letter", "one spelling", "totvs 7.00.170117a"),
        ("unknown-scheme", "no order that we know", "roman XIV"),
    ] {
        add(&format!("bad-build-{name}.txt"), why, text.into());
    }
}
