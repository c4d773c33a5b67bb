//! A throw-away Postgres that ends with the tests, however these end.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

const SCRIPT: &str = include_str!("server.sh");

/// The script that runs the server: it stops it when its standard input ends, which is when this process does.
static RUNNING: Mutex<Option<Child>> = Mutex::new(None);

/// Starts it and returns its URL.
pub(crate) fn start() -> String {
    let mut script = command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sh is there");
    let mut says = String::new();
    let output = script.stdout.take().expect("standard output is piped");
    let mut lines = BufReader::new(output).lines();
    let directory = loop {
        match lines.next() {
            Some(Ok(line)) => match line.strip_prefix("ready ") {
                Some(directory) => break directory.to_owned(),
                None => says = format!("{says}{line}\n"),
            },
            _ => panic!(
                "These tests start a Postgres of their own, which did not work:\n{says}Install Postgres (Debian, Ubuntu: \
                 apt-get install postgresql), or set DATABASE_URL to a server on which databases may be made."
            ),
        }
    };
    *RUNNING.lock().expect("nobody panicked here") = Some(script);
    format!("postgres://postgres@localhost/postgres?host={directory}")
}

/// Postgres refuses to run as root: then it runs as the user that its packages make.
fn command() -> Command {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if is_root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh", "-c", SCRIPT]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT]);
        command
    }
}
