//! The rows of query results, one file for each table. Rows are parsed, not trusted: a row that makes no sense is
//! [`RepositoryError::Corrupt`].
//!
//! Each type can be read in two ways, so that each table has one parser: by the names of its columns, or nested in the row of a
//! load as a `row(…)` of the same columns in the same order.

mod account;
mod card;
mod contact;
mod customer;
mod invoice;
mod lead;
mod payment;
mod proposal;
mod service;
mod trade;
mod vehicle;

use std::str::FromStr;

pub(crate) use account::{TokenRow, UserRow};
pub(crate) use card::CardRow;
pub(crate) use contact::ContactRow;
pub(crate) use customer::CustomerRow;
pub(crate) use invoice::{InvoiceColumns, InvoiceRow};
pub(crate) use lead::LeadRow;
use lease_core::decision::RowChange;
use lease_core::id::{Entity, Id, Stored, Version, Versioned};
use lease_core::money::{Currency, Money};
use lease_core::repository::RepositoryError;
pub(crate) use payment::{PaymentRow, payment_columns};
pub(crate) use proposal::{ProposalRow, period, proposal_columns};
use rust_decimal::Decimal;
pub(crate) use service::ServiceRow;
pub(crate) use trade::TradeRow;
pub(crate) use vehicle::VehicleRow;

/// A row that can be parsed.
pub(crate) trait Row: Sized {
    /// The parsed value.
    type Entity: Entity;

    /// Parses it.
    fn parse(self) -> Result<Stored<Self::Entity>, RepositoryError>;
}

/// Parses a row together with its version.
pub(crate) fn versioned<R: Row>(version: i64, row: R) -> Result<Versioned<Stored<R::Entity>>, RepositoryError> {
    Ok(Versioned { version: Version(version), value: row.parse()? })
}

/// The table and id of a row, for the error that names it if it makes no sense.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    table: &'static str,
    id: i64,
}

impl At {
    pub(crate) const fn new(table: &'static str, id: i64) -> Self {
        Self { table, id }
    }

    /// The error for a row that makes no sense.
    pub(crate) fn corrupt(self, reason: impl Into<String>) -> RepositoryError {
        RepositoryError::Corrupt { table: self.table, id: self.id, reason: reason.into() }
    }

    /// Returns a value that must not be null.
    pub(crate) fn some<T>(self, column: &str, value: Option<T>) -> Result<T, RepositoryError> {
        value.ok_or_else(|| self.corrupt(format!("{column} is null")))
    }

    pub(crate) fn id<I: Id>(self, column: &str, number: i64) -> Result<I, RepositoryError> {
        self.some(column, I::new(number))
    }

    pub(crate) fn number<T: TryFrom<i32>>(self, column: &str, number: i32) -> Result<T, RepositoryError> {
        T::try_from(number).map_err(|_| self.corrupt(format!("{column} is out of range")))
    }

    /// Parses one of the names of an enum.
    pub(crate) fn name<T: FromStr>(self, column: &str, name: &str) -> Result<T, RepositoryError> {
        name.parse().map_err(|_| self.corrupt(format!("{column} is unknown")))
    }

    pub(crate) fn money(self, amount: Decimal, currency: &str) -> Result<Money, RepositoryError> {
        Currency::parse(currency)
            // The column has four decimal places whatever the currency.
            .and_then(|currency| Money::new(amount.normalize(), currency))
            .map_err(|error| self.corrupt(error.to_string()))
    }
}

/// Rows hold secrets and texts of users, so `Debug` shows only their type.
macro_rules! opaque {
    ($($row:ty),+ $(,)?) => {$(
        impl std::fmt::Debug for $row {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($row), "(…)"))
            }
        }
    )+};
}

opaque!(
    CardRow,
    ContactRow,
    CustomerRow,
    InvoiceRow,
    LeadRow,
    PaymentRow,
    ProposalRow,
    ServiceRow,
    TokenRow,
    TradeRow,
    UserRow,
    VehicleRow,
);

/// Parses the id of a row of this table.
pub(crate) fn parse_id<I: Id>(table: &'static str, number: i64) -> Result<I, RepositoryError> {
    At::new(table, number).id("id", number)
}

/// Parses the id of a row of this table, if there is one.
pub(crate) fn parse_optional_id<I: Id>(table: &'static str, number: Option<i64>) -> Result<Option<I>, RepositoryError> {
    number.map(|number| parse_id(table, number)).transpose()
}

/// The id of the row of this table that a change has created, if it created one.
pub(crate) fn created<T: Entity>(table: &'static str, change: &RowChange<T>, id: i64) -> Result<Option<T::Id>, RepositoryError> {
    match change {
        RowChange::Create(_) => parse_id(table, id).map(Some),
        RowChange::Update { .. } | RowChange::Delete { .. } => Ok(None),
    }
}
