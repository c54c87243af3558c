//! What is true about releases, and how it is proved.
//!
//! This library is pure: it takes bytes, values and `now`, and returns trusted data or a typed error. It opens no file, no socket and
//! no clock. Publishing, which does read folders and write repositories, is behind the feature `publish`.
//!
//! # Layout
//!
//! - Foundations: [`json`] (strict reading), [`canonical`] (what signatures cover), [`digest`], [`time`], [`name`], [`path`], [`build`].
//! - TUF 1.0.34: [`key`], [`signed`], [`role`] and its four kinds ([`root`], [`timestamp`], [`snapshot`], [`targets`]), [`limits`], and the
//!   client workflow itself in [`trust`].
//! - Ours: [`policy`], [`channel`], [`release`] with [`pack`], [`install_link`], and [`decide`], which says what a station does and why.
//!
//! The bytes are described in `docs/format.md`.

// What comes from disk, network or people is a Result; where it cannot fail, the text of an `expect` says why.
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod build;
pub mod canonical;
pub mod channel;
pub mod decide;
pub mod digest;
pub mod install_link;
pub mod json;
pub mod key;
pub mod limits;
pub mod name;
pub mod pack;
pub mod path;
pub mod policy;
pub mod release;
pub mod role;
pub mod root;
pub mod signed;
pub mod signer;
pub mod snapshot;
pub mod targets;
pub mod time;
pub mod timestamp;
pub mod trust;

#[cfg(feature = "publish")]
pub mod publish;
#[cfg(feature = "testing")]
pub mod testing;
