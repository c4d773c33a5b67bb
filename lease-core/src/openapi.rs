//! The vocabulary of the `OpenAPI` document (feature `openapi`): the types of the values of fields, each a schema with a name. A
//! draft states the type of each of its fields.

use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Value, json};
use strum::VariantArray;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, RefBuilder, SchemaFormat, Type,
};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::event::{EventType, SubjectKind};
pub(crate) use crate::gateway::PayerOutcome;
use crate::model::limits::{
    EXPIRY_YEARS, FIRST_MODEL_YEAR, MAX_DUE_DAYS, MAX_EMAIL_BYTES, MAX_HOLDER_DIGITS, MAX_METADATA_KEY, MAX_METADATA_KEYS,
    MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS, MONTHS, TOKEN_DAYS,
};
pub(crate) use crate::model::{BillTo, InvoiceOn, LeadStatus, RefundReason, ServiceKind};
use crate::model::{
    CardBrand, DeliveryStatus, DisabledReason, InvoiceStatus, PaymentStatus, ProposalStatus, RefundStatus, Role, TradeStatus,
};
use crate::money::{Currency, MAX_AMOUNT};
use crate::text::{EXTERNAL_ID_MAX, FREE_TEXT_MAX, NAME_MAX, TITLE_MAX};

/// The white space, the default-ignorable characters of Unicode, and U+2800. Those beyond U+FFFF are written out, because each
/// language escapes them in another way.
macro_rules! invisible {
    () => {
        concat!(
            "\\s\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u2800",
            "\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufff8\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}"
        )
    };
}

/// A character that shows something.
pub const VISIBLE: &str = concat!("[^", invisible!(), "]");

/// Writes a pattern: any of the characters except those given, one of which shows something if the text is not blank.
macro_rules! not_blank {
    ($refused:literal) => {
        concat!("^[^", $refused, "]*[^", invisible!(), $refused, "][^", $refused, "]*$")
    };
}

/// A line without control characters.
pub const LINE: &str = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$";
/// A line without control characters that is not blank.
const NAME: &str = not_blank!(r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069");
/// Text without control characters except line breaks and tabs.
const FREE_TEXT: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$";
/// [`FREE_TEXT`] that is not blank.
const REASON: &str = not_blank!(r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f");

/// Types of values that have no Rust type: each has a name and a schema that is written out.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident => $schema:expr;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.description(Some(concat!($($doc),+).trim_start())).into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

kinds! {
    /// The id of an object.
    Id => whole(1, i64::MAX).examples([json!(1)]);
    /// An exact decimal, as a string or a number, with at most the digits of its currency. Zeros at
    /// the end do not count.
    AmountInput => OneOfBuilder::new()
        .item(matching(r"^\s*0*[0-9]{1,12}(\.[0-9]{1,4}0*)?\s*$"))
        .item(ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0)).exclusive_maximum(MAX_AMOUNT.to_i64()))
        .examples([json!("199.99")]);
    /// An exact decimal above zero, as a string or a number, with at most the digits of its currency. Zeros at
    /// the end do not count.
    PriceInput => OneOfBuilder::new()
        .item(matching(r"^\s*(0*[1-9][0-9]{0,11}(\.[0-9]{1,4}0*)?|0+\.[0-9]{0,3}[1-9]0*)\s*$"))
        .item(ObjectBuilder::new().schema_type(Type::Number).exclusive_minimum(Some(0)).exclusive_maximum(MAX_AMOUNT.to_i64()))
        .examples([json!("199.99")]);
    /// A currency code of ISO 4217.
    CurrencyInput => ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(Currency::all().map(|currency| currency.to_string()).collect::<Vec<_>>()))
        .examples([json!("USD")]);
    /// A currency code of ISO 4217 that is fixed already.
    GivenCurrency => matching(r"^\s*[A-Z]{3}\s*$").examples([json!("USD")]);
    /// A vehicle identification number (ISO 3779), in upper or lower case, with or without blanks and hyphens, or as a barcode
    /// has it, between two `*`.
    VinInput => matching(r"^[\s*-]*([A-HJ-NPR-Za-hj-npr-z0-9][\s-]*){17}[\s*-]*$").examples([json!("1HGCM82633A004352")]);
    /// A chassis number, in upper or lower case.
    ChassisNumberInput => matching(r"^\s*[A-Za-z0-9-]{5,20}\s*$").examples([json!("GJ7-123456")]);
    /// An odometer reading.
    Mileage => whole(0, i64::MAX).examples([json!(42_000)]);
    /// A model year.
    ModelYear => whole(FIRST_MODEL_YEAR, 9_999).examples([json!(2024)]);
    /// A number of seconds, at most ten years.
    Seconds => whole(1, 315_619_200).examples([json!(86_400)]);
    /// A number of days.
    Days => whole(0, MAX_DUE_DAYS.into()).examples([json!(14)]);
    /// A number of days, at least one.
    TokenDays => whole(*TOKEN_DAYS.start(), *TOKEN_DAYS.end()).examples([json!(365)]);
    /// A month, from 1 to 12.
    Month => whole((*MONTHS.start()).into(), (*MONTHS.end()).into()).examples([json!(12)]);
    /// A year.
    ExpiryYear => whole((*EXPIRY_YEARS.start()).into(), (*EXPIRY_YEARS.end()).into()).examples([json!(2099)]);
    /// A date.
    DateInput => formatted(KnownFormat::Date).examples([json!("1990-12-31")]);
    /// A date and time with its offset from UTC.
    InstantInput => formatted(KnownFormat::DateTime).examples([json!("2099-12-31T12:00:00Z")]);
    /// A type of event, or all types about a kind of object, such as `trade.*`.
    EventTypePattern => ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(event_type_patterns()))
        .examples([json!("trade.*")]);
    /// Types of events; several may stand in one text, between commas.
    EventTypePatterns => ArrayBuilder::new()
        .items(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(event_type_patterns())))
        .examples([json!(["trade.*", "invoice.paid"])]);
    /// The address of an endpoint.
    WebhookUrl => matching(r"^\s*[Hh][Tt][Tt][Pp][Ss]?://[^\s#@]+\s*$").max_length(Some(2_048)).examples([json!("https://example.com/hooks/lease")]);
    /// The token in a link that was mailed.
    LinkTokenInput => ObjectBuilder::new().schema_type(Type::String)
        .examples([json!("7-3f0f5c0a6f2b4c1d9e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e")]);
    /// True or false.
    Flag => OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::Boolean))
        .item(ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([0, 1])))
        .item(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["0", "1", "true", "false"])))
        .examples([json!(true)]);
    /// One line of text. Surrounding white space is removed.
    Line => text(NAME_MAX, LINE);
    /// One line of text that is not blank. Surrounding white space is removed.
    Name => such_as("Ada", text(NAME_MAX, NAME).min_length(Some(1)));
    /// The name on a card: one line of text that is not blank, with fewer digits than the number of a card has.
    HolderName => such_as("Ada Lovelace", text(NAME_MAX, &holder_name()).min_length(Some(1)));
    /// One line of text. Surrounding white space is removed.
    Title => text(TITLE_MAX, LINE);
    /// Text of any number of lines. Surrounding white space is removed.
    FreeText => text(FREE_TEXT_MAX, FREE_TEXT);
    /// Text of any number of lines that is not blank. Surrounding white space is removed.
    Reason => such_as("It was a mistake.", text(FREE_TEXT_MAX, REASON).min_length(Some(1)));
    /// What an object is called in another system: one line of text that is not blank. Surrounding white space is removed.
    ExternalIdInput => such_as("crm-1042", text(EXTERNAL_ID_MAX, NAME).min_length(Some(1)));
    /// A JSON object: at most 50 keys of at most 40 characters, five levels and 8 KiB. A change replaces the whole.
    MetadataInput => metadata();
    /// Letters, digits and the characters `@ . + - _`.
    Username => text(NAME_MAX, r"^[\w@.+-]+$").min_length(Some(1)).examples([json!("ada")]);
    /// An e-mail address (RFC 5321).
    EmailAddress => text(MAX_EMAIL_BYTES, LINE)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
        .examples([json!("ada@example.com")]);
    /// An e-mail address (RFC 5321), or blank.
    EmailAddressOrNone => text(MAX_EMAIL_BYTES, LINE).examples([json!("ada@example.com")]);
    /// At least 8 characters and at most 1,024 bytes. Not only digits, not a common password, and not too similar to the user's
    /// names or e-mail address.
    Password => formatted(KnownFormat::Password)
        .min_length(Some(MIN_PASSWORD_CHARS))
        .max_length(Some(MAX_PASSWORD_BYTES))
        .examples([json!("correct-horse-battery")]);
    /// A user name or an e-mail address.
    UsernameOrEmail => ObjectBuilder::new().schema_type(Type::String).examples([json!("ada")]);
    /// The password of an existing user.
    CurrentPassword => formatted(KnownFormat::Password).examples([json!("correct-horse-battery")]);
    /// The number of a card, with or without spaces and hyphens.
    CardNumberInput => matching(r"^\s*([0-9][ -]*){12,19}$").examples([json!("4242424242424242")]);
    /// The security code of a card.
    SecurityCode => matching(r"^\s*[0-9]{3,4}\s*$").examples([json!("123")]);
    /// The provider's name for a card that was entered in the browser.
    PaymentMethod => text(NAME_MAX, NAME).min_length(Some(1)).examples([json!("pm_card_visa")]);
    /// Nothing: a value is refused.
    Nothing => ObjectBuilder::new().schema_type(Type::Null);
}

/// Describes enumerations: a string that is one of their names.
macro_rules! enumerations {
    ($($name:ident: $doc:literal;)+) => {$(
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::openapi::enumeration::<Self>($doc)
            }
        }

        impl utoipa::ToSchema for $name {}
    )+};
}

pub(crate) use enumerations;

enumerations! {
    BillTo: "The party that is billed.";
    CardBrand: "The network of a card.";
    EventType: "The type of an event: the kind of the object that it is about, a dot, and what happened.";
    InvoiceOn: "The moment at which a trade is invoiced.";
    InvoiceStatus: "The status of an invoice.";
    LeadStatus: "The status of a lead.";
    PaymentStatus: "The status of a payment.";
    PayerOutcome: "What the payer does.";
    ProposalStatus: "The status of a proposal.";
    RefundReason: "Why money is given back.";
    RefundStatus: "The status of a refund.";
    Role: "The role of a user: customer, staff or superuser.";
    ServiceKind: "The kind of a service.";
    SubjectKind: "The kind of the object that an event is about.";
    TradeStatus: "The status of a trade.";
    DeliveryStatus: "The status of a webhook delivery.";
    DisabledReason: "Why a webhook endpoint was switched off by itself.";
}

/// The schema of a draft, field by field.
pub(crate) struct Body {
    object: ObjectBuilder,
    /// A body that is right as it stands.
    example: Map<String, Value>,
    /// What a second such body has instead.
    other: Map<String, Value>,
}

impl Body {
    pub(crate) fn new(description: &str) -> Self {
        let object = ObjectBuilder::new().schema_type(Type::Object).description(Some(description.trim()));
        Self { object, example: Map::new(), other: Map::new() }
    }

    /// A field that must be given.
    pub(crate) fn required<K: ToSchema>(self, name: &str, description: &str) -> Self {
        let mut body = self.optional::<K>(name, description);
        body.object = body.object.required(name);
        match example::<K>() {
            Some(example) => body.like(name, example),
            None => body,
        }
    }

    /// A field that may be left out.
    pub(crate) fn optional<K: ToSchema>(self, name: &str, description: &str) -> Self {
        self.property(name, reference::<K>().description(Some(description.trim())))
    }

    /// A field that may be left out or null.
    pub(crate) fn nullable<K: ToSchema>(self, name: &str, description: &str) -> Self {
        let null = ObjectBuilder::new().schema_type(Type::Null);
        self.property(name, OneOfBuilder::new().item(reference::<K>()).item(null).description(Some(description.trim())))
    }

    /// A field that may be left out or null, and that is taken from administrative users alone.
    pub(crate) fn annotation<K: ToSchema>(self, name: &str, description: &str) -> Self {
        self.nullable::<K>(name, &format!("{} For administrative users; ignored from others.", description.trim()))
    }

    /// What a field is in the example.
    pub(crate) fn like(mut self, name: &str, example: impl Into<Value>) -> Self {
        self.example.insert(name.to_owned(), example.into());
        self
    }

    /// What a field is in the second example.
    pub(crate) fn or(mut self, name: &str, example: impl Into<Value>) -> Self {
        self.other.insert(name.to_owned(), example.into());
        self
    }

    fn property(self, name: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        Self { object: self.object.property(name, schema), ..self }
    }

    pub(crate) fn into_schema(self) -> RefOr<Schema> {
        let mut examples = vec![self.example.clone()];
        if !self.other.is_empty() {
            examples.push(self.example.into_iter().chain(self.other).collect());
        }
        self.object.examples(examples.into_iter().map(Value::Object)).into()
    }
}

/// The example of a type, if it has one.
fn example<K: PartialSchema>() -> Option<Value> {
    let schema = serde_json::to_value(K::schema()).ok()?;
    schema.pointer("/examples/0").or_else(|| schema.get("example")).cloned()
}

fn reference<K: ToSchema>() -> RefBuilder {
    RefBuilder::new().ref_location_from_schema_name(K::name())
}

/// Adds a schema and those that it refers to.
pub(crate) fn add<K: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((K::name().into_owned(), K::schema()));
    K::schemas(schemas);
}

/// A string that is one of the names of an enumeration.
pub(crate) fn enumeration<E: VariantArray + Copy + Into<&'static str>>(description: &str) -> RefOr<Schema> {
    let names = E::VARIANTS.iter().map(|variant| (*variant).into());
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).description(Some(description)).into()
}

fn event_type_patterns() -> Vec<String> {
    let types = EventType::VARIANTS.iter().map(ToString::to_string);
    types.chain(SubjectKind::VARIANTS.iter().map(|kind| format!("{kind}.*"))).collect()
}

/// A text with an example. Generators of clients make examples from patterns, and cannot follow those of text that is not blank.
#[expect(deprecated, reason = "generators read the example in this place only")]
fn such_as(example: &str, text: ObjectBuilder) -> ObjectBuilder {
    text.example(Some(json!(example)))
}

fn text(max: usize, pattern: &str) -> ObjectBuilder {
    matching(pattern).max_length(Some(max))
}

/// An object of any fields. Its text, its keys and their depth are bounded, which a schema cannot say in full.
fn metadata() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .max_properties(Some(MAX_METADATA_KEYS))
        .property_names(Some(text(MAX_METADATA_KEY, r"^[^\x00]*$")))
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .examples([json!({ "campaign": "spring" })])
}

/// The pattern of a [`NAME`] with at most so many digits.
fn holder_name() -> String {
    format!("^(?!([^0-9]*[0-9]){{{}}}){}", MAX_HOLDER_DIGITS + 1, NAME.trim_start_matches('^'))
}

fn formatted(format: KnownFormat) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(format)))
}

fn whole(minimum: i64, maximum: i64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(minimum))
        .maximum(Some(maximum))
}

fn matching(pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))
}
