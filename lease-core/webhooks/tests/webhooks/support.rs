use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeZone as _, Utc};
use lease_core::model::WebhookSecret;
use lease_core::webhook::{WebhookAnswer, WebhookRequest};
use lease_webhooks::{Resolver, WebhookSender};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Duration, interval};
use tokio_rustls::TlsAcceptor;

/// The secret of the example of Standard Webhooks.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Nobody's address: it is in no block that was given to anybody.
pub(crate) const NOWHERE: &str = "2000::1";

/// How a receiver answers a request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// With these bytes; the connection stays.
    Bytes(Vec<u8>),
    /// With these bytes, and then one more each second, for ever.
    Drip(&'static str),
    /// With these bytes, and then these again and again.
    Flood(&'static str, &'static str),
    /// Not at all.
    Silence,
    /// By closing the connection.
    Hangup,
    /// With these bytes, and by closing the connection.
    Last(&'static str),
}

/// An answer with this status, these headers and this body.
pub(crate) fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Answer {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    Answer::Bytes([head.as_bytes(), body].concat())
}

/// What a receiver was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) line: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

/// A server on this machine.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    received: watch::Receiver<Vec<Received>>,
    accepted: watch::Receiver<Vec<SocketAddr>>,
    closed: watch::Receiver<usize>,
}

impl Receiver {
    /// One that answers each request like this.
    pub(crate) async fn start(answer: Answer) -> Self {
        Self::start_with(answer, None).await
    }

    /// One that answers so over TLS.
    pub(crate) async fn start_with(answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (receipts, received) = watch::channel(Vec::new());
        let (peers, accepted) = watch::channel(Vec::new());
        let (ends, closed) = watch::channel(0);
        let (receipts, ends) = (Arc::new(receipts), Arc::new(ends));
        tokio::spawn(async move {
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                peers.send_modify(|peers| peers.push(peer));
                let (answer, tls) = (answer.clone(), tls.clone());
                let (receipts, ends) = (Arc::clone(&receipts), Arc::clone(&ends));
                tokio::spawn(async move {
                    let end = match tls {
                        None => serve(stream, answer, &receipts).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, answer, &receipts).await,
                            Err(refused) => Err(refused),
                        },
                    };
                    ends.send_modify(|ends| *ends += 1);
                    end
                });
            }
        });
        Self { address, received, accepted, closed }
    }

    /// The URL of a path here, without TLS.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.borrow().clone()
    }

    pub(crate) async fn wait_for_requests(&self, count: usize) {
        self.received.clone().wait_for(|received| received.len() >= count).await.unwrap();
    }

    pub(crate) async fn wait_for_connections(&self, count: usize) {
        self.accepted.clone().wait_for(|accepted| accepted.len() >= count).await.unwrap();
    }

    /// Waits until so many connections have ended.
    pub(crate) async fn wait_for_closed(&self, count: usize) {
        self.closed.clone().wait_for(|closed| *closed >= count).await.unwrap();
    }

    /// How many connections were made before this was asked; which is asked once, by making another one.
    pub(crate) async fn connections(&self) -> usize {
        let own = TcpStream::connect(self.address).await.unwrap();
        let own = own.local_addr().unwrap();
        let mut accepted = self.accepted.clone();
        accepted.wait_for(|accepted| accepted.contains(&own)).await.unwrap().len() - 1
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    answer: Answer,
    receipts: &watch::Sender<Vec<Received>>,
) -> io::Result<()> {
    while let Some(request) = read(&mut stream).await? {
        receipts.send_modify(|receipts| receipts.push(request));
        match &answer {
            Answer::Bytes(bytes) => stream.write_all(bytes).await?,
            Answer::Drip(start) => {
                let mut seconds = interval(Duration::from_secs(1));
                stream.write_all(start.as_bytes()).await?;
                loop {
                    seconds.tick().await;
                    stream.write_all(b"a").await?;
                }
            }
            Answer::Flood(start, rest) => {
                stream.write_all(start.as_bytes()).await?;
                loop {
                    stream.write_all(rest.as_bytes()).await?;
                }
            }
            Answer::Silence => stream.read_u8().await.map(drop)?,
            Answer::Hangup => break,
            Answer::Last(bytes) => return stream.write_all(bytes.as_bytes()).await,
        }
    }
    Ok(())
}

/// The next request of a connection, if there is one.
async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<Received>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) if head.is_empty() => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let head = String::from_utf8(head).unwrap();
    let (line, headers) = head.split_once("\r\n").unwrap();
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    let headers: HashMap<_, _> = headers.lines().filter_map(header).collect();
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    stream.read_exact(&mut body).await?;
    Ok(Some(Received { line: line.to_owned(), headers, body: String::from_utf8(body).unwrap() }))
}

/// Knows the addresses of some names: the answers to the first question, the second, and so on; the last one stays.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>);

impl Names {
    pub(crate) fn with(self, name: &str, answers: &[&[&str]]) -> Self {
        let addresses = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        self.0.lock().insert(name.to_owned(), answers.iter().map(addresses).collect());
        self
    }
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut names = self.0.lock();
        let answers = names.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        next.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// A sender to receivers on this machine.
pub(crate) fn private_sender() -> WebhookSender {
    WebhookSender::builder().allow_private(true).build().unwrap()
}

/// The example of Standard Webhooks, to this URL.
pub(crate) fn request(url: impl Into<String>) -> WebhookRequest {
    WebhookRequest {
        url: url.into(),
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
        at: at(),
        body: r#"{"test": 2432232314}"#.to_owned(),
        secrets: vec![secret(SECRET)],
    }
}

pub(crate) fn at() -> DateTime<Utc> {
    Utc.timestamp_opt(1_614_265_330, 0).unwrap()
}

pub(crate) fn secret(text: &str) -> WebhookSecret {
    WebhookSecret::from_stored(text.to_owned())
}

/// Why there was no answer.
pub(crate) fn reason(answer: WebhookAnswer) -> String {
    match answer {
        WebhookAnswer::None(reason) => reason,
        answered @ WebhookAnswer::Answered { .. } => panic!("{answered:?}"),
    }
}

/// The status, how long to wait, and the body.
pub(crate) fn answered(answer: WebhookAnswer) -> (u16, Option<Duration>, String) {
    match answer {
        WebhookAnswer::Answered { status, retry_after, body } => (status, retry_after, body),
        WebhookAnswer::None(reason) => panic!("{reason}"),
    }
}
