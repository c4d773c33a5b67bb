use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{TimeZone as _, Utc};
use lease_core::mail::{Letter, Mailer as _};
use lease_core::model::MailKind;
use lease_mail::{LeaseMailer, MailerConfig, samples};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Where `make test` installs Python with aiosmtpd.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/mail/bin/python");
const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/check/smtp_here.py");

/// A folder that is gone after the test.
pub(crate) struct TempFolder(PathBuf);

impl TempFolder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("lease-mail-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn url(&self) -> String {
        format!("file:{}", self.0.display())
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    /// The names of its files, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A mail that was written into a folder: what it consists of.
pub(crate) struct Written {
    pub(crate) headers: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

impl Written {
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut lines = self.headers.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(header, _)| *header == name).unwrap().1
    }
}

pub(crate) fn config(url: &str) -> MailerConfig {
    MailerConfig::new(url.into(), "Lease <no-reply@lease.example>".to_owned())
}

/// The mail that comes out of a letter.
pub(crate) async fn written(letter: &Letter) -> Written {
    written_by(|config| config.with_public_url("https://lease.example".parse().unwrap()), letter).await
}

/// The mail that comes out of a letter with another configuration.
pub(crate) async fn written_by(configure: impl FnOnce(MailerConfig) -> MailerConfig, letter: &Letter) -> Written {
    let folder = TempFolder::new();
    configure(config(&folder.url())).build().unwrap().send(letter).await.unwrap();
    let [name] = folder.names().try_into().unwrap();
    read(&fs::read_to_string(folder.path().join(name)).unwrap())
}

/// Takes a mail apart whose parts are written as they are.
fn read(mail: &str) -> Written {
    let (headers, body) = mail.split_once("\r\n\r\n").unwrap();
    let boundary = headers.split_once("boundary=\"").unwrap().1.split_once('"').unwrap().0;
    let parts: Vec<_> = body.split(&format!("--{boundary}")).collect();
    let part = |number: usize, kind: &str| {
        let (headers, text) = parts[number].split_once("\r\n\r\n").unwrap();
        assert!(headers.contains(kind) && headers.contains("Transfer-Encoding: 7bit"), "{headers}");
        text.to_owned()
    };
    Written { headers: headers.replace("\r\n ", " "), text: part(1, "text/plain"), html: part(2, "text/html") }
}

/// A letter as it might come.
pub(crate) fn letter(kind: MailKind) -> Letter {
    let letter = samples(kind).swap_remove(0);
    Letter { id: "mail-17".to_owned(), at: Utc.with_ymd_and_hms(2026, 11, 29, 12, 0, 0).unwrap(), ..letter }
}

/// A letter to this address.
pub(crate) fn letter_to(address: &str) -> Letter {
    Letter { to: address.to_owned(), ..letter(MailKind::InvoiceIssued) }
}

/// A letter with another fact.
pub(crate) fn with_fact(mut letter: Letter, name: &str, fact: impl Into<Value>) -> Letter {
    assert!(letter.facts.insert(name.to_owned(), fact.into()).is_some(), "{name} is no fact of {}", letter.kind);
    letter
}

/// A mail server on this machine. It ends with the test.
pub(crate) struct Server {
    _process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    folder: TempFolder,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) async fn start(options: &[&str]) -> Self {
        assert!(Path::new(PYTHON).exists(), "the mail server of the tests is missing: make mailserver");
        let folder = TempFolder::new();
        let mut command = Command::new(PYTHON);
        command.arg(SERVER).args(options).env("TMPDIR", folder.path()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let place: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        Self { _process: process, lines, folder, port: place["port"].as_u64().unwrap().try_into().unwrap() }
    }

    /// The certificate of the authority that vouches for the server.
    pub(crate) fn certificate(&self) -> PathBuf {
        let [name] = self.folder.names().try_into().unwrap();
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self) -> MailerConfig {
        config(&format!("smtp://127.0.0.1:{}", self.port))
    }

    pub(crate) fn mailer(&self) -> LeaseMailer {
        self.config().build().unwrap()
    }

    /// The next mail that the server took.
    pub(crate) async fn next_mail(&mut self) -> Value {
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }
}
