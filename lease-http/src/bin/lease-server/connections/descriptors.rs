//! The file descriptors of the process: each connection takes one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the process opens beside the connections of clients and of the database: files, sockets of the runtime, and the places
/// for operators.
const OTHERS: u64 = 64;

/// The number of connections that the process can afford, at most `wanted`. The soft limit of descriptors is first raised as far
/// as the process may.
pub(crate) fn affordable(wanted: usize, database: u32) -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // If it may not be raised, the present limit counts.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let Some(limit) = getrlimit(Resource::Nofile).current else { return wanted };
    let left = limit.saturating_sub(OTHERS + u64::from(database));
    wanted.min(usize::try_from(left).unwrap_or(usize::MAX)).max(1)
}
