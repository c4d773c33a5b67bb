//! Accepts connections and serves them. Peers who are slow or idle cannot keep others away: the head of a request has to arrive
//! in time, a response has to be taken in time (the REST layer does the same for bodies), and the number of connections is
//! limited. While it is reached, a new connection takes the place of the one that has waited longest for its peer: for a request,
//! for the rest of one, or to take more of a response. While the server itself is the one who is busy, on all of them, a few more
//! are accepted for the endpoints of operators.

mod counts;
mod descriptors;
mod noted;
mod room;
mod upload;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::Version;
use axum::http::header::{CONNECTION, HOST, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use lease_core::ErrorKind;
use lease_core::client::ClientNetwork;
use lease_http::Problem;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::{MissedTickBehavior, interval};
use tokio_io_timeout::TimeoutWriter;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

pub(crate) use counts::Counts;
use counts::End;
pub(crate) use descriptors::affordable;
use noted::Noted;
use room::{Place, Room, Use};
use upload::Upload;

/// The size up to which the head of a request is read, in bytes. It also bounds what is read ahead of a body.
const MAX_HEAD: usize = 64 * 1024;
/// The time between two looks at who keeps a stopping server waiting.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// What operators watch the server by. Everything else is refused while there is no room.
const WATCHED_PATHS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// The memory that the system gives a connection for what its client has not taken yet, in bytes. By itself it would give
/// megabytes, and clients who read nothing would keep the server busy with filling them.
const UNSENT: u32 = 256 * 1024;
/// The number of connections that may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// Listens on this address. The connections have the settings of the listener.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that starts again does not wait for the connections of the one before.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(UNSENT)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// How connections are served.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// The number of connections.
    pub(crate) connections: usize,
    /// The time in which a head has to arrive, and in which a peer has to take at least a part of a response.
    pub(crate) timeout: Duration,
    /// Whether connections come from the clients themselves, and not from a proxy.
    pub(crate) peers_are_clients: bool,
    /// Once the server stops, a peer who keeps it waiting for longer than this is not waited for.
    pub(crate) patience: Duration,
}

/// Serves until `stop`, and then until all pending requests have their response.
pub(crate) async fn serve(mut listener: TcpListener, app: Router, limits: &Limits, counts: &Counts, stop: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.timeout).max_buf_size(MAX_HEAD);
    let room = Room::new(limits.connections);
    let open = GracefulShutdown::new();
    // axum waits after errors of `accept`, such as too many open files, and tries again.
    while let Some((stream, peer)) = stop.run_until_cancelled(Listener::accept(&mut listener)).await {
        let network = limits.peers_are_clients.then(|| ClientNetwork::of(peer.ip()));
        let Some(place) = room.enter(network) else {
            counts.ended(End::Refused);
            continue;
        };
        let place = Arc::new(place);
        let stream = Box::pin(in_time(Noted::new(stream, Arc::clone(&place)), limits.timeout));
        let service = hyper::service::service_fn({
            let (app, place) = (app.clone(), Arc::clone(&place));
            move |request| answer(app.clone(), Arc::clone(&place), peer, request)
        });
        let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
        let open = counts.opened();
        tokio::spawn(async move {
            let end = tokio::select! {
                outcome = connection => outcome.map_or_else(|error| failed(peer, &error), |()| End::Closed),
                () = place.given_up() => End::MadeWay,
            };
            open.ended(end);
        });
    }
    drop(listener);
    drain(open, &room, limits.patience).await;
}

/// Waits for the pending requests, but not for peers who keep them waiting.
async fn drain(open: GracefulShutdown, room: &Room, patience: Duration) {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut done = std::pin::pin!(open.shutdown());
    loop {
        tokio::select! {
            () = &mut done => return,
            _ = looks.tick() => room.send_away(patience),
        }
    }
}

/// The stream, which fails if its peer takes nothing that is written for this long.
fn in_time(stream: Noted, limit: Duration) -> TimeoutWriter<Noted> {
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(limit));
    stream
}

/// Answers a request, and keeps track of who is waiting for whom.
async fn answer(
    app: Router,
    place: Arc<Place>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response, std::convert::Infallible> {
    place.work();
    let answered = if place.is_for() == Use::Operators && !WATCHED_PATHS.contains(&request.uri().path().trim_end_matches('/')) {
        refused(Problem::new(ErrorKind::Unavailable))
    } else if !has_one_host(&request) {
        refused(Problem::invalid_field("Host", "The header must be given once."))
    } else {
        let mut request = request.map(|body| Body::new(Upload::new(body, Arc::clone(&place))));
        request.extensions_mut().insert(ConnectInfo(peer));
        app.oneshot(request).await.unwrap_or_else(|never| match never {})
    };
    place.wait();
    Ok(answered)
}

/// Whether the request says once which host it is for (RFC 9112, 3.2); in HTTP/1.0, it need not.
fn has_one_host<B>(request: &Request<B>) -> bool {
    match request.headers().get_all(HOST).iter().count() {
        0 => request.version() < Version::HTTP_11,
        hosts => hosts == 1,
    }
}

fn refused(problem: Problem) -> Response {
    let mut response = problem.into_response();
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Why a connection failed.
fn failed(peer: SocketAddr, error: &hyper::Error) -> End {
    tracing::debug!(%peer, %error, "a connection ended early");
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    match source {
        _ if error.is_timeout() => End::SlowRequest,
        Some(source) if source.kind() == io::ErrorKind::TimedOut => End::SlowReader,
        _ => End::Broken,
    }
}
