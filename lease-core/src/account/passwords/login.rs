use chrono::{DateTime, Duration, Utc};

use crate::account::token::token_created;
use crate::account::{FIRST_EPOCH, Login, PasswordHash, PasswordRenewal, Token, TokenHash, TokenUse};
use crate::decision::Decision;
use crate::error::Error;
use crate::event::{Event, EventActor, EventType};
use crate::model::{Account, User};
use crate::permission::Actor;
use crate::policy::Policy;

impl TokenUse {
    /// The name of a token that a login for this use creates.
    const fn token_name(self) -> &'static str {
        match self {
            Self::Api => "login",
            Self::Console => "console",
        }
    }

    /// How long such a token is good: a session of the console at most half a day.
    pub(crate) fn ttl(self, policy: &Policy) -> Duration {
        match self {
            Self::Api => policy.token_ttl,
            Self::Console => policy.token_ttl.min(Duration::hours(12)),
        }
    }
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
