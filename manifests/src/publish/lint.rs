//! Says everything that is wrong with a folder before anything of it is published: all findings at once, each with the rule, the path and what to do (S3-13…S3-17, AC-51, AC-56…AC-58).
//!
//! Pure: it judges a listing. Errors stop a publish. Some of them only mean that this is probably the wrong folder; those can be allowed by name.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use crate::channel::{Kind, Probe};
use crate::name::{ChannelId, Os};
use crate::path::{BACKUP_PREFIX, PathFault, RelPath};
use crate::publish::scan::{Found, FoundKind};
use crate::release::{ConfigPolicy, LinkEntry};
use crate::time::FileTime;

pub mod rule;
pub use rule::{Rule, Severity};

/// Something that is wrong with a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Whether it stops the publish.
    pub severity: Severity,
    /// The rule.
    pub rule: Rule,
    /// Where; `None` when it is about the folder.
    pub path: Option<String>,
    /// What exactly.
    pub detail: String,
}

impl Finding {
    pub(crate) fn at(rule: Rule, path: &str, detail: impl Into<String>) -> Finding {
        Finding { severity: rule.severity(), rule, path: Some(path.to_owned()), detail: detail.into() }
    }

    pub(crate) fn of_folder(rule: Rule, detail: impl Into<String>) -> Finding {
        Finding { severity: rule.severity(), rule, path: None, detail: detail.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.severity, self.rule)?;
        if let Some(path) = &self.path {
            write!(f, "`{}` ", path.escape_debug())?;
        }
        write!(f, "{}: {}", self.detail, self.rule.advice())
    }
}

/// All that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// Those that stop the publish.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// Those that do not.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.severity == Severity::Warning)
    }

    /// Whether some rule was broken at some path.
    pub fn has(&self, rule: Rule) -> bool {
        self.0.iter().any(|finding| finding.rule == rule)
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.errors().count();
        write!(f, "{count} {} not to publish this folder", if count == 1 { "reason" } else { "reasons" })?;
        self.errors().try_for_each(|finding| write!(f, "\n  {finding}"))
    }
}

/// Which case names may have (D-17).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Names {
    /// Any case; names that differ only by case are an error, for many a station could hold but one of them.
    #[default]
    Fold,
    /// Lower case only, as a Linux Application Server demands (S3-16).
    StrictLower,
    /// As `fold`, but nothing is looked for under another spelling: an entry point has to be spelt as the file is.
    AsIs,
}

/// What a listing is judged for.
pub struct Facts<'a> {
    /// What it will be a release of.
    pub id: &'a ChannelId,
    /// Platform, product or updater.
    pub kind: Kind,
    /// Which case names may have.
    pub names: Names,
    /// The file that starts the client.
    pub entry_point: Option<&'a RelPath>,
    /// How stations will find out whether it lives.
    pub probe: Option<&'a Probe>,
    /// Errors that are to be warnings.
    pub allowed: &'a [Rule],
    /// What happens to a user's copy of a file.
    pub config_of: &'a dyn Fn(&RelPath) -> ConfigPolicy,
    /// Most entries of a release.
    pub most_entries: usize,
}

/// Judges a listing.
pub fn lint(found: &[Found], facts: &Facts) -> Findings {
    let mut findings = Vec::new();
    for entry in found {
        entry_findings(entry, facts, &mut findings);
    }
    collisions(found, &mut findings);
    folder_findings(found, facts, &mut findings);
    allow(&mut findings, facts.allowed);
    findings.sort();
    findings.dedup();
    Findings(findings)
}

/// Judges the private keys that were found by what is in them ([`crate::publish::scan::private_keys`]).
pub fn lint_keys(paths: &[String]) -> Vec<Finding> {
    paths.iter().map(|path| Finding::at(Rule::PrivateKey, path, "holds a private key")).collect()
}

/// Judges the programs of which a part is missing ([`crate::publish::programs::truncated`]).
pub fn lint_programs(truncated: &[(String, String)], allowed: &[Rule]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = truncated.iter().map(|(path, what)| Finding::at(Rule::TruncatedProgram, path, what.clone())).collect();
    allow(&mut findings, allowed);
    findings
}

/// Makes warnings of what is meant so.
fn allow(findings: &mut [Finding], allowed: &[Rule]) {
    for finding in findings {
        if finding.rule.can_be_allowed() && allowed.contains(&finding.rule) {
            finding.severity = Severity::Warning;
        }
    }
}

/// Judges where `folder` lies. Paths are absolute, without links.
pub fn lint_place(folder: &Path, repository: &Path, keys: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    if repository.starts_with(folder) || folder.starts_with(repository) {
        findings.push(Finding::of_folder(
            Rule::OwnRepository,
            format!("the repository `{}` and the folder lie in one another", repository.display()),
        ));
    }
    if keys.starts_with(folder) || folder.starts_with(keys) {
        findings
            .push(Finding::of_folder(Rule::OwnKeys, format!("the private keys `{}` and the folder lie in one another", keys.display())));
    }
    findings
}

fn entry_findings(entry: &Found, facts: &Facts, findings: &mut Vec<Finding>) {
    let path = entry.path.as_str();
    let mut add = |rule, detail: &str| findings.push(Finding::at(rule, path, detail));
    let parsed = match &entry.kind {
        FoundKind::NotUnicode => {
            add(Rule::NotUnicode, "has a name that is not Unicode");
            None
        }
        _ => match path.parse::<RelPath>() {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                add(rule_of(path, error.fault), &error.fault.to_string());
                None
            }
        },
    };
    match &entry.kind {
        FoundKind::Unreadable(reason) => add(Rule::Unreadable, reason),
        FoundKind::Special => add(Rule::SpecialFile, "is a socket, pipe or device"),
        FoundKind::Link { .. } if !facts.id.os.has_links() => {
            add(Rule::LinkNotAllowed, &format!("is a symbolic link, which {} releases cannot have", facts.id.os))
        }
        FoundKind::Link { target: None } => add(Rule::NotUnicode, "is a link to a name that is not Unicode"),
        FoundKind::Link { target: Some(target) } => {
            let escapes =
                parsed.as_ref().is_some_and(|path| LinkEntry { path: path.clone(), target: target.clone() }.check(facts.id.os).is_err());
            if escapes {
                add(
                    Rule::LinkEscapes,
                    &format!(
                        "is a link to `{}`, which leads outside the folder or is not spelt as leading `..` and a path",
                        target.escape_debug()
                    ),
                );
            }
        }
        FoundKind::File { mtime, .. } => {
            file_findings(path, facts, &mut add);
            if FileTime::clamped(*mtime).unix() != *mtime {
                add(Rule::TimeClamped, "has a time outside 1901 to 2242");
            }
            let policy = parsed.as_ref().map_or(ConfigPolicy::Overwrite, facts.config_of);
            if policy != ConfigPolicy::Overwrite || path.to_lowercase().ends_with(".ini") {
                add(Rule::ConfigFile, &format!("is a configuration file with the policy `{}`", policy.as_str()));
            }
        }
        FoundKind::Directory { .. } | FoundKind::NotUnicode => {}
    }
    if facts.names == Names::StrictLower && path.chars().any(char::is_uppercase) {
        add(Rule::UpperCase, "has capital letters");
    }
}

/// What the name of a file says about where it comes from.
fn file_findings(path: &str, facts: &Facts, add: &mut dyn FnMut(Rule, &str)) {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = name.to_lowercase();
    if [".log", ".lck", ".tmp"].iter().any(|end| name.ends_with(end)) || name.starts_with("~$") {
        add(Rule::LiveClient, "is a log, lock or temporary file of a running program");
    }
    if [".ds_store", "thumbs.db", "desktop.ini"].contains(&name.as_str()) {
        add(Rule::JunkFile, "was left by a file manager");
    }
    let server =
        ["appserver.ini", "appserver.exe", "appserver", "totvsappserver.ini", "totvsappserver.exe", "update-server", "update-server.exe"];
    if folder.is_empty() && facts.kind == Kind::Product && server.contains(&name.as_str()) {
        add(Rule::ServerFolder, "belongs to a server program");
    }
}

fn rule_of(path: &str, fault: PathFault) -> Rule {
    match fault {
        PathFault::TooLong => Rule::PathTooLong,
        PathFault::Empty | PathFault::Dots => Rule::PathEscapes,
        PathFault::Trimmed => Rule::PathTrimmed,
        PathFault::DeviceName => Rule::DeviceName,
        PathFault::ShortName => Rule::ShortName,
        PathFault::Reserved if path.to_lowercase().starts_with(BACKUP_PREFIX) => Rule::ClientBackup,
        PathFault::Reserved => Rule::UpdaterState,
        // The type may gain faults; whatever it refuses is not published.
        _ => Rule::PathCharacter,
    }
}

/// Names that one file system or another takes for the same.
fn collisions(found: &[Found], findings: &mut Vec<Finding>) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for entry in found {
        let Ok(path) = entry.path.parse::<RelPath>() else { continue };
        if let Some(other) = seen.insert(path.folded(), &entry.path) {
            let rule = if other == entry.path { Rule::Repeated } else { Rule::CaseCollision };
            findings.push(Finding::at(rule, &entry.path, format!("is the same name as `{other}` on some file systems")));
        }
    }
}

fn folder_findings(found: &[Found], facts: &Facts, findings: &mut Vec<Finding>) {
    let files = || found.iter().filter(|entry| matches!(entry.kind, FoundKind::File { .. })).map(|entry| entry.path.as_str());
    let mut add = |rule, detail: String| findings.push(Finding::of_folder(rule, detail));
    if files().next().is_none() {
        add(Rule::EmptyFolder, "there is no file in it".into());
    } else if files().all(is_archive) {
        add(Rule::OnlyArchives, format!("it holds nothing but archives, such as `{}`", files().next().unwrap_or_default()));
    }
    if found.len() > facts.most_entries {
        add(Rule::TooManyEntries, format!("{} entries are more than the {} of a release", found.len(), facts.most_entries));
    }
    if facts.id.os == Os::Macosx && facts.kind == Kind::Product {
        let wanted = facts.id.product.as_str() == "smartclient";
        let is_bundle = |entry: &Found| match wanted {
            true => entry.path == "smartclient.app",
            false => entry.path.to_lowercase().ends_with(".app"),
        };
        if !found.iter().any(|entry| matches!(entry.kind, FoundKind::Directory { .. }) && is_bundle(entry)) {
            add(
                Rule::NoAppBundle,
                "a product for macosx comes as an application bundle, such as the directory `smartclient.app`, and there is none".into(),
            );
        }
    }
    if let Some(entry_point) = facts.entry_point {
        match found.iter().find(|entry| entry.path == entry_point.as_str()).map(|entry| &entry.kind) {
            Some(FoundKind::File { exec: false, .. }) if facts.id.os.has_links() => {
                findings.push(Finding::at(Rule::EntryPointMode, entry_point.as_str(), "starts the client, but is not executable"));
            }
            Some(FoundKind::File { .. }) => {}
            _ => findings.push(Finding::at(
                Rule::EntryPointMissing,
                entry_point.as_str(),
                "is to start the client, but is no file of the folder",
            )),
        }
    }
    if let Some(Probe::File(path)) = facts.probe
        && !found.iter().any(|entry| entry.path == path.as_str() && matches!(entry.kind, FoundKind::File { .. }))
    {
        findings.push(Finding::at(Rule::ProbeMissing, path.as_str(), "is to show that the build lives, but is no file of the folder"));
    }
    let has = |name: &str| found.iter().any(|entry| entry.path == name);
    if has("repository.json") && has("metadata") && has("objects") {
        findings.push(Finding::of_folder(Rule::OwnRepository, "the folder is itself a content repository"));
    }
}

fn is_archive(path: &str) -> bool {
    let path = path.to_lowercase();
    [".zip", ".7z", ".rar", ".tar", ".tar.gz", ".tgz"].iter().any(|end| path.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> Found {
        Found { path: path.into(), kind: FoundKind::File { size: 1, mtime: 0, exec: false } }
    }

    fn directory(path: &str) -> Found {
        Found { path: path.into(), kind: FoundKind::Directory { empty: false } }
    }

    fn judge(channel: &str, found: &[Found]) -> Findings {
        judge_with(channel, found, Names::Fold, &[])
    }

    fn judge_with(channel: &str, found: &[Found], names: Names, allowed: &[Rule]) -> Findings {
        let id = ChannelId::from_target_path(channel).unwrap();
        let config_of = |path: &RelPath| if path.as_str().ends_with(".ini") { ConfigPolicy::NewBeside } else { ConfigPolicy::Overwrite };
        let facts = Facts {
            id: &id,
            kind: Kind::Product,
            names,
            entry_point: None,
            probe: None,
            allowed,
            config_of: &config_of,
            most_entries: 100,
        };
        lint(found, &facts)
    }

    const WINDOWS: &str = "windows/smartclient/x86_64/stable.json";
    const MACOSX: &str = "macosx/smartclient/aarch64/stable.json";
    const LINUX: &str = "linux/other/x86_64/stable.json";

    fn errors(findings: &Findings) -> Vec<Rule> {
        findings.errors().map(|finding| finding.rule).collect()
    }

    #[test]
    fn a_decent_folder_passes() {
        let found = [file("smartclient.exe"), directory("lib"), file("lib/é x.dll")];
        assert_eq!(judge(WINDOWS, &found), Findings::default());
    }

    #[test]
    fn ac_56_names_that_differ_only_by_case_are_an_error_and_capitals_alone_are_not() {
        assert_eq!(errors(&judge(WINDOWS, &[file("A.dll"), file("a.dll")])), [Rule::CaseCollision]);
        assert_eq!(errors(&judge(WINDOWS, &[file("SmartClient.exe")])), []);
        assert_eq!(errors(&judge_with(WINDOWS, &[file("SmartClient.exe")], Names::StrictLower, &[])), [Rule::UpperCase]);
        assert_eq!(errors(&judge(WINDOWS, &[directory("Lib"), file("Lib/x"), file("lib")])), [Rule::CaseCollision]);
    }

    #[test]
    fn ac_57_macosx_needs_an_application_bundle() {
        let findings = judge(MACOSX, &[file("smartclient")]);
        assert_eq!(errors(&findings), [Rule::NoAppBundle]);
        assert!(findings.to_string().contains("smartclient.app"));
        assert_eq!(errors(&judge(MACOSX, &[directory("smartclient.app"), file("smartclient.app/x")])), []);
        assert_eq!(errors(&judge(MACOSX, &[directory("other.app"), file("other.app/x")])), [Rule::NoAppBundle]);
        assert_eq!(errors(&judge("macosx/other/any/stable.json", &[directory("x/Other.app"), file("x/Other.app/x")])), []);
        assert_eq!(errors(&judge(MACOSX, &[file("smartclient.app")])), [Rule::NoAppBundle]);
    }

    #[test]
    fn ac_58_archives_alone_live_clients_and_server_folders_are_each_named() {
        for (path, rule) in [
            ("a.zip", Rule::OnlyArchives),
            ("run/client.log", Rule::LiveClient),
            ("smartclient.LCK", Rule::LiveClient),
            ("~$doc.docx", Rule::LiveClient),
            ("bkp_remote.001/x", Rule::ClientBackup),
            (".updater/journal", Rule::UpdaterState),
            ("appserver.ini", Rule::ServerFolder),
        ] {
            assert!(errors(&judge(WINDOWS, &[file(path)])).contains(&rule), "{path}");
        }
        assert_eq!(errors(&judge(WINDOWS, &[])), [Rule::EmptyFolder]);
        assert_eq!(errors(&judge(WINDOWS, &[directory("a")])), [Rule::EmptyFolder]);
    }

    #[test]
    fn ac_51_unsafe_names_are_refused_all_at_once() {
        let found = [file("CON"), file("x."), file("a:b"), file("progra~1"), file("a\\b"), file(&"x".repeat(300)), file("ok")];
        let mut rules = errors(&judge(LINUX, &found));
        rules.sort();
        let mut wanted =
            vec![Rule::DeviceName, Rule::PathTrimmed, Rule::PathCharacter, Rule::PathCharacter, Rule::ShortName, Rule::PathTooLong];
        wanted.sort();
        assert_eq!(rules, wanted);
    }

    #[test]
    fn ac_51_links_are_refused_where_there_are_none_and_where_they_lead_out() {
        let link = |target: &str| [file("x"), Found { path: "a/l".into(), kind: FoundKind::Link { target: Some(target.into()) } }];
        assert_eq!(errors(&judge(WINDOWS, &link("../x"))), [Rule::LinkNotAllowed]);
        assert_eq!(errors(&judge(LINUX, &link("../x"))), []);
        for target in ["../../x", "/etc/passwd", "", "c/../x"] {
            assert_eq!(errors(&judge(LINUX, &link(target))), [Rule::LinkEscapes], "{target}");
        }
    }

    #[test]
    fn probably_wrong_folders_can_be_allowed_and_unsafe_names_cannot() {
        let found = [file("notes.log"), file("con")];
        let findings = judge_with(WINDOWS, &found, Names::Fold, &[Rule::LiveClient, Rule::DeviceName]);
        assert_eq!(errors(&findings), [Rule::DeviceName]);
        assert!(findings.warnings().any(|finding| finding.rule == Rule::LiveClient));
    }

    #[test]
    fn the_repository_and_its_keys_are_never_inside_the_folder() {
        let rules = |folder: &str| {
            lint_place(Path::new(folder), Path::new("/srv/repo"), Path::new("/srv/repo.keys")).iter().map(|f| f.rule).collect::<Vec<_>>()
        };
        assert_eq!(rules("/srv"), [Rule::OwnRepository, Rule::OwnKeys]);
        assert_eq!(rules("/srv/repo/objects"), [Rule::OwnRepository]);
        assert_eq!(rules("/srv/build"), []);
    }
}
