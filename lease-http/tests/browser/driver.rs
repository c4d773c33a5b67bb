//! Headless Chromium under chromedriver, which speaks `WebDriver`: JSON over HTTP (W3C).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// The name under which a response holds an element's id (`WebDriver`, section 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long an element is waited for.
const PATIENCE_MS: u32 = 20_000;

/// A browser under way that can reach nothing but this machine. Ended when it is dropped.
pub(crate) struct Browser {
    driver: Child,
    address: String,
    session: String,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let mut driver = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(driver.stdout.take().unwrap());
        let started = output.lines().map(Result::unwrap).find(|line| line.contains("started successfully")).unwrap();
        let port: String = started.chars().filter(char::is_ascii_digit).collect();
        let mut browser = Self { driver, address: format!("127.0.0.1:{port}"), session: String::new() };
        let capabilities = json!({
            "goog:chromeOptions": { "args": [
                "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,1600",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ] },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "implicit": PATIENCE_MS },
        });
        let made = browser.ask("POST", "", &json!({ "capabilities": { "alwaysMatch": capabilities } }));
        browser.session = format!("/{}", made["sessionId"].as_str().unwrap());
        browser
    }

    pub(crate) fn open(&self, url: &str) {
        self.ask("POST", "/url", &json!({ "url": url }));
    }

    pub(crate) fn click(&self, css: &str) {
        self.ask("POST", &format!("/element/{}/click", self.find(css)), &json!({}));
    }

    pub(crate) fn write(&self, css: &str, text: &str) {
        self.ask("POST", &format!("/element/{}/value", self.find(css)), &json!({ "text": text }));
    }

    /// The text that is seen of the first such element.
    pub(crate) fn text(&self, css: &str) -> String {
        self.ask("GET", &format!("/element/{}/text", self.find(css)), &Value::Null).as_str().unwrap().to_owned()
    }

    /// What the console says since it was last asked.
    pub(crate) fn console(&self) -> Vec<String> {
        let lines = self.ask("POST", "/se/log", &json!({ "type": "browser" }));
        lines.as_array().unwrap().iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits for an element.
    fn find(&self, css: &str) -> String {
        let found = self.ask("POST", "/element", &json!({ "using": "css selector", "value": css }));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Asks the driver about the session.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, mut response) = self.send(method, path, body).unwrap();
        assert!(status.starts_with("HTTP/1.1 200"), "{method} {path} {body}: {response}");
        response["value"].take()
    }

    /// The status line and the body of a response, as long as it says to be: the driver keeps the connection open.
    fn send(&self, method: &str, path: &str, body: &Value) -> std::io::Result<(String, Value)> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (address, session, length) = (&self.address, &self.session, body.len());
        let mut stream = TcpStream::connect(address)?;
        write!(stream, "{method} /session{session}{path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n{body}")?;
        let mut stream = BufReader::new(stream);
        let (mut head, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let (name, value) = line.split_once(':').unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
            head.push(line);
        }
        let mut response = vec![0; length];
        stream.read_exact(&mut response)?;
        Ok((head.swap_remove(0), serde_json::from_slice(&response)?))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser itself is the driver's to end. Either may have ended.
        let _ = self.send("DELETE", "", &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
