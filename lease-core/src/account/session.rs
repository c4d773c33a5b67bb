use chrono::{DateTime, Utc};

use crate::account::token::token_created;
use crate::account::{FIRST_EPOCH, Login, PasswordHash, PasswordRenewal, Token, TokenHash, TokenUse};
use crate::decision::Decision;
use crate::error::Error;
use crate::event::{Event, EventActor, EventType};
use crate::id::Stored;
use crate::model::{Account, Role, User};
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

/// The hash to verify a password against in a login (rule 3.2): that of the user with the given name, if there is one and they are
/// active. A deactivated user's password takes as long as that of an unknown name, whether or not it is right.
#[must_use]
pub fn password_to_verify(found: Option<&Account>) -> Option<&PasswordHash> {
    found.filter(|account| account.user.is_active).map(|account| &account.user.password)
}

/// Judges a login (rule 3.2): the user with the given name, if there is one, is active and has the given password. The console is for
/// administrative users only (chapter 10).
///
/// # Errors
/// [`Error::InvalidCredentials`], whatever is wrong.
pub fn check_login(found: Option<Account>, password_matches: bool, used: TokenUse) -> Result<Account, Error> {
    let is_admitted = |account: &Account| used == TokenUse::Api || account.user.role.is_staff();
    found.filter(|account| password_matches && account.user.is_active && is_admitted(account)).ok_or(Error::InvalidCredentials)
}

/// Succeeds if a registration whose response was lost may be repeated: the user is still active, and no tokens were revoked since.
///
/// # Errors
/// [`Error::NotAuthenticated`].
pub fn check_repeated_registration(account: &Account) -> Result<(), Error> {
    let is_unchanged = account.user.is_active && account.user.token_epoch == FIRST_EPOCH;
    if is_unchanged { Ok(()) } else { Err(Error::NotAuthenticated) }
}

/// Logs in a user whose password was verified, by creating a token (rule 3.2).
///
/// The token gets the epoch that was read together with the password, so if the password changes in the meantime, the token is
/// never valid (rule 3.5). `renewed` is a new hash of the same password, if the costs of hashing have changed since it was hashed.
#[must_use]
pub fn log_in(
    account: &Account,
    hash: TokenHash,
    used: TokenUse,
    expires_at: DateTime<Utc>,
    renewed: Option<PasswordHash>,
    now: DateTime<Utc>,
) -> Decision<Login> {
    let user_id = account.user.id;
    let name = used.token_name().to_owned();
    let token = Token { hash, user_id, name, epoch: account.user.token_epoch, created_at: now, expires_at };
    let renewal = renewed.map(|to| PasswordRenewal { from: account.user.password.clone(), to });
    let events = login_events(account, &token);
    Decision::new(Login { token, at: now, renewal }, events)
}

/// What happens at a login. It is the act of the user who logs in, though nobody was known before.
fn login_events(account: &Account, token: &Token) -> [Event; 2] {
    let (user, customer) = (&account.user, account.customer_id);
    let actor = Some(EventActor::from(&Actor::of(account)));
    let after = User { last_login: Some(token.created_at), ..user.value.clone() };
    let logged_in =
        Event::of_user(EventType::UserLoggedIn, user.id, customer).changing(&(&user.value, customer), &(&after, customer));
    let created = token_created(user.id, &token.name, token.expires_at);
    [Event { actor, ..logged_in }, Event { actor, ..created }]
}
