use chrono::Duration;
use lease_core::gateway::{ChargeOutcome, PaymentGateway as _};
use lease_stripe::StripeGateway;
use lease_stripe::fake::Fault;

use crate::support::{GOOD, World};

/// Rule 5.5: whatever is no decline for certain leaves the outcome unknown, never declined.
#[tokio::test]
async fn failures_are_never_declines() {
    for status in [302, 400, 401, 403, 404, 409, 429, 500, 502, 503] {
        let world = World::new().await;
        let charge = world.charge(&world.card(GOOD).await);
        world.fake.fail_next("POST", "/v1/payment_intents", Fault::RefusedWith(status));
        world.gateway.charge(&charge).await.unwrap_err();
        assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), None, "{status}");
        world.gateway.charge(&charge).await.unwrap();
        assert_eq!(world.fake.charged().0, 1, "{status}");
    }
}

/// Rule 5.5: a charge that was made although its response says otherwise is found, and not made again.
#[tokio::test]
async fn a_charge_that_was_made_is_found_after_a_failure() {
    for fault in [Fault::DoneButFailedWith(500), Fault::DoneButFailedWith(402), Fault::Garbage, Fault::Flood] {
        let world = World::new().await;
        let charge = world.charge(&world.card(GOOD).await);
        world.fake.fail_next("POST", "/v1/payment_intents", fault);
        let lost = world.gateway.charge(&charge).await;
        // A refused card is asked about at once.
        assert_eq!(lost.is_ok(), fault == Fault::DoneButFailedWith(402), "{fault:?}");
        let found = world.gateway.find_charge(&charge).await.unwrap();
        assert!(matches!(found, Some(ChargeOutcome::Succeeded { .. })), "{fault:?}");
        world.fake.forget_keys();
        world.clock.advance(Duration::hours(25));
        assert_eq!(world.gateway.charge(&charge).await.unwrap(), found.unwrap());
        assert_eq!(world.fake.charged(), (1, 4900));
    }
}

/// Rule 5.5: a charge whose response never came is found, and not made again even if Stripe has forgotten its key.
#[tokio::test]
async fn a_charge_without_a_response_is_found() {
    let world = World::new().await;
    let charge = world.charge(&world.card(GOOD).await);
    let before = world.fake.received().len();
    world.fake.fail_next("POST", "/v1/payment_intents", Fault::Silence);
    tokio::select! {
        outcome = world.gateway.charge(&charge) => panic!("{outcome:?}"),
        () = world.fake.wait_for_requests(before + 1) => {}
    }
    assert_eq!(world.fake.charged(), (1, 4900));
    world.fake.forget_keys();
    world.clock.advance(Duration::days(3));
    let found = world.gateway.find_charge(&charge).await.unwrap();
    assert_eq!(Some(world.gateway.charge(&charge).await.unwrap()), found);
    assert_eq!(world.fake.charged(), (1, 4900));
}

/// Rule 5.5: a Stripe that says nothing is waited for half a minute, whatever waits for the gateway.
#[tokio::test]
async fn a_silent_stripe_is_given_up() {
    let world = World::new().await;
    let charge = world.charge(&world.card(GOOD).await);
    let before = world.fake.received().len();
    world.fake.fail_next("POST", "/v1/payment_intents", Fault::Silence);
    let half_a_minute = async {
        world.fake.wait_for_requests(before + 1).await;
        tokio::time::pause();
        tokio::time::advance(Duration::seconds(30).to_std().unwrap()).await;
    };
    let (outcome, ()) = tokio::join!(world.gateway.charge(&charge), half_a_minute);
    outcome.unwrap_err();
}

/// Rule 5.5: a search that fails finds nothing out; least of all that there is nothing.
#[tokio::test]
async fn a_search_that_fails_is_no_answer() {
    let world = World::new().await;
    let (charge, _) = world.paid(GOOD).await;
    for fault in [Fault::RefusedWith(500), Fault::RefusedWith(404), Fault::Garbage] {
        world.fake.fail_next("GET", "/v1/payment_intents", fault);
        world.gateway.find_charge(&charge).await.unwrap_err();
    }
    world.fake.forget_keys();
    world.clock.advance(Duration::hours(24));
    world.fake.fail_next("GET", "/v1/payment_intents", Fault::RefusedWith(500));
    world.gateway.charge(&charge).await.unwrap_err();
    assert_eq!(world.fake.charged().0, 1);
}

/// Rule 5.5: many who charge at once under one key charge once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn charging_at_once_charges_once() {
    let world = World::new().await;
    let charge = world.charge(&world.card(GOOD).await);
    let charges = tokio::join!(world.gateway.charge(&charge), world.gateway.charge(&charge), world.gateway.charge(&charge));
    let first = charges.0.unwrap();
    assert_eq!((first.clone(), first.clone()), (charges.1.unwrap(), charges.2.unwrap()));
    assert_eq!(world.fake.charged(), (1, 4900));
}

/// Rule 5.5: a Stripe that cannot be reached leaves the outcome unknown.
#[tokio::test]
async fn a_stripe_that_is_gone_is_no_decline() {
    let world = World::new().await;
    let charge = world.charge(&world.card(GOOD).await);
    let config = world.fake.config().unwrap();
    drop(world.fake);
    let gateway = StripeGateway::new(config).unwrap();
    gateway.charge(&charge).await.unwrap_err();
    gateway.find_charge(&charge).await.unwrap_err();
}
