//! The languages that texts exist in, and which of them a run speaks.
//!
//! A run speaks the language it is told on its command line, else the one in the station's settings, else the system's, else English. Only the language itself counts, not the country: of
//! each there is one. A name that is none of ours is passed over and never an error: no update fails because of a word.

/// A language that texts exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Portuguese, as in Brazil.
    Portuguese,
    /// Russian.
    Russian,
    /// Chinese, simplified.
    Chinese,
}

macro_rules! sources {
    ($tag:literal) => {
        [
            include_str!(concat!("../../locales/", $tag, "/station.ftl")),
            include_str!(concat!("../../locales/", $tag, "/reports.ftl")),
            include_str!(concat!("../../locales/", $tag, "/support.ftl")),
            include_str!(concat!("../../locales/", $tag, "/codes-updater.ftl")),
            include_str!(concat!("../../locales/", $tag, "/codes-update-server.ftl")),
            include_str!(concat!("../../locales/", $tag, "/codes-manifests.ftl")),
        ]
    };
}

impl Language {
    /// All of them.
    pub const ALL: &'static [Language] = &[Language::English, Language::Portuguese, Language::Russian, Language::Chinese];

    /// Its name, as `--lang` takes it.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Portuguese => "pt-BR",
            Language::Russian => "ru",
            Language::Chinese => "zh-CN",
        }
    }

    /// The language of the run of this process: `asked` on its command line, `set` in the station's settings, or the system's.
    pub fn of_run(asked: Option<&str>, set: Option<&str>) -> Language {
        Language::choose(asked.into_iter().chain(set).map(str::to_owned).chain(sys_locale::get_locales()))
    }

    /// The first of `names` that is one of ours, else English.
    pub fn choose(names: impl IntoIterator<Item = String>) -> Language {
        names.into_iter().find_map(|name| Language::nearest(&name)).unwrap_or_default()
    }

    /// The language of a name such as `pt`, `pt_BR.UTF-8` or `zh-Hans-CN`; `None` when there are no texts in it.
    pub fn nearest(name: &str) -> Option<Language> {
        let language = name.split(['-', '_', '.', '@']).next().unwrap_or_default();
        match language.to_ascii_lowercase().as_str() {
            // Somebody who sets the locale `C` wants the texts as they were written.
            "en" | "c" | "posix" => Some(Language::English),
            "pt" => Some(Language::Portuguese),
            "ru" => Some(Language::Russian),
            "zh" => Some(Language::Chinese),
            _ => None,
        }
    }

    /// Its catalogue: what is seen at a station, what commands report, what is read by those who look after it, then the codes of each of [`PROGRAMS`](super::PROGRAMS).
    pub(super) const fn sources(self) -> [&'static str; 6] {
        match self {
            Language::English => sources!("en"),
            Language::Portuguese => sources!("pt-BR"),
            Language::Russian => sources!("ru"),
            Language::Chinese => sources!("zh-CN"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ac_78_the_nearest_language_of_a_name_is_found() {
        for (name, language) in [
            ("pt", Language::Portuguese),
            ("pt-PT", Language::Portuguese),
            ("pt_BR.UTF-8", Language::Portuguese),
            ("PT-br", Language::Portuguese),
            ("zh", Language::Chinese),
            ("zh-Hans-CN", Language::Chinese),
            ("zh_TW", Language::Chinese),
            ("ru_RU@latin", Language::Russian),
            ("C.UTF-8", Language::English),
            ("POSIX", Language::English),
        ] {
            assert_eq!(Language::nearest(name), Some(language), "{name}");
        }
        for name in ["", "de", "prt", "-", "русский", "pt-BR\0"] {
            assert_eq!(Language::nearest(name), if name.starts_with("pt") { Some(Language::Portuguese) } else { None }, "{name}");
        }
        for language in Language::ALL {
            assert_eq!(Language::nearest(language.tag()), Some(*language));
        }
    }

    #[test]
    fn the_command_line_goes_before_the_settings_and_these_before_the_system() {
        let choose = |names: &[&str]| Language::choose(names.iter().map(|name| (*name).to_owned()));
        assert_eq!(choose(&["ru", "pt-BR", "zh"]), Language::Russian);
        assert_eq!(choose(&["de", "pt-BR"]), Language::Portuguese, "a language without texts is passed over");
        assert_eq!(choose(&["C", "pt-BR"]), Language::English, "`LC_ALL=C` goes before LANG");
        assert_eq!(choose(&["de", "fr"]), Language::English);
        assert_eq!(choose(&[]), Language::English);
        assert_eq!(Language::of_run(Some("zh"), Some("ru")), Language::Chinese);
        assert_eq!(Language::of_run(None, Some("ru")), Language::Russian);
    }
}
