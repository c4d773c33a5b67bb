use chrono::{DateTime, Utc};
use lease_core::id::{CustomerId, LeadId, Stored};
use lease_core::model::{self, LeadStatus};
use lease_core::openapi::Id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A prospect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Lead {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: LeadId,
    /// The given name, or empty.
    pub first_name: String,
    /// The family name, or empty.
    pub last_name: String,
    /// The e-mail address, or empty.
    pub email: String,
    /// The phone number, or empty.
    pub phone: String,
    /// The company, or empty.
    pub company: String,
    /// Where it comes from, or empty.
    pub source: String,
    /// Its status.
    pub status: LeadStatus,
    /// Anything else, or empty.
    pub notes: String,
    /// The customer that it was converted to.
    #[schema(required, value_type = Option<Id>)]
    pub customer_id: Option<CustomerId>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

impl From<Stored<model::Lead>> for Lead {
    fn from(lead: Stored<model::Lead>) -> Self {
        let customer_id = lead.customer_id();
        let Stored { id, value: lead } = lead;
        Self {
            id,
            first_name: lead.first_name,
            last_name: lead.last_name,
            email: lead.email,
            phone: lead.phone,
            company: lead.company,
            source: lead.source,
            status: lead.state.into(),
            notes: lead.notes,
            customer_id,
            created_at: lead.created_at,
        }
    }
}
