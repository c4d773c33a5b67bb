use chrono::{DateTime, Utc};
use lease_core::id::{CustomerId, UserId};
use lease_core::model::Account;
use lease_core::openapi::{Id, MetadataInput};
use lease_core::permission::Actor;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::annotations::{Seen, present};

/// A user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct User {
    /// The user's id.
    #[schema(value_type = Id)]
    pub id: UserId,
    /// The name to log in with.
    pub username: String,
    /// Null for a user without one, whom an app with users of its own has created.
    #[schema(required)]
    pub email: Option<String>,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// Whether the user may log in.
    pub is_active: bool,
    /// Whether the user is administrative.
    pub is_staff: bool,
    /// Whether the user administers the staff as well.
    pub is_superuser: bool,
    /// When the user was created.
    pub date_joined: DateTime<Utc>,
    /// When the user last logged in, if ever.
    #[schema(required)]
    pub last_login: Option<DateTime<Utc>>,
    /// When the e-mail address was confirmed; null if it was not.
    #[schema(required)]
    pub email_verified_at: Option<DateTime<Utc>>,
    /// The user's customer; null for administrative users.
    #[schema(required, value_type = Option<Id>)]
    pub customer_id: Option<CustomerId>,
    /// What another system calls it, or null. Shown to administrative users alone.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 255, example = "crm-1042")]
    pub external_id: Option<Option<String>>,
    /// What the company keeps with it. Shown to administrative users alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = MetadataInput, required = false)]
    pub metadata: Option<Map<String, Value>>,
}

impl User {
    /// As this actor sees it.
    #[must_use]
    pub fn seen_by(actor: &Actor, account: Account) -> Self {
        let user = account.user.value;
        let Seen { external_id, metadata } = Seen::by(actor, user.annotations);
        Self {
            id: account.user.id,
            username: user.username.as_str().to_owned(),
            email: user.email.as_ref().map(|email| email.as_str().to_owned()),
            first_name: user.first_name,
            last_name: user.last_name,
            is_active: user.is_active,
            is_staff: user.role.is_staff(),
            is_superuser: user.role.is_superuser(),
            date_joined: user.date_joined,
            last_login: user.last_login,
            email_verified_at: user.email_verified_at,
            customer_id: account.customer_id,
            external_id,
            metadata,
        }
    }
}
