//! The input of callers, before it is validated.
//!
//! A *draft* is a struct of [`Field`]s, each of which is absent, null, of the wrong type, or given. Drafts are read leniently
//! from JSON, so that a wrong type becomes a message on its field instead of ending the request: permission is checked before
//! fields (rule 2.4), and the decision then reports all invalid fields at once.
//!
//! The macro `draft!` defines a draft. With the feature `openapi`, it also defines the draft's schema.

mod field_errors;
mod invalid;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use strum::VariantArray;

pub use self::field_errors::FieldErrors;
pub use self::invalid::Invalid;
use crate::clock::to_micros;
use crate::money::{Currency, Money, parse_decimal, positive};

/// One field of a draft.
#[derive(Clone, Debug, Default)]
pub enum Field<T> {
    /// The field is absent.
    #[default]
    Missing,
    /// The field is null.
    Null,
    /// The field has a value of the wrong type; it says which type is required.
    Wrong(Invalid),
    /// The field has a value.
    Given(T),
}

impl<T> Field<T> {
    /// The value, if one was given.
    #[must_use]
    pub const fn given(&self) -> Option<&T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Missing | Self::Null | Self::Wrong(_) => None,
        }
    }

    /// Whether the field is absent.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Self::Given(value)
    }
}

impl From<&str> for Field<String> {
    fn from(value: &str) -> Self {
        Self::Given(value.to_owned())
    }
}

impl From<&str> for Field<SecretString> {
    fn from(value: &str) -> Self {
        Self::Given(value.into())
    }
}

impl From<String> for Field<SecretString> {
    fn from(value: String) -> Self {
        Self::Given(value.into())
    }
}

impl From<Option<&str>> for Field<String> {
    fn from(value: Option<&str>) -> Self {
        value.map_or(Self::Missing, Self::from)
    }
}

impl From<Option<String>> for Field<SecretString> {
    fn from(value: Option<String>) -> Self {
        value.map_or(Self::Missing, Self::from)
    }
}

/// `None` is a field that is left out. One that is emptied is [`Field::Null`].
impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Self::Given)
    }
}

/// The fields of a command, before they are validated.
pub trait Draft: DeserializeOwned {
    /// The draft of a body that is not a JSON object. No field can be read, so no command accepts it; but permission and
    /// visibility are checked first, as always (rule 2.4).
    #[must_use]
    fn unreadable() -> Self;

    /// The same draft without [annotations](crate::model::Annotations), as it is read from what a customer sends: to them, these
    /// fields are not there.
    #[must_use]
    fn without_annotations(self) -> Self;
}

/// Defines a draft. Each field states whether it must be given, and the type of its value (see `openapi`):
///
/// - `required`: must be given, and not as null; a `PATCH` may leave it out.
/// - `optional`: may be left out, but not be null.
/// - `nullable`: may be left out or null.
/// - `annotation`: as `nullable`, and taken from administrative users alone.
///
/// The name after `as` is that of the schema, and the comments become its descriptions, which users of the API read.
///
/// The value after `like` is that of the field in the example of the body, which is right as it stands. A required field has
/// the example of its type otherwise, and another field is left out. A value after `or` makes a second example, which has it instead.
macro_rules! draft {
    (
        $(#[doc = $doc:literal])+
        pub struct $draft:ident as $schema:ident {
            $(
                $(#[doc = $field_doc:literal])+
                pub $field:ident: $type:ty as $presence:ident $kind:ident $(like $example:literal)? $(or $other:literal)?,
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, Default, serde::Deserialize)]
        #[serde(default)]
        pub struct $draft {
            $($(#[doc = $field_doc])+ pub $field: $type,)+
        }

        impl $crate::input::Draft for $draft {
            fn unreadable() -> Self {
                Self { $($field: $crate::input::Field::Wrong($crate::input::Invalid::NotAnObject),)+ }
            }

            fn without_annotations(self) -> Self {
                Self { $($field: $crate::input::unless_annotation!($presence, self.$field),)+ }
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $draft {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let body = $crate::openapi::Body::new(concat!($($doc),+));
                $(
                    let body = body
                        .$presence::<$crate::openapi::$kind>(stringify!($field), concat!($($field_doc),+))
                        $(.like(stringify!($field), $example))?
                        $(.or(stringify!($field), $other))?;
                )+
                body.into_schema()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $draft {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($schema).into()
            }

            fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
                $($crate::openapi::add::<$crate::openapi::$kind>(schemas);)+
            }
        }
    };
}

pub(crate) use draft;

/// The value of a field, unless the field is an annotation.
macro_rules! unless_annotation {
    (annotation, $value:expr) => {
        $crate::input::Field::Missing
    };
    ($presence:ident, $value:expr) => {
        $value
    };
}

pub(crate) use unless_annotation;

/// A JSON value. `Debug` does not show the
/// value, because it may be a password.
#[derive(Clone)]
pub enum Scalar {
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was written in JSON.
    Number(String),
    /// A string.
    Text(String),
    /// A list or an object, as it was written in JSON.
    Composite(String),
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scalar(…)")
    }
}

/// A type that can be read from a [`Scalar`].
pub trait FromScalar: Sized {
    /// Reads the value.
    ///
    /// # Errors
    /// Which type is required.
    fn from_scalar(scalar: Scalar) -> Result<Self, Invalid>;
}

/// Deserializes with `serde_json` only, and not through a buffer such as that of `#[serde(flatten)]`. A number that is read from
/// text keeps every digit that was sent; one that is read from a [`serde_json::Value`] has those of a double.
impl<'de, T: FromScalar> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let literal = Box::<RawValue>::deserialize(deserializer)?;
        Ok(match Scalar::parse(literal.get()).map_err(D::Error::custom)? {
            None => Self::Null,
            Some(scalar) => T::from_scalar(scalar).map_or_else(Self::Wrong, Self::Given),
        })
    }
}

impl Scalar {
    /// The value of a JSON literal; `None` for null. A string with an unpaired surrogate is an error.
    fn parse(literal: &str) -> serde_json::Result<Option<Self>> {
        Ok(match literal.as_bytes().first() {
            Some(b'n') => None,
            Some(b't') => Some(Self::Bool(true)),
            Some(b'f') => Some(Self::Bool(false)),
            Some(b'"') => Some(Self::Text(serde_json::from_str(literal)?)),
            Some(b'[' | b'{') => Some(Self::Composite(literal.to_owned())),
            _ => Some(Self::Number(literal.to_owned())),
        })
    }
}

impl FromScalar for String {
    fn from_scalar(scalar: Scalar) -> Result<Self, Invalid> {
        match scalar {
            Scalar::Text(text) => Ok(text),
            _ => Err(Invalid::NotAString),
        }
    }
}

impl FromScalar for SecretString {
    fn from_scalar(scalar: Scalar) -> Result<Self, Invalid> {
        String::from_scalar(scalar).map(Self::from)
    }
}

/// A list of texts; a single text is a list of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(pub Vec<String>);

impl FromScalar for Texts {
    fn from_scalar(scalar: Scalar) -> Result<Self, Invalid> {
        match scalar {
            Scalar::Text(text) => Ok(Self(vec![text])),
            Scalar::Composite(list) => serde_json::from_str(&list).map(Self).map_err(|_| Invalid::NotStrings),
            Scalar::Bool(_) | Scalar::Number(_) => Err(Invalid::NotStrings),
        }
    }
}

impl FromScalar for Map<String, Value> {
    fn from_scalar(scalar: Scalar) -> Result<Self, Invalid> {
        match scalar {
            Scalar::Composite(text) => serde_json::from_str(&text).map_err(|_| Invalid::NotAnObject),
            _ => Err(Invalid::NotAnObject),
        }
    }
}

impl FromScalar for bool {
    fn from_scalar(scalar: Scalar) -> Result<Self, Invalid> {
        match scalar {
            Scalar::Bool(value) => Ok(value),
            Scalar::Number(text) | Scalar::Text(text) if text == "0" => Ok(false),
            Scalar::Number(text) | Scalar::Text(text) if text == "1" => Ok(true),
            Scalar::Text(text) if text == "false" => Ok(false),
            Scalar::Text(text) if text == "true" => Ok(true),
            _ => Err(Invalid::NotABoolean),
        }
    }
}

impl FromScalar for i64 {
    fn from_scalar(scalar: Scalar) -> Result<Self, Invalid> {
        let Scalar::Number(literal) = scalar else { return Err(Invalid::NotAWholeNumber) };
        // In JSON, 5 and 5.0 are the same number.
        let number = plain(&literal);
        if number.contains('.') {
            return Err(Invalid::NotAWholeNumber);
        }
        number.parse().map_err(|_| Invalid::NumberTooLarge)
    }
}

impl FromScalar for Decimal {
    fn from_scalar(scalar: Scalar) -> Result<Self, Invalid> {
        let text = match scalar {
            Scalar::Text(text) => text,
            Scalar::Number(literal) => plain(&literal),
            Scalar::Bool(_) | Scalar::Composite(_) => return Err(Invalid::NotAnAmount),
        };
        Ok(parse_decimal(text.trim())?)
    }
}

/// Writes a JSON number without an exponent and without trailing zeros in the fraction: in JSON, 5 and 5.00 are the same number.
fn plain(literal: &str) -> String {
    let (mantissa, exponent) = literal.split_once(['e', 'E']).unwrap_or((literal, "0"));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |mantissa| ("-", mantissa));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (is_up, shift) = exponent.strip_prefix('-').map_or((true, exponent.trim_start_matches('+')), |shift| (false, shift));
    // Any number that is shifted this far is too large or too precise for every field.
    let far = literal.len() + 40;
    let shift = shift.parse().map_or(far, |shift: usize| shift.min(far));
    // The point moves within the digits, or into zeros added on either side of them.
    let zeros = "0".repeat(shift);
    let (digits, point) = if is_up {
        (format!("{whole}{fraction}{zeros}"), whole.len() + shift)
    } else {
        (format!("{zeros}{whole}{fraction}"), whole.len())
    };
    let (whole, fraction) = digits.split_at_checked(point).unwrap_or((&digits, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

impl FromScalar for NaiveDate {
    fn from_scalar(scalar: Scalar) -> Result<Self, Invalid> {
        let Scalar::Text(text) = scalar else { return Err(Invalid::NotADate) };
        parse_date(&text).ok_or(Invalid::NotADate)
    }
}

/// Reads a date in the form `YYYY-MM-DD` only; years 0001 to 9999.
#[must_use]
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    // chrono also accepts `+2026-1-2`, but only one form is allowed here.
    (date.format("%Y-%m-%d").to_string() == text && text > "0001").then_some(date)
}

impl FromScalar for DateTime<Utc> {
    fn from_scalar(scalar: Scalar) -> Result<Self, Invalid> {
        let Scalar::Text(text) = scalar else { return Err(Invalid::NotAnInstant) };
        let instant = DateTime::parse_from_rfc3339(text.trim()).map_err(|_| Invalid::NotAnInstant)?;
        // A leap second is the second after it, which may be in the next year.
        let instant = to_micros(instant.to_utc());
        if (1..=9999).contains(&instant.year()) { Ok(instant) } else { Err(Invalid::InstantOutOfRange) }
    }
}

macro_rules! id_from_scalar {
    ($($id:ident),+) => {$(
        impl FromScalar for crate::id::$id {
            fn from_scalar(scalar: Scalar) -> Result<Self, Invalid> {
                i64::from_scalar(scalar).ok().and_then(Self::new).ok_or(Invalid::NotAnId)
            }
        }
    )+};
}

id_from_scalar!(CustomerId, CreditCardId, LeadId, VehicleId, ServiceId, TradeId, InvoiceId);

/// Whether a draft replaces an object or changes some of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateMode {
    /// `POST` and `PUT`: every required field must be given.
    Full,
    /// `PATCH`: fields that are absent keep their values.
    Partial,
}

/// The place in which a request names the object that it is about. It decides the error if the actor may not see that object:
/// "not found", or an invalid field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedIn {
    /// In the path, or as a separate argument.
    Path,
    /// In a field of the draft.
    Draft,
}

/// Reads the fields of a draft and collects the errors.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) mode: UpdateMode,
    pub(crate) errors: FieldErrors,
}

impl Form {
    pub(crate) fn new(mode: UpdateMode) -> Self {
        Self { mode, errors: FieldErrors::default() }
    }

    /// Reads a field that must be given, except in a `PATCH`, where an absent field keeps its value. Returns `None` after adding
    /// an error.
    pub(crate) fn required<T, U: Clone, E: Into<Invalid>>(
        &mut self,
        name: &'static str,
        field: &Field<T>,
        current: Option<&U>,
        parse: impl FnOnce(&T) -> Result<U, E>,
    ) -> Option<U> {
        match (field, self.mode, current) {
            (Field::Missing, UpdateMode::Partial, Some(current)) => Some(current.clone()),
            (Field::Missing, ..) => self.wrong(name, Invalid::Required),
            (Field::Null, ..) => self.wrong(name, Invalid::Null),
            (Field::Wrong(reason), ..) => self.wrong(name, reason.clone()),
            (Field::Given(value), ..) => parse(value).map_or_else(|error| self.wrong(name, error), Some),
        }
    }

    /// Reads a field that keeps its `current` value if it is absent (`empty` for a new object), and becomes `empty` if it is
    /// null. Returns `None` after adding an error.
    pub(crate) fn optional<T, U: Clone, E: Into<Invalid>>(
        &mut self,
        name: &'static str,
        field: &Field<T>,
        current: Option<&U>,
        empty: U,
        parse: impl FnOnce(&T) -> Result<U, E>,
    ) -> Option<U> {
        match field {
            Field::Missing => Some(current.cloned().unwrap_or(empty)),
            Field::Null => Some(empty),
            Field::Wrong(reason) => self.wrong(name, reason.clone()),
            Field::Given(value) => parse(value).map_or_else(|error| self.wrong(name, error), Some),
        }
    }

    /// Reads the currency that is sent beside an amount: something else gives the amount its currency, and this must be the same.
    pub(crate) fn same_currency(&mut self, field: &Field<String>, currency: Option<Currency>) {
        self.optional("currency", field, None, (), |code| match currency {
            Some(currency) if currency.code() != code.trim() => Err(Invalid::OtherCurrency { currency: currency.to_string() }),
            _ => Ok(()),
        });
    }

    /// Reads an amount that may be left out to mean all. Null is not all: whoever sends it may have meant an amount. Without a currency,
    /// which something else gives, the amount is only checked to be positive.
    #[expect(clippy::option_option, reason = "invalid, or all, or a part")]
    pub(crate) fn part(&mut self, field: &Field<Decimal>, currency: Option<Currency>) -> Option<Option<Money>> {
        match field {
            Field::Missing => Some(None),
            given => self.required("amount", given, None, |amount| {
                let amount = positive(*amount)?;
                currency.map(|currency| Money::new(amount, currency)).transpose()
            }),
        }
    }

    /// Adds an error.
    pub(crate) fn wrong<U>(&mut self, name: &'static str, reason: impl Into<Invalid>) -> Option<U> {
        self.errors.add(name, reason);
        None
    }

    /// Returns the errors, if there are any.
    pub(crate) fn finish(self) -> Result<(), FieldErrors> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }
}

/// A parse function that accepts every value unchanged.
#[expect(clippy::unnecessary_wraps, reason = "used where a parse function is expected")]
pub(crate) fn as_given<T: Clone>(value: &T) -> Result<T, Invalid> {
    Ok(value.clone())
}

/// [`as_given`] for a field that may be empty.
#[expect(clippy::unnecessary_wraps, reason = "used where a parse function is expected")]
pub(crate) fn some_given<T: Clone>(value: &T) -> Result<Option<T>, Invalid> {
    Ok(Some(value.clone()))
}

/// Parses the name of one of the choices.
///
/// # Errors
/// [`Invalid::NotAChoice`], with all of them.
pub fn choice<T: FromStr + VariantArray + Copy + Into<&'static str>>(name: &str) -> Result<T, Invalid> {
    let choices = || T::VARIANTS.iter().map(|choice| (*choice).into()).collect();
    name.parse().map_err(|_| Invalid::NotAChoice { choices: choices() })
}
