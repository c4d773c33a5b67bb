//! The request id, the log line and the counters of a request. The log holds the route but never a query, a header or a body,
//! since those may be secret.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use crate::client_address::ClientAddress;
use crate::problem::ErrorCode;
use crate::request_id::{REQUEST_ID, request_id};
use crate::state::AppState;

/// The route label of requests that match no route.
const UNMATCHED: &str = "unmatched";

/// Logs and counts one request.
pub(super) async fn observe(
    State(state): State<AppState>,
    client: ClientAddress,
    route: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let given = request_id(request.headers()).and_then(|id| HeaderValue::from_str(id.as_str()).ok());
    let id = given.unwrap_or_else(|| fresh_id(&state));
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
    state.metrics.response(&method, route, status, took);
    if route.contains("/api/") {
        state.metrics.outcome(code);
    }
    span.in_scope(|| tracing::info!(status = status.as_u16(), code, ms = took.as_millis(), client = %client.0, "answered"));
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn fresh_id(state: &AppState) -> HeaderValue {
    let mut bytes = [0; 16];
    // If there is no randomness, the time is enough, since an id need not be secret.
    if getrandom::fill(&mut bytes).is_err() {
        bytes = i128::from(state.engine.now().timestamp_micros()).to_be_bytes();
    }
    HeaderValue::from_str(&hex::encode(bytes)).unwrap_or(HeaderValue::from_static("none"))
}
