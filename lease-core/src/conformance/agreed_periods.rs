//! The agreed periods that prevent the acceptance of a proposal.
//!
//! Rule 4.10.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::build::*;
use super::world::World;
use crate::id::{CustomerId, ServiceId, TradeId, VehicleId};
use crate::model::*;
use crate::repository::*;

/// Leases out a vehicle in trades under one service.
struct Letting {
    world: World,
    owner: CustomerId,
    lessee: CustomerId,
    service: ServiceId,
}

impl Letting {
    async fn new(store: Arc<dyn Repository>) -> Self {
        let world = World::new(store);
        let (owner, lessee) = (world.customer().await, world.customer().await);
        let service = world.service(ServiceKind::Custom).await;
        Self { world, owner, lessee, service }
    }

    /// A trade of the vehicle that was agreed for these days and completed.
    async fn letting(&self, vehicle: VehicleId, days: Period) -> TradeId {
        let trade = self.world.open(vehicle, self.service).await;
        let terms = Proposal { period: Some(days), ..proposal(trade, self.owner) };
        let terms = self.world.propose_as(terms).await;
        self.world.complete(trade, terms, self.lessee).await;
        trade
    }

    /// The agreed period that is in the way of a proposal for these days in a trade.
    async fn in_the_way(&self, trade: TradeId, period: Option<Period>, now: DateTime<Utc>) -> Option<Period> {
        let terms = self.world.propose_as(Proposal { period, ..proposal(trade, self.owner) }).await;
        let view = self.world.load_at(TradeKey::Proposal(terms), None, now).await.value.proposal;
        self.world.decide(trade, terms, ProposalState::Withdrawn { at: at(1) }).await;
        view.unwrap().agreed_period_in_the_way
    }
}

pub async fn an_agreed_period_that_shares_a_day_is_in_the_way(store: Arc<dyn Repository>) {
    let letting = Letting::new(store).await;
    let (car, other) = (letting.world.vehicle(letting.owner).await, letting.world.vehicle(letting.owner).await);
    let agreed = period(10, 20);
    letting.letting(car, agreed).await;
    let (trade, elsewhere) = (letting.world.open(car, letting.service).await, letting.world.open(other, letting.service).await);
    for days in [period(10, 20), period(19, 21), period(9, 11), period(12, 13), period(1, 40)] {
        assert_eq!(letting.in_the_way(trade, Some(days), base()).await, Some(agreed), "{days:?}");
        // It is in the way even if it lies in the past, but not of a proposal for another vehicle.
        assert_eq!(letting.in_the_way(trade, Some(days), at(100 * 86_400)).await, Some(agreed), "{days:?}");
        assert_eq!(letting.in_the_way(elsewhere, Some(days), base()).await, None, "{days:?}");
    }
    for days in [period(20, 21), period(9, 10), period(1, 10), period(20, 400)] {
        assert_eq!(letting.in_the_way(trade, Some(days), base()).await, None, "{days:?} is next to it");
    }
}

/// Terms without days have no end, so every agreed period that has not ended by today is in their way.
pub async fn a_period_that_ends_after_today_is_in_the_way_of_a_sale(store: Arc<dyn Repository>) {
    let letting = Letting::new(store).await;
    let car = letting.world.vehicle(letting.owner).await;
    let agreed = period(10, 20);
    letting.letting(car, agreed).await;
    let trade = letting.world.open(car, letting.service).await;
    let midnight = day(20).and_hms_opt(0, 0, 0).unwrap().and_utc();
    let cases = [
        (base(), Some(agreed)),
        (midnight - Duration::days(2), Some(agreed)),
        (midnight - tick(), Some(agreed)),
        (midnight, None),
        (midnight + Duration::days(1), None),
    ];
    for (now, expected) in cases {
        assert_eq!(letting.in_the_way(trade, None, now).await, expected, "at {now}");
    }
}

/// Periods that were only proposed, agreements without a period, and the trade's own period are not in the way.
pub async fn only_periods_agreed_in_other_trades_are_in_the_way(store: Arc<dyn Repository>) {
    let letting = Letting::new(store).await;
    let (world, days) = (&letting.world, Some(period(10, 20)));
    let car = world.vehicle(letting.owner).await;
    let offered = world.open(car, letting.service).await;
    let offer = world.propose_as(Proposal { period: days, ..proposal(offered, letting.owner) }).await;
    world.cancel(offered).await;
    let undated = world.open(car, letting.service).await;
    let terms = world.propose(undated, letting.owner).await;
    world.complete(undated, terms, letting.lessee).await;

    let trade = world.open(car, letting.service).await;
    assert_eq!(letting.in_the_way(trade, days, base()).await, None);
    assert_eq!(letting.in_the_way(trade, None, base()).await, None);
    let terms = world.propose_as(Proposal { period: days, ..proposal(trade, letting.owner) }).await;
    world.agree(trade, terms, letting.lessee).await;
    let view = world.load(TradeKey::Proposal(terms)).await.value.proposal.unwrap();
    assert_eq!(view.agreed_period_in_the_way, None, "its own period");

    // Any agreed period counts, even one of a later trade.
    let view = world.load(TradeKey::Proposal(offer)).await.value.proposal.unwrap();
    assert_eq!(view.agreed_period_in_the_way, days);
}

/// Rules 4.6, 4.12: days that are ended early are free from then on, and those of a trade that is cancelled are free altogether.
pub async fn days_that_are_given_back_are_free(store: Arc<dyn Repository>) {
    let letting = Letting::new(store).await;
    let world = &letting.world;
    let car = world.vehicle(letting.owner).await;
    let first = letting.letting(car, period(10, 20)).await;
    world.end(first, day(15)).await;
    let trade = world.open(car, letting.service).await;
    assert_eq!(letting.in_the_way(trade, Some(period(15, 20)), base()).await, None);
    assert_eq!(letting.in_the_way(trade, Some(period(14, 20)), base()).await, Some(period(10, 15)));
    let today = day(15).and_hms_opt(0, 0, 0).unwrap().and_utc();
    assert_eq!(letting.in_the_way(trade, None, today).await, None);

    // Nothing is left of them.
    world.end(first, day(10)).await;
    assert_eq!(letting.in_the_way(trade, Some(period(10, 20)), base()).await, None);
    let days = world.load(TradeKey::Trade(first)).await.trade.days().unwrap();
    assert_eq!((days.start(), days.is_empty()), (day(10), true));
    let terms = world.propose_as(Proposal { period: Some(period(10, 20)), ..proposal(trade, letting.owner) }).await;
    world.agree(trade, terms, letting.lessee).await;

    world.rescind(trade, terms).await;
    assert_eq!(world.load(TradeKey::Trade(trade)).await.trade.days(), None);
    let next = world.open(car, letting.service).await;
    assert_eq!(letting.in_the_way(next, Some(period(10, 20)), base()).await, None);
    let terms = world.propose_as(Proposal { period: Some(period(10, 20)), ..proposal(next, letting.owner) }).await;
    world.agree(next, terms, letting.lessee).await;
}
