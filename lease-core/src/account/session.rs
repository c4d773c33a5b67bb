use chrono::{DateTime, Utc};

use crate::account::Token;
use crate::error::Error;
use crate::id::Stored;
use crate::model::{Account, Role};
use crate::permission::Actor;
use crate::policy::Policy;

/// An actor who presented a valid token.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The actor.
    pub actor: Actor,
    /// The token.
    pub token: Stored<Token>,
}

/// Checks a token that was found (rules 2.1, 3.6): it is valid until the instant at which it expires, if its epoch is the user's
/// present one and the user is active. The policy says whether a customer must have confirmed the e-mail address to act.
///
/// # Errors
/// [`Error::NotAuthenticated`], whatever is wrong with the token.
pub fn session(found: Option<(Stored<Token>, Account)>, policy: &Policy, now: DateTime<Utc>) -> Result<Session, Error> {
    let (token, account) = found.ok_or(Error::NotAuthenticated)?;
    let is_good = token.is_live(&account.user, now) && account.user.is_active;
    match Actor::under(policy, &account) {
        Actor::Anonymous => Err(Error::NotAuthenticated),
        actor if is_good => Ok(Session { actor, token }),
        _ => Err(Error::NotAuthenticated),
    }
}

/// Checks a token of the console that was found (chapter 10): as [`session`], and its user is still administrative.
///
/// # Errors
/// [`Error::NotAuthenticated`], whatever is wrong with the token.
pub fn console_session(found: Option<(Stored<Token>, Account)>, policy: &Policy, now: DateTime<Utc>) -> Result<Session, Error> {
    let session = session(found, policy, now)?;
    if session.actor.role().is_some_and(Role::is_staff) { Ok(session) } else { Err(Error::NotAuthenticated) }
}

/// Checks whether a session goes on (rule 8.7): its token is still good, and its user has the same role and customer as before.
///
/// # Errors
/// [`Error::NotAuthenticated`] if it does not.
pub fn check_session(known: &Session, found: Option<(Stored<Token>, Account)>, now: DateTime<Utc>) -> Result<(), Error> {
    check_actor(&known.actor, &session(found, &Policy::default(), now)?.actor)
}

/// Checks whether an actor has the same role and customer as before.
///
/// # Errors
/// [`Error::NotAuthenticated`] if they have not.
pub(crate) fn check_actor(known: &Actor, present: &Actor) -> Result<(), Error> {
    let is_the_same = (present.role(), present.customer()) == (known.role(), known.customer());
    if is_the_same { Ok(()) } else { Err(Error::NotAuthenticated) }
}

/// The actor that an acting user is now: they may have been given another role (rule 2.1). `account` is theirs, as it is now.
///
/// # Errors
/// [`Error::NotAuthenticated`] if they may no longer act at all.
pub(crate) fn current_actor(actor: &Actor, account: &Account, policy: &Policy) -> Result<Actor, Error> {
    let current = Actor::under(policy, account);
    let is_another_customer =
        actor.customer().is_some() && current.customer().is_some() && actor.customer() != current.customer();
    if !account.user.is_active || current == Actor::Anonymous || is_another_customer {
        return Err(Error::NotAuthenticated);
    }
    Ok(current)
}
