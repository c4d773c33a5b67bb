//! JSON values as clients send them: valid ones for a field, wrong ones, and odd ones.

use arbitrary::Arbitrary;
use serde_json::{Value, json};

use crate::app::PASSWORD;
use crate::support::setup::GOOD_CARD;

/// A value for a field.
#[derive(Clone, Debug, Arbitrary)]
pub(super) enum FieldValue {
    /// A value that usually fits the field.
    Likely(u8),
    /// Another value that fits.
    Fitting(u8),
    Null,
    Bool(bool),
    Whole(i64),
    Fraction(f64),
    Text(String),
    /// Digits, with a decimal point if there are many.
    Digits(u64),
    /// Longer than any text may be.
    Long(u16),
    List,
    Object,
}

impl FieldValue {
    /// The JSON value, for a field of this name.
    pub(super) fn value(&self, field: &str) -> Value {
        match self {
            Self::Likely(number) | Self::Fitting(number) => likely(field, *number),
            Self::Null => Value::Null,
            Self::Bool(value) => json!(value),
            Self::Whole(number) => json!(number),
            // JSON has no NaN, so it becomes null.
            Self::Fraction(number) => json!(number),
            Self::Text(text) => json!(text),
            Self::Digits(number) => json!(format!("{}.{:02}", number / 100, number % 100)),
            Self::Long(length) => json!("x".repeat(usize::from(*length) % 5_000)),
            Self::List => json!([1, {}]),
            Self::Object => json!({"id": 1}),
        }
    }
}

/// A value that often fits a field of this name.
pub(super) fn likely(field: &str, number: u8) -> Value {
    fn one_of<T: serde::Serialize>(values: &[T], number: u8) -> Value {
        json!(values[usize::from(number) % values.len()])
    }
    match field {
        "amount" => one_of(&["0", "49", "49.00", "49.000", "100.5", "0.01", "999999999999.99", "0.001", "-1"], number),
        "start_date" | "end_date" => json!(format!("2026-03-{:02}", number % 32)),
        "dob" => one_of(&["1990-01-01", "2000-02-29", "2026-03-01", "2026-03-02"], number),
        "expires_at" => one_of(&["2026-03-01T12:00:00Z", "2026-03-01T12:00:01+00:00", "2027-01-01T00:00:00Z"], number),
        "vin" => json!(format!("1HGCM82633A{:06}", number % 4)),
        "chassis_number" => json!(format!("GJ7-{:06}", number % 4)),
        "year" | "year_min" | "year_max" => one_of(&[2020, 1886, 2027, 1885, 2028], number),
        "exp_year" => one_of(&[2030, 2026, 2025, 9999], number),
        "exp_month" => json!(number % 14),
        "mileage" | "payment_due_days" | "limit" => one_of(&[0, 1, 14, 100, 365, 366], number),
        "currency" => one_of(&["USD", "JPY", "KWD", "XAU", "HRK"], number),
        "kind" => one_of(&["lease", "sell", "custom", "other"], number),
        "invoice_on" => one_of(&["first_proposal", "acceptance"], number),
        "bill_to" => one_of(&["owner", "counterparty"], number),
        "status" => one_of(&["open", "pending", "paid", "new", "converted", "cancelled", "succeeded"], number),
        "number" => one_of(&[GOOD_CARD, "4000000000000002", "4000000000009995", "5555555555554444", "1234"], number),
        "cvc" => one_of(&["123", "1234", "12"], number),
        "username" => one_of(&["owner", "BUYER", "new-one", "ann", "buyer@example.com"], number),
        "email" => one_of(&["owner@example.com", "new@example.com", "ann@example.com", "nobody"], number),
        "password" | "password2" => one_of(&[PASSWORD, PASSWORD, PASSWORD, "12345678"], number),
        "cursor" => one_of(&["YTEw", "YjE", "YTA"], number),
        "phone" => json!("+1 555 0100"),
        _ if field.ends_with("_id") => json!(number % 8),
        _ if field.starts_with("is_") || field == "overdue" => one_of(&[json!(true), json!(false), json!("1"), json!(0)], number),
        _ => one_of(&["words", "", "  ", "Honda"], number),
    }
}
