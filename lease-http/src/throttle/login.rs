//! The limits on registrations and on failed logins.

mod known;

use std::fmt;

use axum::extract::{FromRef, FromRequestParts as _, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::MethodRouter;
use chrono::{DateTime, Utc};
use lease_core::client::ClientNetwork;
use lease_core::engine::LoginDraft;
use lease_core::id::UserId;
use lease_core::text::comparison_key;
use lease_core::{Error, LeaseEngine};
use sha2::{Digest, Sha256};

use self::known::Known;
use super::limit::Limit;
use super::limit::attempts::Pending;
use super::{ClientThrottle, TooMany, client};
use crate::auth::Caller;
use crate::client_address::ClientAddress;
use crate::extract::received_body;
use crate::idempotency::IDEMPOTENCY_KEY;
use crate::options::HttpOptions;
use crate::problem::Problem;
use crate::state::AppState;

/// The limits on who registers and logs in.
#[derive(Debug)]
pub(crate) struct AccountLimits {
    /// Counts failed logins.
    pub(crate) logins: LoginThrottle,
    /// Counts registrations.
    pub(crate) registrations: ClientThrottle,
}

impl AccountLimits {
    pub(crate) fn new(options: &HttpOptions) -> Self {
        Self {
            logins: LoginThrottle::new(options.login_failures_per_minute),
            registrations: ClientThrottle::new(options.registrations_per_minute),
        }
    }
}

impl FromRef<AppState> for LoginThrottle {
    fn from_ref(state: &AppState) -> Self {
        state.accounts.logins.clone()
    }
}

/// How many times as often as with one name a client may fail with all names together: enough for an office behind one address,
/// and too few to try a common password on many names.
const NAMES_AT_ONCE: u32 = 5;

/// Counts the failed logins of each client: with each name, and with all names together. Who has logged in with a name before, from
/// the same network, may go on with it whatever names others behind the same address try. Cheap to clone; clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct LoginThrottle {
    by_name: Limit<Key>,
    by_client: Limit<ClientNetwork>,
    known: Known<Key>,
}

/// Whom a login is for. Both names of a user are one, so that nobody has twice as many attempts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    User(UserId),
    /// Nobody has this name. It is limited in the same way, which so tells nothing.
    Nobody(&'a str),
}

impl<'a> Subject<'a> {
    /// # Errors
    /// 503 if the store cannot be reached.
    pub(crate) async fn named(engine: &LeaseEngine, name: &'a str) -> Result<Self, Error> {
        Ok(engine.user_named(name).await?.map_or(Self::Nobody(name), Self::User))
    }
}

/// A hash over the client's network and the name: names can be long, and should not appear in a memory dump.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key([u8; 32]);

impl Key {
    fn of(client: Option<ClientNetwork>, subject: Subject<'_>) -> Self {
        let client = client.map(|client| client.to_string()).unwrap_or_default();
        // An address has no blank, so no two pairs have the same text.
        let text = match subject {
            Subject::User(user) => format!("{client} user {user}"),
            Subject::Nobody(name) => format!("{client} name {}", comparison_key(name)),
        };
        Self(Sha256::digest(text).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl LoginThrottle {
    /// A throttle that allows a client this many failures a minute with one name; 0 for no limit.
    #[must_use]
    pub(crate) fn new(failures_per_minute: u32) -> Self {
        Self {
            by_name: Limit::new(failures_per_minute),
            by_client: Limit::new(failures_per_minute.saturating_mul(NAMES_AT_ONCE)),
            known: Known::new(),
        }
    }

    /// Whether a client may attempt to log in. This costs little, so it comes before work on the password.
    ///
    /// # Errors
    /// [`TooMany`] if a limit has been reached.
    fn check(&self, client: Option<ClientNetwork>, subject: Subject<'_>, now: DateTime<Utc>) -> Result<(), TooMany> {
        let key = Key::of(client, subject);
        self.by_name.check(key, now)?;
        let stranger = client.filter(|_| !self.known.contains(&key, now));
        stranger.map_or(Ok(()), |client| self.by_client.check(client, now))
    }

    /// Begins an attempt to log in. If others are pending that could reach a limit, it waits for their outcomes.
    ///
    /// # Errors
    /// [`TooMany`] if a limit has been reached.
    pub(crate) async fn begin(
        &self,
        client: Option<ClientNetwork>,
        subject: Subject<'_>,
        now: DateTime<Utc>,
    ) -> Result<Attempt, TooMany> {
        let key = Key::of(client, subject);
        // Everybody waits for the name first and for the client second, so nobody waits for one another.
        let by_name = self.by_name.begin(key, now).await?;
        let by_client = match client.filter(|_| !self.known.contains(&key, now)) {
            Some(stranger) => Some(self.by_client.begin(stranger, now).await?),
            None => None,
        };
        Ok(Attempt { by_name, by_client, key, known: self.known.clone() })
    }
}

impl LoginThrottle {
    /// Does a login with this name: beyond the limits it is not done, and one with a wrong name or password counts.
    ///
    /// # Errors
    /// 429 if a limit has been reached; 503 if the store cannot be reached.
    pub(crate) async fn log_in<T>(
        &self,
        engine: &LeaseEngine,
        client: ClientAddress,
        name: &str,
        login: impl Future<Output = Result<T, Error>>,
    ) -> Result<Result<T, Error>, Problem> {
        let subject = Subject::named(engine, name).await?;
        let attempt = self.begin(client.network(), subject, engine.now()).await?;
        let outcome = login.await;
        attempt.settle(&outcome, engine.now());
        Ok(outcome)
    }

    /// Does work in which the present password of this user is verified: beyond the limits of failed logins it is not done, and a wrong
    /// password counts as one. Without a user, nothing is verified.
    ///
    /// # Errors
    /// 429 if a limit has been reached.
    pub(crate) async fn guard<T>(
        &self,
        engine: &LeaseEngine,
        client: ClientAddress,
        user: Option<UserId>,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<Result<T, Error>, TooMany> {
        let Some(user) = user else { return Ok(work.await) };
        let attempt = self.begin(client.network(), Subject::User(user), engine.now()).await?;
        let outcome = work.await;
        attempt.settle_current(&outcome, engine.now());
        Ok(outcome)
    }
}

/// A pending login. If it is dropped without an outcome (the store was unavailable, or the client hung up), it does not count.
#[derive(Debug)]
#[must_use]
pub(crate) struct Attempt {
    by_name: Pending<Key>,
    by_client: Option<Pending<ClientNetwork>>,
    key: Key,
    known: Known<Key>,
}

impl Attempt {
    /// Ends the attempt. A success clears the earlier failures with this name, but not those with other names, which the same client
    /// may have guessed at; an error that has nothing to do with the password does not count.
    pub(crate) fn settle<T>(self, outcome: &Result<T, Error>, now: DateTime<Utc>) {
        match outcome {
            Ok(_) => {
                self.known.remember(self.key, now);
                self.by_name.forget();
            }
            Err(Error::InvalidCredentials) => self.count(now),
            Err(_) => {}
        }
    }

    /// Ends an attempt to give the present password of a user who is logged in: a wrong one counts. A right one clears nothing, since it
    /// is not always asked for.
    pub(crate) fn settle_current<T>(self, outcome: &Result<T, Error>, now: DateTime<Utc>) {
        match outcome {
            Err(Error::Invalid(errors)) if !errors.of("current_password").is_empty() => self.count(now),
            _ => {}
        }
    }

    fn count(self, now: DateTime<Utc>) {
        self.by_name.count(now);
        if let Some(by_client) = self.by_client {
            by_client.count(now);
        }
    }
}

/// Puts the limit on registrations around an endpoint. It is checked before anything is done: before an idempotency key is claimed or a
/// password is hashed. A request that is sent again counts again.
pub(crate) fn limit_registrations(endpoint: MethodRouter<AppState>, state: &AppState) -> MethodRouter<AppState> {
    client::limit(endpoint, state, |state| &state.accounts.registrations, |_| true)
}

/// Puts the limit on mails around an endpoint that sets a password by a mailed link, for requests with an idempotency key: the password
/// in them is stretched before the link is looked at. A request without a key costs nothing unless its link is good.
pub(crate) fn limit_keyed_links(endpoint: MethodRouter<AppState>, state: &AppState) -> MethodRouter<AppState> {
    client::limit(endpoint, state, |state| &state.mails, |request| request.headers().contains_key(IDEMPOTENCY_KEY))
}

/// Refuses changes of a password beyond the limits whose idempotency key would cost a hash of the password.
pub(crate) fn limit_password_changes(endpoint: MethodRouter<AppState>, state: &AppState) -> MethodRouter<AppState> {
    endpoint.route_layer(from_fn_with_state(state.clone(), limit_keyed_changes))
}

async fn limit_keyed_changes(
    State(state): State<AppState>,
    client: ClientAddress,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if !request.headers().contains_key(IDEMPOTENCY_KEY) {
        return Ok(next.run(request).await);
    }
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &state).await?;
    if let Some(user) = caller.actor().user() {
        state.accounts.logins.check(client.network(), Subject::User(user), state.engine.now())?;
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// Refuses logins beyond the limits whose idempotency key would cost a hash of the password. Others are refused by the handler.
pub(crate) fn limit_logins(endpoint: MethodRouter<AppState>, state: &AppState) -> MethodRouter<AppState> {
    endpoint.route_layer(from_fn_with_state(state.clone(), limit))
}

async fn limit(State(state): State<AppState>, client: ClientAddress, request: Request, next: Next) -> Result<Response, Problem> {
    if request.headers().contains_key(IDEMPOTENCY_KEY) {
        // What is wrong with the body is told by the handler.
        let body = received_body(request.extensions()).unwrap_or_default();
        let draft = serde_json::from_slice::<LoginDraft>(&body).ok();
        if let Some(name) = draft.as_ref().and_then(|draft| draft.username.given()) {
            let subject = Subject::named(&state.engine, name).await?;
            state.accounts.logins.check(client.network(), subject, state.engine.now())?;
        }
    }
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests;
