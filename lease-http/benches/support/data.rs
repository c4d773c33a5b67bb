//! The rows that the server begins with.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use super::postgres::Postgres;

/// Fills the tables of the store with this many trades, each with a vehicle and two proposals, and most of them with an invoice
/// and a payment. There is a user for every ten trades, each a customer with a token and a card: a user, their customer and card
/// have the same id, which is also their token, in 40 hexadecimal digits.
pub(crate) async fn load(postgres: &Postgres, trades: u64) {
    let mut connection = postgres.connection().await;
    // The script has turned off what makes commits durable.
    for setting in ["fsync = on", "full_page_writes = on", "max_wal_size = '1GB'"] {
        connection.execute(AssertSqlSafe(format!("alter system set {setting}"))).await.unwrap();
    }
    connection.execute("select pg_reload_conf()").await.unwrap();
    connection.execute(AssertSqlSafe(format!("set lease.trades = '{trades}'"))).await.unwrap();
    connection.execute(include_str!("../../../lease-store-postgres/benches/load.sql")).await.unwrap();
    connection.execute(include_str!("lease.sql")).await.unwrap();
    connection.close().await.unwrap();
}

/// Does before a round what would otherwise be done during one.
pub(crate) async fn tidy(postgres: &Postgres) {
    let mut connection = postgres.connection().await;
    connection.execute("vacuum analyze").await.unwrap();
    connection.execute("checkpoint").await.unwrap();
    connection.close().await.unwrap();
}
