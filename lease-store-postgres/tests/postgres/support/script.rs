//! Scripts that run a server beside the tests, and stop it when their standard input ends: when the tests end, however they do.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running script.
#[derive(Debug)]
pub(crate) struct Script {
    child: Child,
    input: Option<ChildStdin>,
    says: Lines<BufReader<ChildStdout>>,
}

impl Script {
    pub(crate) fn start(text: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", text, "sh"]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("sh is there");
        let input = child.stdin.take();
        let output = child.stdout.take().expect("standard output is piped");
        Self { child, input, says: BufReader::new(output).lines() }
    }

    /// Waits until the server is up; returns the directory of its socket.
    pub(crate) fn ready(&mut self, advice: &str) -> String {
        let mut said = String::new();
        loop {
            match self.says.next() {
                Some(Ok(line)) => match line.strip_prefix("ready ") {
                    Some(directory) => return directory.to_owned(),
                    None => said = format!("{said}{line}\n"),
                },
                _ => panic!("These tests start a server of their own, which did not work:\n{said}{advice}"),
            }
        }
    }

    /// Gives the script an order.
    pub(crate) fn order(&mut self, order: &str) {
        let input = self.input.as_mut().expect("the script runs");
        writeln!(input, "{order}").expect("the script reads");
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}
