//! The rows that both sides begin with, and a check of those that they leave.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::support;
use crate::support::postgres::Postgres;

/// The number of trades that are loaded.
pub(crate) const TRADES: u64 = 20_000;
/// The number of users.
pub(crate) const CUSTOMERS: u64 = TRADES / 10;

/// Fills the tables of the store, and from them the expert's.
pub(crate) async fn load(postgres: &Postgres) {
    support::data::load(postgres, TRADES).await;
    let mut connection = postgres.connection().await;
    connection.execute(include_str!("expert/schema.sql")).await.unwrap();
    connection.execute(include_str!("expert/load.sql")).await.unwrap();
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
