//! `updater history`.

use clap::Args;
use jiff::tz::TimeZone;
use manifests::time::UtcTime;
use serde_json::json;
use updater::exit_code::Exit;
use updater::history::{self, Attempt, Outcome};
use updater::pipeline::Error;
use updater::profile;

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
    let lines: Vec<String> = attempts.iter().map(line).collect();
    let text = match lines.is_empty() {
        false => lines.join("\n"),
        true if arguments.is_plain() => "nothing has happened here yet".to_owned(),
        true => "nothing of that has happened here".to_owned(),
    };
    let shown = attempts.iter().map(|attempt| {
        let mut shown = json!(attempt);
        shown["local_time"] = local(attempt.time).into();
        shown
    });
    Ok(Report::new(&json!({ "attempts": shown.collect::<Vec<_>>() }), text, Exit::Success))
}

fn line(attempt: &Attempt) -> String {
    let build = |at: &Option<history::BuildAt>| at.as_ref().map_or("nothing".to_owned(), |at| at.build.clone());
    let result = serde_json::to_value(attempt.result).unwrap_or_default();
    let (user, host) = (&attempt.os_user, &attempt.host);
    let mut line =
        format!("{} ({})  {user}@{host}  {}  {}", attempt.time, local(attempt.time), attempt.trigger, result.as_str().unwrap_or_default());
    if attempt.to.is_some() {
        line += &format!("  {} → {}", build(&attempt.from), build(&attempt.to));
    }
    if let Some(approver) = &attempt.approver {
        line += &format!("  approved by {approver}");
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
