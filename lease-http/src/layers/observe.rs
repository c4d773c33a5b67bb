//! The request id, the log line and the counters of a request. The log holds the route but never a query, a header or a body:
//! those may be secret.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use crate::client_address::ClientAddress;
use crate::problem::ErrorCode;
use crate::state::AppState;

/// Identifies a request, in its response and in each of its log lines.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of an id that a client may choose.
const MAX_ID: usize = 128;
/// The route of requests that match none.
const UNMATCHED: &str = "unmatched";

/// Logs and counts one request.
pub(super) async fn observe(
    State(state): State<AppState>,
    client: ClientAddress,
    route: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request.headers().get(&REQUEST_ID).filter(|id| is_sane(id)).cloned().unwrap_or_else(|| fresh_id(&state));
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let method = request.method().clone();
    let route = route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default(), %method, route);

    let in_flight = state.metrics.begin();
    let start = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = start.elapsed();
    drop(in_flight);

    let status = response.status();
    let code = response.extensions().get::<ErrorCode>().map_or("ok", |code| code.code());
    state.metrics.answered(&method, route, status, took);
    if route.contains("/api/") {
        state.metrics.outcome(code);
    }
    span.in_scope(|| tracing::info!(status = status.as_u16(), code, ms = took.as_millis(), client = %client.0, "answered"));
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Whether a client's id may appear in the log: short, and of plain characters.
fn is_sane(id: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    (1..=MAX_ID).contains(&id.len()) && id.as_bytes().iter().all(plain)
}

fn fresh_id(state: &AppState) -> HeaderValue {
    let mut bytes = [0; 16];
    // Without randomness the time will do: an id need not be secret.
    if getrandom::fill(&mut bytes).is_err() {
        bytes = i128::from(state.engine.now().timestamp_micros()).to_be_bytes();
    }
    HeaderValue::from_str(&hex::encode(bytes)).unwrap_or(HeaderValue::from_static("none"))
}
