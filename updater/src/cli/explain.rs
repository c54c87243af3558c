//! `updater explain`.

use clap::Args;
use serde_json::json;
use updater::code::Code;
use updater::exit_code::Exit;
use updater::text::{self, Explanation, Group, Texts};

use super::{Global, Report};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The code, as in `[no-space]`; without it all codes are listed.
    code: Option<String>,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Report {
    let texts = global.texts();
    let Some(code) = &arguments.code else { return list(texts) };
    // People copy a code with its brackets.
    let code = code.trim_matches(['[', ']']);
    match texts.explain(code) {
        Some(said) => explain(texts, code, &said),
        None => unknown(texts, code),
    }
}

fn explain(texts: &Texts, code: &str, said: &Explanation) -> Report {
    let Explanation { title, why, cure } = said;
    let groups = text::groups(texts.language());
    let group = groups.iter().find(|group| group.codes.contains(&code));
    let related: Vec<&str> = group.into_iter().flat_map(|group| &group.codes).copied().filter(|other| *other != code).collect();
    let page = format!("docs/errors/{code}.md");
    let json = json!({ "code": code, "language": texts.language().tag(), "title": title, "why": why, "cure": cure, "related": related, "page": page });
    let to_do = texts.get("failure-to-do", &[("cure", cure.into())]);
    let text = format!(
        "{code}: {title}\n\n{why}\n{to_do}\n\n{}",
        texts.get("explain-more", &[("codes", related.join(", ").into()), ("page", page.into())])
    );
    Report::new(&json, text, Exit::Success)
}

fn list(texts: &Texts) -> Report {
    let groups = text::groups(texts.language());
    let title = |code: &str| texts.explain(code).map(|said| said.title).unwrap_or_default();
    let of = |group: &Group| {
        group.codes.iter().map(|code| json!({ "code": code, "title": title(code), "program": group.program })).collect::<Vec<_>>()
    };
    let codes: Vec<_> = groups.iter().flat_map(of).collect();
    let width = groups.iter().flat_map(|group| &group.codes).map(|code| code.len()).max().unwrap_or_default();
    let mut text = String::new();
    for group in &groups {
        text += &format!("{} (`{}`)\n", group.title, group.program);
        for code in &group.codes {
            text += &format!("  {code:width$}  {}\n", title(code));
        }
        text.push('\n');
    }
    text += &texts.get("explain-one", &[]);
    Report::new(&json!({ "language": texts.language().tag(), "codes": codes }), text, Exit::Success)
}

fn unknown(texts: &Texts, code: &str) -> Report {
    let near = text::nearest(code);
    let shown: String = code.chars().take(60).flat_map(char::escape_debug).collect();
    let mut text = texts.get("explain-unknown", &[("code", shown.as_str().into())]);
    for near in &near {
        let title = texts.explain(near).map(|said| said.title).unwrap_or_default();
        text += &format!("\n  {near}  {title}");
    }
    text += &format!("\n{}", texts.get("explain-all", &[]));
    let message = Texts::of(text::Language::English).get("explain-unknown", &[("code", shown.into())]);
    Report::new(&json!({ "error": { "code": Code::BadArgument, "message": message }, "nearest": near }), text, Exit::Usage)
}
