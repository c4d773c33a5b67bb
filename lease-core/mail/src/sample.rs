use chrono::DateTime;
use lease_core::mail::Letter;
use lease_core::model::MailKind;
use serde_json::{Map, Value, json};

/// 2026-12-01, half past nine.
const AT: i64 = 1_796_117_400;
const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";

/// Letters of a kind as they might come, to see what templates make of them.
#[must_use]
pub fn samples(kind: MailKind) -> Vec<Letter> {
    let has_token = matches!(kind, MailKind::PasswordReset | MailKind::EmailVerification);
    let letters = facts(kind).into_iter().enumerate().map(|(number, facts)| Letter {
        id: format!("sample-{kind}-{number}"),
        kind,
        to: "ada@example.com".to_owned(),
        name: "Ada Lovelace".to_owned(),
        facts,
        token: has_token.then(|| TOKEN.into()),
        at: DateTime::from_timestamp(AT, 0).unwrap_or_default(),
    });
    letters.collect()
}

/// Facts of a kind of letters.
fn facts(kind: MailKind) -> Vec<Map<String, Value>> {
    match kind {
        MailKind::ProposalMade | MailKind::ProposalAccepted | MailKind::ProposalRejected | MailKind::ProposalClosed => {
            of_trades(&lease(), &sale())
        }
        MailKind::InvoiceIssued | MailKind::InvoiceDueSoon | MailKind::InvoiceOverdue => {
            of_trades(&invoice("450.00"), &invoice("400.00"))
        }
        MailKind::PaymentReceived => of_trades(&payment(), &payment()),
        MailKind::PaymentFailed => of_trades(
            &merged(&payment(), &json!({ "failure_code": "insufficient_funds" })),
            &merged(&payment(), &json!({ "failure_code": null })),
        ),
        MailKind::PaymentRefunded => {
            let refund = merged(&payment(), &json!({ "refund_id": 3, "reason": "requested_by_customer" }));
            of_trades(&refund, &refund)
        }
        MailKind::EmailChanged => vec![fields(&json!({ "new_email_hint": "a…@example.com" }))],
        MailKind::PasswordChanged | MailKind::PasswordReset | MailKind::EmailVerification => vec![Map::new()],
    }
}

/// The facts of two letters: the first one of a trade with a title, the second one of a trade without.
fn of_trades(titled: &Value, untitled: &Value) -> Vec<Map<String, Value>> {
    let trade = |title| json!({ "trade_id": 7, "trade_title": title, "vehicle": "2021 Volvo V60" });
    vec![fields(&merged(&trade("Family estate for a year"), titled)), fields(&merged(&trade(""), untitled))]
}

fn lease() -> Value {
    json!({
        "proposal_id": 9, "amount": "450.00", "currency": "USD", "start_date": "2027-01-01", "end_date": "2028-01-01",
        "by_owner": false, "kind": "lease",
    })
}

fn sale() -> Value {
    json!({
        "proposal_id": 9, "amount": "18500.00", "currency": "USD", "start_date": null, "end_date": null, "by_owner": true, "kind": "sell",
    })
}

fn invoice(amount_due: &str) -> Value {
    json!({
        "invoice_id": 12, "number": "INV-00000012", "amount": "450.00", "amount_due": amount_due, "currency": "USD",
        "due_date": "2026-12-15",
    })
}

fn payment() -> Value {
    json!({ "payment_id": 5, "invoice_id": 12, "number": "INV-00000012", "amount": "450.00", "currency": "USD" })
}

/// The fields of two objects.
fn merged(one: &Value, other: &Value) -> Value {
    fields(one).into_iter().chain(fields(other)).collect()
}

fn fields(object: &Value) -> Map<String, Value> {
    object.as_object().cloned().unwrap_or_default()
}
