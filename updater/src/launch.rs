//! Starting the client, and what its end says of the build (AC-44, attack F11). What is done about it is in `pipeline/launch.rs`.
//!
//! A build that was never seen alive is watched from its start: when it lives as long as its publisher asks, it is proved, whatever comes later. An end before that is a death, with two
//! exceptions: exit code 0, because people close a window at once when it is the wrong one, and an end that was asked for by a signal that came through here.

#[cfg(not(unix))]
#[path = "launch/other.rs"]
mod platform;
#[cfg(unix)]
#[path = "launch/unix.rs"]
mod platform;

use std::fmt;
use std::future::Future;
use std::time::Duration;

pub(crate) use platform::Client;

/// How a client ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// After a signal that somebody sent through the updater; with the exit code to pass on.
    Asked(i32),
    /// It could not be started at all.
    NotStarted(String),
}

impl End {
    /// The exit code by which it is passed on: the client's own, or 128 and the signal's number, as shells have it.
    pub fn exit_code(&self) -> i32 {
        match self {
            End::Code(code) | End::Asked(code) => *code,
            End::Signal(signal) => 128 + signal,
            End::NotStarted(_) => 126,
        }
    }

    /// Whether it speaks against the build when it comes early.
    pub fn is_death(&self) -> bool {
        !matches!(self, End::Code(0) | End::Asked(_))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Code(code) | End::Asked(code) => write!(f, "with code {code}"),
            End::Signal(signal) => write!(f, "by signal {signal}"),
            End::NotStarted(why) => write!(f, "before it began ({why})"),
        }
    }
}

/// Waits for `end`, at most for `needed`: the end when it came before that, `None` when the client lives. `end` can be waited for further.
pub async fn watch(end: impl Future<Output = End>, needed: Duration) -> Option<End> {
    tokio::time::timeout(needed, end).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn after(seconds: u64, end: End) -> End {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        end
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_lives_for_as_long_as_is_asked_is_alive_whatever_comes_then() {
        let minute = Duration::from_secs(60);
        assert_eq!(watch(after(61, End::Code(1)), minute).await, None);
        assert_eq!(watch(after(59, End::Code(1)), minute).await, Some(End::Code(1)));
        let mut end = Box::pin(after(70, End::Signal(11)));
        assert_eq!(watch(&mut end, minute).await, None);
        assert_eq!(end.await, End::Signal(11), "it is waited for to its end");
    }

    #[test]
    fn an_end_that_somebody_wanted_is_no_death() {
        assert!(![End::Code(0), End::Asked(143)].iter().any(End::is_death));
        assert!([End::Code(1), End::Signal(11), End::NotStarted("no".into())].iter().all(End::is_death));
    }

    #[test]
    fn exit_codes_are_those_of_shells() {
        let codes = [End::Code(7), End::Signal(9), End::Asked(143), End::NotStarted(String::new())].map(|end| end.exit_code());
        assert_eq!(codes, [7, 137, 143, 126]);
    }
}
