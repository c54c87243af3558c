//! Which backup goes where when a new one comes (S3-21, S3-22, D-19 to D-21). Pure.
//!
//! Numbers are ages, `.001` the oldest. Gaps are closed first, in order. With fewer than three, the new one takes the next number; with three, the oldest goes and the others move down, unless
//! it is the only whole one of the three: then the oldest damaged one goes instead, or else the oldest foreign one, of which nobody can say whether it is whole (attack F10). The oldest of a build
//! that failed to live here goes before all of them: releases that fail one after the other, each of which leaves a backup, push out nothing that lived. The new one does not
//! count: nobody has gone back to it yet. What a rollback went back to is consumed: it is the live tree now. A folder that nobody made known to us, and anything that is no folder, stops the
//! update and is never touched.

use std::fmt;
use std::str::FromStr;

use manifests::path::BACKUP_PREFIX;
use serde::{Deserialize, Serialize};

use crate::fs::owners::GIVE_ALL;
use crate::id::Id;

/// Most backups that a station keeps (S3-21).
pub const MOST: usize = 3;

/// The number of a backup, 1 to 3: `bkp_remote.001` is the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u8);

/// The text names no slot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no backup (`001`, `002`, `003`)")]
pub struct InvalidSlot(String);

/// What lies under the name of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occupant {
    /// Nothing.
    Nothing,
    /// A backup of ours, or a foreign folder that was taken into the rotation.
    Known(Id),
    /// A backup of ours of a build that failed to live here.
    Dead(Id),
    /// A folder that we know nothing of.
    Foreign,
    /// A folder that others can change.
    Exposed,
    /// A backup whose record cannot be read.
    Damaged,
    /// A file, link or other thing.
    NotAFolder,
}

/// What is known of a backup once its files were compared with its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Every file is what the record says.
    Whole,
    /// Somebody else made it: there is nothing to compare it with.
    Foreign,
    /// Files are missing or other than the record says, or it cannot be read.
    Damaged,
}

/// Where every backup is to be when the swap commits, as in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slots {
    /// Backups that stay, oldest first.
    pub keep: Vec<(Id, Slot)>,
    /// The one that has to go: the oldest, or one that is worth less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop: Option<Id>,
    /// What a rollback went back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumed: Option<Id>,
    /// The new one.
    pub new: (Id, Slot),
}

/// Why there can be no new backup, and so no update. Nothing was touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A folder of a backup's name that is not ours.
    #[error("`{0}` is a folder that the updater did not make: take it into the rotation with `updater backups --adopt`, or move it away")]
    Foreign(Slot),
    /// A backup that others could change (attack F4).
    #[error("others can change `{0}`, so nothing in it is believed: give it {GIVE_ALL}, or move it away")]
    Exposed(Slot),
    /// A backup whose record is damaged.
    #[error("the record of `{0}` is damaged: take it into the rotation as it is with `updater backups --adopt`, or move it away")]
    Damaged(Slot),
    /// Not a folder.
    #[error("`{0}` is not a folder: move it away, its name is needed for a backup")]
    NotAFolder(Slot),
    /// Somebody copied a backup.
    #[error("`{0}` and `{1}` are copies of one backup: move one of them away")]
    Twice(Slot, Slot),
    /// The backup to go back to is gone.
    #[error("there is no backup `{0}` any more: see `updater backups`")]
    Gone(Id),
}

impl Slot {
    /// All slots, oldest first.
    pub const ALL: [Slot; MOST] = [Slot(1), Slot(2), Slot(3)];

    /// Its number.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The name of its folder.
    pub fn folder_name(self) -> String {
        format!("{BACKUP_PREFIX}{:03}", self.0)
    }
}

/// What the slots shall be after a new backup `new`, given what is in them, oldest first, and what a rollback goes back to. When one has to go, `standing` is asked, newest first, until a whole
/// one is found; one that was asked for is remembered by whoever answers. What keeps a name from being used refuses an update, and no way back: that needs no more names than it frees, so the
/// stranger stays where it lies.
pub fn rotate(
    found: &[Occupant; MOST],
    consumed: Option<Id>,
    new: Id,
    mut standing: impl FnMut(Slot) -> Standing,
) -> Result<Slots, Refusal> {
    let mut known: Vec<(Id, Slot)> = vec![];
    let mut usable: Vec<Slot> = vec![];
    for (slot, occupant) in Slot::ALL.into_iter().zip(found) {
        let refusal = match occupant {
            Occupant::Nothing => None,
            Occupant::Foreign => Some(Refusal::Foreign(slot)),
            Occupant::Exposed => Some(Refusal::Exposed(slot)),
            Occupant::Damaged => Some(Refusal::Damaged(slot)),
            Occupant::NotAFolder => Some(Refusal::NotAFolder(slot)),
            Occupant::Known(id) | Occupant::Dead(id) => match known.iter().find(|(other, _)| other == id) {
                Some((_, first)) => return Err(Refusal::Twice(*first, slot)),
                None => {
                    known.push((*id, slot));
                    None
                }
            },
        };
        match refusal {
            None => usable.push(slot),
            Some(refusal) if consumed.is_none() => return Err(refusal),
            Some(_) => {}
        }
    }
    if let Some(id) = consumed {
        let at = known.iter().position(|(known, _)| *known == id).ok_or(Refusal::Gone(id))?;
        known.remove(at);
    }
    let dead = known.iter().position(|(id, _)| found.contains(&Occupant::Dead(*id)));
    let drop = (known.len() == MOST).then(|| known.remove(dead.unwrap_or_else(|| least(&mut standing))).0);
    let keep: Vec<(Id, Slot)> = known.iter().map(|(id, _)| *id).zip(usable.iter().copied()).collect();
    let next = usable[keep.len()];
    Ok(Slots { keep, drop, consumed, new: (new, next) })
}

/// Which of three backups goes, as an index: the oldest, unless it is the only whole one.
fn least(standing: &mut impl FnMut(Slot) -> Standing) -> usize {
    let [oldest, middle, newest] = Slot::ALL;
    let newest_is = standing(newest);
    if newest_is == Standing::Whole {
        return 0;
    }
    let middle_is = standing(middle);
    if middle_is == Standing::Whole || standing(oldest) != Standing::Whole {
        return 0;
    }
    // Of two that are worth the same, the older.
    if newest_is == Standing::Damaged && middle_is == Standing::Foreign { 2 } else { 1 }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.folder_name())
    }
}

impl FromStr for Slot {
    type Err = InvalidSlot;

    /// Reads `002`, `2` or `bkp_remote.002`.
    fn from_str(text: &str) -> Result<Self, InvalidSlot> {
        let number = text.strip_prefix(BACKUP_PREFIX).unwrap_or(text);
        let is_slot = |slot: &Slot| number == slot.0.to_string() || number == format!("{:03}", slot.0);
        Slot::ALL.into_iter().find(is_slot).ok_or_else(|| InvalidSlot(text.escape_debug().take(40).collect()))
    }
}

impl Serialize for Slot {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Slot {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let slot = Slot::ALL.into_iter().find(|slot| slot.folder_name() == text);
        slot.ok_or_else(|| serde::de::Error::custom(format_args!("`{}` is no backup", manifests::quote::quoted(&text, 40))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Occupant::{Damaged, Foreign, Known, NotAFolder, Nothing};

    fn id(number: u8) -> Id {
        Id::from_bytes([number; 8])
    }

    fn known(number: u8) -> Occupant {
        Known(id(number))
    }

    /// The rotation where every backup is whole.
    fn rotate(found: &[Occupant; MOST], consumed: Option<Id>, new: Id) -> Result<Slots, Refusal> {
        super::rotate(found, consumed, new, |_| Standing::Whole)
    }

    /// The slots after the rotation, as ids by number; 0 is empty.
    fn after(slots: &Slots) -> [u8; 3] {
        let mut after = [0; 3];
        for (id, slot) in slots.keep.iter().chain([&slots.new]) {
            after[usize::from(slot.number()) - 1] = u8::from_str_radix(&id.to_string()[..2], 16).unwrap();
        }
        after
    }

    #[test]
    fn ac_39_five_updates_fill_the_slots_and_then_push_the_oldest_out() {
        let mut found = [Nothing, Nothing, Nothing];
        let expected = [[1, 0, 0], [1, 2, 0], [1, 2, 3], [2, 3, 4], [3, 4, 5]];
        for (number, expected) in (1..).zip(expected) {
            let slots = rotate(&found, None, id(number)).unwrap();
            assert_eq!(after(&slots), expected);
            assert_eq!(slots.drop, (number > 3).then(|| id(number - 3)));
            found = expected.map(|number| if number == 0 { Nothing } else { known(number) });
        }
    }

    #[test]
    fn ac_40_gaps_are_closed_in_order_before_the_new_one_comes() {
        assert_eq!(after(&rotate(&[Nothing, known(7), Nothing], None, id(9)).unwrap()), [7, 9, 0]);
        assert_eq!(after(&rotate(&[Nothing, Nothing, known(7)], None, id(9)).unwrap()), [7, 9, 0]);
        assert_eq!(after(&rotate(&[known(5), Nothing, known(7)], None, id(9)).unwrap()), [5, 7, 9]);
    }

    #[test]
    fn ac_40_a_stranger_of_a_backups_name_stops_the_update() {
        assert_eq!(rotate(&[known(1), Foreign, Nothing], None, id(9)), Err(Refusal::Foreign(Slot::ALL[1])));
        assert_eq!(rotate(&[Nothing, Nothing, NotAFolder], None, id(9)), Err(Refusal::NotAFolder(Slot::ALL[2])));
        assert_eq!(rotate(&[Damaged, known(1), known(2)], None, id(9)), Err(Refusal::Damaged(Slot::ALL[0])));
        assert_eq!(rotate(&[known(1), known(1), Nothing], None, id(9)), Err(Refusal::Twice(Slot::ALL[0], Slot::ALL[1])));
    }

    #[test]
    fn a_rollback_consumes_its_backup_and_keeps_the_ages() {
        let slots = rotate(&[known(1), known(2), known(3)], Some(id(2)), id(4)).unwrap();
        assert_eq!((after(&slots), slots.drop, slots.consumed), ([1, 3, 4], None, Some(id(2))));
        let slots = rotate(&[known(1), Nothing, Nothing], Some(id(1)), id(4)).unwrap();
        assert_eq!(after(&slots), [4, 0, 0]);
        assert_eq!(rotate(&[known(1), Nothing, Nothing], Some(id(2)), id(4)), Err(Refusal::Gone(id(2))));
    }

    #[test]
    fn f11_what_bars_a_name_bars_no_way_back() {
        for stranger in [Foreign, NotAFolder, Damaged, Occupant::Exposed] {
            for at in 0..MOST {
                for consumed in (0..MOST).filter(|consumed| *consumed != at) {
                    let mut found = [known(1), known(2), known(3)];
                    found[at] = stranger.clone();
                    let slots = rotate(&found, Some(id(u8::try_from(consumed + 1).unwrap())), id(9)).unwrap();
                    assert_eq!((after(&slots)[at], slots.drop), (0, None), "the stranger stays, and no backup goes");
                    assert_eq!(slots.keep.len(), 1);
                    assert!(rotate(&found, None, id(9)).is_err(), "an update waits");
                }
            }
        }
    }

    #[test]
    fn f10_no_backup_is_dropped_while_there_is_room() {
        for occupied in 0u8..8 {
            let found = [1, 2, 3].map(|number| if occupied >> (number - 1) & 1 == 1 { known(number) } else { Nothing });
            let slots = rotate(&found, None, id(9)).unwrap();
            let before = usize::try_from(occupied.count_ones()).unwrap();
            assert_eq!(slots.drop.is_some(), before == MOST);
            assert_eq!(slots.keep.len() + 1, (before + 1).min(MOST));
        }
    }

    #[test]
    fn f10_the_only_whole_backup_never_goes_and_else_the_oldest_does() {
        let all = [Standing::Whole, Standing::Foreign, Standing::Damaged];
        let of_three = all.into_iter().flat_map(|a| all.into_iter().flat_map(move |b| all.into_iter().map(move |c| [a, b, c])));
        for standing in of_three {
            let look = |slot: Slot| standing[usize::from(slot.number()) - 1];
            let slots = super::rotate(&[known(1), known(2), known(3)], None, id(9), look).unwrap();
            let gone = usize::from(u8::from_str_radix(&slots.drop.unwrap().to_string()[..2], 16).unwrap()) - 1;
            let whole = standing.iter().filter(|standing| **standing == Standing::Whole).count();
            let left_whole = whole - usize::from(standing[gone] == Standing::Whole);
            assert!(left_whole > 0 || whole == 0, "{standing:?}: {gone} went");
            if whole != 1 || standing[0] != Standing::Whole {
                assert_eq!(gone, 0, "{standing:?}");
            } else if standing[1..].contains(&Standing::Damaged) {
                assert_eq!(standing[gone], Standing::Damaged, "{standing:?}");
            }
            let kept: Vec<u8> = [1, 2, 3].into_iter().filter(|number| usize::from(*number) != gone + 1).chain([9]).collect();
            assert_eq!(after(&slots).to_vec(), kept, "ages stay in order");
        }
    }

    #[test]
    fn f10_a_build_that_failed_goes_before_all_that_lived_and_only_when_one_has_to_go() {
        let never = |slot: Slot| -> Standing { panic!("{slot} is read") };
        let dropped = |found: [Occupant; MOST], consumed| super::rotate(&found, consumed, id(9), never).unwrap().drop;
        assert_eq!(dropped([known(1), known(2), Occupant::Dead(id(3))], None), Some(id(3)));
        assert_eq!(dropped([known(1), Occupant::Dead(id(2)), Occupant::Dead(id(3))], None), Some(id(2)), "the older of two");
        assert_eq!(dropped([known(1), Occupant::Dead(id(2)), known(3)], Some(id(3))), None);
        assert_eq!(dropped([known(1), Occupant::Dead(id(2)), Nothing], None), None);
        let copies = [known(1), Occupant::Dead(id(1)), Nothing];
        assert_eq!(super::rotate(&copies, None, id(9), never), Err(Refusal::Twice(Slot::ALL[0], Slot::ALL[1])));
    }

    #[test]
    fn f10_no_backup_is_read_unless_one_has_to_go_and_then_no_more_than_needed() {
        let never = |slot: Slot| -> Standing { panic!("{slot} is read") };
        super::rotate(&[known(1), known(2), Nothing], None, id(9), never).unwrap();
        super::rotate(&[known(1), known(2), known(3)], Some(id(1)), id(9), never).unwrap();
        let newest = |slot: Slot| if slot == Slot::ALL[2] { Standing::Whole } else { panic!("{slot} is read") };
        super::rotate(&[known(1), known(2), known(3)], None, id(9), newest).unwrap();
    }

    #[test]
    fn a_slot_is_read_as_people_write_it() {
        for text in ["2", "002", "bkp_remote.002"] {
            assert_eq!(text.parse::<Slot>(), Ok(Slot::ALL[1]));
        }
        for text in ["", "0", "4", "02", "bkp_remote.", "-1"] {
            assert!(text.parse::<Slot>().is_err());
        }
    }
}
