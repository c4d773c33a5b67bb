//! A throw-away `PgBouncer` in transaction mode, in front of the Postgres of the tests.

use std::str::FromStr as _;

use sqlx::postgres::PgConnectOptions;

use super::script::Script;

/// It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct RunningPooler {
    _script: Script,
    directory: String,
}

impl RunningPooler {
    /// Starts the pooler with these settings beside its defaults.
    pub(crate) fn start(settings: &[&str]) -> Self {
        let server = PgConnectOptions::from_str(&super::SERVER).expect("a Postgres URL");
        let socket = server.get_socket().and_then(|path| path.to_str());
        let port = server.get_port().to_string();
        let place = [socket.unwrap_or_else(|| server.get_host()), &port, server.get_username()];
        let mut script = Script::start(include_str!("pooler.sh"), &[&place, settings].concat());
        let directory = script.ready("Install PgBouncer (Debian, Ubuntu: apt-get install pgbouncer).");
        Self { _script: script, directory }
    }

    /// The URL of a database behind the pooler.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost:6432/{database}?host={}", self.directory)
    }
}
