//! The client workflow (TUF 1.0.34, section 5) against whoever controls network, mirror or stolen keys: one test per check (W*) and per attack on metadata and
//! parsers (A*, B*); `docs/security.md` says which is which.
//!
//! Everything happens in memory: [`repository`] signs what a publisher, or a thief of keys, could sign; [`station`] takes it in the order of the workflow.

mod documents;
mod repository;
mod station;

mod carried;
mod delegation;
mod parser;
mod root;
mod shapes;
mod signatures;
mod snapshot;
mod tampering;
mod targets;
mod threshold;
mod timestamp;

/// Asserts that a result is an error of this pattern.
macro_rules! refused {
    ($result:expr, $pattern:pat $(if $guard:expr)?) => {
        match $result {
            Err($pattern) $(if $guard)? => {}
            other => panic!("expected {}, got {other:?}", stringify!($pattern $(if $guard)?)),
        }
    };
}
pub(crate) use refused;
