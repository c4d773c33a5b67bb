//! The contract of a store, one test for each case, each on a file of its own.

use lease_core::conformance::FreshRepository;

use crate::support::Folder;

async fn fresh_repository() -> FreshRepository {
    let folder = Folder::new();
    // Another handle, with connections of its own, stands for another process.
    let (store, other) = (folder.open().await, folder.open().await);
    FreshRepository::new(store).with_second_handle(other).with_cleanup(async move { drop(folder) })
}

lease_core::repository_conformance!(super::fresh_repository);
