//! The caller, from the `Authorization` header (rule 2.1; rule 3.6).

use std::convert::Infallible;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};
use lease_core::engine::{Precondition, RequestContext};
use lease_core::permission::Actor;
use lease_core::repository::Claim;
use lease_core::{Error, LeaseEngine, account};

use crate::client_address::ClientAddress;
use crate::layers::Trail;
use crate::problem::Problem;
use crate::request_id::request_id;
use crate::state::AppState;

/// The caller of an endpoint that anybody may call: the session of the token, if one was sent. An invalid token is an error
/// here, too.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Option<account::Session>);

impl Caller {
    /// The caller who is known already, or else identified now.
    ///
    /// # Errors
    /// As [`identify`](Self::identify).
    pub(crate) async fn of(engine: &LeaseEngine, headers: &HeaderMap, extensions: &Extensions) -> Result<Self, Problem> {
        match extensions.get::<Self>() {
            Some(known) => Ok(known.clone()),
            None => Self::identify(engine, headers, &Trail::of(extensions)).await,
        }
    }

    /// Identifies the caller.
    ///
    /// # Errors
    /// 401 if the header holds no valid token, or there are two; 503 if the store cannot be reached.
    async fn identify(engine: &LeaseEngine, headers: &HeaderMap, trail: &Trail) -> Result<Self, Problem> {
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        let value = match (given.next(), given.next()) {
            (None, _) => return Ok(Self(None)),
            (Some(value), None) => value.to_str().map_err(|_| Error::NotAuthenticated)?,
            (Some(_), Some(_)) => return Err(Error::NotAuthenticated.into()),
        };
        let (scheme, token) = value.trim().split_once(' ').ok_or(Error::NotAuthenticated)?;
        if !["token", "bearer"].contains(&scheme.to_ascii_lowercase().as_str()) {
            return Err(Error::NotAuthenticated.into());
        }
        let token = token.trim().parse().map_err(|_| Error::NotAuthenticated)?;
        let session = engine.authenticate(&token).await?;
        session.actor.user().into_iter().for_each(|user| trail.acted(user));
        Ok(Self(Some(session)))
    }

    /// The actor of this session.
    #[must_use]
    pub(crate) fn actor(&self) -> Actor {
        self.0.as_ref().map_or(Actor::Anonymous, |session| session.actor)
    }
}

/// The caller that a layer has already identified, or else identified now.
impl FromRequestParts<AppState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Self::of(&state.engine, &parts.headers, &parts.extensions).await
    }
}

/// The session of a caller with a valid token; 401 for any other request. Converts into the context of a command.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    session: account::Session,
    context: RequestContext,
}

impl Deref for Session {
    type Target = account::Session;

    fn deref(&self) -> &account::Session {
        &self.session
    }
}

impl From<&Session> for RequestContext {
    fn from(session: &Session) -> Self {
        session.context.clone()
    }
}

impl FromRequestParts<AppState> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let session = caller.0.ok_or(Error::NotAuthenticated)?;
        let context = context(parts, state, session.actor);
        Ok(Self { session, context })
    }
}

/// An anonymous caller, even if a token was sent, for the endpoints that ignore tokens. Converts into the context of a command.
#[derive(Clone, Debug)]
pub(crate) struct Unauthenticated(RequestContext);

impl From<&Unauthenticated> for RequestContext {
    fn from(nobody: &Unauthenticated) -> Self {
        nobody.0.clone()
    }
}

impl FromRequestParts<AppState> for Unauthenticated {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self(context(parts, state, Actor::Anonymous)))
    }
}

/// Anybody, for the endpoints that need no token. One that is sent must be good (rule 2.1), and has no other effect. Converts into the
/// context of a command by an anonymous actor.
#[derive(Clone, Debug)]
pub(crate) struct Anybody(RequestContext);

impl From<&Anybody> for RequestContext {
    fn from(anybody: &Anybody) -> Self {
        anybody.0.clone()
    }
}

impl FromRequestParts<AppState> for Anybody {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Caller::from_request_parts(parts, state).await?;
        Ok(Self(context(parts, state, Actor::Anonymous)))
    }
}

/// The context of a command by this actor: the id of the request, the idempotency claim and the precondition that layers have put
/// into the request, and the network of the client.
fn context(parts: &Parts, state: &AppState, actor: Actor) -> RequestContext {
    RequestContext::new(actor)
        .with_request_id(request_id(&parts.headers))
        .with_claim(parts.extensions.get::<Claim>().copied())
        .with_client(ClientAddress::of(parts, &state.options).network())
        .with_precondition(parts.extensions.get::<Precondition>().cloned())
}
