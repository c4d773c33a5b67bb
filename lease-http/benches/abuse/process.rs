//! What the server and Postgres use, as Linux counts it.

use std::fs;
use std::time::Instant;

use crate::support::postgres::Postgres;
use crate::support::server::Server;

/// Counts from its start.
pub(crate) struct Meter {
    start: Instant,
    server: f64,
    postgres: f64,
}

/// What was used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    /// The most memory that the server had, in MiB.
    pub(crate) memory: u64,
    /// The CPU time of the server, in percent of one core.
    pub(crate) server: f64,
    /// The CPU time of Postgres, in percent of one core.
    pub(crate) postgres: f64,
}

impl Meter {
    pub(crate) fn start(server: &Server, postgres: &Postgres) -> Self {
        // Forgets the maximum.
        fs::write(format!("/proc/{}/clear_refs", server.child.id()), "5").unwrap();
        Self { start: Instant::now(), server: server.cpu(), postgres: postgres.cpu() }
    }

    pub(crate) fn stop(self, server: &Server, postgres: &Postgres) -> Used {
        let percent = |microseconds: f64| microseconds / self.start.elapsed().as_secs_f64() / 10_000.0;
        Used {
            memory: peak_memory(server.child.id()),
            server: percent(server.cpu() - self.server),
            postgres: percent(postgres.cpu() - self.postgres),
        }
    }
}

/// The largest resident set, in MiB, rounded up.
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the server runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap().div_ceil(1024)
}

/// The number of files and connections that a process has open.
pub(crate) fn descriptors(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).map_or(0, Iterator::count)
}
