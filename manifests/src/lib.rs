//! What is true about releases, and how it is proved.
//!
//! This library is pure: it takes bytes, values and `now`, and returns trusted data or a typed error. It opens no file, no socket and
//! no clock. Publishing, which does read folders and write repositories, is behind the feature `publish`.
//!
//! # Layout
//!
//! - Foundations: [`json`] (strict reading), [`canonical`] (what signatures cover), [`digest`], [`time`], [`name`], [`path`], [`build`], [`quote`].
//! - TUF 1.0.34: [`key`], [`signed`], [`role`] and its four kinds ([`root`], [`timestamp`], [`snapshot`], [`targets`]), [`limits`], and the
//!   client workflow itself in [`trust`].
//! - Ours: [`policy`], [`channel`], [`release`] with [`pack`], [`install_link`], [`compat`], which says whether a client fits a server, and [`decide`], which says what a station does and why.
//! - What comes back: [`attempt`], what a station did, named by an [`id`] and set off by a [`trigger`]; [`report`], what it tells its server of that.
//!
//! The bytes are described in `docs/format.md`.

// Whatever comes from disk, network or people is a Result: nothing in this crate may panic over it, nor wrap around.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]

pub mod attempt;
pub mod build;
pub mod canonical;
pub mod channel;
pub mod compat;
pub mod decide;
pub mod digest;
#[cfg(windows)]
pub mod dll_search;
pub mod id;
pub mod install_link;
pub mod json;
pub mod key;
pub mod limits;
pub mod name;
pub mod pack;
pub mod path;
pub mod policy;
pub mod quote;
pub mod release;
pub mod report;
pub mod role;
pub mod root;
pub mod signed;
pub mod signer;
pub mod snapshot;
pub mod steering;
pub mod targets;
pub mod time;
pub mod timestamp;
pub mod trigger;
pub mod trust;

// Its sums are of lengths and counts of what lies on its own disk; the files that read what others may have written deny arithmetic again.
#[cfg(feature = "publish")]
#[allow(clippy::arithmetic_side_effects)]
pub mod publish;
// Tests want panics.
#[cfg(feature = "testing")]
#[allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]
pub mod testing;
