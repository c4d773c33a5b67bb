use chrono::{DateTime, Duration, Utc};

use crate::account::token::token_created;
use crate::account::{Session, Token, TokenHash, TokenRevocation, expiry};
use crate::decision::Decision;
use crate::error::Error;
use crate::event::{Event, EventType};
use crate::id::Stored;
use crate::input::{Field, Form, Invalid, UpdateMode, draft};
use crate::model::Account;
use crate::model::limits::TOKEN_DAYS;
use crate::permission::{Act, Actor, Resource};
use crate::text;

draft! {
    /// The fields for creating a token.
    pub struct TokenDraft as TokenInput {
        /// What the user calls the token.
        pub name: Field<String> as required Name like "Nightly import",
        /// The number of days until the token expires. Without it, the token lives as long as that of a login.
        pub expires_in_days: Field<i64> as nullable TokenDays like 365,
    }
}

/// Creates a token for the user of a session (rule 3.3). `session` is the session in use, as it is now; `ttl` is the life of a
/// token unless the draft says otherwise.
///
/// The token gets the epoch of the one in use. If all tokens of the user are revoked in the meantime, the commit is refused, so that
/// a token which was revoked leaves no other one behind.
///
/// # Errors
/// [`Error::NotAuthenticated`] if the session is not the actor's; invalid fields.
pub fn create_token(
    session: &Session,
    actor: &Actor,
    draft: &TokenDraft,
    hash: TokenHash,
    ttl: Duration,
    now: DateTime<Utc>,
) -> Result<Decision<Token>, Error> {
    actor.require(Resource::Token, Act::Create)?;
    let Token { user_id, epoch, .. } = session.token.value;
    if actor.user() != Some(user_id) {
        return Err(Error::NotAuthenticated);
    }
    let mut form = Form::new(UpdateMode::Full);
    let name = form.required("name", &draft.name, None, |name| text::name(name));
    let ttl = form.optional("expires_in_days", &draft.expires_in_days, None, ttl, |days| {
        if TOKEN_DAYS.contains(days) { Ok(Duration::days(*days)) } else { Err(days_out_of_range()) }
    });
    let (Some(name), Some(ttl)) = (name, ttl) else { return Err(form.errors.into()) };
    let token = Token { hash, user_id, name, epoch, created_at: now, expires_at: expiry(now, ttl) };
    let event = token_created(user_id, &token.name, token.expires_at);
    Ok(Decision::new(token, [event]))
}

fn days_out_of_range() -> Invalid {
    Invalid::DaysOutOfRange { min: *TOKEN_DAYS.start(), max: *TOKEN_DAYS.end() }
}

/// Revokes a token of the actor's own user (rule 3.3).
///
/// # Errors
/// [`Error::NotAuthenticated`] where nobody is known; [`Error::NotFound`] for a token of another user.
pub fn revoke_token(token: &Stored<Token>, actor: &Actor) -> Result<Decision<TokenRevocation>, Error> {
    actor.require(Resource::Token, Act::Delete)?;
    if actor.user() != Some(token.user_id) {
        return Err(Error::NotFound);
    }
    let event = Event::of_token(EventType::TokenRevoked, token.id, token.user_id, &token.name).fact("tokens", "one");
    Ok(Decision::new(TokenRevocation { user_id: token.user_id, token: token.hash }, [event]))
}

/// Revokes a token that was found, with the account that it belongs to, if the list of the actor's tokens shows it (rule 3.3).
///
/// # Errors
/// [`Error::NotAuthenticated`] where nobody is known; [`Error::NotFound`] for a token of another user, and for one that has expired or
/// was revoked.
pub fn revoke_listed_token(
    found: Option<&(Stored<Token>, Account)>,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Decision<TokenRevocation>, Error> {
    actor.require(Resource::Token, Act::Delete)?;
    let live = found.filter(|(token, account)| token.is_live(&account.user, now));
    let (token, _) = live.ok_or(Error::NotFound)?;
    revoke_token(token, actor)
}
