//! Models, ids and money that are written as JSON and read again: the feature `serde`.

use std::fmt::Debug;

use lease_core::engine::WithActions;
use lease_core::event::{EventPattern, EventView};
use lease_core::id::{CustomerId, Stored, TradeId};
use lease_core::input::Invalid;
use lease_core::model::*;
use lease_core::money::{Currency, Money, MoneyError};
use lease_core::page::{Cursor, Page};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::*;

/// Checks that the value is read as it was written.
fn travels<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
    // By way of a tree of values too, such as a JSON column.
    let tree = serde_json::to_value(value).unwrap();
    assert_eq!(&serde_json::from_value::<T>(tree).unwrap(), value, "{text}");
}

fn is_refused<T: DeserializeOwned + Debug>(json: &Value) {
    serde_json::from_value::<T>(json.clone()).expect_err(&json.to_string());
}

fn annotations() -> Annotations {
    let metadata = json!({ "crm": { "stage": 3, "tags": ["a", 1.5, null] } });
    let metadata = Metadata::parse(metadata.as_object().unwrap()).unwrap();
    Annotations { external_id: Some(ExternalId::parse("crm-1042").unwrap()), metadata }
}

fn trade_in(state: TradeState) -> Trade {
    let asking = Asking { proposal_id: id(3), amount: usd("250.00"), period: Some(period(1, 9)), expires_at: Some(at(60)) };
    Trade { state, asking: Some(asking), annotations: annotations(), ..Scene::lease().0.trade.value }
}

#[test]
fn trades_travel_in_every_state() {
    let cancelled = |agreement| TradeState::Cancelled { cancelled_at: at(-1), reason: "Sold".into(), agreement };
    for state in [
        TradeState::Open,
        TradeState::Agreed(agreement()),
        TradeState::Completed { agreement: agreement(), completed_at: at(-1) },
        cancelled(None),
        cancelled(Some(Agreement { days: None, ..agreement() })),
    ] {
        travels(&stored(7, trade_in(state)));
    }
}

#[test]
fn proposals_travel_in_every_state() {
    let at = at(-1);
    for state in [
        ProposalState::Pending,
        ProposalState::Accepted { at },
        ProposalState::Rejected { at },
        ProposalState::Withdrawn { at },
        ProposalState::Superseded { at },
        ProposalState::Closed { at },
        ProposalState::Expired { at },
        ProposalState::Rescinded { at },
    ] {
        travels(&stored(7, Proposal { state, period: Some(period(1, 2)), expires_at: Some(at), ..proposal(BUYER) }));
    }
}

#[test]
fn invoices_payments_and_refunds_travel_in_every_state() {
    let at = at(-1);
    for state in [
        InvoiceState::Open,
        InvoiceState::Paid { at },
        InvoiceState::Void { at, reason: "A mistake".into() },
        InvoiceState::WrittenOff { at, reason: "Hopeless".into() },
    ] {
        travels(&stored(7, Invoice { state, overdue_at: Some(at), ..invoice(OWNER) }));
    }
    for state in [
        PaymentState::Pending,
        PaymentState::RequiresAction(NextAction { kind: "confirm".into(), url: None, client_secret: None }),
        PaymentState::Succeeded { at },
        PaymentState::Failed { at, failure_code: "expired_card".into() },
        PaymentState::Cancelled { at },
    ] {
        travels(&stored(7, Payment { state, gateway_reference: Some("ch_1".into()), ..payment(OWNER, "0.01") }));
    }
    for state in [RefundState::Pending, RefundState::Succeeded { at }, RefundState::Failed { at, failure_code: "no_card".into() }]
    {
        travels(&stored(7, Refund { state, ..refund(OWNER, "999999999999.99") }));
    }
}

#[test]
fn vehicles_services_and_customers_travel() {
    let chassis = VehicleIdentity::Chassis(ChassisNumber::parse("ABC-12345").unwrap());
    for identity in [vehicle(OWNER).identity, Some(chassis), None] {
        travels(&stored(7, Vehicle { identity, annotations: annotations(), mileage: None, ..vehicle(OWNER) }));
    }
    for kind in [ServiceKind::Lease, ServiceKind::Sell, ServiceKind::Custom] {
        travels(&stored(7, service(kind)));
    }
    let profile = Profile { job: "Engineer".into(), dob: Some(day(0)), notes: "Two\nlines".into() };
    travels(&stored(7, Customer { user_id: user_id(OWNER), profile, created_at: now(), annotations: annotations() }));
}

#[test]
fn leads_contacts_and_mails_travel() {
    let line = || "A line".to_owned();
    for state in [LeadState::New, LeadState::Contacted, LeadState::Qualified, LeadState::Converted(id(4)), LeadState::Lost] {
        travels(&stored(
            7,
            Lead {
                first_name: line(),
                last_name: line(),
                email: String::new(),
                phone: String::new(),
                company: line(),
                source: String::new(),
                state,
                notes: line(),
                created_at: now(),
            },
        ));
    }
    for owner in [ContactOwner::Customer(id(4)), ContactOwner::Lead(id(5))] {
        travels(&stored(
            7,
            Contact {
                owner,
                label: line(),
                name: line(),
                email: String::new(),
                phone: line(),
                address_line1: line(),
                address_line2: String::new(),
                city: line(),
                state: line(),
                postal_code: line(),
                country: line(),
                created_at: now(),
            },
        ));
    }
    let to = MailRecipient::UserAt(id(1), "old@example.com".into());
    for recipient in [MailRecipient::Customer(id(1)), MailRecipient::User(id(2)), to, MailRecipient::Address("a@b.ch".into())] {
        for state in [MailState::Pending { next_attempt_at: now() }, MailState::Sent, MailState::Failed, MailState::Dropped] {
            let facts = json!({ "amount": "1.00" }).as_object().unwrap().clone();
            let kind = MailKind::InvoiceIssued;
            travels(&Mail {
                kind,
                recipient: recipient.clone(),
                event_id: Some(id(9)),
                facts,
                state,
                tries: 1,
                created_at: now(),
            });
        }
    }
}

#[test]
fn webhooks_travel() {
    for state in [EndpointState::Active, EndpointState::Off(None), EndpointState::Off(Some(DisabledReason::Gone))] {
        travels(&state);
    }
    for message in [WebhookMessage::Test, WebhookMessage::Event(id(4), "trade.agreed".parse().unwrap())] {
        for state in [DeliveryState::Pending { next_attempt_at: now() }, DeliveryState::Succeeded, DeliveryState::Failed] {
            let delivery =
                WebhookDelivery { endpoint_id: id(1), message, state, tries: 0, attempts: Vec::new(), created_at: now() };
            travels(&stored(7, delivery));
        }
    }
    travels::<Vec<EventPattern>>(&vec!["trade.*".parse().unwrap(), "invoice.paid".parse().unwrap()]);
}

#[test]
fn pages_and_what_the_engine_returns_travel() {
    let stored = stored(7, proposal(BUYER));
    let seen = json!({ "id": 7, "available_actions": ["accept", "withdraw"] });
    let seen = with(serde_json::to_value(&stored).unwrap(), seen);
    let read: WithActions<Proposal> = serde_json::from_value(seen.clone()).unwrap();
    assert_eq!(read.stored, stored);
    assert_eq!(serde_json::to_value(read).unwrap(), seen);
    travels(&Page { items: vec![1, 2], next: Some(Cursor::After(7.into())), previous: None });
}

/// The forms that others may depend on.
#[test]
fn the_form_of_a_trade_is_that_of_its_words() {
    let agreed = stored(7, Trade { title: "Small".into(), asking: None, ..trade_in(TradeState::Agreed(agreement())) });
    let json = serde_json::to_value(agreed).unwrap();
    assert_eq!(json["id"], 7);
    assert_eq!(json["title"], "Small");
    assert_eq!(json["state"]["status"], "agreed");
    assert_eq!(json["state"]["counterparty_id"], BUYER);
    assert_eq!(json["annotations"]["external_id"], "crm-1042");
    assert_eq!(serde_json::to_value(usd("199.9")).unwrap(), json!({ "amount": "199.90", "currency": "USD" }));
    assert_eq!(serde_json::to_value(period(1, 3)).unwrap(), json!({ "start": "2026-03-03", "end": "2026-03-05" }));
    assert_eq!(serde_json::to_value(vehicle(OWNER).identity).unwrap(), json!({ "vin": VIN }));
}

/// What is read is checked.
#[test]
fn what_breaks_a_rule_of_its_type_is_not_read() {
    is_refused::<TradeId>(&json!(0));
    is_refused::<Money>(&json!({ "amount": "-1", "currency": "USD" }));
    is_refused::<Money>(&json!({ "amount": "1", "currency": "dollars" }));
    for amount in ["1.005", "0.00000000000000000000000001", "1e3", "1_000", "1000000000000", "", " 1"] {
        is_refused::<Money>(&json!({ "amount": amount, "currency": "USD" }));
    }
    is_refused::<Money>(&json!({ "amount": 1, "currency": "USD" }));
    is_refused::<Money>(&json!({ "amount": "1.00001", "currency": "HRK" }));
    is_refused::<Period>(&json!({ "start": "2026-03-04", "end": "2026-03-02" }));
    is_refused::<Vin>(&json!("IOQ"));
    is_refused::<Email>(&json!("nobody"));
    is_refused::<Username>(&json!("two words"));
    is_refused::<ExternalId>(&json!(" "));
    is_refused::<Metadata>(&json!({ "a": "\0" }));
    is_refused::<TradeStatus>(&json!("opened"));
    is_refused::<Cursor>(&json!("a5"));
}

/// The number's parser recurses once for each leading zero.
#[test]
fn an_amount_with_a_million_zeros_is_read() {
    let amount = format!("{}1.5", "0".repeat(1_000_000));
    assert_eq!(serde_json::from_value::<Money>(json!({ "amount": amount, "currency": "USD" })).unwrap(), usd("1.50"));
}

/// Rule 1.3: what is stored in a currency that was withdrawn is read with the digits that it has.
#[test]
fn an_amount_in_a_withdrawn_currency_travels() {
    let stored = |amount: &str, code| Money::from_stored(amount.parse().unwrap(), Currency::from_stored(code).unwrap()).unwrap();
    travels(&stored("1.2345", "HRK"));
    travels(&stored("1.2345", "XQQ"));
}

/// A user is read without a password, which is not written.
#[test]
fn a_user_is_read_without_a_password() {
    let account = account(OWNER, Role::Customer);
    let read: Account = serde_json::from_value(serde_json::to_value(&account).unwrap()).unwrap();
    assert!(read.user.password.is_unusable());
    let user = User { password: read.user.password.clone(), ..account.user.value.clone() };
    assert_eq!(read.user.value, user);
}

/// Rules 3.7, 5.5, 5.6, 9.1: what `Debug` does not show is not written either.
#[test]
fn secrets_do_not_travel() {
    let link = MailLink { purpose: LinkPurpose::PasswordReset, hash: LinkHash([0xAB; 32]), mail: id(1), expires_at: now() };
    let account = account(OWNER, Role::Customer);
    let user = User { links: vec![link], ..account.user.value.clone() };
    let endpoint = WebhookEndpoint {
        url: "https://example.com/hook".into(),
        description: String::new(),
        event_types: Vec::new(),
        state: EndpointState::Active,
        secret: WebhookSecret::from_stored("whsec_secret".into()),
        previous: vec![PreviousSecret { secret: WebhookSecret::from_stored("whsec_secret".into()), until: now() }],
        created_at: now(),
    };
    let waiting = Payment { state: PaymentState::RequiresAction(next_action()), ..payment(OWNER, "1") };
    let written = [
        serde_json::to_string(&account).unwrap(),
        serde_json::to_string(&stored(7, user)).unwrap(),
        serde_json::to_string(&stored(7, card(OWNER))).unwrap(),
        serde_json::to_string(&endpoint).unwrap(),
        serde_json::to_string(&waiting).unwrap(),
    ];
    for text in written {
        for secret in ["secret", "argon2", "abab", "bank.example"] {
            assert!(!text.contains(secret), "{text} shows {secret}");
        }
    }
    let read: Payment = serde_json::from_value(serde_json::to_value(&waiting).unwrap()).unwrap();
    assert_eq!(read, waiting.without_secret());
}

/// A webhook's body, or an event of the API, is read by a program in Rust as it is.
#[test]
fn an_event_is_read_as_the_api_shows_it() {
    let json = json!({
        "id": 5, "type": "trade.agreed", "occurred_at": "2026-03-01T12:00:00Z",
        "actor": { "kind": "user", "user_id": 1, "customer_id": 2, "is_staff": false }, "request_id": null,
        "subject": { "kind": "trade", "id": 7 }, "trade_id": 7, "data": { "proposal_id": 3 }, "changes": {},
    });
    let event: EventView = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(event.r#type.to_string(), "trade.agreed");
    assert_eq!(serde_json::to_value(event).unwrap(), json);
}

#[test]
fn values_are_parsed_from_their_texts() {
    assert_eq!("7".parse(), Ok(CustomerId::new(7).unwrap()));
    assert_eq!("-7".parse::<CustomerId>(), Err(Invalid::NotAnId));
    assert_eq!("199.90 USD".parse(), Ok(usd("199.90")));
    assert_eq!("5 JPY".parse::<Money>().unwrap().to_string(), "5 JPY");
    assert_eq!("5.5 JPY".parse::<Money>(), Err(MoneyError::TooManyDigits { digits: 0 }));
    assert_eq!("199.90".parse::<Money>(), Err(MoneyError::NotANumber));
    assert_eq!("EUR".parse::<Currency>().unwrap().to_string(), "EUR");
    assert_eq!(VIN.to_lowercase().parse::<Vin>().unwrap().to_string(), VIN);
    assert_eq!("two words".parse::<Username>(), Err(Invalid::UsernameCharacter));
    assert_eq!(Stored { id: id::<TradeId>(7), value: trade_in(TradeState::Open) }.id.to_string().parse(), Ok(id::<TradeId>(7)));
}

/// A message in another language is made of the code and the parameters.
#[test]
fn a_reason_has_a_code_and_parameters() {
    let reason = |reason: Invalid| (reason.code(), Value::Object(reason.params()));
    assert_eq!(reason(Invalid::Required), ("required", json!({})));
    assert_eq!(reason(Invalid::ModelYear { min: 1886, max: 2027 }), ("model_year", json!({ "min": 1886, "max": 2027 })));
    assert_eq!(reason(MoneyError::TooManyDigits { digits: 2 }.into()), ("too_many_digits", json!({ "digits": 2 })));
    assert_eq!(reason(MoneyError::Negative.into()), ("negative", json!({})));
}
