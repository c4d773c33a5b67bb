//! A throw-away Postgres.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use sqlx::{Connection as _, PgConnection};

use crate::cpu;

const SCRIPT: &str = include_str!("../../../lease-store-postgres/tests/postgres/support/server.sh");

/// A Postgres that ends when it is dropped.
pub(crate) struct Postgres {
    script: Child,
    /// The directory of its socket.
    pub(crate) directory: String,
    /// Its first process, of which all others are children.
    process: u32,
}

impl Postgres {
    pub(crate) fn start() -> Self {
        let mut command = Command::new("sh");
        // On disk, where the script would rather use memory.
        command.args(["-c", SCRIPT]).env("TMPDIR", std::env::temp_dir()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut script = command.spawn().unwrap();
        let output = BufReader::new(script.stdout.take().unwrap());
        let ready = |line: String| line.strip_prefix("ready ").map(str::to_owned);
        let directory = output.lines().map_while(Result::ok).find_map(ready).expect("Postgres starts");
        let pid_file = std::fs::read_to_string(format!("{directory}/data/postmaster.pid")).unwrap();
        let process = pid_file.lines().next().unwrap().parse().unwrap();
        Self { script, directory, process }
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", self.directory)
    }

    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    /// The CPU time of all its processes.
    pub(crate) fn cpu(&self) -> f64 {
        cpu::of_family(self.process)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The script ends with its standard input, and then nothing of the server is left.
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}
