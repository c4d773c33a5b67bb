//! Who sends a request: the contract for an app's own authentication, and the tokens of the engine, which are the default.

use std::fmt;

use async_trait::async_trait;
use axum::http::header;
use axum::http::request::Parts;
use lease_core::account::{Session, Token};
use lease_core::id::Stored;
use lease_core::permission::Actor;
use lease_core::{Error, LeaseEngine};

/// Finds out who sends a request. An app with its own users and sessions gives the router one of its own
/// ([`RouterBuilder::authenticator`](crate::RouterBuilder::authenticator)); the default is [`Tokens`].
///
/// It is asked once for each request, and once more for one that names what it has seen (`If-Match`). While a stream of events is
/// open, it is asked again from time to time with the head of the request that opened it, and the stream ends when the answer is
/// another one. So it should read a cookie or a header and look the session up, rather than trust what a layer found earlier.
///
/// The console has its own login, and does not ask it. With the feature `passwords`, anybody can still register and log in with a
/// password, for a token that only [`Tokens`] take: an app with users of its own leaves the feature out.
///
/// A session that a browser sends by itself has to be kept from other sites: several acts have no body, so that a form of any site could
/// send them. A cookie with `SameSite=Lax` or `Strict` is not sent along with such a form.
///
/// ```
/// # use lease_core::{Error, LeaseEngine};
/// # use lease_http::{Authenticator, Identity};
/// # #[derive(Debug)] struct Sessions;
/// # impl Sessions { fn user_of(&self, _: &axum::http::HeaderMap) -> Option<String> { None } }
/// #[lease_core::async_trait]
/// impl Authenticator for Sessions {
///     async fn authenticate(&self, engine: &LeaseEngine, request: &axum::http::request::Parts) -> Result<Option<Identity>, Error> {
///         let Some(user) = self.user_of(&request.headers) else { return Ok(None) };
///         Ok(engine.actor_of(&user).await?.and_then(Identity::of_user))
///     }
/// }
/// ```
#[async_trait]
pub trait Authenticator: fmt::Debug + Send + Sync + 'static {
    /// Who sends a request with this head; `None` if that is nobody who is known.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`] for credentials that are not good, which is a 401 even where anybody may ask;
    /// [`Error::Unavailable`] if it cannot be found out.
    async fn authenticate(&self, engine: &LeaseEngine, request: &Parts) -> Result<Option<Identity>, Error>;
}

/// The user who sends a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    pub(crate) actor: Actor,
    pub(crate) token: Option<Stored<Token>>,
}

impl Identity {
    /// A user whom the app has authenticated; `None` for an actor that is no user: no request is ever the
    /// [system's](Actor::System).
    #[must_use]
    pub fn of_user(actor: Actor) -> Option<Self> {
        actor.user().map(|_| Self { actor, token: None })
    }

    /// A user who has presented a token of the engine.
    #[must_use]
    pub fn of_session(Session { actor, token }: Session) -> Option<Self> {
        actor.user().map(|_| Self { actor, token: Some(token) })
    }

    /// The actor.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        self.actor
    }
}

/// The tokens of the engine, which a login creates, in the header `Authorization: Token …` or `Bearer …`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokens;

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, engine: &LeaseEngine, request: &Parts) -> Result<Option<Identity>, Error> {
        let mut given = request.headers.get_all(header::AUTHORIZATION).iter();
        let value = match (given.next(), given.next()) {
            (None, _) => return Ok(None),
            (Some(value), None) => value.to_str().map_err(|_| Error::NotAuthenticated)?,
            (Some(_), Some(_)) => return Err(Error::NotAuthenticated),
        };
        let (scheme, token) = value.trim().split_once(' ').ok_or(Error::NotAuthenticated)?;
        if !["token", "bearer"].contains(&scheme.to_ascii_lowercase().as_str()) {
            return Err(Error::NotAuthenticated);
        }
        let token = token.trim().parse().map_err(|_| Error::NotAuthenticated)?;
        Ok(Identity::of_session(engine.authenticate(&token).await?))
    }
}
