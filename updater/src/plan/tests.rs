//! Plans as facts: what lies there, what the release wants, what is done.

use std::slice::from_ref;

use manifests::build::Build;
use manifests::channel::Place;
use manifests::name::{Arch, Os};
use manifests::pack::{Frame, Pack};
use manifests::release::{ContentAt, LinkEntry, ReleaseId};

use super::*;
use crate::installed::{InstalledLink, InstalledRelease};

const T: i64 = 1_700_000_000;

fn path(text: &str) -> RelPath {
    text.parse().unwrap()
}

fn entry(at: &str, content: &str) -> FileEntry {
    FileEntry {
        path: path(at),
        size: content.len() as u64,
        mtime: FileTime::clamped(T),
        exec: false,
        sha256: Digest::of(content.as_bytes()),
        config: ConfigPolicy::Overwrite,
        publishers: vec![],
        at: (!content.is_empty()).then_some(ContentAt(0, 0)),
    }
}

fn config(at: &str, content: &str, config: ConfigPolicy) -> FileEntry {
    FileEntry { config, ..entry(at, content) }
}

fn release(files: &[FileEntry]) -> Manifest {
    let id = ReleaseId {
        product: "p".parse().unwrap(),
        os: Os::Linux,
        arch: Arch::Any,
        variant: None,
        build: Build::recognise("1.0.0").unwrap(),
    };
    let pack = Pack { sha256: Digest::of(b"pack"), length: 10, dictionary: None, frames: vec![Frame(10, 1000)] };
    Manifest { id, dictionaries: vec![], packs: vec![pack], files: files.to_vec(), links: vec![], directories: vec![], removed: vec![] }
}

fn installed(files: &[FileEntry]) -> Installed {
    let manifest = release(files);
    let record = |file: &FileEntry| InstalledFile {
        path: file.path.clone(),
        size: file.size,
        as_set: file.mtime,
        as_read: Some(file.mtime),
        mode: file.mode(),
        policy: Some(file.config),
        sha256: file.sha256,
        is_listed: true,
    };
    let of = InstalledRelease { id: manifest.id, place: Place(1, 1), manifest: Digest::of(b"m"), entry_point: None };
    Installed { release: of, files: files.iter().map(record).collect(), links: vec![], folders: vec![] }
}

fn file(content: &str) -> Found {
    let sha256 = Some(Digest::of(content.as_bytes()));
    Found::File(FoundFile { size: content.len() as u64, mtime: T, mode: 0o644, sha256, is_ours_alone: true })
}

fn there(entries: &[(&str, Found)]) -> Observed {
    let found = entries.iter().map(|(at, found)| (path(at), found.clone())).collect();
    Observed { found, ..Observed::default() }
}

fn planned(target: &Manifest, installed: Option<&Installed>, found: &[(&str, Found)]) -> Plan {
    plan(target, installed, &there(found), Wishes::default()).unwrap()
}

/// The actions in short: `put a`, `set b`, …
fn short(plan: &Plan) -> Vec<String> {
    let verb = |action: &Action| match action {
        Action::Put { from: ContentFrom::Nothing, .. } => "empty",
        Action::Put { from: ContentFrom::Local(_), .. } => "copy",
        Action::Put { from: ContentFrom::Packs, .. } => "fetch",
        Action::Merge { .. } => "merge",
        Action::Set { .. } => "set",
        Action::Remove { .. } => "remove",
        Action::RemoveFolder { .. } => "rmdir",
        Action::MakeFolder { .. } => "mkdir",
        Action::Link { .. } => "link",
    };
    let mut all: Vec<String> = plan.actions.iter().map(|action| format!("{} {}", verb(action), action.path())).collect();
    all.sort();
    all
}

#[test]
fn nothing_to_do_is_an_empty_plan() {
    let files = [entry("a", "x"), entry("b", "")];
    let plan = planned(&release(&files), Some(&installed(&files)), &[("a", file("x")), ("b", file(""))]);
    assert!(plan.is_empty() && plan.jobs.jobs.is_empty() && !plan.takes_slot(true));
}

#[test]
fn ac_01_a_missing_file_is_fetched_and_nothing_else() {
    let files = [entry("a", "x"), entry("b", "y")];
    let plan = planned(&release(&files), Some(&installed(&files)), &[("a", file("x")), ("b", Found::Nothing)]);
    assert_eq!(short(&plan), ["fetch b"]);
    assert!(!plan.takes_slot(false), "what comes back replaces nothing");
}

#[test]
fn ac_03_a_file_with_only_another_time_is_set_not_fetched_and_uses_no_slot() {
    let later = FileEntry { mtime: FileTime::clamped(T + 3600), ..entry("a", "x") };
    let plan = planned(&release(&[later]), Some(&installed(&[entry("a", "x")])), &[("a", file("x"))]);
    assert_eq!(short(&plan), ["set a"]);
    assert!(!plan.takes_slot(true));
}

#[test]
fn ac_13_a_time_that_reads_back_as_before_is_right() {
    let odd = FileEntry { mtime: FileTime::clamped(T + 1), ..entry("a", "x") };
    let mut record = installed(from_ref(&odd));
    record.files[0].as_read = Some(FileTime::clamped(T));
    assert!(planned(&release(&[odd]), Some(&record), &[("a", file("x"))]).is_empty());
}

#[test]
fn e3_a_release_that_changes_content_under_the_same_size_and_time_is_seen() {
    let plan = planned(&release(&[entry("a", "new")]), Some(&installed(&[entry("a", "old")])), &[("a", file("old"))]);
    assert_eq!(short(&plan), ["fetch a"]);
    assert!(plan.takes_slot(true) && plan.replaces);
}

#[test]
fn ac_06_extras_and_files_that_are_no_longer_listed_stay() {
    let plan = planned(
        &release(&[entry("a", "x")]),
        Some(&installed(&[entry("a", "x"), entry("old", "o")])),
        &[("a", file("x")), ("old", file("o"))],
    );
    assert!(plan.is_empty());
    assert_eq!(plan.gone.iter().map(|file| (file.path.as_str(), file.is_listed)).collect::<Vec<_>>(), [("old", false)]);
}

#[test]
fn d_05_a_removed_file_goes_only_if_we_installed_it_and_nobody_changed_it() {
    let mut target = release(&[]);
    target.removed = vec![path("changed"), path("ours"), path("theirs")];
    let record = installed(&[entry("changed", "x"), entry("ours", "x")]);
    let plan = planned(&target, Some(&record), &[("changed", file("y")), ("ours", file("x")), ("theirs", file("x"))]);
    assert_eq!(short(&plan), ["remove ours"]);
}

#[test]
fn content_that_lies_somewhere_in_the_folder_is_copied_not_fetched() {
    let plan = planned(
        &release(&[entry("new/a", "x")]),
        Some(&installed(&[entry("old/a", "x")])),
        &[("new", Found::Nothing), ("old/a", file("x"))],
    );
    assert_eq!(short(&plan), ["copy new/a", "mkdir new"]);
    assert_eq!(plan.jobs.stored_bytes(), 0);
}

#[test]
fn empty_files_are_made_not_fetched() {
    assert_eq!(short(&planned(&release(&[entry("e", "")]), None, &[])), ["empty e"]);
}

#[test]
fn d_04_a_config_file_that_its_user_changed_stays_and_the_new_one_comes_beside() {
    let (old, new) = (config("a.ini", "old", ConfigPolicy::NewBeside), config("a.ini", "new", ConfigPolicy::NewBeside));
    let changed = planned(&release(from_ref(&new)), Some(&installed(from_ref(&old))), &[("a.ini", file("mine"))]);
    assert_eq!(short(&changed), ["fetch a.ini.new"]);
    assert_eq!((changed.kept.clone(), changed.managed[0].kept), (vec![path("a.ini")], true));
    let unchanged = planned(&release(&[new]), Some(&installed(from_ref(&old))), &[("a.ini", file("old"))]);
    assert_eq!(short(&unchanged), ["fetch a.ini"]);
    let same_release = planned(&release(from_ref(&old)), Some(&installed(&[old])), &[("a.ini", file("mine"))]);
    assert!(same_release.is_empty());
}

#[test]
fn d_04_a_kept_config_file_gets_nothing_beside_and_a_deleted_one_does_not_come_back() {
    let (old, new) = (config("a.ini", "old", ConfigPolicy::Keep), config("a.ini", "new", ConfigPolicy::Keep));
    assert!(planned(&release(from_ref(&new)), Some(&installed(from_ref(&old))), &[("a.ini", file("mine"))]).is_empty());
    assert!(planned(&release(&[new]), Some(&installed(&[old])), &[("a.ini", Found::Nothing)]).is_empty());
}

#[test]
fn a_deleted_config_file_comes_back_unless_its_policy_is_to_keep() {
    let file = config("a.ini", "x", ConfigPolicy::NewBeside);
    assert_eq!(
        short(&planned(&release(from_ref(&file)), Some(&installed(from_ref(&file))), &[("a.ini", Found::Nothing)])),
        ["fetch a.ini"]
    );
}

#[test]
fn ac_06_a_users_own_file_named_new_is_not_overwritten_but_an_earlier_releases_is() {
    let (old, new) = (config("a.ini", "old", ConfigPolicy::NewBeside), config("a.ini", "new", ConfigPolicy::NewBeside));
    let with = |beside: &str| {
        planned(&release(from_ref(&new)), Some(&installed(from_ref(&old))), &[("a.ini", file("mine")), ("a.ini.new", file(beside))])
    };
    assert!(with("the user's").is_empty());
    assert_eq!(short(&with("old")), ["fetch a.ini.new"]);
}

#[test]
fn a_config_file_that_was_there_before_us_is_its_users() {
    let plan = planned(&release(&[config("a.ini", "new", ConfigPolicy::NewBeside)]), None, &[("a.ini", file("mine"))]);
    assert_eq!(short(&plan), ["fetch a.ini.new"]);
}

#[test]
fn ac_48_a_link_in_the_place_of_a_config_file_is_its_users_whatever_the_policy_keeps() {
    let link = Found::Link("/srv/shared.ini".into());
    for policy in [ConfigPolicy::Keep, ConfigPolicy::NewBeside, ConfigPolicy::Merge] {
        let (old, new) = (config("a.ini", "old", policy), config("a.ini", "new", policy));
        let shown: &[&str] = if policy == ConfigPolicy::Keep { &[] } else { &["fetch a.ini.new"] };
        for record in [Some(installed(from_ref(&old))), None] {
            let plan = planned(&release(from_ref(&new)), record.as_ref(), &[("a.ini", link.clone())]);
            assert_eq!(
                (short(&plan), &plan.kept[..], plan.managed[0].kept),
                (shown.iter().map(ToString::to_string).collect(), &[path("a.ini")][..], true)
            );
            assert_eq!(plan.merged, []);
        }
        let same_release = planned(&release(from_ref(&old)), Some(&installed(&[old])), &[("a.ini", link.clone())]);
        assert!(same_release.is_empty());
    }
    let new = config("a.ini", "new", ConfigPolicy::Overwrite);
    assert_eq!(short(&planned(&release(&[new]), None, &[("a.ini", link)])), ["fetch a.ini"]);
}

#[test]
fn a_link_that_a_release_put_in_the_place_of_a_config_file_is_no_users() {
    let new = config("a.ini", "new", ConfigPolicy::Keep);
    let mut record = installed(&[]);
    record.links = vec![InstalledLink { path: path("a.ini"), target: "b.ini".into() }];
    let planned = |target: &str| planned(&release(from_ref(&new)), Some(&record), &[("a.ini", Found::Link(target.into()))]);
    assert_eq!(short(&planned("b.ini")), ["fetch a.ini"]);
    assert!(planned("/srv/shared.ini").is_empty(), "what its user made of it is");
}

#[test]
fn what_is_not_ours_is_never_cleared_out_of_the_way() {
    let target = release(&[entry("a", "x"), entry("b/c", "y")]);
    for (at, found) in [
        ("a", Found::Folder { stranger: Some("a/mine".into()) }),
        ("a", Found::Other),
        ("b", file("mine")),
        ("b", Found::Link("..".into())),
    ] {
        let outcome = plan(&target, None, &there(&[(at, found)]), Wishes::default());
        assert!(matches!(outcome, Err(PlanError::InTheWay { path, .. }) if path.as_str() == at));
    }
}

#[test]
fn a_folder_of_ours_makes_way_for_a_file_and_a_file_of_ours_for_a_folder() {
    let folder = Found::Folder { stranger: None };
    let to_file = planned(
        &release(&[entry("a", "x")]),
        Some(&installed(&[entry("a/b/c", "y")])),
        &[("a", folder.clone()), ("a/b", folder), ("a/b/c", file("y"))],
    );
    assert_eq!(short(&to_file), ["fetch a", "remove a/b/c", "rmdir a", "rmdir a/b"]);
    assert!(to_file.gone.is_empty());
    let to_folder =
        planned(&release(&[entry("a/b", "x")]), Some(&installed(&[entry("a", "y")])), &[("a", file("y")), ("a/b", Found::Nothing)]);
    assert_eq!(short(&to_folder), ["fetch a/b", "mkdir a", "remove a"]);
}

#[test]
fn links_and_empty_folders_come_and_stay() {
    let mut target = release(&[]);
    target.links = vec![LinkEntry { path: path("l"), target: "t".into() }];
    target.directories = vec![path("d/e")];
    assert_eq!(short(&planned(&target, None, &[])), ["link l", "mkdir d", "mkdir d/e"]);
    let folder = Found::Folder { stranger: None };
    assert!(planned(&target, None, &[("l", Found::Link("t".into())), ("d", folder.clone()), ("d/e", folder)]).is_empty());
    assert_eq!(
        short(&planned(&target, None, &[("l", Found::Link("other".into())), ("d/e", Found::Nothing)])),
        ["link l", "mkdir d", "mkdir d/e"]
    );
}

#[test]
#[cfg(unix)]
fn a_wrong_mode_is_set() {
    let exec = FileEntry { exec: true, ..entry("a", "x") };
    assert_eq!(short(&planned(&release(&[exec]), None, &[("a", file("x"))])), ["set a"]);
}

#[test]
fn s3_11_everything_is_restaged_when_that_is_wanted_config_included() {
    let files = [entry("a", "x"), config("b.ini", "y", ConfigPolicy::Keep)];
    let found = there(&[("a", file("x")), ("b.ini", file("mine"))]);
    let plan = plan(&release(&files), Some(&installed(&files)), &found, Wishes { everything: true }).unwrap();
    assert_eq!(short(&plan), ["copy a", "fetch b.ini"]);
}

#[test]
fn ac_56_a_file_of_another_spelling_is_replaced_or_renamed_and_a_users_config_file_stays() {
    let target = release(&[config("a.ini", "new", ConfigPolicy::Keep), entry("client.exe", "new"), entry("lib.dll", "same")]);
    let mut observed = there(&[("A.INI", file("mine")), ("Client.exe", file("old")), ("LIB.DLL", file("same"))]);
    for (wanted, twin) in [("a.ini", "A.INI"), ("client.exe", "Client.exe"), ("lib.dll", "LIB.DLL")] {
        observed.twins.insert(path(wanted), path(twin));
    }
    let plan = plan(&target, None, &observed, Wishes::default()).unwrap();
    assert_eq!(short(&plan), ["copy lib.dll", "fetch client.exe", "remove Client.exe", "remove LIB.DLL"]);
    assert_eq!(plan.kept, [path("a.ini")]);
}

#[test]
fn ac_56_a_file_that_is_called_otherwise_comes_anew_under_its_name_and_a_users_config_file_stays() {
    let target = release(&[config("A.ini", "new", ConfigPolicy::Keep), entry("README.TXT", "same"), entry("other", "x")]);
    let mut observed = there(&[("A.ini", file("mine")), ("README.TXT", file("same")), ("other", file("x"))]);
    observed.respelled.extend([path("A.ini"), path("README.TXT")]);
    let plan = plan(&target, None, &observed, Wishes::default()).unwrap();
    assert_eq!((short(&plan), plan.replaces), (vec!["copy README.TXT".to_owned()], true));
}
