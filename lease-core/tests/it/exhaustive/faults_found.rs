//! Each fault is found: each check of a decision is disabled by hiding the data that it reads, and each step that the decisions,
//! the store and the gateway must take is left out.

use lease_core::lifecycle::{InvoiceChange, TradeChanges, TradeMove, TradeSnapshot};
use lease_core::model::{BillTo, InvoiceState, PaymentState, ProposalState, TradeState, VehicleTransfer};
use lease_core::permission::Actor;
use lease_core::policy::LatePayments;

use super::explore::explore;
use super::fault::Fault;
use super::trade_model::TradeModel;
use super::{
    a_billed_lease, a_custom_trade, a_lease, a_lease_that_is_free_at_first, a_lease_whose_payer_must_act, a_leased_vehicle,
    a_paid_lease, a_sale, a_vehicle_without_a_trade,
};
use crate::support::*;

type Case = (&'static str, fn() -> TradeModel, Fault, &'static str);

/// The number of steps after which the search is given up; the longest path to one of these faults is shorter.
const MAX_STEPS: usize = 8;

/// Finds each fault within seconds, by the invariant (or the rule) that it breaks.
fn assert_found(cases: &[Case]) {
    for (what, model, fault, broken) in cases {
        let report = explore(&model().with(*fault), MAX_STEPS);
        let Some(found) = report.broken else { panic!("{what}: nothing found in {} states", report.states) };
        assert!(found.faults.iter().any(|sentence| sentence.starts_with(broken)), "{what}: {found:#?}");
    }
}

#[test]
fn a_store_or_gateway_that_breaks_its_contract_is_found() {
    assert_found(&[
        ("commits do not look at the version", a_sale, Fault::StaleCommits, "I"),
        ("a charge is made again under its key", a_billed_lease, Fault::ForgetfulGateway, "money moved twice"),
        ("a refund is made again under its key", a_paid_lease, Fault::ForgetfulGateway, "money moved twice"),
        ("an unknown charge is taken for declined", a_billed_lease, Fault::HastyRecovery, "charge lost"),
        ("an unknown refund is taken for refused", a_paid_lease, Fault::HastyRecovery, "refund lost"),
        ("a charge that waits is given up here first", a_lease_whose_payer_must_act, Fault::HastyRelease, "charge lost"),
        ("refunds do not look at the version", a_paid_lease, Fault::StaleCommits, "I8"),
    ]);
}

#[test]
fn a_negotiation_without_a_guard_is_found() {
    assert_found(&[
        ("a closed trade takes proposals", a_sale, Fault::Blind(|seen, _| seen.trade.value.state = TradeState::Open), "I5"),
        ("a decided proposal is accepted", a_sale, Fault::Blind(open_and_pending), "I"),
        ("an expired proposal is accepted", a_sale, Fault::Blind(for_ever), "4.5"),
        ("anybody makes the first proposal", a_lease, Fault::Blind(others_see_a_proposal), "4.3"),
        ("an earlier proposal stays pending", a_sale, Fault::Blind(|seen, _| seen.viewer.pending = None), "4.3"),
        ("proposals are not counted", a_sale, Fault::Blind(|seen, _| seen.viewer.proposals_made = 0), "4.3, 4.11"),
        ("other proposals are not closed", a_sale, Fault::Forgetful(|changes| changes.close_others = None), "I5"),
        ("the accepted one is not written", a_sale, Fault::Forgetful(accept_nothing), "I"),
        ("a rescinded one stays accepted", a_sale, Fault::Forgetful(rescind_nothing), "I5"),
        ("agreed days are not looked at", a_leased_vehicle, Fault::Blind(nothing_in_the_way), "I6"),
        (
            "a sold vehicle is not handed over",
            a_vehicle_without_a_trade,
            Fault::Forgetful(|changes| changes.transfer = None),
            "I6",
        ),
        ("a let vehicle is handed over", a_vehicle_without_a_trade, Fault::Forgetful(hand_over), "I6"),
    ]);
}

#[test]
fn an_invoice_without_a_guard_is_found() {
    assert_found(&[
        ("a trade is billed twice", a_lease, Fault::Blind(never_billed), "I1"),
        (
            "a trade is billed after its moment",
            a_lease_that_is_free_at_first,
            Fault::Blind(|seen, _| seen.has_proposals = false),
            "I1",
        ),
        ("a trade is not billed", a_sale, Fault::Forgetful(|changes| changes.new_invoice = None), "I1"),
        ("the other party is billed", a_sale, Fault::Blind(|seen, _| seen.service.value.bill_to = BillTo::Counterparty), "I2"),
        ("the fee is another", a_custom_trade, Fault::Blind(|seen, _| seen.service.value.fee = usd("1")), "I2"),
        ("an invoice with payments is dropped", a_billed_lease, Fault::Blind(staff_see_no_payments), "I3"),
        ("a settled trade is not completed", a_sale, Fault::Forgetful(never_complete), "I6"),
        ("a trade is completed unpaid", a_sale, Fault::Forgetful(complete_at_once), "I6"),
    ]);
}

#[test]
fn a_payment_without_a_guard_is_found() {
    assert_found(&[
        ("pending payments are not taken off", a_billed_lease, Fault::Blind(payers_see_nothing_pending), "I3"),
        ("a payment is not reserved", a_billed_lease, Fault::Forgetful(reserve_nothing), "I3"),
        ("what was paid is not added up", a_billed_lease, Fault::Forgetful(count_nothing), "I3"),
        ("the settled payment is not written", a_billed_lease, Fault::Forgetful(settle_no_payment), "I3"),
        ("another's card pays", a_billed_lease, Fault::Blind(every_card_is_ones_own), "I4"),
        ("another pays", a_billed_lease, Fault::Blind(every_bill_is_ones_own), "I4"),
        ("late payments are taken", a_strict_lease, Fault::Blind(never_due), "5.4"),
    ]);
}

#[test]
fn a_payer_who_must_act_without_a_guard_is_found() {
    assert_found(&[
        ("an amount that waits is not reserved", a_lease_whose_payer_must_act, Fault::Forgetful(release_while_waiting), "I3"),
        ("what was cancelled stays reserved", a_lease_whose_payer_must_act, Fault::Forgetful(release_no_cancelled), "I3"),
        ("what waits is not seen as under way", a_lease_whose_payer_must_act, Fault::Blind(payers_see_nothing_pending), "I3"),
        ("who has paid must act once more", a_lease_whose_payer_must_act, Fault::Blind(nothing_is_settled), "I"),
    ]);
}

#[test]
fn a_refund_without_a_guard_is_found() {
    assert_found(&[
        ("a refund is not reserved", a_paid_lease, Fault::Forgetful(reserve_no_refund), "I8"),
        ("refunds under way are not taken off", a_paid_lease, Fault::Blind(staff_see_no_refund_under_way), "I8"),
        ("what was refunded is not taken off", a_paid_lease, Fault::Blind(staff_see_nothing_refunded), "I8"),
        ("what was refunded is not added up", a_paid_lease, Fault::Forgetful(count_no_refund), "I8"),
        ("the invoice does not say what was refunded", a_paid_lease, Fault::Forgetful(bill_no_refund), "I8"),
        ("the settled refund is not written", a_paid_lease, Fault::Forgetful(|changes| changes.refund = None), "I8"),
        ("what was not paid is refunded", a_lease_that_is_refunded_early, Fault::Blind(staff_see_money), "charge lost"),
    ]);
}

/// Staff may refund while the payment is still under way.
fn a_lease_that_is_refunded_early() -> TradeModel {
    TradeModel { refunds: 1, ..a_billed_lease() }
}

/// Late payments are not accepted.
fn a_strict_lease() -> TradeModel {
    let mut model = a_billed_lease();
    model.world.policy.late_payments = LatePayments::Reject;
    model
}

fn others_see_a_proposal(seen: &mut TradeSnapshot, actor: Actor) {
    seen.has_proposals |= actor.customer() != Some(seen.trade.customer_id);
}

fn accept_nothing(changes: &mut TradeChanges) {
    if matches!(changes.decided, Some((_, ProposalState::Accepted { .. }))) {
        changes.decided = None;
    }
}

fn rescind_nothing(changes: &mut TradeChanges) {
    if matches!(changes.decided, Some((_, ProposalState::Rescinded { .. }))) {
        changes.decided = None;
    }
}

fn open_and_pending(seen: &mut TradeSnapshot, _: Actor) {
    seen.trade.value.state = TradeState::Open;
    if let Some(view) = &mut seen.proposal {
        view.proposal.value.state = ProposalState::Pending;
    }
}

fn for_ever(seen: &mut TradeSnapshot, _: Actor) {
    if let Some(view) = &mut seen.proposal {
        view.proposal.value.expires_at = None;
    }
}

fn nothing_in_the_way(seen: &mut TradeSnapshot, _: Actor) {
    if let Some(view) = &mut seen.proposal {
        view.agreed_period_in_the_way = None;
    }
}

fn hand_over(changes: &mut TradeChanges) {
    if let Some(TradeMove::Complete(agreement, _)) = &changes.state {
        changes.transfer = Some(VehicleTransfer { vehicle_id: id(1), from: id(OWNER), to: agreement.counterparty_id });
    }
}

fn never_billed(seen: &mut TradeSnapshot, _: Actor) {
    (seen.has_proposals, seen.invoice) = (false, None);
}

fn staff_see_no_payments(seen: &mut TradeSnapshot, actor: Actor) {
    if let (Actor::Staff { .. }, Some(invoice)) = (actor, &mut seen.invoice) {
        (invoice.value.paid, invoice.value.pending) = (usd("0"), usd("0"));
    }
}

fn payers_see_nothing_pending(seen: &mut TradeSnapshot, actor: Actor) {
    if let (Actor::Customer { .. }, Some(invoice)) = (actor, &mut seen.invoice) {
        invoice.value.pending = usd("0");
    }
}

fn never_complete(changes: &mut TradeChanges) {
    if let Some(TradeMove::Complete(agreement, _)) = changes.state {
        changes.state = Some(TradeMove::Agree(agreement));
    }
}

fn complete_at_once(changes: &mut TradeChanges) {
    if let Some(TradeMove::Agree(agreement)) = changes.state {
        changes.state = Some(TradeMove::Complete(agreement, agreement.agreed_at));
    }
}

fn reserve_nothing(changes: &mut TradeChanges) {
    if changes.new_payment.is_some() {
        changes.invoice = None;
    }
}

fn count_nothing(changes: &mut TradeChanges) {
    if changes.payment.is_some() {
        changes.invoice = None;
    }
}

fn settle_no_payment(changes: &mut TradeChanges) {
    if changes.invoice.is_some() {
        changes.payment = None;
    }
}

fn release_while_waiting(changes: &mut TradeChanges) {
    let waits = changes.payment.as_ref().filter(|payment| matches!(payment.state, PaymentState::RequiresAction(_)));
    if waits.is_some() {
        changes.invoice = Some(InvoiceChange {
            id: id(1),
            paid: usd("0"),
            pending: usd("0"),
            refunded: usd("0"),
            state: InvoiceState::Open,
            due_date: day(0),
            overdue_at: None,
        });
    }
}

fn release_no_cancelled(changes: &mut TradeChanges) {
    if changes.payment.as_ref().is_some_and(|payment| matches!(payment.state, PaymentState::Cancelled { .. })) {
        changes.invoice = None;
    }
}

fn nothing_is_settled(seen: &mut TradeSnapshot, _: Actor) {
    if let Some((payment, _)) = &mut seen.payment {
        payment.value.state = PaymentState::Pending;
    }
}

fn reserve_no_refund(changes: &mut TradeChanges) {
    if changes.new_refund.is_some() {
        changes.payment = None;
    }
}

fn count_no_refund(changes: &mut TradeChanges) {
    if changes.refund.is_some() {
        changes.payment = None;
    }
}

fn bill_no_refund(changes: &mut TradeChanges) {
    if changes.refund.is_some() {
        changes.invoice = None;
    }
}

fn set_refunds(seen: &mut TradeSnapshot, refunded: Option<&str>, refunding: Option<&str>) {
    if let Some((payment, _)) = &mut seen.payment {
        payment.value.refunded = refunded.map_or(payment.refunded, usd);
        payment.value.refunding = refunding.map_or(payment.refunding, usd);
    }
}

fn staff_see_nothing_refunded(seen: &mut TradeSnapshot, actor: Actor) {
    if actor != Actor::Gateway {
        set_refunds(seen, Some("0"), None);
    }
}

fn staff_see_no_refund_under_way(seen: &mut TradeSnapshot, actor: Actor) {
    if actor != Actor::Gateway {
        set_refunds(seen, None, Some("0"));
    }
}

fn staff_see_money(seen: &mut TradeSnapshot, actor: Actor) {
    if let (Actor::Staff { .. }, Some((payment, _))) = (actor, &mut seen.payment) {
        payment.value.state = PaymentState::Succeeded { at: now() };
    }
}

fn every_card_is_ones_own(seen: &mut TradeSnapshot, actor: Actor) {
    if let (Some(card), Some(customer)) = (&mut seen.card, actor.customer()) {
        card.value.customer_id = customer;
    }
}

fn every_bill_is_ones_own(seen: &mut TradeSnapshot, actor: Actor) {
    if let (Some(invoice), Some(customer)) = (&mut seen.invoice, actor.customer()) {
        invoice.value.customer_id = customer;
    }
}

fn never_due(seen: &mut TradeSnapshot, _: Actor) {
    if let Some(invoice) = &mut seen.invoice {
        invoice.value.due_date = day(400);
    }
}
