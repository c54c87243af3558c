//! The number of files that a process may hold open. Each connection is one, and each large transfer another.

/// Raises the soft limit of open files towards what `connections` connections need, as far as the hard limit lets it.
#[cfg(unix)]
pub fn raise_limit(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = 2 * connections as u64 + 64;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return;
    }
    let raised = maximum.map_or(needed, |maximum| maximum.min(needed));
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
        tracing::warn!(error = %error, "the limit of open files could not be raised");
    } else if raised < needed {
        tracing::warn!(
            files.limit = raised,
            files.needed = needed,
            "the limit of open files is below what limits.max_connections may need"
        );
    }
}

/// There is no such limit here.
#[cfg(not(unix))]
pub fn raise_limit(_connections: usize) {}
