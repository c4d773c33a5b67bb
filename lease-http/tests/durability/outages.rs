//! Requests that wait for Postgres: for a lock, for a connection, or until it takes writes again. Each gets a 503 in time, requests
//! that need nothing of what is missing go on, and the server comes back by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::sync::MutexGuard;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use crate::client::{Addresses, Client, made, vehicle};
use crate::postgres::TestDatabase;
use crate::postgres::activity::{Activity, Watch};
use crate::postgres::server::crash;
use crate::process::Server;
use crate::two_servers::SELL;
use crate::{TURN, serve_with};

const MAX_CONNECTIONS: i64 = 4;
/// How many of them requests for trades may use.
const SHARE: i64 = 3;
/// How many clients ask for a locked trade again and again.
const STREAM: usize = 20;
/// For how long they do so: longer than anyone waits for a connection.
const WATCHED: Duration = Duration::from_secs(5);
/// 3 seconds for a connection, 5 for a statement, and 1 until a silent Postgres is given up.
const IN_TIME: Duration = Duration::from_secs(9);
/// The time within which requests are served again, with some room for a busy machine.
const RECOVERY: Duration = Duration::from_secs(3);
/// Stops all other statements on trades until it ends.
const LOCK: &str = "begin; lock table trades in access exclusive mode";

/// A server with few connections, a customer with a trade, and an administrator of the database.
struct World {
    server: Server,
    database: TestDatabase,
    customer: Client,
    trade: String,
    administrator: PgConnection,
    watcher: PgConnection,
    turn: MutexGuard<'static, ()>,
}

impl World {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(settings: &[&str]) -> Self {
        let turn = TURN.lock().await;
        let database = TestDatabase::create().await;
        let few = format!("--database-max-connections={MAX_CONNECTIONS}");
        let server = serve_with(&database, &[&[few.as_str()], settings].concat());
        let addresses = Addresses::default();
        addresses.set(vec![server.address.clone()]);
        let mut customer = Client::register(&addresses, "owner", 0).await;
        let vehicle = made(&customer.post("/api/vehicles", &vehicle(1), "").await.unwrap());
        let trade = json!({"vehicle_id": vehicle, "service_id": SELL});
        let trade = made(&customer.post("/api/trades", &trade, "").await.unwrap());
        let (administrator, watcher) = (database.connection().await, database.connection().await);
        Self { server, database, customer, trade: format!("/api/trades/{trade}"), administrator, watcher, turn }
    }

    async fn get(&self, path: &str) -> Answer {
        ask(self.customer.clone(), Method::GET, path.to_owned()).await
    }

    /// Changes the title of the trade.
    async fn retitle(&self) -> Answer {
        ask(self.customer.clone(), Method::PATCH, self.trade.clone()).await
    }

    /// Sends as many requests for the trade at once: some read it, some change it.
    fn send(&self, number: usize) -> JoinSet<Answer> {
        let methods = [Method::GET, Method::PATCH].into_iter().cycle().take(number);
        methods.map(|method| ask(self.customer.clone(), method, self.trade.clone())).collect()
    }

    /// Waits until this many statements wait for a lock.
    async fn until_blocked(&mut self, number: i64) {
        Activity::until(&mut self.watcher, |now| now.blocked == number).await;
    }

    /// Asks until the server says that it is ready, or that it is not.
    async fn until_ready(&self, status: u16) {
        let mut ticks = interval(Duration::from_millis(50));
        while self.get("/readyz").await.status != status {
            ticks.tick().await;
        }
    }

    /// The number of connections that the server has, once none is in use.
    async fn at_rest(&self) -> i64 {
        let mut ticks = interval(Duration::from_millis(20));
        loop {
            let open = self.server.metric("lease_database_connections");
            if open == self.server.metric("lease_database_connections_idle") {
                return open;
            }
            ticks.tick().await;
        }
    }

    /// The server is as before, with no more connections than it may have.
    async fn assert_recovered(&mut self) {
        let start = Instant::now();
        assert_eq!(self.get(&self.trade).await.status, 200);
        assert_eq!(self.retitle().await.status, 200);
        self.until_ready(200).await;
        assert!(start.elapsed() < RECOVERY, "{:?}", start.elapsed());
        let open = self.at_rest().await;
        assert!(open <= MAX_CONNECTIONS);
        Activity::until(&mut self.watcher, |now| now == Activity { open, abandoned: 0, blocked: 0 }).await;
    }

    /// Ends the lock: the server recovers. At no time did it use more connections than allowed, and the lock no more than its share.
    async fn unlock(mut self, watch: Watch) {
        self.administrator.execute("rollback").await.unwrap();
        self.assert_recovered().await;
        let most = watch.most().await;
        assert!(most.open <= MAX_CONNECTIONS && most.abandoned == 0 && most.blocked <= SHARE, "{most:?}");
        self.finish().await;
    }

    async fn finish(self) {
        drop(self.server);
        self.database.drop().await;
        drop(self.turn);
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    body: Value,
    took: Duration,
}

impl Answer {
    #[track_caller]
    fn assert_unavailable_in_time(&self) {
        assert_eq!((self.status, &self.body["code"]), (503, &json!("unavailable")), "{self:?}");
        assert!(self.took < IN_TIME, "{self:?}");
    }
}

async fn ask(mut client: Client, method: Method, path: String) -> Answer {
    let body = if method == Method::GET { Value::Null } else { json!({"title": "As new"}) };
    let start = Instant::now();
    let (status, body) = client.send(method, &path, &body, "").await.unwrap();
    Answer { status, body, took: start.elapsed() }
}

/// Asks again and again.
async fn insist(client: Client, method: Method, path: String, is_over: Arc<AtomicBool>) -> Vec<Answer> {
    let mut answers = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        answers.push(ask(client.clone(), method.clone(), path.clone()).await);
    }
    answers
}

/// The shortest and the longest time.
fn times(answers: &[Answer]) -> (Duration, Duration) {
    let times = answers.iter().map(|answer| answer.took);
    (times.clone().min().unwrap(), times.max().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_for_a_table_give_up_and_others_go_on() {
    let mut world = World::new().await;
    let watch = Watch::start(&world.database).await;
    world.administrator.execute(LOCK).await.unwrap();
    let waiting = world.send(8);
    world.until_blocked(SHARE).await;
    for path in ["/healthz", "/readyz", "/api/services", "/api/credit-cards"] {
        assert_eq!(world.get(path).await.status, 200, "{path}");
    }
    let answers = waiting.join_all().await;
    println!("503 after {:?}", times(&answers));
    answers.iter().for_each(Answer::assert_unavailable_in_time);
    world.unlock(watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_on_trades_stops_nothing_else_however_many_ask_for_them() {
    let mut world = World::new().await;
    let watch = Watch::start(&world.database).await;
    world.administrator.execute(LOCK).await.unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let mut stream = JoinSet::new();
    for number in 0..STREAM {
        let method = if number % 2 == 0 { Method::GET } else { Method::PATCH };
        stream.spawn(insist(world.customer.clone(), method, world.trade.clone(), Arc::clone(&is_over)));
    }
    world.until_blocked(SHARE).await;
    let start = Instant::now();
    while start.elapsed() < WATCHED {
        for path in ["/healthz", "/readyz", "/api/services", "/api/credit-cards", "/api/contacts"] {
            let answer = world.get(path).await;
            assert!(answer.status == 200 && answer.took < RECOVERY, "{path}: {answer:?}");
        }
    }
    is_over.store(true, Ordering::Relaxed);
    let answers: Vec<Answer> = stream.join_all().await.into_iter().flatten().collect();
    println!("{} requests got a 503 after {:?}", answers.len(), times(&answers));
    answers.iter().for_each(Answer::assert_unavailable_in_time);
    world.unlock(watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_room_for_writes_is_not_ready() {
    let mut world = World::new().await;
    let full = "create function no_room() returns trigger language plpgsql as $$
        begin raise exception 'no space left on device' using errcode = '53100'; end $$;
        create trigger full_disk before update on trades execute function no_room()";
    world.administrator.execute(full).await.unwrap();
    world.retitle().await.assert_unavailable_in_time();
    world.until_ready(503).await;
    assert_eq!(world.get(&world.trade).await.status, 200);
    world.administrator.execute("drop trigger full_disk on trades").await.unwrap();
    assert_eq!(world.retitle().await.status, 200);
    world.until_ready(200).await;
    world.finish().await;
}

/// Rule 7.5: connections whose requests are being worked on make way for nobody.
#[tokio::test(flavor = "multi_thread")]
async fn operators_reach_a_server_that_is_at_work_on_all_its_connections() {
    let mut world = World::with(&["--max-connections=3"]).await;
    world.administrator.execute(LOCK).await.unwrap();
    let waiting = world.send(3);
    world.until_blocked(3).await;
    let refused = world.server.ask("GET /api/services", "");
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: "), "{refused}");
    assert!(world.server.ask("GET /healthz", "").starts_with("HTTP/1.1 200"));
    assert!(world.server.metric("lease_http_connections") >= 3);
    world.administrator.execute("rollback").await.unwrap();
    for answer in waiting.join_all().await {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_who_hang_up_use_no_more_connections_than_allowed() {
    let mut world = World::new().await;
    let watch = Watch::start(&world.database).await;
    world.administrator.execute(LOCK).await.unwrap();
    let mut waiting = world.send(50);
    world.until_blocked(SHARE).await;
    waiting.shutdown().await;
    assert_eq!(world.get("/healthz").await.status, 200);
    world.unlock(watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_database_only_reads_writes_again_by_itself() {
    let mut world = World::new().await;
    let name = world.database.name();
    let only_reads = format!("alter database {name} set default_transaction_read_only = on");
    let writes_again = format!("alter database {name} reset all");
    world.administrator.execute(AssertSqlSafe(only_reads)).await.unwrap();
    Activity::terminate(&mut world.watcher).await;
    world.until_ready(503).await;
    for _ in 0..10 {
        assert_eq!(world.get(&world.trade).await.status, 200);
        world.retitle().await.assert_unavailable_in_time();
        world.get("/readyz").await.assert_unavailable_in_time();
    }
    world.administrator.execute(AssertSqlSafe(writes_again)).await.unwrap();
    world.until_ready(200).await;
    world.assert_recovered().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_backend_is_killed_is_unavailable() {
    let mut world = World::new().await;
    world.administrator.execute(LOCK).await.unwrap();
    let waiting = world.send(SHARE.try_into().unwrap());
    world.until_blocked(SHARE).await;
    Activity::terminate(&mut world.watcher).await;
    // The reads begin again, and wait for the lock again.
    world.until_blocked(SHARE - SHARE / 2).await;
    world.administrator.execute("rollback").await.unwrap();
    for answer in waiting.join_all().await {
        match answer.status {
            200 => {}
            _ => answer.assert_unavailable_in_time(),
        }
    }
    world.assert_recovered().await;
    world.finish().await;
}

/// Connections that were in use a moment ago are used again untested, so one write may fail on each.
#[tokio::test(flavor = "multi_thread")]
async fn no_more_writes_fail_after_a_restart_than_there_were_connections() {
    let mut world = World::new().await;
    for _ in 0..5 {
        world.assert_busy().await;
        Activity::terminate(&mut world.watcher).await;
        world.assert_few_writes_fail().await;
    }
    world.assert_busy().await;
    tokio::task::spawn_blocking(crash).await.unwrap();
    world.assert_few_writes_fail().await;
    world.administrator = world.database.connection().await;
    world.watcher = world.database.connection().await;
    world.assert_recovered().await;
    world.finish().await;
}

impl World {
    /// Uses all connections.
    async fn assert_busy(&self) {
        for answer in self.send(20).join_all().await {
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }

    async fn assert_few_writes_fail(&self) {
        let answers = self.send(20).join_all().await;
        let failed: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
        assert!(failed.len() <= usize::try_from(MAX_CONNECTIONS).unwrap(), "{failed:?}");
        for answer in failed {
            answer.assert_unavailable_in_time();
        }
    }
}
