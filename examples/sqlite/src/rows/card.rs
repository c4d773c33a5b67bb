use lease_core::model::{CardToken, CreditCard};
use lease_core::repository::RepositoryError;

use crate::sql::Fields;
use crate::table::Table;
use crate::value::{Value, name, values};

impl Table for CreditCard {
    const NAME: &'static str = "credit_cards";
    const COLUMNS: &'static str =
        "customer_id, brand, last4, exp_month, exp_year, holder_name, is_default, gateway_token, created_at, deleted_at";

    fn values(&self) -> Vec<Value> {
        values![
            self.customer_id,
            name(self.brand),
            self.last4,
            self.exp_month,
            self.exp_year,
            self.holder_name,
            self.is_default,
            self.token.expose(),
            self.created_at,
            self.deleted_at,
        ]
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            customer_id: fields.get()?,
            brand: fields.name()?,
            last4: fields.get()?,
            exp_month: fields.get()?,
            exp_year: fields.get()?,
            holder_name: fields.get()?,
            is_default: fields.get()?,
            token: CardToken::new(fields.get()?),
            created_at: fields.get()?,
            deleted_at: fields.get()?,
        })
    }
}
