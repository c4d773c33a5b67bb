//! Two servers on one database, and requests that race on them.

use std::collections::BTreeMap;

use lease_core::invariants::Books;
use lease_store_postgres::PostgresRepository;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::{Barrier, MutexGuard};

use crate::client::{Addresses, Client, card, made, vehicle};
use crate::postgres::TestDatabase;
use crate::process::Server;
use crate::{TURN, serve};

/// The number of requests that race, half of them on each server.
pub(crate) const RACERS: usize = 8;

/// The standard services are created with the database: the lease first, then the sale.
pub(crate) const LEASE: i64 = 1;
pub(crate) const SELL: i64 = 2;

/// A request that races, with its sender.
pub(crate) struct Racer {
    pub(crate) client: Client,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Value,
    /// The idempotency key; empty for none.
    pub(crate) key: String,
}

/// A response: the status, and the error code if there is one.
pub(crate) async fn response(client: &mut Client, method: Method, path: &str, body: &Value, key: &str) -> String {
    let (status, body) = client.send(method, path, body, key).await.unwrap();
    body["code"].as_str().map_or_else(|| status.to_string(), |code| format!("{status} {code}"))
}

/// Sends all of them at once; returns the responses in the same order.
pub(crate) async fn race(racers: Vec<Racer>) -> Vec<String> {
    let start = std::sync::Arc::new(Barrier::new(racers.len()));
    let sent: Vec<_> = racers
        .into_iter()
        .map(|Racer { mut client, method, path, body, key }| {
            let start = std::sync::Arc::clone(&start);
            tokio::spawn(async move {
                start.wait().await;
                response(&mut client, method, &path, &body, &key).await
            })
        })
        .collect();
    let mut responses = Vec::new();
    for racer in sent {
        responses.push(racer.await.unwrap());
    }
    responses
}

pub(crate) fn counted(responses: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for response in responses {
        *counts.entry(response.as_str()).or_default() += 1;
    }
    counts
}

/// Two servers on one database, an owner with a card, the racing customers, and an administrator.
pub(crate) struct TwoServers {
    servers: [Server; 2],
    database: TestDatabase,
    pub(crate) addresses: Addresses,
    pub(crate) owner: Client,
    pub(crate) root: Client,
    pub(crate) racers: Vec<Client>,
    pub(crate) card: i64,
    vehicles: u32,
    turn: MutexGuard<'static, ()>,
}

impl TwoServers {
    pub(crate) async fn new() -> Self {
        let turn = TURN.lock().await;
        let database = TestDatabase::create().await;
        let servers = [serve(&database), serve(&database)];
        let addresses = Addresses::default();
        addresses.set(servers.iter().map(|server| server.address.clone()).collect());
        let mut owner = Client::register(&addresses, "owner", 0).await;
        let mut racers = Vec::new();
        for number in 0..RACERS {
            racers.push(Client::register(&addresses, &format!("racer{number}"), number).await);
        }
        let root = Client::superuser(&addresses).await;
        let card = made(&owner.post("/api/credit-cards", &card(), "").await.unwrap());
        Self { servers, database, addresses, owner, root, racers, card, vehicles: 0, turn }
    }

    /// One of the two servers.
    pub(crate) const fn server(&self, number: usize) -> &Server {
        &self.servers[number]
    }

    /// Another server on the database.
    pub(crate) fn spare(&self) -> Server {
        serve(&self.database)
    }

    /// Kills the first server, and puts a spare one into its place.
    pub(crate) fn kill_first(&mut self, spare: Server) {
        self.servers[0] = spare;
        self.addresses.set(self.servers.iter().map(|server| server.address.clone()).collect());
    }

    /// A store on the database.
    pub(crate) async fn store(&self) -> PostgresRepository {
        self.database.connect().await
    }

    /// Creates another vehicle of the owner.
    pub(crate) async fn vehicle(&mut self) -> i64 {
        self.vehicles += 1;
        made(&self.owner.post("/api/vehicles", &vehicle(self.vehicles), "").await.unwrap())
    }

    /// Opens a trade with a new vehicle.
    pub(crate) async fn trade(&mut self, service: i64) -> i64 {
        let offer = json!({"vehicle_id": self.vehicle().await, "service_id": service});
        made(&self.owner.post("/api/trades", &offer, "").await.unwrap())
    }

    /// Opens a sale, with a proposal by the owner.
    pub(crate) async fn offer(&mut self) -> (i64, i64) {
        let trade = self.trade(SELL).await;
        let proposals = format!("/api/trades/{trade}/proposals");
        (trade, made(&self.owner.post(&proposals, &terms(SELL), "").await.unwrap()))
    }

    /// An invoice for the owner over 49.00, from a lease with a first proposal.
    pub(crate) async fn bill(&mut self) -> i64 {
        let trade = self.trade(LEASE).await;
        made(&self.owner.post(&format!("/api/trades/{trade}/proposals"), &terms(LEASE), "").await.unwrap());
        self.owner.read(&format!("/api/trades/{trade}")).await["invoice_id"].as_i64().unwrap()
    }

    /// A request of this customer; `number` chooses the server.
    pub(crate) fn by(&self, who: &Client, number: usize, path: &str, body: &Value) -> Racer {
        // Each of the racing customers uses another server than the previous one.
        let client = self.racers[number % RACERS].with_token_of(Some(who));
        Racer { client, method: Method::POST, path: path.to_owned(), body: body.clone(), key: String::new() }
    }

    /// The same request by every racing customer.
    pub(crate) fn by_all(&self, path: &str, body: &Value) -> Vec<Racer> {
        (0..).zip(&self.racers).map(|(number, racer)| self.by(racer, number, path, body)).collect()
    }

    /// The same request by one customer, to the two servers in turn.
    pub(crate) fn by_one(&self, who: &Client, path: &str, body: &Value) -> Vec<Racer> {
        (0..RACERS).map(|number| self.by(who, number, path, body)).collect()
    }

    /// Checks the invariants and ends the servers.
    pub(crate) async fn finish(self) -> Books {
        let store = self.database.connect().await;
        let books = Books::read(&store).await.unwrap();
        assert_eq!(books.violations(), Vec::<String>::new());
        store.close().await;
        drop(self.servers);
        self.database.drop().await;
        drop(self.turn);
        books
    }
}

/// Terms that the service accepts, always for the same days.
pub(crate) fn terms(service: i64) -> Value {
    match service {
        SELL => json!({"amount": "9000"}),
        _ => json!({"amount": "300", "start_date": "2030-01-01", "end_date": "2030-07-01"}),
    }
}
