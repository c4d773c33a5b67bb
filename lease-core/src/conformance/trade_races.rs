//! Real races for trades and the rows that belong to them.
//!
//! Rules 4.1, 4.4 and 4.10.

use super::Handles;
use super::build::*;
use super::commits::Commits as _;
use super::race::{RACERS, ROUNDS, assert_one_took, assert_one_won, assert_others_conflict, together};
use super::world::{World, agreed, agreement};
use crate::decision::RowChange;
use crate::id::NewIds;
use crate::id::{TradeId, Version};
use crate::lifecycle::{InvoiceChange, NewInvoice, TradeChanges, TradeMove};
use crate::model::*;
use crate::repository::*;

pub async fn one_of_many_trades_of_a_vehicle_opens(handles: Handles) {
    let world = World::new(handles);
    let owner = world.customer().await;
    let service = world.service(ServiceKind::Sell).await;
    for _ in 0..ROUNDS {
        let opening = world.opening(world.vehicle(owner).await, service).await;
        let racers = (0..RACERS).map(|_| {
            let (store, opening) = (world.handle(), opening.clone());
            async move { store.open_trade(&opening, None).await }
        });
        assert_one_won(&together(racers).await, Guarantee::LiveTradeOfVehicle);
    }
    assert_eq!(world.trades().await.len(), usize::from(ROUNDS));
}

/// A vehicle is not edited or deleted while a trade of it is being opened, and no trade is opened of a vehicle being deleted.
pub async fn opening_a_trade_and_deleting_its_vehicle_exclude_each_other(handles: Handles) {
    let world = World::new(handles);
    let owner = world.customer().await;
    let service = world.service(ServiceKind::Sell).await;
    for _ in 0..ROUNDS {
        let id = world.vehicle(owner).await;
        let opening = world.opening(id, service).await;
        let (opens, erases) = (world.handle(), world.handle());
        let delete = RowChange::Delete { id, expected: Version::FIRST };
        let opens = tokio::spawn(async move { opens.open_trade(&opening, None).await.map(|_| ()) });
        let erases = tokio::spawn(async move { erases.commit_vehicle(&delete, None).await.map(|_| ()) });
        assert_others_conflict(&[opens.await.unwrap(), erases.await.unwrap()]);
    }
}

/// Commits every change to the same trade at the same version, all at once.
async fn race_on(world: &World, trade: TradeId, changes: Vec<TradeChanges>) -> Vec<Result<NewIds, RepositoryError>> {
    let version = world.load(TradeKey::Trade(trade)).await.version;
    together(changes.into_iter().map(|changes| {
        let store = world.handle();
        async move { store.commit_trade(trade, version, &changes, None).await }
    }))
    .await
}

pub async fn one_of_many_first_proposals_is_made_and_billed(handles: Handles) {
    let world = World::new(handles);
    let owner = world.customer().await;
    for _ in 0..ROUNDS {
        let trade = world.trade(owner).await;
        let changes = TradeChanges { new_invoice: Some(new_invoice(owner)), ..proposed(proposal(trade, owner)) };
        let results = race_on(&world, trade, vec![changes; RACERS.into()]).await;
        assert_others_conflict(&results);
    }
    assert_eq!(world.proposals().await.len(), usize::from(ROUNDS));
    assert_eq!(world.invoices().await.len(), usize::from(ROUNDS));
}

pub async fn one_of_many_accepts_wins(handles: Handles) {
    let world = World::new(handles);
    let mut people = Vec::new();
    for _ in 0..RACERS {
        people.push(world.customer().await);
    }
    for _ in 0..ROUNDS {
        let deal = world.deal().await;
        let mut accepts = Vec::new();
        for buyer in &people {
            let terms = world.propose(deal.trade, *buyer).await;
            let invoice = NewInvoice { proposal_id: Some(terms), ..new_invoice(deal.owner) };
            let accept = agreed(terms, TradeMove::Agree(agreement(terms, *buyer)));
            accepts.push(TradeChanges { new_invoice: Some(invoice), ..accept });
        }
        assert_others_conflict(&race_on(&world, deal.trade, accepts).await);
        let filter = ProposalFilter { trade_id: Some(deal.trade), ..ProposalFilter::default() };
        let rows = world.list_proposals(&filter, base()).await;
        let accepted = rows.iter().filter(|row| matches!(row.state, ProposalState::Accepted { .. })).count();
        let closed = rows.iter().filter(|row| matches!(row.state, ProposalState::Closed { .. })).count();
        assert_eq!((accepted, closed), (1, rows.len() - 1));
    }
    assert_eq!(world.invoices().await.len(), usize::from(ROUNDS));
}

/// Two successive trades of one vehicle are agreed at the same time; no version covers both.
pub async fn one_of_two_agreed_periods_is_agreed(handles: Handles) {
    let world = World::new(handles);
    let (owner, lessee) = (world.customer().await, world.customer().await);
    let service = world.service(ServiceKind::Lease).await;
    for _ in 0..ROUNDS {
        let car = world.vehicle(owner).await;
        let mut racers = Vec::new();
        for days in [period(1, 10), period(9, 20)] {
            let trade = world.open(car, service).await;
            let terms = world.propose_as(Proposal { period: Some(days), ..proposal(trade, owner) }).await;
            world.cancel(trade).await;
            let version = world.load(TradeKey::Trade(trade)).await.version;
            let agreement = Agreement { days: Some(days), ..agreement(terms, lessee) };
            let changes = agreed(terms, TradeMove::Complete(agreement, at(10)));
            let store = world.handle();
            racers.push(async move { store.commit_trade(trade, version, &changes, None).await });
        }
        assert_one_took(&together(racers).await, Guarantee::AgreedPeriods);
    }
}

pub async fn one_of_many_payments_gets_a_charge_key(handles: Handles) {
    let world = World::new(handles);
    let mut billed = Vec::new();
    for _ in 0..RACERS {
        let deal = world.deal().await;
        let invoice = world.bill(deal.trade, deal.proposal, deal.owner).await;
        billed.push((deal, invoice));
    }
    for round in 0..ROUNDS {
        let mut racers = Vec::new();
        for (deal, invoice) in &billed {
            let card = world.card(deal.owner).await;
            let version = world.load(TradeKey::Trade(deal.trade)).await.version;
            let changes = paying(payment(*invoice, card, deal.owner, &format!("key-{round}")));
            let (store, trade) = (world.handle(), deal.trade);
            racers.push(async move { store.commit_trade(trade, version, &changes, None).await });
        }
        assert_one_took(&together(racers).await, Guarantee::ChargeKey);
    }
    assert_eq!(world.payments().await.len(), usize::from(ROUNDS));
}

pub async fn one_of_many_payments_is_taken_off_the_same_invoice(handles: Handles) {
    let world = World::new(handles);
    for round in 0..ROUNDS {
        let deal = world.deal().await;
        let id = world.bill(deal.trade, deal.proposal, deal.owner).await;
        let card = world.card(deal.owner).await;
        let changes = (0..RACERS).map(|racer| {
            let payment = payment(id, card, deal.owner, &format!("key-{round}-{racer}"));
            let invoice = InvoiceChange {
                id,
                paid: usd("0"),
                pending: usd("60"),
                refunded: usd("0"),
                state: InvoiceState::Open,
                due_date: day(14),
                overdue_at: None,
            };
            TradeChanges { invoice: Some(invoice), ..paying(Payment { amount: usd("60"), ..payment }) }
        });
        assert_others_conflict(&race_on(&world, deal.trade, changes.collect()).await);
    }
    assert_eq!(world.payments().await.len(), usize::from(ROUNDS));
}

/// One trade is written and read at the same time: title, description and version always come from the same commit.
pub async fn a_load_never_sees_half_of_a_commit(handles: Handles) {
    const LAST: i64 = 40;
    let world = World::new(handles);
    let trade = world.trade(world.customer().await).await;
    world.commit(trade, &retitled("2")).await;
    let workers = (0..RACERS).map(|racer| {
        let store = world.handle();
        async move {
            loop {
                let load = TradeLoad { key: TradeKey::Trade(trade), viewer: None, with_pending: false, card: None, now: base() };
                let loaded = store.load_trade(&load).await.unwrap().unwrap();
                let Version(version) = loaded.version;
                let words = (loaded.trade.title.clone(), loaded.trade.description.clone());
                assert_eq!(words, (version.to_string(), version.to_string()));
                if version >= LAST {
                    return;
                }
                if racer % 2 == 0 {
                    let changes = retitled(&loaded.version.next().0.to_string());
                    match store.commit_trade(trade, loaded.version, &changes, None).await {
                        Ok(_) | Err(RepositoryError::Conflict) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
                tokio::task::yield_now().await;
            }
        }
    });
    together(workers).await;
    assert_eq!(world.load(TradeKey::Trade(trade)).await.version, Version(LAST));
}
