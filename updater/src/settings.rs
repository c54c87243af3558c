//! `settings.toml`: how a station is looked after, in the words of whoever administers it (D-01, D-02, D-12).
//!
//! Every key may be missing, and so may the file; `updater/updater.example.toml` says each with what holds without it. A key that is not known, or a value that cannot be, is refused by name:
//! a setting that is passed over in silence protects nobody. The file lies in the state folder, so that in the profile `service` only root changes it. It decides who is asked, and when; what
//! may be installed at all is decided from signed documents alone.

mod interval;
mod triggers;

use manifests::build::Build;
use serde::{Deserialize, Serialize};

use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::text::Language;
pub use interval::Interval;
pub use triggers::Triggers;

/// How a station is looked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What the computer is for; decides what is not set.
    pub role: Option<Role>,
    /// How a new release comes onto the station.
    pub consent: ConsentPolicy,
    /// Who may agree to one.
    pub approver: Approver,
    /// Whether a start asks if client and server fit together.
    pub on_load: bool,
    /// Whether a start brings the files level.
    pub on_environment_start: bool,
    /// The build of the server that the client talks to, where it is not what the channel says.
    pub server_build: Option<String>,
    /// The language of texts, where it is not the system's.
    pub language: Option<String>,
    /// How often a schedule checks.
    pub check_every: Interval,
    /// Which triggers that other programs name set anything off.
    pub triggers: Triggers,
    /// Whether the server is told what was done here.
    pub reports: bool,
    /// What the file itself says.
    set: SettingsFile,
}

/// What a computer is for (D-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// People work with the client.
    Station,
    /// Somebody competent looks after platform and products.
    Admin,
    /// A handheld, or a till that nobody sits at.
    Terminal,
}

/// How a new release comes onto a station (D-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentPolicy {
    /// Somebody downloads it, and then installs it: two acts (AC-26).
    Manual,
    /// Whoever is there is asked.
    Prompt,
    /// A compatible one comes by itself, with its progress shown and a line in the history; its publisher's approver agreed to it.
    AutoCompatible,
}

/// Who may agree to a new release (D-02).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approver {
    /// The owner of the folder, root, or a member of the agent's `admin_groups`.
    AdminRole,
    /// Whoever works at the station.
    StationUser,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Nobody set anything.
    Default,
    /// It goes with the role.
    Role,
    /// The file.
    File,
}

/// A setting as it holds now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Its key.
    pub key: &'static str,
    /// Its value; nothing where there is none.
    pub value: Option<serde_json::Value>,
    /// Where that comes from.
    pub from: Origin,
}

/// Settings cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is there and cannot be used.
    #[error("`.updater/{FILE}` cannot be used: {reason}")]
    Unusable {
        /// Why.
        reason: String,
    },
    /// No such key.
    #[error("`{}` is no setting (known: {})", manifests::quote::quoted(.0, 80), KEYS.join(", "))]
    Unknown(String),
    /// The key cannot have that value.
    #[error("`{key}` cannot be `{}`: {reason}", manifests::quote::quoted(value, 80))]
    Value {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// Why.
        reason: String,
    },
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// The name of the file in the state folder.
pub const FILE: &str = "settings.toml";

/// Every key, in the order in which they are shown.
pub const KEYS: [&str; 10] =
    ["role", "consent", "approver", "on_load", "on_environment_start", "server_build", "language", "check_every", "triggers", "reports"];

/// The file: everything may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    role: Option<Role>,
    consent: Option<ConsentPolicy>,
    approver: Option<Approver>,
    on_load: Option<bool>,
    on_environment_start: Option<bool>,
    server_build: Option<String>,
    language: Option<String>,
    check_every: Option<Interval>,
    triggers: Option<Triggers>,
    reports: Option<bool>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings::of(SettingsFile::default())
    }
}

impl Settings {
    fn path() -> LocalPath {
        LocalPath::state(FILE)
    }

    fn of(set: SettingsFile) -> Settings {
        let consent = match set.role {
            Some(Role::Admin) => ConsentPolicy::Manual,
            Some(Role::Station) => ConsentPolicy::AutoCompatible,
            Some(Role::Terminal) | None => ConsentPolicy::Prompt,
        };
        let approver = if set.role == Some(Role::Admin) { Approver::AdminRole } else { Approver::StationUser };
        Settings {
            role: set.role,
            consent: set.consent.unwrap_or(consent),
            approver: set.approver.unwrap_or(approver),
            on_load: set.on_load.unwrap_or(true),
            on_environment_start: set.on_environment_start.unwrap_or(true),
            server_build: set.server_build.clone(),
            language: set.language.clone(),
            check_every: set.check_every.unwrap_or_default(),
            triggers: set.triggers.clone().unwrap_or_default(),
            reports: set.reports.unwrap_or(true),
            set,
        }
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// What is wrong with it, and in which line.
    pub fn parse(text: &str) -> Result<Settings, String> {
        Settings::checked(toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?)
    }

    /// The same of a table in another file, of whose lines it knows nothing.
    ///
    /// # Errors
    /// What is wrong with it, by key.
    pub fn of_table(table: &toml::Table) -> Result<Settings, String> {
        Settings::checked(table.clone().try_into().map_err(|error: toml::de::Error| error.to_string().trim_end().to_owned())?)
    }

    fn checked(set: SettingsFile) -> Result<Settings, String> {
        if let Some(language) = set.language.as_ref().filter(|language| !Language::ALL.iter().any(|known| known.tag() == *language)) {
            let language = manifests::quote::quoted(language, 80);
            return Err(format!(
                "there are no texts in `{language}` (known: {})",
                Language::ALL.iter().map(|known| known.tag()).collect::<Vec<_>>().join(", ")
            ));
        }
        if let Some(Err(error)) = set.server_build.as_ref().map(|build| Build::recognise(build)) {
            return Err(format!("`server_build`: {error}"));
        }
        Ok(Settings::of(set))
    }

    /// What holds in `folder`.
    pub fn load(folder: &Folder) -> Result<Settings, SettingsError> {
        Settings::parse(&text(folder)?).map_err(|reason| SettingsError::Unusable { reason })
    }

    /// Sets `key` in `folder`, or with no `value` lets what holds without it hold again. Comments and other keys stay as they are. A key that is none can be taken away, and nothing else.
    ///
    /// # Errors
    /// A key or value that cannot be, and a file that cannot be used already; nothing was written then. But a key that is taken away is gone also where the rest still cannot be used.
    pub fn change(folder: &Folder, key: &str, value: Option<&str>) -> Result<Settings, SettingsError> {
        let unusable = |error: toml_edit::TomlError| SettingsError::Unusable { reason: error.to_string().trim_end().to_owned() };
        let mut document: toml_edit::DocumentMut = text(folder)?.parse().map_err(unusable)?;
        if !KEYS.contains(&key) && (value.is_some() || !document.contains_key(key)) {
            return Err(SettingsError::Unknown(key.to_owned()));
        }
        match value {
            Some(value) => set(&mut document, key, value),
            None => unset(&mut document, key),
        }
        let text = document.to_string();
        let settings = Settings::parse(&text).map_err(|reason| match value {
            // What was wrong before stays wrong, whatever the new value is.
            Some(value) if Settings::parse(&format!("{key} = {}", literal(value))).is_err() => {
                SettingsError::Value { key: key.to_owned(), value: value.to_owned(), reason }
            }
            _ => SettingsError::Unusable { reason },
        });
        // Of several wrong keys each can be taken away on its own.
        if settings.is_ok() || value.is_none() {
            folder.write_durably(&Self::path(), text.as_bytes(), Point::SettingsFile)?;
        }
        settings
    }

    /// Sets each key of `wanted` in `folder` to its value, unless the file says that already.
    ///
    /// # Errors
    /// As [`Settings::change`]; what stood before the wrong one is written.
    pub fn set_all(folder: &Folder, wanted: &[(String, String)]) -> Result<(), SettingsError> {
        let said = Settings::load(folder)?;
        let mut new = wanted.iter().filter(|(key, value)| !said.says(key, value));
        new.try_for_each(|(key, value)| Settings::change(folder, key, Some(value)).map(drop))
    }

    /// Whether the file itself sets `key` to `value`, as it is typed.
    pub fn says(&self, key: &str, value: &str) -> bool {
        let typed = |now: &serde_json::Value| now.as_str().map_or_else(|| now.to_string(), str::to_owned);
        let is_said =
            |held: &Held| held.key == key && held.from == Origin::File && held.value.as_ref().map(typed).as_deref() == Some(value);
        self.held().iter().any(is_said)
    }

    /// Every setting with where it comes from.
    pub fn held(&self) -> Vec<Held> {
        let values = |file: &SettingsFile| serde_json::to_value(file).unwrap_or_default();
        let (set, holds) = (values(&self.set), values(&self.all()));
        let held = |key: &'static str| {
            let from = match self.role {
                _ if !set[key].is_null() => Origin::File,
                Some(_) if matches!(key, "consent" | "approver") => Origin::Role,
                _ => Origin::Default,
            };
            Held { key, value: Some(holds[key].clone()).filter(|value| !value.is_null()), from }
        };
        KEYS.map(held).into()
    }

    fn all(&self) -> SettingsFile {
        SettingsFile {
            role: self.role,
            consent: Some(self.consent),
            approver: Some(self.approver),
            on_load: Some(self.on_load),
            on_environment_start: Some(self.on_environment_start),
            server_build: self.server_build.clone(),
            language: self.language.clone(),
            check_every: Some(self.check_every),
            triggers: Some(self.triggers.clone()),
            reports: Some(self.reports),
        }
    }
}

fn text(folder: &Folder) -> Result<String, SettingsError> {
    let bytes = folder.read(&Settings::path())?.unwrap_or_default();
    String::from_utf8(bytes).map_err(|_| SettingsError::Unusable { reason: "it is not UTF-8".into() })
}

/// A value as it is typed: only the two words of logic are not text.
fn literal(value: &str) -> toml_edit::Value {
    value.parse::<bool>().map_or_else(|_| value.into(), Into::into)
}

fn set(document: &mut toml_edit::DocumentMut, key: &str, value: &str) {
    let mut new = literal(value);
    // What is written behind the old value stays there.
    if let Some(old) = document.get(key).and_then(toml_edit::Item::as_value) {
        *new.decor_mut() = old.decor().clone();
    }
    document[key] = toml_edit::Item::Value(new);
}

/// Removes `key`; the comment above it goes to what comes next.
fn unset(document: &mut toml_edit::DocumentMut, key: &str) {
    let next = document.iter().map(|(name, _)| name.to_owned()).skip_while(|name| name != key).nth(1);
    let prefix = |decor: &toml_edit::Decor| decor.prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default().to_owned();
    let above = document.key(key).map(|key| prefix(key.leaf_decor())).unwrap_or_default();
    document.remove(key);
    if above.trim().is_empty() {
        return;
    }
    match next.and_then(|next| document.as_table_mut().key_mut(&next).map(|mut key| prefix(key.leaf_decor_mut())).zip(Some(next))) {
        Some((own, next)) => {
            if let Some(mut key) = document.as_table_mut().key_mut(&next) {
                key.leaf_decor_mut().set_prefix(above + &own);
            }
        }
        None => {
            let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
            document.set_trailing(above + &trailing);
        }
    }
}

#[cfg(test)]
mod tests;
