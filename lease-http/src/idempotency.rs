//! `Idempotency-Key` (spec 6.7): a POST that is sent again under its key is answered again, and does nothing. (Logging
//! out is the exception: see [`is_of_token`].)
//!
//! The key is claimed in the store before the act; the act's own commit marks the claim (the handler's
//! [`Engine`](crate::extract::Engine) sees to that); the response is kept afterwards. What a store holds is made of hashes and
//! of what only the key opens ([`key`]). A crash between the act and the response leaves neither: the response is then [made
//! again](replay) from what the act made.

mod key;
mod replay;
mod saved;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest as _, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use lease_core::repository::{Claim, ClaimState};
use lease_core::{ErrorKind, LeaseEngine, Refusal};
use tower_http::catch_panic::CatchPanicLayer;

use crate::auth::Caller;
use crate::layers::panicked;
use crate::problem::{ErrorCode, HttpError, Problem};
use crate::state::AppState;
use key::{Keys, Scope};
use replay::ReplayBuilder;
use saved::Saved;

/// The header that carries the key.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header that marks a response given again.
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Endpoints that nobody need be known for, and that ignore a token (spec 2, rule 1).
const OPEN: [&str; 2] = ["/api/register", "/api/login"];
/// Endpoints that act on the token of the request itself. Sent again with it they are 401, and with another token of the user
/// they are another act: a replay would leave that token alive and say that it is not. So a key stands for nothing there.
const OF_THE_TOKEN: [&str; 2] = ["/api/logout", "/api/logout-all"];

/// Whether the endpoint of this route acts on the token of the request.
pub(crate) fn is_of_token(route: &str) -> bool {
    is_one_of(&OF_THE_TOKEN, route)
}

/// Whether a route, nested or not, is one of these.
fn is_one_of(paths: &[&str], route: &str) -> bool {
    paths.iter().any(|path| route.ends_with(path))
}

/// Puts the layer around these routes. A panic of theirs is a response in here: the claim is given back.
pub(crate) fn around(routes: Router, state: &AppState) -> Router {
    let routes = routes.layer(CatchPanicLayer::custom(panicked));
    let layer = Layer {
        engine: state.engine.clone(),
        replay_builder: ReplayBuilder { engine: state.engine.clone(), routes: routes.clone() },
    };
    routes.layer(from_fn_with_state(layer, respond_once))
}

#[derive(Clone, Debug)]
struct Layer {
    engine: LeaseEngine,
    replay_builder: ReplayBuilder,
}

async fn respond_once(State(layer): State<Layer>, route: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let is_keyed = request.method() == Method::POST && request.headers().contains_key(IDEMPOTENCY_KEY);
    match route.filter(|_| is_keyed) {
        Some(route) => layer.response(route.as_str(), request, next).await.unwrap_or_else(IntoResponse::into_response),
        None => next.run(request).await,
    }
}

impl Layer {
    async fn response(&self, route: &str, mut request: Request, next: Next) -> Result<Response, Problem> {
        let is_open = is_one_of(&OPEN, route);
        let caller = if is_open { Caller(None) } else { Caller::identify(&self.engine, request.headers()).await? };
        let user = caller.actor().user();
        if user.is_none() && !is_open {
            // The handler says 401, which is not kept; nobody unknown writes records.
            return Ok(next.run(request).await);
        }
        let key = key::read(request.headers())?;
        if is_of_token(route) {
            request.extensions_mut().insert(caller);
            return Ok(next.run(request).await);
        }
        let (mut parts, body) = request.into_parts();
        let body = read(parts.clone(), body).await?;
        let scope = user.map_or(Scope::Body(&body), Scope::User);
        let keys = Keys::derive(&key, &scope);
        let fingerprint = keys.fingerprint(&parts.method, path(&parts), &body);

        let (claim, state) = self.engine.claim(keys.lookup(), fingerprint).await?;
        match state {
            ClaimState::Claimed => {
                parts.extensions.insert(claim);
                if !is_open {
                    parts.extensions.insert(caller);
                }
                let response = next.run(Request::from_parts(parts, Body::from(body))).await;
                self.keep(&claim, &keys, response).await
            }
            ClaimState::Held { fingerprint: first } => {
                Err(same(first, fingerprint).map_or_else(|reused| reused, |()| Problem::from(Refusal::IdempotencyKeyInUse)))
            }
            ClaimState::Answered { fingerprint: first, response } => {
                same(first, fingerprint)?;
                Ok(replayed(keys.open(&response).ok_or_else(unreadable)?.into_response()))
            }
            ClaimState::Done { fingerprint: first, made, .. } => {
                same(first, fingerprint)?;
                if is_open && made.is_none() {
                    // A login whose response was lost: it made nothing but a token that nobody knows.
                    return Ok(next.run(Request::from_parts(parts, Body::from(body))).await);
                }
                Ok(replayed(self.replay_builder.response(path(&parts), made, caller).await?))
            }
        }
    }

    /// Keeps a response, or gives the key back where the response is not to be kept. That this fails does not change the response:
    /// a record without one runs out, or is answered from its effect.
    async fn keep(&self, claim: &Claim, keys: &Keys, response: Response) -> Result<Response, Problem> {
        if !is_kept(&response) {
            if let Err(error) = self.engine.release_claim(claim).await {
                tracing::warn!(%error, "an idempotency key could not be given back");
            }
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(|_| Problem::new(ErrorKind::InternalError))?;
        match keys.seal(&Saved::of(&parts, &body)) {
            Ok(sealed) => {
                if let Err(error) = self.engine.save_response(claim, &sealed).await {
                    tracing::warn!(%error, "a response could not be kept");
                }
            }
            Err(error) => tracing::error!(%error, "a response could not be sealed"),
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

/// Spec 6.7 keeps everything but 401, 429 and 5xx. Nor is a 415 kept, for the fingerprint is not of the content type, nor an
/// answer whose claim was taken over by another request: its act was not done.
fn is_kept(response: &Response) -> bool {
    let status = response.status();
    let lost = response.extensions().get() == Some(&ErrorCode::from(Refusal::IdempotencyKeyInUse));
    let passing = [StatusCode::UNAUTHORIZED, StatusCode::UNSUPPORTED_MEDIA_TYPE, StatusCode::TOO_MANY_REQUESTS];
    !(lost || status.is_server_error() || passing.contains(&status))
}

async fn read(parts: Parts, body: Body) -> Result<Bytes, Problem> {
    let request = Request::from_parts(parts, body);
    Bytes::from_request(request, &()).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(HttpError::PayloadTooLarge),
        _ => Problem::parse_error("The body could not be read."),
    })
}

/// The path, the same with a slash at its end and without.
fn path(parts: &Parts) -> &str {
    parts.uri.path().trim_end_matches('/')
}

fn same(first: [u8; 32], now: [u8; 32]) -> Result<(), Problem> {
    if first == now { Ok(()) } else { Err(Problem::new(HttpError::IdempotencyKeyReused)) }
}

fn unreadable() -> Problem {
    tracing::error!("a kept response cannot be opened");
    Problem::new(ErrorKind::InternalError)
}

fn replayed(mut response: Response) -> Response {
    response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    response
}

#[cfg(test)]
mod tests;
