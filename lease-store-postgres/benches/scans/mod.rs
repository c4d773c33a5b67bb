//! That no table is scanned: neither by what was run, as Postgres counted it, nor by the plan of anything that was prepared.

use std::collections::BTreeMap;

use lease_store_postgres::PostgresRepository;
use sqlx::Row as _;

use crate::support::explain;

/// Tables with fewer rows than this may be scanned: that is what they are read fastest by.
const SMALL: i64 = 1_000;

/// How often each large table was scanned.
pub(crate) struct Scans(BTreeMap<String, i64>);

impl Scans {
    pub(crate) async fn so_far(store: &PostgresRepository) -> Self {
        sqlx::query("select pg_stat_force_next_flush()").execute(store.pool()).await.unwrap();
        let counted = "select s.relname::text, s.seq_scan from pg_stat_user_tables s \
            join pg_class c on c.oid = s.relid where c.reltuples >= $1";
        let counted = sqlx::query(counted).bind(SMALL).fetch_all(store.pool()).await.unwrap();
        Self(counted.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// Panics where a large table was scanned since, or would be by a statement that is prepared.
    pub(crate) async fn none_since(self, store: &PostgresRepository) {
        let now = Self::so_far(store).await;
        assert_eq!(now.0, self.0, "a table was scanned");
        let prepared = "select name, cardinality(parameter_types), statement from pg_prepared_statements";
        let prepared = sqlx::query(prepared).fetch_all(store.pool()).await.unwrap();
        sqlx::query("set plan_cache_mode = force_generic_plan").execute(store.pool()).await.unwrap();
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
