//! What Linux says of accounts: who is at the other end of a socket (`SO_PEERCRED`), and which groups an account is in.

use std::ffi::CString;
use std::io;
use std::os::unix::net::UnixStream;

use nix::unistd::{Gid, User};

/// The number of the account at the other end of `stream`.
pub(super) fn of_peer(stream: &UnixStream) -> io::Result<u32> {
    Ok(rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw())
}

/// The groups that the system's directory of accounts gives `user`.
pub(super) fn groups(user: &User) -> Vec<Gid> {
    let name = CString::new(user.name.as_bytes()).ok();
    name.and_then(|name| nix::unistd::getgrouplist(&name, user.gid).ok()).unwrap_or_default()
}
