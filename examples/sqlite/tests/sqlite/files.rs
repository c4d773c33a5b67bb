//! What becomes of a file.

use lease_core::repository::{Repository as _, RepositoryError};
use lease_example_sqlite::SqliteRepository;
use sqlx::Executor as _;

use crate::support::{Folder, new_service};

#[tokio::test]
async fn what_was_committed_is_there_when_the_file_is_opened_again() {
    let folder = Folder::new();
    folder.open().await.commit(&new_service()).await.unwrap();
    folder.open().await.commit(&new_service()).await.unwrap();
    assert_eq!(folder.count("services").await, 2);
}

#[tokio::test]
async fn a_new_file_is_opened_by_many_at_once() {
    let folder = Folder::new();
    let opened = tokio::join!(folder.open(), folder.open(), folder.open());
    opened.0.commit(&new_service()).await.unwrap();
    opened.2.commit(&new_service()).await.unwrap();
    assert_eq!(folder.count("services").await, 2);
}

#[tokio::test]
async fn a_file_with_tables_of_another_version_is_refused() {
    let folder = Folder::new();
    drop(folder.open().await);
    folder.connect().await.execute("pragma user_version = 2").await.unwrap();
    let refused = SqliteRepository::open(&folder.file()).await;
    assert!(matches!(refused, Err(RepositoryError::Internal(_))));
}
