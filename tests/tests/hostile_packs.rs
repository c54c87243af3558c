//! Contents that are not what the manifest says, signed with the publisher's real keys (D11), and what stands in for the attacks on deltas until there is a delta codec: every rule that
//! these tests hold – a cap on output, a hash of the output, whole files when anything fails – is one that deltas will go through.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use system_tests::forge::Forge;
use system_tests::scene::Scene;
use system_tests::station::Station;
use system_tests::world::{TARGET, World, noise};

/// The content of the one file whose pack is hostile.
fn content() -> Vec<u8> {
    noise(77, 20_000)
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Publishes 2.0.0, whose `client` is [`content`] out of a pack of these stored bytes, described as `frames` and after `change`.
fn publish_pack(scene: &Scene<'_>, stored: &[u8], frames: Value, change: impl FnOnce(&Forge<'_>, &mut Value)) {
    let forge = Forge::of(&scene.repository);
    let object = forge.put_object(stored);
    // Made from what 1.0.0 really was, whatever was published since.
    let first = forge.channel(TARGET)["releases"].as_array().and_then(|releases| releases.last().cloned()).expect("a release");
    let pristine = forge.manifest(&first);
    forge.publish_changed(TARGET, |manifest| {
        *manifest = pristine;
        manifest["build"] = json!("2.0.0");
        let packs = manifest["packs"].as_array_mut().expect("an array");
        let index = packs.len();
        packs.push(json!({"sha256": object, "length": stored.len(), "frames": frames}));
        let client = manifest["files"].as_array_mut().expect("an array").iter_mut().find(|file| file["path"] == "client").expect("listed");
        client["size"] = json!(content().len());
        client["sha256"] = json!(sha256(&content()));
        client["at"] = json!([index, 0]);
        change(&forge, manifest);
    });
}

fn as_it_is(_: &Forge<'_>, _: &mut Value) {}

fn frame(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).expect("compressed in memory")
}

/// Peak memory of an update, in KiB, and its exit code.
fn update_measured(station: &Station) -> (u64, i32) {
    const MEASURE: &str = "import resource, subprocess, sys\n\
        code = subprocess.call(sys.argv[1:])\n\
        sys.stderr.write('\\npeak %d\\n' % resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n\
        sys.exit(code)";
    let outcome = station.through(&["python3", "-c", MEASURE]).update();
    let peak = outcome.finished.stderr.lines().find_map(|line| line.strip_prefix("peak ")?.parse().ok());
    (peak.unwrap_or_else(|| panic!("no peak\n{}", outcome.finished.report())), outcome.code)
}

#[test]
fn d11_a_pack_that_is_what_it_says_is_taken() {
    // Without this, the tests below could pass because the packs they make are broken in another way.
    let world = World::new();
    let scene = Scene::new(&world);
    let stored = frame(&content());
    publish_pack(&scene, &stored, json!([[stored.len(), content().len()]]), as_it_is);
    scene.station.update().exits(0);
    assert!(std::fs::read(scene.station.file("client")).expect("read") == content());
}

#[test]
fn d11_a_frame_that_unpacks_to_more_than_its_signed_length_is_cut_there() {
    let world = World::new();
    let scene = Scene::new(&world);
    let stored = frame(&content());
    publish_pack(&scene, &stored, json!([[stored.len(), content().len()]]), as_it_is);
    let honest = {
        let other = world.station("other");
        other.install(&world.link(&scene.server));
        update_measured(&other).0
    };
    // A GiB in a few bytes: its beginning is the content, so that whoever stopped reading there would notice nothing.
    let size = (1 << 30) + content().len() as u64;
    let mut bomb = {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
        encoder.set_pledged_src_size(Some(size)).expect("set");
        std::io::Write::write_all(&mut encoder, &content()).expect("in memory");
        std::io::copy(&mut std::io::Read::take(std::io::repeat(0), 1 << 30), &mut encoder).expect("in memory");
        encoder.finish().expect("in memory")
    };
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    for what in ["its header says what it is", "its header lies"] {
        publish_pack(&scene, &bomb, json!([[bomb.len(), content().len()]]), as_it_is);
        let (peak, code) = update_measured(&scene.station);
        assert_eq!(code, 4, "{what}");
        assert!(peak < honest + (16 << 10), "{what}: {peak} KiB, where an honest update needs {honest}");
        scene.station.tree().assert_is(&scene.v1.tree(), what);
        // Magic, descriptor, window, and then the size in four bytes.
        assert_eq!(bomb[4] & 0xE0, 0x80, "four bytes of size, and a window");
        bomb[6..10].copy_from_slice(&u32::try_from(content().len()).expect("small").to_le_bytes());
    }
}

#[test]
fn d11_frames_that_are_not_as_described_are_refused() {
    let world = World::new();
    let scene = Scene::new(&world);
    let content_bytes = content();
    let length = content_bytes.len();
    let good = frame(&content_bytes);
    let (first, second) = content_bytes.split_at(9000);
    let two = [frame(first), frame(second)];
    let one_byte_less = frame(&content()[..length - 1]);
    let one_byte_more = frame(&[&content()[..], b"x"].concat());
    let other = frame(&noise(78, length));
    let checksummed_wrongly = {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("an encoder");
        encoder.include_checksum(true).expect("set");
        std::io::Write::write_all(&mut encoder, &content()).expect("in memory");
        let mut bytes = encoder.finish().expect("in memory");
        *bytes.last_mut().expect("a checksum") ^= 1;
        bytes
    };
    let skippable = [&b"\x50\x2a\x4d\x18\x04\0\0\0skip"[..], &good].concat();
    let trailing = [&good[..], b"more"].concat();
    let two_in_one = [&two[0][..], &two[1]].concat();
    let joined = two.concat();
    let legacy = [&b"\x27\xb5\x2f\xfd"[..], &good[4..]].concat();
    for (what, stored, frames) in [
        ("one byte less than it says", &one_byte_less, json!([[one_byte_less.len(), length]])),
        ("one byte more than it says", &one_byte_more, json!([[one_byte_more.len(), length]])),
        ("another content", &other, json!([[other.len(), length]])),
        ("a wrong checksum", &checksummed_wrongly, json!([[checksummed_wrongly.len(), length]])),
        ("a skippable frame in front", &skippable, json!([[skippable.len(), length]])),
        ("bytes behind the frame", &trailing, json!([[trailing.len(), length]])),
        ("two frames described as one", &two_in_one, json!([[two_in_one.len(), length]])),
        ("a border in the wrong place", &joined, json!([[two[0].len() - 1, 9000], [two[1].len() + 1, length - 9000]])),
        ("contents the wrong way round", &joined, json!([[two[0].len(), length - 9000], [two[1].len(), 9000]])),
        ("a legacy frame", &legacy, json!([[legacy.len(), length]])),
        ("an empty frame", &good, json!([[0, length], [good.len(), 1]])),
        ("a frame of more than 8 MiB", &good, json!([[good.len(), (8 << 20) + 1]])),
        ("no frame at all", &good, json!([])),
    ] {
        publish_pack(&scene, stored, frames, as_it_is);
        scene.refuses(&[4], what);
    }
    publish_pack(&scene, &joined, json!([[two[0].len(), 9000], [two[1].len(), length - 9000]]), as_it_is);
    scene.station.update().exits(0);
    assert!(std::fs::read(scene.station.file("client")).expect("read") == content(), "two frames as they are");
}

#[test]
fn d11_a_window_larger_than_a_station_has_room_for_is_refused() {
    let world = World::new();
    let scene = Scene::new(&world);
    let good = {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("an encoder");
        encoder.window_log(10).expect("set");
        encoder.set_pledged_src_size(Some(content().len() as u64)).expect("set");
        std::io::Write::write_all(&mut encoder, &content()).expect("in memory");
        encoder.finish().expect("in memory")
    };
    assert_eq!(good[4] & 0x20, 0, "not a single segment: the window stands in the next byte");
    // The exponent above 10 in the upper five bits: 16 MiB, 1 GiB, and the largest there is.
    for (window, what) in [(14 << 3, "16 MiB"), (20 << 3, "1 GiB"), (0xFF, "3.75 TiB")] {
        let mut wide = good.clone();
        wide[5] = window;
        publish_pack(&scene, &wide, json!([[wide.len(), content().len()]]), as_it_is);
        scene.refuses(&[4], what);
    }
    publish_pack(&scene, &good, json!([[good.len(), content().len()]]), as_it_is);
    scene.station.update().exits(0);
}

#[test]
fn d11_a_frame_with_the_wrong_dictionary_is_refused() {
    let world = World::new();
    let scene = Scene::new(&world);
    let dictionary = content()[..16_000].to_vec();
    let wrong = noise(79, 16_000);
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &dictionary).expect("a raw dictionary");
    let stored = compressor.compress(&content()).expect("compressed in memory");
    assert!(stored.len() < 8_000, "the dictionary matters: {} bytes", stored.len());
    let with = |dictionary: &[u8]| {
        let dictionary = dictionary.to_vec();
        move |forge: &Forge<'_>, manifest: &mut Value| {
            let object = json!({"sha256": forge.put_object(&dictionary), "length": dictionary.len()});
            if !manifest["dictionaries"].is_array() {
                manifest["dictionaries"] = json!([]);
            }
            let dictionaries = manifest["dictionaries"].as_array_mut().expect("an array");
            let index = dictionaries.len();
            dictionaries.push(object);
            let pack = manifest["packs"].as_array_mut().expect("an array").last_mut().expect("a pack");
            pack["dictionary"] = json!(index);
        }
    };
    let frames = || json!([[stored.len(), content().len()]]);
    publish_pack(&scene, &stored, frames(), with(&wrong));
    scene.refuses(&[4], "another dictionary");
    publish_pack(&scene, &stored, frames(), as_it_is);
    scene.refuses(&[4], "no dictionary");
    publish_pack(&scene, &stored, frames(), |forge, manifest| {
        with(&dictionary)(forge, manifest);
        manifest["packs"].as_array_mut().expect("an array").last_mut().expect("a pack")["dictionary"] = json!(4000);
    });
    scene.refuses(&[4], "a dictionary that is not listed");
    publish_pack(&scene, &stored, frames(), |forge, manifest| {
        with(&dictionary)(forge, manifest);
        manifest["dictionaries"].as_array_mut().expect("an array").last_mut().expect("one")["length"] = json!((1 << 20) + 1);
    });
    scene.refuses(&[4], "a dictionary over its limit");
    publish_pack(&scene, &stored, frames(), with(&dictionary));
    scene.station.update().exits(0);
    assert!(std::fs::read(scene.station.file("client")).expect("read") == content(), "with the right one");
}

#[test]
fn d11_a_place_outside_its_pack_is_refused_before_anything_is_fetched() {
    let world = World::new();
    let scene = Scene::new(&world);
    let stored = frame(&content());
    let length = content().len();
    for (what, at) in [("behind the end", length as u64), ("across the end", 1), ("far behind", 1 << 52), ("overflowing", u64::MAX)] {
        scene.proxy.take_exchanges();
        publish_pack(&scene, &stored, json!([[stored.len(), length]]), |_, manifest| {
            for file in manifest["files"].as_array_mut().expect("an array") {
                if file["path"] == "client" {
                    file["at"][1] = json!(at);
                }
            }
        });
        scene.refuses(&[4], what);
        let pack = sha256(&stored);
        let fetched = scene.proxy.take_exchanges().iter().filter(|exchange| exchange.path.contains(&pack)).count();
        assert_eq!(fetched, 0, "{what}");
    }
}

#[test]
fn d11_a_delta_that_a_channel_document_lists_changes_nothing_and_is_not_even_fetched() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let forge = Forge::of(&scene.repository);
    let mut channel = forge.channel(TARGET);
    let releases = channel["releases"].as_array_mut().expect("an array");
    let from = releases[1]["manifest"]["sha256"].clone();
    let delta = noise(80, 30_000);
    let object = forge.put_object(&delta);
    releases[0]["deltas"] = json!([
        {"from": from, "object": {"sha256": object, "length": delta.len()}},
        {"from": "0".repeat(64), "object": {"sha256": "1".repeat(64), "length": 1_u64 << 40}},
    ]);
    forge.publish_channel("linux", TARGET, &channel);
    scene.proxy.take_exchanges();
    scene.recovers("v2");
    assert_eq!(scene.proxy.take_exchanges().iter().filter(|exchange| exchange.path.contains(&object)).count(), 0);
}
