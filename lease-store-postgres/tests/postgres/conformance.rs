//! The contract of a store, one test for each case, each on a database of its own.

use lease_core::conformance::FreshRepository;

use crate::support::TestDatabase;

async fn fresh_repository() -> FreshRepository {
    let database = TestDatabase::create().await;
    // Two pools stand for two server processes.
    let (store, other) = (database.connect().await, database.connect().await);
    FreshRepository::new(store).with_second_handle(other).with_cleanup(database.drop())
}

lease_core::repository_conformance!(super::fresh_repository);
