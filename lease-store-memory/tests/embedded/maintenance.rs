//! The background work, on tokio's paused time: it passes at once whenever nothing else is to be done.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, TimeZone as _, Utc};
use lease_core::clock::ManualClock;
use lease_core::engine::Maintenance;
use tokio::time::{interval, timeout};

use crate::shop::Shop;

const SOON: Duration = Duration::from_secs(300);

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()))
}

/// Rules 5.5 and 7.4: the gateway did not respond to the payment, nor to the first attempts to settle it.
#[tokio::test(start_paused = true)]
async fn a_payment_that_stayed_pending_is_settled_in_the_background() {
    let clock = clock();
    let shop = Shop::open(Arc::clone(&clock) as _).await;
    shop.gateway.set_slow(true);
    let payment = shop.pay().await;
    shop.gateway.called.notified().await;
    assert!(shop.is_pending(payment).await);

    let (end, work) = shop.start();
    clock.advance(TimeDelta::seconds(31));
    shop.gateway.called.notified().await;
    shop.gateway.set_slow(false);
    let settled = async {
        let mut polls = interval(Duration::from_millis(10));
        while shop.is_pending(payment).await {
            polls.tick().await;
        }
    };
    timeout(SOON, settled).await.unwrap();
    drop(end);
    timeout(SOON, work).await.unwrap().unwrap();
}

/// A payment that is as young as this may still be handled by the request that began it (rule 5.5).
#[tokio::test(start_paused = true)]
async fn a_young_pending_payment_is_left_alone() {
    let clock = clock();
    let shop = Shop::open(Arc::clone(&clock) as _).await;
    shop.gateway.set_slow(true);
    let payment = shop.pay().await;
    shop.gateway.set_slow(false);
    clock.advance(TimeDelta::seconds(29));
    shop.engine.catch_up(&Maintenance::default()).await.unwrap();
    assert!(shop.is_pending(payment).await);
    shop.engine.catch_up(&Maintenance::default().with_settle_older_than(TimeDelta::seconds(28))).await.unwrap();
    assert!(!shop.is_pending(payment).await);
}

/// A round that waits for the gateway does not hold up the end.
#[tokio::test(start_paused = true)]
async fn the_background_work_stops_in_the_middle_of_a_round() {
    let clock = clock();
    let shop = Shop::open(Arc::clone(&clock) as _).await;
    shop.gateway.set_slow(true);
    let payment = shop.pay().await;
    shop.gateway.called.notified().await;
    clock.advance(TimeDelta::seconds(31));

    let (end, work) = shop.start();
    shop.gateway.called.notified().await;
    let before = tokio::time::Instant::now();
    drop(end);
    work.await.unwrap();
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert!(shop.is_pending(payment).await, "the round was interrupted");
    shop.gateway.set_slow(false);
    shop.engine.catch_up(&Maintenance::default()).await.unwrap();
    assert!(!shop.is_pending(payment).await, "the next round finds it");
}
