use super::*;

fn folder() -> (tempfile::TempDir, Folder) {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    folder.make_state_folders().unwrap();
    (place, folder)
}

fn written(folder: &Folder) -> String {
    text(folder).unwrap()
}

#[test]
fn the_shipped_file_is_what_holds_without_one_and_says_every_key() {
    let shipped = include_str!("../../updater.example.toml");
    let (defaults, settings) = (Settings::default(), Settings::parse(shipped).unwrap());
    assert_eq!(Settings { set: SettingsFile::default(), ..settings }, defaults);
    // What is commented out are settings as well.
    let uncommented = shipped.lines().map(|line| line.strip_prefix("# ").filter(|line| line.contains(" = ")).unwrap_or(line));
    let settings = Settings::parse(&uncommented.collect::<Vec<_>>().join("\n")).unwrap();
    let unset: Vec<&str> = settings.held().iter().filter(|held| held.from != Origin::File).map(|held| held.key).collect();
    assert_eq!(unset, [] as [&str; 0], "every key is shown");
    assert_eq!(
        (settings.role, settings.server_build.as_deref(), settings.language.as_deref()),
        (Some(Role::Station), Some("17.3.0.14"), Some("pt-BR"))
    );
}

#[test]
fn every_key_is_listed_once() {
    let all = serde_json::to_value(SettingsFile::default()).unwrap();
    let fields: std::collections::BTreeSet<&str> = all.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, KEYS.into_iter().collect());
    assert_eq!(fields.len(), KEYS.len());
}

#[test]
fn d_01_consent_goes_with_the_role_and_without_one_somebody_is_asked() {
    let consent = |text: &str| Settings::parse(text).map(|settings| (settings.consent, settings.approver)).unwrap();
    assert_eq!(consent(""), (ConsentPolicy::Prompt, Approver::StationUser));
    assert_eq!(consent("role = \"station\""), (ConsentPolicy::AutoCompatible, Approver::StationUser));
    assert_eq!(consent("role = \"admin\""), (ConsentPolicy::Manual, Approver::AdminRole));
    assert_eq!(consent("role = \"terminal\""), (ConsentPolicy::Prompt, Approver::StationUser));
    let said = "role = \"admin\"\nconsent = \"prompt\"\napprover = \"station-user\"";
    assert_eq!(consent(said), (ConsentPolicy::Prompt, Approver::StationUser), "what is said goes before the role");
}

#[test]
fn where_a_value_comes_from_is_said() {
    let settings = Settings::parse("role = \"admin\"\napprover = \"station-user\"").unwrap();
    let from = |key: &str| settings.held().into_iter().find(|held| held.key == key).unwrap();
    assert_eq!((from("role").from, from("approver").from), (Origin::File, Origin::File));
    assert_eq!(from("consent"), Held { key: "consent", value: Some("manual".into()), from: Origin::Role });
    assert_eq!(from("check_every"), Held { key: "check_every", value: Some("4h".into()), from: Origin::Default });
    assert_eq!(from("server_build").value, None);
}

#[test]
fn what_is_not_a_setting_is_refused_by_name() {
    let refused = |text: &str, name: &str| {
        let reason = Settings::parse(text).unwrap_err();
        assert!(reason.contains(name), "{text}: {reason}");
    };
    refused("consents = \"manual\"", "consents");
    refused("consent = \"auto\"", "auto-compatible");
    refused("on_load = \"yes\"", "boolean");
    refused("language = \"de\"", "pt-BR");
    refused("check_every = \"4\"", "4h");
    refused("server_build = \" \"", "server_build");
    let (_place, folder) = folder();
    assert!(matches!(Settings::change(&folder, "consents", Some("manual")), Err(SettingsError::Unknown(key)) if key == "consents"));
    assert!(matches!(Settings::change(&folder, "consent", Some("auto")), Err(SettingsError::Value { key, .. }) if key == "consent"));
    assert!(matches!(Settings::change(&folder, "on_load", Some("no")), Err(SettingsError::Value { .. })));
    assert_eq!(written(&folder), "", "nothing was written");
}

#[test]
fn a_change_keeps_comments_and_other_keys() {
    let (_place, folder) = folder();
    let before = "# the till at the door\nrole = \"station\" # since May\n\n# asked for by the head office\non_load = false\n";
    folder.write_durably(&Settings::path(), before.as_bytes(), Point::SettingsFile).unwrap();
    Settings::change(&folder, "role", Some("terminal")).unwrap();
    assert_eq!(written(&folder), before.replace("\"station\"", "\"terminal\""));
    Settings::change(&folder, "on_load", Some("true")).unwrap();
    let settings = Settings::change(&folder, "check_every", Some("1h")).unwrap();
    assert_eq!(settings.check_every.seconds(), 3600);
    let now = before.replace("\"station\"", "\"terminal\"").replace("false", "true") + "check_every = \"1h\"\n";
    assert_eq!(written(&folder), now);
    assert_eq!(Settings::load(&folder).unwrap(), settings);
    // Unset in the middle and at the end.
    Settings::change(&folder, "on_load", None).unwrap();
    let settings = Settings::change(&folder, "check_every", None).unwrap();
    assert_eq!(settings, Settings::parse("role = \"terminal\"").unwrap());
    assert_eq!(written(&folder), "# the till at the door\nrole = \"terminal\" # since May\n\n# asked for by the head office\n");
    assert_eq!(Settings::change(&folder, "language", None).unwrap(), settings, "what is not set is unset already");
}

#[test]
fn a_file_that_cannot_be_used_is_named_and_stays() {
    let (_place, folder) = folder();
    for damaged in [&b"consent = "[..], b"consents = 1", b"\xff"] {
        folder.write_durably(&Settings::path(), damaged, Point::SettingsFile).unwrap();
        assert!(matches!(Settings::load(&folder), Err(SettingsError::Unusable { .. })));
        assert!(matches!(Settings::change(&folder, "role", Some("admin")), Err(SettingsError::Unusable { .. })));
        assert_eq!(folder.read(&Settings::path()).unwrap().unwrap(), damaged);
    }
    // But the key that is wrong can be mended with the same command.
    folder.write_durably(&Settings::path(), b"consent = \"auto\"\n", Point::SettingsFile).unwrap();
    assert_eq!(Settings::change(&folder, "consent", Some("manual")).unwrap().consent, ConsentPolicy::Manual);
}

#[test]
fn a_key_that_is_none_can_be_taken_away_and_one_that_is_not_there_is_named() {
    let (_place, folder) = folder();
    let file = "# ours\nrole = \"station\"\nbogus = 1\n\n[more]\nx = 1\n";
    folder.write_durably(&Settings::path(), file.as_bytes(), Point::SettingsFile).unwrap();
    assert!(matches!(Settings::change(&folder, "bogus", Some("2")), Err(SettingsError::Unknown(key)) if key == "bogus"));
    assert!(matches!(Settings::change(&folder, "nothing", None), Err(SettingsError::Unknown(key)) if key == "nothing"));
    assert_eq!(written(&folder), file);
    // One after the other: what is still wrong is said.
    assert!(matches!(Settings::change(&folder, "more", None), Err(SettingsError::Unusable { reason }) if reason.contains("bogus")));
    let mended = Settings::change(&folder, "bogus", None).unwrap();
    assert_eq!((mended.role, Settings::load(&folder).unwrap()), (Some(Role::Station), mended));
    assert_eq!(written(&folder).trim_end(), "# ours\nrole = \"station\"");
}
