//! The whole trade cycle through the engine on Postgres, compared with `pgbench`: the same statements, prepared, on the same
//! server over the same number of connections. Both run in alternating rounds, so that other load on the machine affects both.
//!
//! The server is a throw-away one, or the one of `DATABASE_URL`.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that fails should stop")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

mod market;
mod people;
mod script;
#[path = "../tests/postgres/support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests, which need more of it")]
mod support;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lease_core::LeaseEngine;
use lease_core::id::CreditCardId;
use lease_core::permission::Actor;
use lease_store_postgres::{PostgresOptions, PostgresRepository};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::script::{KNOWN, Statements};
use crate::support::TestDatabase;

/// The number of connections, each with an owner and a buyer of its own.
const CONNECTIONS: u32 = 8;
/// The number of turns of each side.
const ROUNDS: usize = 7;
/// The duration of a turn.
const TURN: Duration = Duration::from_secs(5);

/// The number of cycles so far, of both sides; it numbers the vehicles.
static CYCLES: AtomicU64 = AtomicU64::new(0);

/// An owner and a buyer.
#[derive(Clone, Copy)]
struct Pair {
    owner: Actor,
    buyer: Actor,
    card: CreditCardId,
}

impl Pair {
    async fn cycle(&self, engine: &LeaseEngine) {
        let owner = &self.owner;
        let vehicle = people::vehicle(engine, owner, CYCLES.fetch_add(1, Ordering::Relaxed)).await;
        let trade = market::open(engine, owner, vehicle).await;
        market::propose(engine, owner, trade, 450).await;
        let offer = market::propose(engine, &self.buyer, trade, 400).await;
        market::accept(engine, owner, offer).await;
        let invoice = market::invoice(engine, owner, trade).await;
        market::pay(engine, owner, invoice, self.card).await;
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let database = runtime.block_on(TestDatabase::create());
    let store = runtime.block_on(connected(&database, CONNECTIONS));
    let engine = runtime.block_on(market::engine(&store));
    let pairs = runtime.block_on(pairs(&store, &engine));
    let script = runtime.block_on(script(&database, &pairs[0]));

    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        let ours = runtime.block_on(through_the_engine(&engine, &pairs));
        let bare = pgbench(&database, &script, &pairs);
        println!("round {round}: engine {ours:.0} cycles/s, pgbench {bare:.0}, ratio {:.2}", ours / bare);
        rounds.push((ours, bare));
        // As autovacuum does on a permanent server: plans that were made for empty tables are made again.
        runtime.block_on(sqlx::raw_sql("analyze").execute(store.pool())).unwrap();
    }
    runtime.block_on(check(&store));
    let median_of = |of: fn(&(f64, f64)) -> f64| median(rounds.iter().map(of).collect());
    println!(
        "median of {ROUNDS} rounds over {CONNECTIONS} connections: engine {:.0} cycles/s, pgbench {:.0}, ratio {:.2}",
        median_of(|round| round.0),
        median_of(|round| round.1),
        median_of(|round| round.0 / round.1),
    );
    finish(&runtime, &store, database);
}

async fn connected(database: &TestDatabase, connections: u32) -> PostgresRepository {
    let options = PostgresOptions::default().with_max_connections(connections);
    PostgresRepository::connect(&database.url(), options).await.unwrap()
}

/// All owners are created first, then the buyers, so that pgbench can derive their ids by counting.
async fn pairs(store: &PostgresRepository, engine: &LeaseEngine) -> Vec<Pair> {
    let mut owners = Vec::new();
    for number in 0..CONNECTIONS {
        owners.push(people::customer(store, &format!("owner{number}")).await);
    }
    let mut pairs = Vec::new();
    for (number, owner) in owners.into_iter().enumerate() {
        let buyer = people::customer(store, &format!("buyer{number}")).await;
        pairs.push(Pair { owner, buyer, card: people::card(engine, &owner).await });
    }
    pairs
}

/// The statements that the engine sends in a cycle, over a connection that has sent nothing else.
async fn script(database: &TestDatabase, pair: &Pair) -> String {
    let store = connected(database, 1).await;
    let engine = market::engine(&store).await;
    pair.cycle(&engine).await;
    let cycle = Statements::of(&store).await.cycle();
    store.close().await;
    cycle
}

/// Cycles per second, with one cycle after another on each connection.
async fn through_the_engine(engine: &LeaseEngine, pairs: &[Pair]) -> f64 {
    let start = Instant::now();
    let mut traders = JoinSet::new();
    for pair in pairs {
        let (engine, pair) = (engine.clone(), *pair);
        traders.spawn(async move {
            let mut cycles = 0_u32;
            while start.elapsed() < TURN {
                pair.cycle(&engine).await;
                cycles += 1;
            }
            cycles
        });
    }
    let cycles: u32 = traders.join_all().await.into_iter().sum();
    f64::from(cycles) / start.elapsed().as_secs_f64()
}

/// Cycles per second of pgbench.
fn pgbench(database: &TestDatabase, script: &str, pairs: &[Pair]) -> f64 {
    let first = |id: i64| format!(r"{id} + :client_id");
    let [owner, buyer] = [&pairs[0].owner, &pairs[0].buyer].map(|actor| first(actor.customer().unwrap().get()));
    let card = first(pairs[0].card.get());
    let service = market::lease_service();
    let script = format!("\\set owner {owner}\n\\set buyer {buyer}\n\\set card {card}\n\\set service {service}\n{script}\n");

    let connections = CONNECTIONS.to_string();
    let mut command = Command::new("pgbench");
    command.args(["--no-vacuum", "--protocol=prepared", "--file=-", "--jobs=2", "--client", &connections]);
    command.args(["--time", &TURN.as_secs().to_string()]);
    command.args(KNOWN.iter().map(|(name, value)| format!("--define={name}={value}"))).arg(database.url());
    // The settings of the store's own connections, which the plans depend on. Plans are cached from the start, since the store's
    // connections live from turn to turn and have made theirs long ago.
    let settings = ["enable_seqscan=off", "enable_hashjoin=off", "enable_mergejoin=off", "random_page_cost=1.1", "jit=off"];
    let settings = settings.map(|setting| format!("-c {setting} ")).concat() + "-c plan_cache_mode=force_generic_plan";
    command.env("PGOPTIONS", settings);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = command.spawn().expect("pgbench comes with Postgres");
    running.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{report}");
    let figure = |name: &str| {
        let line = report.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name} in\n{report}"));
        line.split_whitespace().next().unwrap().parse::<f64>().unwrap()
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    CYCLES.fetch_add(figure("number of transactions actually processed: ") as u64, Ordering::Relaxed);
    figure("tps = ")
}

/// Checks that a cycle leaves the same rows on either side.
async fn check(store: &PostgresRepository) {
    let left = "select count(*) filter (where t.status = 'completed' and i.status = 'paid' and y.status = 'succeeded' \
        and counter.status = 'accepted' and first.status = 'closed' and t.agreed_until = '2027-01-01') \
        from trades t join invoices i on i.trade_id = t.id join payments y on y.invoice_id = i.id \
        join proposals first on first.id = i.proposal_id join proposals counter on counter.id = t.accepted_proposal_id";
    let completed = sqlx::query_scalar::<_, i64>(left).fetch_one(store.pool()).await.unwrap();
    assert_eq!(u64::try_from(completed).unwrap(), CYCLES.load(Ordering::Relaxed), "a cycle was not done in full");
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn finish(runtime: &Runtime, store: &PostgresRepository, database: TestDatabase) {
    runtime.block_on(async {
        store.close().await;
        database.drop().await;
    });
}
