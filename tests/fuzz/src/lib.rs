//! What hostile bytes may not do: one function per kind of input, called by the fuzzer with bytes it thinks up and by `cargo test` with those it
//! found before.
//!
//! Each takes any bytes, reads them as the product would, and panics when more than "refused" is wrong: what was accepted must be what the rules
//! of `docs/format.md` allow, judged here by code of its own ([`judge`]); writing and reading it again must give the same; memory stays bounded.
//! It returns whether the bytes were accepted, so that a test can tell a seed that reaches behind the parser from one that does not.
//!
//! Random bytes do not get past a JSON parser, let alone a signature. Where that is so, bytes that are no document are read as a script of edits to
//! a valid one ([`script`]), which is signed, hashed or compressed again afterwards.
//!
//! `tests/fuzz/run` runs all targets under libFuzzer; `README.md` beside it says how to go on from a finding.

pub mod build;
pub mod channel;
pub mod ini;
pub mod install;
pub mod judge;
pub mod manifest;
pub mod pack;
pub mod path;
pub mod policy;
pub mod report;
pub mod roles;
pub mod samples;
pub mod script;
pub mod seeds;
pub mod state;

pub use build::build;
pub use channel::channel;
pub use ini::ini;
pub use install::install;
pub use manifest::manifest;
pub use pack::pack;
pub use path::path;
pub use policy::policy;
pub use report::report;
pub use roles::raw::roles_raw;
pub use roles::signed::roles_signed;
pub use state::state;

/// Tries some bytes; true when they were accepted as what the target reads. Panics when a promise is broken.
pub type Target = fn(&[u8]) -> bool;

/// Every target by its name, which is also that of its corpus and, with `fuzz_` before it, of its program.
pub const TARGETS: [(&str, Target); 12] = [
    ("roles_raw", roles_raw),
    ("roles_signed", roles_signed),
    ("channel", channel),
    ("policy", policy),
    ("manifest", manifest),
    ("path", path),
    ("build", build),
    ("install", install),
    ("ini", ini),
    ("pack", pack),
    ("state", state),
    ("report", report),
];

/// The program of a target: under `cargo fuzz` the fuzzer's, otherwise one that tries the files named on its command line.
#[macro_export]
macro_rules! program {
    ($target:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| {
            let _ = fuzz::$target(data);
        });

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            for path in std::env::args_os().skip(1) {
                fuzz::$target(&std::fs::read(path)?);
            }
            Ok(())
        }
    };
}
