//! What other Unix systems, such as macOS, say of accounts: who is at the other end of a socket (`getpeereid`). Which groups an account is in is told in a way of each system's own, which is not
//! read here: the group of the account itself counts, and no other, so that a right for a group may be refused and is never given to a stranger.

use std::io;
use std::os::unix::net::UnixStream;

use nix::unistd::{Gid, User};

/// The number of the account at the other end of `stream`.
pub(super) fn of_peer(stream: &UnixStream) -> io::Result<u32> {
    Ok(nix::unistd::getpeereid(stream)?.0.as_raw())
}

/// The group of `user`.
pub(super) fn groups(user: &User) -> Vec<Gid> {
    vec![user.gid]
}
