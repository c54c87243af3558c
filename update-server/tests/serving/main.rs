//! The server as clients and operators meet it: real sockets, raw requests, a repository in a temporary folder.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod attacks;
mod caching;
mod client;
mod commands;
mod demo;
mod exhaustion;
mod health;
mod interrupted;
mod operators;
mod poisoning;
mod publishing;
mod ranges;
mod sample;
mod shutdown;
mod site;
mod station;
mod upkeep;
