//! `updater history`.

use serde_json::json;
use updater::exit_code::Exit;
use updater::history;
use updater::pipeline::Error;
use updater::profile;

use super::{Global, Report};

pub(crate) fn run(global: &Global) -> Result<Report, Error> {
    let attempts = history::read(&profile::look(&global.dir, &global.registry())?)?;
    let build = |at: &Option<history::BuildAt>| at.as_ref().map_or("nothing".to_owned(), |at| at.build.clone());
    let lines: Vec<String> = attempts
        .iter()
        .map(|attempt| {
            let result = serde_json::to_value(attempt.result).unwrap_or_default();
            let (user, host) = (&attempt.os_user, &attempt.host);
            let mut line = format!("{}  {user}@{host}  {}  {}", attempt.time, attempt.trigger, result.as_str().unwrap_or_default());
            if attempt.to.is_some() {
                line += &format!("  {} → {}", build(&attempt.from), build(&attempt.to));
            }
            if let Some(detail) = &attempt.detail {
                line += &format!("  ({})", detail.escape_debug());
            }
            line
        })
        .collect();
    let text = if lines.is_empty() { "nothing has happened here yet".to_owned() } else { lines.join("\n") };
    Ok(Report::new(&json!({ "attempts": attempts }), text, Exit::Success))
}
