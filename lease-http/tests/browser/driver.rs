//! Headless Chromium under chromedriver, controlled by the `WebDriver` protocol: JSON over HTTP (W3C).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// The key under which a response holds the id of an element (`WebDriver`, section 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// The key `Control`, and the release of all such keys (`WebDriver`, section 17.4.2).
const CONTROL: char = '\u{E009}';
const RELEASE: char = '\u{E000}';
/// The time to wait for an element.
const PATIENCE_MS: u32 = 20_000;

/// A running browser that can reach nothing but this machine. It is ended when it is dropped.
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

    /// Lets pages run no scripts from now on.
    pub(crate) fn switch_scripts_off(&self) {
        self.command("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    }

    /// Makes the page as wide as this, in a scheme of colours.
    pub(crate) fn show_as(&self, width: u32, scheme: &str) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", &size);
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.command("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// Runs a script from outside, which returns a value.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.ask("POST", "/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Runs a script from outside, which hands a value to its last argument.
    pub(crate) fn run_async(&self, script: &str) -> Value {
        self.ask("POST", "/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// The title of the page.
    pub(crate) fn title(&self) -> String {
        self.ask("GET", "/title", &Value::Null).as_str().unwrap().to_owned()
    }

    /// The address of the page.
    pub(crate) fn url(&self) -> String {
        self.ask("GET", "/url", &Value::Null).as_str().unwrap().to_owned()
    }

    /// A command of the browser's own protocol.
    fn command(&self, name: &str, parameters: &Value) {
        self.ask("POST", "/goog/cdp/execute", &json!({ "cmd": name, "params": parameters }));
    }

    /// Clicks on the link or the button with this text.
    pub(crate) fn follow(&self, text: &str) {
        let path = format!("//main//*[self::a or self::button][normalize-space()='{text}']");
        let found = self.ask("POST", "/element", &json!({ "using": "xpath", "value": path }));
        self.ask("POST", &format!("/element/{}/click", found[ELEMENT].as_str().unwrap()), &json!({}));
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

    /// Writes over what an input has, as a person does who selects all of it first.
    pub(crate) fn write_over(&self, css: &str, text: &str) {
        self.write(css, &format!("{CONTROL}a{RELEASE}{text}"));
    }

    /// What an input has.
    pub(crate) fn value(&self, css: &str) -> String {
        let value = self.ask("GET", &format!("/element/{}/property/value", self.find(css)), &Value::Null);
        value.as_str().unwrap().to_owned()
    }

    /// The visible text of the first matching element.
    pub(crate) fn text(&self, css: &str) -> String {
        self.ask("GET", &format!("/element/{}/text", self.find(css)), &Value::Null).as_str().unwrap().to_owned()
    }

    /// The messages on the console since the last call.
    pub(crate) fn console(&self) -> Vec<String> {
        let lines = self.ask("POST", "/se/log", &json!({ "type": "browser" }));
        lines.as_array().unwrap().iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits for an element.
    fn find(&self, css: &str) -> String {
        let found = self.ask("POST", "/element", &json!({ "using": "css selector", "value": css }));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Sends a request about the session to the driver.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, mut response) = self.send(method, path, body).unwrap();
        assert!(status.starts_with("HTTP/1.1 200"), "{method} {path} {body}: {response}");
        response["value"].take()
    }

    /// The status line and the body of a response, as long as its header says, since the driver keeps the connection open.
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
        // The driver ends the browser. Either may have ended already.
        let _ = self.send("DELETE", "", &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
