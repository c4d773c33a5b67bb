//! The contract of a store, one test for each case.

use lease_store_memory::MemoryRepository;

async fn fresh_repository() -> MemoryRepository {
    MemoryRepository::default()
}

lease_core::repository_conformance!(fresh_repository);
