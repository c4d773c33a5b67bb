//! Invoices: due dates (rules 5.1, 5.2), reading and voiding (rule 5.3), completion by either event (rules 4.7, 4.8).

use lease_core::decision::Decision;
use lease_core::invoicing::{DueDateDraft, ServiceFee, VoidDraft, WriteOffDraft, move_due_date, settle_payment, void, write_off};
use lease_core::lifecycle::{TradeChanges, TradeMove, accept};
use lease_core::model::{Agreement, BillTo, InvoiceOn, InvoiceState, PaymentState, VehicleTransfer};
use lease_core::permission::Actor;
use serde_json::{Value, json};

use crate::support::*;

fn dropped(scene: &Scene, actor: &Actor, json: Value) -> Result<Decision<TradeChanges>, lease_core::Error> {
    void(&scene.0, actor, &draft::<VoidDraft>(json), now())
}

fn why() -> Value {
    json!({"reason": " A mistake.\n"})
}

/// Rules 5.1, 5.2: the due date is the issue date in UTC plus the days, also on leap days, at the end of months and of the
/// calendar.
#[test]
fn the_due_date_is_the_issue_date_and_the_days() {
    let cases = [
        ("2026-03-02", 14, "2026-03-16"),
        ("2026-03-02", 0, "2026-03-02"),
        ("2028-02-28", 1, "2028-02-29"),
        ("2027-02-28", 1, "2027-03-01"),
        ("2026-01-31", 30, "2026-03-02"),
        ("2027-03-01", 365, "2028-02-29"),
        ("9999-12-31", 365, "9999-12-31"),
        ("9999-12-20", 14, "9999-12-31"),
    ];
    for (issued, days, due) in cases {
        let mut service = service(lease_core::model::ServiceKind::Lease);
        service.payment_due_days = days;
        assert_eq!(service.due_date(date(issued)), date(due), "{issued} + {days}");
    }
}

/// Rule 5.2: a day is a day in UTC, up to its last microsecond.
#[test]
fn an_invoice_issued_just_before_midnight_counts_from_that_day() {
    for (text, due) in [("2026-03-02T23:59:59.999999Z", "2026-03-16"), ("2026-03-03T00:00:00Z", "2026-03-17")] {
        let scene = Scene::sale().proposed_by(OWNER);
        let invoice = accept(&scene.0, &customer(BUYER), &ServiceFee, instant(text)).unwrap().changes.new_invoice.unwrap();
        assert_eq!((invoice.issued_at, invoice.due_date), (instant(text), date(due)));
    }
}

/// Rule 5.3: an invoice is overdue if it is open after its due date; on that day it is not.
#[test]
fn an_invoice_is_overdue_from_the_midnight_after_its_due_date() {
    let open = invoice(OWNER);
    assert!(!open.is_overdue(instant("2026-03-16T23:59:59.999999Z")));
    assert!(open.is_overdue(instant("2026-03-17T00:00:00Z")));
    let scene = Scene::lease().billed_to(OWNER);
    assert!(!scene.clone().paid_and_pending("100", "0").invoice().is_overdue(at(99 * 86_400)));
    assert!(!scene.voided().invoice().is_overdue(at(99 * 86_400)));
}

/// Rule 5.3: the number of an invoice has at least eight digits.
#[test]
fn a_number_has_eight_digits_or_more() {
    let number = |id: i64| lease_core::id::InvoiceId::new(id).unwrap().number();
    assert_eq!([number(1), number(12_345_678), number(123_456_789)], ["INV-00000001", "INV-12345678", "INV-123456789"]);
}

/// Chapter 1: payments that succeeded reduce the amount due; pending ones also reduce the amount that may be paid (rule 5.5).
#[test]
fn the_amounts_due_and_payable_are_consistent() {
    let scene = Scene::lease().billed_to(OWNER).paid_and_pending("30", "50");
    assert_eq!((scene.invoice().due().unwrap(), scene.invoice().payable().unwrap()), (usd("70"), usd("20")));
    assert_eq!(Scene::lease().billed_to(OWNER).voided().invoice().due().unwrap(), usd("0"));
    let broken = Scene::lease().billed_to(OWNER).paid_and_pending("90", "50");
    assert!(broken.invoice().payable().is_err(), "never below zero");
}

/// Rule 5.3: staff void an open invoice.
#[test]
fn staff_void_an_open_invoice() {
    for actor in [staff(), superuser()] {
        let Decision { changes, events } = dropped(&Scene::lease().billed_to(OWNER), &actor, why()).unwrap();
        let change = changes.invoice.unwrap();
        assert_eq!(change.state, InvoiceState::Void { at: now(), reason: "A mistake.".into() });
        assert_eq!((change.id, change.paid, change.pending), (id(1), usd("0"), usd("0")));
        assert_eq!(changes.state, None);
        assert_eq!(names(&events), ["invoice.voided"]);
    }
}

/// Rule 5.3, chapter 2: customers void no invoice.
#[test]
fn customers_void_no_invoice() {
    let scene = Scene::lease().billed_to(OWNER);
    assert_eq!(code(dropped(&scene, &customer(OWNER), why())), "permission_denied");
    assert_eq!(code(dropped(&scene, &customer(BUYER), why())), "not_found");
    assert_eq!(code(dropped(&scene, &Actor::Anonymous, why())), "not_authenticated");
    assert_eq!(code(dropped(&Scene::lease(), &staff(), why())), "not_found");
}

/// Rule 5.3: the reason is checked before the state.
#[test]
fn voiding_requires_a_reason_that_is_not_blank() {
    for reason in
        [json!({}), json!({"reason": null}), json!({"reason": " \n "}), json!({"reason": 5}), json!({"reason": "\u{7}"})]
    {
        let scene = Scene::lease().billed_to(OWNER).voided();
        assert_eq!(wrong_fields(dropped(&scene, &staff(), reason)), ["reason"]);
    }
}

/// Rule 5.3: an invoice that is paid, void or has payments cannot be voided.
#[test]
fn an_invoice_that_is_paid_void_or_has_payments_is_not_voided() {
    let scene = Scene::lease().billed_to(OWNER);
    let cases = [
        (scene.clone().paid_and_pending("100", "0"), "invoice_not_open"),
        (scene.clone().voided(), "invoice_not_open"),
        (scene.clone().paid_and_pending("0.01", "0"), "invoice_has_payments"),
        (scene.clone().paid_and_pending("0", "0.01"), "invoice_has_payments"),
        // A failed payment moved no money.
        (scene.with_payment("10", PaymentState::Failed { at: now(), failure_code: "no".into() }), "ok"),
    ];
    for (scene, expected) in cases {
        assert_eq!(code(dropped(&scene, &staff(), why())), expected, "{scene:?}");
    }
}

fn written_off(scene: &Scene, actor: &Actor, json: Value) -> Result<Decision<TradeChanges>, lease_core::Error> {
    write_off(&scene.0, actor, &draft::<WriteOffDraft>(json), now())
}

/// Rule 5.3: staff write an open invoice off, part-paid or not. What was paid stays paid, and nothing is due any more.
#[test]
fn staff_write_an_open_invoice_off() {
    for actor in [staff(), superuser()] {
        for paid in ["0", "99.99"] {
            let scene = Scene::lease().billed_to(OWNER).paid_and_pending(paid, "0");
            let Decision { changes, events } = written_off(&scene, &actor, why()).unwrap();
            let change = changes.invoice.unwrap();
            assert_eq!(change.state, InvoiceState::WrittenOff { at: now(), reason: "A mistake.".into() });
            assert_eq!((change.paid, change.pending, changes.state), (usd(paid), usd("0"), None));
            assert_eq!(names(&events), ["invoice.written_off"]);
            assert_eq!(events[0].data.known["reason"], "A mistake.");

            let mut after = scene.invoice().value.clone();
            change.apply(&mut after);
            assert_eq!((after.due().unwrap(), after.is_overdue(at(99 * 86_400))), (usd("0"), false));
        }
    }
}

/// Rule 5.3, chapter 2: customers write no invoice off, and a reason is required before the state is looked at.
#[test]
fn writing_off_is_for_staff_and_requires_a_reason() {
    let scene = Scene::lease().billed_to(OWNER);
    assert_eq!(code(written_off(&scene, &customer(OWNER), why())), "permission_denied");
    assert_eq!(code(written_off(&scene, &customer(BUYER), why())), "not_found");
    assert_eq!(code(written_off(&scene, &Actor::Anonymous, why())), "not_authenticated");
    for reason in [json!({}), json!({"reason": null}), json!({"reason": " \n "})] {
        assert_eq!(wrong_fields(written_off(&scene.clone().voided(), &staff(), reason)), ["reason"]);
    }
}

/// Rule 5.3: an invoice that is not open, or has a payment under way, is not written off; nor is one that is written off voided
/// or paid.
#[test]
fn an_invoice_that_is_settled_or_being_paid_is_not_written_off() {
    let scene = Scene::lease().billed_to(OWNER);
    let cases = [
        (scene.clone().paid_and_pending("100", "0"), "invoice_not_open"),
        (scene.clone().voided(), "invoice_not_open"),
        (scene.clone().written_off(), "invoice_not_open"),
        (scene.clone().paid_and_pending("10", "0.01"), "payment_pending"),
        (scene.clone().paid_and_pending("0", "100"), "payment_pending"),
    ];
    for (scene, expected) in cases {
        assert_eq!(code(written_off(&scene, &staff(), why())), expected, "{scene:?}");
    }
    let gone = scene.written_off().with_card(card(OWNER));
    assert_eq!(code(dropped(&gone, &staff(), why())), "invoice_not_open");
    assert_eq!(code(gone.pay(&customer(OWNER), &json!("1"))), "invoice_not_open");
}

/// Rule 4.7: an invoice that is written off counts as settled: the agreed trade completes, and a sold vehicle changes hands.
#[test]
fn writing_the_invoice_of_an_agreed_trade_off_completes_it() {
    let lease = written_off(&Scene::lease().billed_to(OWNER).agreed(), &staff(), why()).unwrap();
    assert_eq!(lease.state, Some(TradeMove::Complete(agreement(), now())));
    assert_eq!((lease.transfer, names(&lease.events)), (None, vec!["invoice.written_off", "trade.completed"]));
    let sale = written_off(&Scene::sale().billed_to(OWNER).agreed(), &staff(), why()).unwrap();
    assert_eq!(sale.transfer, Some(VehicleTransfer { vehicle_id: id(1), from: id(OWNER), to: id(BUYER) }));
    for scene in [Scene::sale().billed_to(OWNER), Scene::sale().billed_to(OWNER).rescinded()] {
        let changes = written_off(&scene, &staff(), why()).unwrap();
        assert_eq!((changes.state.clone(), changes.transfer), (None, None));
    }
}

/// Rule 5.3: staff move the due date of an open invoice, at the earliest to the day of issue.
#[test]
fn staff_move_the_due_date_of_an_open_invoice() {
    let scene = Scene::lease().billed_to(OWNER);
    let moved = |scene: &Scene, actor: &Actor, json| move_due_date(&scene.0, actor, &draft::<DueDateDraft>(json), now());
    for due in ["2026-03-02", "2026-03-15", "9999-12-31"] {
        let Decision { changes, events } = moved(&scene, &staff(), json!({"due_date": due})).unwrap();
        let change = changes.invoice.unwrap();
        assert_eq!((change.due_date, change.state, change.paid), (date(due), InvoiceState::Open, usd("0")));
        assert_eq!(names(&events), ["invoice.updated"]);
        assert_eq!(events[0].changes.known, *json!({"due_date": {"from": "2026-03-16", "to": due}}).as_object().unwrap());
    }
    let why = json!({"due_date": "2026-04-01", "reason": " The bank was closed. "});
    let told = moved(&scene, &staff(), why).unwrap().events;
    assert_eq!(told[0].data.known["reason"], "The bank was closed.");
    for same in [json!({"due_date": "2026-03-16"}), json!({}), json!({"amount": 1}), json!({"reason": "Why not"})] {
        assert_eq!(moved(&scene, &staff(), same).unwrap().events, [], "nothing changed");
    }
    for wrong in ["2026-03-01", "2026-02-30", "soon"] {
        assert_eq!(wrong_fields(moved(&scene, &staff(), json!({"due_date": wrong}))), ["due_date"]);
    }
    assert_eq!(wrong_fields(moved(&scene.clone().voided(), &staff(), json!({"due_date": null}))), ["due_date"]);
    assert_eq!(wrong_fields(moved(&scene, &staff(), json!({"due_date": "2026-04-01", "reason": "\u{7}"}))), ["reason"]);
    let cases = [
        (scene.clone(), customer(OWNER), "permission_denied"),
        (scene.clone(), customer(BUYER), "not_found"),
        (scene.clone(), Actor::Anonymous, "not_authenticated"),
        (scene.clone().paid_and_pending("100", "0"), staff(), "invoice_not_open"),
        (scene.clone().voided(), staff(), "invoice_not_open"),
        (scene.clone().written_off(), staff(), "invoice_not_open"),
        (scene.paid_and_pending("10", "90").cancelled(), superuser(), "ok"),
    ];
    for (scene, actor, expected) in cases {
        assert_eq!(code(moved(&scene, &actor, json!({"due_date": "2026-04-01"}))), expected, "{actor:?} {scene:?}");
    }
}

/// Rule 8.8: an invoice whose due date is moved into the past falls overdue at that instant, after the move.
#[test]
fn an_invoice_falls_overdue_when_its_due_date_is_moved_into_the_past() {
    let scene = Scene::lease().billed_to(OWNER);
    let later = now() + chrono::Duration::days(5);
    let draft = draft::<DueDateDraft>(json!({"due_date": "2026-03-03"}));
    let Decision { changes, events } = move_due_date(&scene.0, &staff(), &draft, later).unwrap();
    assert_eq!(changes.invoice.unwrap().overdue_at, Some(later));
    assert_eq!(names(&events), ["invoice.updated", "invoice.overdue"]);
    assert_eq!(events[1].occurred_at, Some(later));
    assert_eq!(events[1].changes.known, *json!({"is_overdue": {"from": false, "to": true}}).as_object().unwrap());
}

/// Rule 4.7: if the invoice was paid or voided before, the trade completes when it is agreed.
#[test]
fn a_trade_whose_invoice_is_settled_completes_on_acceptance() {
    let scene = Scene::lease().proposed_by(OWNER).dated(period(1, 9)).billed_to(OWNER);
    let agreement = Agreement { counterparty_id: id(BUYER), proposal_id: id(1), days: Some(period(1, 9)), agreed_at: now() };
    let cases = [
        (scene.clone(), TradeMove::Agree(agreement)),
        (scene.clone().paid_and_pending("99.99", "0"), TradeMove::Agree(agreement)),
        (scene.clone().paid_and_pending("0", "100"), TradeMove::Agree(agreement)),
        (scene.clone().paid_and_pending("100", "0"), TradeMove::Complete(agreement, now())),
        (scene.clone().voided(), TradeMove::Complete(agreement, now())),
        (scene.written_off(), TradeMove::Complete(agreement, now())),
    ];
    for (scene, expected) in cases {
        let changes = accept(&scene.0, &customer(BUYER), &ServiceFee, now()).unwrap();
        assert_eq!(changes.state, Some(expected.clone()));
        assert_eq!(names(&changes.events).contains(&"trade.completed"), matches!(expected, TradeMove::Complete(..)));
        assert_eq!(changes.transfer, None, "a lease hands nothing over");
    }
}

/// Rule 4.7: if the invoice is paid afterwards, the trade completes with the last payment only.
#[test]
fn an_agreed_trade_completes_with_the_last_payment() {
    let scene = Scene::lease().billed_to(OWNER).paid_and_pending("60", "40").agreed();
    let whole = scene.clone().with_payment("40", PaymentState::Pending);
    let changes = settle_payment(&whole.0, &charged(), now()).unwrap().unwrap();
    assert_eq!(changes.state, Some(TradeMove::Complete(agreement(), now())));
    let part = scene.paid_and_pending("50", "40").with_payment("40", PaymentState::Pending);
    let changes = settle_payment(&part.0, &charged(), now()).unwrap().unwrap();
    assert_eq!(changes.state, None);
}

/// Rule 4.7: payment completes neither an open nor a cancelled trade.
#[test]
fn paying_or_voiding_completes_only_an_agreed_trade() {
    let scene = Scene::lease().billed_to(OWNER).paid_and_pending("0", "100").with_payment("100", PaymentState::Pending);
    for scene in [scene.clone(), scene.clone().cancelled(), scene.rescinded()] {
        let changes = settle_payment(&scene.0, &charged(), now()).unwrap().unwrap();
        assert_eq!((changes.state.clone(), changes.transfer), (None, None));
    }
    for scene in [Scene::sale().billed_to(OWNER), Scene::sale().billed_to(OWNER).cancelled()] {
        let changes = dropped(&scene, &staff(), why()).unwrap();
        assert_eq!((changes.state.clone(), changes.transfer), (None, None));
    }
}

/// Rule 4.7: voiding the invoice of an agreed trade completes it.
#[test]
fn voiding_the_invoice_of_an_agreed_trade_completes_it() {
    let changes = dropped(&Scene::lease().billed_to(OWNER).agreed(), &staff(), why()).unwrap();
    assert_eq!(changes.state, Some(TradeMove::Complete(agreement(), now())));
    assert_eq!(names(&changes.events), ["invoice.voided", "trade.completed"]);
}

/// Rule 4.7: the vehicle changes its owner in the same step in which the sale completes, whatever completes it.
#[test]
fn a_completed_sale_hands_the_vehicle_over() {
    let transfer = Some(VehicleTransfer { vehicle_id: id(1), from: id(OWNER), to: id(BUYER) });
    let agreed = Scene::sale().billed_to(OWNER).agreed();
    let paid = agreed.clone().paid_and_pending("0", "100").with_payment("100", PaymentState::Pending);
    assert_eq!(settle_payment(&paid.0, &charged(), now()).unwrap().unwrap().transfer, transfer);
    assert_eq!(dropped(&agreed, &staff(), why()).unwrap().transfer, transfer);
    for (author, accepter) in [(OWNER, BUYER), (BUYER, OWNER)] {
        let free = Scene::sale().fee(usd("0")).proposed_by(author);
        let changes = accept(&free.0, &customer(accepter), &ServiceFee, now()).unwrap();
        assert_eq!(changes.transfer, transfer);
        assert_eq!(names(&changes.events)[2..], ["trade.completed", "vehicle.transferred"]);
    }
}

/// Rules 4.7, 4.9: a custom service transfers no vehicle, whatever its name.
#[test]
fn nothing_but_a_sale_hands_the_vehicle_over() {
    let mut scene = Scene::custom(InvoiceOn::Acceptance, BillTo::Owner).fee(usd("0")).proposed_by(OWNER);
    scene.0.service.value.name = "Sell".into();
    let changes = accept(&scene.0, &customer(BUYER), &ServiceFee, now()).unwrap();
    assert!(matches!(changes.state, Some(TradeMove::Complete(..))));
    assert_eq!(changes.transfer, None);
}

/// Rules 4.8, 5.1: without a fee at the moment of invoicing, there is never an invoice.
#[test]
fn a_trade_without_a_fee_completes_on_acceptance() {
    let passed = Scene::lease().proposed_by(OWNER).dated(period(1, 9));
    for scene in [passed, Scene::custom(InvoiceOn::Acceptance, BillTo::Counterparty).fee(usd("0")).proposed_by(OWNER)] {
        let changes = accept(&scene.0, &customer(BUYER), &ServiceFee, now()).unwrap();
        assert!(matches!(changes.state, Some(TradeMove::Complete(..))), "{:?}", changes.state);
        assert_eq!(changes.new_invoice, None);
    }
}
