//! Our side: the acts over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::data::{CUSTOMERS, TRADES};
use crate::http::Connection;
use crate::kind::Kind;
use crate::report::Side;
use crate::support::postgres::Postgres;
use crate::support::server::Server;
use crate::{CONNECTIONS, WARM_UP};

/// The service of the kind `sell`, the second one that the server creates.
const SELL: u64 = 2;

/// What the connections have in common.
#[derive(Default)]
struct Shared {
    done: AtomicU32,
    is_over: AtomicBool,
}

/// Does one act after another on each connection.
pub(crate) async fn round(kind: Kind, seconds: u32, server: &Server, postgres: &Postgres) -> Side {
    let shared = Arc::new(Shared::default());
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (mut connection, shared) = (Connection::open(&server.address).await, Arc::clone(&shared));
        connections.spawn(async move {
            while !shared.is_over.load(Ordering::Relaxed) {
                act(kind, &mut connection).await;
                shared.done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let now = || (Instant::now(), shared.done.load(Ordering::Relaxed), server.cpu(), postgres.cpu());
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.tick().await;
    for _ in 0..WARM_UP {
        ticks.tick().await;
    }
    let (start, done_before, server_before, postgres_before) = now();
    for _ in 0..seconds {
        ticks.tick().await;
    }
    let (end, done, server_cpu, postgres_cpu) = now();
    shared.is_over.store(true, Ordering::Relaxed);
    connections.join_all().await;

    let done = f64::from(done - done_before);
    Side {
        per_second: done / (end - start).as_secs_f64(),
        server: (server_cpu - server_before) / done,
        postgres: (postgres_cpu - postgres_before) / done,
    }
}

async fn act(kind: Kind, connection: &mut Connection) {
    match kind {
        Kind::Read => read(connection).await,
        Kind::Page => page(connection).await,
        Kind::Sale => sale(connection).await,
    }
}

async fn read(connection: &mut Connection) {
    let trade = draw(TRADES);
    // As the trades were loaded.
    let buyer = 1 + (trade + 1 + trade / CUSTOMERS % (CUSTOMERS - 1)) % CUSTOMERS;
    connection.get(buyer, &format!("/api/trades/{trade}")).await;
}

async fn page(connection: &mut Connection) {
    connection.get(draw(CUSTOMERS), "/api/trades").await;
}

async fn sale(connection: &mut Connection) {
    let owner = draw(CUSTOMERS);
    let buyer = 1 + owner % CUSTOMERS;
    let vin = draw(9_999_999_999_999_999);
    let vehicle = format!(r#"{{"vin":"S{vin:016}","make":"make1","model":"model1","year":2020}}"#);
    let vehicle = connection.post(owner, "/api/vehicles", &vehicle).await.number("id");
    let trade = format!(r#"{{"vehicle_id":{vehicle},"service_id":{SELL},"title":"A fine car"}}"#);
    let trade = connection.post(owner, "/api/trades", &trade).await.number("id");
    let proposal = connection.post(owner, &format!("/api/trades/{trade}/proposals"), r#"{"amount":"9000"}"#).await.number("id");
    connection.post(buyer, &format!("/api/proposals/{proposal}/accept"), "").await;
    let invoice = connection.get(owner, &format!("/api/trades/{trade}")).await.number("invoice_id");
    let card = format!(r#"{{"credit_card_id":{owner}}}"#);
    connection.post(owner, &format!("/api/invoices/{invoice}/payments"), &card).await;
}

/// A random number from one on.
fn draw(most: u64) -> u64 {
    1 + getrandom::u64().unwrap() % most
}
