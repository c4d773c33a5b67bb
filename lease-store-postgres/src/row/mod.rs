//! The rows of the tables, one file for each table: its columns, and how they are read and written, side by side.
//!
//! Rows are parsed, not trusted: a row that makes no sense is [`RepositoryError::Corrupt`]. But rules for input do not judge what
//! is stored again, so nothing here fails for a row that the constraints of the schema allow: they hold for names of enums, for
//! the form of a currency's code and of a VIN, for the sign of amounts and for what must not be null.

mod account;
mod annotation;
mod card;
mod contact;
mod customer;
mod event;
mod invoice;
mod lead;
mod mail;
mod payment;
mod proposal;
mod refund;
mod service;
mod token;
mod trade;
mod vehicle;
mod webhook_delivery;
mod webhook_endpoint;

use std::fmt::Display;
use std::str::FromStr;

pub(crate) use account::read_account;
pub(crate) use annotation::{ANNOTATIONS, write_annotations};
pub(crate) use event::actor_columns;
pub(crate) use invoice::{STATE_COLUMNS as INVOICE_STATE, write_state as write_invoice_state};
use lease_core::error::with_causes;
use lease_core::event::NewRow;
use lease_core::id::{Entity, Id, Stored, Version, Versioned};
use lease_core::money::{Currency, Money};
use lease_core::repository::RepositoryError;
pub(crate) use mail::mail_state;
pub(crate) use payment::{STATE_COLUMNS as PAYMENT_STATE, write_state as write_payment_state};
pub(crate) use proposal::read_period;
pub(crate) use refund::{STATE_COLUMNS as REFUND_STATE, write_state as write_refund_state};
use rust_decimal::Decimal;
use sqlx::postgres::{PgRow, Postgres};
use sqlx::query_builder::Separated;
use sqlx::{Column as _, Decode, QueryBuilder, Row as _, Type};
pub(crate) use trade::{OFFERED, STATE_COLUMNS as TRADE_STATE, write_state as write_trade_state};
pub(crate) use webhook_delivery::{DELIVERY_WRITTEN, attempt_json, delivery_state, write_delivery};

/// A table whose rows are read.
pub(crate) trait Table: Entity {
    /// Its name.
    const NAME: &'static str;
    /// The columns that are read after the id, in this order.
    const COLUMNS: &'static [&'static str];

    /// Reads [`COLUMNS`](Self::COLUMNS).
    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError>;
}

/// A table whose rows are written as a whole.
pub(crate) trait WriteTable: Table {
    /// The columns that are written, in this order.
    const WRITTEN: &'static str;
    /// What a new row is called in events, if they name it.
    const NEW_ROW: Option<NewRow>;

    /// Writes the values of [`WRITTEN`](Self::WRITTEN).
    fn write(&self, values: &mut Values<'_>);
}

/// The values of a statement that writes a row, as its arguments.
pub(crate) type Values<'q> = Separated<'q, Postgres, &'static str>;

/// Adds the id and the columns of a table, each with this alias.
pub(crate) fn push_columns<T: Table>(query: &mut QueryBuilder<Postgres>, alias: &str) {
    query.push(alias).push(".id");
    for column in T::COLUMNS {
        query.push(", ").push(alias).push(".").push(column);
    }
}

/// The fields of a row of a result, read one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'r> {
    row: &'r PgRow,
    next: usize,
    /// The table and the id of the row that is being read, for the error that names it if it makes no sense.
    table: &'static str,
    id: i64,
}

impl<'r> Fields<'r> {
    pub(crate) const fn of(row: &'r PgRow) -> Self {
        Self { row, next: 0, table: "", id: 0 }
    }

    /// Reads a row of a table: its id and its columns.
    pub(crate) fn row<T: Table>(&mut self) -> Result<Stored<T>, RepositoryError> {
        self.table = T::NAME;
        self.id = self.get()?;
        let id = T::Id::new(self.id).ok_or_else(|| self.corrupt("is no id"))?;
        Ok(Stored { id, value: T::read(self)? })
    }

    /// Reads a row of a table, unless all its columns are null since a join has found none.
    pub(crate) fn joined_row<T: Table>(&mut self) -> Result<Option<Stored<T>>, RepositoryError> {
        let id: Option<i64> = self.get()?;
        if id.is_none() {
            self.skip(T::COLUMNS.len());
            return Ok(None);
        }
        self.next -= 1;
        self.row().map(Some)
    }

    /// Passes over some fields.
    pub(crate) const fn skip(&mut self, fields: usize) {
        self.next += fields;
    }

    /// Reads a version and a row of a table.
    pub(crate) fn versioned<T: Table>(&mut self) -> Result<Versioned<Stored<T>>, RepositoryError> {
        Ok(Versioned { version: self.version()?, value: self.row()? })
    }

    pub(crate) fn version(&mut self) -> Result<Version, RepositoryError> {
        self.get().map(Version)
    }

    /// Reads a field of a type that the driver knows. One that is null must be an `Option`.
    pub(crate) fn get<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> Result<T, RepositoryError> {
        let value = self.row.try_get(self.next);
        self.next += 1;
        value.map_err(|_| self.corrupt("is null or of another type"))
    }

    pub(crate) fn id<I: Id>(&mut self) -> Result<I, RepositoryError> {
        let number = self.get()?;
        I::new(number).ok_or_else(|| self.corrupt("is no id"))
    }

    pub(crate) fn optional_id<I: Id>(&mut self) -> Result<Option<I>, RepositoryError> {
        let number: Option<i64> = self.get()?;
        number.map(|number| I::new(number).ok_or_else(|| self.corrupt("is no id"))).transpose()
    }

    /// Reads an integer of a smaller range than its column.
    pub(crate) fn number<T: TryFrom<i32>>(&mut self) -> Result<T, RepositoryError> {
        let number = self.get()?;
        T::try_from(number).map_err(|_| self.corrupt("is out of range"))
    }

    /// Reads one of the names of an enum.
    pub(crate) fn name<T: FromStr>(&mut self) -> Result<T, RepositoryError> {
        let name: &str = self.get()?;
        self.parsed(name.parse())
    }

    /// Reads an amount and its currency.
    pub(crate) fn money(&mut self) -> Result<Money, RepositoryError> {
        let amount = self.get()?;
        let currency = self.currency()?;
        self.amount(amount, currency)
    }

    pub(crate) fn currency(&mut self) -> Result<Currency, RepositoryError> {
        let code = self.get()?;
        self.some("currency", Currency::from_stored(code))
    }

    pub(crate) fn amount(&self, amount: Decimal, currency: Currency) -> Result<Money, RepositoryError> {
        self.parsed(Money::from_stored(amount, currency))
    }

    /// The value of the field that was read last.
    pub(crate) fn parsed<T, E>(&self, outcome: Result<T, E>) -> Result<T, RepositoryError> {
        outcome.map_err(|_| self.corrupt("cannot be parsed"))
    }

    /// A value of the row that must not be null, for the state that the row is in.
    pub(crate) fn some<T>(&self, column: &str, value: Option<T>) -> Result<T, RepositoryError> {
        value.ok_or_else(|| self.fault(format!("{column} is null")))
    }

    /// The error for a row that makes no sense.
    pub(crate) fn fault(&self, reason: impl Display) -> RepositoryError {
        RepositoryError::Corrupt { table: self.table, id: self.id, reason: reason.to_string() }
    }

    /// The error for the field that was read last.
    fn corrupt(&self, reason: &str) -> RepositoryError {
        let column = self.next.checked_sub(1).and_then(|place| self.row.columns().get(place));
        self.fault(format_args!("{} {reason}", column.map_or("a column", |column| column.name())))
    }
}

/// The rows that can be read. One that cannot, such as one that a newer server has written, does not hold up the others.
pub(crate) fn readable<T>(rows: impl Iterator<Item = Result<T, RepositoryError>>) -> Vec<T> {
    let noted = |error: &RepositoryError| tracing::error!(error = %with_causes(error), "a claimed row is passed over");
    rows.filter_map(|row| row.inspect_err(noted).ok()).collect()
}

/// Parses the id of a row of this table, if there is one.
pub(crate) fn parse_optional_id<I: Id>(table: &'static str, number: Option<i64>) -> Result<Option<I>, RepositoryError> {
    let id = |number| I::new(number).ok_or_else(|| RepositoryError::Corrupt { table, id: number, reason: "is no id".to_owned() });
    number.map(id).transpose()
}
