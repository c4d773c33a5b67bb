//! The filters of trades and of the rows that belong to them, tested as in `filters`.

use std::collections::HashMap;
use std::sync::Arc;

use strum::VariantArray as _;

use super::build::*;
use super::filters::{Conditions, assert_finds, vehicles};
use super::world::World;
use crate::id::{Id, ServiceId, Stored};
use crate::lifecycle::{InvoiceChange, NewInvoice, TradeChanges, TradeText};
use crate::model::*;
use crate::repository::*;
use crate::text::Search;

pub async fn trades_are_filtered(store: Arc<dyn Repository>) {
    type Filter = TradeFilter;
    let world = World::new(store);
    let people = [world.customer().await, world.customer().await, world.customer().await];
    let services = [
        world.service(ServiceKind::Lease).await,
        world.service(ServiceKind::Sell).await,
        world.service(ServiceKind::Custom).await,
    ];
    let mut trades = Vec::new();
    for (index, vehicle) in vehicles(&world, &people[..2]).await.into_iter().enumerate() {
        let trade = world.open(vehicle, services[index % services.len()]).await;
        let owner = world.load(TradeKey::Trade(trade)).await.trade.customer_id;
        trades.push((trade, world.propose(trade, owner).await));
    }
    let words = TradeText { title: "Ein ALTER Käfer".into(), description: "fast rostfrei".into() };
    world.commit(trades[0].0, &TradeChanges { text: Some(words), ..TradeChanges::default() }).await;
    world.agree(trades[1].0, trades[1].1, people[2]).await;
    world.complete(trades[2].0, trades[2].1, people[1]).await;
    world.cancel(trades[3].0).await;

    // What an agreed trade and an earlier one of a vehicle offered stays as it was.
    let sold = world.load(TradeKey::Trade(trades[2].0)).await.trade.vehicle_id;
    world.edit(sold, |vehicle| Vehicle { make: "Renamed".into(), model: "Renamed".into(), year: 1999, ..vehicle }).await;
    let all = world.trades().await;
    let kinds: HashMap<ServiceId, ServiceKind> = world.services().await.into_iter().map(|row| (row.id, row.kind)).collect();
    let (car, work, owner, other) = (all[0].vehicle_id, services[0], people[0], people[2]);
    let of_car = |keep: fn(&OfferedVehicle) -> bool| move |row: &Stored<Trade>| keep(&row.offered);
    let by_counterparty = Filter { counterparty_id: Some(other), ..Filter::default() };
    let mut conditions = Conditions::<Filter, Stored<Trade>>::new();
    conditions.push(Filter { service_id: Some(work), ..Filter::default() }, move |row| row.service_id == work);
    conditions.push(Filter { vehicle_id: Some(car), ..Filter::default() }, move |row| row.vehicle_id == car);
    conditions.push(Filter { customer_id: Some(owner), ..Filter::default() }, move |row| row.customer_id == owner);
    conditions.push(by_counterparty, move |row| row.agreement().is_some_and(|made| made.counterparty_id == other));
    conditions.push(Filter { make: Some("škoda".into()), ..Filter::default() }, of_car(|car| car.make_key() == "škoda"));
    conditions.push(Filter { model: Some("octavia".into()), ..Filter::default() }, of_car(|car| car.model_key() == "octavia"));
    conditions.push(Filter { year_min: Some(2021), ..Filter::default() }, of_car(|car| car.year >= 2021));
    conditions.push(Filter { year_max: Some(2020), ..Filter::default() }, of_car(|car| car.year <= 2020));
    for text in ["käfer ei", "ROST", "rostfrei käfer"] {
        let filter = Filter { search: Some(Search::new(text)), ..Filter::default() };
        conditions.push(filter, |row| row.title.contains("Käfer"));
    }
    conditions.push(
        Filter { make: Some("škoda".into()), year_min: Some(2020), year_max: Some(2020), ..Filter::default() },
        of_car(|car| car.model == "Superb"),
    );
    for status in [TradeStatus::Open, TradeStatus::Agreed, TradeStatus::Completed, TradeStatus::Cancelled] {
        let filter = Filter { status: Some(status), ..Filter::default() };
        conditions.push(filter, move |row| TradeStatus::from(&row.state) == status);
    }
    for kind in [ServiceKind::Lease, ServiceKind::Sell, ServiceKind::Custom] {
        let (filter, kinds) = (Filter { kind: Some(kind), ..Filter::default() }, kinds.clone());
        conditions.push(filter, move |row| kinds[&row.service_id] == kind);
    }
    for (filter, keep) in conditions.0 {
        assert_finds(&all, &filter, &world.list_trades(&filter, base()).await, keep);
    }
    let backwards = Filter { year_min: Some(2021), year_max: Some(2020), ..Filter::default() };
    assert_eq!(world.list_trades(&backwards, base()).await, [], "no year");
}

pub async fn proposals_are_filtered(store: Arc<dyn Repository>) {
    type Filter = ProposalFilter;
    let world = World::new(store);
    let (deal, other) = (world.deal().await, world.deal().await);
    let states = [
        ProposalState::Pending,
        ProposalState::Rejected { at: at(1) },
        ProposalState::Withdrawn { at: at(1) },
        ProposalState::Superseded { at: at(1) },
        ProposalState::Closed { at: at(1) },
        ProposalState::Expired { at: at(1) },
    ];
    for state in states {
        let id = world.propose(deal.trade, world.customer().await).await;
        if state != ProposalState::Pending {
            world.decide(deal.trade, id, state).await;
        }
    }
    world.propose(deal.trade, other.owner).await;
    let sold = world.deal().await;
    world.agree(sold.trade, sold.proposal, other.owner).await;
    let called_off = world.deal().await;
    world.agree(called_off.trade, called_off.proposal, other.owner).await;
    world.rescind(called_off.trade, called_off.proposal).await;
    let all = world.proposals().await;
    let (trade, author) = (deal.trade, other.owner);
    let mut conditions = Conditions::<Filter, Stored<Proposal>>::new();
    conditions.push(Filter { trade_id: Some(trade), ..Filter::default() }, move |row| row.trade_id == trade);
    conditions.push(Filter { customer_id: Some(author), ..Filter::default() }, move |row| row.customer_id == author);
    conditions.push(Filter { customer_id: Some(author), trade_id: Some(trade), ..Filter::default() }, move |row| {
        row.customer_id == author && row.trade_id == trade
    });
    for status in ProposalStatus::VARIANTS.iter().copied() {
        let filter = Filter { status: Some(status), ..Filter::default() };
        conditions.push(filter, move |row| ProposalStatus::from(row.state) == status);
    }
    for (filter, keep) in conditions.0 {
        assert_finds(&all, &filter, &world.list_proposals(&filter, base()).await, keep);
    }
}

pub async fn invoices_and_payments_are_filtered(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let states = [
        InvoiceState::Open,
        InvoiceState::Paid { at: at(1) },
        InvoiceState::Void { at: at(1), reason: "None".into() },
        InvoiceState::Open,
        InvoiceState::WrittenOff { at: at(1), reason: "None".into() },
    ];
    for (state, due) in states.into_iter().zip([1, 1, 1, 9, 1]) {
        let deal = world.deal().await;
        let invoice = NewInvoice { proposal_id: Some(deal.proposal), due_date: day(due), ..new_invoice(deal.owner) };
        world.commit(deal.trade, &TradeChanges { new_invoice: Some(invoice), ..TradeChanges::default() }).await;
        let id = world.load(TradeKey::Trade(deal.trade)).await.value.invoice.unwrap().id;
        let paid = usd(if matches!(state, InvoiceState::Paid { .. }) { "100" } else { "0" });
        world.pay(deal.trade).await;
        let second = world.pay(deal.trade).await;
        let outcome = if matches!(state, InvoiceState::Open) { declined() } else { succeeded() };
        let payment = Some(moved(second, outcome));
        let invoice =
            Some(InvoiceChange { id, paid, pending: usd("0"), refunded: usd("0"), state, due_date: day(due), overdue_at: None });
        world.commit(deal.trade, &TradeChanges { invoice, payment, ..TradeChanges::default() }).await;
    }
    filter_invoices(&world).await;
    filter_payments(&world).await;
}

async fn filter_invoices(world: &World) {
    type Filter = InvoiceFilter;
    let (all, now) = (world.invoices().await, base() + chrono::Days::new(2));
    let (trade, customer) = (all[1].trade_id, all[2].customer_id);
    let mut conditions = Conditions::<Filter, Stored<Invoice>>::new();
    conditions.push(Filter { trade_id: Some(trade), ..Filter::default() }, move |row| row.trade_id == trade);
    conditions.push(Filter { customer_id: Some(customer), ..Filter::default() }, move |row| row.customer_id == customer);
    conditions.push(Filter { visible_to: Some(customer), ..Filter::default() }, move |row| row.customer_id == customer);
    conditions.push(Filter { overdue: Some(true), ..Filter::default() }, move |row| row.is_overdue(now));
    conditions.push(Filter { overdue: Some(false), ..Filter::default() }, move |row| !row.is_overdue(now));
    conditions.push(Filter { overdue: Some(false), status: Some(InvoiceStatus::Open), ..Filter::default() }, move |row| {
        row.is_open() && !row.is_overdue(now)
    });
    for status in InvoiceStatus::VARIANTS.iter().copied() {
        let filter = Filter { status: Some(status), ..Filter::default() };
        conditions.push(filter, move |row| InvoiceStatus::from(&row.state) == status);
    }
    for (filter, keep) in conditions.0 {
        assert_finds(&all, &filter, &world.list_invoices(&filter, now).await, keep);
    }
    let none = Filter { overdue: Some(true), status: Some(InvoiceStatus::Paid), ..Filter::default() };
    assert_eq!(world.list_invoices(&none, now).await, []);
}

async fn filter_payments(world: &World) {
    type Filter = PaymentFilter;
    let all = world.payments().await;
    let (invoice, customer, card) = (all[0].invoice_id, all[3].customer_id, all[4].credit_card_id);
    let mut conditions = Conditions::<Filter, Stored<Payment>>::new();
    conditions.push(Filter { invoice_id: Some(invoice), ..Filter::default() }, move |row| row.invoice_id == invoice);
    conditions.push(Filter { customer_id: Some(customer), ..Filter::default() }, move |row| row.customer_id == customer);
    conditions.push(Filter { visible_to: Some(customer), ..Filter::default() }, move |row| row.customer_id == customer);
    conditions.push(Filter { credit_card_id: Some(card), ..Filter::default() }, move |row| row.credit_card_id == card);
    conditions
        .push(Filter { status: Some(PaymentStatus::Pending), invoice_id: Some(invoice), ..Filter::default() }, move |row| {
            row.state == PaymentState::Pending && row.invoice_id == invoice
        });
    for status in [PaymentStatus::Pending, PaymentStatus::Succeeded, PaymentStatus::Failed] {
        let filter = Filter { status: Some(status), ..Filter::default() };
        conditions.push(filter, move |row| PaymentStatus::from(&row.state) == status);
    }
    for (filter, keep) in conditions.0 {
        assert_finds(&all, &filter, &world.list_payments(&filter).await, keep);
    }
}

fn none<I: Id>() -> Option<I> {
    I::new(i64::MAX / 2)
}

pub async fn an_id_that_does_not_exist_finds_nothing(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    world.bill(deal.trade, deal.proposal, deal.owner).await;
    world.pay(deal.trade).await;
    assert_eq!(world.list_users(&UserFilter { visible_to: none(), ..UserFilter::default() }).await, []);
    assert_eq!(world.list_customers(&CustomerFilter { user_id: none(), ..CustomerFilter::default() }).await, []);
    assert_eq!(world.list_vehicles(&VehicleFilter { customer_id: none(), ..VehicleFilter::default() }).await, []);
    assert_eq!(world.list_trades(&TradeFilter { service_id: none(), ..TradeFilter::default() }, base()).await, []);
    let filter = ProposalFilter { trade_id: none(), ..ProposalFilter::default() };
    assert_eq!(world.list_proposals(&filter, base()).await, []);
    let filter = InvoiceFilter { trade_id: none(), ..InvoiceFilter::default() };
    assert_eq!(world.list_invoices(&filter, base()).await, []);
    assert_eq!(world.list_payments(&PaymentFilter { invoice_id: none(), ..PaymentFilter::default() }).await, []);
}
