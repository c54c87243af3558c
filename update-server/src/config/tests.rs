use super::*;

const EXAMPLE: &str = include_str!("../../server.example.toml");

fn parse(text: &str) -> Result<Settings, ConfigError> {
    let file = toml::from_str(text).map_err(|source| ConfigError::Syntax { path: "test.toml".into(), source: Box::new(source) })?;
    Settings::resolve(file, Path::new(""))
}

#[test]
fn the_example_shows_the_defaults() {
    assert_eq!(parse(EXAMPLE).unwrap(), Settings::default());
    assert_eq!(parse("").unwrap(), Settings::default());
}

/// The patterns have no `..`, so a new setting does not compile until it is here, and then fails until the example has it.
#[test]
fn the_example_has_every_setting() {
    let File { listen, operators_listen, install_documents, repository, folder, reports, limits, cache, log, shutdown } =
        toml::from_str(EXAMPLE).unwrap();
    // Left out, it means something that no value does; the example has it as a comment.
    assert!(operators_listen.is_none() && EXAMPLE.contains("\n# operators_listen = "));
    let reports::ReportsTable { journal, keep_months, max_month_bytes } = reports;
    assert!(keep_months.is_some() && max_month_bytes.is_some());
    assert!(journal.is_none() && EXAMPLE.contains("\n# journal = "));
    assert!(listen.is_some() && install_documents.is_some() && repository.is_empty() && folder.is_empty());
    let file::LimitsTable {
        max_connections,
        max_connections_per_address,
        unlimited_addresses,
        max_header_bytes,
        max_headers,
        max_body_bytes,
        header_timeout_seconds,
        idle_timeout_seconds,
        send_timeout_seconds,
        min_send_bytes_per_second,
        max_publish_bytes,
        min_publish_bytes_per_second,
    } = limits;
    assert!(max_connections_per_address.is_some() && unlimited_addresses.is_some());
    assert!(max_publish_bytes.is_some() && min_publish_bytes_per_second.is_some());
    assert!(max_connections.is_some() && max_header_bytes.is_some() && max_headers.is_some() && max_body_bytes.is_some());
    assert!(header_timeout_seconds.is_some() && idle_timeout_seconds.is_some());
    assert!(send_timeout_seconds.is_some() && min_send_bytes_per_second.is_some());
    let file::CacheTable { memory_bytes, transfer_memory_bytes } = cache;
    assert!(memory_bytes.is_some() && transfer_memory_bytes.is_some());
    let file::LogTable { format, level, requests } = log;
    assert!(format.is_some() && level.is_some() && requests.is_some());
    let file::ShutdownTable { grace_seconds } = shutdown;
    assert!(grace_seconds.is_some());
}

#[test]
fn every_key_of_the_example_has_its_description_above() {
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.trim_start_matches("# ").contains(" = ")) {
        assert!(at > 0 && lines[at - 1].starts_with("# ") && !lines[at - 1].contains(" = "), "`{line}` has no description");
    }
}

fn commented_repository() -> String {
    commented("[[repository]]")
}

/// The lines of a commented table of the example, without the comment signs.
fn commented(table: &str) -> String {
    let lines = EXAMPLE.lines().skip_while(|line| !line.contains(table)).take_while(|line| !line.is_empty());
    let settings = lines.filter_map(|line| line.strip_prefix("# ")).filter(|line| line.starts_with("[[") || line.contains(" = "));
    settings.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_commented_repository_of_the_example_has_every_setting() {
    let file: File = toml::from_str(&commented_repository()).unwrap();
    let [table] = file.repository.as_slice() else { panic!("one repository") };
    let file::RepositoryTable { name, path: _, keys, passphrase_file, refresh, refresh_every_hours, refresh_all_roles, publish_tokens } =
        table;
    assert_eq!(name.as_str(), "acme");
    assert!(keys.is_some() && passphrase_file.is_some() && publish_tokens.len() == 1);
    assert_eq!((*refresh, *refresh_every_hours, *refresh_all_roles), (Some(true), Some(24), Some(false)));
    let settings = parse(&commented_repository()).unwrap();
    assert_eq!(settings.repositories[0].keys.as_ref().unwrap().refresh_every, Some(Duration::from_secs(86_400)));
}

#[test]
fn the_commented_folder_of_the_example_has_every_setting_with_its_default() {
    let file: File = toml::from_str(&commented("[[folder]]")).unwrap();
    let [table] = file.folder.as_slice() else { panic!("one folder") };
    let folder::FolderTable {
        path,
        repository: _,
        os,
        product,
        arch,
        variant,
        channel,
        build,
        entry_point,
        names,
        config,
        allow_downgrade,
        extras,
        allow,
        settle_seconds,
        keep_releases,
        server_build,
        server_program,
    } = table;
    assert!(product.is_some() && arch.is_some() && channel.is_some() && names.is_some() && config.is_some() && extras.is_some());
    assert!(allow_downgrade.is_some() && allow.is_some() && settle_seconds.is_some() && keep_releases.is_some());
    // Left out, these mean something that no value does; the example has them as comments of their own.
    assert!(variant.is_none() && build.is_none() && entry_point.is_none() && server_build.is_none() && server_program.is_none());
    for key in ["variant", "build", "entry_point", "server_build", "server_program"] {
        assert!(EXAMPLE.contains(&format!("\n# # {key} = ")), "{key}");
    }
    let whole = parse(&format!("{}\n{}", commented_repository(), commented("[[folder]]"))).unwrap();
    let setting = whole.folders[0].setting.clone();
    let defaults = FolderSettings::new(Some(path.clone()), setting, "acme".parse().unwrap(), os.parse().unwrap());
    assert_eq!(whole.folders, [defaults]);
}

#[test]
fn a_folder_that_cannot_publish_itself_is_refused_with_its_key() {
    let with = |repository: &str, lines: &str| parse(&format!("[[repository]]\nname = \"a\"\npath = \"b\"\n{repository}\n{lines}"));
    let folder = "[[folder]]\npath = \"upd\"\nrepository = \"a\"\nos = \"windows\"\n";
    assert!(with("keys = \"k\"", folder).is_ok());
    for (repository, lines, words) in [
        ("", folder.to_owned(), "no `keys`"),
        ("keys = \"k\"", folder.replace("\"a\"", "\"c\""), "no [[repository]] named `c`"),
        ("keys = \"k\"", folder.replace("windows", "beos"), "`os`"),
        ("keys = \"k\"", format!("{folder}build = \"soon\""), "`build`"),
        ("keys = \"k\"", format!("{folder}config = [\"*\"]"), "`config`"),
        ("keys = \"k\"", format!("{folder}allow = [\"device-name\"]"), "`allow`"),
        ("keys = \"k\"", format!("{folder}settle_seconds = 0"), "`settle_seconds`"),
        ("keys = \"k\"", format!("{folder}keep_releases = 0"), "`keep_releases`"),
        ("keys = \"k\"", format!("{folder}server_build = \"1\"\nserver_program = \"x\""), "leave one of them out"),
        ("keys = \"k\"", format!("{folder}name = \"x\""), "`name`"),
        ("keys = \"k\"", format!("{folder}{folder}"), "two folders"),
    ] {
        let error = with(repository, &lines).unwrap_err().to_string();
        assert!(error.contains(words), "{lines}: {error}");
    }
}

#[test]
fn folders_in_one_another_are_refused_and_one_of_two_systems_is_told_of() {
    let site = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(site.path().join("upd/linux")).unwrap();
    let at = |windows: &str, linux: &str| {
        let folder = |path: &str, os: &str| format!("[[folder]]\npath = \"{path}\"\nrepository = \"a\"\nos = \"{os}\"\n");
        let repository = "[[repository]]\nname = \"a\"\npath = \"b\"\nkeys = \"k\"\n";
        let text = format!("{repository}{}{}", folder(windows, "windows"), folder(linux, "linux"));
        Settings::resolve(toml::from_str(&text).unwrap(), site.path())
    };
    for (windows, linux) in [("upd", "upd/linux"), ("upd/linux", "upd"), ("upd/", "upd/linux/../linux")] {
        let error = at(windows, linux).unwrap_err().to_string();
        assert!(error.contains("lies in") && error.contains("smartclient stable for linux"), "{error}");
    }
    assert_eq!(folder::shared(&at("upd/linux", "upd-linux").unwrap().folders), [""; 0]);
    let told = folder::shared(&at("upd", "upd/linux/..").unwrap().folders);
    assert!(told.len() == 1 && told[0].contains("windows and with linux"), "{told:?}");
}

#[test]
fn what_signs_or_publishes_needs_keys() {
    let token = Digest::of(b"");
    for line in [
        "refresh = true",
        "refresh_every_hours = 1",
        "refresh_all_roles = true",
        "passphrase_file = \"x\"",
        &format!("publish_tokens = [\"{token}\"]"),
    ] {
        let error = parse(&format!("[[repository]]\nname = \"a\"\npath = \"b\"\n{line}")).unwrap_err().to_string();
        assert!(error.contains("needs `keys`") && error.contains(line.split(' ').next().unwrap()), "{error}");
        assert!(parse(&format!("[[repository]]\nname = \"a\"\npath = \"b\"\nkeys = \"k\"\n{line}")).is_ok(), "{line}");
    }
    assert!(parse("[[repository]]\nname = \"a\"\npath = \"b\"\nrefresh = false").is_ok());
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    for (text, name) in [
        ("lisen = \"127.0.0.1:1\"", "lisen"),
        ("[limits]\nmax_conections = 1", "max_conections"),
        ("[[repository]]\nname = \"a\"\npath = \"b\"\nkey = \"c\"", "key"),
        ("[cache]\nmemory = 1", "memory"),
    ] {
        assert!(parse(text).unwrap_err().to_string().contains(&format!("`{name}`")), "{text}");
    }
}

#[test]
fn values_that_cannot_work_are_refused_with_their_key() {
    for (text, key) in [
        ("listen = \"localhost\"", "listen"),
        ("operators_listen = \"9090\"", "operators_listen"),
        ("[limits]\nmax_connections = 0", "limits.max_connections"),
        ("[limits]\nmax_connections_per_address = 0", "limits.max_connections_per_address"),
        ("[limits]\nunlimited_addresses = [\"proxy\"]", "unlimited_addresses"),
        ("[[repository]]\nname = \"a\"\npath = \"x\"\nkeys = \"k\"\nrefresh_every_hours = 85", "refresh_every_hours"),
        ("[[repository]]\nname = \"a\"\npath = \"x\"\nkeys = \"k\"\npublish_tokens = [\"secret\"]", "publish_tokens"),
        ("[limits]\nmax_header_bytes = 100", "limits.max_header_bytes"),
        ("[limits]\nsend_timeout_seconds = 0", "limits.send_timeout_seconds"),
        ("[reports]\nkeep_months = 0", "reports.keep_months"),
        ("[reports]\nmax_month_bytes = 5", "reports.max_month_bytes"),
        ("[log]\nlevel = \"update_server=loud\"", "log.level"),
        ("[log]\nformat = \"xml\"", "xml"),
        ("[[repository]]\nname = \"../x\"\npath = \"x\"", "../x"),
        ("[[repository]]\nname = \"a\"", "path"),
        ("[[repository]]\nname = \"a\"\npath = \"x\"\n[[repository]]\nname = \"a\"\npath = \"y\"", "two repositories"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(key), "{text}: {error}");
    }
}

#[test]
fn paths_are_relative_to_the_file() {
    let file = toml::from_str("[[repository]]\nname = \"a\"\npath = \"repo\"").unwrap();
    let settings = Settings::resolve(file, Path::new("/etc/stationmaster")).unwrap();
    assert_eq!(settings.repositories[0].path, Path::new("/etc/stationmaster/repo"));
    assert_eq!(settings.install_documents, Path::new("/etc/stationmaster/install"));
    assert_eq!(settings.reports, None, "reports are taken where somebody has said where they are kept");
    let file = toml::from_str("[reports]\njournal = \"journal\"").unwrap();
    let settings = Settings::resolve(file, Path::new("/etc/stationmaster")).unwrap();
    assert_eq!(settings.reports, Some(ReportSettings::in_state(Path::new("/etc/stationmaster"))));
}
