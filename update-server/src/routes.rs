//! What the server answers, one file for each kind of caller; the paths are in [`crate::router`].

pub mod health;
pub mod install;
pub mod metrics;
pub mod publish;
pub mod reports;
pub mod repository;
