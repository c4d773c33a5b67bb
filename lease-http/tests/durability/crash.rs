//! Servers are killed and Postgres crashes while customers are trading. Afterwards every change that got a response is there
//! exactly once, and the invariants hold.
//!
//! Chapter 5, I7.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lease_core::LeaseEngine;
use lease_core::gateway::SandboxGateway;
use lease_core::invariants::Books;
use lease_core::model::{PaymentState, TradeState};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval};

use crate::client::{Addresses, Client, card, made, vehicle};
use crate::events::{Noted, all_events, read_forward, subjects};
use crate::postgres::TestDatabase;
use crate::postgres::server::crash;
use crate::two_servers::{LEASE, SELL, terms};
use crate::{TURN, serve};

/// The number of customers at once, each of whom trades with the next one.
const CUSTOMERS: usize = 4;
/// The number of crashes, of a server and of Postgres in turn.
const CRASHES: usize = 12;
/// The number of responses between two crashes.
const ANSWERS: usize = 40;

/// The rows that responses have confirmed, by id.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    vehicles: BTreeSet<i64>,
    trades: BTreeSet<i64>,
    proposals: BTreeSet<i64>,
    accepted: BTreeSet<i64>,
    cancelled: BTreeSet<i64>,
    payments: BTreeSet<i64>,
}

/// A customer who sells, leases and cancels in turn until the test ends.
struct Loader {
    client: Client,
    buyer: Client,
    number: u32,
    responses: Arc<AtomicUsize>,
    acknowledged: Acknowledged,
}

impl Loader {
    async fn run(mut self, over: Arc<AtomicBool>) -> Acknowledged {
        let card = self.make("/api/credit-cards", &card(), "card").await;
        let mut round = 0;
        while !over.load(Ordering::Relaxed) {
            round += 1;
            match round % 3 {
                0 => self.call_off(round).await,
                1 => self.sell(card, round).await,
                _ => self.lease(card, round).await,
            }
        }
        self.acknowledged
    }

    /// Sells a vehicle to the other customer.
    async fn sell(&mut self, card: i64, round: u32) {
        let trade = self.open(SELL, round).await;
        let offer = self.propose(trade, SELL, round, false).await;
        self.accept(offer, true).await;
        let invoice = self.invoice(trade).await;
        self.pay(invoice, card, None, &format!("pay-{round}")).await;
    }

    /// Leases a vehicle to the other customer, on that customer's terms, and pays the fee in two parts.
    async fn lease(&mut self, card: i64, round: u32) {
        let trade = self.open(LEASE, round).await;
        self.propose(trade, LEASE, round, false).await;
        let invoice = self.invoice(trade).await;
        self.pay(invoice, card, Some("15"), &format!("part-{round}")).await;
        let counter = self.propose(trade, LEASE, round, true).await;
        self.accept(counter, false).await;
        self.pay(invoice, card, None, &format!("rest-{round}")).await;
    }

    /// Offers a vehicle and cancels the trade.
    async fn call_off(&mut self, round: u32) {
        let trade = self.open(SELL, round).await;
        self.propose(trade, SELL, round, false).await;
        let cancel = format!("/api/trades/{trade}/cancel");
        let (status, body) = self.client.insist(&cancel, &Value::Null, &format!("cancel-{round}")).await;
        assert_eq!(status, 200, "{body}");
        self.responded();
        self.acknowledged.cancelled.insert(trade);
    }

    /// Opens a trade with a new vehicle.
    async fn open(&mut self, service: i64, round: u32) -> i64 {
        let vehicle = vehicle(self.number * 100_000 + round);
        let vehicle = self.make("/api/vehicles", &vehicle, &format!("vehicle-{round}")).await;
        self.acknowledged.vehicles.insert(vehicle);
        let offer = json!({"vehicle_id": vehicle, "service_id": service});
        let trade = self.make("/api/trades", &offer, &format!("trade-{round}")).await;
        self.acknowledged.trades.insert(trade);
        trade
    }

    /// Makes a proposal, by this customer or by the other one.
    async fn propose(&mut self, trade: i64, service: i64, round: u32, is_others: bool) -> i64 {
        let who = if is_others { &mut self.buyer } else { &mut self.client };
        let (path, key) = (format!("/api/trades/{trade}/proposals"), format!("offer-{trade}-{round}"));
        let proposal = made(&who.insist(&path, &terms(service), &key).await);
        self.responded();
        self.acknowledged.proposals.insert(proposal);
        proposal
    }

    /// Accepts a proposal: the other customer accepts one by this customer, or the other way round.
    async fn accept(&mut self, proposal: i64, is_others: bool) {
        let who = if is_others { &mut self.buyer } else { &mut self.client };
        let (path, key) = (format!("/api/proposals/{proposal}/accept"), format!("accept-{proposal}"));
        let (status, body) = who.insist(&path, &Value::Null, &key).await;
        assert_eq!(status, 200, "{body}");
        self.responded();
        self.acknowledged.accepted.insert(proposal);
    }

    /// Pays this amount, or everything that is due.
    async fn pay(&mut self, invoice: i64, card: i64, amount: Option<&str>, key: &str) {
        let mut pay = json!({"invoice_id": invoice, "credit_card_id": card});
        if let Some(amount) = amount {
            pay["amount"] = amount.into();
        }
        let (status, body) = self.client.insist("/api/payments", &pay, key).await;
        // 202: the server that began the payment died before it had the gateway's response.
        assert!([201, 202].contains(&status), "{status} {body}");
        self.responded();
        self.acknowledged.payments.insert(body["id"].as_i64().unwrap());
    }

    async fn make(&mut self, path: &str, body: &Value, key: &str) -> i64 {
        let response = self.client.insist(path, body, key).await;
        self.responded();
        made(&response)
    }

    /// The id of the invoice of a trade.
    async fn invoice(&mut self, trade: i64) -> i64 {
        self.client.read(&format!("/api/trades/{trade}")).await["invoice_id"].as_i64().unwrap()
    }

    fn responded(&self) {
        self.responses.fetch_add(1, Ordering::Relaxed);
    }
}

/// Customers who trade with each other until they are told to end.
pub(crate) struct Business {
    responses: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    loaders: Vec<JoinHandle<Acknowledged>>,
}

impl Business {
    pub(crate) async fn begin(addresses: &Addresses) -> Self {
        let mut clients = Vec::new();
        for number in 0..CUSTOMERS {
            clients.push(Client::register(addresses, &format!("customer{number}"), number).await);
        }
        let (responses, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut loaders = Vec::new();
        for (number, client) in (0..).zip(&clients) {
            let buyer = clients[(usize::try_from(number).unwrap() + 1) % clients.len()].clone();
            let (client, responses) = (client.clone(), Arc::clone(&responses));
            let loader = Loader { client, buyer, number, responses, acknowledged: Acknowledged::default() };
            loaders.push(tokio::spawn(loader.run(Arc::clone(&over))));
        }
        Self { responses, over, loaders }
    }

    /// Waits until there have been this many responses.
    pub(crate) async fn until(&self, number: usize) {
        progress(&self.responses, number).await;
    }

    /// What was confirmed to each customer.
    pub(crate) async fn end(self) -> Vec<Acknowledged> {
        self.over.store(true, Ordering::Relaxed);
        let mut acknowledged = Vec::new();
        for loader in self.loaders {
            acknowledged.push(loader.await.unwrap());
        }
        acknowledged
    }
}

/// Waits until there have been this many responses.
async fn progress(responses: &AtomicUsize, until: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut ticks = interval(Duration::from_millis(5));
    while responses.load(Ordering::Relaxed) < until {
        assert!(Instant::now() < deadline, "the servers respond again after a crash");
        ticks.tick().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_crashes() {
    let _turn = TURN.lock().await;
    let database = TestDatabase::create().await;
    let mut servers = [serve(&database), serve(&database)];
    let addresses = Addresses::default();
    let publish = |servers: &[crate::process::Server; 2]| {
        addresses.set(servers.iter().map(|server| server.address.clone()).collect());
    };
    publish(&servers);

    let business = Business::begin(&addresses).await;
    let root = Client::superuser(&addresses).await;
    let (end_of_reading, readers) = (Arc::new(AtomicBool::new(false)), [3, 100]);
    let readers = readers.map(|at_once| read_forward(root.clone(), at_once, &end_of_reading));
    for number in 0..CRASHES {
        business.until((number + 1) * ANSWERS).await;
        if number % 2 == 0 {
            // Dropping it kills it.
            servers[number / 2 % 2] = serve(&database);
            publish(&servers);
        } else {
            tokio::task::spawn_blocking(crash).await.unwrap();
        }
    }
    business.until((CRASHES + 1) * ANSWERS).await;
    let acknowledged = business.end().await;

    let store = database.connect().await;
    let engine = LeaseEngine::builder(Arc::new(store.clone()), Arc::new(SandboxGateway::new())).build().unwrap();
    // Settles all pending payments, whenever they were begun.
    engine.settle_pending(chrono::Duration::seconds(-60), 1_000).await.unwrap();
    let books = Books::read(&store).await.unwrap();
    assert_eq!(books.violations(), Vec::<String>::new());
    check(&books, &acknowledged);
    end_of_reading.store(true, Ordering::SeqCst);
    let events = all_events(&store).await;
    check_events(&events, &acknowledged);
    for reader in readers {
        assert!(reader.await.unwrap() == events, "a reader read other events, or in another order");
    }
    drop(servers);
    drop(store);
    drop(engine);
    database.drop().await;
}

/// Every confirmed row is there, and no others.
fn check(books: &Books, acknowledged: &[Acknowledged]) {
    let compare = |name: &str, stored: BTreeSet<i64>, of: fn(&Acknowledged) -> &BTreeSet<i64>| {
        let answered: BTreeSet<i64> = acknowledged.iter().flat_map(of).copied().collect();
        assert_eq!(stored, answered, "{name}");
    };
    compare("vehicles", books.vehicles.iter().map(|row| row.id.get()).collect(), |each| &each.vehicles);
    compare("trades", books.trades.iter().map(|row| row.id.get()).collect(), |each| &each.trades);
    compare("proposals", books.proposals.iter().map(|row| row.id.get()).collect(), |each| &each.proposals);
    let accepted = books.trades.iter().filter_map(|trade| trade.agreement()).map(|agreement| agreement.proposal_id.get());
    compare("acceptances", accepted.collect(), |each| &each.accepted);
    let cancelled = books.trades.iter().filter(|trade| matches!(trade.state, TradeState::Cancelled { .. }));
    compare("cancellations", cancelled.map(|row| row.id.get()).collect(), |each| &each.cancelled);
    let paid = books.payments.iter().filter(|payment| matches!(payment.state, PaymentState::Succeeded { .. }));
    compare("payments", paid.map(|row| row.id.get()).collect(), |each| &each.payments);
}

/// Everything that was confirmed has its event once, and nothing else has one (I9).
fn check_events(events: &[Noted], acknowledged: &[Acknowledged]) {
    let compare = |event_type: &str, of: fn(&Acknowledged) -> &BTreeSet<i64>| {
        let answered: BTreeSet<i64> = acknowledged.iter().flat_map(of).copied().collect();
        assert_eq!(subjects(events, event_type), answered.into_iter().collect::<Vec<_>>(), "{event_type}");
    };
    compare("vehicle.created", |each| &each.vehicles);
    compare("trade.opened", |each| &each.trades);
    compare("proposal.made", |each| &each.proposals);
    compare("proposal.accepted", |each| &each.accepted);
    compare("trade.cancelled", |each| &each.cancelled);
    compare("payment.begun", |each| &each.payments);
    compare("payment.succeeded", |each| &each.payments);
}
