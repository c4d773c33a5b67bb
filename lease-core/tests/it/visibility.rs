//! The rows that a customer may see: the predicates of chapter 2, case by case.

use lease_core::id::CustomerId;
use lease_core::lifecycle::TradeSnapshot;
use lease_core::permission::{
    can_view_client_secret, can_view_days, can_view_invoice, can_view_payment, can_view_proposal, can_view_refund,
    can_view_trade, can_view_vehicle,
};

use crate::support::*;

/// The owner, the counterparty if there is one, and another customer.
fn viewers() -> [CustomerId; 3] {
    [id(OWNER), id(BUYER), id(THIRD)]
}

fn agreed() -> TradeSnapshot {
    Scene::sale().agreed().0
}

/// Chapter 2: a customer sees open trades, their own, and those in which they have made a proposal.
#[test]
fn trades_are_seen_while_open_and_afterwards_by_those_who_took_part() {
    let seen = |scene: Scene, has_proposed| {
        viewers().map(|viewer| can_view_trade(viewer, &scene.0.trade, scene.0.owner_is_active, has_proposed))
    };
    assert_eq!(seen(Scene::sale(), false), [true, true, true]);
    for past in [Scene::sale().agreed(), Scene::sale().completed()] {
        assert_eq!(seen(past.clone(), false), [true, true, false]);
        assert_eq!(seen(past, true), [true, true, true]);
    }
    assert_eq!(seen(Scene::sale().cancelled(), false), [true, false, false]);
    assert_eq!(seen(Scene::sale().rescinded(), false), [true, true, false], "both parties still see it");
    assert_eq!(seen(Scene::sale().owner_is_inactive(), false), [true, false, false], "as if it were not open");
    assert_eq!(seen(Scene::sale().owner_is_inactive(), true), [true, true, true]);
    assert_eq!(seen(Scene::sale().agreed().owner_is_inactive(), false), [true, true, false]);
}

/// Chapter 2, rule 4.12: only the parties see the agreed days of a trade.
#[test]
fn the_days_of_a_trade_are_seen_by_its_parties() {
    assert_eq!(viewers().map(|viewer| can_view_days(viewer, &agreed().trade)), [true, true, false]);
}

/// Chapter 2: a customer sees their own proposals, the owner's in visible trades, and all in their own trades.
#[test]
fn proposals_are_seen_by_author_and_owner_and_the_owners_by_all_who_see_the_trade() {
    let seen = |scene: &TradeSnapshot, author| {
        viewers().map(|viewer| can_view_proposal(viewer, &proposal(author), &scene.trade, scene.owner_is_active, false))
    };
    assert_eq!(seen(&Scene::sale().0, OWNER), [true, true, true]);
    assert_eq!(seen(&Scene::sale().0, BUYER), [true, true, false]);
    assert_eq!(seen(&Scene::sale().owner_is_inactive().0, OWNER), [true, false, false]);
    assert_eq!(seen(&Scene::sale().owner_is_inactive().0, BUYER), [true, true, false]);
    assert_eq!(seen(&agreed(), OWNER), [true, true, false]);
    assert_eq!(seen(&agreed(), THIRD), [true, false, true], "the counterparty sees no other offers");
    assert!(can_view_proposal(id(THIRD), &proposal(OWNER), &agreed().trade, true, true));
}

/// Chapter 2: a customer sees their own vehicles, those in an open trade, and those in a trade to which they are a party.
#[test]
fn vehicles_are_seen_by_their_owner_while_offered_and_by_parties() {
    let seen = |is_on_offer, is_party| viewers().map(|viewer| can_view_vehicle(viewer, &vehicle(OWNER), is_on_offer, is_party));
    assert_eq!(seen(false, false), [true, false, false]);
    assert_eq!(seen(true, false), [true, true, true]);
    assert_eq!(seen(false, true), [true, true, true]);
}

/// Chapter 2: a customer sees the invoices that are billed to them, and their own payments and refunds.
#[test]
fn invoices_are_seen_by_the_billed_and_payments_by_the_payer() {
    assert_eq!(viewers().map(|viewer| can_view_invoice(viewer, &invoice(BUYER))), [false, true, false]);
    assert_eq!(viewers().map(|viewer| can_view_payment(viewer, &payment(BUYER, "1"))), [false, true, false]);
    assert_eq!(viewers().map(|viewer| can_view_client_secret(viewer, &payment(BUYER, "1"))), [false, true, false]);
    assert_eq!(viewers().map(|viewer| can_view_refund(viewer, &refund(BUYER, "1"))), [false, true, false]);
}
