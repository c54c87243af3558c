//! What people read exists in every language, says the same there, and covers every code (AC-78, S2-22). The pages of `docs/errors/` are what the catalogue says.
//!
//! The judge reads the catalogues as files, with the parser alone: not through [`updater::text`], which would hide what is missing behind the English.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and write")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser;
use manifests::decide::{Refusal, Warning};
use updater::check::Notice;
use updater::code::Code;
use updater::history::Outcome;
use updater::progress::Step;
use updater::text::{Language, PROGRAMS, Texts, groups, pages};

/// A text: what it says with its arguments by name, and the arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Text {
    says: String,
    arguments: BTreeSet<String>,
}

fn locales() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("locales")
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn files() -> Vec<String> {
    let names = ["station", "reports", "support"].map(str::to_owned).into_iter().chain(PROGRAMS.map(|program| format!("codes-{program}")));
    names.map(|name| format!("{name}.ftl")).collect()
}

/// The texts of a catalogue's file by `id` or `id.attribute`, in their order.
fn texts(language: Language, file: &str) -> Vec<(String, Text)> {
    let path = locales().join(language.tag()).join(file);
    let source = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let resource = parser::parse(source.as_str()).unwrap_or_else(|(_, errors)| panic!("{} does not parse: {errors:?}", path.display()));
    let mut found = vec![];
    for entry in resource.body {
        let Entry::Message(message) = entry else { continue };
        let id = message.id.name.to_owned();
        found.extend(message.value.map(|value| (id.clone(), text(&value))));
        found.extend(message.attributes.into_iter().map(|attribute| (format!("{id}.{}", attribute.id.name), text(&attribute.value))));
    }
    found
}

fn text(pattern: &Pattern<&str>) -> Text {
    let mut text = Text::default();
    read(pattern, &mut text);
    text
}

fn read(pattern: &Pattern<&str>, into: &mut Text) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => into.says += value,
            PatternElement::Placeable { expression: Expression::Inline(inline) } => read_inline(inline, into),
            PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                if let InlineExpression::VariableReference { id } = selector {
                    into.arguments.insert(id.name.to_owned());
                }
                variants.iter().for_each(|variant| read(&variant.value, into));
            }
        }
    }
}

fn read_inline(inline: &InlineExpression<&str>, into: &mut Text) {
    let InlineExpression::VariableReference { id } = inline else { panic!("only arguments are filled in: {inline:?}") };
    into.arguments.insert(id.name.to_owned());
    into.says += &format!("{{{}}}", id.name);
}

/// What stands in backticks: commands, options, files, codes.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The codes that a file of a catalogue explains.
fn explained(program: &str) -> BTreeSet<String> {
    let found = texts(Language::English, &format!("codes-{program}.ftl"));
    found.into_iter().filter_map(|(id, _)| id.strip_prefix("code-").filter(|code| !code.contains('.')).map(str::to_owned)).collect()
}

#[test]
fn ac_78_every_text_is_there_in_every_language_with_the_same_arguments() {
    for file in files() {
        let english = texts(Language::English, &file);
        let ids: Vec<&String> = english.iter().map(|(id, _)| id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "en/{file} has an id twice");
        for language in Language::ALL {
            let others = texts(*language, &file);
            let missing: Vec<_> = ids.iter().filter(|id| !others.iter().any(|(other, _)| other == **id)).collect();
            let surplus: Vec<_> = others.iter().map(|(id, _)| id).filter(|id| !ids.contains(id)).collect();
            let place = format!("updater/locales/{}/{file}", language.tag());
            assert!(missing.is_empty() && surplus.is_empty(), "{place}\n  add: {missing:?}\n  remove, or add to en: {surplus:?}");
            for ((id, text), (other_id, other)) in english.iter().zip(&others) {
                assert_eq!(id, other_id, "{place}: keep the order of en");
                assert_eq!(text.arguments, other.arguments, "{place}: `{id}` has not the same arguments");
                assert!(!other.says.trim().is_empty(), "{place}: `{id}` is empty");
            }
        }
    }
}

#[test]
fn ac_78_commands_options_files_and_codes_are_the_same_in_every_language() {
    for file in files() {
        let english = texts(Language::English, &file);
        for language in Language::ALL {
            for ((id, text), (_, other)) in english.iter().zip(&texts(*language, &file)) {
                assert_eq!(quoted(&text.says), quoted(&other.says), "updater/locales/{}/{file}: `{id}`", language.tag());
            }
        }
    }
}

#[test]
fn ac_78_nothing_is_left_in_english_by_accident() {
    // Names and numbers alone: the same in Portuguese.
    const SAME: [&str; 1] = ["incompatible-builds"];
    let is_script = |language: Language, letter: char| match language {
        Language::Russian => ('\u{400}'..='\u{4ff}').contains(&letter),
        Language::Chinese => ('\u{4e00}'..='\u{9fff}').contains(&letter),
        _ => letter.is_alphabetic(),
    };
    for file in files() {
        let english = texts(Language::English, &file);
        for language in &Language::ALL[1..] {
            for ((id, text), (_, other)) in english.iter().zip(&texts(*language, &file)) {
                let place = format!("updater/locales/{}/{file}: `{id}`", language.tag());
                if SAME.contains(&id.as_str()) {
                    continue;
                }
                assert_ne!(text.says, other.says, "{place} is English");
                assert!(other.says.chars().any(|letter| is_script(*language, letter)), "{place} is not in its script: {}", other.says);
            }
        }
    }
}

#[test]
fn ac_78_every_code_has_a_title_a_cause_and_a_cure() {
    for program in PROGRAMS {
        for code in explained(program) {
            for language in Language::ALL {
                let said = Texts::of(*language).explain(&code).unwrap_or_else(|| panic!("{} {code}", language.tag()));
                assert!(!said.title.ends_with(['.', '。']), "{} {code}: a title is no sentence with an end", language.tag());
                assert!([&said.why, &said.cure].iter().all(|text| text.ends_with(['.', '。', '`'])), "{} {code}: {said:?}", language.tag());
            }
        }
    }
}

/// What `updater` can say, from the code that says it.
fn said() -> BTreeSet<String> {
    let codes = Code::ALL.iter().map(|code| code.as_str());
    codes.chain([Refusal::CODES, Warning::CODES, Notice::CODES].concat()).map(str::to_owned).collect()
}

#[test]
fn ac_78_every_code_of_updater_is_explained_and_nobody_explains_a_code_that_is_none() {
    let (said, explained) = (said(), explained("updater"));
    let missing: Vec<_> = said.difference(&explained).collect();
    assert!(
        missing.is_empty(),
        "these codes have no text: {missing:?}\nadd to updater/locales/{{en,pt-BR,ru,zh-CN}}/codes-updater.ftl, in the group where they belong:\n\ncode-CODE = Title without an end\n    .why = The cause.\n    .cure = What to do.\n\nthen run `WRITE_PAGES=1 cargo test -p updater --test texts pages`"
    );
    let surplus: Vec<_> = explained.difference(&said).collect();
    assert!(surplus.is_empty(), "nobody says these codes: {surplus:?}");
}

/// The sources of the program and its library.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut found = vec![];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                // Tests stand last in a file, and ask for texts that there are none of.
                let source = fs::read_to_string(&path).unwrap();
                found.push((path, source.split("#[cfg(test)]").next().unwrap_or_default().to_owned()));
            }
        }
    }
    found
}

/// The names in `("name", …)` of the list that `rest` begins with, behind `, ` and perhaps `&`; `None` when it begins with no list.
fn names_given(rest: &str) -> Option<BTreeSet<String>> {
    let list = rest.strip_prefix(',')?.trim_start().trim_start_matches('&').strip_prefix('[')?;
    let mut depth = 1;
    let end = list.find(|letter| {
        depth += i32::from(letter == '[') - i32::from(letter == ']');
        depth == 0
    })?;
    Some(list[..end].split("(\"").skip(1).filter_map(|part| Some(part.split_once("\",")?.0.to_owned())).collect())
}

#[test]
fn ac_78_every_text_that_the_program_asks_for_is_there_and_gets_what_it_fills_in() {
    let known: BTreeMap<String, Text> = files().iter().flat_map(|file| texts(Language::English, file)).collect();
    let mut asked = 0;
    for (path, source) in sources() {
        for call in ["exts.get(\"", "exts().get(\"", "Message::new(\""] {
            for part in source.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(").split(call).skip(1) {
                let (id, rest) = part.split_once('"').unwrap();
                let text = known.get(id).unwrap_or_else(|| panic!("{}: no catalogue has `{id}`", path.display()));
                if let Some(given) = names_given(rest) {
                    assert_eq!(given, text.arguments, "{}: `{id}`", path.display());
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 80, "{asked} found: calls look otherwise than this test knows");
}

#[test]
fn ac_78_what_comes_next_is_said_by_the_catalogues_alone() {
    for (path, source) in sources() {
        assert!(!source.contains("Next: "), "{}: a report belongs into updater/locales/*/reports.ftl", path.display());
    }
}

#[test]
fn ac_78_nothing_is_in_the_catalogues_of_reports_and_support_that_nobody_says() {
    let all: String = sources().into_iter().map(|(_, source)| source).collect();
    for (id, _) in ["reports.ftl", "support.ftl"].iter().flat_map(|file| texts(Language::English, file)) {
        let is_said = all.contains(&format!("\"{id}\"")) || id.starts_with("result-") && all.contains("\"result-{}\"");
        assert!(is_said, "nobody says `{id}`");
    }
}

#[test]
fn every_step_has_its_words() {
    let station = texts(Language::English, "station.ftl");
    let steps: BTreeSet<String> = station.iter().filter_map(|(id, _)| id.strip_prefix("step-").map(str::to_owned)).collect();
    assert_eq!(steps, Step::ALL.iter().map(|step| step.as_str().to_owned()).collect());
}

#[test]
fn every_outcome_of_an_attempt_has_its_word() {
    let support = texts(Language::English, "support.ftl");
    let words: BTreeMap<String, String> =
        support.into_iter().filter_map(|(id, text)| Some((id.strip_prefix("result-")?.to_owned(), text.says))).collect();
    let outcomes = Outcome::ALL.iter().map(|outcome| (outcome.as_str().to_owned(), outcome.as_str().to_owned()));
    assert_eq!(words, outcomes.collect(), "in English the name itself, as scripts and records have it");
    for outcome in Outcome::ALL {
        assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
    }
}

#[test]
fn the_groups_of_all_languages_hold_the_same_codes() {
    let english = groups(Language::English);
    assert!(english.iter().all(|group| !group.codes.is_empty() && group.section.starts_with("docs/")), "{english:#?}");
    for language in Language::ALL {
        let others = groups(*language);
        let of = |groups: &[updater::text::Group]| {
            groups.iter().map(|group| (group.program, group.section, group.codes.clone())).collect::<Vec<_>>()
        };
        assert_eq!(of(&english), of(&others), "{}", language.tag());
        assert!(
            *language == Language::English || english.iter().zip(&others).all(|(group, other)| group.title != other.title),
            "{}",
            language.tag()
        );
    }
}

#[test]
fn every_section_that_a_page_sends_its_reader_to_exists() {
    for group in groups(Language::English) {
        let (file, anchor) = group.section.split_once('#').unwrap_or((group.section, ""));
        let text = fs::read_to_string(docs().join("..").join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let anchors: Vec<String> = text.lines().filter(|line| line.starts_with('#')).map(anchor_of).collect();
        assert!(anchor.is_empty() || anchors.iter().any(|found| found == anchor), "{file} has no `#{anchor}`: {anchors:?}");
    }
}

/// The anchor of a heading, as code hosts make it.
fn anchor_of(heading: &str) -> String {
    let title = heading.trim_start_matches('#').trim().to_lowercase();
    title
        .chars()
        .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

/// With `WRITE_PAGES=1` it writes them.
#[test]
fn the_pages_of_docs_errors_are_what_the_catalogue_says() {
    let folder = docs().join("errors");
    let wanted = pages();
    if std::env::var_os("WRITE_PAGES").is_some() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        wanted.iter().for_each(|(name, page)| fs::write(folder.join(name), page).unwrap());
    }
    let found: BTreeMap<String, String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap()))
        .collect();
    let names = |pages: &BTreeMap<String, String>| pages.keys().cloned().collect::<BTreeSet<_>>();
    let hint = "run `WRITE_PAGES=1 cargo test -p updater --test texts pages`";
    assert_eq!(names(&found), names(&wanted), "a page for each code, and no other: {hint}");
    let stale: Vec<_> = wanted.iter().filter(|(name, page)| found[*name] != **page).map(|(name, _)| name).collect();
    assert!(stale.is_empty(), "{stale:?} differ: {hint}");
    let codes: usize = PROGRAMS.iter().map(|program| explained(program).len()).sum();
    assert_eq!(found.len(), codes + 1, "every code has its page, whichever program says it");
}
