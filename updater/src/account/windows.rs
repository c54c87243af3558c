//! Accounts on Windows: a process gives each that it meets a number of its own, so that the rest of the program can tell them apart as it does on Unix. The number 0 is whoever has the computer
//! anyway: the system and its administrators.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::sid::Sid;
use crate::fs::Stat;
use crate::windows_api::security;

/// Who has the computer, in words.
pub(super) const ROOT: &str = "an administrator";

/// Every account but those of number 0, in the order in which they were met.
static MET: Mutex<Vec<Sid>> = Mutex::new(vec![]);

/// The number of `sid`.
pub(crate) fn number_of(sid: &Sid) -> u32 {
    if sid.is_root() {
        return 0;
    }
    let mut met = MET.lock().unwrap_or_else(PoisonError::into_inner);
    let place = met.iter().position(|known| known == sid).unwrap_or_else(|| {
        met.push(sid.clone());
        met.len() - 1
    });
    u32::try_from(place + 1).unwrap_or(u32::MAX)
}

/// The account of this process.
pub(crate) fn ours() -> Sid {
    static OURS: OnceLock<Sid> = OnceLock::new();
    // Without an answer nothing of ours is ours.
    OURS.get_or_init(|| security::account().ok().and_then(|sid| Sid::parse(&sid)).unwrap_or_else(Sid::creator_owner)).clone()
}

/// Whether this process has an administrator's rights; without them being switched on, an administrator has none.
pub(crate) fn is_administrator() -> bool {
    static IS: OnceLock<bool> = OnceLock::new();
    *IS.get_or_init(|| ours() == Sid::system() || security::has(Sid::administrators().as_bytes()).unwrap_or(false))
}

/// What `sid` is called: `DOMAIN\name`, or its number where it has no name.
pub(crate) fn name_of(sid: &Sid) -> String {
    match security::name(sid.as_bytes()) {
        Ok((domain, name)) if domain.is_empty() => name,
        Ok((domain, name)) => format!(r"{domain}\{name}"),
        Err(_) => sid.to_string(),
    }
}

/// What this account is called where it has no name.
pub(super) fn number() -> String {
    ours().to_string()
}

/// Whether it answers for an install folder: on this system whoever may write there does.
pub(super) fn answers_for(_: &Stat) -> bool {
    true
}

/// How the account `owner` has something, in words that follow its name.
pub(super) fn says_of(owner: u32) -> String {
    let met = MET.lock().unwrap_or_else(PoisonError::into_inner);
    let sid = usize::try_from(owner).ok().and_then(|owner| met.get(owner.checked_sub(1)?));
    sid.map_or_else(|| "can be changed by others".to_owned(), |sid| format!("can be changed by {} ({sid})", name_of(sid)))
}
