use chrono::{DateTime, NaiveDate, Utc};
use lease_core::engine::{LoggedIn, Registered};
use lease_core::id::{CustomerId, UserId};
use lease_core::openapi::Id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Secret;

/// A new user, just registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Registration {
    /// A confirmation message.
    #[schema(example = "successfully registered a new user.")]
    pub response: String,
    /// The user.
    #[schema(value_type = Id)]
    pub user_id: UserId,
    /// The user's customer.
    #[schema(required, value_type = Option<Id>)]
    pub customer_id: Option<CustomerId>,
    /// The name to log in with.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// The occupation, or empty.
    pub job: String,
    /// The date of birth, if it is known.
    #[schema(required)]
    pub dob: Option<NaiveDate>,
    /// Anything else, or empty.
    pub notes: String,
    /// The first token; shown only here.
    #[schema(value_type = String, pattern = "^[0-9a-f]{40}$", example = "0123456789abcdef0123456789abcdef01234567")]
    pub token: Secret,
}

impl From<Registered> for Registration {
    fn from(registered: Registered) -> Self {
        let Registered { account, profile, token, .. } = registered;
        let user = account.user.value;
        Self {
            response: "successfully registered a new user.".to_owned(),
            user_id: account.user.id,
            customer_id: account.customer_id,
            username: user.username.as_str().to_owned(),
            email: user.email_or_empty().to_owned(),
            first_name: user.first_name,
            last_name: user.last_name,
            job: profile.job,
            dob: profile.dob,
            notes: profile.notes,
            token: Secret::new(token.expose()),
        }
    }
}

/// A user, just logged in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Login {
    /// The new token; earlier ones stay valid. Shown only here.
    #[schema(value_type = String, pattern = "^[0-9a-f]{40}$", example = "0123456789abcdef0123456789abcdef01234567")]
    pub token: Secret,
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
    /// The user.
    #[schema(value_type = Id)]
    pub user_id: UserId,
    /// Null for administrative users.
    #[schema(required, value_type = Option<Id>)]
    pub customer_id: Option<CustomerId>,
}

impl From<LoggedIn> for Login {
    fn from(login: LoggedIn) -> Self {
        Self {
            token: Secret::new(login.token.expose()),
            expires_at: login.expires_at,
            user_id: login.account.user.id,
            customer_id: login.account.customer_id,
        }
    }
}
