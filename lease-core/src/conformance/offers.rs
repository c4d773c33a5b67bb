//! What a trade offers: the vehicle as it is while the trade is open, fixed under a bid, and remembered from then on.
//!
//! Rule 4.13.

use std::sync::Arc;

use super::Handles;
use super::build::*;
use super::commits::Commits as _;
use super::processes::{Processes, ROUNDS, count, terms};
use super::world::{World, agreed, agreement};
use crate::LeaseEngine;
use crate::catalog::{VehicleChange, VehicleDraft};
use crate::event::{EventRecord, EventType};
use crate::id::{CustomerId, ProposalId, Stored, TradeId, VehicleId, Version};
use crate::input::UpdateMode;
use crate::lifecycle::TradeMove;
use crate::model::*;
use crate::permission::Actor;
use crate::repository::*;

fn driven(vehicle: Vehicle) -> Vehicle {
    Vehicle { mileage: Some(220_000), description: "Frame damage".into(), ..vehicle }
}

pub async fn an_edit_changes_what_the_live_trade_offers(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let (before, vehicle) = (world.load(TradeKey::Trade(deal.trade)).await, world.load_vehicle(deal.vehicle).await);
    world.edit(deal.vehicle, |_| every_field(deal.owner)).await;
    let after = world.load(TradeKey::Trade(deal.trade)).await;
    let now = world.load_vehicle(deal.vehicle).await;
    assert_eq!(after.trade.offered, OfferedVehicle::from(&every_field(deal.owner)));
    assert_eq!((after.version, now.version), (before.version.next(), vehicle.version.next()));
    assert_eq!(now.vehicle.value, every_field(deal.owner));
    let found = world.list_trades(&TradeFilter { make: Some("citroën".into()), ..TradeFilter::default() }, base()).await;
    assert_eq!(found, [after.value.trade]);
}

fn every_field(owner: CustomerId) -> Vehicle {
    Vehicle {
        identity: Some(VehicleIdentity::Chassis(chassis(7))),
        make: "Citroën".into(),
        model: "DS".into(),
        year: 1968,
        color: "Noir".into(),
        mileage: Some(i64::MAX),
        license_plate: "AB-123".into(),
        description: "line\nline".into(),
        ..vehicle(owner, 7)
    }
}

pub async fn what_was_offered_is_remembered(store: Arc<dyn Repository>) {
    let world = World::new(store);
    for ends_with in 0..3 {
        let (deal, buyer) = (world.deal().await, world.customer().await);
        world.edit(deal.vehicle, |vehicle| Vehicle { mileage: Some(20_000), ..vehicle }).await;
        let offered = world.load(TradeKey::Trade(deal.trade)).await.trade.offered.clone();
        assert_eq!(offered.mileage, Some(20_000));
        match ends_with {
            0 => world.cancel(deal.trade).await,
            1 => world.complete(deal.trade, deal.proposal, buyer).await,
            _ => world.sell(deal.trade, deal.proposal, buyer).await,
        }
        world.edit(deal.vehicle, driven).await;
        assert_eq!(world.load(TradeKey::Trade(deal.trade)).await.trade.offered, offered);
        assert_eq!(world.load_vehicle(deal.vehicle).await.vehicle.mileage, Some(220_000));
    }
}

/// An edit is written together with what the trade offers, or not at all.
pub async fn an_edit_decided_on_another_state_of_the_trade_is_a_conflict(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (deal, other) = (world.deal().await, world.deal().await);
    let good = world.editing(deal.vehicle, driven).await;
    let (trade, version) = good.offered_in.unwrap();
    let of_another = world.load(TradeKey::Trade(other.trade)).await.version;
    for offered_in in [(trade, Version(version.0 - 1)), (trade, version.next()), (other.trade, of_another), (nobody(), version)] {
        let bad = VehicleChange { offered_in: Some(offered_in), ..good.clone() };
        world.assert_conflict(world.store.write(bad.into(), None)).await;
    }
    world.propose(deal.trade, other.owner).await;
    world.assert_conflict(world.store.write(good.into(), None)).await;
    let stale = world.editing(deal.vehicle, driven).await;
    world.agree(deal.trade, deal.proposal, other.owner).await;
    world.assert_conflict(world.store.write(stale.into(), None)).await;
}

pub async fn a_bid_or_an_acceptance_decided_before_an_edit_is_a_conflict(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (deal, buyer) = (world.deal().await, world.customer().await);
    let seen = world.load(TradeKey::Trade(deal.trade)).await.version;
    world.edit(deal.vehicle, driven).await;
    let bid = proposed(proposal(deal.trade, buyer));
    let accept = agreed(deal.proposal, TradeMove::Agree(agreement(deal.proposal, buyer)));
    for changes in [bid, accept] {
        world.assert_conflict(world.store.commit_trade(deal.trade, seen, &changes, None)).await;
    }
}

/// A bid counts until it is decided or expires.
pub async fn a_vehicle_knows_whether_there_is_a_bid(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (deal, buyer) = (world.deal().await, world.customer().await);
    let has_bid = async |now| {
        let loaded = world.store.load_vehicle(deal.vehicle, None, now).await.unwrap().unwrap();
        let opening = world.store.load_opening(Some(deal.vehicle), None, None, now).await.unwrap();
        assert_eq!(opening.vehicle.as_ref(), Some(&loaded));
        loaded.live_trade.unwrap().has_bid
    };
    assert!(!has_bid(base()).await, "the owner's own proposal is no bid");
    let bid = world.propose_as(Proposal { expires_at: Some(at(60)), ..proposal(deal.trade, buyer) }).await;
    assert_eq!((has_bid(at(60) - tick()).await, has_bid(at(60)).await), (true, false));
    world.decide(deal.trade, bid, ProposalState::Rejected { at: at(1) }).await;
    assert!(!has_bid(base()).await);
    world.propose(deal.trade, buyer).await;
    assert!(has_bid(at(1_000_000)).await);
}

/// Who bids is bound to what was offered when they bid: an edit comes before the bid, or is refused.
pub async fn editing_and_bidding_come_one_after_the_other(handles: Handles) {
    race(
        handles,
        |engine, bidder, trade, _| async move { engine.propose(&bidder, trade, &terms(ServiceKind::Sell)).await.map(drop) },
        EventType::ProposalMade,
    )
    .await;
}

/// Who accepts is bound to what was offered then.
pub async fn editing_and_accepting_come_one_after_the_other(handles: Handles) {
    race(
        handles,
        |engine, buyer, _, proposal| async move { engine.accept_proposal(&buyer, proposal).await.map(drop) },
        EventType::ProposalAccepted,
    )
    .await;
}

/// An owner edits a vehicle while a customer binds themselves, which always succeeds.
async fn race<F>(handles: Handles, bind: impl Fn(LeaseEngine, Actor, TradeId, ProposalId) -> F, binding: EventType)
where
    F: Future<Output = Result<(), crate::Error>> + Send + 'static,
{
    let processes = Processes::start(handles);
    let (owner, customer) = (processes.actor(Role::Customer).await, processes.actor(Role::Customer).await);
    let service = processes.world.service(ServiceKind::Sell).await;
    for _ in 0..*ROUNDS {
        let offered = processes.offer(&owner, service).await;
        let vehicle = processes.world.load(TradeKey::Trade(offered.trade)).await.trade.vehicle_id;
        let binds = processes.act(|engine| bind(engine, customer, offered.trade, offered.proposal));
        let edits = processes.act(|engine| async move { edit(&engine, &owner, vehicle).await });
        let outcomes = count(vec![binds, edits]).await;
        let trade = processes.world.load(TradeKey::Trade(offered.trade)).await.value.trade;
        let is_edited = trade.offered.mileage == Some(220_000);
        let expected = if is_edited { vec![("ok", 2)] } else { vec![("ok", 1), ("vehicle_in_trade", 1)] };
        assert_eq!(outcomes, expected.into_iter().collect());
        // The newest first: an acceptance, or the bid after the owner's own proposal.
        let events = processes.world.list_events(&EventFilter::default()).await;
        let bound = events.iter().find(|event| event.event_type == binding && event.trade_id == Some(offered.trade)).unwrap().id;
        let is_edit = |event: &&Stored<EventRecord>| {
            event.event_type == EventType::VehicleUpdated && event.subject_id == Some(vehicle.get())
        };
        let edited = events.iter().find(is_edit).map(|event| event.id);
        assert_eq!(edited.is_some_and(|edited| edited < bound), is_edited, "an edit is before the bid, or is not");
    }
    processes.books().await;
}

async fn edit(engine: &LeaseEngine, owner: &Actor, vehicle: VehicleId) -> Result<(), crate::Error> {
    let draft = VehicleDraft { mileage: 220_000.into(), ..VehicleDraft::default() };
    engine.update_vehicle(owner, vehicle, &draft, UpdateMode::Partial).await.map(drop)
}
