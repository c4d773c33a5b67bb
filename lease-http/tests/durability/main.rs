//! Several server processes on one database, which die or whose Postgres dies: all counts are exact, and no confirmed change is
//! lost. This is a test program of its own because it crashes its Postgres.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation is how a test fails")]

mod client;
mod crash;
mod events;
mod keys;
mod messages;
mod outages;
mod poolers;
mod races;
mod refusals;
mod restore;
mod sale;
mod startup;
mod streams;
mod stripe;
mod two_servers;
mod upgrades;

#[path = "../../../lease-store-postgres/tests/postgres/support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the Postgres store, which need more of it")]
mod postgres;
#[path = "../api/process.rs"]
#[expect(dead_code, reason = "shared with the tests of the server, which need more of it")]
mod process;

use postgres::TestDatabase;
use process::Server;
use tokio::sync::Mutex;

/// One test at a time: the one that crashes Postgres affects all others.
static TURN: Mutex<()> = Mutex::const_new(());

/// The credentials of the superuser.
const SUPERUSER: [(&str, &str); 3] = [
    ("LEASE_SUPERUSER_USERNAME", "root"),
    ("LEASE_SUPERUSER_PASSWORD", "amber-meadow-17"),
    ("LEASE_SUPERUSER_EMAIL", "root@example.com"),
];

/// A server process on this database. It logs little, because nobody reads the log: a server whose log is full stands still.
fn serve(database: &TestDatabase) -> Server {
    serve_with(database, &[])
}

/// The same with more settings.
fn serve_with(database: &TestDatabase, settings: &[&str]) -> Server {
    let (url, pooler) = (database.url(), postgres::pooler_flag());
    let limits = ["--login-failures-per-minute=0", "--registrations-per-minute=0"];
    let always = ["--log=error,lease_server=info", limits[0], limits[1], pooler, "--database-url", &url];
    Server::start(&[&always, settings].concat(), &SUPERUSER)
}

/// A server on this database, which no test database manages.
fn serve_at(url: &str) -> Server {
    Server::start(&["--log=error,lease_server=info", "--login-failures-per-minute=0", "--database-url", url], &SUPERUSER)
}
