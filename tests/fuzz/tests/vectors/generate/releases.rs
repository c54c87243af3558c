//! Release manifests, stored and not, frames and dictionaries.

use fuzz::samples::{self, MANIFEST};

use super::{Add, with};

/// What is wrong with manifests alone: JSON, before compression.
pub(super) fn manifests(add: Add<'_>) {
    let client = "\"path\":\"bin/client\"";
    for (name, why, path) in [
        ("traversal", "leaves the folder (D1)", "../client"),
        ("absolute", "leaves the folder (D1)", "/etc/passwd"),
        ("drive", "leaves the folder (D1)", "C:/client"),
        ("backslash", "leaves the folder on Windows (D1)", "..\\\\client"),
        ("stream", "hides in another file (D2)", "a.txt:client"),
        ("device", "is no file on Windows (D3)", "aux.dll"),
        ("trailing-dot", "is another name on Windows (D3)", "bin./client"),
        ("turned-around", "is shown as another name (D4)", "a\u{202e}gpj.exe"),
        ("short-name", "may be another file's alias (D6)", "PROGRA~1"),
        ("own-state", "is the updater's own (D8)", ".UPDATER/journal"),
        ("backup", "is a backup's (D8)", "bkp_remote.001/x"),
    ] {
        add(&format!("bad-manifest-path-{name}.json"), why, with(MANIFEST, client, &format!("\"path\":\"{path}\"")));
    }
    let ini = "\"path\":\"client.ini\"";
    add(
        "bad-manifest-case-twins.json",
        "one file on Windows and macOS (D4)",
        with(MANIFEST, "\"directories\":[\"logs/deep\"]", "\"directories\":[\"BIN\"]"),
    );
    add(
        "bad-manifest-removes-what-it-lists.json",
        "there and gone (D4)",
        with(MANIFEST, "\"removed\":[\"old.dll\"]", "\"removed\":[\"CLIENT.INI\"]"),
    );
    add(
        "bad-manifest-composed-twins.json",
        "one file on macOS (D4)",
        with(MANIFEST, "\"removed\":[\"old.dll\"]", "\"removed\":[\"λ/m\u{65}\u{301}rge.ini\"]"),
    );
    add("bad-manifest-file-is-folder.json", "cannot be made (D5)", with(MANIFEST, ini, "\"path\":\"bin/client/x\""));
    add("bad-manifest-file-twice.json", "which one? (D4)", with(MANIFEST, ini, client));
    add("bad-manifest-not-in-order.json", "one order, so that one file has one manifest", with(MANIFEST, ini, "\"path\":\"a.ini\""));
    add(
        "bad-manifest-link-leaves-the-folder.json",
        "writes through it would, too (AC-51)",
        with(MANIFEST, "\"../bin/client\"", "\"../../bin/client\""),
    );
    add(
        "bad-manifest-link-is-absolute.json",
        "writes through it would leave the folder (AC-51)",
        with(MANIFEST, "\"../bin/client\"", "\"/etc/passwd\""),
    );
    add(
        "bad-manifest-link-into-own-state.json",
        "journal by another name (AC-51)",
        with(MANIFEST, "\"../bin/client\"", "\"../.updater/journal\""),
    );
    add(
        "bad-manifest-path-through-a-link.json",
        "written wherever the link leads (AC-51)",
        with(MANIFEST, "\"path\":\"lib/current\",\"target\":\"../bin/client\"", "\"path\":\"λ\",\"target\":\"bin\""),
    );
    add("bad-manifest-content-outside-its-pack.json", "bytes that nobody signed", with(MANIFEST, "\"at\":[0,0]", "\"at\":[0,180225]"));
    add("bad-manifest-content-in-no-pack.json", "bytes that nobody signed", with(MANIFEST, "\"at\":[0,0]", "\"at\":[2,0]"));
    add(
        "bad-manifest-content-beyond-64-bits.json",
        "adds up to something small (D9)",
        with(MANIFEST, "\"at\":[0,0]", "\"at\":[0,18446744073709551615]"),
    );
    add(
        "bad-manifest-size-beyond-53-bits.json",
        "no reader in JavaScript could tell it from the next (D9)",
        with(MANIFEST, "\"size\":262145", "\"size\":9007199254740992"),
    );
    add(
        "bad-manifest-frames-do-not-add-up.json",
        "the pack is longer than its frames",
        with(MANIFEST, "\"length\":48211", "\"length\":48212"),
    );
    add(
        "bad-manifest-frame-too-large.json",
        "more memory than a station has to give (D9)",
        with(MANIFEST, "[20113,262144]", "[20113,8388609]"),
    );
    add("bad-manifest-frame-of-nothing.json", "frames without end (D9)", with(MANIFEST, "[10,20]", "[10,0]"));
    add("bad-manifest-dictionary-is-missing.json", "nothing to decode with", with(MANIFEST, "\"dictionary\":0", "\"dictionary\":1"));
    add(
        "bad-manifest-file-time-out-of-range.json",
        "no file system keeps it (AC-15)",
        with(MANIFEST, "\"mtime\":8589934591", "\"mtime\":8589934592"),
    );
    add("bad-manifest-unknown-config.json", "a word that nobody knows", with(MANIFEST, "\"config\":\"merge\"", "\"config\":\"ask\""));
    add("bad-manifest-of-another-build.json", "what is right elsewhere (AC-53)", with(MANIFEST, "\"17.3.0.14\"", "\"17.3.0.140\""));
    add(
        "bad-manifest-of-another-scheme.json",
        "a build is its text in its scheme",
        with(MANIFEST, "\"scheme\":\"dotted\"", "\"scheme\":\"semver\""),
    );
    let least = br#"{"format":0,"type":"manifest","product":"smartclient","os":"linux","arch":"x86_64","variant":"imMW_Face","build":"17.3.0.14","scheme":"dotted","files":[]}"#;
    add("good-manifest-without-files.json", "defaults for all that is optional", least.to_vec());
}

/// Stored manifests, frames and dictionaries.
pub(super) fn objects(add: Add<'_>) {
    use zstd::zstd_safe::CParameter;
    let compressed = |content: &[u8], parameters: &[CParameter]| {
        let mut compressor = zstd::bulk::Compressor::new(3).expect("a compressor");
        parameters.iter().for_each(|parameter| compressor.set_parameter(*parameter).expect("a parameter"));
        compressor.compress(content).expect("compressed in memory")
    };
    let skippable = [&[0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0][..], b"skip"].concat();

    let stored = compressed(MANIFEST.as_bytes(), &[]);
    add("good-stored-full.zst", "as it lies in objects/", stored.clone());
    add("bad-stored-two-frames.zst", "something hides behind the manifest", [&stored[..], &stored].concat());
    add("bad-stored-behind-a-skippable-frame.zst", "something hides before the manifest", [&skippable[..], &stored].concat());
    add("bad-stored-cut.zst", "half a manifest", stored[..stored.len() / 2].to_vec());
    add("bad-stored-not-compressed.zst", "JSON as it is", MANIFEST.into());
    add("bad-stored-bomb.zst", "a few bytes become more than is allowed (D9)", compressed(&vec![b' '; 8 << 20], &[]));
    // RFC 8878 section 3.1.1: no single segment, a window of 16 MiB, one empty block.
    add(
        "bad-stored-window-too-large.zst",
        "more memory than a station has to give (D9)",
        [&[0x28, 0xB5, 0x2F, 0xFD, 0, 14 << 3][..], &[1, 0, 0]].concat(),
    );

    let (content, frame) = samples::frame(b"");
    let damaged = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut frame = frame.clone();
        change(&mut frame);
        frame
    };
    add("good-frame-plain.zst", "without dictionary", frame.clone());
    add("good-frame-with-raw-dictionary.zst", "with raw content as dictionary", samples::frame(samples::RAW_DICTIONARY).1);
    add("good-frame-with-trained-dictionary.zst", "with good-dictionary-trained.zdict", samples::frame(&samples::trained_dictionary()).1);
    add("bad-frame-without-its-dictionary.zst", "cannot be decoded", samples::frame(&samples::trained_dictionary()).1);
    add("bad-frame-with-checksum.zst", "every file has its digest already", compressed(&content, &[CParameter::ChecksumFlag(true)]));
    add("bad-frame-without-content-size.zst", "how much memory?", compressed(&content, &[CParameter::ContentSizeFlag(false)]));
    add("bad-frame-of-more.zst", "more than the manifest says (D11)", compressed(&[&content[..], b"x"].concat(), &[]));
    add("bad-frame-of-less.zst", "less than the manifest says", compressed(&content[1..], &[]));
    add("bad-frame-and-another.zst", "more stored than one frame", [&frame[..], &frame].concat());
    add("bad-frame-cut.zst", "half a frame", frame[..frame.len() / 2].to_vec());
    add("bad-frame-skippable.zst", "decodes to nothing", skippable);
    add("bad-frame-legacy.zst", "a format of 2015", damaged(&|frame| frame[0] = 0x25));
    add("bad-frame-damaged.zst", "a block of a reserved type", damaged(&|frame| frame[6] |= 0b110));
    add("good-dictionary-trained.zdict", "begins with 37 A4 30 EC", samples::trained_dictionary());
    add("bad-dictionary-damaged.zdict", "begins as if trained", [&[0x37, 0xA4, 0x30, 0xEC][..], &[0xFF; 60]].concat());
}
