//! Runs that wait for the lock of a folder, and the one that asks the source for all of them: what is set off at the same time is one check (D-13).
//!
//! A run that is going to ask leaves a *ticket* before it takes the lock: an empty file in `.updater/waiting`, named by what set the run off. Whoever holds the lock and asks notes right before
//! that which tickets lie there, and takes these away when the answer is stored. So a run that gets the lock and finds its ticket gone knows that somebody asked after it was set off, and that
//! the answer is here. One whose ticket still lies there was set off too late for that, or the question was in vain: it asks.
//!
//! No clock is compared, nothing waits for anything but the lock, and a ticket is trusted with nothing: one too few is a check too many, and a ticket that a killed run left goes with the next
//! answer. It is not made durable: who left it ends with the power, too.

use std::sync::Arc;

use crate::fs::{Folder, LocalPath, Point};
use crate::id::Id;
use crate::trigger::Trigger;

/// The ticket of one run; taken back when dropped.
#[derive(Debug)]
pub struct Ticket {
    folder: Arc<Folder>,
    path: LocalPath,
}

/// Runs that were set off before a question was asked, and wait for its answer.
#[derive(Debug, Default)]
pub struct Waiting(Vec<(LocalPath, Trigger)>);

/// `.updater/waiting`.
pub fn place() -> LocalPath {
    LocalPath::state("waiting")
}

impl Ticket {
    /// Leaves a ticket in `folder`; `None` where that cannot be done: then its run asks, as one that is alone does.
    pub fn leave(folder: &Arc<Folder>, trigger: Trigger) -> Option<Ticket> {
        let path = place().join(format!("{trigger}.{}", Id::random()));
        folder.create_file(&path, 0o600, Point::WaitingTicket).ok()?;
        Some(Ticket { folder: Arc::clone(folder), path })
    }

    /// Whether somebody asked since, and the answer is here. To be looked at with the lock held.
    pub fn is_answered(&self) -> bool {
        matches!(self.folder.stat(&self.path), Ok(None))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // Where it stays, the next answer takes it away.
        let _ = self.folder.remove_file(&self.path, Point::WaitingTicket);
    }
}

impl Waiting {
    /// Who waits in `folder` now. To be noted right before the question.
    pub fn note(folder: &Folder) -> Waiting {
        let names = folder.names(&place()).unwrap_or_default();
        let trigger = |name: &[u8]| std::str::from_utf8(name).ok()?.split_once('.').map(|(name, _)| Trigger::of(name));
        Waiting(names.iter().map(|name| (place().join(name), trigger(name).unwrap_or(Trigger::Other))).collect())
    }

    /// The answer is stored: whoever waits need not ask. Returns what had set them off, each once.
    pub fn answered(self, folder: &Folder) -> Vec<Trigger> {
        let gone = self.0.into_iter().filter(|(path, _)| folder.remove_file(path, Point::WaitingTicket).is_ok());
        let mut triggers: Vec<Trigger> = gone.map(|(_, trigger)| trigger).collect();
        triggers.sort_unstable();
        triggers.dedup();
        triggers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Arc<Folder>) {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        folder.make_state_folders().unwrap();
        folder.make_folders(&super::place(), Point::StateFolder).unwrap();
        (place, Arc::new(folder))
    }

    #[test]
    fn d_13_who_was_there_before_the_question_has_the_answer_and_who_came_later_has_not() {
        let (_place, folder) = folder();
        let [push, wake] = [Trigger::Push, Trigger::Wake].map(|trigger| Ticket::leave(&folder, trigger).unwrap());
        let waiting = Waiting::note(&folder);
        let late = Ticket::leave(&folder, Trigger::Menu).unwrap();
        assert!(!push.is_answered() && !wake.is_answered(), "nobody has asked yet");
        assert_eq!(waiting.answered(&folder), [Trigger::Push, Trigger::Wake]);
        assert!(push.is_answered() && wake.is_answered() && !late.is_answered());
    }

    #[test]
    fn d_13_a_question_in_vain_answers_nobody() {
        let (_place, folder) = folder();
        let ticket = Ticket::leave(&folder, Trigger::Push).unwrap();
        drop(Waiting::note(&folder));
        assert!(!ticket.is_answered());
    }

    #[test]
    fn d_13_who_gives_up_takes_its_ticket_back_and_one_that_was_killed_leaves_it_to_the_next_answer() {
        let (_place, folder) = folder();
        drop(Ticket::leave(&folder, Trigger::Push));
        std::mem::forget(Ticket::leave(&folder, Trigger::Wake));
        assert_eq!(Waiting::note(&folder).answered(&folder), [Trigger::Wake]);
        assert_eq!(folder.names(&place()).unwrap(), [] as [Vec<u8>; 0]);
    }

    #[test]
    fn d_13_where_no_ticket_can_be_left_there_is_none_and_what_is_no_ticket_is_passed_over() {
        let (_place, folder) = folder();
        folder.discard(&place(), Point::WaitingTicket).unwrap();
        assert!(Ticket::leave(&folder, Trigger::Push).is_none());
        assert_eq!(Waiting::note(&folder).answered(&folder), []);
        folder.make_folders(&place().join("a folder"), Point::StateFolder).unwrap();
        assert_eq!(Waiting::note(&folder).answered(&folder), [], "nobody's, and it stays");
    }
}
