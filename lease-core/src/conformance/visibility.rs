//! A list with `visible_to` contains what the predicates of `permission` allow, for everybody and on both sides of each deadline.
//!
//! Rule 2.3; rules 4.5 and 5.3 for the changes that time alone makes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::build::*;
use super::filters::Conditions;
use super::world::World;
use crate::catalog::{LiveTrade, VehicleSnapshot};
use crate::id::{CustomerId, Stored, TradeId, VehicleId};
use crate::lifecycle::{InvoiceChange, NewInvoice, TradeChanges};
use crate::model::*;
use crate::permission::{can_view_invoice, can_view_payment, can_view_proposal, can_view_trade, can_view_vehicle};
use crate::repository::*;
use crate::text::Search;

/// Trades in every state, and customers in every relation to them.
struct Market {
    world: World,
    owner: CustomerId,
    buyer: CustomerId,
    bidder: CustomerId,
    stranger: CustomerId,
    /// The owner of an open trade and of one that is agreed, deactivated since.
    absent: CustomerId,
}

impl Market {
    async fn new(store: Arc<dyn Repository>) -> Self {
        let world = World::new(store);
        let (owner, buyer) = (world.customer().await, world.customer().await);
        let (bidder, stranger) = (world.customer().await, world.customer().await);
        let absent = world.account(Role::Customer).await;
        let market = Self { world, owner, buyer, bidder, stranger, absent: absent.customer_id.unwrap() };
        market.offer_of(market.absent, true).await;
        let (agreed, terms) = market.offer_of(market.absent, true).await;
        market.world.agree(agreed, terms, market.buyer).await;
        market.world.deactivate(absent).await;
        market.offer(false).await;
        for bids in [true, false] {
            market.offer(bids).await;
            let (cancelled, _) = market.offer(bids).await;
            market.world.cancel(cancelled).await;
            market.conclude(bids, false).await;
            let (rescinded, terms) = market.offer(bids).await;
            market.world.agree(rescinded, terms, market.buyer).await;
            market.world.rescind(rescinded, terms).await;
            market.conclude(bids, true).await;
        }
        market.sell_on().await;
        for person in market.people() {
            market.world.vehicle(person).await;
        }
        market.tell_vehicles_apart().await;
        market
    }

    /// Vehicles of several makes, models and years, so that their trades can be filtered by these.
    async fn tell_vehicles_apart(&self) {
        for (number, row) in (0..).zip(self.world.vehicles().await) {
            let (make, model) = (format!("make{}", number % 2), format!("model{}", number % 3));
            self.world.edit(row.id, |vehicle| Vehicle { make, model, year: 2000 + number, ..vehicle }).await;
        }
    }

    /// A vehicle goes from the owner over the buyer to the stranger, and another one back to the owner.
    async fn sell_on(&self) {
        for last in [self.stranger, self.owner] {
            let vehicle = self.world.vehicle(self.owner).await;
            let service = self.world.service(ServiceKind::Sell).await;
            for (seller, buyer) in [(self.owner, self.buyer), (self.buyer, last)] {
                let trade = self.world.open(vehicle, service).await;
                let terms = self.world.propose(trade, seller).await;
                self.world.sell(trade, terms, buyer).await;
            }
        }
    }

    fn people(&self) -> [CustomerId; 4] {
        [self.owner, self.buyer, self.bidder, self.stranger]
    }

    /// A trade with the owner's proposal, and possibly a proposal by the bidder that was decided since.
    async fn offer(&self, bids: bool) -> (TradeId, crate::id::ProposalId) {
        self.offer_of(self.owner, bids).await
    }

    async fn offer_of(&self, owner: CustomerId, bids: bool) -> (TradeId, crate::id::ProposalId) {
        let trade = self.world.trade(owner).await;
        let terms = self.world.propose(trade, owner).await;
        if bids {
            let bid = self.world.propose(trade, self.bidder).await;
            self.world.decide(trade, bid, ProposalState::Rejected { at: at(1) }).await;
            self.world.propose(trade, self.buyer).await;
        }
        (trade, terms)
    }

    /// A trade that the buyer agreed to, with an invoice to one of the two parties; if it is completed, the vehicle belongs to
    /// the buyer.
    async fn conclude(&self, bids: bool, complete: bool) {
        let (trade, terms) = self.offer(bids).await;
        let id = self.world.bill(trade, terms, if bids { self.owner } else { self.buyer }).await;
        let payment = self.world.pay(trade).await;
        if !complete {
            return self.world.agree(trade, terms, self.buyer).await;
        }
        let state = InvoiceState::Void { at: at(9), reason: "Goodwill".into() };
        let (due_date, overdue_at) = (day(14), None);
        let invoice =
            Some(InvoiceChange { id, paid: usd("0"), pending: usd("0"), refunded: usd("0"), state, due_date, overdue_at });
        let payment = Some(moved(payment, declined()));
        self.world.commit(trade, &TradeChanges { invoice, payment, ..TradeChanges::default() }).await;
        self.world.sell(trade, terms, self.buyer).await;
    }

    /// Whether the owner of a trade is active.
    fn is_active(&self, trade: &Trade) -> bool {
        trade.customer_id != self.absent
    }

    fn can_view(&self, viewer: CustomerId, trade: &Trade, has_proposed: bool) -> bool {
        can_view_trade(viewer, trade, self.is_active(trade), has_proposed)
    }

    /// The customers who made a proposal, each with the trade.
    async fn bids(&self) -> HashSet<(CustomerId, TradeId)> {
        self.world.proposals().await.iter().map(|row| (row.customer_id, row.trade_id)).collect()
    }
}

fn assert_same<T: crate::id::Entity>(viewer: CustomerId, all: &[Stored<T>], found: &[Stored<T>], sees: impl Fn(&T) -> bool) {
    let expected: Vec<_> = all.iter().filter(|row| sees(&row.value)).cloned().collect();
    assert_eq!(found, expected, "what customer {viewer} sees");
}

pub async fn trades_are_listed_as_the_predicate_says(store: Arc<dyn Repository>) {
    let market = Market::new(store).await;
    let (all, bids) = (market.world.trades().await, market.bids().await);
    let mut counts = HashSet::new();
    for viewer in market.people() {
        let seen = market.world.list_trades(&TradeFilter { visible_to: Some(viewer), ..TradeFilter::default() }, base()).await;
        let expected: Vec<_> =
            all.iter().filter(|row| market.can_view(viewer, row, bids.contains(&(viewer, row.id)))).cloned().collect();
        assert_eq!(seen, expected, "what customer {viewer} sees");
        counts.insert(seen.len());

        let filter = TradeFilter { visible_to: Some(viewer), status: Some(TradeStatus::Cancelled), ..TradeFilter::default() };
        let cancelled: Vec<_> =
            seen.iter().filter(|row| TradeStatus::from(&row.state) == TradeStatus::Cancelled).cloned().collect();
        assert_eq!(market.world.list_trades(&filter, base()).await, cancelled);
        for person in market.people() {
            let filter = TradeFilter { customer_id: Some(person), status: None, ..filter.clone() };
            let expected: Vec<_> = seen.iter().filter(|row| row.customer_id == person).cloned().collect();
            assert_eq!(market.world.list_trades(&filter, base()).await, expected, "{person}'s, by {viewer}");
        }
    }
    assert_eq!(counts.len(), 4, "every customer sees different trades");
}

pub async fn proposals_are_listed_as_the_predicate_says(store: Arc<dyn Repository>) {
    let market = Market::new(store).await;
    let (all, bids) = (market.world.proposals().await, market.bids().await);
    let trades: HashMap<TradeId, Trade> = market.world.trades().await.into_iter().map(|row| (row.id, row.value)).collect();
    for viewer in market.people() {
        let filter = ProposalFilter { visible_to: Some(viewer), ..ProposalFilter::default() };
        let seen = market.world.list_proposals(&filter, base()).await;
        assert_same(viewer, &all, &seen, |row| {
            let trade = &trades[&row.trade_id];
            can_view_proposal(viewer, row, trade, market.is_active(trade), bids.contains(&(viewer, row.trade_id)))
        });
        for trade_id in trades.keys() {
            let filter = ProposalFilter { trade_id: Some(*trade_id), ..filter.clone() };
            let expected: Vec<_> = seen.iter().filter(|row| row.trade_id == *trade_id).cloned().collect();
            assert_eq!(market.world.list_proposals(&filter, base()).await, expected);
        }
        for person in market.people() {
            let filter = ProposalFilter { customer_id: Some(person), ..filter.clone() };
            let expected: Vec<_> = seen.iter().filter(|row| row.customer_id == person).cloned().collect();
            assert_eq!(market.world.list_proposals(&filter, base()).await, expected, "{person}'s, by {viewer}");
        }
    }
}

pub async fn vehicles_are_listed_as_the_predicate_says(store: Arc<dyn Repository>) {
    let market = Market::new(store).await;
    let (all, trades) = (market.world.vehicles().await, market.world.trades().await);
    let of = |id: VehicleId| trades.iter().filter(move |trade| trade.vehicle_id == id);
    for viewer in market.people() {
        let filter = VehicleFilter { visible_to: Some(viewer), ..VehicleFilter::default() };
        let seen = market.world.list_vehicles(&filter).await;
        let is_visible = |row: &&Stored<Vehicle>| {
            let is_on_offer = of(row.id).any(|trade| trade.is_open() && market.is_active(trade));
            let is_party = of(row.id).any(|trade| trade.has_party(viewer) && trade.has_party(row.customer_id));
            can_view_vehicle(viewer, row, is_on_offer, is_party)
        };
        let expected: Vec<_> = all.iter().filter(is_visible).cloned().collect();
        assert_eq!(seen, expected, "what customer {viewer} sees");
        assert!(seen.len() < all.len(), "nobody sees everything");
        let mut narrower = Conditions::<VehicleFilter, Stored<Vehicle>>::new();
        for person in market.people() {
            let filter = VehicleFilter { customer_id: Some(person), ..filter.clone() };
            narrower.push(filter, move |row| row.customer_id == person);
        }
        for vehicle in &all {
            let (make, model, vin, year) = (vehicle.make_key(), vehicle.model_key(), vehicle.vin().unwrap(), vehicle.year);
            narrower.push(VehicleFilter { make: Some(make.clone()), ..filter.clone() }, move |row| row.make_key() == make);
            narrower.push(VehicleFilter { model: Some(model.clone()), ..filter.clone() }, move |row| row.model_key() == model);
            narrower.push(VehicleFilter { year_min: Some(year), ..filter.clone() }, move |row| row.year >= year);
            let search = Some(Search::new(vin.as_str()));
            narrower.push(VehicleFilter { search, ..filter.clone() }, move |row| row.vin() == Some(vin));
            narrower.push(VehicleFilter { vin: Some(vin), ..filter.clone() }, move |row| row.vin() == Some(vin));
        }
        for (filter, keep) in narrower.0 {
            let expected: Vec<_> = seen.iter().filter(|row| keep(row)).cloned().collect();
            assert_eq!(market.world.list_vehicles(&filter).await, expected, "{filter:?}");
        }
    }
}

pub async fn invoices_and_payments_are_listed_as_the_predicates_say(store: Arc<dyn Repository>) {
    let market = Market::new(store).await;
    let (invoices, payments) = (market.world.invoices().await, market.world.payments().await);
    assert_eq!((invoices.len(), payments.len()), (4, 4));
    for viewer in market.people() {
        let filter = InvoiceFilter { visible_to: Some(viewer), ..InvoiceFilter::default() };
        let seen = market.world.list_invoices(&filter, base()).await;
        assert_same(viewer, &invoices, &seen, |row| can_view_invoice(viewer, row));
        let filter = PaymentFilter { visible_to: Some(viewer), ..PaymentFilter::default() };
        let seen = market.world.list_payments(&filter).await;
        assert_same(viewer, &payments, &seen, |row| can_view_payment(viewer, row));
    }
}

/// The facts about a vehicle in a single load agree with the list of all trades.
pub async fn a_loaded_vehicle_knows_its_trades_and_its_viewer(store: Arc<dyn Repository>) {
    let market = Market::new(store).await;
    let trades = market.world.trades().await;
    let mut bids = market.world.proposals().await;
    bids.retain(|proposal| proposal.state == ProposalState::Pending);
    let mut versions = HashMap::new();
    for trade in &trades {
        versions.insert(trade.id, market.world.load(TradeKey::Trade(trade.id)).await.version);
    }
    for row in market.world.vehicles().await {
        let of: Vec<_> = trades.iter().filter(|trade| trade.vehicle_id == row.id).collect();
        for viewer in market.people().map(Some).into_iter().chain([None]) {
            let loaded = market.world.store.load_vehicle(row.id, viewer, base()).await.unwrap().unwrap();
            let live = of.iter().find(|trade| trade.is_live());
            let is_shared = |viewer| of.iter().any(|trade| trade.has_party(viewer) && trade.has_party(row.customer_id));
            let expected = VehicleSnapshot {
                vehicle: row.clone(),
                live_trade: live.map(|trade| LiveTrade {
                    id: trade.id,
                    version: versions[&trade.id],
                    is_open: trade.is_open(),
                    owner_is_active: market.is_active(trade),
                    has_bid: bids.iter().any(|bid| bid.trade_id == trade.id && bid.customer_id != trade.customer_id),
                }),
                was_traded: !of.is_empty(),
                viewer_is_party: viewer.is_some_and(is_shared),
            };
            assert_eq!(loaded.value, expected, "vehicle {} for {viewer:?}", row.id);
        }
    }
}

/// From its `expires_at` on, a filter treats a pending proposal as expired, while its row stays the same.
pub async fn a_proposal_expires_exactly_at_its_instant(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let trade = world.trade(world.customer().await).await;
    for (expires_at, decided) in [(Some(at(60)), false), (Some(at(60)), true), (Some(at(90)), false), (None, false)] {
        let author = world.customer().await;
        let id = world.propose_as(Proposal { expires_at, ..proposal(trade, author) }).await;
        if decided {
            world.decide(trade, id, ProposalState::Withdrawn { at: at(1) }).await;
        }
    }
    let expired_author = world.customer().await;
    let swept = world.propose(trade, expired_author).await;
    world.decide(trade, swept, ProposalState::Expired { at: at(2) }).await;
    let all = world.proposals().await;
    let mut found = HashSet::new();
    for now in [base(), at(60) - tick(), at(60), at(60) + tick(), at(90), at(1_000_000)] {
        for status in [ProposalStatus::Pending, ProposalStatus::Expired, ProposalStatus::Withdrawn, ProposalStatus::Closed] {
            let reads: Vec<_> = all.iter().filter(|row| ProposalStatus::from(row.state_at(now)) == status).cloned().collect();
            for visible_to in [None, Some(expired_author)] {
                let filter = ProposalFilter { status: Some(status), visible_to, ..ProposalFilter::default() };
                let mine = |row: &&Stored<Proposal>| visible_to.is_none_or(|viewer| row.customer_id == viewer);
                let expected: Vec<_> = reads.iter().filter(mine).cloned().collect();
                assert_eq!(world.list_proposals(&filter, now).await, expected, "{status} at {now}");
            }
            found.insert((status.to_string(), reads.len()));
        }
        assert_eq!(world.list_proposals(&ProposalFilter::default(), now).await, all, "rows say what is stored");
    }
    assert!(found.contains(&("expired".into(), 1)) && found.contains(&("expired".into(), 3)), "{found:?}");
}

/// An invoice is overdue from midnight (UTC) after its due date.
pub async fn an_invoice_is_overdue_from_midnight_on(store: Arc<dyn Repository>) {
    let world = World::new(store);
    for (due, is_paid) in [(0, false), (1, false), (1, true), (365, false)] {
        let deal = world.deal().await;
        let invoice = NewInvoice { proposal_id: Some(deal.proposal), due_date: day(due), ..new_invoice(deal.owner) };
        world.commit(deal.trade, &TradeChanges { new_invoice: Some(invoice), ..TradeChanges::default() }).await;
        if is_paid {
            let id = world.load(TradeKey::Trade(deal.trade)).await.value.invoice.unwrap().id;
            let state = InvoiceState::Paid { at: at(1) };
            let (due_date, overdue_at) = (day(due), None);
            let invoice =
                InvoiceChange { id, paid: usd("100"), pending: usd("0"), refunded: usd("0"), state, due_date, overdue_at };
            world.commit(deal.trade, &TradeChanges { invoice: Some(invoice), ..TradeChanges::default() }).await;
        }
    }
    let all = world.invoices().await;
    let mut counts = Vec::new();
    for days in [1, 2, 366] {
        let midnight = day(days).and_hms_opt(0, 0, 0).unwrap().and_utc();
        for now in [midnight - tick(), midnight, midnight + tick()] {
            for overdue in [true, false] {
                let filter = InvoiceFilter { overdue: Some(overdue), ..InvoiceFilter::default() };
                let expected: Vec<_> = all.iter().filter(|row| row.is_overdue(now) == overdue).cloned().collect();
                assert_eq!(world.list_invoices(&filter, now).await, expected, "overdue {overdue} at {now}");
                counts.push(expected.len());
            }
        }
    }
    assert_eq!(counts, [0, 4, 1, 3, 1, 3, 1, 3, 2, 2, 2, 2, 2, 2, 3, 1, 3, 1]);
}
