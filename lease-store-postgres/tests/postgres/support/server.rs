//! A throw-away Postgres that ends with the tests, however they end.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;

const SCRIPT: &str = include_str!("server.sh");

/// The script that runs the server. It stops the server when its standard input ends, which is when this process ends.
static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

struct Running {
    script: Child,
    says: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Waits until the server is up; returns the directory of its socket.
    fn ready(&mut self) -> String {
        let mut said = String::new();
        loop {
            match self.says.next() {
                Some(Ok(line)) => match line.strip_prefix("ready ") {
                    Some(directory) => return directory.to_owned(),
                    None => said = format!("{said}{line}\n"),
                },
                _ => panic!(
                    "These tests start a Postgres of their own, which did not work:\n{said}Install Postgres (Debian, Ubuntu: \
                     apt-get install postgresql), or set DATABASE_URL to a server on which databases may be made."
                ),
            }
        }
    }
}

/// Starts the server and returns its URL.
pub(crate) fn start() -> String {
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut script = command.spawn().expect("sh is there");
    let output = script.stdout.take().expect("standard output is piped");
    let mut running = Running { script, says: BufReader::new(output).lines() };
    let directory = running.ready();
    *RUNNING.lock().expect("nobody panicked here") = Some(running);
    format!("postgres://postgres@localhost/postgres?host={directory}")
}

/// Stops the server at once, as a power cut would, and starts it again. A server that these tests did not start is left alone.
pub(crate) fn crash() {
    if let Some(running) = RUNNING.lock().expect("nobody panicked here").as_mut() {
        let input = running.script.stdin.as_mut().expect("standard input is piped");
        writeln!(input, "crash").expect("the script reads");
        running.ready();
    }
}
