//! The API, asked from within the process by whoever is logged in: the console has no rules of its own, and shows what the API answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use axum::http::{HeaderValue, Request, StatusCode};
use lease_core::repository::{Named, Words};
use lease_core::{ErrorKind, account};
use serde::Deserialize;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::auth::Caller;
use crate::authenticator::Identity;
use crate::client_address::ClientAddress;
use crate::extract::Received;
use crate::idempotency::IDEMPOTENCY_KEY;
use crate::problem::ErrorCode;
use crate::request_id::REQUEST_ID;
use crate::state::AppState;

/// The API as one user sees it. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Api {
    router: Router,
    state: AppState,
    session: account::Session,
    client: ClientAddress,
    request_id: Option<HeaderValue>,
}

/// An answer of the API.
#[derive(Debug)]
pub(super) struct Answer {
    /// The object, or the page of a list.
    pub(super) body: Value,
    /// The tag of the object.
    pub(super) tag: Option<String>,
}

/// A refusal of the API.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) detail: String,
    /// The messages of each field.
    #[serde(default)]
    pub(super) errors: BTreeMap<String, Vec<String>>,
    /// What the gateway said.
    pub(super) failure_code: Option<String>,
    /// The code, for the log.
    #[serde(skip)]
    pub(super) logged: Option<ErrorCode>,
}

/// What makes a request safe to repeat, and keeps it from overwriting what somebody else has changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Guards<'a> {
    pub(super) idempotency_key: Option<&'a str>,
    pub(super) tag: Option<&'a str>,
}

impl Api {
    /// The API as the user of this session sees it, on behalf of this request.
    pub(super) fn new(
        router: Router,
        state: AppState,
        session: account::Session,
        client: ClientAddress,
        request_id: Option<HeaderValue>,
    ) -> Self {
        Self { router, state, session, client, request_id }
    }

    /// Reads an object, or a page of a list.
    ///
    /// # Errors
    /// What the API refuses.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, Refusal> {
        self.send("GET", path, None, Guards::default()).await
    }

    /// Reads a page of a list, if the session is still good: for what goes on for long.
    ///
    /// # Errors
    /// What the API refuses.
    pub(super) async fn get_later(&self, path: &str) -> Result<Answer, Refusal> {
        match self.state.engine.check_session(&self.session).await {
            Ok(()) => self.get(path).await,
            Err(_) => Err(Refusal::unreadable()),
        }
    }

    /// What these objects are called; nothing where that cannot be read, since their numbers stand for them.
    pub(super) async fn names(&self, of: &[Named]) -> Vec<(Named, Words)> {
        let names = self.state.engine.names(&self.session.actor, of).await;
        names.unwrap_or_else(|error| {
            tracing::warn!(%error, "the console shows numbers in place of names");
            Vec::new()
        })
    }

    /// Sends a request.
    ///
    /// # Errors
    /// What the API refuses.
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        guards: Guards<'_>,
    ) -> Result<Answer, Refusal> {
        let request = self.request(method, path, body, guards).map_err(|_| Refusal::unreadable())?;
        let response = self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        let status = response.status();
        let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let logged = response.extensions().get::<ErrorCode>().copied();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.map_err(|_| Refusal::unreadable())?;
        if status.is_success() {
            let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or_default() };
            return Ok(Answer { body, tag });
        }
        let refusal = serde_json::from_slice(&bytes).unwrap_or_else(|_| Refusal::unreadable());
        Err(Refusal { logged, ..refusal })
    }

    fn caller(&self) -> Caller {
        Caller(Identity::of_session(self.session.clone()))
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>, guards: Guards<'_>) -> axum::http::Result<Request<Body>> {
        let mut request = Request::builder().method(method).uri(path).extension(self.caller()).extension(self.client);
        if let Some(id) = &self.request_id {
            request = request.header(REQUEST_ID, id);
        }
        if let Some(key) = guards.idempotency_key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        if let Some(tag) = guards.tag {
            request = request.header(IF_MATCH, tag);
        }
        if let Some(body) = body {
            let nothing = Arc::new(self.state.uploads.nothing_for(self.client.network()));
            let received = Received::Whole { bytes: body.to_string().into(), _memory: nothing };
            request = request.header(CONTENT_TYPE, "application/json").extension(received);
        }
        request.body(Body::empty())
    }
}

impl Refusal {
    /// What is said if the answer cannot be read.
    fn unreadable() -> Self {
        Self { logged: None, ..Self::of(ErrorKind::InternalError.into()) }
    }

    /// A refusal with this code and its message.
    pub(super) fn of(code: ErrorCode) -> Self {
        Self {
            status: code.status().as_u16(),
            code: code.code().to_owned(),
            detail: code.to_string(),
            errors: BTreeMap::new(),
            failure_code: None,
            logged: Some(code),
        }
    }

    /// Wrong fields, each with what is wrong with it.
    pub(super) fn invalid(errors: BTreeMap<String, Vec<String>>) -> Self {
        Self { errors, ..Self::of(ErrorKind::ValidationError.into()) }
    }

    /// Whether it is not known what came of the request: sent again under the same key, it is answered by that.
    pub(super) fn is_open(&self) -> bool {
        self.status().is_server_error() || self.code == "idempotency_key_in_use"
    }

    /// The status of the page that says so.
    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
