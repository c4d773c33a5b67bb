//! Opening a trade: rule 4.1.

use lease_core::Error;
use lease_core::catalog::{LiveTrade, VehicleSnapshot};
use lease_core::decision::Decision;
use lease_core::id::{Stored, Version, Versioned};
use lease_core::lifecycle::{Opening, OpeningSnapshot, TradeDraft, open};
use lease_core::model::{Service, ServiceKind, TradeState};
use lease_core::permission::Actor;
use serde_json::{Value, json};

use crate::support::*;

fn offer(vehicle: Versioned<VehicleSnapshot>, service: Versioned<Stored<Service>>) -> OpeningSnapshot {
    OpeningSnapshot { vehicle: Some(vehicle), service: Some(service) }
}

fn good_offer() -> OpeningSnapshot {
    offer(vehicle_snapshot(), stored_service(ServiceKind::Lease))
}

fn opened(offer: &OpeningSnapshot, actor: &Actor, json: Value) -> Result<Decision<Opening>, Error> {
    open(offer, actor, &draft::<TradeDraft>(json), None, now())
}

fn both() -> Value {
    json!({"vehicle_id": 1, "service_id": 1})
}

/// Rule 4.1: the owner of a vehicle opens a trade under an active service.
#[test]
fn the_owner_opens_a_trade_under_an_active_service() {
    let json = json!({"vehicle_id": 1, "service_id": 1, "title": "  Nice car ", "description": "Two\nlines", "status": "agreed"});
    let opening = opened(&good_offer(), &customer(OWNER), json).unwrap();
    assert_eq!(opening.trade.state, TradeState::Open);
    assert_eq!((opening.trade.customer_id, opening.trade.vehicle_id, opening.trade.service_id), (id(OWNER), id(1), id(1)));
    assert_eq!((&*opening.trade.title, &*opening.trade.description), ("Nice car", "Two\nlines"));
    assert_eq!((opening.trade.created_at, opening.trade.invoice_id), (now(), None));
    assert_eq!(opening.vehicle_version, Version::FIRST);
    assert_eq!(names(&opening.events), ["trade.opened"]);
}

/// Rule 5.1: some fields of a service are fixed once a trade uses it, so the first trade marks it as used.
#[test]
fn the_first_trade_under_a_service_marks_it_as_used_and_later_ones_do_not() {
    let first_use = opened(&good_offer(), &customer(OWNER), both()).unwrap().first_use_of_service;
    assert_eq!(first_use, Some(Version::FIRST));
    let mut used = stored_service(ServiceKind::Lease);
    used.is_used = true;
    let later = opened(&offer(vehicle_snapshot(), used), &customer(OWNER), both()).unwrap();
    assert_eq!(later.first_use_of_service, None);
}

/// Rule 6.2: a vehicle that has neither a VIN nor a chassis number is not offered.
#[test]
fn a_vehicle_without_a_number_is_not_offered() {
    let mut vehicle = vehicle_snapshot();
    vehicle.value.vehicle.value.identity = None;
    let response = opened(&offer(vehicle, stored_service(ServiceKind::Sell)), &customer(OWNER), both());
    assert_eq!(code(response), "vehicle_unidentified");
}

/// Rule 4.1: a vehicle has at most one trade that is open or agreed.
#[test]
fn a_vehicle_in_a_live_trade_is_not_offered_again() {
    let mut vehicle = vehicle_snapshot();
    vehicle.value.live_trade = Some(LiveTrade { is_open: false, ..open_trade() });
    let response = opened(&offer(vehicle, stored_service(ServiceKind::Sell)), &customer(OWNER), both());
    assert_eq!(code(response), "vehicle_in_trade");
}

/// Rule 4.1: no trade is opened under an inactive service.
#[test]
fn an_inactive_service_takes_no_trade() {
    let mut service = stored_service(ServiceKind::Lease);
    service.is_active = false;
    let response = opened(&offer(vehicle_snapshot(), service), &customer(OWNER), both());
    assert_eq!(wrong_fields(response), ["service_id"]);
}

/// Rule 2.2: a hidden vehicle does not exist; a visible one of another customer is forbidden.
#[test]
fn anothers_vehicle_is_forbidden_where_it_is_seen_and_unknown_where_not() {
    let hidden = good_offer();
    assert_eq!(wrong_fields(opened(&hidden, &customer(BUYER), both())), ["vehicle_id"]);
    let mut seen = vehicle_snapshot();
    seen.value.live_trade = Some(open_trade());
    let seen = offer(seen, stored_service(ServiceKind::Lease));
    assert_eq!(code(opened(&seen, &customer(BUYER), both())), "permission_denied");
}

/// Chapter 2: only customers open trades.
#[test]
fn only_customers_open_trades() {
    let expected = ["not_authenticated", "permission_denied", "permission_denied"];
    for (actor, expected) in [Actor::Anonymous, staff(), superuser()].iter().zip(expected) {
        assert_eq!(code(opened(&good_offer(), actor, both())), expected, "{actor:?}");
    }
}

/// Rule 6.6: all wrong fields are reported at once.
#[test]
fn every_wrong_field_of_a_trade_is_named_at_once() {
    let nothing = OpeningSnapshot::default();
    let json = json!({"vehicle_id": 7, "service_id": 8, "title": "x".repeat(201), "description": 5});
    let response = opened(&nothing, &customer(OWNER), json);
    assert_eq!(wrong_fields(response), ["description", "service_id", "title", "vehicle_id"]);
    assert_eq!(wrong_fields(opened(&nothing, &customer(OWNER), json!({}))), ["service_id", "vehicle_id"]);
    let response = opened(&nothing, &customer(OWNER), json!({"vehicle_id": "x", "service_id": null}));
    assert_eq!(wrong_fields(response), ["service_id", "vehicle_id"]);
}
