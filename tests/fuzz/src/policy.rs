//! The policy.

use manifests::name::{Name, Os};
use manifests::policy::Policy;

use crate::judge;
use crate::samples::{self, LIMIT};
use crate::script::{Script, is_document};

/// Reads a policy: a document as it is, or edits to a valid one.
pub fn policy(data: &[u8]) -> bool {
    let repository: Name = "acme".parse().expect("a name");
    let bytes = if is_document(data) { data.to_vec() } else { samples::edited(samples::POLICY, &mut Script::new(data)) };
    let policy = match Policy::parse(&bytes, &repository, LIMIT) {
        Ok(policy) => policy,
        Err(error) => {
            judge::assert_readable(&error);
            return false;
        }
    };
    assert_eq!(policy.repository, repository);
    assert!((1..=3650).contains(&policy.offline_max_age_days));
    for os in Os::ALL {
        assert!((1..1 << 53).contains(&policy.epoch(*os)), "epoch {}", policy.epoch(*os));
    }
    for floor in &policy.floors {
        let (highest, _) = policy.floor(floor.os, &floor.product).expect("there is one");
        assert!((highest.0, highest.1) >= (floor.epoch, floor.sequence), "the highest floor counts");
    }
    let again = Policy::parse(&policy.to_bytes().expect("it can be written"), &repository, u64::MAX).expect("what we write we read");
    assert_eq!(again, policy);
    true
}
