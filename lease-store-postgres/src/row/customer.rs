use chrono::{DateTime, NaiveDate, Utc};
use lease_core::id::Stored;
use lease_core::model::{Customer, Profile};
use lease_core::repository::RepositoryError;

use super::{At, Row};

/// A row of `customers`.
#[derive(sqlx::FromRow, sqlx::Type)]
#[sqlx(type_name = "record")]
pub(crate) struct CustomerRow {
    id: i64,
    user_id: i64,
    job: String,
    dob: Option<NaiveDate>,
    notes: String,
    created_at: DateTime<Utc>,
}

impl Row for CustomerRow {
    type Entity = Customer;

    fn parse(self) -> Result<Stored<Customer>, RepositoryError> {
        let at = At::new("customers", self.id);
        let value = Customer {
            user_id: at.id("user_id", self.user_id)?,
            profile: Profile { job: self.job, dob: self.dob, notes: self.notes },
            created_at: self.created_at,
        };
        Ok(Stored { id: at.id("id", self.id)?, value })
    }
}
