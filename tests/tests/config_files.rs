//! What becomes of a config file that its user changed (D-04, AC-48), and of all files when a client does not fit its server (S3-11, AC-09).

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use system_tests::server::Server;
use system_tests::station::Station;
use system_tests::world::{Build, Repository, T0, World, noise};

const V1: &str = "; shipped\r\n[config]\r\nlastmainprog=\r\nlanguage=1\r\nlocallog=0\r\n\r\n[drivers]\r\nactive=tcp\r\n";
const V2: &str = "; shipped\r\n[config]\r\nlastmainprog=\r\nenvserver=prod\r\nlanguage=1\r\nlocallog=1\r\n\r\n[drivers]\r\nactive=tcp\r\n; the new one\r\nserver=c:\\erp\\bin\r\n";
/// The user chose a program and a language, and wrote down why.
const USERS: &str =
    "; mine\r\n[Config]\r\nlastmainprog = SIGAFAT\r\n# Spanish\r\nlanguage=2\r\nlocallog=0\r\n\r\n[drivers]\r\nactive=tcp\r\n";
/// Both sets are right: what he touched is his, what he never touched and what is new are the publisher's.
const MERGED: &str = "; mine\r\n[Config]\r\nlastmainprog = SIGAFAT\r\nenvserver=prod\r\n# Spanish\r\nlanguage=2\r\nlocallog=1\r\n\r\n[drivers]\r\nactive=tcp\r\n; the new one\r\nserver=c:\\erp\\bin\r\n";

/// A station whose user changed the config file of 1.0.0, with 2.0.0 waiting.
struct Site<'a> {
    repository: Repository<'a>,
    _server: Server,
    station: Station,
    v2: Build,
}

fn build(world: &World, name: &str, number: u64, ini: impl AsRef<[u8]>) -> Build {
    let build = world.build(name);
    let time = T0 + 60 * i64::try_from(number).expect("small");
    build.exec("client", noise(number, 20_000), time).file("lib/a.so", noise(9, 20_000), T0).file("app.ini", ini, time);
    build
}

fn site<'a>(world: &'a World, config: &[&str]) -> Site<'a> {
    let repository = world.repository("acme");
    let publish = |build: &Build, version: &str| {
        repository.publish_with(build, &[&["--build", version][..], config].concat()).succeeded("manifests publish")
    };
    publish(&build(world, "v1", 1, V1), "1.0.0");
    let server = world.serve(&repository);
    let station = world.station("client");
    station.install(&world.link(&server)).exits(0);
    fs::write(station.file("app.ini"), USERS).expect("written");
    let v2 = build(world, "v2", 2, V2);
    publish(&v2, "2.0.0");
    Site { repository, _server: server, station, v2 }
}

impl Site<'_> {
    #[track_caller]
    fn has(&self, ini: &str, what: &str) {
        let found = fs::read(self.station.file("app.ini")).expect("the config file");
        assert_eq!(String::from_utf8_lossy(&found), ini, "{what}");
    }

    /// Forward, back, and forward again.
    #[track_caller]
    fn goes(&self, forward: &str, back: &str, again: &str) {
        self.station.update().exits(0);
        self.has(forward, "after the update");
        let backup = fs::read_to_string(self.station.file("bkp_remote.001/app.ini")).expect("the backup");
        assert_eq!(backup, USERS, "the user's copy is in the backup");
        self.station.run(&["rollback"]).exits(0);
        self.has(back, "after the way back");
        self.station.run(&["unhold"]).exits(0);
        self.station.update().exits(0);
        self.has(again, "after the update that follows");
        self.station.check().exits(0);
        self.station.assert_nothing_left_over();
        self.station
            .tree()
            .without("app.ini")
            .without("app.ini.new")
            .assert_is(&self.v2.tree().without("app.ini"), "all else is as released");
    }
}

#[test]
fn ac_48_overwrite_takes_the_publishers_and_the_users_is_in_the_backup_and_comes_back_from_it() {
    let world = World::new();
    site(&world, &["--config", "*=overwrite"]).goes(V2, USERS, V2);
}

#[test]
fn ac_48_keep_keeps_the_users_forward_and_back() {
    let world = World::new();
    let site = site(&world, &["--config", "*.ini=keep"]);
    site.goes(USERS, USERS, USERS);
    assert!(!site.station.file("app.ini.new").exists());
}

#[test]
fn ac_48_new_beside_keeps_the_users_and_shows_the_publishers() {
    let world = World::new();
    let site = site(&world, &["--config", "*.ini=new-beside"]);
    site.goes(USERS, USERS, USERS);
    assert_eq!(fs::read_to_string(site.station.file("app.ini.new")).expect("beside"), V2);
}

#[test]
fn ac_48_a_link_to_a_shared_config_file_stays_there_and_back_and_what_it_leads_to_is_not_touched() {
    for policy in ["keep", "new-beside", "merge"] {
        let world = World::new();
        let site = site(&world, &["--config", &format!("*.ini={policy}")]);
        let (shared, ini) = (world.path("shared.ini"), site.station.file("app.ini"));
        fs::write(&shared, USERS).expect("shared");
        fs::remove_file(&ini).and_then(|()| symlink(&shared, &ini)).expect("a link");
        let is_kept = |what: &str| {
            assert_eq!(fs::read_link(&ini).expect("still a link"), shared, "{policy}, {what}");
            assert_eq!(fs::read_to_string(&shared).expect("shared"), USERS, "{policy}, {what}");
        };
        let done = site.station.update().exits(0);
        is_kept("after the update");
        let said = done.finished.report();
        assert!(said.contains("`app.ini` is a symbolic link, to `") && said.contains("shared.ini"), "{said}");
        assert_eq!(done.json["cost"]["kept_files"], json!(["app.ini"]), "{policy}");
        let beside = fs::read_to_string(site.station.file("app.ini.new")).ok();
        assert_eq!(beside.as_deref(), (policy != "keep").then_some(V2), "{policy}");
        // What its user put there is no drift, and an update finds nothing to do.
        site.station.run(&["verify"]).exits(0);
        assert_eq!(site.station.update().exits(0).text("result"), "nothing-to-do", "{policy}");
        site.station.run(&["rollback"]).exits(0);
        is_kept("after the way back");
        // Whoever asks for everything anew gets it, and the link is in the backup.
        site.station.run(&["unhold"]).exits(0);
        site.station.run(&["update", "--yes", "--everything"]).exits(0);
        site.has(V2, "a plain file again");
        assert_eq!(fs::read_link(site.station.file("bkp_remote.002/app.ini")).expect("in the backup"), shared, "{policy}");
        assert_eq!(fs::read_to_string(&shared).expect("shared"), USERS, "{policy}");
    }
}

#[test]
fn ac_48_merge_is_the_default_and_both_sets_are_right_with_comments_and_order() {
    let world = World::new();
    // On the way back what he never touched goes back, too; keys that only the newer one has stay.
    let back = MERGED.replace("locallog=1", "locallog=0");
    site(&world, &[]).goes(MERGED, &back, MERGED);
}

#[test]
fn ac_48_without_the_last_releases_file_every_difference_is_the_users() {
    let world = World::new();
    let site = site(&world, &[]);
    fs::remove_dir_all(site.station.state("config")).expect("the copies go");
    site.station.update().exits(0);
    site.has(&MERGED.replace("locallog=1", "locallog=0"), "two files are known, not three");
}

#[test]
fn ac_48_a_damaged_copy_of_the_last_releases_file_is_as_good_as_none() {
    let world = World::new();
    let site = site(&world, &[]);
    for entry in fs::read_dir(site.station.state("config")).expect("the copies") {
        fs::write(entry.expect("an entry").path(), USERS).expect("damaged");
    }
    site.station.update().exits(0);
    site.has(&MERGED.replace("locallog=1", "locallog=0"), "what is damaged is not believed");
}

#[test]
fn d_04_a_key_that_the_publisher_lists_is_his_whatever_the_user_did() {
    let world = World::new();
    let site = site(&world, &["--config", "*.ini=merge:Config.Language"]);
    site.station.update().exits(0);
    site.has(&MERGED.replace("language=2", "language=1"), "listed");
}

#[test]
fn d_04_a_file_that_nobody_changed_is_as_released_and_a_merge_that_comes_to_nothing_takes_no_backup() {
    let world = World::new();
    let site = site(&world, &[]);
    fs::write(site.station.file("app.ini"), V1).expect("written");
    site.station.update().exits(0);
    site.station.tree().assert_is(&site.v2.tree(), "nobody's own");

    // Only the config file of 3.0.0 is new, and its user has what is new in it already.
    let users = V2.replace("language=1", "language=3") + "[more]\r\nx=1\r\n";
    fs::write(site.station.file("app.ini"), &users).expect("written");
    let v3 = site.v2.copy("v3");
    v3.file("app.ini", format!("{V2}[more]\r\nx=1\r\n"), T0 + 999);
    site.repository.publish(&v3, "3.0.0");
    let outcome = site.station.update().exits(0);
    assert_eq!(outcome.json["backup"], Value::Null, "{}", outcome.json);
    site.has(&users, "not one byte");
    assert_eq!(site.station.backups(), ["bkp_remote.001"], "that of the update before");
}

/// As Windows keeps it, the low byte first.
fn in_utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn ac_48_a_users_file_in_utf_16_is_merged_and_stays_in_utf_16_byte_for_byte_there_and_back() {
    let world = World::new();
    let site = site(&world, &[]);
    // What a Windows program leaves that keeps its INI file in Unicode.
    let marked = |text: &str| in_utf_16(&format!("\u{feff}{}", text.replace("; mine", "; João, 日本")));
    fs::write(site.station.file("app.ini"), marked(USERS)).expect("written");
    let has = |wanted: &str, what: &str| assert_eq!(fs::read(site.station.file("app.ini")).expect("read"), marked(wanted), "{what}");
    site.station.update().exits(0);
    has(MERGED, "after the update");
    assert!(!site.station.file("app.ini.new").exists());
    site.station.run(&["rollback"]).exits(0);
    has(&MERGED.replace("locallog=1", "locallog=0"), "what he never touched goes back, too");
}

#[test]
fn d_04_what_cannot_be_merged_stays_and_the_publishers_is_written_beside_with_the_reason() {
    let utf_16 = in_utf_16("[config]\r\nlanguage=2\r\n");
    let large = format!("[config]\r\n{}", "; a long story\r\n".repeat(20_000)).into_bytes();
    for (users, why) in [
        (utf_16, "UTF-16 without a byte order mark"),
        (large, "larger than"),
        (b"<config language=\"2\"/>\n".to_vec(), "line 1 is none of an INI file"),
    ] {
        let world = World::new();
        let site = site(&world, &[]);
        fs::write(site.station.file("app.ini"), &users).expect("written");
        let done = site.station.update().exits(0);
        assert_eq!((&done.json["cost"]["kept_files"], &done.json["cost"]["merged_files"]), (&json!(["app.ini"]), &json!([])), "{why}");
        let said = done.finished.report();
        assert!(said.contains("`app.ini` cannot be merged") && said.contains(why) && said.contains("app.ini.new"), "{said}");
        assert!(fs::read(site.station.file("app.ini")).expect("the user's") == users, "not one byte");
        assert_eq!(fs::read_to_string(site.station.file("app.ini.new")).expect("beside"), V2);
    }
}

#[test]
fn ac_09_s3_11_everything_is_written_anew_config_files_included_and_the_users_copy_is_in_the_backup() {
    use std::os::unix::fs::MetadataExt as _;
    let world = World::new();
    let site = site(&world, &[]);
    let inode = |path: &str| fs::metadata(site.station.file(path)).expect("a file").ino();
    fs::write(site.station.file("notes.txt"), "mine").expect("written");
    let before = ["client", "lib/a.so", "app.ini"].map(inode);
    // Damaged, with size and time as they were: what is written anew is read first.
    let library = site.station.file("lib/a.so");
    let mut bytes = fs::read(&library).expect("read");
    bytes[100] ^= 1;
    let time = fs::metadata(&library).and_then(|stat| stat.modified()).expect("a time");
    fs::write(&library, &bytes).and_then(|()| fs::File::options().write(true).open(&library)?.set_modified(time)).expect("damaged");

    let outcome = site.station.run(&["update", "--yes", "--everything"]).exits(0);
    site.station.tree().without("notes.txt").assert_is(&site.v2.tree(), "all of 2.0.0, the config file included");
    assert_eq!(fs::read_to_string(site.station.file("notes.txt")).expect("mine"), "mine", "extras are nobody's to take (AC-06)");
    let after = ["client", "lib/a.so", "app.ini"].map(inode);
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "each file is a new one: {before:?} {after:?}");
    assert_eq!(outcome.json["cost"]["put_files"], 3);
    assert_eq!(fs::read_to_string(site.station.file("bkp_remote.001/app.ini")).expect("the backup"), USERS);

    // Once more, at the newest release: every file is a new one again, made of what is here and right.
    let again = site.station.run(&["update", "--yes", "--everything"]).exits(0);
    site.station.tree().without("notes.txt").assert_is(&site.v2.tree(), "the same again");
    assert!(["client", "lib/a.so", "app.ini"].map(inode).iter().zip(&after).all(|(now, after)| now != after));
    assert_eq!((&again.json["cost"]["put_files"], &again.json["received_bytes"]), (&Value::from(3), &Value::from(0)));
}
