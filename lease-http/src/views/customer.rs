use chrono::{DateTime, NaiveDate, Utc};
use lease_core::id::{CustomerId, Stored, UserId};
use lease_core::model;
use lease_core::openapi::{Id, MetadataInput};
use lease_core::permission::Actor;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::annotations::{Seen, present};

/// The trading party that belongs to a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Customer {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: CustomerId,
    /// The user that the customer belongs to.
    #[schema(value_type = Id)]
    pub user_id: UserId,
    /// The occupation, or empty.
    pub job: String,
    /// The date of birth, if it is known.
    #[schema(required)]
    pub dob: Option<NaiveDate>,
    /// Anything else, or empty.
    pub notes: String,
    /// When the customer was created.
    pub created_at: DateTime<Utc>,
    /// What another system calls it, or null. Shown to administrative users alone.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 255, example = "crm-1042")]
    pub external_id: Option<Option<String>>,
    /// What the company keeps with it. Shown to administrative users alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = MetadataInput, required = false)]
    pub metadata: Option<Map<String, Value>>,
}

impl Customer {
    /// As this actor sees it.
    #[must_use]
    pub fn seen_by(actor: &Actor, customer: Stored<model::Customer>) -> Self {
        let Stored { id, value: model::Customer { user_id, profile, created_at, annotations } } = customer;
        let Seen { external_id, metadata } = Seen::by(actor, annotations);
        Self { id, user_id, job: profile.job, dob: profile.dob, notes: profile.notes, created_at, external_id, metadata }
    }
}
