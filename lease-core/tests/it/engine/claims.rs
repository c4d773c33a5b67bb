//! Claims: a claim is renewed for as long as the work under it takes (rule 6.7).

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use lease_core::repository::{ClaimState, Guarantee, MockRepository, RepositoryError};
use tokio::sync::Semaphore;
use tokio::time::{Instant, interval};

use super::*;

/// Makes the next renewals of [`CLAIM`] end with these results. The semaphore gets a permit for each of them.
fn renewals(store: &mut MockRepository, results: Vec<Result<(), RepositoryError>>) -> Arc<Semaphore> {
    let renewed = Arc::new(Semaphore::new(0));
    let (counted, times) = (Arc::clone(&renewed), results.len());
    let results = Mutex::new(results.into_iter());
    store.expect_renew_claim().times(times).returning(move |claim, held_until, expires_at| {
        assert_eq!((*claim, held_until), (CLAIM, now() + chrono::Duration::seconds(3)));
        assert_eq!(expires_at, now() + chrono::Duration::hours(24));
        counted.add_permits(1);
        results.lock().unwrap().next().unwrap()
    });
    renewed
}

/// Waits for this number of renewals, and returns how long that took.
async fn until(renewed: &Semaphore, count: u32) -> Duration {
    let start = Instant::now();
    renewed.acquire_many(count).await.unwrap().forget();
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn work_that_ends_at_once_costs_no_renewal() {
    let engine = engine(MockRepository::new());
    assert_eq!(engine.hold_claim(&CLAIM, ready("done")).await, "done");
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_renewed_every_second_until_its_work_ends() {
    let mut store = MockRepository::new();
    let renewed = renewals(&mut store, vec![Ok(()), Ok(()), Ok(())]);
    let took = engine(store).hold_claim(&CLAIM, until(&renewed, 3)).await;
    assert_eq!(took.as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_followed_by_another_one() {
    let mut store = MockRepository::new();
    let renewed = renewals(&mut store, vec![Err(unavailable()), Err(unavailable()), Ok(())]);
    let took = engine(store).hold_claim(&CLAIM, until(&renewed, 3)).await;
    assert_eq!(took.as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_work_goes_on_when_its_claim_is_lost_and_renews_it_no_more() {
    let mut store = MockRepository::new();
    let renewed = renewals(&mut store, vec![Err(RepositoryError::Taken(Guarantee::Claim))]);
    let work = async {
        until(&renewed, 1).await;
        let mut seconds = interval(Duration::from_secs(1));
        for _ in 0..5 {
            seconds.tick().await;
        }
        "done"
    };
    assert_eq!(engine(store).hold_claim(&CLAIM, work).await, "done");
}

#[tokio::test]
async fn a_claim_is_held_for_three_seconds() {
    let mut store = MockRepository::new();
    store.expect_claim().times(1).returning(|new, at| {
        assert_eq!((at, new.held_until), (now(), now() + chrono::Duration::seconds(3)));
        Ok(ClaimState::Claimed)
    });
    engine(store).claim(CLAIM.key, [3; 32]).await.unwrap();
}
