//! The objects as the API shows them, one file for each type: what the `changes` of an event compare. Secrets are left out, and so
//! are fields that never change.

mod account;
mod annotations;
mod card;
mod contact;
mod invoice;
mod lead;
mod payment;
mod proposal;
mod refund;
mod service;
mod trade;
mod vehicle;
mod webhook_endpoint;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use super::reference::Fields;
use crate::money::Money;

/// An object whose changes are recorded.
pub(crate) trait Described {
    /// Its fields.
    fn fields(&self) -> Fields;
}

/// An amount: a decimal with the digits of its currency.
pub(super) fn amount(money: Money) -> Value {
    money.amount().to_string().into()
}

/// An instant.
pub(super) fn instant(at: DateTime<Utc>) -> Value {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true).into()
}

/// An instant, or null.
fn optional_instant(at: Option<DateTime<Utc>>) -> Value {
    at.map_or(Value::Null, instant)
}
