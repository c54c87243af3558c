//! What the program prints: text or one JSON object on standard output, progress and errors on standard error.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use manifests::publish::zip_source::ZipError;
use manifests::publish::{Finding, PublishError};
use manifests::publish::{Progress, Stage};
use serde_json::{Value, json};

use super::exit_code::Exit;

/// Findings that are shown in text before the rest is only counted.
const SHOWN: usize = 50;

/// Where a command says what it did.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Output {
        Output { json }
    }

    /// Prints the result: `text` and the command to run next, or `value`. Returns how the command ends: well, unless it could not be printed. A reader that went away is no failure.
    #[must_use]
    pub(crate) fn result(&self, text: &str, next: Option<&str>, value: &Value) -> Exit {
        let mut out = std::io::stdout().lock();
        let printed = match (self.json, next) {
            (true, _) => writeln!(out, "{value}"),
            (false, None) => writeln!(out, "{}", harmless(text)),
            (false, Some(next)) => writeln!(out, "{}\nnext: {}", harmless(text), harmless(next)),
        };
        match printed.and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                let _ = writeln!(std::io::stderr(), "error: the report of what was done could not be printed: {error}");
                Exit::Failed
            }
            _ => Exit::Done,
        }
    }

    /// Prints warnings about a folder.
    pub(crate) fn warnings(&self, findings: &[Finding]) {
        if self.json {
            return;
        }
        let mut err = std::io::stderr().lock();
        for finding in findings.iter().take(SHOWN) {
            let _ = writeln!(err, "{}", harmless(&finding.to_string()));
        }
        if findings.len() > SHOWN {
            let _ = writeln!(err, "… and {} warnings more (all of them with --json)", findings.len() - SHOWN);
        }
    }

    /// Prints an error, with its causes.
    pub(crate) fn error(&self, error: &PublishError, exit: Exit) {
        let findings = match error {
            PublishError::Lint(findings) | PublishError::Zip(ZipError::Unfit(findings)) => Some(findings),
            _ => None,
        };
        if self.json {
            let mut value = json!({ "error": error.to_string(), "code": exit.code(), "status": exit as u8 });
            if let Some(findings) = findings {
                value["findings"] = findings.0.iter().map(finding_json).collect();
            }
            let _ = writeln!(std::io::stdout().lock(), "{value}");
            return;
        }
        let mut err = std::io::stderr().lock();
        let text = harmless(&error.to_string());
        let mut lines = text.lines();
        let _ = lines
            .by_ref()
            .take(SHOWN + 1)
            .enumerate()
            .try_for_each(|(index, line)| writeln!(err, "{}{line}", if index == 0 { "error: " } else { "" }));
        let rest = lines.count();
        if rest > 0 {
            let _ = writeln!(err, "  … and {rest} more (all of them with --json)");
        }
    }

    /// A bar on a terminal, nothing elsewhere.
    pub(crate) fn progress(&self) -> Bar {
        let hidden = self.json || !std::io::stderr().is_terminal();
        Bar { bar: Mutex::new(None), hidden, quiet: self.json }
    }
}

/// A finding as scripts read it.
pub(crate) fn finding_json(finding: &Finding) -> Value {
    json!({
        "severity": finding.severity.to_string(),
        "rule": finding.rule.code(),
        "path": finding.path,
        "detail": finding.detail,
        "advice": finding.rule.advice(),
    })
}

/// `text` with all escaped that a terminal would obey or that hides what is written: control characters but line breaks, and marks of direction.
pub(crate) fn harmless(text: &str) -> String {
    let obeyed = |character: char| {
        character.is_control() || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().fold(String::with_capacity(text.len()), |mut shown, character| {
        if character != '\n' && obeyed(character) {
            shown.extend(character.escape_debug());
        } else {
            shown.push(character);
        }
        shown
    })
}

/// A text of a repository as part of a line: line breaks are escaped too, so that it cannot pass for other lines.
pub(crate) fn one_line(text: &str) -> String {
    harmless(text).replace('\n', "\\n")
}

/// A number of bytes for people.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::DecimalBytes(count).to_string()
}

/// Shows one step at a time.
pub(crate) struct Bar {
    bar: Mutex<Option<ProgressBar>>,
    hidden: bool,
    quiet: bool,
}

impl Bar {
    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        if let Ok(mut bar) = self.bar.lock() {
            act(&mut bar);
        }
    }
}

impl Progress for Bar {
    fn begin(&self, stage: Stage, total: u64) {
        if self.hidden {
            return;
        }
        // The template is a constant that a test reads.
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        self.with(|bar| {
            if let Some(old) = bar.take() {
                old.finish_and_clear();
            }
            let new = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()).with_style(style);
            *bar = Some(new.with_message(stage.as_str()));
        });
    }

    fn advance(&self, count: u64) {
        if !self.hidden {
            self.with(|bar| bar.iter().for_each(|bar| bar.inc(count)));
        }
    }

    fn notice(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.with(|bar| bar.iter().for_each(ProgressBar::finish_and_clear));
    }
}

const TEMPLATE: &str = "{msg:>10} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {eta}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_printed() {
        assert_eq!(harmless("a\u{1b}[2Jb\r\u{9b}\u{202e}\nc'\\\u{e9}e\u{301}"), "a\\u{1b}[2Jb\\r\\u{9b}\\u{202e}\nc'\\\u{e9}e\u{301}");
        assert_eq!(one_line("bad\nnext: rm"), "bad\\nnext: rm");
    }

    #[test]
    fn the_template_of_the_bar_is_right() {
        ProgressStyle::with_template(TEMPLATE).unwrap();
    }
}
