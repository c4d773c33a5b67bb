use chrono::{DateTime, Utc};

use crate::id::{ContactId, CustomerId, Entity, LeadId};

/// An address-book entry.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Contact {
    /// The customer or lead that the contact belongs to.
    pub owner: ContactOwner,
    /// The label of the entry, such as "home" or "office".
    pub label: String,
    /// The name of the person or company.
    pub name: String,
    /// E-mail address, or empty.
    pub email: String,
    /// Phone number, or empty.
    pub phone: String,
    /// Street and number, or empty.
    pub address_line1: String,
    /// The rest of the address, or empty.
    pub address_line2: String,
    /// Town, or empty.
    pub city: String,
    /// State or province, or empty.
    pub state: String,
    /// Postal code, or empty.
    pub postal_code: String,
    /// Country, or empty.
    pub country: String,
    /// When the contact was created.
    pub created_at: DateTime<Utc>,
}

impl Entity for Contact {
    type Id = ContactId;
}

/// The owner of a contact: either a customer or a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum ContactOwner {
    /// The contact belongs to this customer.
    Customer(CustomerId),
    /// The contact belongs to this lead.
    Lead(LeadId),
}

impl ContactOwner {
    /// The customer, if the contact belongs to one.
    #[must_use]
    pub const fn customer(self) -> Option<CustomerId> {
        match self {
            Self::Customer(id) => Some(id),
            Self::Lead(_) => None,
        }
    }

    /// The lead, if the contact belongs to one.
    #[must_use]
    pub const fn lead(self) -> Option<LeadId> {
        match self {
            Self::Customer(_) => None,
            Self::Lead(id) => Some(id),
        }
    }
}
