//! Brings a station's client to the right build, safely, and back again.
//!
//! # Layout
//!
//! - [`pipeline`] names the steps of an update in their order; it is the place to begin.
//! - Asking: [`check`] (with [`refresh`] and [`trust_store`]), [`fetch`].
//! - Looking and deciding: [`scan`], [`plan`]; [`consent`] says who has to agree, [`deadline`] until when that can be put off.
//! - Changing: [`in_use`], [`stage`], [`backup`], [`swap`], [`rollback`]. All of it goes through [`fs`], the one module that changes the file system.
//! - For whom: [`profile`] says where the state lies and whom that protects against; [`agent`] works for people without rights.
//! - Telling: [`report`] delivers what waits in the [`outbox`].
//! - What people read, in their language, and what every code means: [`text`].
//! - What is kept in `.updater`: [`station`], [`station_key`], [`installed`], [`ratchet`], [`history`], [`outbox`], [`lock`], [`settings`], [`told`]. The bytes are in `docs/format.md`.
//!
//! The library prints nothing and reads no clock; [`progress`] and `now` come from outside.

// What comes from disk, network or people is a Result; where it cannot fail, the text of an `expect` says why.
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod account;
pub mod agent;
pub mod answers;
pub mod attempts;
pub mod backup;
pub mod check;
pub mod clock;
pub mod code;
pub mod config_merge;
pub mod consent;
pub mod deadline;
pub mod doctor;
pub mod exit_code;
pub mod fetch;
pub mod firewall;
pub mod fs;
pub mod history;
pub mod in_use;
pub mod install;
pub mod installed;
pub mod interference;
pub mod launch;
mod lines;
pub mod lock;
pub mod mark;
pub mod offline;
pub mod outbox;
pub mod pipeline;
pub mod plan;
pub mod pristine;
pub mod probe;
pub mod profile;
pub mod progress;
pub mod proof;
pub mod ratchet;
pub mod recognise;
pub mod refresh;
pub mod report;
pub mod rollback;
pub mod room;
pub mod scan;
pub mod schedule;
pub mod self_check;
pub mod self_update;
pub mod settings;
pub mod shortcut;
pub mod stage;
pub mod state_format;
pub mod station;
pub mod station_key;
pub mod support_bundle;
pub mod swap;
pub mod system_log;
pub mod text;
pub mod told;
pub mod trust_store;
pub mod trusted;
pub mod waiting;
#[cfg(windows)]
mod windows_api;

pub use manifests::{id, trigger};
