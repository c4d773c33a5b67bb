//! A connection to the server that costs little: it reads of a response only what the next request needs.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection that is kept open.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// The body of a response, as JSON without spaces.
pub(crate) struct Body<'a>(&'a str);

impl Connection {
    pub(crate) async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, received: Vec::new() }
    }

    pub(crate) async fn get(&mut self, user: u64, path: &str) -> Body<'_> {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Token {user:040x}\r\n\r\n")).await
    }

    pub(crate) async fn post(&mut self, user: u64, path: &str, body: &str) -> Body<'_> {
        self.send(format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Token {user:040x}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len(),
        ))
        .await
    }

    async fn send(&mut self, request: String) -> Body<'_> {
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.received.clear();
        let mut end = None;
        while end.is_none_or(|end| self.received.len() < end) {
            assert_ne!(self.stream.read_buf(&mut self.received).await.unwrap(), 0, "the server has closed the connection");
            end = end.or_else(|| end_of(&self.received));
        }
        let response = std::str::from_utf8(&self.received).unwrap();
        assert!(response.starts_with("HTTP/1.1 2"), "{request}\n{response}");
        Body(response.split_once("\r\n\r\n").unwrap().1)
    }
}

/// The length of the response, once its head is complete.
fn end_of(received: &[u8]) -> Option<usize> {
    let head = received.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let (_, length) = std::str::from_utf8(&received[..head]).unwrap().split_once("\r\ncontent-length: ").unwrap();
    Some(head + length.split_once('\r').unwrap().0.parse::<usize>().unwrap())
}

impl Body<'_> {
    /// The first number under this name.
    pub(crate) fn number(&self, name: &str) -> u64 {
        let number = self.0.split_once(&format!("\"{name}\":")).and_then(|(_, number)| number.split_once([',', '}']));
        number.unwrap_or_else(|| panic!("no {name} in {}", self.0)).0.parse().unwrap()
    }
}
