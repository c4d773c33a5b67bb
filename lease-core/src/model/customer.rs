use chrono::{DateTime, NaiveDate, Utc};

use crate::id::{CustomerId, Entity, UserId};
use crate::model::Annotations;

/// The trading party of a user who is not administrative.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Customer {
    /// The user that the customer belongs to.
    pub user_id: UserId,
    /// The customer's profile.
    pub profile: Profile,
    /// When the customer was created.
    pub created_at: DateTime<Utc>,
    /// What the company keeps with it.
    pub annotations: Annotations,
}

impl Entity for Customer {
    type Id = CustomerId;
}

/// The details that customers give about themselves.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Profile {
    /// Occupation.
    pub job: String,
    /// Date of birth, in the past.
    pub dob: Option<NaiveDate>,
    /// Anything else.
    pub notes: String,
}
