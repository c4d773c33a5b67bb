//! The store of the tests: memory or, with `LEASE_TEST_STORE=postgres`, one database for each test.

use std::sync::Arc;

use lease_core::repository::Repository;
use lease_store_memory::MemoryRepository;

/// An empty store.
pub(super) async fn fresh() -> Arc<dyn Repository> {
    match std::env::var("LEASE_TEST_STORE").as_deref() {
        Ok("postgres") => Arc::new(postgres::TestDatabase::create().await.connect().await),
        Ok("memory") | Err(_) => Arc::new(MemoryRepository::default()),
        Ok(other) => panic!("LEASE_TEST_STORE is memory or postgres, not {other}"),
    }
}

/// The URL of an empty database for a server, or an empty text for one in memory.
pub(crate) async fn fresh_url() -> String {
    match std::env::var("LEASE_TEST_STORE").as_deref() {
        Ok("postgres") => postgres::TestDatabase::create().await.direct_url(),
        _ => String::new(),
    }
}

#[path = "../../../../lease-store-postgres/tests/postgres/support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the Postgres store, which need more of it")]
mod postgres;
