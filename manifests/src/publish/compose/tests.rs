use super::*;
use crate::channel::Withdrawn;
use crate::limits::Limits;
use crate::pack::Frame;
use crate::time::FileTime;

fn path(text: &str) -> RelPath {
    text.parse().unwrap()
}

fn file(name: &str, size: u64) -> HashedFile {
    HashedFile { path: path(name), size, mtime: FileTime::clamped(0), exec: false, sha256: Digest::of(name.as_bytes()) }
}

fn tree(files: &[(&str, u64)]) -> Tree {
    let mut files: Vec<_> = files.iter().map(|(name, size)| file(name, *size)).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Tree { files, links: vec![], directories: vec![] }
}

fn id() -> ReleaseId {
    let build = Build::recognise("1.0.0").unwrap();
    ReleaseId { product: "p".parse().unwrap(), os: Os::Linux, arch: crate::name::Arch::Any, variant: None, build }
}

fn pack_of(name: &str, files: &[HashedFile]) -> PlacedPack {
    let content: u64 = files.iter().map(|file| file.size).sum();
    let pack = Pack { sha256: Digest::of(name.as_bytes()), length: 1, dictionary: None, frames: vec![Frame(1, content)] };
    let places = files.iter().scan(0, |at, file| {
        *at += file.size;
        Some((file.sha256, *at - file.size))
    });
    PlacedPack { pack, dictionary: None, places: places.collect() }
}

fn manifest(files: &[(&str, u64)], removed: &[&str]) -> Manifest {
    let tree = tree(files);
    let packs = vec![pack_of("pack", &tree.files)];
    let mut manifest = Outline::new(id(), tree, &[], &[]).into_manifest(packs).unwrap();
    manifest.removed = removed.iter().map(|name| path(name)).collect();
    manifest
}

#[test]
fn unchanged_contents_are_referred_to_where_they_lie() {
    let before = manifest(&[("a", 40), ("b", 40), ("c", 20)], &[]);
    let after = tree(&[("a", 40), ("b", 40), ("d", 7)]);
    let (kept, missing) = reuse(&after.files, candidates(&after.files, &[&before]));
    assert_eq!(kept.len(), 1);
    assert_eq!(missing.iter().map(|content| content.path.as_str()).collect::<Vec<_>>(), ["d"]);
    let packs = [kept, vec![pack_of("new", &after.files[2..])]].concat();
    let composed = Outline::new(id(), after, &[], &[]).into_manifest(packs).unwrap();
    assert_eq!(composed.check(&Limits::default()), Ok(()));
    assert_eq!(composed.files[1].at, Some(ContentAt(0, 40)));
    assert_eq!(composed.files[2].at, Some(ContentAt(1, 0)));
}

#[test]
fn a_pack_of_which_less_than_three_quarters_are_live_is_packed_anew() {
    let before = manifest(&[("a", 74), ("b", 26)], &[]);
    for (files, packs) in [(vec![("a", 74)], 0), (vec![("a", 74), ("b", 26)], 1)] {
        let after = tree(&files);
        let (kept, missing) = reuse(&after.files, candidates(&after.files, &[&before]));
        assert_eq!((kept.len(), missing.len()), (packs, if packs == 0 { files.len() } else { 0 }));
    }
}

#[test]
fn equal_contents_share_a_place_and_empty_files_have_none() {
    let mut twins = tree(&[("a", 5), ("b", 5), ("e", 0)]);
    twins.files[1].sha256 = twins.files[0].sha256;
    let (kept, missing) = reuse(&twins.files, vec![]);
    assert_eq!((kept.len(), missing.len()), (0, 1));
    let packs = vec![pack_of("p", &twins.files[..1])];
    let composed = Outline::new(id(), twins, &[], &[]).into_manifest(packs).unwrap();
    assert_eq!(composed.files[0].at, composed.files[1].at);
    assert_eq!(composed.files[2].at, None);
    assert_eq!(composed.check(&Limits::default()), Ok(()));
}

#[test]
fn a_digest_with_another_size_is_not_reused() {
    let before = manifest(&[("a", 10)], &[]);
    assert_eq!(candidates(&tree(&[("a", 11)]).files, &[&before]), []);
}

#[test]
fn an_outline_read_back_from_its_manifest_is_the_same() {
    let outline = Outline::new(id(), tree(&[("a.ini", 5), ("b", 0)]), &[], &[]);
    let composed = outline.clone().into_manifest(vec![pack_of("p", &outline.files()[..1])]).unwrap();
    assert_eq!(Outline::of(&composed), outline);
}

#[test]
fn d_05_removed_files_never_collide_with_what_is_there() {
    let before = manifest(&[("gone", 1), ("x/gone", 1), ("Same.dll", 1), ("was-file", 1), ("dir/was", 1), ("Lib/a", 1)], &["older"]);
    let after = tree(&[("same.dll", 1), ("was-file/now", 1), ("dir", 1), ("lib/b", 1)]);
    let outline = Outline::new(id(), after, &[], &[&before]);
    let removed: Vec<_> = outline.removed.iter().map(RelPath::as_str).collect();
    assert_eq!(removed, ["gone", "older", "x/gone"]);
    let packs = vec![pack_of("p", outline.files())];
    assert_eq!(outline.into_manifest(packs).unwrap().check(&Limits::default()), Ok(()));
}

#[test]
fn d_05_removed_files_never_collide_with_one_another() {
    let (old, older) = (manifest(&[("A", 1), ("b/c", 1)], &[]), manifest(&[("a", 1), ("B/d", 1), ("b", 1)], &[]));
    let outline = Outline::new(id(), tree(&[("x", 1)]), &[], &[&old, &older]);
    let packs = vec![pack_of("p", outline.files())];
    assert_eq!(outline.into_manifest(packs).unwrap().check(&Limits::default()), Ok(()));
}

#[test]
fn d_04_ini_files_are_merged_unless_a_rule_says_otherwise() {
    let rule = |pattern: &str, policy| ConfigRule::new(pattern, policy);
    let rules = [rule("etc/*.ini", ConfigPolicy::Overwrite), rule("*.CONF", ConfigPolicy::Keep)];
    for (name, policy) in [
        ("smartclient.ini", ConfigPolicy::Merge),
        ("x/SMARTCLIENT.INI", ConfigPolicy::Merge),
        ("etc/a.ini", ConfigPolicy::Overwrite),
        ("etc/b/a.ini", ConfigPolicy::Merge),
        ("x/y.conf", ConfigPolicy::Keep),
        ("ini", ConfigPolicy::Overwrite),
    ] {
        assert_eq!(config_of(&rules, &path(name)), (policy, vec![]), "{name}");
    }
}

fn channel(entries: &[(u64, &str)]) -> ChannelDocument {
    let id = ChannelId::from_target_path("linux/p/any/stable.json").unwrap();
    let mut document = ChannelDocument::empty(id, crate::channel::Kind::Product, 1);
    for (sequence, build) in entries {
        let new = NewRelease {
            epoch: 1,
            sequence: *sequence,
            build: Build::recognise(build).unwrap(),
            manifest: ObjectRef { sha256: Digest::of(build.as_bytes()), length: 1 },
            attributes: Attributes::default(),
            now: UtcTime::from_unix(0),
        };
        document = with_release(document, new);
    }
    document
}

#[test]
fn d_06_a_lower_build_or_another_scheme_needs_a_word_of_consent() {
    let document = channel(&[(1, "1.9.0"), (2, "1.10.0")]);
    let check = |build: &str, consent| check_build(Some(&document), &Build::recognise(build).unwrap(), consent);
    assert_eq!(check("1.10.0", false), Ok(()));
    assert_eq!(check("1.11.0", false), Ok(()));
    assert!(matches!(check("1.9.9", false), Err(Refused::Downgrade { .. })));
    assert!(matches!(check("17.3.0.14", false), Err(Refused::OtherScheme { .. })));
    assert_eq!(check("1.9.9", true), Ok(()));
    assert_eq!(check("17.3.0.14", true), Ok(()));
}

#[test]
fn sequences_are_shared_by_all_channels_of_an_os_and_product() {
    let mut channels = BTreeMap::new();
    for (name, last) in [
        ("linux/p/any/stable.json", 4),
        ("linux/p/x86_64+v/beta.json", 9),
        ("windows/p/any/stable.json", 20),
        ("linux/q/any/stable.json", 30),
    ] {
        let id = ChannelId::from_target_path(name).unwrap();
        channels.insert(id.clone(), ChannelDocument { id, last_sequence: last, ..channel(&[(1, "1.0.0")]) });
    }
    assert_eq!(last_sequence(&channels, Os::Linux, &"p".parse().unwrap()), 9);
    assert_eq!(last_sequence(&channels, Os::Android, &"p".parse().unwrap()), 0);
}

#[test]
fn variants_that_differ_by_case_alone_are_refused() {
    let known = ChannelId::from_target_path("linux/p/any+imMW/stable.json").unwrap();
    let channels = BTreeMap::from([(known.clone(), channel(&[(1, "1.0.0")]))]);
    let twin = ChannelId::from_target_path("linux/p/any+immw/beta.json").unwrap();
    let build = Build::recognise("1.0.0").unwrap();
    assert!(matches!(check_request(&channels, &twin, &build, None, &Attributes::default()), Err(Refused::VariantCase { .. })));
}

#[test]
fn pruning_keeps_the_newest_and_every_floor_and_forgets_no_number() {
    let mut document = channel(&[(1, "1.0.1"), (2, "1.0.2"), (3, "1.0.3"), (4, "1.0.4"), (5, "1.0.5")]);
    document.releases[3].floor = true;
    document.releases[0].withdrawn = Some(Withdrawn { at: UtcTime::from_unix(0), reason: String::new() });
    let sequences = |document: &ChannelDocument| document.releases.iter().map(|release| release.sequence).collect::<Vec<_>>();
    let pruned_to = |keep, floors: &[u64]| pruned(&document, keep, &floors.iter().copied().collect());
    assert_eq!(sequences(&pruned_to(1, &[]).unwrap()), [5, 4, 2]);
    assert_eq!(sequences(&pruned_to(1, &[1]).unwrap()), [5, 4, 2, 1]);
    assert_eq!(pruned_to(1, &[]).unwrap().last_sequence, 5);
    assert_eq!(pruned_to(4, &[]), None);
}
