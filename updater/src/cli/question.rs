//! Questions on the terminal. Where there is none, nobody is there, and nothing waits for an answer.

use std::io::{BufRead as _, IsTerminal as _};

use updater::pipeline::{Consent, Question};
use updater::text::Texts;

use super::{output, update};

/// Asks `question`, whose answer is no unless somebody says yes, or to ignore what it is about where that `may_ignore`.
pub(crate) fn ask(texts: &Texts, question: &str, may_ignore: bool) -> Consent {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Consent::Nobody;
    }
    let mut keys = texts.get("consent-keys", &[]);
    if may_ignore {
        keys += &format!(" {}", texts.get("consent-ignore-keys", &[]));
    }
    output::err(&format_args!("{question} {keys}"));
    let mut said = String::new();
    match std::io::stdin().lock().read_line(&mut said) {
        Ok(_) => answer(texts, &said, may_ignore),
        Err(_) => Consent::No,
    }
}

/// What an answer means: in the language of the question or in English, which every keyboard can write.
fn answer(texts: &Texts, said: &str, may_ignore: bool) -> Consent {
    let said = said.trim().to_lowercase();
    let is = |words: &str, english: [&str; 2]| texts.get(words, &[]).split(' ').chain(english).any(|word| word == said);
    match () {
        () if is("consent-words", ["y", "yes"]) => Consent::Yes,
        () if may_ignore && is("consent-ignore-words", ["i", "ignore"]) => Consent::Ignore,
        () => Consent::No,
    }
}

/// Asks what comes up when a client starts.
pub(crate) fn at_start(texts: &Texts, question: &Question<'_>) -> Consent {
    match question {
        Question::Replace(misfit) => {
            let (client, server) = misfit.judged.builds();
            ask(texts, &replace(texts, client, server), false)
        }
        Question::Install(proposal) => ask(texts, &install(texts, &update::describe(texts, proposal)), proposal.may_ignore),
    }
}

/// The question about a client that does not fit (S3-10), with both builds.
pub(crate) fn replace(texts: &Texts, client: &str, server: &str) -> String {
    let builds = texts.get("incompatible-builds", &[("client", client.into()), ("server", server.into())]);
    format!("{builds}\n{}", texts.get("incompatible-question", &[]))
}

/// The question about a new release.
pub(crate) fn install(texts: &Texts, proposal: &str) -> String {
    format!("{proposal}\n{}", texts.get("consent-question", &[]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use updater::text::Language;

    #[test]
    fn yes_is_said_in_the_language_of_the_question_or_in_english() {
        let is_yes = |language, said| answer(Texts::of(language), said, true) == Consent::Yes;
        for (language, yes) in [
            (Language::English, "Yes\n"),
            (Language::Portuguese, "S\n"),
            (Language::Portuguese, "sim"),
            (Language::Russian, "Да\n"),
            (Language::Chinese, "是\n"),
        ] {
            assert!(is_yes(language, yes), "{yes}");
            assert!(is_yes(language, "y\n"), "a keyboard that has no other letters");
            assert!(["", "\n", "n", "não", "нет", "否", "yes please"].iter().all(|no| !is_yes(language, no)));
        }
        assert!(!is_yes(Language::English, "sim"));
    }

    #[test]
    fn d_26_to_ignore_is_an_answer_only_where_it_may_be_given() {
        for (language, said) in [
            (Language::English, "I\n"),
            (Language::Portuguese, "ignorar\n"),
            (Language::Russian, "Пропустить\n"),
            (Language::Chinese, "忽略\n"),
            (Language::Chinese, "ignore\n"),
        ] {
            assert_eq!(answer(Texts::of(language), said, true), Consent::Ignore, "{said}");
            assert_eq!(answer(Texts::of(language), said, false), Consent::No, "{said}");
        }
    }
}
