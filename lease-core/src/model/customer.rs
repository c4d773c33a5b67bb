use chrono::{DateTime, NaiveDate, Utc};

use crate::id::{CustomerId, Entity, UserId};

/// The trading party behind a user that does not administer.
#[derive(Clone, Debug, PartialEq)]
pub struct Customer {
    /// The login.
    pub user_id: UserId,
    /// What the customer tells of themselves.
    pub profile: Profile,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Entity for Customer {
    type Id = CustomerId;
}

/// What a customer tells of themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Occupation.
    pub job: String,
    /// Date of birth, in the past.
    pub dob: Option<NaiveDate>,
    /// Anything else.
    pub notes: String,
}
