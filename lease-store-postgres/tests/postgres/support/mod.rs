//! One Postgres server for all tests, one database for each test.
//!
//! The server is the one of `DATABASE_URL`, or else a throw-away one. The first test migrates a template; each test gets a clone
//! of it, which takes milliseconds.
//!
//! With `LEASE_TEST_POOLER=transaction`, the stores of the tests connect through a `PgBouncer` in transaction mode.

pub(crate) mod activity;
pub(crate) mod pooler;
pub(crate) mod script;
pub(crate) mod server;

use std::str::FromStr as _;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lease_store_postgres::{Pooler, PostgresOptions, PostgresRepository};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};
use tokio::sync::OnceCell;

use pooler::RunningPooler;

/// A small set of rows, in SQL.
pub(crate) const WORLD: &str = include_str!("world.sql");

/// The address of the server: the URL of its maintenance database.
static SERVER: LazyLock<String> = LazyLock::new(|| {
    let given = std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
    given.unwrap_or_else(server::start)
});
/// The pooler, if the tests are to go through one.
static POOLER: LazyLock<Option<RunningPooler>> = LazyLock::new(|| match std::env::var("LEASE_TEST_POOLER").as_deref() {
    Ok("transaction") => Some(RunningPooler::start(&[])),
    Ok("none") | Err(_) => None,
    Ok(other) => panic!("LEASE_TEST_POOLER is none or transaction, not {other}"),
});
/// The template, after it has been migrated.
static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The database of one test, with the schema and no rows.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// A migrated database.
    pub(crate) async fn create() -> Self {
        let template = TEMPLATE.get_or_init(migrated_template).await;
        let database = Self { name: fresh_name("test") };
        on_server(&format!("create database {} template {template}", database.name)).await;
        database
    }

    /// A database without any table.
    pub(crate) async fn create_empty() -> Self {
        let database = Self { name: fresh_name("empty") };
        on_server(&format!("create database {}", database.name)).await;
        database
    }

    /// The name of the database.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The URL of the database, through the pooler if there is one.
    pub(crate) fn url(&self) -> String {
        POOLER.as_ref().map_or_else(|| self.direct_url(), |pooler| pooler.url(&self.name))
    }

    /// The URL of the database on the server itself.
    pub(crate) fn direct_url(&self) -> String {
        let (server, query) = SERVER.split_once('?').unwrap_or((&SERVER, ""));
        let (host, _) = server.rsplit_once('/').expect("a URL that names a database");
        format!("{host}/{}?{query}", self.name)
    }

    /// A store with a pool of its own; two of them on one database stand for two server processes.
    pub(crate) async fn connect(&self) -> PostgresRepository {
        self.connect_with(options()).await
    }

    /// A store with these options.
    pub(crate) async fn connect_with(&self, options: PostgresOptions) -> PostgresRepository {
        PostgresRepository::connect(&self.url(), options).await.expect("the test database responds")
    }

    /// A connection for statements written by hand.
    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.direct_url()).await.expect("the test database responds")
    }

    /// Drops the database, even if there are still connections.
    pub(crate) async fn drop(self) {
        on_server(&format!("drop database {} with (force)", self.name)).await;
    }
}

/// The options of a store, which fit the pooler if there is one.
pub(crate) fn options() -> PostgresOptions {
    let pooler = if is_pooled() { Pooler::Transaction } else { Pooler::None };
    patient_options().with_max_connections(8).with_pooler(pooler)
}

/// Options with which a busy machine is no outage.
fn patient_options() -> PostgresOptions {
    let mut options = PostgresOptions::default();
    options.acquire_timeout = Duration::from_secs(50);
    options.statement_timeout = Duration::from_secs(50);
    options.lock_timeout = Duration::from_secs(20);
    options
}

/// Whether the stores connect through a pooler.
pub(crate) fn is_pooled() -> bool {
    POOLER.is_some()
}

/// The flag of the server for [`options`].
pub(crate) fn pooler_flag() -> &'static str {
    if is_pooled() { "--database-pooler=transaction" } else { "--database-pooler=none" }
}

fn fresh_name(kind: &str) -> String {
    format!("lease_{kind}_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed))
}

async fn migrated_template() -> String {
    let template = fresh_name("template");
    on_server(&format!("create database {template}")).await;
    let database = TestDatabase { name: template.clone() };
    // A pooler would keep its connections, and a database with connections is no template.
    let store = PostgresRepository::connect(&database.direct_url(), patient_options()).await;
    let store = store.expect("the test database responds");
    store.migrate().await.expect("the migrations apply");
    store.close().await;
    template
}

/// The plan of a prepared statement with this many arguments.
pub(crate) async fn explain(store: &PostgresRepository, name: &str, arguments: usize) -> String {
    let arguments = if arguments == 0 { String::new() } else { format!("({})", vec!["null"; arguments].join(", ")) };
    let lines = sqlx::raw_sql(AssertSqlSafe(format!("explain (costs off) execute {name}{arguments}")))
        .fetch_all(&mut *store.connection().await.expect("the test database responds"))
        .await
        .unwrap();
    lines.iter().map(|line| line.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}

/// Runs a statement in the maintenance database.
pub(crate) async fn on_server(statement: &str) {
    let options = PgConnectOptions::from_str(&SERVER).expect("a Postgres URL");
    let mut connection = PgConnection::connect_with(&options).await.expect("the Postgres server responds");
    connection.execute(AssertSqlSafe(statement)).await.expect("the test may make and drop databases");
    connection.close().await.expect("the connection closes");
}
