use lease_core::event::NewRow;
use lease_core::gateway::CardToken;
use lease_core::model::CreditCard;
use lease_core::repository::RepositoryError;

use super::{Fields, Table, Values, WriteTable};

impl Table for CreditCard {
    const NAME: &'static str = "credit_cards";
    const COLUMNS: &'static [&'static str] = &[
        "customer_id",
        "brand",
        "last4",
        "exp_month",
        "exp_year",
        "holder_name",
        "is_default",
        "gateway_token",
        "created_at",
        "deleted_at",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            customer_id: fields.id()?,
            brand: fields.name()?,
            last4: fields.get()?,
            exp_month: fields.number()?,
            exp_year: fields.get()?,
            holder_name: fields.get()?,
            is_default: fields.get()?,
            token: CardToken::new(fields.get::<String>()?),
            created_at: fields.get()?,
            deleted_at: fields.get()?,
        })
    }
}

impl WriteTable for CreditCard {
    const WRITTEN: &'static str = "customer_id, brand, last4, exp_month, exp_year, holder_name, is_default, gateway_token, \
                                   created_at, deleted_at";
    const NEW_ROW: Option<NewRow> = Some(NewRow::CreditCard);

    fn write(&self, values: &mut Values<'_>) {
        values
            .push_bind(self.customer_id.get())
            .push_bind(self.brand.to_string())
            .push_bind(&self.last4)
            .push_bind(i32::try_from(self.exp_month).unwrap_or(i32::MAX))
            .push_bind(self.exp_year)
            .push_bind(&self.holder_name)
            .push_bind(self.is_default)
            .push_bind(self.token.expose())
            .push_bind(self.created_at)
            .push_bind(self.deleted_at);
    }
}
