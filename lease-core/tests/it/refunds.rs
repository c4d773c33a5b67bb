//! Refunds (rule 5.7, I8).

use lease_core::Error;
use lease_core::decision::Decision;
use lease_core::gateway::RefundOutcome;
use lease_core::id::{NewIds, RefundId};
use lease_core::invoicing::{RefundDraft, begin_refund, settle_refund};
use lease_core::lifecycle::TradeChanges;
use lease_core::model::{InvoiceState, PaymentState, RefundReason, RefundState};
use lease_core::permission::Actor;
use serde_json::{Value, json};
use strum::VariantArray as _;

use crate::support::*;

fn begin_as(actor: &Actor, scene: &Scene, json: Value) -> Result<Decision<TradeChanges>, Error> {
    begin_refund(&scene.0, actor, &draft::<RefundDraft>(with(json!({"reason": "other"}), json)), refund_key(), now())
}

fn begin(scene: &Scene, json: Value) -> Result<Decision<TradeChanges>, Error> {
    begin_as(&staff(), scene, json)
}

fn given_back() -> RefundOutcome {
    RefundOutcome::Succeeded { reference: "re_1".into() }
}

fn refused() -> RefundOutcome {
    RefundOutcome::Failed { failure_code: "expired_or_canceled_card".into(), reference: Some("re_1".into()) }
}

fn settle(scene: &Scene, outcome: &RefundOutcome) -> Option<Decision<TradeChanges>> {
    settle_refund(&scene.0, outcome, now()).unwrap()
}

/// A payment of 100.00, of which nothing was refunded.
fn paid() -> Scene {
    Scene::lease().with_refunded("0", "0")
}

/// Rule 5.7: the amount is reserved before any money goes back, and the invoice stays as it is.
#[test]
fn a_refund_begins_pending_and_reserves_its_amount() {
    let json = json!({"amount": "30.00", "reason": "duplicate", "note": " Paid twice.\n"});
    let Decision { changes, events } = begin(&Scene::lease().with_refunded("10", "20"), json).unwrap();
    let refund = changes.new_refund.unwrap();
    assert_eq!((refund.payment_id, refund.invoice_id, refund.customer_id), (id(1), id(1), id(OWNER)));
    assert_eq!((refund.amount, refund.reason, &*refund.note), (usd("30"), RefundReason::Duplicate, "Paid twice."));
    assert_eq!((refund.state, refund.refund_key, refund.gateway_reference), (RefundState::Pending, refund_key(), None));
    assert_eq!(refund.created_at, now());
    let change = changes.payment.unwrap();
    assert_eq!((change.id, change.refunded, change.refunding), (id(1), usd("10"), usd("50")));
    assert_eq!((change.state, change.gateway_reference.as_deref()), (PaymentState::Succeeded { at: at(-1) }, Some("ch_1")));
    assert_eq!((changes.invoice, changes.state, names(&events)), (None, None, vec!["refund.begun"]));
}

/// Rule 5.7: without an amount, everything is refunded that was not refunded yet, by refunds under way included.
#[test]
fn the_amount_of_a_refund_defaults_to_all_that_is_left() {
    for (refunded, refunding, left) in [("0", "0", "100"), ("30", "0", "70"), ("30", "50", "20"), ("0", "99.99", "0.01")] {
        let scene = Scene::lease().with_refunded(refunded, refunding);
        for json in [json!({}), json!({"amount": left}), json!({"amount": left, "currency": "USD"})] {
            assert_eq!(begin(&scene, json).unwrap().changes.new_refund.unwrap().amount, usd(left));
        }
    }
}

/// Rules 5.7, 6.6, chapter 1: the amount is above zero, exact, and no more than is left; the reason is one of those that there
/// are; all wrong fields are named at once.
#[test]
fn the_fields_of_a_refund_are_checked() {
    for amount in [json!(0), json!(-5), json!(null), json!("0.001"), json!("100.01"), json!("x")] {
        assert_eq!(wrong_fields(begin(&paid(), json!({"amount": amount}))), ["amount"], "{amount}");
    }
    let half = Scene::lease().with_refunded("30", "20");
    assert_eq!(wrong_fields(begin(&half, json!({"amount": "50.01"}))), ["amount"]);
    assert_eq!(code(begin(&half, json!({"amount": "50"}))), "ok");
    for reason in [json!(null), json!(""), json!("because"), json!(5)] {
        assert_eq!(wrong_fields(begin(&paid(), json!({"reason": reason}))), ["reason"], "{reason}");
    }
    for reason in RefundReason::VARIANTS {
        let refund = begin(&paid(), json!({"reason": reason.to_string()})).unwrap().changes.new_refund.unwrap();
        assert_eq!((refund.reason, refund.note), (*reason, String::new()));
    }
    for currency in [json!("EUR"), json!(840)] {
        assert_eq!(wrong_fields(begin(&paid(), json!({"currency": currency}))), ["currency"], "{currency}");
        assert_eq!(wrong_fields(begin(&paid(), json!({"amount": "1", "currency": currency}))), ["currency"], "{currency}");
    }
    let all = json!({"amount": "100.01", "currency": "EUR", "reason": "because", "note": "\u{7}"});
    assert_eq!(wrong_fields(begin(&paid(), all)), ["amount", "currency", "note", "reason"]);
}

/// Rule 5.7: only a payment that succeeded is refunded, and only what is left of it. The fields are checked before the state.
#[test]
fn a_payment_that_did_not_succeed_or_was_refunded_is_not_refunded() {
    let states = [
        PaymentState::Pending,
        PaymentState::RequiresAction(next_action()),
        PaymentState::Failed { at: at(-1), failure_code: "card_declined".into() },
        PaymentState::Cancelled { at: at(-1) },
    ];
    for state in states {
        let scene = Scene::lease().billed_to(OWNER).with_payment("100", state);
        assert_eq!(code(begin(&scene, json!({}))), "payment_not_refundable");
        assert_eq!(wrong_fields(begin(&scene, json!({"amount": "100.01"}))), ["amount"]);
    }
    for (refunded, refunding) in [("100", "0"), ("0", "100"), ("40", "60")] {
        let scene = Scene::lease().with_refunded(refunded, refunding);
        for json in [json!({}), json!({"amount": "0.01"}), json!({"amount": "100"})] {
            assert_eq!(code(begin(&scene, json)), "payment_refunded");
        }
        assert_eq!(wrong_fields(begin(&scene, json!({"amount": "100.01"}))), ["amount"]);
        assert_eq!(wrong_fields(begin(&scene, json!({"reason": ""}))), ["reason"]);
    }
    assert_eq!(code(begin(&Scene::lease(), json!({}))), "not_found");
}

/// Rule 5.7, chapter 2: staff refund; customers do not, and do not learn of the payments of others.
#[test]
fn only_staff_refund() {
    for (actor, expected) in [
        (staff(), "ok"),
        (superuser(), "ok"),
        (customer(OWNER), "permission_denied"),
        (customer(BUYER), "not_found"),
        (Actor::Anonymous, "not_authenticated"),
        (Actor::Gateway, "permission_denied"),
    ] {
        assert_eq!(code(begin_as(&actor, &paid(), json!({}))), expected, "{actor:?}");
    }
}

/// Rules 5.7, 4.7, I8: a refund that succeeded counts as refunded of the payment and of its invoice, which stays paid.
#[test]
fn a_refund_that_succeeded_counts_as_refunded() {
    let mut scene = Scene::lease().with_refund("10", "30", RefundState::Pending).completed();
    let Decision { changes, events } = settle(&scene, &given_back()).unwrap();
    assert_eq!(names(&events), ["refund.succeeded", "invoice.updated"]);
    assert_eq!((changes.state.clone(), changes.transfer), (None, None));
    scene.0.apply(&changes, NewIds::default());
    let refund = scene.0.refund.clone().unwrap();
    assert_eq!((refund.state.clone(), refund.gateway_reference.as_deref()), (RefundState::Succeeded { at: now() }, Some("re_1")));
    assert_eq!((refund.state.settled_at(), refund.state.failure_code()), (Some(now()), None));
    let (payment, _) = scene.0.payment.clone().unwrap();
    assert_eq!((payment.refunded, payment.refunding, payment.refundable().unwrap()), (usd("40"), usd("0"), usd("60")));
    assert_eq!(
        (payment.state.clone(), payment.gateway_reference.as_deref()),
        (PaymentState::Succeeded { at: at(-1) }, Some("ch_1"))
    );
    let invoice = scene.invoice();
    assert_eq!((invoice.refunded, invoice.paid), (usd("40"), usd("100")));
    assert_eq!((&invoice.state, invoice.due().unwrap()), (&InvoiceState::Paid { at: at(-1) }, usd("0")));
}

/// Rule 5.7: a refund that the gateway refuses is kept as failed, and its amount may be refunded again.
#[test]
fn a_refund_that_failed_frees_its_amount() {
    let mut scene = Scene::lease().with_refund("70", "30", RefundState::Pending);
    assert_eq!(code(begin(&scene, json!({}))), "payment_refunded", "while it is under way");
    let Decision { changes, events } = settle(&scene, &refused()).unwrap();
    assert_eq!((names(&events), &changes.invoice), (vec!["refund.failed"], &None));
    scene.0.apply(&changes, NewIds::default());
    let refund = scene.0.refund.clone().unwrap();
    assert_eq!((refund.state.failure_code(), refund.state.settled_at()), (Some("expired_or_canceled_card"), Some(now())));
    let (payment, _) = scene.0.payment.clone().unwrap();
    assert_eq!((payment.refunded, payment.refunding), (usd("70"), usd("0")));
    assert_eq!(begin(&scene, json!({})).unwrap().changes.new_refund.unwrap().amount, usd("30"));
}

/// Rule 5.7: a refund is settled once, whatever the gateway says the second time; while it does not know, nothing changes.
#[test]
fn settling_a_refund_twice_changes_nothing() {
    let pending = RefundOutcome::Pending { reference: "re_1".into() };
    let mut scene = Scene::lease().with_refund("0", "30", RefundState::Pending);
    let kept = settle(&scene, &pending).unwrap();
    assert_eq!(
        kept.refund.as_ref().unwrap().gateway_reference.as_deref(),
        Some("re_1"),
        "a reference is kept as soon as it is known"
    );
    assert_eq!((&kept.payment, &kept.invoice), (&None, &None));
    scene.0.apply(&kept, NewIds::default());
    assert_eq!(settle(&scene, &pending), None);
    for first in [given_back(), refused()] {
        let mut scene = Scene::lease().with_refund("0", "30", RefundState::Pending);
        scene.0.apply(&settle(&scene, &first).unwrap(), NewIds::default());
        for second in [given_back(), refused(), pending.clone()] {
            assert_eq!(settle(&scene, &second), None, "{second:?} after {first:?}");
        }
    }
}

/// I8: two refunds that are begun one after the other reserve both amounts, and no third one goes beyond the payment.
#[test]
fn refunds_never_exceed_their_payment() {
    let mut scene = paid();
    for (amount, expected) in [("60", "ok"), ("60", "validation_error"), ("40", "ok"), ("0.01", "payment_refunded")] {
        let begun = begin(&scene, json!({"amount": amount}));
        if let Ok(decision) = &begun {
            scene.0.apply(decision, NewIds { refund: Some(id(1)), ..NewIds::default() });
        }
        assert_eq!(code(begun), expected, "{amount}");
    }
}

/// A snapshot with missing parts or wrong sums is an internal error and changes nothing.
#[test]
fn a_refund_without_its_payment_is_an_internal_error() {
    let nothing_reserved = {
        let mut scene = Scene::lease().with_refund("0", "30", RefundState::Pending);
        scene.0.payment.as_mut().unwrap().0.value.refunding = usd("0");
        scene
    };
    for scene in [paid(), nothing_reserved] {
        assert_eq!(code(settle_refund(&scene.0, &given_back(), now())), "internal_error");
    }
}

/// Rule 5.7: the number of a credit note is `CN-` and the id with at least eight digits.
#[test]
fn a_credit_note_has_the_number_of_its_refund() {
    let number = |number| id::<RefundId>(number).credit_note_number();
    assert_eq!((&*number(7), &*number(123_456_789)), ("CN-00000007", "CN-123456789"));
}
