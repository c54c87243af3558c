//! Questions on the terminal. Where there is none, nobody is there; and where nobody answers in time, nobody is there either: a till that starts by itself has a terminal and no one before it.

use std::io::IsTerminal as _;
use std::time::Duration;

use updater::pipeline::{Consent, Question};
use updater::text::Texts;

use super::{Global, output, update};

/// How long a start of the client waits for an answer, in seconds: until then it does not start, and the folder is locked.
const AT_START: u64 = 60;
/// How long every other command does: somebody typed it.
const OTHERWISE: u64 = 300;

/// Asks `question`, whose answer is no unless somebody says yes, or to ignore what it is about where that `may_ignore`. Without any answer nobody is there, and nobody has said no.
pub(crate) fn ask(global: &Global, question: &str, may_ignore: bool, is_start: bool) -> Consent {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Consent::Nobody;
    }
    let texts = global.texts();
    let seconds = global.answer_within.unwrap_or(if is_start { AT_START } else { OTHERWISE });
    let mut keys = texts.get("consent-keys", &[]);
    if may_ignore {
        keys += &format!(" {}", texts.get("consent-ignore-keys", &[]));
    }
    let time = texts.get("consent-time", &[("seconds", seconds.to_string().into())]);
    output::err(&format_args!("{question}\n{time} {keys}"));
    line_within(Duration::from_secs(seconds)).map_or(Consent::Nobody, |said| answer(texts, &said, may_ignore))
}

/// A line that is typed in time; `None` also where the terminal is closed. Read as it comes: half a line, sent off without its end, waits no longer than none.
#[cfg(unix)]
fn line_within(time: Duration) -> Option<String> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let until = std::time::Instant::now() + time;
    let stdin = std::io::stdin();
    let (mut said, mut buffer) = (Vec::new(), [0; 256]);
    while !said.ends_with(b"\n") {
        let left = Timespec::try_from(until.saturating_duration_since(std::time::Instant::now())).ok()?;
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&left)) {
            Ok(0) => return None,
            Ok(_) => match rustix::io::read(&stdin, &mut buffer) {
                Ok(0) if said.is_empty() => return None,
                Ok(0) => break,
                Ok(read) => said.extend_from_slice(buffer.get(..read)?),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return None,
            },
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
    }
    // What is no Unicode is no yes either; it is somebody's answer all the same.
    Some(String::from_utf8_lossy(&said).into_owned())
}

/// The same. What reads goes on where no line comes, and ends with this program: at a start of a client that reads its console it would take the first line that is typed there. Windows has a wait for
/// that, which nothing here uses yet.
#[cfg(not(unix))]
fn line_within(time: Duration) -> Option<String> {
    let (sender, said) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        sender.send(std::io::stdin().read_line(&mut line).ok().filter(|read| *read > 0).map(|_| line))
    });
    said.recv_timeout(time).ok().flatten()
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
pub(crate) fn at_start(global: &Global, question: &Question<'_>) -> Consent {
    let texts = global.texts();
    match question {
        Question::Replace(misfit) => {
            let (client, server) = misfit.judged.builds();
            ask(global, &replace(texts, client, server), false, true)
        }
        Question::Install(proposal) => ask(global, &install(texts, &update::describe(texts, proposal)), proposal.may_ignore, true),
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
