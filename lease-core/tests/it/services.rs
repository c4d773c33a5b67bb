//! Services: rule 5.1.

use lease_core::Error;
use lease_core::catalog::{
    ServiceDraft, create_service, deactivate_service, require_visible_service, standard_services, update_service,
};
use lease_core::decision::RowChange;
use lease_core::id::{Stored, Versioned};
use lease_core::input::UpdateMode;
use lease_core::model::{BillTo, InvoiceOn, Service, ServiceKind};
use lease_core::money::{Currency, Money, parse_decimal};
use lease_core::permission::Actor;
use serde_json::{Value, json};

use crate::support::*;

/// A valid service, except for these fields.
fn a_service(fields: Value) -> Value {
    let json = json!({"name": "Lease", "kind": "lease", "amount": "49.00", "currency": "USD"});
    with(json, fields)
}

fn create(fields: Value) -> Result<Service, Error> {
    match create_service(&staff(), &draft::<ServiceDraft>(a_service(fields)))?.changes {
        RowChange::Create(service) => Ok(service),
        other => panic!("{other:?}"),
    }
}

fn change(service: &Versioned<Stored<Service>>, json: Value) -> Result<Service, Error> {
    match update_service(service, &staff(), &draft::<ServiceDraft>(json), UpdateMode::Partial)?.changes {
        RowChange::Update { value, .. } => Ok(value),
        other => panic!("{other:?}"),
    }
}

fn used(kind: ServiceKind) -> Versioned<Stored<Service>> {
    let mut service = stored_service(kind);
    service.is_used = true;
    service
}

/// Rule 5.1: missing fields of a service have defaults.
#[test]
fn a_service_has_defaults() {
    let service = create(json!({})).unwrap();
    assert_eq!((service.invoice_on, service.bill_to), (InvoiceOn::FirstProposal, BillTo::Owner));
    assert_eq!((service.payment_due_days, service.is_active, service.is_used), (14, true, false));
    assert_eq!((service.fee, &*service.description), (usd("49.00"), ""));
}

/// Rule 5.1: the kind determines the moment of invoicing; only a custom service chooses it.
#[test]
fn the_kind_determines_the_moment_and_only_custom_chooses() {
    let (first, accept) = ("first_proposal", "acceptance");
    let cases = [
        ("lease", None, Some(InvoiceOn::FirstProposal)),
        ("lease", Some(first), Some(InvoiceOn::FirstProposal)),
        ("lease", Some(accept), None),
        ("sell", None, Some(InvoiceOn::Acceptance)),
        ("sell", Some(accept), Some(InvoiceOn::Acceptance)),
        ("sell", Some(first), None),
        ("custom", None, None),
        ("custom", Some(first), Some(InvoiceOn::FirstProposal)),
        ("custom", Some(accept), Some(InvoiceOn::Acceptance)),
        ("custom", Some("never"), None),
    ];
    for (kind, invoice_on, expected) in cases {
        let response = create(json!({"kind": kind, "invoice_on": invoice_on}));
        match expected {
            Some(moment) => assert_eq!(response.unwrap().invoice_on, moment, "{kind} {invoice_on:?}"),
            None => assert_eq!(wrong_fields(response), ["invoice_on"], "{kind} {invoice_on:?}"),
        }
    }
}

/// Rule 5.1: the other party can be billed only with the acceptance.
#[test]
fn the_counterparty_is_billed_with_the_acceptance_only() {
    let on = |kind: &str, moment: &str| create(json!({"kind": kind, "invoice_on": moment, "bill_to": "counterparty"}));
    assert_eq!(on("custom", "acceptance").unwrap().bill_to, BillTo::Counterparty);
    assert_eq!(on("sell", "acceptance").unwrap().bill_to, BillTo::Counterparty);
    assert_eq!(wrong_fields(on("custom", "first_proposal")), ["bill_to"]);
    assert_eq!(wrong_fields(on("lease", "first_proposal")), ["bill_to"]);
}

/// Rule 5.1, chapter 1: amount, currency and days are within their limits.
#[test]
fn amount_currency_and_days_are_in_range() {
    for (amount, currency, is_good) in [
        ("0", "USD", true),
        ("-0", "USD", true),
        ("-0.01", "USD", false),
        ("1.005", "USD", false),
        ("1.005", "KWD", true),
        ("100", "JPY", true),
        ("100.5", "JPY", false),
        ("999999999999.99", "USD", true),
        ("1000000000000", "USD", false),
    ] {
        let response = create(json!({"amount": amount, "currency": currency}));
        assert_eq!(response.is_ok(), is_good, "{amount} {currency}");
    }
    for currency in ["usd", "US", "XAU", "XXX", "", "ABC", "HRK", "BGN", "SLL", "ZWL", "CUC", "ANG", "BYR"] {
        assert_eq!(wrong_fields(create(json!({"currency": currency}))), ["currency"], "{currency}");
    }
    for (days, is_good) in [(-1, false), (0, true), (365, true), (366, false), (70_000, false)] {
        assert_eq!(create(json!({"payment_due_days": days})).is_ok(), is_good, "{days}");
    }
}

/// Rule 1.3: a currency that was withdrawn since stays readable, and what is stored is not judged again.
#[test]
fn a_service_keeps_a_currency_that_was_withdrawn() {
    let stored = |amount: &str, code: &str| {
        let mut service = stored_service(ServiceKind::Custom);
        let currency = Currency::from_stored(code).unwrap();
        service.value.value.fee = Money::from_stored(parse_decimal(amount).unwrap(), currency).unwrap();
        service
    };
    for (service, json, fee) in [
        (stored("49", "HRK"), json!({"name": "New"}), "49.00 HRK"),
        (stored("49", "HRK"), json!({"amount": "50", "currency": "HRK"}), "50.00 HRK"),
        (stored("0.1234", "XQQ"), json!({"name": "New"}), "0.1234 XQQ"),
        (stored("49.5", "JPY"), json!({"description": "New"}), "49.5 JPY"),
        (stored("49", "HRK"), json!({"currency": "EUR"}), "49.00 EUR"),
    ] {
        assert_eq!(change(&service, json.clone()).unwrap().fee.to_string(), fee, "{json}");
    }
    assert_eq!(wrong_fields(change(&stored("49", "EUR"), json!({"currency": "HRK"}))), ["currency"]);
    assert_eq!(wrong_fields(change(&stored("49", "HRK"), json!({"currency": "BGN"}))), ["currency"]);
}

/// Rule 5.1: once a trade uses a service, its kind, moment of invoicing, billed party and currency are fixed.
#[test]
fn fields_that_trades_depend_on_are_fixed_once_a_trade_uses_the_service() {
    let service = used(ServiceKind::Custom);
    for json in [
        json!({"kind": "sell"}),
        json!({"invoice_on": "first_proposal"}),
        json!({"bill_to": "counterparty"}),
        json!({"currency": "EUR"}),
    ] {
        assert_eq!(code(change(&service, json.clone())), "service_in_use", "{json}");
        assert_eq!(code(change(&stored_service(ServiceKind::Custom), json)), "ok");
    }
    let json = json!({"amount": 5, "name": "New", "payment_due_days": 1, "description": "d", "is_active": false,
        "kind": "custom", "invoice_on": "acceptance", "bill_to": "owner", "currency": "USD"});
    let changed = change(&service, json).unwrap();
    assert_eq!((changed.fee, changed.is_active, changed.is_used), (usd("5"), false, true));
}

/// Rule 5.1: a `PATCH` keeps the fields that it does not name, even if a new kind would allow another choice.
#[test]
fn a_service_that_becomes_custom_keeps_its_moment() {
    for (kind, moment) in [(ServiceKind::Lease, InvoiceOn::FirstProposal), (ServiceKind::Sell, InvoiceOn::Acceptance)] {
        let custom = json!({"kind": "custom"});
        assert_eq!(change(&stored_service(kind), custom.clone()).unwrap().invoice_on, moment);
        assert_eq!(code(change(&used(kind), custom)), "service_in_use");
    }
}

/// Rule 5.1: fields are checked before the state.
#[test]
fn a_wrong_field_is_reported_before_the_service_being_in_use() {
    let json = json!({"kind": "sell", "payment_due_days": 400});
    assert_eq!(wrong_fields(change(&used(ServiceKind::Lease), json)), ["payment_due_days"]);
}

/// Rule 5.1: a change keeps the fields that it does not name.
#[test]
fn a_change_leaves_what_it_does_not_name() {
    let mut service = stored_service(ServiceKind::Custom);
    service.payment_due_days = 30;
    let changed = change(&service, json!({"name": "New"})).unwrap();
    assert_eq!(changed, Service { name: "New".into(), ..Service::clone(&service) });
    let put = update_service(&service, &staff(), &draft(json!({"name": "New"})), UpdateMode::Full);
    assert_eq!(wrong_fields(put), ["amount", "currency", "kind"]);
}

/// Rule 5.1: null does not activate a deactivated service.
#[test]
fn null_does_not_reactivate_a_service() {
    let mut service = stored_service(ServiceKind::Lease);
    service.is_active = false;
    let changed = change(&service, json!({"is_active": null}));
    assert!(changed.is_err() || changed.is_ok_and(|service| !service.is_active));
}

/// Rule 5.1: a deleted service is deactivated.
#[test]
fn deleting_a_service_deactivates_it() {
    let service = used(ServiceKind::Lease);
    let RowChange::Update { value, expected, .. } = deactivate_service(&service, &staff()).unwrap().changes else {
        panic!("an update")
    };
    assert_eq!((value, expected), (Service { is_active: false, ..Service::clone(&service) }, service.version));
}

/// Chapter 2: everybody reads services, and staff change them.
#[test]
fn services_are_read_by_all_and_changed_by_staff() {
    let mut service = stored_service(ServiceKind::Lease);
    let json = || draft::<ServiceDraft>(json!({"name": "New"}));
    for (actor, write) in [(Actor::Anonymous, "not_authenticated"), (customer(OWNER), "permission_denied"), (staff(), "ok")] {
        assert_eq!(code(require_visible_service(&service, &actor)), "ok");
        assert_eq!(code(update_service(&service, &actor, &json(), UpdateMode::Partial)), write);
        assert_eq!(code(deactivate_service(&service, &actor)), write);
        assert_eq!(code(create_service(&actor, &draft(a_service(json!({}))))), write);
    }
    service.is_active = false;
    for (actor, read) in [(Actor::Anonymous, "not_found"), (customer(OWNER), "not_found"), (staff(), "ok"), (superuser(), "ok")] {
        assert_eq!(code(require_visible_service(&service, &actor)), read);
        assert_eq!(code(update_service(&service, &actor, &json(), UpdateMode::Partial)), read);
    }
}

/// Rule 6.6: all wrong fields are reported at once.
#[test]
fn every_wrong_field_of_a_service_is_named_at_once() {
    let json = json!({"name": " ", "kind": "gift", "bill_to": "me", "amount": "x", "currency": "x", "payment_due_days": 1.5,
        "description": 1, "is_active": "maybe"});
    let expected = ["amount", "bill_to", "currency", "description", "is_active", "kind", "name", "payment_due_days"];
    assert_eq!(wrong_fields(create(json)), expected);
}

/// Rule 5.1: the standard services are *Lease* and *Sell*.
#[test]
fn the_standard_services_are_a_lease_and_a_sale() {
    let [lease, sell] = <[_; 2]>::try_from(standard_services(usd("49"), usd("199")).changes.0).unwrap();
    assert_eq!((&*lease.name, lease.kind, lease.invoice_on), ("Lease", ServiceKind::Lease, InvoiceOn::FirstProposal));
    assert_eq!((&*sell.name, sell.kind, sell.invoice_on), ("Sell", ServiceKind::Sell, InvoiceOn::Acceptance));
    assert_eq!((lease.fee, sell.fee, lease.bill_to, sell.bill_to), (usd("49"), usd("199"), BillTo::Owner, BillTo::Owner));
    assert!(lease.is_active && sell.is_active && lease.payment_due_days == 14 && sell.payment_due_days == 14);
}
