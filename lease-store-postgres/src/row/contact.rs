use chrono::{DateTime, Utc};
use lease_core::id::Stored;
use lease_core::model::{Contact, ContactOwner};
use lease_core::repository::RepositoryError;

use super::{At, Row};

/// A row of `contacts`.
#[derive(sqlx::FromRow, sqlx::Type)]
#[sqlx(type_name = "record")]
pub(crate) struct ContactRow {
    id: i64,
    customer_id: Option<i64>,
    lead_id: Option<i64>,
    label: String,
    name: String,
    email: String,
    phone: String,
    address_line1: String,
    address_line2: String,
    city: String,
    state: String,
    postal_code: String,
    country: String,
    created_at: DateTime<Utc>,
}

impl Row for ContactRow {
    type Entity = Contact;

    fn parse(self) -> Result<Stored<Contact>, RepositoryError> {
        let at = At::new("contacts", self.id);
        let owner = match (self.customer_id, self.lead_id) {
            (Some(id), None) => ContactOwner::Customer(at.id("customer_id", id)?),
            (None, Some(id)) => ContactOwner::Lead(at.id("lead_id", id)?),
            _ => return Err(at.corrupt("it does not have exactly one owner")),
        };
        let value = Contact {
            owner,
            label: self.label,
            name: self.name,
            email: self.email,
            phone: self.phone,
            address_line1: self.address_line1,
            address_line2: self.address_line2,
            city: self.city,
            state: self.state,
            postal_code: self.postal_code,
            country: self.country,
            created_at: self.created_at,
        };
        Ok(Stored { id: at.id("id", self.id)?, value })
    }
}
