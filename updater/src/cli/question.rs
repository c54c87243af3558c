//! Questions on the terminal. Where there is none, nobody is there, and nothing waits for an answer.

use std::io::{BufRead as _, IsTerminal as _};

use updater::pipeline::{Consent, Question};
use updater::text::Texts;

use super::{output, update};

/// Asks `question`, whose answer is no unless somebody says yes.
pub(crate) fn ask(texts: &Texts, question: &str) -> Consent {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Consent::Nobody;
    }
    output::err(&format_args!("{question} {}", texts.get("consent-keys", &[])));
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(_) if is_yes(texts, &answer) => Consent::Yes,
        _ => Consent::No,
    }
}

/// Whether an answer means yes: in the language of the question or in English, which every keyboard can write.
fn is_yes(texts: &Texts, answer: &str) -> bool {
    let answer = answer.trim().to_lowercase();
    texts.get("consent-words", &[]).split(' ').chain(["y", "yes"]).any(|word| word == answer)
}

/// Asks what comes up when a client starts.
pub(crate) fn at_start(texts: &Texts, question: &Question<'_>) -> Consent {
    match question {
        Question::Replace(misfit) => {
            let (client, server) = misfit.judged.builds();
            ask(texts, &replace(texts, client, server))
        }
        Question::Install(proposal) => ask(texts, &install(texts, &update::describe(proposal))),
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
        let is_yes = |language, answer| is_yes(Texts::of(language), answer);
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
}
