use chrono::{DateTime, Utc};
use lease_core::id::{CreditCardId, CustomerId, Stored};
use lease_core::model::{self, CardBrand};
use lease_core::openapi::Id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A stored credit card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct CreditCard {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: CreditCardId,
    /// The customer whose card it is.
    #[schema(value_type = Id)]
    pub customer_id: CustomerId,
    /// The card network.
    pub brand: CardBrand,
    /// The last four digits of the number.
    #[schema(pattern = "^[0-9]{4}$", example = "4242")]
    pub last4: String,
    /// The month in which it expires.
    #[schema(minimum = 1, maximum = 12)]
    pub exp_month: u32,
    /// The year in which it expires.
    pub exp_year: i32,
    /// The name on the card.
    pub holder_name: String,
    /// Whether it is the customer's default card.
    pub is_default: bool,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
}

impl From<Stored<model::CreditCard>> for CreditCard {
    fn from(card: Stored<model::CreditCard>) -> Self {
        let Stored { id, value: card } = card;
        Self {
            id,
            customer_id: card.customer_id,
            brand: card.brand,
            last4: card.last4,
            exp_month: card.exp_month,
            exp_year: card.exp_year,
            holder_name: card.holder_name,
            is_default: card.is_default,
            created_at: card.created_at,
        }
    }
}
