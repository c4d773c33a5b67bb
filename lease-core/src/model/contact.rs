use chrono::{DateTime, Utc};

use crate::id::{ContactId, CustomerId, Entity, LeadId};

/// An address-book entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact {
    /// Whose address book it stands in.
    pub owner: ContactOwner,
    /// What the entry is called: "home", "office".
    pub label: String,
    /// The person or firm.
    pub name: String,
    /// E-mail address, or empty.
    pub email: String,
    /// Phone number, or empty.
    pub phone: String,
    /// Street and number, or empty.
    pub address_line1: String,
    /// What else the address needs, or empty.
    pub address_line2: String,
    /// Town, or empty.
    pub city: String,
    /// State or province, or empty.
    pub state: String,
    /// Postal code, or empty.
    pub postal_code: String,
    /// Country, or empty.
    pub country: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Entity for Contact {
    type Id = ContactId;
}

/// A contact belongs to either a customer or a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ContactOwner {
    /// A customer's.
    Customer(CustomerId),
    /// A lead's.
    Lead(LeadId),
}
