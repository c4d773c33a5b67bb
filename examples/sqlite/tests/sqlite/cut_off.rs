//! A commit that is cut off in the middle, at each of its awaits: all of it is written or nothing, and the connection can be used as
//! before.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use lease_core::repository::Repository as _;
use lease_example_sqlite::SqliteRepository;

use crate::support::{Folder, new_service};

/// Begins a commit and drops it when it has waited so often. Returns whether it had ended.
async fn commit_until(store: &SqliteRepository, most: u32) -> bool {
    let change = new_service();
    let mut commit = pin!(store.commit(&change));
    let mut waited = 0;
    poll_fn(|context| match commit.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(outcome.is_ok()),
        Poll::Pending if waited == most => Poll::Ready(false),
        Poll::Pending => {
            waited += 1;
            Poll::Pending
        }
    })
    .await
}

#[tokio::test]
async fn a_commit_that_is_cut_off_is_written_or_not_and_holds_up_nobody() {
    let folder = Folder::new();
    let (store, other) = (folder.open().await, folder.open().await);
    let mut ever_cut_off = 0;
    for round in 0..10 {
        let mut cut_off = 0;
        loop {
            let before = folder.count("services").await;
            let is_done = commit_until(&store, cut_off).await;
            // The next one is written by the same connection, and another process writes as well.
            store.commit(&new_service()).await.unwrap();
            other.commit(&new_service()).await.unwrap();
            let written = folder.count("services").await - before - 2;
            assert!(written == 1 || written == 0 && !is_done, "round {round}: {written} written, cut off at await {cut_off}");
            if is_done {
                break;
            }
            cut_off += 1;
        }
        ever_cut_off += cut_off;
    }
    // Now and then one does not wait at all: the thread of the driver was faster.
    assert!(ever_cut_off > 0, "a commit waits");
}
