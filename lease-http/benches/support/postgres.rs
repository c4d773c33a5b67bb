//! A throw-away Postgres.

use sqlx::{Connection as _, PgConnection};

use super::cpu;
use super::script::Script;

const SCRIPT: &str = include_str!("../../../lease-store-postgres/tests/postgres/support/server.sh");

/// A Postgres that ends when it is dropped.
pub(crate) struct Postgres {
    _script: Script,
    /// The directory of its socket.
    pub(crate) directory: String,
    /// Its first process, of which all others are children.
    process: u32,
}

impl Postgres {
    pub(crate) fn start() -> Self {
        // On disk, where the script would rather use memory.
        let script = format!("export TMPDIR='{}'\n{SCRIPT}", std::env::temp_dir().display());
        let mut script = Script::start(&script, &[]);
        let directory = script.ready("Install Postgres (Debian, Ubuntu: apt-get install postgresql).");
        let pid_file = std::fs::read_to_string(format!("{directory}/data/postmaster.pid")).unwrap();
        let process = pid_file.lines().next().unwrap().parse().unwrap();
        Self { _script: script, directory, process }
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
