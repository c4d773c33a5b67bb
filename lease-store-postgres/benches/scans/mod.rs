//! Checks that no table was scanned: neither by the statements that were run, as Postgres counted them, nor by the plan of any
//! prepared statement.

use std::collections::BTreeMap;

use lease_store_postgres::PostgresRepository;
use sqlx::Row as _;

use crate::support::explain;

/// Tables with fewer rows than this may be scanned, since that is the fastest way to read them.
const SMALL: i64 = 1_000;

/// The number of scans of each large table.
pub(crate) struct Scans(BTreeMap<String, i64>);

impl Scans {
    pub(crate) async fn so_far(store: &PostgresRepository) -> Self {
        sqlx::query("select pg_stat_force_next_flush()").execute(&mut *store.connection().await.unwrap()).await.unwrap();
        let counted = "select s.relname::text, s.seq_scan from pg_stat_user_tables s \
            join pg_class c on c.oid = s.relid where c.reltuples >= $1";
        let counted = sqlx::query(counted).bind(SMALL).fetch_all(&mut *store.connection().await.unwrap()).await.unwrap();
        Self(counted.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// Panics if a large table has been scanned since, or would be by a prepared statement.
    pub(crate) async fn none_since(self, store: &PostgresRepository) {
        let now = Self::so_far(store).await;
        assert_eq!(now.0, self.0, "a table was scanned");
        let prepared = "select name, cardinality(parameter_types), statement from pg_prepared_statements";
        let prepared = sqlx::query(prepared).fetch_all(&mut *store.connection().await.unwrap()).await.unwrap();
        sqlx::query("set plan_cache_mode = force_generic_plan").execute(&mut *store.connection().await.unwrap()).await.unwrap();
        for row in &prepared {
            let arguments = usize::try_from(row.get::<i32, _>(1)).unwrap();
            let plan = explain(store, row.get(0), arguments).await;
            for table in self.0.keys() {
                assert!(!plan.contains(&format!("Seq Scan on {table} ")), "{}\n{plan}", row.get::<&str, _>(2));
            }
        }
        println!("{} statements prepared, no large table scanned by any", prepared.len());
    }
}
