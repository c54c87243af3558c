//! Role metadata: the envelope, and every step of the TUF client workflow.

pub mod raw;
pub mod signed;

use manifests::root::Root;
use manifests::snapshot::Snapshot;
use manifests::targets::Targets;
use manifests::time::UtcTime;
use manifests::timestamp::Timestamp;
use manifests::trust::TrustedSet;

use crate::samples;

/// All that a set trusts, to see that a refused file changes nothing.
#[derive(Debug, Clone, PartialEq)]
struct Trusted {
    root: Root,
    timestamp: Option<Timestamp>,
    snapshot: Option<Snapshot>,
    targets: Option<Targets>,
}

impl Trusted {
    fn by(set: &TrustedSet) -> Trusted {
        Trusted {
            root: set.root().clone(),
            timestamp: set.timestamp().cloned(),
            snapshot: set.snapshot().cloned(),
            targets: set.targets().cloned(),
        }
    }
}

fn now() -> UtcTime {
    samples::NOW.parse().expect("a time")
}
