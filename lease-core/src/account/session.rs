use chrono::{DateTime, Utc};

use crate::account::{Login, Token, TokenHash};
use crate::decision::Decision;
use crate::error::Error;
use crate::event::Event;
use crate::model::Account;
use crate::permission::Actor;

/// Somebody who came with a good token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub actor: Actor,
    /// With which token.
    pub token: TokenHash,
}

/// Judges a token that was found (rule 2.1; rule 3.6): it is good until the instant it expires, in the user's present
/// epoch, while the user is active.
///
/// # Errors
/// [`Error::NotAuthenticated`], whatever is wrong with it.
pub fn session(found: Option<(Token, Account)>, now: DateTime<Utc>) -> Result<Session, Error> {
    let (token, account) = found.ok_or(Error::NotAuthenticated)?;
    let user = &account.user;
    let is_good = now < token.expires_at && token.epoch == user.token_epoch && user.is_active;
    match Actor::of(&account) {
        Actor::Anonymous => Err(Error::NotAuthenticated),
        actor if is_good => Ok(Session { actor, token: token.hash }),
        _ => Err(Error::NotAuthenticated),
    }
}

/// Logs a user in whose password was found right: a new token (rule 3.2).
///
/// The token's epoch is the one that the password was read in, so should the password change meanwhile, the token is dead on
/// arrival (rule 3.5).
#[must_use]
pub fn log_in(account: &Account, hash: TokenHash, expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Decision<Login> {
    let user_id = account.user.id;
    let token = Token { hash, user_id, epoch: account.user.token_epoch, expires_at };
    Decision::new(Login { token, at: now }, Event::UserLoggedIn(user_id))
}

/// Revokes a token of the actor's own user (rule 3.3).
///
/// # Errors
/// [`Error::NotAuthenticated`] where nobody is known.
pub fn revoke_token(actor: &Actor, token: TokenHash) -> Result<Decision<TokenHash>, Error> {
    let user = actor.user().ok_or(Error::NotAuthenticated)?;
    Ok(Decision::new(token, Event::TokenRevoked(user)))
}
