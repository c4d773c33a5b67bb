use chrono::{DateTime, Utc};

use crate::account::{Token, TokenHash};
use crate::error::Error;
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

/// Judges a token that was found (spec 2, rule 1; spec 3.6): it is good until the instant it expires, in the user's present
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
