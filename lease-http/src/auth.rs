//! The caller, as the [`Authenticator`](crate::Authenticator) of the router finds them (rule 2.1; rule 3.6).

use std::convert::Infallible;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use lease_core::Error;
use lease_core::account::{Token, TokenHash};
use lease_core::engine::{Precondition, RequestContext};
use lease_core::id::Stored;
use lease_core::model::Role;
use lease_core::permission::Actor;
use lease_core::repository::Claim;

use crate::authenticator::Identity;
use crate::client_address::ClientAddress;
use crate::extract::Received;
use crate::layers::{Observation, Trail};
use crate::problem::{HttpError, Problem};
use crate::request_id::request_id;
use crate::state::AppState;

/// The caller of an endpoint that anybody may call: the user who is known by the request, if there is one. Credentials that are not good
/// are an error here, too.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Option<Identity>);

impl Caller {
    /// The caller who is known already, or else identified now.
    ///
    /// # Errors
    /// 401 if the credentials are not good; 503 if the store cannot be reached.
    pub(crate) async fn of(state: &AppState, parts: &Parts) -> Result<Self, Problem> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let found = Self(state.authenticator.authenticate(&state.engine, parts).await?);
        found.actor().user().into_iter().for_each(|user| Trail::of(&parts.extensions).acted(user));
        Ok(found)
    }

    /// The actor.
    #[must_use]
    pub(crate) fn actor(&self) -> Actor {
        self.0.as_ref().map_or(Actor::Anonymous, |identity| identity.actor)
    }

    /// Whether the caller is an administrative user.
    pub(crate) fn is_staff(&self) -> bool {
        self.actor().role().is_some_and(Role::is_staff)
    }
}

/// The caller that a layer has already identified, or else identified now. What comes after it finds them in the request.
impl FromRequestParts<AppState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let caller = Self::of(state, parts).await?;
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

/// The head of a request, by which its caller is identified again as long as the request lasts.
#[derive(Clone, Debug)]
pub(crate) struct Credentials(Parts);

impl Credentials {
    /// Succeeds if the caller is still who they were: known, and with the same role and customer.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`] if they are not; [`Error::Unavailable`].
    pub(crate) async fn check(&self, state: &AppState, known: Actor) -> Result<(), Error> {
        let found = state.authenticator.authenticate(&state.engine, &self.0).await?.ok_or(Error::NotAuthenticated)?;
        let is_the_same = |actor: Actor| (actor.user(), actor.role(), actor.customer());
        if is_the_same(found.actor) != is_the_same(known) {
            return Err(Error::NotAuthenticated);
        }
        // What an app says of a user may be older than what the engine knows.
        if found.token.is_none() { state.engine.check_actor(&known).await } else { Ok(()) }
    }
}

impl FromRequestParts<AppState> for Credentials {
    type Rejection = Infallible;

    /// What belongs to the request rather than to its caller is left out: it may hold on to memory.
    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Infallible> {
        let mut head = parts.clone();
        head.extensions.remove::<Caller>();
        head.extensions.remove::<Received>();
        head.extensions.remove::<Observation>();
        #[cfg(feature = "passwords")]
        head.extensions.remove::<crate::layers::Presence>();
        Ok(Self(head))
    }
}

/// A user who is known by the request; 401 for any other request. Converts into the context of a command.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    identity: Identity,
    context: RequestContext,
}

impl Session {
    /// The hash of the token that was presented, if it was one.
    pub(crate) fn token_hash(&self) -> Option<TokenHash> {
        self.identity.token.as_ref().map(|token| token.hash)
    }

    /// The token that was presented.
    ///
    /// # Errors
    /// 409 if the app has authenticated the user in another way.
    pub(crate) fn require_token(&self) -> Result<&Stored<Token>, Problem> {
        self.identity.token.as_ref().ok_or_else(|| Problem::new(HttpError::NoTokenSession))
    }
}

impl Deref for Session {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.identity
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
        let identity = caller.0.ok_or(Error::NotAuthenticated)?;
        let context = context(parts, state, identity.actor);
        Ok(Self { identity, context })
    }
}

/// An anonymous caller, whatever the request says, for the endpoints that ignore who asks. Converts into the context of a command.
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
