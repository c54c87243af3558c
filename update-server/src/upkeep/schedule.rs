//! When a repository is looked at again. Pure.

use std::time::Duration;

/// What came of a look at a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was signed anew, or nothing was due.
    Well,
    /// Another command held it.
    Busy,
    /// It failed, for so many times in a row.
    Failed {
        /// At least 1.
        times: u32,
    },
}

/// How often it is asked whether something is due. By the clock of the machine and not by a day's sleep: machines sleep and clocks are set.
const LOOK: Duration = Duration::from_secs(15 * 60);
/// Another command is given this long; few take more.
const BUSY: Duration = Duration::from_secs(60);
/// The first failure is tried again after this, each further one after twice as long …
const RETRY: Duration = Duration::from_secs(60);
/// … but at least this often: at a week's life, that is more than seventy times after the warning and before the end.
const RETRY_AT_LEAST: Duration = Duration::from_secs(3600);

/// The pause until the next look. `chance`, a random number, moves it by up to a tenth either way, so that servers started together do not stay in step.
pub fn pause(outcome: Outcome, chance: u32) -> Duration {
    let pause = match outcome {
        Outcome::Well => LOOK,
        Outcome::Busy => BUSY,
        Outcome::Failed { times } => RETRY.saturating_mul(1 << times.saturating_sub(1).min(10)).min(RETRY_AT_LEAST),
    };
    pause * 9 / 10 + (pause / 5).mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_tried_again_at_longer_and_longer_pauses_up_to_an_hour() {
        let middle = |outcome| (pause(outcome, 0) + pause(outcome, u32::MAX)) / 2;
        let minutes: Vec<u64> =
            [1, 2, 3, 6, 7, 8, 1000, u32::MAX].map(|times| middle(Outcome::Failed { times }).as_secs_f64().round() as u64 / 60).into();
        assert_eq!(minutes, [1, 2, 4, 32, 60, 60, 60, 60]);
    }

    #[test]
    fn chance_moves_a_pause_by_a_tenth_at_most() {
        for outcome in [Outcome::Well, Outcome::Busy, Outcome::Failed { times: 3 }] {
            let (shortest, longest) = (pause(outcome, 0), pause(outcome, u32::MAX));
            assert!(shortest < longest && longest <= shortest * 11 / 9 + Duration::from_millis(1), "{shortest:?} {longest:?}");
        }
    }
}
