//! The declaration, beside the handler of each POST, of the response to a request that is sent again under its idempotency key.

use axum::body::Body;
use axum::extract::{OriginalUri, Request};
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{MethodRouter, any};
use tower::ServiceExt as _;

use super::secrets::Secrets;
use crate::extract::CreatedId;
use crate::location;
use crate::state::AppState;

/// The response of a POST endpoint to a request that is sent again under its idempotency key. It is the first response; if that
/// one was lost because the process died after the commit, this type says what replaces it.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    pub(super) access: Access,
    pub(super) secrets: Secrets,
    pub(super) lost: LostResponse,
}

/// Who may use an endpoint (rule 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Users, by their token.
    Users,
    /// Everybody. A token that is sent must be good.
    Everybody,
    /// Everybody. A token that is sent is ignored.
    Tokenless,
}

/// The replacement for a lost response.
#[derive(Clone, Debug)]
pub(super) enum LostResponse {
    /// None, since no response is stored: the key is checked and then ignored.
    KeyIgnored,
    /// The response to the same request, carried out once more.
    Repeated,
    /// The response of this handler about the row that the command created.
    Created(MethodRouter<AppState>),
    /// The response of this handler about the row that the path names.
    Changed(MethodRouter<AppState>),
}

impl Replay {
    /// For a command that creates a row. A lost response is built again by `read`, whose [`PathId`](crate::extract::PathId) is
    /// then the id of that row; its status 200 becomes 201.
    pub(crate) fn created<T: 'static>(read: impl Handler<T, AppState>) -> Self {
        Self { access: Access::Users, secrets: Secrets::None, lost: LostResponse::Created(any(read)) }
    }

    /// For a command on the row that the path names. A lost response is built again by `read`, which takes the same path.
    pub(crate) fn changed<T: 'static>(read: impl Handler<T, AppState>) -> Self {
        Self { access: Access::Users, secrets: Secrets::None, lost: LostResponse::Changed(any(read)) }
    }

    /// For a command that may be carried out again if its response was lost.
    pub(crate) const fn repeated() -> Self {
        Self { access: Access::Users, secrets: Secrets::None, lost: LostResponse::Repeated }
    }

    /// For a command on the token of the request itself. Sent again with that token, it is a 401. With another token of the same
    /// user it is a different command, and a replay would report a token as revoked that is still valid. So the key has no
    /// effect.
    pub(crate) const fn key_ignored() -> Self {
        Self { access: Access::Users, secrets: Secrets::None, lost: LostResponse::KeyIgnored }
    }

    /// For an endpoint that ignores tokens: the key then belongs to everybody who sends the same body.
    pub(crate) fn public(self) -> Self {
        Self { access: Access::Tokenless, ..self }
    }

    /// For an endpoint that needs no token: without one, the key belongs to everybody who sends the same body.
    pub(crate) fn open(self) -> Self {
        Self { access: Access::Everybody, ..self }
    }

    /// For an endpoint whose body can hold secrets.
    pub(crate) fn with_secrets(self, secrets: Secrets) -> Self {
        Self { secrets, ..self }
    }

    /// Whether a key has no effect.
    pub(crate) const fn ignores_key(&self) -> bool {
        matches!(self.lost, LostResponse::KeyIgnored)
    }
}

/// The response to a command that created the row with this id and whose first response was lost.
pub(super) async fn created(read: MethodRouter<AppState>, id: i64, mut parts: Parts, state: AppState) -> Response {
    parts.extensions.insert(CreatedId(id));
    let posted_to = parts.extensions.get().map_or_else(|| parts.uri.clone(), |OriginalUri(uri)| uri.clone());
    let mut response = changed(read, parts, state).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::CREATED;
    }
    if response.status().is_success() {
        location::set(&mut response, &posted_to, id);
    }
    response
}

/// The response to a command on the row that the path names and whose first response was lost.
pub(super) async fn changed(read: MethodRouter<AppState>, parts: Parts, state: AppState) -> Response {
    let request = Request::from_parts(parts, Body::empty());
    read.with_state::<()>(state).oneshot(request).await.unwrap_or_else(|never| match never {})
}
