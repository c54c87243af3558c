//! A task of the Windows Task Scheduler, as `schtasks /Create /XML` takes it: UTF-16 with its mark, elements in the order of the schema. Pure.
//!
//! It repeats for ever from a start in UTC that lies in the past at the station's moment, so that neither zones nor summer time shift it; `StartWhenAvailable` makes up for what was slept through,
//! once. The system's task starts every hour, as other timers do. An account's task starts once in a period: it runs where somebody works, and a console window that opens and closes takes the
//! keys that are being typed.

use manifests::time::UtcTime;

use super::{Rendered, Scope, Task, calendar};

/// 2020-01-01T00:00:00Z: before every install.
const PAST: u64 = 1_577_836_800;

/// The task.
pub fn render(task: &Task) -> Rendered {
    let text = text(task).replace('\n', "\r\n");
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    Rendered { name: format!("{}.xml", task.name), bytes: units.flat_map(u16::to_le_bytes).collect() }
}

fn text(task: &Task) -> String {
    let every = task.every.seconds();
    let starts = if task.scope == Scope::User || every < 3600 { every } else { calendar::step(every) };
    // Periods are counted from 1970, as the run counts them.
    let start = PAST + (task.phase + every - PAST % every) % every;
    let start = UtcTime::from_unix(i64::try_from(start).unwrap_or_default());
    let principal = match task.scope {
        Scope::System => "      <UserId>S-1-5-18</UserId>\n      <RunLevel>HighestAvailable</RunLevel>\n",
        Scope::User => "      <LogonType>InteractiveToken</LogonType>\n      <RunLevel>LeastPrivilege</RunLevel>\n",
    };
    let arguments: Vec<String> = task.arguments.iter().map(|argument| quoted(argument)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n\
<Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">
  <RegistrationInfo>
    <Author>Stationmaster</Author>
    <Description>Check for updates of {folder} every {period}; made by {mark}</Description>
    <URI>\\{name}</URI>
  </RegistrationInfo>
  <Triggers>
    <TimeTrigger>
      <Repetition>
        <Interval>PT{minutes}M</Interval>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      <StartBoundary>{start}</StartBoundary>
      <Enabled>true</Enabled>
    </TimeTrigger>
  </Triggers>
  <Principals>
    <Principal id=\"Author\">
{principal}    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>false</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>7</Priority>
  </Settings>
  <Actions Context=\"Author\">
    <Exec>
      <Command>{program}</Command>
      <Arguments>{arguments}</Arguments>
    </Exec>
  </Actions>
</Task>
",
        folder = escape(&task.folder),
        period = task.every,
        name = escape(&task.name),
        mark = task.mark(),
        minutes = starts / 60,
        program = escape(&task.program),
        arguments = escape(&arguments.join(" ")),
    )
}

pub(super) use super::launchd::escape;

/// An argument as Windows takes a command line apart: backslashes count only before a quotation mark.
pub(crate) fn quoted(argument: &str) -> String {
    let is_plain = !argument.is_empty() && !argument.contains([' ', '\t', '"']);
    if is_plain {
        return argument.to_owned();
    }
    let mut quoted = "\"".to_owned();
    let mut backslashes = 0;
    for letter in argument.chars() {
        match letter {
            '\\' => backslashes += 1,
            '"' => {
                quoted += &"\\".repeat(backslashes + 1);
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        quoted.push(letter);
    }
    quoted += &"\\".repeat(backslashes);
    quoted.push('"');
    quoted
}
