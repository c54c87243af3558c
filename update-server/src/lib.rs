//! Serves signed releases: repositories byte for byte as they were published, and the install documents by which stations come to trust them.
//!
//! The server vouches for nothing: what it serves is signed by others and checked by those who download it. It may hold the keys of snapshot and
//! timestamp, with which it keeps repositories from expiring and makes submissions visible that their publisher has signed; with those nobody can make a
//! release but of the folders that it publishes itself, whose keys lie here (`demo`, and a site that an `AppServer.ini` describes, hold all keys, and say so). What it does promise is to serve nothing but the files of a repository, to say precisely how long
//! they may be kept, and not to be stopped by a slow client.
//!
//! # Layout
//!
//! - [`config`]: what it can be told. [`server`], [`connection`], [`places`] and [`sendfile`]: listeners, limits, shutdown, large files. [`router`]: every route
//!   on one page.
//! - [`routes`]: the answers. [`content`]: which file a path names, from memory or disk. [`error`]: what goes wrong for a client.
//! - [`upkeep`]: signs anew what would expire. [`publishing`]: who may publish, and what. [`readiness`] and [`metrics`]: what operators are told.
//! - [`folders`]: folders that publish themselves. [`appserver`]: what an `AppServer.ini` says of them. [`watch`]: when a folder has changed and become still.
//! - [`reports`]: what stations tell of their updates, and the journal that keeps it.
//! - [`demo`]: a whole system in one folder.
//! - [`cli`]: `serve`, `import`, `link`, `journal`, `demo`. [`install_documents`], [`identity`]: what a link leads to, and under which name. [`logging`], [`signals`],
//!   [`descriptors`], [`clock`]: the process and its machine.

// What comes from disk, network or people is a Result; where it cannot fail, the text of an `expect` says why.
#![cfg_attr(not(test), warn(clippy::unwrap_used))]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that cannot go on should stop there"))]

pub mod app;
pub mod appserver;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connection;
pub mod content;
pub mod demo;
pub mod descriptors;
pub mod error;
pub mod folders;
pub mod identity;
pub mod install_documents;
pub mod logging;
pub mod metrics;
pub mod places;
pub mod publishing;
pub mod readiness;
pub mod reports;
pub mod router;
pub mod routes;
pub mod sendfile;
pub mod server;
pub mod signals;
pub mod upkeep;
pub mod watch;

pub use server::{run, run_app};
