//! The binary `lease-server` as a process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The server, with only these settings.
pub(crate) fn command(args: &[&str], variables: &[(&str, &str)]) -> Command {
    launched(&[], args, variables)
}

/// The same, started by another program if one is named.
fn launched(launcher: &[&str], args: &[&str], variables: &[(&str, &str)]) -> Command {
    let line = [launcher, &[env!("CARGO_BIN_EXE_lease-server")], args].concat();
    let mut command = Command::new(line[0]);
    command.args(&line[1..]).env_clear().envs(variables.iter().copied()).stdin(Stdio::null());
    command
}

pub(crate) fn run(args: &[&str], variables: &[(&str, &str)]) -> Output {
    command(args, variables).output().unwrap()
}

/// A running server, on a port that the system chose. It is ended when it is dropped.
pub(crate) struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
    pub(crate) log: String,
    pub(crate) address: String,
}

impl Server {
    /// A server whose passwords are cheap to hash.
    pub(crate) fn start(args: &[&str], variables: &[(&str, &str)]) -> Self {
        let cheap = [("LEASE_ARGON2_MEMORY_KIB", "8"), ("LEASE_ARGON2_ITERATIONS", "1")];
        Self::start_by(&[], args, &[&cheap, variables].concat())
    }

    /// A server with its default settings and these, started by another program if one is named.
    pub(crate) fn start_by(launcher: &[&str], args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = launched(launcher, args, &[&[("LEASE_BIND", "127.0.0.1:0")], variables].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self { child, output, log: String::new(), address: String::new() };
        let line = server.line_with("listening on http://");
        let behind = line.split("listening on http://").nth(1).unwrap();
        behind.split(|end: char| end.is_whitespace() || end == '"').next().unwrap().clone_into(&mut server.address);
        server
    }

    /// Reads the log up to this line.
    pub(crate) fn line_with(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the log ended: {}", self.log);
            self.log.push_str(&line);
            if line.contains(text) {
                return line;
            }
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    /// Sends a request and reads the response to its end.
    pub(crate) fn ask(&self, head: &str, body: &str) -> String {
        self.ask_as("", head, body)
    }

    /// Sends a request with this `Authorization` header.
    pub(crate) fn ask_as(&self, authorization: &str, head: &str, body: &str) -> String {
        let mut stream = self.connect();
        let length = body.len();
        let authorization = if authorization.is_empty() { String::new() } else { format!("authorization: {authorization}\r\n") };
        let sent = format!(
            "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{authorization}\r\n{body}"
        );
        stream.write_all(sent.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }

    /// The value of a metric.
    pub(crate) fn metric(&self, name: &str) -> i64 {
        let metrics = self.ask("GET /metrics", "");
        value_of(&metrics, name).unwrap_or_else(|| panic!("no {name}: {metrics}"))
    }

    /// Asks until the metrics have this line.
    pub(crate) fn until(&self, line: &str) {
        self.until_metrics(line, |metrics| metrics.lines().any(|found| found == line));
    }

    /// Asks until a metric has at least this value.
    pub(crate) fn until_at_least(&self, name: &str, value: i64) {
        self.until_metrics(name, |metrics| value_of(metrics, name).is_some_and(|found| found >= value));
    }

    /// Asks until a metric has at most this value.
    pub(crate) fn until_at_most(&self, name: &str, value: i64) {
        self.until_metrics(name, |metrics| value_of(metrics, name).is_some_and(|found| found <= value));
    }

    fn until_metrics(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_so(&self.ask("GET /metrics", "")) {
            assert!(Instant::now() < deadline, "{what}: {}", self.ask("GET /metrics", ""));
            std::thread::yield_now();
        }
    }

    /// A number of KiB that the system reports on the process, such as `VmHWM`, the most memory that it has ever used.
    pub(crate) fn memory_kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// The exit code and the whole log.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        (code, std::mem::take(&mut self.log) + &rest)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn value_of(metrics: &str, name: &str) -> Option<i64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}
