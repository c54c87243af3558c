//! Large files go from the disk's memory to the socket without passing through ours, where the system can do that.
//!
//! HTTP is written by a library that knows only bytes in memory. So the body of a large file consists of *stand-ins*: slices of one constant
//! block of the right lengths, each noted in the connection's [`Stretches`] together with the stretch of the file that it stands for. The
//! [`Socket`] at the other end of the library recognises a stand-in by its address and has the system send the stretch in its place. Bytes of one
//! connection are written in order, so the first stand-in always stands for the first stretch.
//!
//! Where there is no such system call, [`Stretches::here`] is never anything, and files are read and written instead.

#[cfg(target_os = "linux")]
#[path = "sendfile/linux.rs"]
mod platform;
#[cfg(not(target_os = "linux"))]
#[path = "sendfile/portable.rs"]
mod platform;

pub use platform::{Socket, Stretches};
