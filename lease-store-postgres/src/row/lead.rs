use chrono::{DateTime, Utc};
use lease_core::id::Stored;
use lease_core::model::{Lead, LeadState, LeadStatus};
use lease_core::repository::RepositoryError;

use super::{At, Row};

/// A row of `leads`.
#[derive(sqlx::FromRow, sqlx::Type)]
#[sqlx(type_name = "record")]
pub(crate) struct LeadRow {
    id: i64,
    first_name: String,
    last_name: String,
    email: String,
    phone: String,
    company: String,
    source: String,
    status: String,
    customer_id: Option<i64>,
    notes: String,
    created_at: DateTime<Utc>,
}

impl Row for LeadRow {
    type Entity = Lead;

    fn parse(self) -> Result<Stored<Lead>, RepositoryError> {
        let at = At::new("leads", self.id);
        let state = match at.name("status", &self.status)? {
            LeadStatus::New => LeadState::New,
            LeadStatus::Contacted => LeadState::Contacted,
            LeadStatus::Qualified => LeadState::Qualified,
            LeadStatus::Converted => {
                let customer = at.some("customer_id", self.customer_id)?;
                LeadState::Converted(at.id("customer_id", customer)?)
            }
            LeadStatus::Lost => LeadState::Lost,
        };
        let value = Lead {
            first_name: self.first_name,
            last_name: self.last_name,
            email: self.email,
            phone: self.phone,
            company: self.company,
            source: self.source,
            state,
            notes: self.notes,
            created_at: self.created_at,
        };
        Ok(Stored { id: at.id("id", self.id)?, value })
    }
}
