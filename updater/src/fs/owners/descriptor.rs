//! Security descriptors of Windows: who could change something, and what we give to what is ours (attack F4). Pure, over the bytes that the system gives and takes ([MS-DTYP] 2.4.6).
//!
//! Whatever is not understood counts against us: an entry of an unknown kind is everybody's, a list that is missing lets everybody do everything, and an entry that denies takes nothing back.

use crate::account::sid::Sid;

/// Where something stands with what is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is ours: nobody else may change it, nor what will be made in it.
    Ours,
    /// A folder that leads to it: others may put things beside it, but neither move nor replace it.
    Leads,
    /// The same at the top of a volume, which nobody can move.
    Top,
}

/// Rights that change a thing or what is in it: data, entries, attributes (which can make a folder a junction), the thing itself, its list and its owner; all of them, and the most there are.
const CHANGE: u32 = 0x2 | 0x4 | 0x10 | 0x40 | 0x100 | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL | GENERIC_WRITE | MAXIMUM;
/// Rights that move or replace what a folder leads to.
const DISPLACE: u32 = 0x40 | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL | MAXIMUM;
const DELETE: u32 = 0x1_0000;
const WRITE_DAC: u32 = 0x4_0000;
const WRITE_OWNER: u32 = 0x8_0000;
const MAXIMUM: u32 = 0x200_0000;
const GENERIC_ALL: u32 = 0x1000_0000;
const GENERIC_WRITE: u32 = 0x4000_0000;
/// Everything that can be done with a file, folder or pipe.
const ALL: u32 = 0x1F_01FF;
/// Reading and starting.
const READ: u32 = 0x12_00A9;

/// The entry is handed down to files and folders.
const INHERITED_BY_ALL: u8 = 0x1 | 0x2;
/// The entry is only handed down.
const INHERIT_ONLY: u8 = 0x8;
/// The descriptor has a list; the list inherits nothing; the parts lie one after the other.
const CONTROL: u16 = 0x4 | 0x1000 | 0x8000;
/// Bytes of a descriptor before its parts.
const HEAD_BYTES: u32 = 20;

/// The first account that could change what `descriptor` is of, and is neither an administrator's nor `ours`; everybody, when that cannot be read.
pub(crate) fn stranger(descriptor: &[u8], place: Place, ours: &Sid) -> Option<Sid> {
    find(descriptor, place, ours).unwrap_or_else(|| Some(Sid::everybody()))
}

/// The owner; `None` when there is none.
pub(crate) fn owner(descriptor: &[u8]) -> Option<Sid> {
    Sid::parse(part(descriptor, 4)?)
}

/// The same as [`stranger`]; `None` where the descriptor cannot be read.
fn find(descriptor: &[u8], place: Place, ours: &Sid) -> Option<Option<Sid>> {
    let is_ours = |sid: &Sid| sid.is_root() || sid == ours;
    let owner = owner(descriptor)?;
    // Whoever owns it can give himself every right.
    if !is_ours(&owner) {
        return Some(Some(owner));
    }
    let list = part(descriptor, 16).filter(|_| number_16(descriptor, 2).is_some_and(|control| control & 0x4 != 0))?;
    let mut rest = list.get(8..usize::from(number_16(list, 2)?))?;
    for _ in 0..number_16(list, 4)? {
        let length = usize::from(number_16(rest, 2)?);
        let (entry, after) = rest.split_at_checked(length)?;
        rest = after;
        let writer = writer(entry, place)?;
        // The rights of a creator and of an owner are those of one of ours.
        if let Some(sid) = writer.filter(|sid| !is_ours(sid) && *sid != Sid::creator_owner() && *sid != Sid::owner_rights()) {
            return Some(Some(sid));
        }
    }
    Some(None)
}

/// Whom an entry of a list lets change something; the outer `None` where it cannot be read.
fn writer(entry: &[u8], place: Place) -> Option<Option<Sid>> {
    /// Kinds that let somebody do something and have the account right after the rights: plain ones, and those with a condition.
    const ALLOWED: [u8; 2] = [0, 9];
    /// Kinds that deny.
    const DENIED: [u8; 4] = [1, 6, 10, 12];
    let (kind, flags) = (*entry.first()?, *entry.get(1)?);
    let rights = number_32(entry, 4)?;
    let (counting, is_elsewhere) = match place {
        // What is handed down becomes a right on what we will make there.
        Place::Ours => (CHANGE, false),
        Place::Leads => (DISPLACE, flags & INHERIT_ONLY != 0),
        Place::Top => (DISPLACE & !DELETE, flags & INHERIT_ONLY != 0),
    };
    if DENIED.contains(&kind) || is_elsewhere || rights & counting == 0 {
        return Some(None);
    }
    Some(Some(if ALLOWED.contains(&kind) { Sid::parse(entry.get(8..)?)? } else { Sid::everybody() }))
}

/// What a descriptor lets one account do.
pub(crate) struct Grant {
    sid: Sid,
    rights: u32,
}

impl Grant {
    pub(crate) fn new(sid: Sid, rights: u32) -> Grant {
        Grant { sid, rights }
    }

    pub(crate) fn all(sid: Sid) -> Grant {
        Grant { sid, rights: ALL }
    }
}

/// A descriptor that belongs to administrators (without `owner`) or to `owner`, and lets administrators do everything and others what `grants` say; nothing is inherited from above.
pub(crate) fn protected(owner: Option<Sid>, grants: Vec<Grant>) -> Vec<u8> {
    let owner = owner.unwrap_or_else(Sid::administrators);
    let entries: Vec<u8> = [Grant::all(Sid::system()), Grant::all(Sid::administrators())].iter().chain(&grants).flat_map(entry).collect();
    let mut list = vec![2, 0];
    list.extend((entries.len() as u16 + 8).to_le_bytes());
    list.extend((grants.len() as u16 + 2).to_le_bytes());
    list.extend([0, 0]);
    list.extend(entries);
    let mut descriptor = vec![1, 0];
    descriptor.extend(CONTROL.to_le_bytes());
    for at in [HEAD_BYTES, 0, 0, HEAD_BYTES + owner.as_bytes().len() as u32] {
        descriptor.extend(at.to_le_bytes());
    }
    descriptor.extend(owner.as_bytes());
    descriptor.extend(list);
    descriptor
}

/// Of a folder that administrators alone change and everybody here may look into.
pub(crate) fn of_folder() -> Vec<u8> {
    protected(None, vec![Grant::new(Sid::users(), READ)])
}

fn entry(Grant { sid, rights }: &Grant) -> Vec<u8> {
    let mut entry = vec![0, INHERITED_BY_ALL];
    entry.extend((sid.as_bytes().len() as u16 + 8).to_le_bytes());
    entry.extend(rights.to_le_bytes());
    entry.extend(sid.as_bytes());
    entry
}

/// The part of a descriptor whose place is written at `at`.
fn part(descriptor: &[u8], at: usize) -> Option<&[u8]> {
    match number_32(descriptor, at)? {
        0 => None,
        place => descriptor.get(usize::try_from(place).ok()?..),
    }
}

fn number_16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

fn number_32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> Sid {
        Sid::parse(&[[1, 5, 0, 0, 0, 0, 0, 5].as_slice(), &[21, 0, 0, 0], &[7; 12], &1001_u32.to_le_bytes()].concat()).unwrap()
    }

    /// A descriptor of `owner`'s with one more entry than the administrators': its kind, its flags, its rights and its account.
    fn with(owner: Sid, kind: u8, flags: u8, rights: u32, sid: Sid) -> Vec<u8> {
        let length = sid.as_bytes().len();
        let mut descriptor = protected(Some(owner), vec![Grant::new(sid, rights)]);
        let at = descriptor.len() - length - 8;
        descriptor[at..at + 2].copy_from_slice(&[kind, flags]);
        descriptor
    }

    fn of(descriptor: &[u8], place: Place) -> Option<String> {
        stranger(descriptor, place, &Sid::system()).map(|sid| sid.to_string())
    }

    #[test]
    fn f4_what_we_make_is_ours_alone() {
        assert_eq!(of(&of_folder(), Place::Ours), None);
        assert_eq!(owner(&of_folder()), Some(Sid::administrators()));
        assert_eq!(of(&protected(None, vec![]), Place::Ours), None);
    }

    #[test]
    fn f4_every_right_that_changes_something_counts_and_reading_does_not() {
        for bit in (0..32).map(|bit| 1_u32 << bit) {
            let descriptor = with(Sid::administrators(), 0, 0, bit, Sid::users());
            assert_eq!(of(&descriptor, Place::Ours).is_some(), bit & CHANGE != 0, "{bit:#x}");
        }
        assert_eq!(of(&with(Sid::administrators(), 0, 3, READ, Sid::users()), Place::Ours), None);
        assert_eq!(of(&with(Sid::administrators(), 0, 0, ALL, Sid::users()), Place::Ours).as_deref(), Some("S-1-5-32-545"));
    }

    #[test]
    fn f4_an_owner_who_is_not_ours_is_named_whatever_the_list_says() {
        assert_eq!(of(&protected(Some(alice()), vec![]), Place::Leads), Some(alice().to_string()));
        assert_eq!(stranger(&protected(Some(alice()), vec![Grant::all(alice())]), Place::Ours, &alice()), None);
    }

    #[test]
    fn f4_what_is_only_handed_down_counts_in_ours_and_not_on_the_way_there() {
        let descriptor = with(Sid::administrators(), 0, INHERIT_ONLY | 3, ALL, Sid::users());
        assert_eq!(of(&descriptor, Place::Ours).as_deref(), Some("S-1-5-32-545"));
        assert_eq!(of(&descriptor, Place::Leads), None);
        // A creator's rights become ours on what we make.
        assert_eq!(of(&with(Sid::administrators(), 0, INHERIT_ONLY | 3, ALL, Sid::creator_owner()), Place::Ours), None);
    }

    #[test]
    fn f4_on_the_way_others_may_add_things_and_move_none() {
        // What Windows gives to users in `C:\ProgramData`: make files and folders, write attributes.
        let adds = with(Sid::system(), 0, 2, 0x2 | 0x4 | 0x10 | 0x100, Sid::users());
        assert_eq!((of(&adds, Place::Leads), of(&adds, Place::Ours).is_some()), (None, true));
        let removes_below = with(Sid::system(), 0, 0, 0x40, Sid::users());
        assert!(of(&removes_below, Place::Leads).is_some() && of(&removes_below, Place::Top).is_some());
        // The top of a volume can be deleted by nobody, whatever its list says.
        let deletes = with(Sid::system(), 0, 0, DELETE, Sid::users());
        assert!(of(&deletes, Place::Leads).is_some() && of(&deletes, Place::Top).is_none());
    }

    #[test]
    fn f4_what_denies_takes_nothing_back_and_what_is_not_understood_is_everybodys() {
        assert_eq!(of(&with(Sid::system(), 1, 0, ALL, Sid::users()), Place::Ours), None);
        let denied_first = protected(Some(Sid::system()), vec![Grant::all(Sid::users()), Grant::all(Sid::users())]);
        let mut denied = denied_first.clone();
        let at = denied.len() - 2 * (Sid::users().as_bytes().len() + 8);
        denied[at] = 1;
        assert_eq!(of(&denied, Place::Ours).as_deref(), Some("S-1-5-32-545"));
        for kind in [2, 4, 5, 11, 200] {
            assert_eq!(of(&with(Sid::system(), kind, 0, ALL, Sid::users()), Place::Ours).as_deref(), Some("S-1-1-0"), "{kind}");
        }
        assert_eq!(of(&with(Sid::system(), 9, 0, ALL, Sid::users()), Place::Ours).as_deref(), Some("S-1-5-32-545"), "with a condition");
    }

    #[test]
    fn f4_a_missing_list_or_owner_and_a_descriptor_that_is_cut_off_are_everybodys() {
        let whole = of_folder();
        for length in 0..whole.len() {
            assert!(of(&whole[..length], Place::Ours).is_some(), "{length}");
        }
        let changed = |at: usize, bytes: &[u8]| {
            let mut descriptor = whole.clone();
            descriptor[at..at + bytes.len()].copy_from_slice(bytes);
            of(&descriptor, Place::Ours)
        };
        assert_eq!(changed(2, &[0, 0x80]).as_deref(), Some("S-1-1-0"), "no list");
        assert_eq!(changed(16, &[0; 4]).as_deref(), Some("S-1-1-0"), "a list that is nowhere");
        assert_eq!(changed(4, &[0; 4]).as_deref(), Some("S-1-1-0"), "no owner");
        assert_eq!(changed(16, &[0xFF; 4]).as_deref(), Some("S-1-1-0"), "a list outside");
    }
}
