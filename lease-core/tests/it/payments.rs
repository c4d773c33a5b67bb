//! Payments (rules 5.4, 5.5, I3, I4).

use lease_core::Error;
use lease_core::decision::Decision;
use lease_core::id::NewIds;
use lease_core::input::NamedIn;
use lease_core::invoicing::{PaymentDraft, begin_payment, settle_payment};
use lease_core::lifecycle::TradeChanges;
use lease_core::model::{CreditCard, InvoiceState, PaymentState};
use lease_core::money::{Currency, Money};
use lease_core::permission::Actor;
use lease_core::policy::{LatePayments, Policy};
use serde_json::{Value, json};

use crate::support::*;

/// An invoice for [`OWNER`] over 100.00, and a valid card of theirs.
fn billed() -> Scene {
    Scene::lease().billed_to(OWNER).with_card(card(OWNER))
}

fn pay(scene: &Scene, amount: &Value) -> &'static str {
    code(scene.pay(&customer(OWNER), amount))
}

fn begin(scene: &Scene, json: Value) -> Result<Decision<TradeChanges>, Error> {
    let draft: PaymentDraft = draft(json);
    begin_payment(Some(&scene.0), NamedIn::Path, &customer(OWNER), &draft, &Policy::default(), key(), now())
}

/// The result of paying an invoice that the body names and the actor cannot see.
fn pay_unknown(actor: &Actor, json: Value) -> Result<Decision<TradeChanges>, Error> {
    let draft: PaymentDraft = draft(json);
    begin_payment(None, NamedIn::Draft, actor, &draft, &Policy::default(), key(), now())
}

/// Rules 5.4, 5.5: the amount is reserved before the card is charged.
#[test]
fn a_payment_begins_pending_and_reserves_its_amount() {
    let Decision { changes, events } = billed().paid_and_pending("20", "10").pay(&customer(OWNER), &json!("30.00")).unwrap();
    let payment = changes.new_payment.unwrap();
    assert_eq!((payment.amount, &payment.state, payment.is_late), (usd("30"), &PaymentState::Pending, false));
    assert_eq!((payment.invoice_id, payment.credit_card_id, payment.customer_id), (id(1), id(1), id(OWNER)));
    assert_eq!((payment.charge_key, payment.created_at), (key(), now()));
    let change = changes.invoice.unwrap();
    assert_eq!((change.id, change.paid, change.pending, change.state), (id(1), usd("20"), usd("40"), InvoiceState::Open));
    assert_eq!(names(&events), ["payment.begun"]);
    assert_eq!((changes.payment, changes.state, changes.transfer), (None, None, None));
}

/// Rule 5.4: null is no amount, and a currency beside it is that of the invoice.
#[test]
fn what_is_paid_is_said_clearly() {
    for (json, wrong) in [
        (json!({"amount": null}), "amount"),
        (json!({"currency": "EUR"}), "currency"),
        (json!({"amount": "1", "currency": "EUR"}), "currency"),
        (json!({"amount": "1", "currency": 840}), "currency"),
    ] {
        let mut json = json;
        json["credit_card_id"] = 1.into();
        assert_eq!(wrong_fields(begin(&billed(), json.clone())), [wrong], "{json}");
    }
    let json = json!({"credit_card_id": 1, "amount": "49.0000", "currency": "USD"});
    assert_eq!(begin(&billed(), json).unwrap().changes.new_payment.unwrap().amount, usd("49"));
}

/// Rule 5.4: without an amount, everything that may be paid is paid.
#[test]
fn the_amount_defaults_to_all_that_may_be_paid() {
    for (paid, pending, expected) in [("0", "0", "100"), ("30", "0", "70"), ("30", "50", "20")] {
        for amount in [json!(null), json!(expected)] {
            let changes = billed().paid_and_pending(paid, pending).pay(&customer(OWNER), &amount).unwrap().changes;
            assert_eq!(changes.new_payment.unwrap().amount, usd(expected));
        }
    }
    let changes = begin(&billed(), json!({"credit_card_id": 1})).unwrap().changes;
    assert_eq!(changes.new_payment.unwrap().amount, usd("100"));
}

/// Rule 5.4, chapter 1: the amount is above zero, exact, and at most the amount due.
#[test]
fn the_amount_is_above_zero_exact_and_no_more_than_is_due() {
    let wrong = [json!(0), json!("-0"), json!(-5), json!("100.01"), json!(1e300), json!("0.001"), json!("1e1"), json!("NaN")];
    for amount in wrong {
        assert_eq!(wrong_fields(billed().pay(&customer(OWNER), &amount)), ["amount"], "{amount}");
    }
    for amount in [json!("0.01"), json!("100.00"), json!(99.99)] {
        assert_eq!(pay(&billed(), &amount), "ok");
    }
}

/// Rule 5.5: pending payments reduce the amount that may be paid.
#[test]
fn pending_payments_are_taken_off() {
    let scene = billed().paid_and_pending("0", "60");
    assert_eq!(pay(&scene, &json!("40")), "ok");
    assert_eq!(wrong_fields(scene.pay(&customer(OWNER), &json!("40.01"))), ["amount"]);
    let covered = billed().paid_and_pending("40", "60");
    assert_eq!(pay(&covered, &json!(null)), "payment_pending");
    assert_eq!(pay(&covered, &json!("1")), "payment_pending");
    // More than the amount due is a wrong field, whatever is pending.
    assert_eq!(pay(&covered, &json!("60.01")), "validation_error");
}

/// Rule 5.4: only an open invoice can be paid.
#[test]
fn a_paid_or_void_invoice_takes_no_payment() {
    for amount in [json!(null), json!("5"), json!("500")] {
        assert_eq!(pay(&billed().paid_and_pending("100", "0"), &amount), "invoice_not_open");
        assert_eq!(pay(&billed().voided(), &amount), "invoice_not_open");
    }
}

/// Rule 4.6: the invoice of a cancelled trade remains due.
#[test]
fn the_invoice_of_a_trade_in_any_state_is_paid() {
    for scene in [billed(), billed().cancelled(), billed().agreed()] {
        assert_eq!(pay(&scene, &json!(null)), "ok");
    }
}

/// Rule 5.4: a payment on the due date, in UTC, is not late.
#[test]
fn late_payments_are_marked_or_refused() {
    let refuse = Policy::default().with_late_payments(LatePayments::Reject);
    let cases = [("2026-03-16T23:59:59.999999Z", false, "ok"), ("2026-03-17T00:00:00Z", true, "invoice_overdue")];
    for (text, is_late, refused) in cases {
        let paid = billed().pay_under(&Policy::default(), &customer(OWNER), &json!(null), instant(text)).unwrap().changes;
        assert_eq!(paid.new_payment.unwrap().is_late, is_late, "{text}");
        assert_eq!(code(billed().pay_under(&refuse, &customer(OWNER), &json!(null), instant(text))), refused, "{text}");
    }
}

/// Rule 5.4: cards are valid until the last day of their month.
#[test]
fn an_expired_or_deleted_card_is_not_usable() {
    let until = |exp_year, exp_month| billed().with_card(CreditCard { exp_year, exp_month, ..card(OWNER) });
    assert_eq!(pay(&until(2026, 3), &json!(null)), "ok");
    assert_eq!(pay(&until(2026, 2), &json!(null)), "card_not_usable");
    assert_eq!(pay(&until(2025, 12), &json!(null)), "card_not_usable");
    let midnight = |text| code(until(2026, 3).pay_under(&Policy::default(), &customer(OWNER), &json!(null), instant(text)));
    assert_eq!(midnight("2026-03-31T23:59:59.999999Z"), "ok");
    assert_eq!(midnight("2026-04-01T00:00:00Z"), "card_not_usable");
    let deleted = billed().with_card(CreditCard { deleted_at: Some(at(-1)), ..card(OWNER) });
    assert_eq!(pay(&deleted, &json!(null)), "card_not_usable");
}

/// Rule 2.2, I4: the card of another customer looks as if it did not exist.
#[test]
fn anothers_card_is_a_wrong_field() {
    assert_eq!(wrong_fields(billed().with_card(card(BUYER)).pay(&customer(OWNER), &json!(null))), ["credit_card_id"]);
    assert_eq!(wrong_fields(Scene::lease().billed_to(OWNER).pay(&customer(OWNER), &json!(null))), ["credit_card_id"]);
    for id in [json!({}), json!({"credit_card_id": null}), json!({"credit_card_id": 0}), json!({"credit_card_id": "x"})] {
        assert_eq!(wrong_fields(begin(&billed(), id)), ["credit_card_id"]);
    }
}

/// Rule 5.4, I4: only the billed customer pays an invoice.
#[test]
fn only_the_billed_customer_pays() {
    let scene = billed().agreed();
    let cases = [
        (Actor::Anonymous, "not_authenticated"),
        (staff(), "permission_denied"),
        (superuser(), "permission_denied"),
        (customer(BUYER), "not_found"),
        (customer(THIRD), "not_found"),
    ];
    for (actor, expected) in cases {
        assert_eq!(code(scene.pay(&actor, &json!(null))), expected, "{actor:?}");
    }
    assert_eq!(code(Scene::lease().with_card(card(OWNER)).pay(&customer(OWNER), &json!(null))), "not_found");
}

/// Rule 6.6: all wrong fields are reported at once.
#[test]
fn every_wrong_field_of_a_payment_is_named_at_once() {
    let response = billed().with_card(card(BUYER)).pay(&customer(OWNER), &json!("x"));
    assert_eq!(wrong_fields(response), ["amount", "credit_card_id"]);
    let json = json!({"invoice_id": 9, "amount": 0});
    assert_eq!(wrong_fields(pay_unknown(&customer(OWNER), json.clone())), ["amount", "credit_card_id", "invoice_id"]);
    assert_eq!(code(pay_unknown(&staff(), json.clone())), "permission_denied");
    assert_eq!(code(pay_unknown(&Actor::Anonymous, json)), "not_authenticated");
}

/// Rules 6.6, 5.4: all wrong fields are reported at once.
#[test]
fn an_amount_beyond_what_is_due_is_named_beside_a_wrong_card() {
    let response = billed().with_card(card(BUYER)).pay(&customer(OWNER), &json!("100.01"));
    assert_eq!(wrong_fields(response), ["amount", "credit_card_id"]);
}

/// Chapter 1: an amount has the digits of the invoice's currency.
#[test]
fn a_yen_invoice_is_paid_in_whole_yen() {
    let yen = |text| Money::parse(text, Currency::parse("JPY").unwrap()).unwrap();
    let mut scene = billed();
    let invoice = &mut scene.0.invoice.as_mut().unwrap().value;
    (invoice.amount, invoice.paid, invoice.pending) = (yen("5000"), yen("0"), yen("0"));
    assert_eq!(wrong_fields(scene.pay(&customer(OWNER), &json!("1.5"))), ["amount"]);
    let changes = scene.pay(&customer(OWNER), &json!(1_000)).unwrap().changes;
    assert_eq!(changes.new_payment.unwrap().amount, yen("1000"));
}

/// Rule 5.4, I3: the amount of a payment that succeeded counts as paid.
#[test]
fn a_payment_that_succeeded_counts_as_paid() {
    let scene = billed().paid_and_pending("10", "50").with_payment("40", PaymentState::Pending);
    let outcome = charged();
    let Decision { changes, events } = settle_payment(&scene.0, &outcome, now()).unwrap().unwrap();
    let payment = changes.payment.unwrap();
    assert_eq!((payment.id, payment.state), (id(1), PaymentState::Succeeded { at: now() }));
    assert_eq!((payment.gateway_reference.as_deref(), payment.refunded, payment.refunding), (Some("ch_1"), usd("0"), usd("0")));
    let change = changes.invoice.unwrap();
    assert_eq!((change.paid, change.pending, change.state), (usd("50"), usd("10"), InvoiceState::Open));
    assert_eq!(names(&events), ["payment.succeeded", "invoice.updated"]);
}

/// I3: an invoice is paid once the payments that succeeded add up to its amount.
#[test]
fn the_last_payment_pays_the_invoice() {
    let scene = billed().paid_and_pending("60", "40").with_payment("40", PaymentState::Pending);
    let outcome = charged();
    let Decision { changes, events } = settle_payment(&scene.0, &outcome, now()).unwrap().unwrap();
    let change = changes.invoice.unwrap();
    assert_eq!((change.paid, change.pending, change.state), (usd("100"), usd("0"), InvoiceState::Paid { at: now() }));
    assert_eq!(names(&events), ["payment.succeeded", "invoice.paid"]);
}

/// Rule 5.4: a declined payment is stored as failed and releases the amount that it had reserved.
#[test]
fn a_declined_payment_is_kept_as_failed() {
    let scene = billed().paid_and_pending("10", "40").agreed().with_payment("40", PaymentState::Pending);
    let outcome = declined("insufficient_funds");
    let Decision { changes, events } = settle_payment(&scene.0, &outcome, now()).unwrap().unwrap();
    let payment = changes.payment.unwrap();
    assert_eq!((payment.state.failure_code(), payment.gateway_reference.as_deref()), (Some("insufficient_funds"), Some("ch_2")));
    let change = changes.invoice.unwrap();
    assert_eq!((change.paid, change.pending, change.state), (usd("10"), usd("0"), InvoiceState::Open));
    assert_eq!((changes.state, names(&events)), (None, vec!["payment.failed"]));
}

/// Rule 5.5: a payment is settled once, whatever the gateway reports the second time.
#[test]
fn settling_twice_changes_nothing() {
    let outcomes = [charged(), declined("card_declined")];
    for first in &outcomes {
        let mut scene = billed().paid_and_pending("0", "100").agreed().with_payment("100", PaymentState::Pending);
        let changes = settle_payment(&scene.0, first, now()).unwrap().unwrap();
        scene.0.apply(&changes, NewIds::default());
        for second in &outcomes {
            assert_eq!(settle_payment(&scene.0, second, at(5)).unwrap(), None);
        }
    }
}

/// A snapshot with missing parts or wrong sums is an internal error and changes nothing.
#[test]
fn a_snapshot_that_does_not_add_up_is_an_internal_error() {
    let outcome = charged();
    let nothing_reserved = billed().with_payment("40", PaymentState::Pending);
    assert_eq!(code(settle_payment(&billed().0, &outcome, now())), "internal_error");
    assert_eq!(code(settle_payment(&nothing_reserved.0, &outcome, now())), "internal_error");
}
