//! JSON bodies, read into every type of draft.

use arbitrary::{Arbitrary, Result, Unstructured};
use lease_core::account::{ProfileDraft, RegistrationDraft, UserDraft};
use lease_core::catalog::{ServiceDraft, VehicleDraft};
use lease_core::directory::{ContactDraft, ConversionDraft, LeadDraft};
use lease_core::engine::LoginDraft;
use lease_core::invoicing::{DueDateDraft, PaymentCancellationDraft, PaymentDraft, VoidDraft, WriteOffDraft};
use lease_core::lifecycle::{AmendmentDraft, CancellationDraft, EndDraft, ProposalDraft, TradeDraft};
use lease_core::wallet::CardDraft;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use super::field_values::FieldValue;
use super::{many, text};

/// The name of a draft, and the result of reading a body into it.
type Read = (&'static str, serde_json::Result<()>);

/// Reads a body into every draft.
fn read_all(body: &[u8]) -> Vec<Read> {
    fn read<T: DeserializeOwned>(body: &[u8]) -> Read {
        (std::any::type_name::<T>(), serde_json::from_slice::<T>(body).map(drop))
    }
    vec![
        read::<RegistrationDraft>(body),
        read::<LoginDraft>(body),
        read::<UserDraft>(body),
        read::<ProfileDraft>(body),
        read::<CardDraft>(body),
        read::<ContactDraft>(body),
        read::<LeadDraft>(body),
        read::<ConversionDraft>(body),
        read::<VehicleDraft>(body),
        read::<ServiceDraft>(body),
        read::<TradeDraft>(body),
        read::<AmendmentDraft>(body),
        read::<ProposalDraft>(body),
        read::<PaymentDraft>(body),
        read::<VoidDraft>(body),
        read::<WriteOffDraft>(body),
        read::<DueDateDraft>(body),
        read::<CancellationDraft>(body),
        read::<PaymentCancellationDraft>(body),
        read::<EndDraft>(body),
    ]
}

/// Names of fields, and one that no draft has.
const FIELDS: [&str; 49] = [
    "username",
    "email",
    "password",
    "password2",
    "first_name",
    "last_name",
    "job",
    "dob",
    "notes",
    "external_id",
    "metadata",
    "is_active",
    "is_staff",
    "is_superuser",
    "number",
    "cvc",
    "exp_month",
    "exp_year",
    "holder_name",
    "is_default",
    "customer_id",
    "lead_id",
    "label",
    "phone",
    "company",
    "status",
    "vin",
    "chassis_number",
    "make",
    "model",
    "year",
    "mileage",
    "name",
    "kind",
    "invoice_on",
    "bill_to",
    "amount",
    "currency",
    "payment_due_days",
    "vehicle_id",
    "service_id",
    "title",
    "trade_id",
    "start_date",
    "end_date",
    "expires_at",
    "reason",
    "due_date",
    "nothing",
];

#[derive(Clone, Debug, Arbitrary)]
struct Pair {
    field: u8,
    value: FieldValue,
}

/// Rule 2.4: a field of a wrong type is an error on that field, reported after the role was checked. So no object is reported as
/// a body that does not parse.
pub(super) fn every_object_is_a_draft(input: &mut Unstructured) -> Result<()> {
    let pair = |pair: Pair| {
        let field = FIELDS[usize::from(pair.field) % FIELDS.len()];
        (field.to_owned(), pair.value.value(field))
    };
    let body = Value::Object(many(input, 64)?.into_iter().map(pair).collect::<Map<_, _>>()).to_string();
    for (draft, read) in read_all(body.as_bytes()) {
        assert!(read.is_ok(), "{draft}: {read:?} of {body}");
    }
    Ok(())
}

/// Bytes that are not JSON are refused without a panic; the message contains nothing of them.
pub(super) fn any_bytes_are_parsed_or_refused(input: &mut Unstructured) -> Result<()> {
    let text = text(input, "{}[]\":,0123456789.eE-+ \\unulltruefalsamount_idvin")?;
    // Not as a `Value`: that cannot hold 1e999, which is valid JSON.
    let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
    for (draft, read) in read_all(text.as_bytes()) {
        assert!(read.is_err() || is_json, "{draft} of {text}");
    }
    Ok(())
}
