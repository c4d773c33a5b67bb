//! Two server processes, one winner.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::{Addresses, Client, card, made, registration, vehicle};
use crate::postgres::TestDatabase;
use crate::process::Server;
use crate::{TURN, serve};

/// Rounds of each race.
const ROUNDS: u32 = 20;
/// Requests that race, half of them to each server.
const RACERS: usize = 8;

/// Sends all of them at once, each as somebody of its own, and counts the answers.
async fn race(racers: Vec<(Client, String, Value)>) -> BTreeMap<String, usize> {
    let sent: Vec<_> = racers
        .into_iter()
        .map(|(mut client, path, body)| {
            tokio::spawn(async move {
                let (status, body) = client.post(&path, &body, "").await.unwrap();
                match body["code"].as_str() {
                    Some(code) => format!("{status} {code}"),
                    None => status.to_string(),
                }
            })
        })
        .collect();
    let mut counts = BTreeMap::new();
    for answer in sent {
        *counts.entry(answer.await.unwrap()).or_default() += 1;
    }
    counts
}

fn counted<const N: usize>(counts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    counts.into_iter().map(|(answer, count)| (answer.to_owned(), count)).collect()
}

/// Exactly one won; the others were told one of these, by how far the winner was.
#[track_caller]
fn one_won(counts: &BTreeMap<String, usize>, won: &str, lost: &[&str]) {
    assert_eq!(counts.get(won), Some(&1), "{counts:?}");
    assert_eq!(counts.values().sum::<usize>(), RACERS, "{counts:?}");
    assert!(counts.keys().all(|answer| answer == won || lost.contains(&answer.as_str())), "{counts:?}");
}

/// Two servers on one database, an owner and those who race.
struct Track {
    _servers: [Server; 2],
    owner: Client,
    racers: Vec<Client>,
    sell: i64,
    vehicles: u32,
}

impl Track {
    async fn new(database: &TestDatabase) -> Self {
        let servers = [serve(database), serve(database)];
        let addresses = Addresses::default();
        addresses.set(servers.iter().map(|server| server.address.clone()).collect());
        let owner = Client::register(&addresses, "owner", 0).await;
        let mut racers = Vec::new();
        for number in 0..RACERS {
            racers.push(Client::register(&addresses, &format!("racer{number}"), number).await);
        }
        // The standard services come with the database: the lease first, then the sale.
        Self { _servers: servers, owner, racers, sell: 2, vehicles: 0 }
    }

    async fn trade(&mut self) -> i64 {
        self.vehicles += 1;
        let vehicle = made(&self.owner.post("/api/vehicles", &vehicle(self.vehicles), "").await.unwrap());
        let offer = json!({"vehicle_id": vehicle, "service_id": self.sell});
        made(&self.owner.post("/api/trades", &offer, "").await.unwrap())
    }

    async fn offer(&mut self, trade: i64) -> i64 {
        made(&self.owner.post(&format!("/api/trades/{trade}/proposals"), &json!({"amount": "9000"}), "").await.unwrap())
    }

    /// The same request by everybody.
    fn all(&self, path: &str, body: &Value) -> Vec<(Client, String, Value)> {
        self.racers.iter().map(|racer| (racer.clone(), path.to_owned(), body.clone())).collect()
    }

    /// The same request by the owner, to one server and the other in turn.
    fn owners(&self, path: &str, body: &Value) -> Vec<(Client, String, Value)> {
        let mut all = self.all(path, body);
        for (client, _, _) in &mut all {
            client.token.clone_from(&self.owner.token);
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_agree_on_one_winner() {
    let _turn = TURN.lock().await;
    let database = TestDatabase::create().await;
    let mut track = Track::new(&database).await;
    let paying = made(&track.owner.post("/api/credit-cards", &card(), "").await.unwrap());
    for round in 0..ROUNDS {
        // Many accept the owner's proposal.
        let trade = track.trade().await;
        let offer = track.offer(trade).await;
        let accepts = race(track.all(&format!("/api/proposals/{offer}/accept"), &Value::Null)).await;
        one_won(&accepts, "200", &["409 trade_not_open", "404 not_found"]);

        // The owner pays 60 of 199 many times over: three times it fits.
        let invoice = i64::from(round) + 1;
        let pay = json!({"credit_card_id": paying, "amount": "60"});
        let payments = race(track.owners(&format!("/api/invoices/{invoice}/payments"), &pay)).await;
        assert_eq!(payments, counted([("201", 3), ("400 validation_error", RACERS - 3)]), "round {round}");

        // Many pay all that is left.
        let rest = race(track.owners(&format!("/api/invoices/{invoice}/payments"), &json!({"credit_card_id": paying}))).await;
        one_won(&rest, "201", &["409 payment_pending", "409 invoice_not_open"]);

        // Many open a trade of one vehicle.
        track.vehicles += 1;
        let vehicle = made(&track.owner.post("/api/vehicles", &vehicle(track.vehicles), "").await.unwrap());
        let offer = json!({"vehicle_id": vehicle, "service_id": track.sell});
        let opens = race(track.owners("/api/trades", &offer)).await;
        assert_eq!(opens, counted([("201", 1), ("409 vehicle_in_trade", RACERS - 1)]));

        // Many register one name.
        let name = registration(&format!("wanted{round}"));
        let names: Vec<_> = track
            .all("/api/register", &name)
            .into_iter()
            .map(|(mut client, path, body)| {
                client.token.clear();
                (client, path, body)
            })
            .collect();
        assert_eq!(race(names).await, counted([("201", 1), ("400 validation_error", RACERS - 1)]));
    }
    let books = lease_core::invariants::Books::read(&database.connect().await).await.unwrap();
    assert_eq!(books.violations(), Vec::<String>::new());
    assert_eq!(books.payments.len(), usize::try_from(ROUNDS).unwrap() * 4);
    database.drop().await;
}
