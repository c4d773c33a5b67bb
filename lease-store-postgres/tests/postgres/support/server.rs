//! A throw-away Postgres.

use std::sync::Mutex;

use super::script::Script;

const ADVICE: &str = "Install Postgres (Debian, Ubuntu: apt-get install postgresql), or set DATABASE_URL to a server on which \
                      databases may be made.";

static RUNNING: Mutex<Option<Script>> = Mutex::new(None);

/// Starts the server and returns its URL.
pub(crate) fn start() -> String {
    let mut script = Script::start(include_str!("server.sh"), &[]);
    let directory = script.ready(ADVICE);
    *RUNNING.lock().expect("nobody panicked here") = Some(script);
    format!("postgres://postgres@localhost/postgres?host={directory}")
}

/// Stops the server at once, as a power cut would, and starts it again. A server that these tests did not start is left alone.
pub(crate) fn crash() {
    if let Some(script) = RUNNING.lock().expect("nobody panicked here").as_mut() {
        script.order("crash");
        script.ready(ADVICE);
    }
}
