//! The cost of each command and of a page of each list with a million trades stored, compared with a thousand: the median of
//! both, measured in turn, each on one connection, with the data in memory. Afterwards no statement may have scanned a table.
//!
//! The processor's caches are emptied before each measurement, as the other work of a server would empty them. Otherwise the
//! difference measured would be that a thousand trades fit into the caches. Run it on one processor (`taskset -c 0`): then there
//! are no other caches, and no other processor has to be woken up.
//!
//! The server is a throw-away one, or the one of `DATABASE_URL`; the benchmark must then connect as a superuser, and
//! `shared_buffers` should be 2 GB.
//! `LEASE_BENCH_TRADES` sets the number of trades to another value than a million.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that fails should stop")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

mod lists;
mod market;
mod scans;
#[path = "../tests/postgres/support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests, which need more of it")]
mod support;

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use lease_core::LeaseEngine;
use lease_core::id::{CreditCardId, CustomerId, UserId, VehicleId};
use lease_core::permission::Actor;
use lease_store_postgres::{PostgresOptions, PostgresRepository};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use crate::support::TestDatabase;

const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
/// The number of runs of each command on each side.
const COMMANDS: u64 = 300;

/// Lets a throw-away server keep the larger set of data in memory, like a server that is configured for that size.
async fn make_room() {
    if std::env::var("DATABASE_URL").is_ok_and(|url| !url.is_empty()) {
        return;
    }
    let database = TestDatabase::create_empty().await;
    database.connection().await.execute("alter system set shared_buffers = '2GB'").await.unwrap();
    database.drop().await;
    support::server::crash();
}

/// A set of stored trades of some size.
struct Side {
    trades: u64,
    database: TestDatabase,
    store: PostgresRepository,
    engine: LeaseEngine,
}

impl Side {
    async fn load(trades: u64) -> Self {
        let start = Instant::now();
        let database = TestDatabase::create().await;
        // One connection for all measurements, so that its prepared statements and its scans can be attributed to this side.
        let options = PostgresOptions::default().with_max_connections(1);
        let store = PostgresRepository::connect(&database.url(), options).await.unwrap();
        let engine = market::engine(&store).await;
        fill(database.connection().await, trades).await;
        println!("{trades} trades loaded in {:.0} s", start.elapsed().as_secs_f64());
        Self { trades, database, store, engine }
    }

    /// A number from one on, a different one in each round, spread over all trades.
    fn draw(round: u64, most: u64) -> i64 {
        i64::try_from(1 + (round + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) % most).unwrap()
    }

    /// The duration of a step. Afterwards the pool takes its connection back and tests it, and the next measurement must not
    /// include that.
    async fn timed<T>(&self, step: impl Future<Output = T>) -> (Duration, T) {
        empty_caches();
        let start = Instant::now();
        let done = step.await;
        let taken = start.elapsed();
        while self.store.connection_count().idle == 0 {
            tokio::task::yield_now().await;
        }
        (taken, done)
    }

    async fn finish(self) {
        self.store.close().await;
        self.database.drop().await;
    }
}

/// Loads the trades over a separate connection: loading leaves other things in the memory of its server process than a server's
/// usual work does.
async fn fill(mut connection: PgConnection, trades: u64) {
    let indexes = Indexes::put_aside(&mut connection).await;
    connection.execute(AssertSqlSafe(format!("set lease.trades = '{trades}'"))).await.unwrap();
    connection.execute(include_str!("load.sql")).await.unwrap();
    indexes.put_back(&mut connection).await;
    connection.execute("vacuum analyze").await.unwrap();
    connection.close().await.unwrap();
}

/// The indexes that no constraint needs. Building them afterwards is faster than keeping them up to date.
struct Indexes(Vec<String>);

impl Indexes {
    async fn put_aside(connection: &mut PgConnection) -> Self {
        let all = "select indexname, indexdef from pg_indexes where schemaname = 'public' \
            and not exists (select from pg_constraint where conname = indexname)";
        let mut definitions = Vec::new();
        for row in sqlx::query(all).fetch_all(&mut *connection).await.unwrap() {
            definitions.push(row.get(1));
            connection.execute(AssertSqlSafe(format!("drop index {}", row.get::<&str, _>(0)))).await.unwrap();
        }
        Self(definitions)
    }

    async fn put_back(self, connection: &mut PgConnection) {
        connection.execute("set maintenance_work_mem = '1GB'").await.unwrap();
        for definition in self.0 {
            connection.execute(AssertSqlSafe(definition)).await.unwrap();
        }
    }
}

/// The customer of this number: loaded users and customers have the same numbers.
fn customer(number: i64) -> Actor {
    Actor::Customer { user: UserId::new(number).unwrap(), customer: CustomerId::new(number).unwrap() }
}

/// The durations of one command or page, with few and with many trades stored.
#[derive(Default)]
struct Times([Vec<Duration>; 2]);

impl Times {
    /// Prints the medians, and returns the ratio of many to few.
    fn report(self, name: &str) -> f64 {
        let [few, many] = self.0.map(|mut times| {
            times.sort();
            times[times.len() / 2].as_secs_f64() * 1e6
        });
        println!("{name:<64} {few:>8.0} µs {many:>8.0} µs {:>6.2}", many / few);
        many / few
    }
}

fn highest(ratios: Vec<f64>) -> f64 {
    ratios.into_iter().fold(0.0, f64::max)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        make_room().await;
        let many = std::env::var("LEASE_BENCH_TRADES").map_or(MANY, |trades| trades.parse().expect("a number"));
        let sides = [Side::load(FEW).await, Side::load(many).await];
        let offers = [OpeningSnapshot::some_of(&sides[0]).await, OpeningSnapshot::some_of(&sides[1]).await];
        let scans = scans::Scans::so_far(&sides[1].store).await;
        println!("{:<64} {:>11} {:>11}", "p50 with so many trades stored", FEW, many);
        // The lists first: the trades that the commands create would add many more trades for each customer on the smaller side.
        let mut ratios = lists::lists(&sides).await;
        ratios.extend(commands(&sides, &offers).await);
        println!("highest ratio: {:.2}", highest(ratios));
        println!("highest ratio of a search: {:.2}", highest(lists::searches(&sides).await));
        scans.none_since(&sides[1].store).await;
        for side in sides {
            side.finish().await;
        }
    });
}

/// The commands of a cycle, on vehicles from all over the data that are not being traded.
async fn commands(sides: &[Side; 2], offers: &[Vec<OpeningSnapshot>; 2]) -> Vec<f64> {
    let names = ["open a trade", "propose", "counter-propose", "accept", "read the trade", "pay"];
    let mut times = names.map(|_| Times::default());
    for round in offers[0].iter().zip(&offers[1]) {
        for (number, (side, offer)) in sides.iter().zip([round.0, round.1]).enumerate() {
            let taken = offer.cycle(side).await;
            for (times, taken) in times.iter_mut().zip(taken) {
                times.0[number].push(taken);
            }
        }
    }
    names.into_iter().zip(times).map(|(name, times)| times.report(name)).collect()
}

/// A vehicle that can be offered, with its owner and a customer who will make proposals.
struct OpeningSnapshot {
    vehicle: VehicleId,
    owner: Actor,
    card: CreditCardId,
    buyer: Actor,
}

impl OpeningSnapshot {
    async fn some_of(side: &Side) -> Vec<Self> {
        let free = "select v.id, v.customer_id from vehicles v \
            where not exists (select from trades t where t.vehicle_id = v.id and t.status in ('open', 'agreed')) \
            order by hashint8(v.id) limit $1";
        let free = sqlx::query(free).bind(i64::try_from(COMMANDS).unwrap());
        let offers = free.fetch_all(side.store.pool()).await.unwrap();
        let offers = offers.iter().map(|row| {
            let owner: i64 = row.get(1);
            Self {
                vehicle: VehicleId::new(row.get(0)).unwrap(),
                owner: customer(owner),
                card: CreditCardId::new(owner).unwrap(),
                buyer: customer(if owner == 1 { 2 } else { owner - 1 }),
            }
        });
        offers.collect()
    }

    /// The duration of each step.
    async fn cycle(&self, side: &Side) -> [Duration; 6] {
        let (owner, engine) = (&self.owner, &side.engine);
        let (opened, trade) = side.timed(market::open(engine, owner, self.vehicle)).await;
        let (proposed, _) = side.timed(market::propose(engine, owner, trade, 450)).await;
        let (countered, offer) = side.timed(market::propose(engine, &self.buyer, trade, 400)).await;
        let (accepted, ()) = side.timed(market::accept(engine, owner, offer)).await;
        let (read, invoice) = side.timed(market::invoice(engine, owner, trade)).await;
        let (paid, ()) = side.timed(market::pay(engine, owner, invoice, self.card)).await;
        [opened, proposed, countered, accepted, read, paid]
    }
}

/// Reads 48 MiB, more than the caches of most processors hold.
fn empty_caches() {
    static OTHER: LazyLock<Vec<u64>> = LazyLock::new(|| vec![1; 6 << 20]);
    black_box(OTHER.iter().sum::<u64>());
}
