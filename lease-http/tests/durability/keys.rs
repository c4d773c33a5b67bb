//! A server dies or is paused while it carries out commands under idempotency keys, and their clients send them to another server
//! at once. Each is answered in time, and is carried out once.
//!
//! Rule 6.7.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lease_core::LeaseEngine;
use lease_core::gateway::SandboxGateway;
use lease_core::model::PaymentState;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::client::{Addresses, Client, Response, registration};
use crate::races::ROUNDS;
use crate::two_servers::TwoServers;

/// A key whose server died is free and answered within this time.
const IN_TIME: Duration = Duration::from_secs(5);
/// The longest time for which commands run before their server dies. Most of them are then done.
const LONGEST_RUN: Duration = Duration::from_millis(200);
/// The number of times that a server is paused.
const PAUSES: usize = 4;

/// A command under a key. Nothing but the key prevents a second effect of a lead or a payment.
#[derive(Clone)]
struct Command {
    client: Client,
    path: String,
    body: Value,
    key: String,
}

impl Command {
    /// Makes one attempt at this server.
    async fn once(self, server: Addresses) -> Option<Response> {
        self.client.at(&server).post(&self.path, &self.body, &self.key).await
    }

    /// Sends it to this server until it is answered; returns the row that it made and the time that it took since an instant.
    async fn until_answered(self, server: Addresses, since: Instant) -> (Self, i64, Duration) {
        let answered = self.client.at(&server).insist(&self.path, &self.body, &self.key).await;
        let took = since.elapsed();
        let row = row(&answered).unwrap_or_else(|| panic!("{answered:?}"));
        (self, row, took)
    }
}

/// The id of the row that a command made; `None` if it was refused. A payment may still be pending.
fn row((status, body): &Response) -> Option<i64> {
    let id = if body["user_id"].is_null() { &body["id"] } else { &body["user_id"] };
    [201, 202].contains(status).then(|| id.as_i64().unwrap())
}

/// Two payments of a new invoice each, two leads and a registration.
async fn commands(servers: &mut TwoServers, round: usize) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut add = |client: &Client, path: String, body: Value| {
        let key = format!("{round}-{}", commands.len());
        commands.push(Command { client: client.clone(), path, body, key });
    };
    for number in 0..2 {
        let invoice = servers.bill().await;
        let pay = json!({"credit_card_id": servers.card, "amount": "15"});
        add(&servers.owner, format!("/api/invoices/{invoice}/payments"), pay);
        add(&servers.root, "/api/leads".to_owned(), json!({"first_name": "Lea", "notes": format!("{round}-{number}")}));
    }
    add(&servers.owner.with_token_of(None), "/api/register".to_owned(), registration(&format!("late{round}")));
    commands
}

/// Sends all of them to this server at once.
fn send(commands: &[Command], server: &Addresses) -> JoinSet<(String, Option<Response>)> {
    let attempt = |command: &Command| {
        let (key, attempt) = (command.key.clone(), command.clone().once(server.clone()));
        async move { (key, attempt.await) }
    };
    commands.iter().map(attempt).collect()
}

/// Lets the attempts run up to a random moment; returns those that were answered by then.
async fn run_for_a_moment(attempts: &mut JoinSet<(String, Option<Response>)>) -> Vec<(String, Option<Response>)> {
    let moment = LONGEST_RUN.mul_f64(f64::from(getrandom::u32().unwrap()) / f64::from(u32::MAX));
    let mut answered = Vec::new();
    let run = async {
        while let Some(attempt) = attempts.join_next().await {
            answered.push(attempt.unwrap());
        }
    };
    // Either all of them are answered, or the moment has come.
    let _ = timeout(moment, run).await;
    answered
}

/// The address of one of the servers.
fn only(servers: &TwoServers, number: usize) -> Addresses {
    let addresses = Addresses::default();
    addresses.set(vec![servers.server(number).address.clone()]);
    addresses
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_server_died_is_answered_within_five_seconds() {
    let mut servers = TwoServers::new().await;
    let survivor = only(&servers, 1);
    let (mut first, mut again) = (BTreeMap::new(), JoinSet::new());
    for round in 0..*ROUNDS {
        let commands = commands(&mut servers, round).await;
        let (spare, dying) = (servers.spare(), only(&servers, 0));
        let mut attempts = send(&commands, &dying);
        first.extend(run_for_a_moment(&mut attempts).await);
        let killed = Instant::now();
        servers.kill_first(spare);
        // The next round begins meanwhile.
        for command in commands {
            again.spawn(command.until_answered(survivor.clone(), killed));
        }
    }
    let again = again.join_all().await;
    let mut times: Vec<_> = again.iter().map(|(_, _, took)| *took).collect();
    times.sort_unstable();
    let lost: Vec<_> = again.iter().filter(|(command, ..)| !first.contains_key(&command.key)).collect();
    let waited = times.iter().filter(|took| **took > Duration::from_secs(1)).count();
    println!("{} commands, {} not answered before the kill, {waited} answered more than 1 s after it", times.len(), lost.len());
    println!("answered after: {}", distribution(&times));
    assert!(times.last() < Some(&IN_TIME), "{times:?}");
    for (command, row, _) in &again {
        if let Some(Some(answered)) = first.get(&command.key) {
            assert_eq!(self::row(answered), Some(*row), "the second response is the first one again");
        }
    }
    assert_made_once(servers, &again).await;
}

/// The median, the highest tenth and the longest of sorted times.
fn distribution(times: &[Duration]) -> String {
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    format!("median {:?}, 90 % {:?}, 99 % {:?}, longest {:?}", at(50), at(90), at(99), at(100))
}

/// It is paused for longer than it holds its claims. Another server then carries out what it has not, and afterwards it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_paused_repeats_nothing() {
    let mut servers = TwoServers::new().await;
    let (paused, other) = (only(&servers, 0), only(&servers, 1));
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for round in 0..PAUSES {
        let commands = commands(&mut servers, round).await;
        let mut attempts = send(&commands, &paused);
        first.extend(run_for_a_moment(&mut attempts).await);
        servers.server(0).signal("STOP");
        let stopped = Instant::now();
        let taken: JoinSet<_> = commands.into_iter().map(|command| command.until_answered(other.clone(), stopped)).collect();
        let taken = taken.join_all().await;
        assert!(
            taken.iter().all(|(_, _, took)| *took < IN_TIME),
            "{:?}",
            taken.iter().map(|(_, _, took)| took).collect::<Vec<_>>()
        );
        again.extend(taken);
        servers.server(0).signal("CONT");
        first.extend(attempts.join_all().await);
    }
    let rows: BTreeMap<_, _> = again.iter().map(|(command, row, _)| (&command.key, *row)).collect();
    for (key, answered) in &first {
        let answered = answered.as_ref().unwrap_or_else(|| panic!("{key} was paused, not killed"));
        match row(answered) {
            Some(row) => assert_eq!(row, rows[key], "both servers give the same response"),
            // Its claim was taken over, or its time to wait for Postgres was over.
            None => {
                assert!(
                    ["idempotency_key_in_use", "unavailable"].contains(&answered.1["code"].as_str().unwrap()),
                    "{answered:?}"
                );
            }
        }
    }
    assert_made_once(servers, &again).await;
}

/// Every command made the row of its response and no other one, and every payment is settled.
async fn assert_made_once(servers: TwoServers, answered: &[(Command, i64, Duration)]) {
    let store = servers.store().await;
    let leads: Vec<i64> = sqlx::query_scalar("select id from leads").fetch_all(store.pool()).await.unwrap();
    // Settles all pending payments, whenever they were begun.
    let engine = LeaseEngine::builder(Arc::new(store.clone()), Arc::new(SandboxGateway::new())).build().unwrap();
    engine.settle_pending(chrono::Duration::seconds(-60), 1_000).await.unwrap();
    store.pool().close().await;
    let payments = servers.finish().await.payments;
    assert!(payments.iter().all(|payment| matches!(payment.state, PaymentState::Succeeded { .. })));

    let sorted = |mut rows: Vec<i64>| {
        rows.sort_unstable();
        rows
    };
    let made = |path: &str| {
        let commands = answered.iter().filter(|(command, ..)| command.path.contains(path));
        sorted(commands.map(|(_, row, _)| *row).collect())
    };
    assert_eq!(sorted(leads), made("leads"));
    assert_eq!(sorted(payments.iter().map(|payment| payment.id.get()).collect()), made("payments"));
}
