//! What a start does about a replacement that was cut off (attack F13): a pure function of the trial and of what lies where.
//!
//! The executable's path holds the old program, the new one, or somebody else's; on Windows, where a running program must be moved aside first, for a moment nothing. Whatever is decided is one
//! rename or none, so it can itself be cut off and decided again.

use super::record::Phase;

/// What lies at the executable's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Present {
    /// The program from before.
    Old,
    /// The new program.
    New,
    /// Neither: somebody put another one there.
    Other,
    /// Nothing.
    Nothing,
}

/// What a start sees of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) phase: Phase,
    pub(super) present: Present,
    /// The new program said that it lives.
    pub(super) is_confirmed: bool,
    /// The new program lies ready, whole.
    pub(super) has_next: bool,
    /// The old program is kept, whole.
    pub(super) has_previous: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Forget the trial: the executable was not replaced, or not by us.
    Forget,
    /// The new program is the active one.
    Accept,
    /// Nobody knows whether the new program lives: start it, then accept it or put the old one back.
    Prove,
    /// Move the new program to the path, then prove it.
    PutNew,
    /// Move the old program to the path, then block the release.
    PutOld,
    /// The old program is back: block the release.
    Block,
    /// Neither program is there. Nothing is touched.
    Lost,
}

/// Decides what to do about a trial.
pub(super) fn decide(seen: Seen) -> Step {
    match (seen.phase, seen.present) {
        (Phase::Forward, Present::Old) | (_, Present::Other) => Step::Forget,
        (Phase::Forward, Present::New) if seen.is_confirmed => Step::Accept,
        (Phase::Forward, Present::New) => Step::Prove,
        (Phase::Forward, Present::Nothing) if seen.has_next => Step::PutNew,
        (Phase::Back, Present::Old) => Step::Block,
        (Phase::Back, Present::New) if seen.has_previous => Step::PutOld,
        // The old program is gone: better one that may fail than none.
        (Phase::Back, Present::New) => Step::Accept,
        (_, Present::Nothing) if seen.has_previous => Step::PutOld,
        (Phase::Back, Present::Nothing) if seen.has_next => Step::PutNew,
        (_, Present::Nothing) => Step::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Seen> {
        let phases = [Phase::Forward, Phase::Back];
        let presents = [Present::Old, Present::New, Present::Other, Present::Nothing];
        phases.into_iter().flat_map(move |phase| {
            presents.into_iter().flat_map(move |present| {
                (0..8u8).map(move |bits| Seen {
                    phase,
                    present,
                    is_confirmed: bits & 1 != 0,
                    has_next: bits & 2 != 0,
                    has_previous: bits & 4 != 0,
                })
            })
        })
    }

    /// The states after a step, and after being cut off in the middle of it.
    fn after(seen: Seen, step: Step) -> Vec<Seen> {
        match step {
            Step::PutNew => vec![Seen { present: Present::New, has_next: false, ..seen }],
            Step::PutOld => {
                // Without a journal line before, a path that held nothing holds the old program under `Forward`.
                vec![Seen { present: Present::Old, has_previous: false, ..seen }]
            }
            Step::Prove => vec![Seen { is_confirmed: true, ..seen }, Seen { phase: Phase::Back, ..seen }],
            Step::Forget | Step::Accept | Step::Block | Step::Lost => vec![],
        }
    }

    #[test]
    fn f13_every_state_ends_with_a_program_at_the_path_if_there_is_one_anywhere() {
        for start in all() {
            let mut open = vec![start];
            for _ in 0..6 {
                open = open
                    .into_iter()
                    .flat_map(|seen| {
                        let step = decide(seen);
                        let has_any = seen.present != Present::Nothing || seen.has_next || seen.has_previous;
                        assert_eq!(step == Step::Lost, !has_any, "{seen:?}");
                        if after(seen, step).is_empty() {
                            assert!(step == Step::Lost || seen.present != Present::Nothing, "{seen:?} ends in {step:?}");
                        }
                        after(seen, step)
                    })
                    .collect();
            }
            assert!(open.is_empty(), "{start:?} never ends");
        }
    }

    #[test]
    fn a_program_that_somebody_else_put_there_is_left_alone() {
        assert!(all().filter(|seen| seen.present == Present::Other).all(|seen| decide(seen) == Step::Forget));
    }

    #[test]
    fn a_new_program_is_accepted_only_when_it_confirmed_or_nothing_else_is_left() {
        for seen in all().filter(|seen| decide(*seen) == Step::Accept) {
            assert!(seen.present == Present::New && (seen.is_confirmed || !seen.has_previous), "{seen:?}");
        }
    }
}
