//! How fast `lease-server` delivers webhooks, on Postgres: the target is 10,000 events to each of 10 endpoints within 60 seconds on two
//! cores, those of the server, Postgres and the receiver together; and that an endpoint which never answers delays the others by
//! less than a second.
//!
//! The events are written as commits write them, 10,000 of one event each, before the first is delivered.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that fails should stop")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

#[path = "support/mod.rs"]
#[expect(dead_code, reason = "shared with other benchmarks")]
mod support;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::post;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::support::postgres::Postgres;
use crate::support::server::Server;

const EVENTS: usize = 10_000;
const ENDPOINTS: usize = 10;
/// The number of single events that are sent while an endpoint does not answer.
const PROBES: usize = 20;

const SUPERUSER: [(&str, &str); 3] = [
    ("LEASE_SUPERUSER_USERNAME", "root"),
    ("LEASE_SUPERUSER_PASSWORD", "amber-meadow-17"),
    ("LEASE_SUPERUSER_EMAIL", "root@example.com"),
];

/// Commits of one event each, about services, as the store writes them.
const WRITE_EVENTS: &str = "insert into event_inbox (at, actor_kind, actor_user_id, request_id, events)
    select now(), 'user', 1, gen_random_uuid()::text, array[jsonb_build_object(
        'type', 'service.updated', 'kind', 'service', 'audience', 'staff', 'subject', 1,
        'data', jsonb_build_object('service_id', 1, 'number', number),
        'changes', jsonb_build_object('description', jsonb_build_object('from', 'Before', 'to', 'After'))
    )]
    from generate_series(1, $1) number";

/// What was received: the endpoint and the id of each webhook.
type Received = HashSet<(String, i64)>;

/// Another system. Its path `slow` never answers.
struct Receiver {
    address: String,
    received: Arc<watch::Sender<Received>>,
}

impl Receiver {
    async fn open() -> Self {
        let received = Arc::new(watch::Sender::new(Received::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().route("/{path}", post(receive)).with_state(Arc::clone(&received));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, received }
    }

    /// Waits until as many were received.
    async fn until(&self, number: usize) {
        self.received.subscribe().wait_for(|received| received.len() >= number).await.unwrap();
    }
}

async fn receive(State(received): State<Arc<watch::Sender<Received>>>, Path(path): Path<String>, body: Bytes) {
    if path == "slow" {
        std::future::pending::<()>().await;
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    let event = body["data"]["id"].as_i64().unwrap();
    received.send_modify(|received| _ = received.insert((path, event)));
}

/// Staff who administer the endpoints.
struct Staff {
    http: reqwest::Client,
    address: String,
    token: String,
}

impl Staff {
    async fn log_in(server: &Server) -> Self {
        let (http, address) = (reqwest::Client::new(), format!("http://{}", server.address));
        let login = json!({"username": SUPERUSER[0].1, "password": SUPERUSER[1].1});
        let answer = http.post(format!("{address}/api/login")).json(&login).send().await.unwrap();
        let answer: Value = answer.error_for_status().unwrap().json().await.unwrap();
        Self { http, address, token: format!("Token {}", answer["token"].as_str().unwrap()) }
    }

    async fn add_endpoint(&self, url: String, event_types: &[&str]) {
        let endpoint = json!({"url": url, "event_types": event_types});
        let request = self.http.post(format!("{}/api/webhook-endpoints", self.address)).header("authorization", &self.token);
        request.json(&endpoint).send().await.unwrap().error_for_status().unwrap();
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let postgres = Postgres::start();
    let settings = [&SUPERUSER[..], &[("LEASE_WEBHOOK_ALLOW_PRIVATE", "true"), ("LEASE_LOG", "warn")]].concat();
    let server = Server::start(&runtime, &postgres, &settings);
    runtime.block_on(measure(&postgres, &server));
}

async fn measure(postgres: &Postgres, server: &Server) {
    let (receiver, staff) = (Receiver::open().await, Staff::log_in(server).await);
    for number in 0..ENDPOINTS {
        staff.add_endpoint(format!("{}/{number}", receiver.address), &["service.*"]).await;
    }
    let before = (server.cpu(), postgres.cpu());
    let began = Instant::now();
    write_events(postgres, EVENTS).await;
    receiver.until(EVENTS * ENDPOINTS).await;
    let (took, after) = (began.elapsed(), (server.cpu(), postgres.cpu()));
    println!("{EVENTS} events to {ENDPOINTS} endpoints: {:.1} s", took.as_secs_f64());
    let each = |before: f64, after: f64| (after - before) / f64::from(u32::try_from(EVENTS * ENDPOINTS).unwrap());
    println!("CPU of a delivery: server {:.0} µs, Postgres {:.0} µs", each(before.0, after.0), each(before.1, after.1));

    staff.add_endpoint(format!("{}/slow", receiver.address), &["service.*"]).await;
    // More than it can have under way at a time.
    write_events(postgres, 100).await;
    receiver.until((EVENTS + 100) * ENDPOINTS).await;
    let mut slowest = Duration::ZERO;
    for probe in 1..=PROBES {
        let began = Instant::now();
        write_events(postgres, 1).await;
        receiver.until((EVENTS + 100 + probe) * ENDPOINTS).await;
        slowest = slowest.max(began.elapsed());
    }
    println!("the slowest of {PROBES} events to {ENDPOINTS} endpoints beside one that never answers: {slowest:.0?}");
}

async fn write_events(postgres: &Postgres, number: usize) {
    let mut connection = postgres.connection().await;
    let number = i64::try_from(number).unwrap();
    connection.execute(sqlx::query(WRITE_EVENTS).bind(number)).await.unwrap();
    connection.close().await.unwrap();
}
