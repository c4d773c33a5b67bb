//! Accepting (rules 4.4, 4.5, 4.10, 4.11), and the invoice that is issued with it (rule 5.2).

use lease_core::decision::Decision;
use lease_core::invoicing::ServiceFee;
use lease_core::lifecycle::{TradeMove, accept};
use lease_core::model::{Agreement, BillTo, InvoiceOn, Period, ProposalState};
use lease_core::permission::Actor;

use crate::support::*;

/// The owner's proposal in a sale.
fn offered() -> Scene {
    Scene::sale().proposed_by(OWNER)
}

/// [`BUYER`]'s proposal in a sale.
fn countered() -> Scene {
    Scene::sale().proposed_by(BUYER)
}

fn response(scene: &Scene, who: i64) -> &'static str {
    code(accept(&scene.0, &customer(who), &ServiceFee, now()))
}

/// Rule 4.4: the owner accepts a proposal by another customer; every other customer may accept the owner's.
#[test]
fn the_owner_accepts_anothers_and_others_accept_the_owners() {
    for (scene, who) in [(offered(), BUYER), (countered(), OWNER)] {
        let changes = accept(&scene.0, &customer(who), &ServiceFee, now()).unwrap();
        let agreement = Agreement { counterparty_id: id(BUYER), proposal_id: id(1), days: None, agreed_at: now() };
        assert_eq!(changes.decided, Some((id(1), ProposalState::Accepted { at: now() })));
        assert_eq!(changes.close_others, Some(now()));
        assert_eq!(changes.state, Some(TradeMove::Agree(agreement)));
        assert_eq!(changes.transfer, None);
        assert_eq!(names(&changes.events)[..2], ["proposal.accepted", "trade.agreed"]);
    }
}

/// Rule 4.4: nobody accepts their own proposal.
#[test]
fn nobody_accepts_their_own() {
    assert_eq!(response(&offered(), OWNER), "permission_denied");
    assert_eq!(response(&countered().viewer_made(1), BUYER), "permission_denied");
}

/// Chapter 2: a customer does not even see the proposals of others.
#[test]
fn nobody_accepts_a_proposal_between_two_others() {
    assert_eq!(response(&countered(), THIRD), "not_found");
    assert_eq!(response(&countered().viewer_made(1), THIRD), "not_found");
    assert_eq!(response(&countered().agreed(), THIRD), "not_found");
}

/// Chapter 2: only customers accept; staff do not trade.
#[test]
fn only_customers_accept() {
    assert_eq!(code(accept(&offered().0, &Actor::Anonymous, &ServiceFee, now())), "not_authenticated");
    for actor in [staff(), superuser()] {
        assert_eq!(code(accept(&offered().0, &actor, &ServiceFee, now())), "permission_denied");
    }
}

/// Rule 4.4: this also applies to a customer who may no longer see the trade.
#[test]
fn accepting_in_a_closed_trade_is_refused_as_trade_not_open() {
    for scene in [offered().agreed(), offered().cancelled(), offered().completed()] {
        assert_eq!(response(&scene, BUYER), "trade_not_open");
        assert_eq!(response(&scene, THIRD), "trade_not_open");
        assert_eq!(response(&scene.viewer_made(1), THIRD), "trade_not_open");
    }
    assert_eq!(response(&countered().agreed(), OWNER), "trade_not_open");
}

/// Rule 4.5: the trade is checked before the proposal.
#[test]
fn a_closed_trade_is_reported_before_an_expired_or_decided_proposal() {
    let expired = countered().expiring(at(-1)).cancelled();
    assert_eq!(response(&expired, OWNER), "trade_not_open");
    let rejected = countered().decided(ProposalState::Rejected { at: at(-1) }).cancelled();
    assert_eq!(response(&rejected, OWNER), "trade_not_open");
}

/// Rule 4.5: a proposal expires exactly at its instant.
#[test]
fn a_proposal_expires_exactly_at_its_instant() {
    let cases = [(now() - tick(), "proposal_expired"), (now(), "proposal_expired"), (now() + tick(), "ok")];
    for (expires_at, expected) in cases {
        assert_eq!(response(&countered().expiring(expires_at), OWNER), expected, "{expires_at}");
        assert_eq!(response(&offered().expiring(expires_at), BUYER), expected, "{expires_at}");
    }
}

/// Rule 4.5: a proposal that is no longer pending cannot be accepted.
#[test]
fn only_a_pending_proposal_is_accepted() {
    let at = at(-1);
    let states = [
        (ProposalState::Accepted { at }, "proposal_not_pending"),
        (ProposalState::Rejected { at }, "proposal_not_pending"),
        (ProposalState::Withdrawn { at }, "proposal_not_pending"),
        (ProposalState::Superseded { at }, "proposal_not_pending"),
        (ProposalState::Closed { at }, "proposal_not_pending"),
        (ProposalState::Expired { at }, "proposal_expired"),
    ];
    for (state, expected) in states {
        assert_eq!(response(&countered().decided(state), OWNER), expected, "{state:?}");
        // It was decided before it would have expired, so it keeps that status.
        assert_eq!(response(&countered().decided(state).expiring(at), OWNER), expected, "{state:?}");
    }
}

/// Rule 4.11: the author of an accepted proposal is active.
#[test]
fn a_proposal_by_a_deactivated_author_is_not_accepted() {
    assert_eq!(response(&countered().author_is_inactive(), OWNER), "party_inactive");
    assert_eq!(response(&offered().author_is_inactive(), BUYER), "party_inactive");
    // The owner's proposal is hidden from those who do not take part in the trade.
    assert_eq!(response(&offered().author_is_inactive().owner_is_inactive(), BUYER), "party_inactive");
    assert_eq!(response(&offered().author_is_inactive().owner_is_inactive().viewer_made(1), BUYER), "party_inactive");
    assert_eq!(response(&offered().owner_is_inactive().agreed(), THIRD), "trade_not_open");
    // This must still be true when the decision is committed.
    for (scene, who, author) in [(countered(), OWNER, BUYER), (offered(), BUYER, OWNER)] {
        assert_eq!(accept(&scene.0, &customer(who), &ServiceFee, now()).unwrap().active_party, Some(id(author)));
    }
}

/// Rule 4.10: a vehicle is leased to one customer at a time.
#[test]
fn a_proposal_for_days_that_are_leased_is_not_accepted() {
    for scene in [Scene::lease(), Scene::custom(InvoiceOn::Acceptance, BillTo::Owner)] {
        let scene = scene.proposed_by(OWNER).dated(period(10, 20));
        assert_eq!(response(&scene, BUYER), "ok");
        assert_eq!(response(&scene.in_the_way(period(19, 30)), BUYER), "vehicle_not_available");
    }
}

/// Rule 4.10: the end is not included.
#[test]
fn periods_that_touch_do_not_overlap() {
    let let_out = period(10, 20);
    for (start, end, overlaps) in [(0, 10, false), (20, 30, false), (0, 11, true), (19, 20, true), (12, 13, true), (0, 40, true)]
    {
        let other = period(start, end);
        assert_eq!(let_out.overlaps(other), overlaps, "{other:?}");
        assert_eq!(other.overlaps(let_out), overlaps, "{other:?}");
    }
    assert!(Period::new(day(1), day(1)).is_none());
    assert!(Period::new(day(2), day(1)).is_none());
}

/// Rule 4.10: a vehicle that is leased out is not sold.
#[test]
fn a_vehicle_is_not_sold_while_it_is_leased() {
    assert_eq!(response(&offered().in_the_way(period(0, 1)), BUYER), "vehicle_not_available");
    assert_eq!(response(&countered().in_the_way(period(50, 60)), OWNER), "vehicle_not_available");
}

/// Rule 4.10: terms without dates do not occupy the vehicle.
#[test]
fn a_custom_proposal_without_days_does_not_need_the_vehicle() {
    let scene = Scene::custom(InvoiceOn::Acceptance, BillTo::Owner).proposed_by(OWNER).in_the_way(period(0, 9));
    assert_eq!(response(&scene, BUYER), "ok");
}

/// Rule 5.2, I2: accepting under *Sell* issues the invoice.
#[test]
fn the_invoice_of_a_sale_comes_with_the_acceptance() {
    let Decision { changes, events } = accept(&countered().0, &customer(OWNER), &ServiceFee, now()).unwrap();
    let invoice = changes.new_invoice.unwrap();
    assert_eq!((invoice.customer_id, invoice.amount, invoice.proposal_id), (id(OWNER), usd("100.00"), Some(id(1))));
    assert_eq!((invoice.issued_at, invoice.due_date), (now(), day(14)));
    assert_eq!(names(&events), ["proposal.accepted", "trade.agreed", "invoice.issued"]);
}

/// Rule 5.1: the service says who is billed, whichever side accepts.
#[test]
fn the_counterparty_is_billed_where_the_service_says_so() {
    for (author, accepter) in [(OWNER, BUYER), (BUYER, OWNER)] {
        for (bill_to, billed) in [(BillTo::Owner, OWNER), (BillTo::Counterparty, BUYER)] {
            let scene = Scene::custom(InvoiceOn::Acceptance, bill_to).proposed_by(author);
            let changes = accept(&scene.0, &customer(accepter), &ServiceFee, now()).unwrap().changes;
            assert_eq!(changes.new_invoice.unwrap().customer_id, id(billed));
        }
    }
}

/// Rule 5.2, I1: a trade has at most one invoice.
#[test]
fn accepting_under_a_lease_issues_no_second_invoice() {
    let scene = Scene::lease().proposed_by(OWNER).dated(period(1, 2)).billed_to(OWNER);
    assert_eq!(accept(&scene.0, &customer(BUYER), &ServiceFee, now()).unwrap().new_invoice, None);
}

/// Rule 4.11: an accept names a proposal and is bound to its terms, whatever else was offered.
#[test]
fn the_accepted_terms_are_those_of_the_proposal_that_was_named() {
    let scene = countered().viewer_has_pending(OWNER, None);
    let changes = accept(&scene.0, &customer(OWNER), &ServiceFee, now()).unwrap();
    assert_eq!(changes.decided.map(|(proposal, _)| proposal), Some(id(1)));
    assert_eq!(changes.new_proposal, None);
}
