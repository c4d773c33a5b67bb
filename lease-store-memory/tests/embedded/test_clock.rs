//! A clock that an app moves in its own tests (chapter 11).

use std::sync::Arc;

use chrono::TimeDelta;
use lease_core::clock::TestClock;
use lease_core::engine::Maintenance;

use crate::shop::Shop;

/// Rules 11.2 and 11.3: what has come due is done at once; what follows from the time alone needs nothing done.
#[tokio::test(start_paused = true)]
async fn an_app_moves_its_clock_and_catches_up() {
    let clock = Arc::new(TestClock::default());
    let shop = Shop::open(Arc::clone(&clock) as _).await;
    shop.gateway.set_slow(true);
    let payment = shop.pay().await;
    shop.gateway.set_slow(false);
    let is_overdue = async || shop.engine.get_invoice(&shop.owner, shop.invoice).await.unwrap().is_overdue(shop.engine.now());

    assert!(!is_overdue().await);
    clock.advance_by(TimeDelta::days(15)).unwrap();
    assert!(is_overdue().await);
    assert!(shop.is_pending(payment).await);
    shop.engine.catch_up(&Maintenance::default()).await.unwrap();
    assert!(!shop.is_pending(payment).await);
    assert!(!is_overdue().await, "it is paid");
}
