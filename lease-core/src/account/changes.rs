use chrono::{DateTime, Utc};

use crate::account::{Token, TokenHash};
use crate::id::{CustomerId, UserId, Version};
use crate::model::{Profile, User};

/// A user to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAccount {
    /// The user.
    pub user: User,
    /// The customer behind it, where it trades; created at the user's `date_joined`.
    pub profile: Option<Profile>,
    /// A first token, where one is handed out: its hash, and the instant it expires. Its epoch is the user's.
    pub token: Option<(TokenHash, DateTime<Utc>)>,
}

/// A change to a user.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountChange {
    /// The user.
    pub id: UserId,
    /// The version that the decision was made on.
    pub expected: Version,
    /// The user from here on; `last_login` excepted, which only logins write.
    pub user: User,
    /// The change to the customer behind it.
    pub customer: CustomerChange,
    /// A token of this user that is carried over from the user's present epoch to the new one. One of an older epoch was revoked
    /// and stays so.
    pub keep_token: Option<TokenHash>,
    /// Refuse with [`Guarantee::ActiveSuperuser`](crate::repository::Guarantee::ActiveSuperuser) unless another active superuser
    /// remains.
    pub needs_another_superuser: bool,
}

/// The change to the customer behind a user.
#[derive(Clone, Debug, PartialEq)]
pub enum CustomerChange {
    /// None.
    Keep,
    /// It is created, at this instant.
    Create(Profile, DateTime<Utc>),
    /// It is deleted, if nothing hangs on it.
    Delete(CustomerId),
}

/// A new token for a user who logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The new token.
    pub token: Token,
    /// The instant: the user's `last_login` from here on.
    pub at: DateTime<Utc>,
}
