//! The vocabulary of the document: kinds of values that many bodies share, each a component of its own.

use lease_core::money::Money;
use lease_core::text::{FREE_TEXT_MAX, NAME_MAX, TITLE_MAX};
use serde::Serialize;
use serde_json::json;
use strum::VariantArray;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// No control character.
pub(crate) const LINE: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";
/// No control character, and something to read.
const NAME: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";
/// No control character but line breaks and tabs.
const FREE_TEXT: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$";
/// [`FREE_TEXT`] with something to read.
const REASON: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$";

/// Kinds of values: a type each, whose schema is written out.
macro_rules! values {
    ($($(#[$doc:meta])* $name:ident => $schema:expr;)+) => {$(
        $(#[$doc])*
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

/// An id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Id(i64);

impl<T: lease_core::id::Id> From<T> for Id {
    fn from(id: T) -> Self {
        Self(id.get())
    }
}

/// An amount, with exactly the digits of its currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Amount(String);

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self(money.amount().to_string())
    }
}

/// A currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Currency(&'static str);

impl From<Money> for Currency {
    fn from(money: Money) -> Self {
        Self(money.currency().code())
    }
}

/// An amount as it may be sent.
#[derive(Debug)]
pub(crate) enum AmountInput {}

/// An amount above zero as it may be sent.
#[derive(Debug)]
pub(crate) enum PriceInput {}

/// A currency as it may be sent.
#[derive(Debug)]
pub(crate) enum CurrencyInput {}

/// A vehicle identification number as it may be sent.
#[derive(Debug)]
pub(crate) enum VinInput {}

/// What an odometer shows, as it may be sent.
#[derive(Debug)]
pub(crate) enum Mileage {}

/// A truth value as it may be sent.
#[derive(Debug)]
pub(crate) enum Flag {}

/// A line of text.
#[derive(Debug)]
pub(crate) enum Line {}

/// A line of text that says something.
#[derive(Debug)]
pub(crate) enum Name {}

/// A title.
#[derive(Debug)]
pub(crate) enum Title {}

/// Free text.
#[derive(Debug)]
pub(crate) enum FreeText {}

/// Free text that says something.
#[derive(Debug)]
pub(crate) enum Reason {}

/// An e-mail address.
#[derive(Debug)]
pub(crate) enum EmailAddress {}

/// An e-mail address, or an empty text.
#[derive(Debug)]
pub(crate) enum EmailAddressOrNone {}

/// A password.
#[derive(Debug)]
pub(crate) enum Password {}

values! {
    Id => ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1))
        .maximum(Some(i64::MAX))
        .description(Some("An id."))
        .examples([json!(1)]);
    Amount => text(20, r"^[0-9]{1,12}(\.[0-9]{1,4})?$")
        .description(Some("An exact decimal, with the number of digits that its currency has."))
        .examples([json!("199.99")]);
    Currency => text(3, "^[A-Z]{3}$").description(Some("A code of ISO 4217.")).examples([json!("USD")]);
    AmountInput => OneOfBuilder::new()
        .item(matching(r"^\s*0*[0-9]{1,12}(\.[0-9]{1,20})?\s*$"))
        .item(ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0)).exclusive_maximum(Some(1_000_000_000_000_i64)))
        .description(Some("An exact decimal, as a string or a number; at most the digits that the currency has."))
        .examples([json!("199.99")]);
    PriceInput => OneOfBuilder::new()
        .item(matching(r"^\s*(0*[1-9][0-9]{0,11}(\.[0-9]{1,20})?|0+\.[0-9]{0,19}[1-9]0*)\s*$"))
        .item(
            ObjectBuilder::new()
                .schema_type(Type::Number)
                .exclusive_minimum(Some(0))
                .exclusive_maximum(Some(1_000_000_000_000_i64)),
        )
        .description(Some("An exact decimal above zero, as a string or a number; at most the digits that the currency has."))
        .examples([json!("199.99")]);
    CurrencyInput => ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(lease_core::money::Currency::all().map(lease_core::money::Currency::code).collect::<Vec<_>>()))
        .description(Some("A code of ISO 4217."))
        .examples([json!("USD")]);
    VinInput => matching(r"^\s*[A-HJ-NPR-Za-hj-npr-z0-9]{17}\s*$")
        .description(Some("A vehicle identification number (ISO 3779), in any case."))
        .examples([json!("1M8GDM9AXKP042788")]);
    Mileage => ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .maximum(Some(i64::MAX))
        .description(Some("What an odometer shows."))
        .examples([json!(42_000)]);
    Flag => OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::Boolean))
        .item(ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([0, 1])))
        .item(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["0", "1", "true", "false"])))
        .description(Some("True or false."))
        .examples([json!(true)]);
    Line => text(NAME_MAX, LINE).description(Some("A line of text; trimmed."));
    Name => text(NAME_MAX, NAME).min_length(Some(1)).description(Some("A line of text that is not blank; trimmed."));
    Title => text(TITLE_MAX, LINE).description(Some("A line of text; trimmed."));
    FreeText => text(FREE_TEXT_MAX, FREE_TEXT).description(Some("Free text; trimmed. Line breaks and tabs are allowed."));
    Reason => text(FREE_TEXT_MAX, REASON).min_length(Some(1)).description(Some("Free text that is not blank; trimmed."));
    EmailAddress => text(254, LINE)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
        .description(Some("An e-mail address (RFC 5321)."))
        .examples([json!("ada@example.com")]);
    EmailAddressOrNone => AnyOfBuilder::new()
        .item(EmailAddress::schema())
        .item(matching(r"^\s*$"))
        .description(Some("An e-mail address (RFC 5321), or an empty text."))
        .examples([json!("ada@example.com")]);
    Password => text(1_024, "")
        .min_length(Some(8))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .description(Some("8 characters to 1,024 bytes; not all digits, not common, not like the names."))
        .examples([json!("correct-horse-battery")]);
}

fn text(max: usize, pattern: &str) -> ObjectBuilder {
    let pattern = (!pattern.is_empty()).then_some(pattern);
    ObjectBuilder::new().schema_type(Type::String).max_length(Some(max)).pattern(pattern)
}

fn matching(pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))
}

/// The names of an enumeration.
pub(crate) fn list_of<T: VariantArray + Copy + Into<&'static str>>() -> Vec<&'static str> {
    T::VARIANTS.iter().map(|variant| (*variant).into()).collect()
}

/// A rule for a body: at least one of these fields says something.
pub(crate) fn any_said(fields: &[&str]) -> serde_json::Value {
    let said = |field: &&str| json!({ "required": [field], "properties": { *field: { "type": "string", "pattern": r"\S" } } });
    json!({ "anyOf": fields.iter().map(said).collect::<Vec<_>>() })
}

/// A rule for a body: both of these texts are given, or neither.
pub(crate) fn both_or_neither(one: &str, other: &str) -> serde_json::Value {
    let of_type = |kind: &str| json!({ one: { "type": kind }, other: { "type": kind } });
    json!({ "anyOf": [{ "properties": of_type("null") }, { "properties": of_type("string"), "required": [one, other] }] })
}

/// A string that is one of the names of an enumeration.
pub(crate) fn names<T: VariantArray + Copy + Into<&'static str>>() -> ObjectBuilder {
    let names = list_of::<T>();
    let first = names.first().copied().unwrap_or_default();
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).examples([json!(first)])
}

/// [`names`], or null.
pub(crate) fn names_or_null<T: VariantArray + Copy + Into<&'static str>>() -> ObjectBuilder {
    use utoipa::openapi::schema::SchemaType;
    let names = list_of::<T>().into_iter().map(|name| json!(name)).chain([json!(null)]);
    ObjectBuilder::new().schema_type(SchemaType::Array(vec![Type::String, Type::Null])).enum_values(Some(names))
}

/// A list of names of an enumeration.
pub(crate) fn many_names<T: VariantArray + Copy + Into<&'static str>>() -> utoipa::openapi::schema::ArrayBuilder {
    utoipa::openapi::schema::ArrayBuilder::new().items(names::<T>())
}
