//! Publishing through the library: what a release holds, what is used again, what is refused.

use std::fs;
use std::path::Path;

use manifests::build::Build;
use manifests::channel::{Kind, ObjectRef, Probe};
use manifests::limits::Limits;
use manifests::name::ChannelId;
use manifests::publish::compose::Refused;
use manifests::publish::scan::ScanError;
use manifests::publish::view::{read_manifest, release_id};
use manifests::publish::{Attributes, ConfigRule, Effort, Extras, Outcome, Progress, PublishError, Published, Rule, Silent, Stage};
use manifests::release::{ConfigPolicy, Manifest};
use manifests::testing::{CHANNEL, TestRepository, set_time};
use manifests::time::FileTime;

fn id() -> ChannelId {
    ChannelId::from_target_path(CHANNEL).unwrap()
}

/// The manifest of the current release, read as a station reads it.
fn current(test: &TestRepository) -> Manifest {
    let view = test.view();
    let release = view.channels[&id()].current().unwrap().clone();
    read_manifest(test.repository().disk(), &release.manifest, &release_id(&id(), &release.build), &Limits::default()).unwrap()
}

fn problems(test: &TestRepository) -> Vec<String> {
    test.repository().verify(test.now(), &Silent).unwrap().problems.iter().map(ToString::to_string).collect()
}

/// Bytes that hardly compress, different for each seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn ac_10_empty_files_deep_paths_and_names_of_every_script_are_published_and_verify() {
    let test = TestRepository::new();
    let deep = format!("{}/x", vec!["d"; 63].join("/"));
    let large = noise(1, 9 << 20);
    let files: Vec<(&str, &[u8])> = vec![
        ("zero", b""),
        ("also zero", b""),
        (&deep, b"deep"),
        ("Перевод/файл 1.txt", "привет".as_bytes()),
        ("中文/文件", b"1"),
        ("name with spaces.txt", b"2"),
        ("é", b"3"),
        ("twin", b"same content"),
        ("other twin", b"same content"),
        ("large.bin", &large),
    ];
    let published = test.publish_files(&files, "1.0.0");
    assert_eq!((published.files, published.sequence), (10, 1));
    assert_eq!(problems(&test), [""; 0]);
    let manifest = current(&test);
    let at = |name: &str| manifest.file(&name.parse().unwrap()).unwrap().at;
    assert_eq!(at("zero"), None);
    assert_eq!(at("twin"), at("other twin"));
}

#[test]
fn ac_15_times_before_1980_at_zero_and_in_2040_travel_as_they_are() {
    let test = TestRepository::new();
    let folder = test.folder("build", &[("a", b"1"), ("b", b"2"), ("c", b"3"), ("d", b"4")]);
    let times = [("a", -86_400), ("b", 0), ("c", 300_000_000), ("d", 2_225_000_000)];
    for (name, seconds) in times {
        set_time(&folder.join(name), seconds);
    }
    test.publish(&test.request(&folder, "1.0.0"));
    let manifest = current(&test);
    for (name, seconds) in times {
        assert_eq!(manifest.file(&name.parse().unwrap()).unwrap().mtime.unix(), seconds);
    }
    assert!(matches!(test.publish(&test.request(&folder, "1.0.0")), Outcome::AlreadyCurrent(_)));
    set_time(&folder.join("a"), FileTime::MAX.unix() + 5);
    let outcome = test.publish(&test.request(&folder, "1.0.0"));
    assert!(outcome.published().warnings.iter().any(|finding| finding.rule == Rule::TimeClamped));
    assert_eq!(current(&test).file(&"a".parse().unwrap()).unwrap().mtime, FileTime::MAX);
    assert!(matches!(test.publish(&test.request(&folder, "1.0.0")), Outcome::AlreadyCurrent(_)), "a clamped time is no loop");
}

#[test]
fn the_same_request_twice_writes_nothing() {
    let test = TestRepository::new();
    let folder = test.folder("build", &[("a", b"1"), ("b", b"2")]);
    let request = test.request(&folder, "1.0.0");
    let Outcome::Published(first) = test.publish(&request) else { panic!("published") };
    let before = snapshot(test.path());
    let Outcome::AlreadyCurrent(second) = test.publish(&request) else { panic!("already current") };
    assert_eq!((second.sequence, second.manifest), (first.sequence, first.manifest));
    assert_eq!(snapshot(test.path()), before);
}

/// Every file with its bytes, but for the lock.
fn snapshot(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if !path.ends_with(".lock") {
                all.push((path.display().to_string(), fs::read(&path).unwrap()));
            }
        }
    }
    all.sort();
    all
}

#[test]
fn ac_03_new_times_alone_make_a_new_manifest_over_the_same_packs() {
    let test = TestRepository::new();
    let folder = test.folder("build", &[("a", b"1"), ("b", &noise(3, 5000))]);
    test.publish(&test.request(&folder, "1.0.0"));
    let before = current(&test);
    set_time(&folder.join("a"), 1_710_000_000);
    let Outcome::Published(published) = test.publish(&test.request(&folder, "1.0.0")) else { panic!("published") };
    let after = current(&test);
    assert_eq!((published.sequence, published.new_files), (2, 0));
    assert_eq!(after.packs, before.packs);
    assert_ne!(after.files[0].mtime, before.files[0].mtime);
}

#[test]
fn unchanged_contents_are_used_again_and_stale_packs_are_not() {
    let test = TestRepository::new();
    let (big, other) = (noise(1, 2 << 20), noise(2, 2 << 20));
    test.publish_files(&[("big", &big), ("a", b"one")], "1.0.0");
    let first = current(&test);
    // One small change: the large pack stays.
    let published = test.publish_files(&[("big", &big), ("a", b"two")], "1.0.1");
    assert_eq!((published.new_files, published.new_content_bytes), (1, 3));
    assert!(published.new_bytes < 1000 && published.reused_bytes > 2 << 20);
    assert!(current(&test).packs.iter().any(|pack| first.packs.contains(pack)));
    // Beside another large one, and then without it: half of that pack would be dead, so it is packed anew.
    test.publish_files(&[("big", &big), ("other", &other)], "1.0.2");
    let only = test.publish_files(&[("other", &other)], "1.0.3");
    assert!(only.new_bytes < 1000, "a pack of its own is used again: {only:?}");
    assert_eq!(problems(&test), [""; 0]);
}

#[test]
fn contents_are_found_in_other_channels_of_the_same_product() {
    let test = TestRepository::new();
    let folder = test.folder("build", &[("big", &noise(5, 1 << 20))]);
    test.publish(&test.request(&folder, "1.0.0"));
    let mut beta = test.request(&folder, "1.0.0");
    beta.id.channel = "beta".parse().unwrap();
    let published = test.publish(&beta).published().clone();
    assert_eq!(
        (published.sequence, published.new_files, published.new_bytes),
        (2, 0, 0),
        "promotion gives the same manifest a new sequence"
    );
}

#[test]
fn a_damaged_pack_is_never_referred_to_and_heals_by_publishing() {
    let test = TestRepository::new();
    let content = noise(6, 1 << 20);
    test.publish_files(&[("big", &content), ("a", b"1")], "1.0.0");
    let pack = current(&test).packs.iter().max_by_key(|pack| pack.length).unwrap().clone();
    test.tamper(&pack.sha256.object_path(), |bytes| bytes[100] ^= 1);
    assert!(!problems(&test).is_empty());
    test.publish_files(&[("big", &content), ("a", b"2")], "1.0.1");
    assert_eq!(problems(&test), [""; 0]);
}

#[test]
fn a_large_folder_of_small_files_makes_few_objects_and_best_effort_verifies_too() {
    let test = TestRepository::new();
    // Enough small content for a dictionary to be tried.
    let texts: Vec<(String, Vec<u8>)> = (0..4000u64)
        .map(|index| {
            let text = format!("export function part{index}(value) {{ return value * {index}; }} // {}\n", index * 7919)
                .repeat(30 + (index % 50) as usize);
            (format!("src/{}/part{index}.js", index % 40), text.into_bytes())
        })
        .collect();
    let files: Vec<(&str, &[u8])> = texts.iter().map(|(name, text)| (name.as_str(), text.as_slice())).collect();
    let folder = test.folder("build", &files);
    let mut request = test.request(&folder, "1.0.0");
    request.effort = Effort::Best;
    test.publish(&request);
    assert!(current(&test).packs.len() <= 2);
    assert_eq!(problems(&test), [""; 0]);
}

#[test]
fn d_06_a_lower_build_is_refused_without_consent() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"2")], "1.10.0");
    let folder = test.folder("build", &[("a", b"1")]);
    let mut request = test.request(&folder, "1.9.0");
    assert!(matches!(test.repository().publish(&request, test.now(), &Silent), Err(PublishError::Refused(_))));
    request.attributes.allow_downgrade = true;
    let published = test.publish(&request).published().clone();
    let release = test.view().channels[&id()].current().unwrap().clone();
    assert_eq!((published.sequence, release.allow_downgrade), (2, true));
}

/// A slip of the pen in the year would take the question from everybody at once.
#[test]
fn d_26_a_deadline_that_is_over_makes_no_release_and_one_that_is_out_already_stays() {
    let mut test = TestRepository::new();
    let folder = test.folder("build", &[("a", b"1")]);
    let mut request = test.request(&folder, "1.0.0");
    for past in ["2020-01-01T00:00:00Z".parse().unwrap(), test.now()] {
        request.attributes.deadline = Some(past);
        for dry_run in [true, false] {
            request.dry_run = dry_run;
            let refused = test.repository().publish(&request, test.now(), &Silent);
            assert!(matches!(&refused, Err(PublishError::Refused(Refused::DeadlineOver { deadline })) if *deadline == past), "{refused:?}");
        }
    }
    assert!(test.view().channels.is_empty());
    request.attributes.deadline = Some(test.now().plus_days(1));
    assert!(matches!(test.publish(&request), Outcome::Published(_)));
    test.pass_days(2);
    assert!(matches!(test.publish(&request), Outcome::AlreadyCurrent(_)), "the same command once more is no other release");
}

#[test]
fn a_deadline_that_is_given_later_is_another_release_of_the_same_files() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    let folder = test.folder("build", &[("a", b"1")]);
    let mut request = test.request(&folder, "1.0.0");
    request.attributes.deadline = Some("2026-11-30T18:00:00Z".parse().unwrap());
    assert!(matches!(test.publish(&request), Outcome::Published(_)));
    assert!(matches!(test.publish(&request), Outcome::AlreadyCurrent(_)));
    let document = test.view().channels[&id()].clone();
    let said: Vec<_> = document.releases.iter().map(|release| (release.sequence, release.deadline, release.manifest.sha256)).collect();
    assert_eq!(said, [(2, request.attributes.deadline, said[1].2), (1, None, said[1].2)]);
}

#[test]
fn the_kind_of_a_channel_does_not_change() {
    let test = TestRepository::new();
    let folder = test.folder("build", &[("a", b"1")]);
    let mut request = test.request(&folder, "1.0.0");
    request.kind = Some(Kind::Platform);
    test.publish(&request);
    request.kind = Some(Kind::Product);
    assert!(matches!(test.repository().publish(&request, test.now(), &Silent), Err(PublishError::Refused(_))));
    request.kind = None;
    assert!(matches!(test.publish(&request), Outcome::AlreadyCurrent(_)));
    assert_eq!(test.view().channels[&id()].kind, Kind::Platform);
}

#[test]
fn d_05_remove_owned_names_the_files_that_went_and_goes_on_naming_them() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"1"), ("old", b"2")], "1.0.0");
    for build in ["1.0.1", "1.0.2"] {
        let folder = test.folder("build", &[("a", build.as_bytes())]);
        let mut request = test.request(&folder, build);
        request.extras = Extras::RemoveOwned;
        test.publish(&request);
        assert_eq!(current(&test).removed, ["old".parse().unwrap()]);
        assert!(matches!(test.publish(&request), Outcome::AlreadyCurrent(_)));
    }
    test.publish_files(&[("a", b"3")], "1.0.3");
    assert_eq!(current(&test).removed, [], "extras stay by default");
}

#[test]
fn d_04_configuration_files_are_merged_unless_a_rule_says_otherwise_and_each_is_named_with_its_policy() {
    let test = TestRepository::new();
    let folder = test.folder("build", &[("a.ini", b"1"), ("b.INI", b"2"), ("c.conf", b"3"), ("d", b"4"), ("e.cfg", b"5")]);
    let mut request = test.request(&folder, "1.0.0");
    let merged = ConfigRule { publishers: vec!["A.b".into()], ..ConfigRule::new("*.cfg", ConfigPolicy::Merge) };
    request.config = vec![ConfigRule::new("a.*", ConfigPolicy::Overwrite), merged];
    let published = test.publish(&request).published().clone();
    let warned: Vec<_> = published
        .warnings
        .iter()
        .filter(|finding| finding.rule == Rule::ConfigFile)
        .map(|finding| (finding.path.as_deref().unwrap(), finding.detail.rsplit(' ').next().unwrap()))
        .collect();
    assert_eq!(warned, [("a.ini", "`overwrite`"), ("b.INI", "`merge`"), ("e.cfg", "`merge`")]);
    let policies: Vec<_> = current(&test).files.iter().map(|file| (file.config, file.publishers.concat())).collect();
    let (overwrite, merge) = ((ConfigPolicy::Overwrite, String::new()), (ConfigPolicy::Merge, String::new()));
    assert_eq!(policies, [overwrite.clone(), merge, overwrite.clone(), overwrite, (ConfigPolicy::Merge, "A.b".into())]);
    assert!(matches!(test.publish(&request), Outcome::AlreadyCurrent(_)));
    request.config.clear();
    assert!(matches!(test.publish(&request), Outcome::Published(_)), "other keys of the publisher's are another release");
}

#[test]
fn attributes_reach_the_channel_document() {
    let test = TestRepository::new();
    let folder = test.folder("build", &[("run", b"#!")]);
    let mut request = test.request(&folder, "1.0.0");
    request.attributes = Attributes {
        entry_point: Some("run".parse().unwrap()),
        approver: Some("J. Silva".into()),
        notes: Some("first\nand \"best\"".into()),
        security: true,
        ..Attributes::default()
    };
    test.publish(&request);
    let release = test.view().channels[&id()].current().unwrap().clone();
    assert_eq!(release.entry_point, Some("run".parse().unwrap()));
    assert_eq!(
        (release.approver.as_deref(), release.notes.as_deref(), release.security),
        (Some("J. Silva"), Some("first\nand \"best\""), true)
    );
    // What is said of a release is part of it: saying something else lists it anew, over the same manifest.
    request.attributes.notes = Some("second".into());
    let Outcome::Published(again) = test.publish(&request) else { panic!("published") };
    assert_eq!((again.sequence, again.new_bytes), (2, 0));
    request.attributes.entry_point = Some("missing".parse().unwrap());
    let refused = test.repository().publish(&request, test.now(), &Silent);
    assert!(matches!(refused, Err(PublishError::Lint(findings)) if findings.has(Rule::EntryPointMissing)));
}

#[cfg(unix)]
#[test]
fn ac_57_a_bundle_travels_with_exec_bits_links_and_empty_folders() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let test = TestRepository::new();
    let folder =
        test.folder("build", &[("smartclient.app/Contents/MacOS/smartclient", b"#!"), ("smartclient.app/Contents/Info.plist", b"x")]);
    let app = folder.join("smartclient.app");
    fs::set_permissions(app.join("Contents/MacOS/smartclient"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("MacOS/smartclient", app.join("Contents/current")).unwrap();
    fs::create_dir(app.join("Contents/Logs")).unwrap();
    let mut request = test.request(&folder, "1.0.0");
    request.id = ChannelId::from_target_path("macosx/smartclient/aarch64/stable.json").unwrap();
    let object: ObjectRef = test.publish(&request).published().manifest.unwrap();
    let build = Build::recognise("1.0.0").unwrap();
    let manifest = read_manifest(test.repository().disk(), &object, &release_id(&request.id, &build), &Limits::default()).unwrap();
    assert_eq!(manifest.files.iter().map(|file| file.exec).collect::<Vec<_>>(), [false, true]);
    assert_eq!(manifest.links[0].target, "MacOS/smartclient");
    assert_eq!(manifest.directories, ["smartclient.app/Contents/Logs".parse().unwrap()]);
}

#[cfg(unix)]
#[test]
fn sockets_and_names_that_are_not_unicode_are_refused_together() {
    use std::os::unix::ffi::OsStrExt;
    let test = TestRepository::new();
    let folder = test.folder("build", &[("ok", b"1"), ("nul.txt", b"2")]);
    let _socket = std::os::unix::net::UnixListener::bind(folder.join("socket")).unwrap();
    fs::write(folder.join(std::ffi::OsStr::from_bytes(b"caf\xe9")), b"").unwrap();
    let refused = test.repository().publish(&test.request(&folder, "1.0.0"), test.now(), &Silent);
    let Err(PublishError::Lint(findings)) = refused else { panic!("{refused:?}") };
    for rule in [Rule::SpecialFile, Rule::NotUnicode, Rule::DeviceName] {
        assert!(findings.has(rule), "{rule}");
    }
}

#[test]
fn ac_58_the_repository_and_its_keys_are_never_published() {
    let test = TestRepository::new();
    let parent = test.path().parent().unwrap();
    let refused = test.repository().publish(&test.request(parent, "1.0.0"), test.now(), &Silent);
    let Err(PublishError::Lint(findings)) = refused else { panic!("{refused:?}") };
    assert!(findings.has(Rule::OwnRepository) && findings.has(Rule::OwnKeys));
}

#[test]
fn a_dry_run_writes_nothing_and_counts_the_same() {
    let test = TestRepository::new();
    let folder = test.folder("build", &[("a", b"1"), ("b", b"22")]);
    let mut request = test.request(&folder, "1.0.0");
    request.dry_run = true;
    let before = snapshot(test.path());
    let Outcome::Planned(planned) = test.publish(&request) else { panic!("planned") };
    assert_eq!(snapshot(test.path()), before);
    request.dry_run = false;
    let published = test.publish(&request).published().clone();
    let counts = |published: &Published| (published.sequence, published.files, published.new_files, published.new_content_bytes);
    assert_eq!(counts(&planned), counts(&published));
}

/// Does something to the folder when a step begins.
struct Meddler<F: Fn() + Sync>(Stage, F);

impl<F: Fn() + Sync> Progress for Meddler<F> {
    fn begin(&self, stage: Stage, _: u64) {
        if stage == self.0 {
            (self.1)();
        }
    }
}

#[test]
fn a_folder_that_changes_while_it_is_published_is_refused_by_the_name_of_the_file() {
    let test = TestRepository::new();
    let changes: [(Stage, &str, &[u8]); 5] = [
        (Stage::Reading, "a", b"longer than before"),
        (Stage::Packing, "a", b"2"),
        (Stage::Packing, "a", b"longer than before"),
        (Stage::Proving, "a", b"3"),
        (Stage::Proving, "new", b"new"),
    ];
    for (stage, name, content) in changes {
        let folder = test.folder("build", &[("a", b"1"), ("b", &noise(9, 600_000))]);
        let meddler = Meddler(stage, || fs::write(folder.join(name), content).unwrap());
        let refused = test.repository().publish(&test.request(&folder, "1.0.0"), test.now(), &meddler);
        assert!(matches!(&refused, Err(PublishError::Scan(ScanError::Changed(path))) if path == name), "{stage:?} {name}: {refused:?}");
        assert_eq!(problems(&test), [""; 0]);
    }
    assert!(test.view().channels.is_empty());
}

#[test]
fn a_missing_key_stops_a_publish_before_anything_is_written() {
    let test = TestRepository::new();
    let folder = test.folder("build", &[("a", b"1")]);
    fs::remove_dir_all(test.repository().keys().path()).unwrap();
    let before = snapshot(test.path());
    let refused = test.repository().publish(&test.request(&folder, "1.0.0"), test.now(), &Silent).unwrap_err();
    assert!(refused.to_string().contains("`linux`"), "{refused}");
    assert_eq!(snapshot(test.path()), before);
}

#[test]
fn versions_never_go_down_when_the_clock_does() {
    let mut test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    let before = test.view().headers();
    test.pass_days(-1000);
    test.publish_files(&[("a", b"2")], "1.0.1");
    let after = test.view().headers();
    for (role, version, _) in after.iter().filter(|(role, ..)| ["timestamp", "snapshot", "linux"].contains(&role.as_str())) {
        assert!(before.iter().any(|(name, was, _)| name == role && was < version), "{role}");
    }
}

#[test]
fn a_file_that_is_removed_while_it_is_published_is_named() {
    let test = TestRepository::new();
    for stage in [Stage::Reading, Stage::Packing, Stage::Proving] {
        let folder = test.folder("build", &[("a", b"1"), ("b", b"2")]);
        let meddler = Meddler(stage, || fs::remove_file(folder.join("a")).unwrap());
        let refused = test.repository().publish(&test.request(&folder, "1.0.0"), test.now(), &meddler);
        assert!(matches!(&refused, Err(PublishError::Scan(ScanError::Changed(path))) if path == "a"), "{stage:?}: {refused:?}");
    }
}

#[test]
fn a_copy_of_the_private_keys_is_never_published_whatever_its_folder_is_called() {
    let test = TestRepository::new();
    let folder = test.folder("build", &[("a", b"1"), ("settings.json", br#"{"type":"key"}"#), ("notes", b"  ")]);
    fs::create_dir(folder.join("backup")).unwrap();
    let mut copied = 0;
    for entry in fs::read_dir(test.repository().keys().path()).unwrap() {
        copied += 1;
        let name = ["JSON", "json.bak", "txt", "old"][copied % 4];
        fs::copy(entry.unwrap().path(), folder.join(format!("backup/{copied}.{name}"))).unwrap();
    }
    let refused = test.repository().publish(&test.request(&folder, "1.0.0"), test.now(), &Silent);
    let Err(PublishError::Lint(findings)) = refused else { panic!("{refused:?}") };
    assert_eq!(findings.errors().map(|finding| finding.rule).collect::<Vec<_>>(), vec![Rule::PrivateKey; copied]);
    fs::remove_dir_all(folder.join("backup")).unwrap();
    test.publish(&test.request(&folder, "1.0.0"));
}

#[test]
fn the_file_of_a_probe_is_in_the_folder() {
    let test = TestRepository::new();
    let folder = test.folder("build", &[("bin/run", b"1")]);
    let mut request = test.request(&folder, "1.0.0");
    for missing in ["bin", "bin/gone"] {
        request.attributes.probe = Some(Probe::File(missing.parse().unwrap()));
        let refused = test.repository().publish(&request, test.now(), &Silent);
        assert!(matches!(refused, Err(PublishError::Lint(findings)) if findings.has(Rule::ProbeMissing)), "{missing}");
    }
    request.attributes.probe = Some(Probe::File("bin/run".parse().unwrap()));
    test.publish(&request);
}

#[test]
fn texts_for_people_hold_no_control_characters_but_line_breaks() {
    let test = TestRepository::new();
    let folder = test.folder("build", &[("a", b"1")]);
    let mut request = test.request(&folder, "1.0.0");
    for text in ["\u{1b}[2J", "a\rb", "\u{9b}31m", "a\tb", "\0"] {
        for (approver, notes) in [(Some(text.to_owned()), None), (None, Some(text.to_owned()))] {
            request.attributes = Attributes { approver, notes, ..Attributes::default() };
            let refused = test.repository().publish(&request, test.now(), &Silent).unwrap_err();
            assert!(matches!(refused, PublishError::Refused(Refused::ControlCharacter(..))), "{refused:?}");
            assert!(!refused.to_string().chars().any(char::is_control), "{refused}");
        }
    }
}

#[test]
fn d_05_remove_owned_names_the_files_of_every_release_that_is_still_listed() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"1"), ("first", b"1")], "1.0.0");
    test.publish_files(&[("a", b"2"), ("second", b"2")], "1.0.1");
    test.publish_files(&[("a", b"3")], "1.0.2");
    let folder = test.folder("build", &[("a", b"4")]);
    let mut request = test.request(&folder, "1.0.3");
    request.extras = Extras::RemoveOwned;
    test.publish(&request);
    assert_eq!(current(&test).removed, ["first".parse().unwrap(), "second".parse().unwrap()]);
    assert!(matches!(test.publish(&request), Outcome::AlreadyCurrent(_)));
    // What the previous release names is named on, though its reason is listed no more.
    test.repository().prune(1, false, test.now(), &Silent).unwrap();
    let folder = test.folder("next", &[("a", b"5"), ("second", b"back")]);
    let mut request = test.request(&folder, "1.0.4");
    request.extras = Extras::RemoveOwned;
    test.publish(&request);
    assert_eq!(current(&test).removed, ["first".parse().unwrap()]);
}

#[test]
fn what_is_packed_anew_but_was_there_before_is_not_counted_as_new() {
    let test = TestRepository::new();
    let before = test.publish_files(&[("a", b"one"), ("b", b"two"), ("c", b"three"), ("e", b"")], "1.0.0");
    assert_eq!((before.new_files, before.new_content_bytes), (3, 11));
    let after = test.publish_files(&[("a", b"one"), ("d", b"four"), ("twin", b"four"), ("e", b"")], "1.0.1");
    assert_eq!((after.reused_bytes, after.new_files, after.new_content_bytes), (0, 2, 4));
}

#[test]
fn metadata_that_do_not_verify_are_reported_with_the_file() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    let role = test.view().named.iter().find(|file| file.ends_with(".linux.json")).unwrap().clone();
    test.tamper(&role, |bytes| bytes[40] ^= 1);
    let audit = test.repository().verify(test.now(), &Silent).unwrap();
    assert_eq!(audit.problems.iter().map(|problem| problem.file.as_str()).collect::<Vec<_>>(), [role.as_str()]);
}
