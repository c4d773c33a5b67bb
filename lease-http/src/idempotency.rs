//! `Idempotency-Key` (rule 6.7): a POST that is sent again under its key gets the same response, and nothing is done again.
//!
//! The key is claimed in the store before the command runs; the commit of the command marks the claim (the context that
//! [`Session`](crate::auth::Session) converts into passes it on); the response is stored afterwards. Until then the claim is
//! renewed, on the task of the request, so also after the client has hung up. The store holds only hashes, and data that only the
//! key can decrypt ([`key`]). A crash between the commit and the response loses the response: the [`Replay`] of the endpoint says
//! what replaces it.

mod headers;
mod key;
mod replay;
mod saved;
mod secrets;

use std::borrow::Cow;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use lease_core::model::Role;
use lease_core::repository::{Claim, ClaimState};
use lease_core::{Error, ErrorKind, LeaseEngine, Refusal};
use strum::VariantArray as _;

use crate::auth::Caller;
use crate::extract::received_body;
use crate::location;
use crate::panic;
use crate::path::plain;
use crate::problem::{ErrorCode, HttpError, Problem};
use crate::state::AppState;
pub(crate) use headers::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED};
pub(crate) use key::MAX_CHARS as MAX_KEY_CHARS;
use key::{Keys, Scope};
pub(crate) use replay::Replay;
use replay::{Access, LostResponse};
use saved::Saved;
pub(crate) use secrets::Secrets;

/// Puts the layer around a POST endpoint. A panic of its handler becomes a response inside the layer, so that the key is
/// released.
pub(crate) fn around(endpoint: MethodRouter<AppState>, replay: Replay, state: AppState) -> MethodRouter<AppState> {
    endpoint
        .route_layer(panic::catch())
        .route_layer(from_fn(location::name))
        .route_layer(from_fn_with_state(Once { state, replay }, respond))
}

/// Carries out a request once for each key.
#[derive(Clone, Debug)]
struct Once {
    state: AppState,
    replay: Replay,
}

async fn respond(State(once): State<Once>, request: Request, next: Next) -> Response {
    if request.headers().contains_key(IDEMPOTENCY_KEY) {
        once.respond(request, next).await.unwrap_or_else(IntoResponse::into_response)
    } else {
        next.run(request).await
    }
}

impl Once {
    fn engine(&self) -> &LeaseEngine {
        &self.state.engine
    }

    async fn respond(self, request: Request, next: Next) -> Result<Response, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = match self.replay.access {
            Access::Tokenless => Caller(None),
            Access::Users | Access::Everybody => Caller::of(&self.state, &parts).await?,
        };
        let (user, role) = (caller.actor().user(), caller.actor().role());
        if user.is_none() && self.replay.access == Access::Users {
            // The handler responds 401, which is not stored: only known users write records.
            return Ok(next.run(Request::from_parts(parts, body)).await);
        }
        let key = key::read(&parts.headers)?;
        parts.extensions.insert(caller);
        if self.replay.ignores_key() {
            return Ok(next.run(Request::from_parts(parts, body)).await);
        }
        let body = received_body(&parts.extensions)?;
        let Some(parted) = self.replay.secrets.part(&body) else {
            // What has secrets and cannot be read gets an error, which need not be stored.
            return Ok(next.run(Request::from_parts(parts, Body::empty())).await);
        };
        #[cfg(feature = "passwords")]
        let parted = self.stretched(parted, &key, &parts).await?;
        // What the request is told apart by.
        let content = parted.rest;
        let scope = user.map_or(Scope::Content(&content), Scope::User);
        let keys = Keys::derive(&key, &scope);
        let method = parts.method.clone();
        let place = path(&parts).into_owned();
        let by = |role| keys.fingerprint(role, &method, &place, &content);
        let fingerprint = by(role);
        let require_same = |first| require_same(first, role, by);

        let (claim, state) = self.engine().claim(keys.lookup(), fingerprint).await?;
        match state {
            ClaimState::Claimed => {
                parts.extensions.insert(claim);
                let work = async {
                    let response = next.run(Request::from_parts(parts, Body::empty())).await;
                    self.keep(&claim, &keys, user.is_some(), response).await
                };
                self.engine().hold_claim(&claim, work).await
            }
            ClaimState::Held { fingerprint: first } => {
                Err(require_same(first).map_or_else(|reused| reused, |()| Problem::from(Refusal::IdempotencyKeyInUse)))
            }
            ClaimState::Answered { fingerprint: first, response } => {
                require_same(first)?;
                Ok(replayed(keys.open(&response).ok_or_else(unreadable)?.into_response()))
            }
            ClaimState::Done { fingerprint: first, made, .. } => {
                require_same(first)?;
                match self.replay.lost {
                    LostResponse::KeyIgnored | LostResponse::Repeated => {
                        Ok(next.run(Request::from_parts(parts, Body::empty())).await)
                    }
                    LostResponse::Created(read) => {
                        let id = made.ok_or_else(created_nothing)?;
                        Ok(replayed(replay::created(read, id, parts, self.state).await))
                    }
                    LostResponse::Changed(read) => Ok(replayed(replay::changed(read, parts, self.state).await)),
                }
            }
        }
    }

    /// Stores a response, or releases the key if the response is not to be stored. If this fails, the response stays the same: a
    /// record without a response expires, or is answered from the effect of its command. If the claim was lost to another request,
    /// the response is 409: what the other one has done may be the reason for this response, which is then wrong.
    async fn keep(&self, claim: &Claim, keys: &Keys, is_known: bool, response: Response) -> Result<Response, Problem> {
        match fate(&response, is_known) {
            Fate::Stored => self.store(claim, keys, response).await,
            Fate::Dropped => {
                self.release(claim).await;
                Ok(response)
            }
            Fate::Checked => {
                told_unless_lost(self.engine().check_claim(claim).await)?;
                self.release(claim).await;
                Ok(response)
            }
        }
    }

    async fn store(&self, claim: &Claim, keys: &Keys, response: Response) -> Result<Response, Problem> {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(|_| Problem::new(ErrorKind::InternalError))?;
        match keys.seal(&Saved::of(&parts, &body)) {
            Ok(sealed) => told_unless_lost(self.engine().save_response(claim, &sealed).await)?,
            Err(error) => tracing::error!(%error, "a response could not be encrypted"),
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }

    async fn release(&self, claim: &Claim) {
        if let Err(error) = self.engine().release_claim(claim).await {
            tracing::warn!(%error, "an idempotency key could not be released");
        }
    }
}

/// What becomes of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is stored, and sent again to whoever sends the request again.
    Stored,
    /// It is right as long as the claim is held, and is not stored.
    Checked,
    /// It is not stored.
    Dropped,
}

/// Rule 6.7 stores every response except 401, 429 and 5xx. A 415 is not stored either, since the fingerprint does not cover the
/// content type. Nor is the response to a request that lost its claim to another: its command was not carried out. And of strangers,
/// only successes are stored, since anybody could fill the store with refusals.
fn fate(response: &Response, is_known: bool) -> Fate {
    let status = response.status();
    let lost = response.extensions().get() == Some(&ErrorCode::from(Refusal::IdempotencyKeyInUse));
    let passing = [StatusCode::UNAUTHORIZED, StatusCode::UNSUPPORTED_MEDIA_TYPE, StatusCode::TOO_MANY_REQUESTS];
    if lost || status.is_server_error() || passing.contains(&status) {
        Fate::Dropped
    } else if is_known || status.is_success() {
        Fate::Stored
    } else {
        Fate::Checked
    }
}

/// An error, unless it says that the claim was lost, only means that nothing is stored.
fn told_unless_lost(outcome: Result<(), Error>) -> Result<(), Problem> {
    match outcome {
        Err(lost @ Error::Refused(Refusal::IdempotencyKeyInUse)) => Err(lost.into()),
        Err(error) => {
            tracing::warn!(%error, "an idempotency record could not be written");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// The path without a trailing slash and without needless encoding, so that all its forms count as the same path.
fn path(parts: &Parts) -> Cow<'_, str> {
    plain(parts.uri.path().trim_end_matches('/'))
}

/// Succeeds if the first request under the key is repeated. Where its user had another role then, they may no longer see what they
/// were told.
fn require_same(first: [u8; 32], role: Option<Role>, by: impl Fn(Option<Role>) -> [u8; 32]) -> Result<(), Problem> {
    if first == by(role) {
        return Ok(());
    }
    let had_another_role = role.is_some() && Role::VARIANTS.iter().any(|other| first == by(Some(*other)));
    if had_another_role {
        Err(Problem::new(ErrorKind::PermissionDenied))
    } else {
        Err(Problem::new(HttpError::IdempotencyKeyReused))
    }
}

fn unreadable() -> Problem {
    tracing::error!("a stored response cannot be decrypted");
    Problem::new(ErrorKind::InternalError)
}

fn created_nothing() -> Problem {
    tracing::error!("a command that creates a row was carried out but has no id");
    Problem::new(ErrorKind::InternalError)
}

fn replayed(mut response: Response) -> Response {
    response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    response
}

#[cfg(test)]
mod tests;
