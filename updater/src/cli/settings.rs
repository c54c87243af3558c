//! `updater settings`.

use clap::Args;
use serde_json::json;
use updater::exit_code::Exit;
use updater::pipeline::{Error, Session};
use updater::profile;
use updater::progress::Progress;
use updater::settings::{FILE, KEYS, Origin, Settings, SettingsError};

use super::{Global, Report, context};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The setting; all of them without it.
    #[arg(value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// What it is to be; without it, it is only shown.
    #[arg(value_name = "VALUE", requires = "key")]
    pub(crate) value: Option<String>,
    /// Let what holds without this setting hold again; takes away a key that is none, too.
    #[arg(long, value_name = "KEY", conflicts_with = "key")]
    unset: Option<String>,
}

impl Arguments {
    /// As somebody asked the agent for it.
    pub(crate) fn asked(key: String, value: Option<String>) -> Arguments {
        match value {
            None => Arguments { key: None, value, unset: Some(key) },
            Some(_) => Arguments { key: Some(key), value, unset: None },
        }
    }

    /// The key that is to be changed, if any is, and what it is to be.
    pub(crate) fn change(&self) -> Option<(String, Option<String>)> {
        let key = self.key.as_ref().filter(|_| self.value.is_some()).or(self.unset.as_ref())?;
        Some((key.clone(), self.value.clone()))
    }
}

pub(crate) fn run(global: &Global, arguments: &Arguments, progress: &dyn Progress) -> Result<Report, Error> {
    let settings = match arguments.change() {
        Some((key, value)) => {
            let session = Session::open(&global.dir, "settings", &context::begin(global, progress))?;
            Settings::change(&session.folder, &key, value.as_deref())?
        }
        None => Settings::load(&profile::look(&global.dir, &global.registry())?)?,
    };
    // A key that is none, and is gone, leaves all the others to be shown.
    let only = arguments.key.as_ref().or(arguments.unset.as_ref().filter(|key| KEYS.contains(&key.as_str())));
    let held: Vec<_> = settings.held().into_iter().filter(|held| only.is_none_or(|only| only == held.key)).collect();
    if let Some(only) = only.filter(|_| held.is_empty()) {
        return Err(SettingsError::Unknown(only.clone()).into());
    }
    let texts = global.texts();
    let lines = held.iter().map(|held| {
        let value = match &held.value {
            None => texts.get("settings-not-set", &[]),
            Some(value) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        };
        let from = match held.from {
            Origin::Default => texts.get("settings-default", &[]),
            Origin::Role => texts.get("settings-role", &[]),
            Origin::File => FILE.to_owned(),
        };
        format!("{:<20} {value:<16} {from}", held.key)
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let values: serde_json::Map<String, serde_json::Value> =
        held.iter().map(|held| (held.key.to_owned(), json!({ "value": held.value, "from": held.from }))).collect();
    Ok(Report::new(&json!({ "settings": values }), text, Exit::Success))
}
