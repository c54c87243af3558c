//! The whole system, as a stranger or an attacker would use it.
//!
//! Real programs run in a temporary folder and are judged from outside: trees by an independent walk ([`tree`]), bytes by a proxy that counts them
//! ([`proxy`]), everything else by exit codes and what `--json` prints. Nothing here calls the libraries under test, so that an error in them cannot
//! hide itself.
//!
//! - [`world`]: a temporary folder with builds, a content repository, servers and stations.
//! - [`server`]: an `update-server` under test. [`station`]: an install folder and the `updater` that looks after it.
//! - [`service`]: a computer where people have no rights.
//! - [`proxy`]: the network between them; it can cut, slow, corrupt, truncate, replay.
//! - [`tls`]: certificates of every kind, and HTTPS before a server.
//! - [`forge`]: signs with the publisher's keys what the publisher's tools refuse to sign.
//! - [`scene`]: a station that somebody wants to lead astray.
//! - [`zip`]: zip files with names that no folder could hold.
//! - [`language`]: how much English stands in a line.
//! - [`disk`]: file systems of a given size, kind and temper.
//! - [`root`]: what only root can do.
//! - [`running`]: a client that somebody has open.
//! - [`wine`]: Windows programs under test.
//! - [`process`]: starting programs, with a time limit on each.

#![warn(missing_docs)]

pub mod disk;
pub mod forge;
pub mod language;
pub mod process;
pub mod proxy;
pub mod root;
pub mod running;
pub mod scene;
pub mod server;
pub mod service;
pub mod station;
pub mod terminal;
pub mod tls;
pub mod tree;
pub mod wine;
pub mod world;
pub mod zip;
