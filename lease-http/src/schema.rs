//! Schemas of the document that neither the core nor a [view](crate::views) defines: the currency in responses, and bodies with a part
//! of a draft.

use lease_core::account::UserDraft;
use lease_core::catalog::{ServiceDraft, VehicleDraft};
use lease_core::invoicing::PaymentDraft;
use lease_core::lifecycle::ProposalDraft;
use lease_core::openapi;
use lease_core::wallet::{CardDraft, EnteredCardDraft};
use lease_core::webhook::WebhookEndpointDraft;
use serde_json::{Value, json};
use utoipa::openapi::schema::{Object, ObjectBuilder, OneOfBuilder, RefBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The currency of an amount in a response.
pub(crate) enum Currency {}

impl PartialSchema for Currency {
    fn schema() -> RefOr<Schema> {
        text(3, "^[A-Z]{3}$").description(Some("A currency code of ISO 4217.")).examples([json!("USD")]).into()
    }
}

impl ToSchema for Currency {}

/// A text with this many characters at most.
pub(crate) fn text(max: usize, pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).max_length(Some(max)).pattern(Some(pattern))
}

/// A credit card: its number, or the name that the provider gave it.
pub(crate) enum CreditCardInput {}

impl PartialSchema for CreditCardInput {
    fn schema() -> RefOr<Schema> {
        let examples = match CardDraft::schema() {
            RefOr::T(Schema::Object(numbered)) => numbered.examples,
            _ => Vec::new(),
        };
        OneOfBuilder::new()
            .item(RefBuilder::new().ref_location_from_schema_name(CardDraft::name()))
            .item(RefBuilder::new().ref_location_from_schema_name(EnteredCardDraft::name()))
            .description(Some("A credit card: its number, or the name that the provider gave it."))
            .examples(examples)
            .into()
    }
}

impl ToSchema for CreditCardInput {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        for (name, schema) in [(CardDraft::name(), CardDraft::schema()), (EnteredCardDraft::name(), EnteredCardDraft::schema())] {
            schemas.push((name.into_owned(), schema));
        }
        CardDraft::schemas(schemas);
        EnteredCardDraft::schemas(schemas);
    }
}

/// Bodies with a part of a draft, for the document. The schema of each type is derived from that of the draft.
macro_rules! parts {
    ($($(#[doc = $doc:literal])+ $name:ident of $draft:ty => $part:expr;)+) => {$(
        $(#[doc = $doc])+
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let described = |mut object: Object| {
                    object.description = Some(concat!($($doc),+).trim_start().to_owned());
                    $part(object)
                };
                match <$draft>::schema() {
                    RefOr::T(Schema::Object(object)) => RefOr::T(Schema::Object(described(object))),
                    other => other,
                }
            }
        }

        impl ToSchema for $name {
            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                <$draft>::schemas(schemas);
            }
        }
    )+};
}

parts! {
    /// The fields for updating a user.
    UserInput of UserDraft => |user| nullable(without(user, &["job", "dob", "notes"]), "password");
    /// The fields for updating a user; all of them are optional.
    UserPatch of UserDraft => |user| any_of(nullable(without(user, &["job", "dob", "notes"]), "password"));
    /// The fields for updating a credit card; all of them are optional.
    CreditCardPatch of CardDraft => |card| any_of(without(card, &["number", "cvc"]));
    /// The fields for updating a vehicle; all of them are optional.
    VehiclePatch of VehicleDraft => any_of;
    /// The fields for updating a service; all of them are optional.
    ServicePatch of ServiceDraft => any_of;
    /// The fields for updating a webhook endpoint; all of them are optional.
    WebhookEndpointPatch of WebhookEndpointDraft => any_of;
    /// The fields for making a proposal in the trade that the path names.
    TermsInput of ProposalDraft => |proposal| without(proposal, &["trade_id"]);
    /// The fields for paying the invoice that the path names.
    InvoicePaymentInput of PaymentDraft => |payment| without(payment, &["invoice_id"]);
}

fn any_of(mut object: Object) -> Object {
    object.required.clear();
    object
}

fn without(mut object: Object, fields: &[&str]) -> Object {
    object.required.retain(|name| !fields.contains(&name.as_str()));
    object.properties.retain(|name, _| !fields.contains(&name.as_str()));
    not_exemplified(object, fields)
}

/// Leaves the fields out of the examples.
fn not_exemplified(mut object: Object, fields: &[&str]) -> Object {
    for example in object.examples.iter_mut().filter_map(Value::as_object_mut) {
        example.retain(|name, _| !fields.contains(&name.as_str()));
    }
    object
}

/// Makes the field optional, and allows null.
fn nullable(object: Object, field: &str) -> Object {
    let mut object = not_exemplified(object, &[field]);
    object.required.retain(|name| name != field);
    if let Some(schema) = object.properties.remove(field) {
        let either = OneOfBuilder::new().item(schema).item(ObjectBuilder::new().schema_type(Type::Null));
        object.properties.insert(field.to_owned(), either.into());
    }
    object
}

/// A rule for a body: at least one of these fields is not blank.
pub(crate) fn any_said(fields: &[&str]) -> Value {
    let said = |field: &&str| json!({ "required": [field], "properties": { *field: { "type": "string", "pattern": openapi::VISIBLE } } });
    json!({ "anyOf": fields.iter().map(said).collect::<Vec<_>>() })
}

/// A rule for a body: exactly one of these texts is given, and the other may be null.
pub(crate) fn one_of_two(one: &str, other: &str) -> Value {
    let only = |one: &str, other: &str| json!({ "properties": { one: { "type": "string" }, other: { "type": "null" } }, "required": [one] });
    json!({ "anyOf": [only(one, other), only(other, one)] })
}

/// A rule for a body: either both of these texts are given, or neither.
pub(crate) fn both_or_neither(one: &str, other: &str) -> Value {
    let of_type = |kind: &str| json!({ one: { "type": kind }, other: { "type": kind } });
    json!({ "anyOf": [{ "properties": of_type("null") }, { "properties": of_type("string"), "required": [one, other] }] })
}
