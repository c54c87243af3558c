//! The only place that prints: reports on standard output, errors and progress on standard error.
//!
//! A reader that went away, or a full disk behind a redirection, ends no update. But who gets a report that is not whole, and did not go away himself, hears of it by the exit code.

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use updater::code::Code;
use updater::deadline::Deadline;
use updater::exit_code::Exit;
use updater::progress::{Progress, Step};
use updater::text::Texts;

use super::{Report, words};

/// Prints a report, an error that is not JSON to standard error; returns how the command ends: as the report has it, or as a failure where it has good news that could not be printed.
pub(crate) fn print(report: &Report, json: bool) -> Exit {
    let is_good = matches!(report.exit, Exit::Success | Exit::Available | Exit::Deferred);
    let printed = match (json, is_good) {
        (true, _) => out(&report.json),
        (false, true) => out(&report.text),
        (false, false) => {
            err(&report.text);
            Ok(())
        }
    };
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            err(&format_args!("the report of what was done could not be printed: {error}"));
            if is_good { Exit::Failure } else { report.exit }
        }
        _ => report.exit,
    }
}

fn out(text: &dyn Display) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{text}").and_then(|()| out.flush())
}

/// Prints to standard error.
pub(crate) fn err(text: &dyn Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Shows nothing but notes.
pub(crate) struct Quiet {
    pub(crate) texts: &'static Texts,
}

impl Progress for Quiet {
    fn begin(&self, _: Step, _: u64) {}
    fn advance(&self, _: u64) {}

    fn note(&self, text: &str) {
        err(&format_args!("note: {text}"));
    }

    fn deadline(&self, deadline: &Deadline) {
        err(&words::of_deadline(self.texts, deadline));
    }

    fn failed(&self, what: &str, code: Code, why: &str) {
        err(&words::in_passing(self.texts, what, code.as_str(), why));
    }
}

/// A bar on a terminal.
pub(crate) struct TerminalProgress {
    bar: Mutex<ProgressBar>,
    texts: &'static Texts,
}

impl TerminalProgress {
    /// Whether there is a terminal to show it on.
    pub(crate) fn fits() -> bool {
        std::io::stderr().is_terminal()
    }

    /// A bar that shows nothing yet.
    pub(crate) fn new(texts: &'static Texts) -> Self {
        TerminalProgress { bar: Mutex::new(ProgressBar::hidden()), texts }
    }

    fn with_bar(&self, act: impl FnOnce(&mut ProgressBar)) {
        if let Ok(mut bar) = self.bar.lock() {
            act(&mut bar);
        }
    }
}

impl Progress for TerminalProgress {
    fn begin(&self, step: Step, total: u64) {
        let template = match step {
            Step::Fetch => "{prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            _ => "{prefix} {wide_bar} {pos}/{len}",
        };
        self.with_bar(|bar| {
            bar.finish_and_clear();
            *bar = ProgressBar::new(total).with_prefix(self.texts.get(&format!("step-{}", step.as_str()), &[]));
            // The templates are constants that the tests parse; the default style would do as well.
            bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        });
    }

    fn advance(&self, amount: u64) {
        self.with_bar(|bar| bar.inc(amount));
    }

    fn note(&self, text: &str) {
        self.with_bar(|bar| bar.suspend(|| err(&format_args!("note: {text}"))));
    }

    fn deadline(&self, deadline: &Deadline) {
        self.with_bar(|bar| bar.suspend(|| err(&words::of_deadline(self.texts, deadline))));
    }

    fn failed(&self, what: &str, code: Code, why: &str) {
        self.with_bar(|bar| bar.suspend(|| err(&words::in_passing(self.texts, what, code.as_str(), why))));
    }
}

impl Drop for TerminalProgress {
    fn drop(&mut self) {
        self.with_bar(|bar| bar.finish_and_clear());
    }
}

/// JSON lines on standard error: `{"event":"begin","phase","step","total"}`, `{"event":"advance","step","done","total"}`, `{"event":"note","text"}`,
/// `{"event":"deadline","build","at","minutes"}`.
#[derive(Default)]
pub(crate) struct JsonProgress {
    total: AtomicU64,
    done: AtomicU64,
    /// The hundredth of the total that was last told.
    told: AtomicU64,
    step: Mutex<Option<Step>>,
}

impl Progress for JsonProgress {
    fn begin(&self, step: Step, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
        self.told.store(0, Ordering::Relaxed);
        if let Ok(mut current) = self.step.lock() {
            *current = Some(step);
        }
        err(&serde_json::json!({ "event": "begin", "phase": step.phase(), "step": step.as_str(), "total": total }));
    }

    fn advance(&self, amount: u64) {
        let done = self.done.fetch_add(amount, Ordering::Relaxed) + amount;
        let total = self.total.load(Ordering::Relaxed);
        let hundredth = (done.saturating_mul(100)).checked_div(total).unwrap_or(0);
        // One line per hundredth: a tree of many files must not drown its reader.
        if self.told.fetch_max(hundredth, Ordering::Relaxed) < hundredth {
            let step = self.step.lock().ok().and_then(|step| *step).map(Step::as_str);
            err(&serde_json::json!({ "event": "advance", "step": step, "done": done, "total": total }));
        }
    }

    fn note(&self, text: &str) {
        err(&serde_json::json!({ "event": "note", "text": text }));
    }

    fn deadline(&self, deadline: &Deadline) {
        let mut event = serde_json::json!(deadline);
        event["event"] = "deadline".into();
        err(&event);
    }
}
