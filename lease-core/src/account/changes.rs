use chrono::{DateTime, Utc};

use crate::account::{PasswordHash, Token, TokenHash};
use crate::id::{CustomerId, UserId, Version};
use crate::model::{Profile, User};

/// A user to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAccount {
    /// The user.
    pub user: User,
    /// The profile of its customer, if it is to have one; the customer is created at the user's `date_joined`.
    pub profile: Option<Profile>,
    /// The first token, if one is issued.
    pub token: Option<FirstToken>,
    /// Whether the store must refuse with [`Guarantee::FirstSuperuser`](crate::repository::Guarantee::FirstSuperuser) if there is
    /// an active superuser. Several processes may safely try at once.
    pub only_first_superuser: bool,
}

impl NewAccount {
    /// The first token as it is stored, if one is issued: of the user's epoch, and created with the user. `user_id` is the user's
    /// id.
    #[must_use]
    pub fn first_token(&self, user_id: UserId) -> Option<Token> {
        let FirstToken { hash, name, expires_at } = self.token.clone()?;
        Some(Token { hash, user_id, name, epoch: self.user.token_epoch, created_at: self.user.date_joined, expires_at })
    }
}

/// A token that is created together with its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstToken {
    /// Its hash.
    pub hash: TokenHash,
    /// Its name.
    pub name: String,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// A change to a user.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountChange {
    /// The user.
    pub id: UserId,
    /// The version that the decision was made on.
    pub expected: Version,
    /// The new user, except for `last_login`, which only logins write.
    pub user: User,
    /// The change to the user's customer.
    pub customer: CustomerChange,
    /// A token of this user that is carried over from the user's present epoch to the new one. A token of an older epoch was
    /// revoked and remains revoked.
    pub keep_token: Option<TokenHash>,
    /// Whether the store must refuse with [`Guarantee::ActiveSuperuser`](crate::repository::Guarantee::ActiveSuperuser) unless
    /// another active superuser remains.
    pub needs_another_superuser: bool,
}

/// The change to a user's customer.
#[derive(Clone, Debug, PartialEq)]
pub enum CustomerChange {
    /// There is no change.
    Keep,
    /// The customer is created with this profile, at this instant.
    Create(Profile, DateTime<Utc>),
    /// The customer is deleted, if no other row refers to it.
    Delete(CustomerId),
}

/// A new token for a user who logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The new token.
    pub token: Token,
    /// The instant of the login, which becomes the user's `last_login`.
    pub at: DateTime<Utc>,
    /// A new hash of the user's password.
    pub renewal: Option<PasswordRenewal>,
}

impl Login {
    /// A login that leaves the hash of the password as it is.
    #[must_use]
    pub const fn new(token: Token, at: DateTime<Utc>) -> Self {
        Self { token, at, renewal: None }
    }
}

/// A new hash of the same password. It is written only over the hash that was verified, so that a new password that came in the
/// meantime stays. Nothing else about the user changes, and no token is revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordRenewal {
    /// The hash that was verified.
    pub from: PasswordHash,
    /// The new hash.
    pub to: PasswordHash,
}

/// The revocation of one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRevocation {
    /// The user that the token must belong to; a token of another user stays.
    pub user_id: UserId,
    /// The token.
    pub token: TokenHash,
}
