//! Other people's TUF clients as judges of ours.
//!
//! Two implementations that share no code with this project read what it writes, write what it reads, and judge what nobody should accept: python-tuf, the reference
//! implementation, as a process of its own ([`python`]), and sigstore-tuf, a Rust client, in this one ([`sigstore`]). Both come from their package registries.
//!
//! - `tests/reads_ours.rs`, `tests/reads_theirs.rs`: both directions, over HTTP.
//! - `tests/canonical.rs`: the bytes that signatures cover (attack B6).
//! - `tests/differential.rs`: the same verdict from all three on thousands of mutated repositories. [`generate`] makes them, [`case`] is one of them, [`ours`], [`sigstore`] and
//!   [`python`] judge, and [`classes`] says which differences there are, why, and who is right.

pub mod case;
pub mod classes;
pub mod generate;
pub mod ours;
pub mod provider;
pub mod python;
pub mod random;
pub mod sigstore;
