//! The snapshots that decisions about a trade read.
//!
//! Rules 4.11, 5.6 and 8.8.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::build::*;
use super::commits::Commits as _;
use super::world::World;
use crate::account::Login;
use crate::clock::last_instant;
use crate::decision::RowChange;
use crate::id::{Stored, Version};
use crate::lifecycle::OpeningSnapshot;
use crate::lifecycle::{InvoiceChange, NewInvoice, Opening, TradeChanges, TradeSnapshot, ViewerHistory};
use crate::model::*;
use crate::money::Money;
use crate::page::PageRequest;
use crate::repository::*;
use crate::wallet::{CardChange, DefaultCard, WalletChange};

pub async fn opening_a_trade_writes_it_and_moves_what_it_was_decided_on(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let owner = world.customer().await;
    let (car, work) = (world.vehicle(owner).await, world.service(ServiceKind::Sell).await);
    let value = Trade {
        title: "Ein Käfer".into(),
        description: "a\nb".into(),
        created_at: at(3) + tick(),
        ..world.opening(car, work).await.trade
    };
    let first = Opening { first_use_of_service: Some(Version::FIRST), ..opening(value.clone(), Version::FIRST) };
    let id = world.store.open_trade(&first, None).await.unwrap();
    let loaded = world.load(TradeKey::Trade(id)).await;
    let service = Service { is_used: true, ..service(ServiceKind::Sell) };
    let expected = TradeSnapshot {
        owner_is_active: true,
        trade: Stored { id, value },
        service: Stored { id: work, value: service.clone() },
        invoice: None,
        has_proposals: false,
        proposal: None,
        payment: None,
        refund: None,
        card: None,
        viewer: ViewerHistory::default(),
    };
    assert_eq!((loaded.version, &loaded.value), (Version::FIRST, &expected));
    assert_eq!(world.load_as(TradeKey::Trade(id), Some(owner)).await, loaded, "the viewer makes no difference yet");
    assert_eq!(world.load_vehicle(car).await.version, Version(2));
    let used = world.store.find_service(work).await.unwrap().unwrap();
    assert_eq!((used.version, &**used), (Version(2), &service));

    // A later trade leaves the service as it is.
    let second = world.vehicle(owner).await;
    world.open(second, work).await;
    assert_eq!(world.store.find_service(work).await.unwrap().unwrap().version, Version(2));
}

pub async fn opening_on_a_version_that_is_gone_is_a_conflict(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let owner = world.customer().await;
    let (car, work) = (world.vehicle(owner).await, world.service(ServiceKind::Sell).await);
    let good = Opening { first_use_of_service: Some(Version::FIRST), ..world.opening(car, work).await };
    let stale_vehicle = Opening { vehicle_version: Version(2), ..good.clone() };
    world.assert_conflict(world.store.open_trade(&stale_vehicle, None)).await;
    let stale_service = Opening { first_use_of_service: Some(Version(2)), ..good.clone() };
    world.assert_conflict(world.store.open_trade(&stale_service, None)).await;
    let gone = opening(trade(nobody(), work, owner), Version::FIRST);
    world.assert_conflict(world.store.open_trade(&gone, None)).await;
    world.store.open_trade(&good, None).await.unwrap();
}

pub async fn changes_to_a_stale_version_of_a_trade_are_a_conflict(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let Version(now) = world.load(TradeKey::Trade(deal.trade)).await.version;
    let full = TradeChanges {
        decided: Some((deal.proposal, ProposalState::Superseded { at: at(1) })),
        new_invoice: Some(new_invoice(deal.owner)),
        new_proposal: Some(proposal(deal.trade, deal.owner)),
        state: Some(cancelled(at(1))),
        ..retitled("half")
    };
    for expected in [Version(now - 1), Version(now + 1)] {
        world.assert_conflict(world.store.commit_trade(deal.trade, expected, &full, None)).await;
    }
    world.assert_conflict(world.store.commit_trade(nobody(), Version::FIRST, &retitled("x"), None)).await;
}

pub async fn a_sale_moves_the_vehicle_and_its_version(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (deal, buyer) = (world.deal().await, world.customer().await);
    let before = world.load_vehicle(deal.vehicle).await;
    let edit = RowChange::Update { id: deal.vehicle, expected: before.version, value: before.vehicle.value.clone() };
    world.sell(deal.trade, deal.proposal, buyer).await;
    let after = world.load_vehicle(deal.vehicle).await;
    assert_eq!(after.version, before.version.next());
    assert_eq!(after.vehicle.value, Vehicle { customer_id: buyer, ..before.vehicle.value.clone() });
    // A decision that was based on the vehicle of the previous owner is a conflict.
    world.assert_conflict(world.store.commit_vehicle(&edit, None)).await;
}

pub async fn a_trade_is_found_by_each_of_its_keys(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (deal, other) = (world.deal().await, world.deal().await);
    let second = world.propose(deal.trade, other.owner).await;
    let invoice = world.bill(deal.trade, deal.proposal, deal.owner).await;
    let payments = [world.pay(deal.trade).await, world.pay(deal.trade).await];
    let plain = world.load(TradeKey::Trade(deal.trade)).await;
    assert_eq!((plain.proposal.as_ref(), plain.payment.as_ref(), plain.has_proposals), (None, None, true));
    assert_eq!(plain.invoice.as_ref().map(|row| row.id), Some(invoice));
    assert_eq!(plain.trade.invoice_id, Some(invoice));
    assert_eq!(world.load(TradeKey::Invoice(invoice)).await, plain);
    for id in [deal.proposal, second] {
        let mut loaded = world.load(TradeKey::Proposal(id)).await;
        let asked = loaded.value.proposal.take().unwrap().proposal;
        assert_eq!((asked.id, asked.trade_id), (id, deal.trade));
        assert_eq!(loaded, plain);
    }
    for id in payments {
        let mut loaded = world.load(TradeKey::Payment(id)).await;
        let (payment, card) = loaded.value.payment.take().unwrap();
        assert_eq!((payment.id, payment.credit_card_id, card.customer_id), (id, card.id, deal.owner));
        assert_eq!(loaded, plain);
    }
    let absent =
        [TradeKey::Trade(nobody()), TradeKey::Proposal(nobody()), TradeKey::Invoice(nobody()), TradeKey::Payment(nobody())];
    for key in absent {
        let load = TradeLoad { key, viewer: Some(deal.owner), with_pending: true, card: None, now: base() };
        assert_eq!(world.store.load_trade(&load).await.unwrap(), None);
    }
}

pub async fn rows_of_lists_are_what_a_load_returns(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (deal, other) = (world.deal().await, world.deal().await);
    world.bill(deal.trade, deal.proposal, deal.owner).await;
    world.pay(deal.trade).await;
    world.propose(other.trade, deal.owner).await;
    let page = PageRequest::default();
    for visible_to in [None, Some(deal.owner), Some(other.owner)] {
        let loaded = async |key| {
            let load = TradeLoad { key, viewer: visible_to, with_pending: false, card: None, now: at(1) };
            world.store.load_trade(&load).await.unwrap().unwrap().value
        };
        let trades = world.store.list_trades(&TradeFilter { visible_to, ..TradeFilter::default() }, page, base()).await.unwrap();
        assert_eq!(trades.items.len(), 2);
        for row in trades.items {
            assert_eq!(row, loaded(TradeKey::Trade(row.trade.id)).await);
        }
        let filter = ProposalFilter { visible_to, ..ProposalFilter::default() };
        let proposals = world.store.list_proposals(&filter, page, at(1)).await.unwrap();
        assert!(proposals.items.len() >= 2, "{proposals:?}");
        for row in proposals.items {
            assert_eq!(row, loaded(TradeKey::Proposal(row.proposal.as_ref().unwrap().proposal.id)).await);
        }
    }
}

pub async fn an_invoice_and_a_payment_are_found_by_their_ids(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let invoice = world.bill(deal.trade, deal.proposal, deal.owner).await;
    let payment = world.pay(deal.trade).await;
    let loaded = world.load(TradeKey::Payment(payment)).await.value;
    assert_eq!(world.store.find_invoice(invoice).await.unwrap(), loaded.invoice);
    assert_eq!(world.store.find_payment(payment).await.unwrap(), loaded.payment.map(|(payment, _)| payment));
    assert_eq!(world.store.find_invoice(nobody()).await.unwrap(), None);
    assert_eq!(world.store.find_payment(nobody()).await.unwrap(), None);
}

pub async fn a_card_that_is_asked_about_is_loaded_deleted_or_not(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let gone = CreditCard { deleted_at: Some(at(1)), ..credit_card(deal.owner) };
    let (kept, deleted) = (world.card(deal.owner).await, world.card_of(gone.clone()).await);
    let asked = [
        (kept, Some(Stored { id: kept, value: credit_card(deal.owner) })),
        (deleted, Some(Stored { id: deleted, value: gone })),
        (nobody(), None),
    ];
    for (card, expected) in asked {
        let load =
            TradeLoad { key: TradeKey::Trade(deal.trade), viewer: None, with_pending: false, card: Some(card), now: base() };
        assert_eq!(world.store.load_trade(&load).await.unwrap().unwrap().card, expected);
    }
}

/// A payment keeps its card, even if the card is deleted.
pub async fn a_payment_keeps_a_card_that_is_deleted(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    world.bill(deal.trade, deal.proposal, deal.owner).await;
    let id = world.pay(deal.trade).await;
    let (_, card) = world.load(TradeKey::Payment(id)).await.value.payment.unwrap();
    let gone = CreditCard { deleted_at: Some(at(1)), ..card.value };
    let change = WalletChange {
        customer_id: deal.owner,
        expected: world.wallet(deal.owner).await.version,
        card: CardChange::Update(card.id, gone.clone()),
        others: DefaultCard::Keep,
    };
    world.store.commit_wallet(&change, None).await.unwrap();
    let (_, loaded) = world.load(TradeKey::Payment(id)).await.value.payment.unwrap();
    assert_eq!(loaded, Stored { id: card.id, value: gone });
}

pub async fn a_snapshot_contains_the_viewers_history(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let (bidder, stranger) = (world.customer().await, world.customer().await);
    for _ in 0..2 {
        let bid = world.propose(deal.trade, bidder).await;
        world.decide(deal.trade, bid, ProposalState::Withdrawn { at: at(1) }).await;
    }
    let short = Proposal { expires_at: Some(at(1)), ..proposal(deal.trade, bidder) };
    let pending = world.propose_as(short.clone()).await;
    world.propose(world.trade(stranger).await, stranger).await;
    let own = Stored { id: deal.proposal, value: proposal(deal.trade, deal.owner) };
    let standings = [
        (Some(deal.owner), ViewerHistory { proposals_made: 1, pending: Some(own) }),
        (Some(bidder), ViewerHistory { proposals_made: 3, pending: Some(Stored { id: pending, value: short }) }),
        (Some(stranger), ViewerHistory::default()),
        (None, ViewerHistory::default()),
    ];
    for (viewer, viewer_history) in standings {
        // A proposal that is stored as pending counts, expired or not.
        for now in [base(), at(1), at(100)] {
            assert_eq!(world.load_at(TradeKey::Trade(deal.trade), viewer, now).await.value.viewer, viewer_history, "{viewer:?}");
        }
    }
}

pub async fn a_party_that_was_deactivated_meanwhile_is_a_conflict(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (deal, bidder, account) = (world.deal().await, world.customer().await, world.account(Role::Customer).await);
    let idle = account.customer_id.unwrap();
    world.deactivate(account).await;
    let with = |party| TradeChanges { active_party: Some(party), ..retitled("agreed") };
    let version = world.load(TradeKey::Trade(deal.trade)).await.version;
    for party in [idle, nobody()] {
        world.assert_conflict(world.store.commit_trade(deal.trade, version, &with(party), None)).await;
    }
    world.store.commit_trade(deal.trade, version, &with(bidder), None).await.unwrap();
}

pub async fn a_card_that_was_deleted_meanwhile_is_a_conflict(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let invoice = world.bill(deal.trade, deal.proposal, deal.owner).await;
    let gone = CreditCard { deleted_at: Some(at(1)), ..credit_card(deal.owner) };
    let (kept, deleted) = (world.card(deal.owner).await, world.card_of(gone).await);
    let version = world.load(TradeKey::Trade(deal.trade)).await.version;
    let with = |card, key| paying(payment(invoice, card, deal.owner, key));
    world.assert_conflict(world.store.commit_trade(deal.trade, version, &with(deleted, "deleted"), None)).await;
    world.store.commit_trade(deal.trade, version, &with(kept, "kept"), None).await.unwrap();
}

pub async fn a_service_that_was_deactivated_meanwhile_is_a_conflict(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let owner = world.customer().await;
    let (car, work) = (world.vehicle(owner).await, world.service(ServiceKind::Sell).await);
    let offer = world.opening(car, work).await;
    let used = Service { is_used: true, is_active: false, ..service(ServiceKind::Sell) };
    let mut change = RowChange::Update { id: work, expected: Version::FIRST, value: used.clone() };
    world.store.commit_service(&change, None).await.unwrap();
    for first_use_of_service in [None, Some(Version(2))] {
        let offer = Opening { first_use_of_service, ..offer.clone() };
        world.assert_conflict(world.store.open_trade(&offer, None)).await;
    }
    change = RowChange::Update { id: work, expected: Version(2), value: Service { is_active: true, ..used } };
    world.store.commit_service(&change, None).await.unwrap();
    world.store.open_trade(&offer, None).await.unwrap();
}

pub async fn an_author_is_active_or_not(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (deal, account) = (world.deal().await, world.account(Role::Customer).await);
    let bid = world.propose(deal.trade, account.customer_id.unwrap()).await;
    let is_active = async |id| world.load(TradeKey::Proposal(id)).await.value.proposal.unwrap().author_is_active;
    assert!(is_active(bid).await);
    world.deactivate(account).await;
    assert!(!is_active(bid).await);
    assert!(is_active(deal.proposal).await);
}

pub async fn the_owner_of_a_trade_is_active_or_not(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (owner, deal) = (world.account(Role::Customer).await, world.deal().await);
    let trade = world.trade(owner.customer_id.unwrap()).await;
    let terms = world.propose(trade, owner.customer_id.unwrap()).await;
    let keys = [TradeKey::Trade(trade), TradeKey::Proposal(terms)];
    for key in keys {
        assert!(world.load(key).await.owner_is_active);
    }
    world.deactivate(owner).await;
    for key in keys {
        assert!(!world.load(key).await.owner_is_active);
    }
    assert!(world.load(TradeKey::Trade(deal.trade)).await.owner_is_active);
}

pub async fn pending_payments_come_oldest_first_and_no_more_than_asked(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let invoice = world.bill(deal.trade, deal.proposal, deal.owner).await;
    let card = world.card(deal.owner).await;
    let mut ids = Vec::new();
    for (index, seconds) in [30, 10, 20, 40].into_iter().enumerate() {
        let begun = Payment { created_at: at(seconds), ..payment(invoice, card, deal.owner, &format!("key-{index}")) };
        ids.push(world.commit(deal.trade, &paying(begun)).await.payment.unwrap());
    }
    let pending = async |before, limit| world.store.payments_under_way(UnderWay::Pending, before, None, limit).await.unwrap();
    let pending_after =
        async |last, limit| world.store.payments_under_way(UnderWay::Pending, at(100), Some(last), limit).await.unwrap();
    assert_eq!(pending(at(100), 10).await, [ids[1], ids[2], ids[0], ids[3]]);
    assert_eq!(pending(at(100), 2).await, [ids[1], ids[2]]);
    assert_eq!(pending(at(30), 10).await, [ids[1], ids[2]], "begun before, not at, that instant");
    assert_eq!(pending(at(30) + tick(), 10).await, [ids[1], ids[2], ids[0]]);
    assert_eq!(pending(at(10), 10).await, []);
    assert_eq!(pending_after(ids[1], 2).await, [ids[2], ids[0]]);
    assert_eq!(pending_after(ids[3], 10).await, []);
    for (id, outcome) in [(ids[1], succeeded()), (ids[0], declined())] {
        world.commit(deal.trade, &TradeChanges { payment: Some(moved(id, outcome)), ..TradeChanges::default() }).await;
    }
    assert_eq!(pending(at(100), 10).await, [ids[2], ids[3]]);
    assert_eq!(pending_after(ids[0], 10).await, [ids[3]], "after one that is already settled");
}

/// Declines are limited by what is stored (rule 5.4), so a store counts them.
pub async fn declines_of_a_customer_come_newest_first_and_no_more_than_asked(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let mut customers = Vec::new();
    for seconds in [vec![30, 10, 20, 40], vec![25]] {
        let deal = world.deal().await;
        let invoice = world.bill(deal.trade, deal.proposal, deal.owner).await;
        let card = world.card(deal.owner).await;
        for (index, begun) in seconds.into_iter().enumerate() {
            let key = format!("key-{index}-of-{}", deal.owner);
            let begun = Payment { created_at: at(begun), ..payment(invoice, card, deal.owner, &key) };
            let id = world.commit(deal.trade, &paying(begun)).await.payment.unwrap();
            // The second one of them succeeds.
            let state = if index == 1 { succeeded() } else { declined() };
            world.commit(deal.trade, &TradeChanges { payment: Some(moved(id, state)), ..TradeChanges::default() }).await;
        }
        let pending = Payment { created_at: at(50), ..payment(invoice, card, deal.owner, &format!("pending-{}", deal.owner)) };
        world.commit(deal.trade, &paying(pending)).await;
        customers.push(deal.owner);
    }
    let declines = async |customer, since, limit| world.store.declines(customer, since, limit).await.unwrap();
    assert_eq!(declines(customers[0], at(0), 10).await, [at(40), at(30), at(20)]);
    assert_eq!(declines(customers[0], at(0), 2).await, [at(40), at(30)]);
    assert_eq!(declines(customers[0], at(20), 10).await, [at(40), at(30)], "begun after, not at, that instant");
    assert_eq!(declines(customers[1], at(0), 10).await, [at(25)]);
    assert_eq!(declines(world.customer().await, at(0), 10).await.len(), 0);
}

pub async fn expired_proposals_come_in_the_order_in_which_they_expired(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let trade = world.deal().await.trade;
    let mut ids = Vec::new();
    for expires_at in [Some(at(30)), Some(at(10)), None, Some(at(20)), Some(at(20)), Some(at(40))] {
        let author = world.customer().await;
        ids.push(world.propose_as(Proposal { expires_at, ..proposal(trade, author) }).await);
    }
    let expired = async |now, limit| world.store.expired_proposals(now, None, limit).await.unwrap();
    let expired_after = async |last, limit| world.store.expired_proposals(at(100), Some(last), limit).await.unwrap();
    assert_eq!(expired(at(30), 10).await, [ids[1], ids[3], ids[4], ids[0]], "from its instant on");
    assert_eq!(expired(at(30) - tick(), 10).await, [ids[1], ids[3], ids[4]]);
    assert_eq!(expired(at(100), 2).await, [ids[1], ids[3]]);
    assert_eq!(expired(at(10) - tick(), 10).await, []);
    assert_eq!(expired_after(ids[1], 2).await, [ids[3], ids[4]]);
    assert_eq!(expired_after(ids[3], 2).await, [ids[4], ids[0]], "after one of two that expired at the same instant");
    assert_eq!(expired_after(ids[5], 10).await, []);
    world.decide(trade, ids[1], ProposalState::Expired { at: at(10) }).await;
    world.decide(trade, ids[4], ProposalState::Withdrawn { at: at(1) }).await;
    assert_eq!(expired(at(100), 10).await, [ids[3], ids[0], ids[5]], "those that are stored as pending");
    assert_eq!(expired_after(ids[1], 10).await, [ids[3], ids[0], ids[5]], "after one that is already recorded");
    world.cancel(trade).await;
    assert_eq!(expired(at(100), 10).await, []);
}

pub async fn what_was_opened_invoiced_and_paid_is_counted_by_week(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let since = at(1_000);
    let week = |weeks: i64| since + chrono::Duration::weeks(weeks);
    let (owner, work) = (world.customer().await, world.service(ServiceKind::Sell).await);
    let mut trades = Vec::new();
    for made in [week(0) - tick(), week(0), week(1) - tick(), week(2)] {
        let car = world.vehicle(owner).await;
        let trade = Trade { created_at: made, ..world.opening(car, work).await.trade };
        let version = world.load_vehicle(car).await.version;
        trades.push(world.store.open_trade(&opening(trade, version), None).await.unwrap());
    }
    for (trade, issued_at) in [(trades[1], week(0)), (trades[2], week(1)), (trades[3], week(1) + tick())] {
        let proposal = world.propose(trade, owner).await;
        let invoice = NewInvoice { proposal_id: Some(proposal), issued_at, ..new_invoice(owner) };
        world.commit(trade, &TradeChanges { new_invoice: Some(invoice), ..TradeChanges::default() }).await;
        let (billed, card) = (world.load(TradeKey::Trade(trade)).await.value.invoice.unwrap(), world.card(owner).await);
        let key = format!("key-{}", world.number());
        let begun = Payment { created_at: issued_at + tick(), ..payment(billed.id, card, owner, &key) };
        let paid = world.commit(trade, &paying(begun)).await.payment.unwrap();
        let outcome = if trade == trades[1] { declined() } else { succeeded() };
        world.commit(trade, &TradeChanges { payment: Some(moved(paid, outcome)), ..TradeChanges::default() }).await;
    }
    let total = |counted, week, count, amount: Option<Money>| WeeklyTotal {
        counted,
        week,
        count,
        currency: amount.map(Money::currency),
        amount: amount.map_or(Decimal::ZERO, |amount| amount.amount() * Decimal::from(count)),
    };
    let fee = Some(new_invoice(owner).amount);
    let expected = [
        total(Counted::Trades, 0, 2, None),
        total(Counted::Trades, 2, 1, None),
        total(Counted::Invoices, 0, 1, fee),
        total(Counted::Invoices, 1, 2, fee),
        total(Counted::Payments, 1, 2, Some(usd("10.00"))),
    ];
    assert_eq!(world.store.weekly_totals(since).await.unwrap(), expected);
}

pub async fn overdue_invoices_come_in_the_order_of_their_due_dates(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let mut billed = Vec::new();
    for days in [3, 1, 2, 2, 4] {
        let deal = world.deal().await;
        let invoice = NewInvoice { proposal_id: Some(deal.proposal), due_date: day(days), ..new_invoice(deal.owner) };
        let changes = TradeChanges { new_invoice: Some(invoice), ..TradeChanges::default() };
        billed.push((deal.trade, world.commit(deal.trade, &changes).await.invoice.unwrap()));
    }
    let id = |place: usize| billed[place].1;
    let midnight = |days| day(days).and_time(chrono::NaiveTime::MIN).and_utc();
    let overdue = async |now, limit| world.store.overdue_invoices(now, None, limit).await.unwrap();
    let overdue_after = async |last, limit| world.store.overdue_invoices(midnight(99), Some(last), limit).await.unwrap();
    assert_eq!(overdue(midnight(4), 10).await, [id(1), id(2), id(3), id(0)], "from the midnight on");
    assert_eq!(overdue(midnight(4) - tick(), 10).await, [id(1), id(2), id(3)]);
    assert_eq!(overdue(midnight(99), 2).await, [id(1), id(2)]);
    assert_eq!(overdue(midnight(2) - tick(), 10).await, []);
    assert_eq!(overdue_after(id(1), 2).await, [id(2), id(3)]);
    assert_eq!(overdue_after(id(2), 2).await, [id(3), id(0)], "after one of two that are due on the same day");
    assert_eq!(overdue_after(id(4), 10).await, []);
    let change = async |place: usize, state, overdue_at| {
        let (trade, id) = billed[place];
        let billed = world.load(TradeKey::Invoice(id)).await.value.invoice.unwrap();
        let invoice = Some(InvoiceChange { state, overdue_at, ..InvoiceChange::of(&billed) });
        world.commit(trade, &TradeChanges { invoice, ..TradeChanges::default() }).await;
        assert_eq!(world.load(TradeKey::Trade(trade)).await.value.invoice.unwrap().overdue_at, overdue_at);
    };
    change(1, InvoiceState::Open, Some(midnight(2))).await;
    change(2, InvoiceState::Void { at: at(9), reason: "Goodwill".into() }, None).await;
    assert_eq!(overdue(midnight(99), 10).await, [id(3), id(0), id(4)], "open, and not recorded");
    assert_eq!(overdue_after(id(1), 10).await, [id(3), id(0), id(4)], "after one that is already recorded");
    change(1, InvoiceState::Open, None).await;
    assert_eq!(overdue(midnight(99), 10).await, [id(1), id(3), id(0), id(4)], "the record was taken back");
}

pub async fn an_opening_snapshot_is_the_vehicle_and_the_service_as_they_are(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (deal, buyer) = (world.deal().await, world.customer().await);
    world.agree(deal.trade, deal.proposal, buyer).await;
    let service = world.load(TradeKey::Trade(deal.trade)).await.trade.service_id;
    for viewer in [None, Some(deal.owner), Some(buyer)] {
        let offer = world.store.load_opening(Some(deal.vehicle), Some(service), viewer, base()).await.unwrap();
        assert_eq!(offer.vehicle, world.store.load_vehicle(deal.vehicle, viewer, base()).await.unwrap());
        assert_eq!(offer.service, world.store.find_service(service).await.unwrap());
        assert_eq!(offer.vehicle.unwrap().viewer_is_party, viewer.is_some());
    }
    let none = world.store.load_opening(Some(nobody()), Some(nobody()), None, base()).await.unwrap();
    assert_eq!(none, OpeningSnapshot { vehicle: None, service: None });
    let half = world.store.load_opening(Some(nobody()), Some(service), Some(buyer), base()).await.unwrap();
    assert_eq!((half.vehicle.is_some(), half.service.is_some()), (false, true));
}

/// The years 0001 and 9999 are stored and compared like any others.
pub async fn the_ends_of_the_calendar_are_kept(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let author = world.account(Role::Customer).await;
    let (first, last) = (chrono::NaiveDate::from_ymd_opt(1, 1, 1).unwrap(), last_instant());
    let period = Period::new(first, last.date_naive());
    let terms = Proposal { period, expires_at: Some(last), ..proposal(deal.trade, author.customer_id.unwrap()) };
    let id = world.propose_as(terms.clone()).await;
    let view = world.load_at(TradeKey::Proposal(id), None, last).await.value.proposal.unwrap();
    assert_eq!(view.proposal, Stored { id, value: terms });
    for (now, expired) in [(base(), vec![]), (last - tick(), vec![]), (last, vec![view.proposal])] {
        let filter = ProposalFilter { status: Some(ProposalStatus::Expired), ..ProposalFilter::default() };
        assert_eq!(world.list_proposals(&filter, now).await, expired, "at {now}");
    }

    let invoice = NewInvoice { proposal_id: Some(deal.proposal), due_date: last.date_naive(), ..new_invoice(deal.owner) };
    world.commit(deal.trade, &TradeChanges { new_invoice: Some(invoice), ..TradeChanges::default() }).await;
    let overdue = |overdue| InvoiceFilter { overdue: Some(overdue), ..InvoiceFilter::default() };
    assert_eq!(world.list_invoices(&overdue(true), last).await, []);
    assert_eq!(world.list_invoices(&overdue(false), last).await[0].due_date, last.date_naive());

    let token = crate::account::Token { expires_at: last, ..token(author.user.id, 1) };
    world.store.commit_login(&Login::new(token.clone(), last), None).await.unwrap();
    let (found, account) = world.find_token(1).await.unwrap();
    assert_eq!((found.value, account.user.last_login), (token, Some(last)));
}
