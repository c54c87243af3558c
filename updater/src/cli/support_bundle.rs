//! `updater support-bundle`: gathers what a support request needs, and writes it without secrets.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use updater::exit_code::Exit;
use updater::fs::outside::{self, Readers};
use updater::fs::{Folder, FsError, LocalPath, Point, owners};
use updater::pipeline::{Error, Session};
use updater::profile;
use updater::progress::Progress;
use updater::self_update::{Home, running_build};
use updater::station::Station;
use updater::support_bundle::redact::Secrets;
use updater::support_bundle::{BundleError, zip};

use super::{Global, Report, context, doctor, itself, print_firewall};

/// What may hold a proxy's password.
const PROXIES: [&str; 8] = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];
/// The documents of the state folder that go in as they are. Keys and what is trusted do not.
const DOCUMENTS: [&str; 11] = [
    "history.jsonl",
    "settings.toml",
    "station.json",
    "schedule.json",
    "shortcuts.json",
    "attempts.json",
    "told.json",
    "interference.json",
    "proof.json",
    "ratchet.json",
    "journal",
];

#[derive(Args)]
pub(crate) struct Arguments {
    /// The zip to write, where nothing is yet, outside the install folder. Without it `support-bundle-TIME.zip` in the current folder, or in the system's folder for such files where that is the install folder.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, arguments: &Arguments, progress: &dyn Progress) -> Result<Report, Error> {
    let folder = profile::look(&global.dir, &global.registry())?;
    let file = place(global, arguments.file.as_deref())?;
    let texts = global.texts();
    let pretty = |value: Value| serde_json::to_string_pretty(&value).unwrap_or_default();
    let checks = doctor::findings(global, progress).map_or_else(|error| json!({ "error": error.to_string() }), |found| json!(found));
    let reached =
        print_firewall::destinations(global, progress).map_or_else(|error| json!({ "error": error.to_string() }), |found| json!(found));
    let mut parts = vec![
        ("how-to-reproduce.txt", texts.get("bundle-form", &[]) + "\n\n\n"),
        ("deployment.json", pretty(deployment(global, &folder))),
        ("system.json", pretty(system())),
        ("versions.json", pretty(versions(global, progress))),
        ("doctor.json", pretty(checks)),
        ("connections.json", pretty(reached)),
        ("environment.txt", environment()),
    ];
    for name in DOCUMENTS {
        parts.extend(said(folder.read(&LocalPath::state(name))).map(|text| (name, text)));
    }
    let outbox = LocalPath::state("outbox");
    let waiting = folder.names(&outbox).unwrap_or_else(|error| {
        parts.push(("outbox.jsonl", format!("{error}\n")));
        vec![]
    });
    for name in waiting {
        parts.extend(said(folder.read(&outbox.join(&name))).map(|text| ("outbox.jsonl", text + "\n")));
    }
    let parts = joined(parts);
    let refused = |source: std::io::Error| match source.kind() {
        ErrorKind::AlreadyExists => BundleError::Taken { path: file.clone() },
        _ => BundleError::Outside { path: file.clone(), source },
    };
    let bytes = zip(&parts, &secrets(&folder)).map_err(|error| refused(error.into()))?;
    outside::place_new(&file, &bytes, Readers::Owner, Point::ScheduleFile).map_err(refused)?;
    let names: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
    let text = texts.get("bundle-written", &[("file", file.display().to_string().into()), ("parts", names.join(", ").into())]);
    Ok(Report::new(&json!({ "result": "written", "file": shown(&file), "parts": names }), text, Exit::Success))
}

/// A document in words. One that cannot be read may be what support is asked about: then its part is the error.
fn said(read: Result<Option<Vec<u8>>, FsError>) -> Option<String> {
    match read {
        Ok(bytes) => bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Some(format!("{error}\n")),
    }
}

/// Where the zip goes, absolute: `wanted`, or a name of this moment. Never into the install folder, and over nothing.
fn place(global: &Global, wanted: Option<&Path>) -> Result<PathBuf, Error> {
    let install = owners::canonical(&global.dir)?;
    let is_inside = |file: &Path| {
        let folder = file.parent().unwrap_or(file);
        std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()).starts_with(&install)
    };
    let name = PathBuf::from(format!("support-bundle-{}.zip", context::now().to_string().replace(':', "")));
    let file = itself::absolute(wanted.unwrap_or(&name))?;
    let file = if wanted.is_none() && is_inside(&file) { std::env::temp_dir().join(name) } else { file };
    // Before all is gathered: it takes a while.
    match std::fs::symlink_metadata(&file) {
        _ if is_inside(&file) => Err(BundleError::Inside { path: file }.into()),
        Ok(_) => Err(BundleError::Taken { path: file }.into()),
        Err(_) => Ok(file),
    }
}

/// The same with texts of one name put together, in the order in which they came.
fn joined(parts: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    let mut joined: Vec<(&str, String)> = vec![];
    for (name, text) in parts {
        match joined.last_mut() {
            Some((last, all)) if *last == name => *all += &text,
            _ => joined.push((name, text)),
        }
    }
    joined
}

/// S2-23: how the station is deployed.
fn deployment(global: &Global, folder: &Folder) -> Value {
    json!({
        "profile": profile::of(folder),
        "folder": shown(&std::path::absolute(&global.dir).unwrap_or_else(|_| global.dir.clone())),
        "state": shown(&folder.state_path()),
        "registry": shown(&global.registry),
        "updater": std::env::current_exe().ok().map(|program| shown(&program)),
    })
}

/// A path as text. A name that is no Unicode would end the run in the middle, as JSON has no letters for it.
fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// S2-24: the operating system, by its own name where it tells it in a file.
fn system() -> Value {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).map(|name| name.trim_matches('"').to_owned());
    let kernel = std::fs::read_to_string("/proc/version").ok();
    json!({
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "name": name.or_else(|| whoami::distro().ok()),
        "kernel": kernel.map(|kernel| kernel.trim().to_owned()),
        "host": whoami::hostname().ok(),
        "account": updater::account::name(),
    })
}

/// S2-27: what runs here, in which version.
fn versions(global: &Global, progress: &dyn Progress) -> Value {
    let session = Session::look(&global.dir, &context::begin(global, progress)).ok();
    let installed = session.as_ref().and_then(|session| session.installed.as_ref()).map(|installed| &installed.release);
    let home = Home::of_this_program().ok();
    json!({
        "updater": env!("CARGO_PKG_VERSION"),
        "updater_release": home.as_ref().and_then(running_build).map(|build| build.text().to_owned()),
        "product": session.as_ref().map(|session| session.station.channel_id().to_string()),
        "build": installed.map(|release| release.id.build.text().to_owned()),
        "sequence": installed.map(|release| release.place.1),
    })
}

/// The variables that lead the updater, by name and value.
fn environment() -> String {
    let ours = |name: &str| name.starts_with("STATIONMASTER_") || PROXIES.contains(&name);
    let set = std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
    let mut set: Vec<String> = set.filter(|(name, _)| ours(name)).map(|(name, value)| format!("{name}={value}\n")).collect();
    set.sort();
    set.concat()
}

/// What is known to be secret here: in the addresses of repositories and proxies.
fn secrets(folder: &Folder) -> Secrets {
    let mut secrets = Secrets::default();
    let home = Home::of_this_program().ok().and_then(|home| Folder::open(&home.dir()).ok());
    for folder in home.iter().chain([folder]) {
        if let Ok(Some(station)) = Station::load(folder) {
            secrets.of_address(station.repository.as_str());
        }
    }
    for name in PROXIES {
        if let Ok(address) = std::env::var(name) {
            secrets.of_address(&address);
        }
    }
    secrets
}
