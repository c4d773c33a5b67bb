use chrono::{DateTime, Utc};

use crate::id::{CustomerId, Entity, LeadId};
use crate::text::search_text;

/// A prospect; only administrative users see it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Lead {
    /// Given name, or empty.
    pub first_name: String,
    /// Family name, or empty.
    pub last_name: String,
    /// E-mail address, or empty.
    pub email: String,
    /// Phone number, or empty.
    pub phone: String,
    /// Company, or empty.
    pub company: String,
    /// The source of the lead, or empty.
    pub source: String,
    /// The state of the lead.
    pub state: LeadState,
    /// Anything else.
    pub notes: String,
    /// When the lead was created.
    pub created_at: DateTime<Utc>,
}

impl Entity for Lead {
    type Id = LeadId;
}

impl Lead {
    /// The text that `search` searches.
    #[must_use]
    pub fn search_text(&self) -> String {
        search_text(&[&self.first_name, &self.last_name, &self.email, &self.phone, &self.company])
    }

    /// The customer that the lead became, if it was converted.
    #[must_use]
    pub const fn customer_id(&self) -> Option<CustomerId> {
        match self.state {
            LeadState::Converted(customer) => Some(customer),
            LeadState::New | LeadState::Contacted | LeadState::Qualified | LeadState::Lost => None,
        }
    }
}

/// The state of a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(LeadStatus),
    doc = "The names of a lead's states.",
    derive(Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "status", content = "customer_id", rename_all = "snake_case"))]
pub enum LeadState {
    /// Not contacted yet.
    New,
    /// Contacted.
    Contacted,
    /// Worth pursuing.
    Qualified,
    /// Converted to this customer.
    Converted(CustomerId),
    /// Given up.
    Lost,
}
