//! Servers are killed and Postgres crashes while customers are at it. Afterwards everything that was answered is there, once,
//! and the books are in order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lease_core::LeaseEngine;
use lease_core::invariants::Books;
use lease_core::model::PaymentState;
use serde_json::{Value, json};
use tokio::time::{Instant, interval};

use crate::client::{Addresses, Client, card, made, vehicle};
use crate::postgres::TestDatabase;
use crate::postgres::server::crash;
use crate::{TURN, serve};

/// Customers at once, each of whom sells to the next.
const CUSTOMERS: u32 = 4;
/// Crashes, of a server and of Postgres in turn.
const CRASHES: usize = 12;
/// Answers between two crashes.
const ANSWERS: usize = 40;

/// What was answered, by id.
#[derive(Debug, Default)]
struct Acknowledged {
    vehicles: BTreeSet<i64>,
    trades: BTreeSet<i64>,
    proposals: BTreeSet<i64>,
    accepted: BTreeSet<i64>,
    payments: BTreeSet<i64>,
    /// Acts of which it is not known whether they were done.
    unknown: usize,
}

/// One who does business until it is over.
struct Loader {
    client: Client,
    buyer: Client,
    number: u32,
    answers: Arc<AtomicUsize>,
    acknowledged: Acknowledged,
}

impl Loader {
    async fn run(mut self, over: Arc<AtomicBool>) -> Acknowledged {
        let card = loop {
            if let Some(card) = self.make("/api/credit-cards", &card(), "card").await {
                break card;
            }
        };
        let mut round = 0;
        while !over.load(Ordering::Relaxed) {
            round += 1;
            if self.sell(card, round).await.is_none() {
                self.acknowledged.unknown += 1;
            }
        }
        self.acknowledged
    }

    /// Sells a vehicle to the other; `None` where the fate of a step is unknown.
    async fn sell(&mut self, card: i64, round: u32) -> Option<()> {
        let key = |step: &str| format!("{step}-{round}");
        let vehicle = self.make("/api/vehicles", &vehicle(self.number * 100_000 + round), &key("vehicle")).await?;
        self.acknowledged.vehicles.insert(vehicle);
        let trade = self.make("/api/trades", &json!({"vehicle_id": vehicle, "service_id": 2}), &key("trade")).await?;
        self.acknowledged.trades.insert(trade);
        let offer = self.make(&format!("/api/trades/{trade}/proposals"), &json!({"amount": "9000"}), &key("offer")).await?;
        self.acknowledged.proposals.insert(offer);
        let (status, body) =
            self.buyer.insist(&format!("/api/proposals/{offer}/accept"), &Value::Null, &format!("accept-{offer}")).await?;
        assert_eq!(status, 200, "{body}");
        self.answered();
        self.acknowledged.accepted.insert(offer);
        let pay = json!({"invoice_id": self.invoice(trade).await?, "credit_card_id": card});
        let (status, body) = self.client.insist("/api/payments", &pay, &key("pay")).await?;
        // 202: the server that began it died before it heard of the gateway.
        assert!([201, 202].contains(&status), "{status} {body}");
        self.answered();
        self.acknowledged.payments.insert(body["id"].as_i64().unwrap());
        Some(())
    }

    async fn make(&mut self, path: &str, body: &Value, key: &str) -> Option<i64> {
        let answer = self.client.insist(path, body, key).await?;
        self.answered();
        Some(made(&answer))
    }

    /// The invoice of a trade, which a change of nothing tells.
    async fn invoice(&mut self, trade: i64) -> Option<i64> {
        self.client.read(&format!("/api/trades/{trade}")).await["invoice_id"].as_i64()
    }

    fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits until so many answers came.
async fn progress(answers: &AtomicUsize, until: usize) {
    let deadline = Instant::now() + Duration::from_mins(1);
    let mut ticks = interval(Duration::from_millis(5));
    while answers.load(Ordering::Relaxed) < until {
        assert!(Instant::now() < deadline, "it goes on after a crash");
        ticks.tick().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_crashes() {
    let _turn = TURN.lock().await;
    let database = TestDatabase::create().await;
    let mut servers = [serve(&database), serve(&database)];
    let addresses = Addresses::default();
    let publish = |servers: &[crate::process::Server; 2]| {
        addresses.set(servers.iter().map(|server| server.address.clone()).collect());
    };
    publish(&servers);

    let mut clients = Vec::new();
    for number in 0..CUSTOMERS {
        clients.push(Client::register(&addresses, &format!("customer{number}"), usize::try_from(number).unwrap()).await);
    }
    let (answers, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let mut loaders = Vec::new();
    for (number, client) in (0..).zip(&clients) {
        let buyer = clients[(usize::try_from(number).unwrap() + 1) % clients.len()].clone();
        let loader = Loader {
            client: client.clone(),
            buyer,
            number,
            answers: Arc::clone(&answers),
            acknowledged: Acknowledged::default(),
        };
        loaders.push(tokio::spawn(loader.run(Arc::clone(&over))));
    }
    for number in 0..CRASHES {
        progress(&answers, (number + 1) * ANSWERS).await;
        if number % 2 == 0 {
            // Dropping it kills it.
            servers[number / 2 % 2] = serve(&database);
            publish(&servers);
        } else {
            tokio::task::spawn_blocking(crash).await.unwrap();
        }
    }
    progress(&answers, (CRASHES + 1) * ANSWERS).await;
    over.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for loader in loaders {
        acknowledged.push(loader.await.unwrap());
    }

    let store = database.connect().await;
    let engine = LeaseEngine::new(Arc::new(store.clone())).unwrap();
    // All are settled, whenever they were begun.
    engine.settle_pending(chrono::Duration::seconds(-60), 1_000).await.unwrap();
    let books = Books::read(&store).await.unwrap();
    assert_eq!(books.violations(), Vec::<String>::new());
    check(&books, &acknowledged);
    drop(servers);
    drop(store);
    drop(engine);
    database.drop().await;
}

/// Everything that was answered is there, and nothing else but what one act of unknown fate may have made.
fn check(books: &Books, acknowledged: &[Acknowledged]) {
    let unknown: usize = acknowledged.iter().map(|each| each.unknown).sum();
    let compare = |name: &str, stored: BTreeSet<i64>, of: fn(&Acknowledged) -> &BTreeSet<i64>| {
        let answered: BTreeSet<i64> = acknowledged.iter().flat_map(of).copied().collect();
        assert!(stored.is_superset(&answered), "{name} were lost: {:?}", answered.difference(&stored).collect::<Vec<_>>());
        let more = stored.len() - answered.len();
        assert!(more <= unknown, "{more} {name} more than were answered, of {unknown} acts of unknown fate");
    };
    compare("vehicles", books.vehicles.iter().map(|row| row.id.get()).collect(), |each| &each.vehicles);
    compare("trades", books.trades.iter().map(|row| row.id.get()).collect(), |each| &each.trades);
    compare("proposals", books.proposals.iter().map(|row| row.id.get()).collect(), |each| &each.proposals);
    let accepted = books.trades.iter().filter_map(|trade| trade.agreement()).map(|agreement| agreement.proposal_id.get());
    compare("acceptances", accepted.collect(), |each| &each.accepted);
    let paid = books.payments.iter().filter(|payment| matches!(payment.state, PaymentState::Succeeded { .. }));
    compare("payments", paid.map(|row| row.id.get()).collect(), |each| &each.payments);
}
