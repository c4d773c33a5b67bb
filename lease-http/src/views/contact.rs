use chrono::{DateTime, Utc};
use lease_core::id::{ContactId, CustomerId, LeadId, Stored};
use lease_core::model::{self, ContactOwner};
use lease_core::openapi::Id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An address-book entry of either a customer or a lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Contact {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: ContactId,
    /// The customer that it belongs to; null if it belongs to a lead.
    #[schema(required, value_type = Option<Id>)]
    pub customer_id: Option<CustomerId>,
    /// The lead that it belongs to; null if it belongs to a customer.
    #[schema(required, value_type = Option<Id>)]
    pub lead_id: Option<LeadId>,
    /// The label of the entry, such as `home` or `office`, or empty.
    pub label: String,
    /// The name of the person or company, or empty.
    pub name: String,
    /// The e-mail address, or empty.
    pub email: String,
    /// The phone number, or empty.
    pub phone: String,
    /// Street and number, or empty.
    pub address_line1: String,
    /// The rest of the address, or empty.
    pub address_line2: String,
    /// The town, or empty.
    pub city: String,
    /// The state or province, or empty.
    pub state: String,
    /// The postal code, or empty.
    pub postal_code: String,
    /// The country, or empty.
    pub country: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

impl From<Stored<model::Contact>> for Contact {
    fn from(contact: Stored<model::Contact>) -> Self {
        let Stored { id, value: contact } = contact;
        let (customer_id, lead_id) = match contact.owner {
            ContactOwner::Customer(customer) => (Some(customer), None),
            ContactOwner::Lead(lead) => (None, Some(lead)),
        };
        Self {
            id,
            customer_id,
            lead_id,
            label: contact.label,
            name: contact.name,
            email: contact.email,
            phone: contact.phone,
            address_line1: contact.address_line1,
            address_line2: contact.address_line2,
            city: contact.city,
            state: contact.state,
            postal_code: contact.postal_code,
            country: contact.country,
            created_at: contact.created_at,
        }
    }
}
