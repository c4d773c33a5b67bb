use chrono::{DateTime, Utc};
use lease_core::gateway::CardToken;
use lease_core::id::Stored;
use lease_core::model::CreditCard;
use lease_core::repository::RepositoryError;

use super::{At, Row};

/// A row of `credit_cards`.
#[derive(sqlx::FromRow, sqlx::Type)]
#[sqlx(type_name = "record")]
pub(crate) struct CardRow {
    id: i64,
    customer_id: i64,
    brand: String,
    last4: String,
    exp_month: i32,
    exp_year: i32,
    holder_name: String,
    is_default: bool,
    gateway_token: String,
    created_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
}

impl Row for CardRow {
    type Entity = CreditCard;

    fn parse(self) -> Result<Stored<CreditCard>, RepositoryError> {
        let at = At::new("credit_cards", self.id);
        let value = CreditCard {
            customer_id: at.id("customer_id", self.customer_id)?,
            brand: at.name("brand", &self.brand)?,
            last4: self.last4,
            exp_month: at.number("exp_month", self.exp_month)?,
            exp_year: self.exp_year,
            holder_name: self.holder_name,
            is_default: self.is_default,
            token: CardToken::new(self.gateway_token),
            created_at: self.created_at,
            deleted_at: self.deleted_at,
        };
        Ok(Stored { id: at.id("id", self.id)?, value })
    }
}
