//! Connections and requests of attackers: at a limited rate, and counted.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::answer::{Answer, Tally};

/// The limit of one attack: its connections or requests. What costs the server more than the attacker needs no volume, and a flood
/// of more than this would be a measure of the machine.
pub(crate) const REQUESTS_PER_SECOND: u32 = 300;
/// Enough for the system to keep little of what an attacker does not read.
const RECEIVE_BUFFER: u32 = 4 * 1024;

/// One who attacks from one address. Cheap to clone; clones share the rate.
#[derive(Clone, Debug)]
pub(crate) struct Attacker {
    server: SocketAddr,
    from: Ipv4Addr,
    tally: Arc<Tally>,
    turns: Arc<Mutex<Interval>>,
}

impl Attacker {
    pub(crate) fn new(server: &str, from: Ipv4Addr, tally: Arc<Tally>) -> Self {
        let mut turns = interval(Duration::from_secs(1) / REQUESTS_PER_SECOND);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { server: server.parse().unwrap(), from, tally, turns: Arc::new(Mutex::new(turns)) }
    }

    /// The same at another address: so many after their own.
    pub(crate) fn neighbour(&self, number: u32) -> Self {
        Self { from: Ipv4Addr::from_bits(self.from.to_bits() + number), ..self.clone() }
    }

    /// An HTTP client, for [`send`].
    pub(crate) fn client(&self) -> Client {
        Client::builder().local_address(Some(self.from.into())).no_proxy().build().unwrap()
    }

    /// Waits for a turn, and counts what comes of it.
    pub(crate) async fn attempt(&self, act: impl Future<Output = io::Result<Answer>>) {
        self.turns.lock().await.tick().await;
        self.tally.begin();
        self.tally.end(act.await.unwrap_or(Answer::Closed));
    }

    /// Opens a connection on which little is received that is not read.
    pub(crate) async fn connect(&self) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        socket.bind((self.from, 0).into()).expect("another loopback address");
        socket.connect(self.server).await
    }

    /// The address of a resource.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server)
    }
}

/// Waits for an answer, and then for the server to end the connection: an answer alone does not free it.
pub(crate) async fn answer(mut stream: TcpStream) -> io::Result<Answer> {
    let mut start = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut start).await?;
    // A reset is an end as well.
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    Ok(StatusCode::from_bytes(&start[9..]).map_or(Answer::Other, Answer::of))
}

/// Sends a request and reads the response to its end.
pub(crate) async fn send(request: RequestBuilder) -> io::Result<Answer> {
    let response = async {
        let response = request.send().await?;
        let status = response.status();
        response.bytes().await.map(|_| Answer::of(status))
    };
    match response.await {
        Err(error) if error.is_timeout() => Ok(Answer::HungUp),
        response => response.map_err(io::Error::other),
    }
}

/// Many at once, each with a number, for ever.
pub(crate) async fn crowd<M: Future<Output = ()> + Send + 'static>(size: u32, member: impl Fn(u32) -> M) {
    (0..size).map(member).collect::<JoinSet<_>>().join_all().await;
}

/// The number of the next name or key, none of which is used twice.
pub(crate) fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
