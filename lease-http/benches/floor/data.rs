//! The rows that both sides begin with, and a check of those that they leave.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::postgres::Postgres;

/// The number of trades that are loaded, each with a vehicle and two proposals, and most of them with an invoice and a payment.
pub(crate) const TRADES: u64 = 20_000;
/// The number of users, each a customer with a token and a card: a user, their customer and card have the same id.
pub(crate) const CUSTOMERS: u64 = TRADES / 10;

/// Fills the tables of the store, and from them the expert's.
pub(crate) async fn load(postgres: &Postgres) {
    let mut connection = postgres.connection().await;
    // The script has turned off what makes commits durable.
    for setting in ["fsync = on", "full_page_writes = on", "max_wal_size = '1GB'"] {
        connection.execute(AssertSqlSafe(format!("alter system set {setting}"))).await.unwrap();
    }
    connection.execute("select pg_reload_conf()").await.unwrap();
    connection.execute(AssertSqlSafe(format!("set lease.trades = '{TRADES}'"))).await.unwrap();
    connection.execute(include_str!("../../../lease-store-postgres/benches/load.sql")).await.unwrap();
    connection.execute(include_str!("lease.sql")).await.unwrap();
    connection.execute(include_str!("expert/schema.sql")).await.unwrap();
    connection.execute(include_str!("expert/load.sql")).await.unwrap();
    connection.close().await.unwrap();
}

/// Does before a round what would otherwise be done during one.
pub(crate) async fn tidy(postgres: &Postgres) {
    let mut connection = postgres.connection().await;
    connection.execute("vacuum analyze").await.unwrap();
    connection.execute("checkpoint").await.unwrap();
    connection.close().await.unwrap();
}

/// Checks that both sides did each sale in full.
pub(crate) async fn check_sales(postgres: &Postgres) {
    let mut connection = postgres.connection().await;
    for schema in ["public", "expert"] {
        connection.execute(AssertSqlSafe(format!("set search_path = {schema}"))).await.unwrap();
        let missing: i64 = sqlx::query_scalar(include_str!("unfinished.sql")).fetch_one(&mut connection).await.unwrap();
        assert_eq!(missing, 0, "{schema}: sales that were not done in full");
    }
    connection.close().await.unwrap();
}
