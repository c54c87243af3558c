//! `updater history`.

use clap::Args;
use jiff::tz::TimeZone;
use manifests::time::UtcTime;
use serde_json::json;
use updater::exit_code::Exit;
use updater::history::{self, Attempt, BuildAt, Outcome};
use updater::pipeline::Error;
use updater::profile;
use updater::text::Texts;

use super::{Global, Report};

#[derive(Args, Default)]
pub(crate) struct Arguments {
    /// Only what ended at this time or later, such as 2026-11-21 or 2026-11-21T10:00:00Z (UTC).
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    since: Option<UtcTime>,
    /// Only what failed, and builds that did not live.
    #[arg(long)]
    failed: bool,
}

impl Arguments {
    /// Whether everything is asked for.
    pub(crate) fn is_plain(&self) -> bool {
        self.since.is_none() && !self.failed
    }

    fn wants(&self, attempt: &Attempt) -> bool {
        let has_failed = match attempt.result {
            Outcome::Failed => true,
            Outcome::RolledBack => attempt.code.is_some(),
            _ => false,
        };
        self.since.is_none_or(|since| attempt.time >= since) && (has_failed || !self.failed)
    }
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Result<Report, Error> {
    let mut attempts = history::read(&profile::look(&global.dir, &global.registry())?)?;
    attempts.retain(|attempt| arguments.wants(attempt));
    let texts = global.texts();
    let text = match attempts.is_empty() {
        true if !arguments.is_plain() => texts.get("history-none-such", &[]),
        _ => in_words(texts, &attempts),
    };
    let shown = attempts.iter().map(|attempt| {
        let mut shown = json!(attempt);
        shown["local_time"] = local(attempt.time).into();
        shown
    });
    Ok(Report::new(&json!({ "attempts": shown.collect::<Vec<_>>() }), text, Exit::Success))
}

/// What people read of `attempts`.
pub(crate) fn in_words(texts: &Texts, attempts: &[Attempt]) -> String {
    match attempts {
        [] => texts.get("history-nothing-yet", &[]),
        _ => attempts.iter().map(|attempt| line(texts, attempt)).collect::<Vec<_>>().join("\n"),
    }
}

fn line(texts: &Texts, attempt: &Attempt) -> String {
    let build = |at: &Option<BuildAt>| at.as_ref().map_or_else(|| texts.get("build-none", &[]), |at| at.build.clone());
    let result = texts.get(&format!("result-{}", attempt.result.as_str()), &[]);
    let (user, host) = (&attempt.os_user, &attempt.host);
    let mut line = format!("{} ({})  {user}@{host}  {}  {result}", attempt.time, local(attempt.time), attempt.triggers());
    if attempt.to.is_some() {
        line += &format!("  {} → {}", build(&attempt.from), build(&attempt.to));
    }
    if let Some(approver) = &attempt.approver {
        line += &format!("  {}", texts.get("history-approved", &[("approver", approver.as_str().into())]));
    }
    if let Some(detail) = &attempt.detail {
        line += &format!("  ({})", detail.escape_debug());
    }
    line
}

/// The time where this computer stands, with how far that is from UTC.
fn local(time: UtcTime) -> String {
    jiff::Timestamp::from_second(time.unix())
        .map(|time| time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string())
        .unwrap_or_default()
}

fn parse_since(text: &str) -> Result<UtcTime, String> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    whole.parse().map_err(|_| format!("`{text}` is no time, such as 2026-11-21 or 2026-11-21T10:00:00Z"))
}
