//! Trades by their asking prices: filters, both orders, and their pages.
//!
//! Rules 4.13 and 6.5.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::build::*;
use super::world::World;
use crate::id::{CustomerId, Stored};
use crate::model::*;
use crate::money::{Currency, Money};
use crate::page::{Page, PageRequest};
use crate::repository::*;

fn eur() -> Currency {
    Currency::parse("EUR").unwrap()
}

/// Trades that ask for prices, some of them the same, and trades that ask for nothing, or no longer.
async fn market(world: &World) -> [CustomerId; 2] {
    let (owner, other) = (world.customer().await, world.customer().await);
    let dollars = ["250", "99.5", "250", "1000000", "0.01", "250", "99.50"];
    let mut prices: Vec<_> = dollars.map(usd).into();
    prices.push(Money::parse("120", eur()).unwrap());
    for (number, amount) in (0..).zip(prices) {
        let vehicle = Vehicle { mileage: Some(number * 10_000), ..vehicle(owner, world.number()) };
        let trade = world.open(world.vehicle_of(vehicle).await, world.service(ServiceKind::Custom).await).await;
        world.propose_as(Proposal { amount, ..proposal(trade, owner) }).await;
        world.propose_as(Proposal { amount: usd("1"), ..proposal(trade, other) }).await;
    }
    world.trade(owner).await;
    let brief = world.trade(owner).await;
    world.propose_as(Proposal { expires_at: Some(at(60)), amount: usd("70"), ..proposal(brief, owner) }).await;
    let (withdrawn, agreed) = (world.deal().await, world.deal().await);
    world.decide(withdrawn.trade, withdrawn.proposal, ProposalState::Withdrawn { at: at(1) }).await;
    world.agree(agreed.trade, agreed.proposal, other).await;
    let cancelled = world.deal().await;
    world.cancel(cancelled.trade).await;
    [owner, other]
}

/// The filters of prices, with every order.
fn filters(visible_to: Option<CustomerId>) -> Vec<TradeFilter> {
    let amount = |text: &str| Some(text.parse::<Decimal>().unwrap());
    let currency = Some(Currency::USD);
    let all = TradeFilter { visible_to, currency, ..TradeFilter::default() };
    let narrow = [
        all.clone(),
        TradeFilter { currency: Some(eur()), ..all.clone() },
        TradeFilter { price_min: amount("99.5"), ..all.clone() },
        TradeFilter { price_max: amount("250"), ..all.clone() },
        TradeFilter { price_min: amount("70"), price_max: amount("99.50"), ..all.clone() },
        TradeFilter { price_min: amount("251"), price_max: amount("250"), ..all.clone() },
        TradeFilter { mileage_max: Some(20_000), ..all.clone() },
        TradeFilter { status: Some(TradeStatus::Agreed), ..all.clone() },
        TradeFilter { make: Some("skoda".into()), year_min: Some(2020), year_max: Some(2030), ..all },
    ];
    let orders = [TradeSort::Newest, TradeSort::Price, TradeSort::PriceDescending];
    narrow.iter().flat_map(|filter| orders.map(|sort| TradeFilter { sort, ..filter.clone() })).collect()
}

/// The trades that a filter of prices finds, in its order.
fn expected(all: &[Stored<Trade>], filter: &TradeFilter, now: DateTime<Utc>) -> Vec<Stored<Trade>> {
    let keep = |trade: &Stored<Trade>| {
        filter.wants_price_of(trade, now)
            && filter.status.is_none_or(|status| TradeStatus::from(&trade.state) == status)
            && filter.mileage_max.is_none_or(|max| trade.offered.mileage.is_some_and(|mileage| mileage <= max))
    };
    let mut found: Vec<_> = all.iter().filter(|trade| keep(trade)).cloned().collect();
    found
        .sort_by_key(|trade| (trade.asking.filter(|_| filter.sort.is_by_price()).map(|asking| asking.amount.amount()), trade.id));
    if !filter.sort.is_ascending() {
        found.reverse();
    }
    found
}

pub async fn trades_are_filtered_and_sorted_by_price(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let [owner, other] = market(&world).await;
    let all = world.trades().await;
    let mut counts = Vec::new();
    for now in [base(), at(60) - tick(), at(60)] {
        for visible_to in [None, Some(owner), Some(other), Some(world.customer().await)] {
            for filter in filters(visible_to) {
                let found = world.list_trades(&filter, now).await;
                assert_eq!(found, expected(&all, &filter, now), "{filter:?} at {now}");
                counts.push(found.len());
            }
        }
    }
    assert!([0, 1, 3, 8].iter().all(|count| counts.contains(count)), "the filters differ: {counts:?}");
}

pub async fn readings_are_filtered_without_prices(store: Arc<dyn Repository>) {
    let world = World::new(store);
    market(&world).await;
    let all = world.trades().await;
    for (max, count) in [(0, 1), (1, 1), (9_999, 1), (10_000, 2), (16_384, 2), (65_535, 7), (i64::MAX, 8)] {
        let filter = TradeFilter { mileage_max: Some(max), ..TradeFilter::default() };
        let found = world.list_trades(&filter, base()).await;
        let is_low = |trade: &&Stored<Trade>| trade.offered.mileage.is_some_and(|mileage| mileage <= max);
        assert_eq!(found, all.iter().filter(is_low).cloned().collect::<Vec<_>>());
        assert_eq!(found.len(), count, "{max}");
    }
}

/// Pages lead to the end and back, whatever their size; trades of the same price are on different ones.
pub async fn trades_by_price_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let [_, viewer] = market(&world).await;
    let all = world.trades().await;
    for filter in filters(None).into_iter().chain(filters(Some(viewer))) {
        let expected: Vec<_> = expected(&all, &filter, base()).iter().map(|trade| trade.id).collect();
        for limit in 1..=9 {
            let read = async |cursor| -> Page<_> {
                let request = PageRequest::new(limit, cursor).unwrap();
                world.store.list_trades(&filter, request, base()).await.unwrap().map(|row| row.trade.id)
            };
            let mut page = read(None).await;
            let mut there = page.items.clone();
            assert_eq!(page.previous, None, "the first page is the first");
            while let Some(next) = page.next {
                page = read(Some(next)).await;
                there.extend(&page.items);
            }
            assert_eq!(there, expected, "{filter:?} in pages of {limit}");
            let mut back = page.items.clone();
            while let Some(previous) = page.previous {
                page = read(Some(previous)).await;
                back.splice(..0, page.items.iter().copied());
            }
            assert_eq!(back, expected, "{filter:?} backwards in pages of {limit}");
        }
    }
}

/// A page goes on from its place, though the price there has changed.
pub async fn prices_that_change_meanwhile_hide_no_others(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let owner = world.customer().await;
    let mut trades = Vec::new();
    for price in ["10", "20", "30", "40"] {
        let trade = world.trade(owner).await;
        let terms = world.propose_as(Proposal { amount: usd(price), ..proposal(trade, owner) }).await;
        trades.push((trade, terms));
    }
    let filter = TradeFilter { sort: TradeSort::Price, currency: Some(Currency::USD), ..TradeFilter::default() };
    let read = async |cursor| {
        let request = PageRequest::new(2, cursor).unwrap();
        world.store.list_trades(&filter, request, base()).await.unwrap().map(|row| row.trade.id)
    };
    let first = read(None).await;
    let (dearer, before) = trades[1];
    let again = Proposal { amount: usd("35"), ..proposal(dearer, owner) };
    let decided = Some((before, ProposalState::Superseded { at: at(1) }));
    world.commit(dearer, &crate::lifecycle::TradeChanges { decided, ..proposed(again) }).await;
    let second = read(first.next).await;
    assert_eq!(second.items, [trades[2].0, dearer], "the place was at 20");
    let third = read(second.next).await;
    assert_eq!((third.items, third.next), (vec![trades[3].0], None));
    assert_eq!(read(third.previous).await.items, second.items);
}
