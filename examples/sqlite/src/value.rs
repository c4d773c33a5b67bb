//! What a column can hold, and how the types of the model are written to columns and read from them.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use lease_core::id::{
    ContactId, CreditCardId, CustomerId, EventId, InvoiceId, LeadId, MailId, PaymentId, ProposalId, RefundId, ServiceId, TokenId,
    TradeId, UserId, VehicleId, Version, WebhookDeliveryId, WebhookEndpointId,
};
use lease_core::money::Money;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;

/// The value of a column.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
    /// Something that cannot be stored as it is; a statement with it is not run.
    Unfit(&'static str),
}

/// The values of a row or of a statement: `values![customer.id, at]`.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::value::ToColumn::to_column(&$value)),*]
    };
}
pub(crate) use values;

/// A type that is written to a column.
pub(crate) trait ToColumn {
    fn to_column(&self) -> Value;
}

/// A type that is read from a column.
pub(crate) trait FromColumn: Sized {
    /// The value; `None` if the column holds something else.
    fn from_column(value: Value) -> Option<Self>;
}

impl<T: ToColumn> ToColumn for Option<T> {
    fn to_column(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_column)
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    fn from_column(value: Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_column(other).map(Some),
        }
    }
}

impl<T: ToColumn + ?Sized> ToColumn for &T {
    fn to_column(&self) -> Value {
        (**self).to_column()
    }
}

impl ToColumn for Value {
    fn to_column(&self) -> Value {
        self.clone()
    }
}

impl ToColumn for str {
    fn to_column(&self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl ToColumn for [u8] {
    fn to_column(&self) -> Value {
        Value::Blob(self.to_owned())
    }
}

impl<const N: usize> ToColumn for [u8; N] {
    fn to_column(&self) -> Value {
        Value::Blob(self.to_vec())
    }
}

impl<const N: usize> FromColumn for [u8; N] {
    fn from_column(value: Value) -> Option<Self> {
        Vec::<u8>::from_column(value)?.try_into().ok()
    }
}

/// Declares how types are written and read: the type, the kind of the column, and both ways.
macro_rules! columns {
    ($($type:ty: $kind:ident, |$from:ident| $write:expr, |$column:ident| $read:expr;)+) => {$(
        impl ToColumn for $type {
            fn to_column(&self) -> Value {
                let $from = self;
                Value::$kind($write)
            }
        }

        impl FromColumn for $type {
            fn from_column(value: Value) -> Option<Self> {
                match value {
                    Value::$kind($column) => $read,
                    _ => None,
                }
            }
        }
    )+};
}

columns! {
    i64: Integer, |number| *number, |column| Some(column);
    i32: Integer, |number| i64::from(*number), |column| column.try_into().ok();
    u32: Integer, |number| i64::from(*number), |column| column.try_into().ok();
    u16: Integer, |number| i64::from(*number), |column| column.try_into().ok();
    bool: Integer, |is| i64::from(*is), |column| Some(column != 0);
    String: Text, |text| text.clone(), |column| Some(column);
    Vec<u8>: Blob, |bytes| bytes.clone(), |column| Some(column);
    DateTime<Utc>: Integer, |at| at.timestamp_micros(), |column| DateTime::from_timestamp_micros(column);
    NaiveDate: Text, |day| day.to_string(), |column| column.parse().ok();
    Version: Integer, |version| version.0, |column| Some(Version(column));
}

macro_rules! ids {
    ($($id:ident),+ $(,)?) => {
        columns! {$(
            $id: Integer, |id| id.get(), |column| $id::new(column);
        )+}
    };
}

ids! {
    ContactId, CreditCardId, CustomerId, EventId, InvoiceId, LeadId, MailId, PaymentId, ProposalId, RefundId, ServiceId, TokenId,
    TradeId, UserId, VehicleId, WebhookDeliveryId, WebhookEndpointId,
}

/// The name of a status, a role or a kind, as its column has it.
pub(crate) fn name(of: impl Into<&'static str>) -> &'static str {
    of.into()
}

/// A value that is read from its name.
pub(crate) struct Named<T>(pub(crate) T);

impl<T: FromStr> FromColumn for Named<T> {
    fn from_column(value: Value) -> Option<Self> {
        String::from_column(value)?.parse().ok().map(Self)
    }
}

/// A value that is stored as JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> ToColumn for Json<T> {
    fn to_column(&self) -> Value {
        serde_json::to_string(&self.0).map_or(Value::Unfit("it cannot be written as JSON"), Value::Text)
    }
}

impl<T: serde::de::DeserializeOwned> FromColumn for Json<T> {
    fn from_column(value: Value) -> Option<Self> {
        serde_json::from_str(&String::from_column(value)?).ok().map(Self)
    }
}

/// The digits after the decimal point that are stored: as many as any currency has. With the twelve that an amount can have before
/// it, a 64-bit integer has room for more than nine hundred times the highest amount.
const DIGITS: u32 = 4;

/// An amount in ten-thousandths. It is never rounded: what has more digits is refused.
pub(crate) fn ten_thousandths(amount: Decimal) -> Value {
    let scaled = amount.checked_mul(Decimal::from(10_i64.pow(DIGITS))).filter(Decimal::is_integer);
    scaled.and_then(|scaled| scaled.to_i64()).map_or(Value::Unfit("an amount has too many digits"), Value::Integer)
}

/// The amount of a number of ten-thousandths.
pub(crate) fn amount_of(ten_thousandths: i64) -> Decimal {
    Decimal::new(ten_thousandths, DIGITS)
}

impl ToColumn for Money {
    fn to_column(&self) -> Value {
        ten_thousandths(self.amount())
    }
}
