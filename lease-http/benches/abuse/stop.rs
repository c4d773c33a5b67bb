//! The end of the server.

use std::fmt;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::SHUTDOWN;
use crate::support::server::Server;

/// How the server ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    pub(crate) took: Duration,
    /// `None` if it still runs.
    pub(crate) status: Option<ExitStatus>,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs_f64();
        match self.status {
            Some(status) => write!(f, "the server ended {seconds:.1} s after SIGTERM with {status}"),
            None => write!(f, "the server still ran {seconds:.1} s after SIGTERM"),
        }
    }
}

/// Sends SIGTERM, and waits for somewhat longer than the server may take.
pub(crate) fn terminate(mut server: Server) -> Stop {
    let start = Instant::now();
    let signal = Command::new("kill").args(["-s", "TERM", &server.child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    loop {
        let (took, status) = (start.elapsed(), server.child.try_wait().unwrap());
        if status.is_some() || took > SHUTDOWN * 2 {
            return Stop { took, status };
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
