//! What people read, in their language: one catalogue per language, compiled in (D-23, AC-78).
//!
//! The catalogues lie in `updater/locales/`, in Fluent: `station.ftl` holds what is seen at a station, `reports.ftl` what commands report, `support.ftl` what those read who look after it, `codes-PROGRAM.ftl` a title, a cause and a cure for every code that the program says.
//! They may say anything in words, and decide nothing: codes, exit codes, JSON and file names are the same in all languages. A text that a catalogue lacks is taken from the English
//! one; tests see to it that none does.
//!
//! Whoever adds a code adds its text in all four languages; `updater/tests/texts.rs` says what is missing, and where it goes.

mod codes;
mod language;
mod message;
mod pages;

use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};

pub use codes::{Group, PROGRAMS, groups, nearest};
pub use fluent_bundle::FluentValue as Value;
pub use language::Language;
pub use message::Message;
pub use pages::pages;

/// What goes before a code to make the id of its message.
const CODE: &str = "code-";

/// The texts of one language.
pub struct Texts {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

/// What there is to say of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What happened, in a line.
    pub title: String,
    /// Why.
    pub why: String,
    /// What to do.
    pub cure: String,
}

impl Texts {
    /// The texts of `language`; read once, when they are first asked for.
    pub fn of(language: Language) -> &'static Texts {
        static ALL: [OnceLock<Texts>; Language::ALL.len()] = [const { OnceLock::new() }; Language::ALL.len()];
        ALL[language as usize].get_or_init(|| Texts::read(language))
    }

    fn read(language: Language) -> Texts {
        let mut bundle = FluentBundle::new_concurrent(vec![language.tag().parse().unwrap_or_default()]);
        // Marks of direction around what is filled in: none of these languages needs them, and terminals show them.
        bundle.set_use_isolating(false);
        for source in language.sources() {
            // What does not parse is left out and the rest is kept; a test finds it.
            let resource = FluentResource::try_new(source.to_string()).unwrap_or_else(|(rest, _)| rest);
            bundle.add_resource_overriding(resource);
        }
        Texts { language, bundle }
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The text `id`, with `arguments` filled in. An id that no catalogue has is its own text: a wrong word is better than none.
    pub fn get(&self, id: &str, arguments: &[(&'static str, Value<'_>)]) -> String {
        self.find(id, None, arguments).unwrap_or_else(|| id.to_owned())
    }

    /// What there is to say of `code`; `None` when nobody says that code.
    pub fn explain(&self, code: &str) -> Option<Explanation> {
        let id = format!("{CODE}{code}");
        Some(Explanation {
            title: self.find(&id, None, &[])?,
            why: self.find(&id, Some("why"), &[])?,
            cure: self.find(&id, Some("cure"), &[])?,
        })
    }

    fn find(&self, id: &str, attribute: Option<&str>, arguments: &[(&'static str, Value<'_>)]) -> Option<String> {
        self.find_here(id, attribute, arguments).or_else(|| {
            let is_last = self.language == Language::English;
            if is_last { None } else { Texts::of(Language::English).find_here(id, attribute, arguments) }
        })
    }

    fn find_here(&self, id: &str, attribute: Option<&str>, arguments: &[(&'static str, Value<'_>)]) -> Option<String> {
        let message = self.bundle.get_message(id)?;
        let pattern = match attribute {
            Some(attribute) => message.get_attribute(attribute)?.value(),
            None => message.value()?,
        };
        let filled: FluentArgs<'_> = arguments.iter().cloned().collect();
        // An argument that is missing shows as its name; that, too, is for the tests.
        Some(self.bundle.format_pattern(pattern, Some(&filled), &mut vec![]).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_products_are_kept_byte_for_byte() {
        let say = |language, id| Texts::of(language).get(id, &[]);
        assert_eq!(say(Language::Portuguese, "failure-fixed"), "Não foi possível atualizar automaticamente o Remote");
        assert_eq!(
            say(Language::Portuguese, "incompatible-question"),
            "Smart Client e Application Server estão incompatíveis em versão. Deseja atualizar a versão do Smart Client?"
        );
        assert_eq!(
            (say(Language::Russian, "action-update"), say(Language::Russian, "action-check")),
            ("Обновить".into(), "Проверить обновления".into())
        );
        let dialog = ["action-check", "consent-question", "consent-ignore", "consent-yes", "consent-no"];
        assert_eq!(dialog.map(|id| say(Language::Chinese, id)), ["检查更新", "有新版本，是否升级？", "忽略此版本", "升级", "取消"]);
    }

    #[test]
    fn numbers_take_the_form_that_the_language_has_for_them() {
        let minutes = |language, minutes: i32| Texts::of(language).get("deadline-warning", &[("minutes", minutes.into())]);
        for (number, form) in [(60, "60 минут."), (1, "1 минуту."), (2, "2 минуты."), (5, "5 минут."), (21, "21 минуту.")]
        {
            assert!(minutes(Language::Russian, number).contains(form), "{}", minutes(Language::Russian, number));
        }
        assert!(minutes(Language::English, 1).contains("1 minute.") && minutes(Language::English, 15).contains("15 minutes."));
        assert!(minutes(Language::Portuguese, 1).contains("1 minuto.") && minutes(Language::Chinese, 5).contains("5 分钟"));
        let stay = |language, backups: i32| Texts::of(language).get("uninstall-backups", &[("count", backups.into())]);
        assert!(stay(Language::English, 1).starts_with("1 backup stays") && stay(Language::English, 3).starts_with("3 backups stay"));
        assert!(stay(Language::Portuguese, 1).starts_with("1 cópia de segurança fica"));
    }

    #[test]
    fn what_is_filled_in_is_filled_in_as_it_is() {
        let builds = [("client", "7.00.170117A".into()), ("server", "17.3.0.14".into())];
        for language in Language::ALL {
            let text = Texts::of(*language).get("incompatible-builds", &builds);
            assert!(text.contains("7.00.170117A") && text.contains("17.3.0.14"), "{text}");
            assert!(!text.contains('\u{2068}'), "no marks of direction: {text:?}");
        }
        assert_eq!(Texts::of(Language::Chinese).get("no-such-text", &[]), "no-such-text");
    }
}
