//! Payments that wait for their payers (rule 5.5, I3).

use chrono::Duration;
use lease_core::gateway::ChargeOutcome;
use lease_core::id::NewIds;
use lease_core::invoicing::{
    VoidDraft, WriteOffDraft, cancel_payment, give_up_payment, has_waited_too_long, require_cancellable, require_waiting,
    settle_payment, void, write_off,
};
use lease_core::lifecycle::{AvailableAction, TradeMove, payment_actions};
use lease_core::model::{InvoiceState, Payment, PaymentState, PaymentStatus};
use lease_core::permission::Actor;
use lease_core::policy::Policy;
use serde_json::json;
use strum::VariantArray as _;

use crate::support::*;

fn waits() -> PaymentState {
    PaymentState::RequiresAction(next_action())
}

/// A payment of the owner's in each state.
fn in_each_state() -> Vec<Payment> {
    let states = [
        PaymentState::Pending,
        waits(),
        PaymentState::Succeeded { at: at(-1) },
        PaymentState::Failed { at: at(-1), failure_code: "card_declined".into() },
        PaymentState::Cancelled { at: at(-1) },
    ];
    let payments: Vec<_> = states.into_iter().map(|state| Payment { state, ..payment(OWNER, "40") }).collect();
    let seen: Vec<_> = payments.iter().map(|payment| PaymentStatus::from(&payment.state)).collect();
    assert_eq!(seen, PaymentStatus::VARIANTS);
    payments
}

fn pending_outcome() -> ChargeOutcome {
    ChargeOutcome::Pending { reference: "ch_1".into() }
}

/// A billed owner whose payment of 40.00 is in this state.
fn paying(state: PaymentState) -> Scene {
    let pending = if state.is_under_way() { "40" } else { "0" };
    Scene::lease().billed_to(OWNER).paid_and_pending("0", pending).with_card(card(OWNER)).with_payment("40", state)
}

/// Rule 5.5: what the gateway says of a charge is recorded once: nothing new of a settled payment, and nothing new where it still
/// waits or is still not known.
#[test]
fn each_outcome_of_a_charge_is_recorded_from_each_state() {
    let outcomes = [charged(), declined("card_declined"), asks_payer(), pending_outcome(), given_up()];
    let events = ["payment.succeeded", "payment.failed", "payment.requires_action", "", "payment.cancelled"];
    for state in in_each_state().into_iter().map(|payment| payment.state) {
        for (outcome, event) in outcomes.iter().zip(events) {
            let scene = paying(state.clone());
            let settled = settle_payment(&scene.0, outcome, now()).unwrap();
            let is_new = match state {
                PaymentState::Pending => true,
                PaymentState::RequiresAction(_) => !["", "payment.requires_action"].contains(&event),
                _ => false,
            };
            // A reference alone is kept without an event.
            let recorded = settled.map(|decision| names(&decision.events).first().copied().unwrap_or_default());
            assert_eq!(recorded, is_new.then_some(event), "{outcome:?} of {state:?}");
        }
    }
}

/// Rule 5.5, I3: while the payer must act, the amount stays reserved, and the gateway's reference is kept.
#[test]
fn a_payment_that_waits_for_its_payer_keeps_its_amount_reserved() {
    let mut scene = paying(PaymentState::Pending);
    let decision = settle_payment(&scene.0, &asks_payer(), now()).unwrap().unwrap();
    assert_eq!((decision.invoice.is_none(), decision.state.is_none()), (true, true), "the invoice stays as it is");
    assert_eq!(names(&decision.events), ["payment.requires_action"]);
    scene.0.apply(&decision, NewIds::default());
    let (payment, _) = scene.0.payment.clone().unwrap();
    assert_eq!((payment.state.next_action(), payment.state.settled_at()), (Some(&next_action()), None));
    assert_eq!((payment.gateway_reference.as_deref(), payment.state.is_under_way()), (Some("ch_1"), true));
    assert_eq!(scene.invoice().pending, usd("40"));

    // Wherever a rule speaks of pending payments, it is one.
    assert_eq!(code(scene.pay(&customer(OWNER), &json!("60.01"))), "validation_error");
    assert_eq!(code(scene.pay(&customer(OWNER), &json!("60"))), "ok");
    assert_eq!(code(void(&scene.0, &staff(), &VoidDraft { reason: "A mistake.".into() }, now())), "invoice_has_payments");
    let hopeless = WriteOffDraft { reason: "Hopeless.".into() };
    assert_eq!(code(write_off(&scene.0, &staff(), &hopeless, now())), "payment_pending");
}

/// Rule 5.5: what the payer does settles the payment; a payment that the gateway has given up releases its amount.
#[test]
fn a_payment_that_waited_is_settled_by_what_came_of_it() {
    for (outcome, status, paid) in [
        (charged(), PaymentStatus::Succeeded, "40"),
        (declined("card_declined"), PaymentStatus::Failed, "0"),
        (given_up(), PaymentStatus::Cancelled, "0"),
    ] {
        let mut scene = paying(waits());
        let changes = settle_payment(&scene.0, &outcome, now()).unwrap().unwrap().changes;
        scene.0.apply(&changes, NewIds::default());
        let (payment, _) = scene.0.payment.clone().unwrap();
        assert_eq!((PaymentStatus::from(&payment.state), payment.state.settled_at()), (status, Some(now())));
        assert_eq!((scene.invoice().paid, scene.invoice().pending), (usd(paid), usd("0")));
        for late in [charged(), declined("expired_card"), asks_payer(), given_up()] {
            assert_eq!(settle_payment(&scene.0, &late, at(5)).unwrap(), None, "a payment is settled once");
        }
    }
}

/// Rules 4.7, 5.5: a payment that waited completes an agreed trade like any other.
#[test]
fn a_payer_who_acts_completes_an_agreed_trade() {
    let scene = Scene::lease().billed_to(OWNER).agreed().paid_and_pending("60", "40").with_payment("40", waits());
    let decision = settle_payment(&scene.0, &charged(), now()).unwrap().unwrap();
    assert_eq!(decision.invoice.as_ref().unwrap().state, InvoiceState::Paid { at: now() });
    assert_eq!(decision.state, Some(TradeMove::Complete(agreement(), now())));
    assert_eq!(names(&decision.events), ["payment.succeeded", "invoice.paid", "trade.completed"]);
}

/// Rule 5.5, chapter 2: the payer and staff cancel a payment that waits; one whose outcome is not known, or is, cannot be
/// cancelled.
#[test]
fn a_payment_that_waits_is_cancelled_by_its_payer_or_staff() {
    let answers = ["payment_pending", "ok", "payment_settled", "payment_settled", "payment_settled"];
    for (payment, answer) in in_each_state().iter().zip(answers) {
        assert_eq!(code(require_waiting(payment).map_err(lease_core::Error::from)), answer, "{payment:?}");
        for (actor, expected) in [
            (customer(OWNER), answer),
            (staff(), answer),
            (superuser(), answer),
            (customer(BUYER), "not_found"),
            (Actor::Anonymous, "not_authenticated"),
        ] {
            assert_eq!(code(require_cancellable(payment, &actor)), expected, "{actor:?} {payment:?}");
        }
    }
}

/// Rule 5.5: who gives a payment up may say why, and the event says it; but not if the payer was quicker.
#[test]
fn the_reason_for_giving_a_payment_up_is_in_its_event() {
    let scene = paying(waits());
    let payment = &scene.0.payment.as_ref().unwrap().0;
    let reason = |json| cancel_payment(payment, &staff(), &draft(json));
    assert_eq!(reason(json!({})).unwrap(), "");
    assert_eq!(reason(json!({"reason": " Pays in cash. "})).unwrap(), "Pays in cash.");
    assert_eq!(wrong_fields(reason(json!({"reason": "\u{7}"}))), ["reason"]);
    for (outcome, reason, told) in
        [(given_up(), "Pays in cash.", Some("Pays in cash.")), (given_up(), "", None), (charged(), "Pays in cash.", None)]
    {
        let decision = give_up_payment(&scene.0, &outcome, reason, now()).unwrap().unwrap();
        let said: Vec<_> = decision.events.iter().filter_map(|event| event.data.known.get("reason")?.as_str()).collect();
        assert_eq!(said, Vec::from_iter(told), "{outcome:?} {reason}");
    }
}

/// Rule 5.5: a payment is given up once it has waited for as long as the policy allows.
#[test]
fn a_payment_waits_as_long_as_the_policy_allows() {
    let policy = Policy::default();
    assert_eq!(policy.payment_action, Duration::hours(1));
    for payment in in_each_state() {
        let (waits, stored) = (matches!(payment.state, PaymentState::RequiresAction(_)), stored(1, payment));
        let hour = stored.created_at + Duration::hours(1);
        assert!(!has_waited_too_long(&stored, &policy, hour - tick()), "{stored:?}");
        assert_eq!(has_waited_too_long(&stored, &policy, hour), waits, "{stored:?}");
        let short = policy.clone().with_payment_action(Duration::minutes(1));
        assert_eq!(has_waited_too_long(&stored, &short, hour), waits, "{stored:?}");
        assert!(!has_waited_too_long(&stored, &short, stored.created_at + Duration::seconds(59)), "{stored:?}");
    }
}

/// Rules 5.5, 5.7: what may be done with a payment follows from the decisions.
#[test]
fn the_actions_on_a_payment_are_those_that_its_state_allows() {
    use AvailableAction::{Cancel, Refund};
    let [pending, waiting, succeeded, failed, cancelled] = in_each_state().try_into().unwrap();
    let refunded = Payment { refunded: usd("10"), refunding: usd("30"), ..succeeded.clone() };
    let part = Payment { refunding: usd("30"), ..succeeded.clone() };
    let cases = [
        (&pending, &[][..], &[][..]),
        (&waiting, &[Cancel], &[Cancel]),
        (&succeeded, &[], &[Refund]),
        (&part, &[], &[Refund]),
        (&refunded, &[], &[]),
        (&failed, &[], &[]),
        (&cancelled, &[], &[]),
    ];
    for (payment, payer, clerk) in cases {
        assert_eq!(payment_actions(payment, &customer(OWNER)), payer, "{payment:?}");
        for actor in [staff(), superuser()] {
            assert_eq!(payment_actions(payment, &actor), clerk, "{payment:?}");
        }
        for actor in [customer(BUYER), Actor::Anonymous, Actor::Gateway] {
            assert_eq!(payment_actions(payment, &actor), [], "{payment:?}");
        }
    }
}

/// Rule 5.5: the secret with which a payer acts can be taken out, and nothing else changes.
#[test]
fn a_payment_is_shown_without_the_secret_of_its_payer() {
    for payment in in_each_state() {
        let mut expected = payment.clone();
        if let PaymentState::RequiresAction(action) = &mut expected.state {
            action.url = None;
            action.client_secret = None;
        }
        assert_eq!(payment.without_secret(), expected);
    }
}
