//! The request id, the log line and the counters of a request. The log holds the route, the ids of the user and of the objects,
//! but never a query, a header or a body, since those may be secret.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use lease_core::id::UserId;
use tracing::{Instrument as _, Span};

use crate::client_address::ClientAddress;
use crate::problem::ErrorCode;
use crate::request_id::{REQUEST_ID, request_id};
use crate::state::AppState;

/// The route label of requests that match no route.
const UNMATCHED: &str = "unmatched";
/// The status that is logged and counted for a request whose client went away before it was answered, as other servers do.
const CLIENT_GONE: u16 = 499;

/// Logs and counts one request.
pub(super) async fn observe(
    State(state): State<AppState>,
    client: ClientAddress,
    route: Option<MatchedPath>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let given = request_id(request.headers()).and_then(|id| HeaderValue::from_str(id.as_str()).ok());
    let id = given.unwrap_or_else(|| fresh_id(&state));
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let (method, route) = (method_label(request.method()), route.as_ref().map_or(UNMATCHED, MatchedPath::as_str));
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default(), method, route);
    let observation = Observation(Arc::new(Observed {
        #[cfg(feature = "metrics")]
        counted: state.metrics.begin(method, route),
        client,
        span: span.clone(),
        object: params.ok().and_then(|params| object(&params)),
        trail: Trail::default(),
        start: Instant::now(),
        is_told: AtomicBool::new(false),
    }));
    request.extensions_mut().insert(client);
    request.extensions_mut().insert(observation.0.trail.clone());
    request.extensions_mut().insert(observation.clone());

    let mut response = next.run(request).instrument(span).await;
    observation.tell(&response);
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// What is known of a request, until its outcome is logged and counted.
#[derive(Clone)]
pub(crate) struct Observation(Arc<Observed>);

struct Observed {
    #[cfg(feature = "metrics")]
    counted: crate::metrics::Counted,
    client: ClientAddress,
    span: Span,
    object: Option<i64>,
    trail: Trail,
    start: Instant,
    is_told: AtomicBool,
}

impl Observation {
    /// Logs and counts the outcome of the request, unless this was done already.
    pub(crate) fn tell(&self, response: &Response) {
        let code = response.extensions().get::<ErrorCode>().map_or("ok", |code| code.code());
        let made = response.headers().get(LOCATION).and_then(last_id);
        self.0.tell(response.status(), code, made);
    }
}

impl Observed {
    fn tell(&self, status: StatusCode, code: &str, made: Option<i64>) {
        if self.is_told.swap(true, Ordering::Relaxed) {
            return;
        }
        let Self { object, trail, .. } = self;
        let took = self.start.elapsed();
        #[cfg(feature = "metrics")]
        self.counted.answered(status, code, took);
        let (status, ms, user) = (status.as_u16(), took.as_millis(), trail.user());
        self.span.in_scope(|| tracing::info!(status, code, ms, client = %self.client.0, user, object, made, "answered"));
    }
}

/// A client who goes away gets no response.
impl Drop for Observed {
    fn drop(&mut self) {
        let Ok(gone) = StatusCode::from_u16(CLIENT_GONE) else { return };
        self.tell(gone, "client_gone", None);
    }
}

/// The id of the object in the path.
fn object(params: &RawPathParams) -> Option<i64> {
    params.iter().find(|(name, _)| *name == "id").and_then(|(_, id)| id.parse().ok())
}

/// The id at the end of a `Location`.
fn last_id(location: &HeaderValue) -> Option<i64> {
    location.to_str().ok()?.rsplit('/').next()?.parse().ok()
}

/// The method as a label: a client may invent methods, and labels must be few.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    const NAMES: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.iter().position(|known| known == method).and_then(|place| NAMES.get(place).copied()).unwrap_or("other")
}

/// Notes who made a request, for its line in the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail(Arc<OnceLock<UserId>>);

impl Trail {
    /// The trail of the request with these extensions.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    /// Notes the user who made the request.
    pub(crate) fn acted(&self, user: UserId) {
        // A second authentication of the same request finds the same user.
        let _ = self.0.set(user);
    }

    fn user(&self) -> Option<i64> {
        self.0.get().map(|user| user.get())
    }
}

impl FromRequestParts<AppState> for Trail {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

fn fresh_id(state: &AppState) -> HeaderValue {
    let mut bytes = [0; 16];
    // If there is no randomness, the time is enough, since an id need not be secret.
    if getrandom::fill(&mut bytes).is_err() {
        bytes = i128::from(state.engine.now().timestamp_micros()).to_be_bytes();
    }
    HeaderValue::from_str(&hex::encode(bytes)).unwrap_or(HeaderValue::from_static("none"))
}
