use lease_core::gateway::{Charge, ChargeOutcome, PaymentGateway as _};
use lease_stripe::fake::Fault;

use crate::support::{ASKS_PAYER, ASKS_PAYER_IN_VAIN, GOOD, World, declined};

/// Rule 5.5: a payer who must act is told how.
#[tokio::test]
async fn a_payer_acts_in_their_browser() {
    let world = World::new().await;
    let charge = world.charge(&world.card(ASKS_PAYER).await);
    let outcome = world.gateway.charge(&charge).await.unwrap();
    let ChargeOutcome::ActionRequired { reference, next_action } = outcome.clone() else { panic!("{outcome:?}") };
    assert_eq!((next_action.kind.as_str(), next_action.url.as_deref()), ("use_stripe_sdk", None));
    let secret = next_action.client_secret.unwrap();
    assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), Some(outcome));
    world.fake.authenticate(secret.expose(), true).unwrap();
    let paid = ChargeOutcome::Succeeded { reference };
    assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), Some(paid.clone()));
    assert_eq!(world.gateway.charge(&charge).await.unwrap(), paid);
    assert_eq!(world.fake.charged().0, 1);
}

/// Rule 5.5: a payer whose bank does not know them is declined, and the charge is given up before another card can be tried.
#[tokio::test]
async fn a_payer_who_fails_is_declined() {
    let world = World::new().await;
    let (charge, secret) = world.waiting(ASKS_PAYER).await;
    world.fake.authenticate(&secret, false).unwrap();
    let outcome = world.gateway.find_charge(&charge).await.unwrap().unwrap();
    assert_eq!(declined(outcome), ("payment_intent_authentication_failure".to_owned(), true));
    world.fake.try_other_card(&secret, GOOD).unwrap_err();
}

/// Rule 5.5: a payer who acts can still have no money.
#[tokio::test]
async fn a_payer_without_money_is_declined() {
    let world = World::new().await;
    let (charge, secret) = world.waiting(ASKS_PAYER_IN_VAIN).await;
    world.fake.authenticate(&secret, true).unwrap();
    let outcome = world.gateway.find_charge(&charge).await.unwrap().unwrap();
    assert_eq!(declined(outcome), ("insufficient_funds".to_owned(), true));
}

/// Rule 5.5: a charge that is given up can never succeed, and giving it up twice is harmless.
#[tokio::test]
async fn a_charge_is_given_up() {
    let world = World::new().await;
    let (charge, secret) = world.waiting(ASKS_PAYER).await;
    let given_up = ChargeOutcome::Cancelled { reference: charge.reference.clone().unwrap() };
    // Also by a process that did not learn its reference.
    let unknown = Charge { reference: None, ..charge.clone() };
    assert_eq!(world.gateway.cancel_charge(&unknown).await.unwrap(), given_up);
    assert_eq!(world.gateway.cancel_charge(&charge).await.unwrap(), given_up);
    world.fake.authenticate(&secret, true).unwrap_err();
    world.fake.try_other_card(&secret, GOOD).unwrap_err();
    assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), Some(given_up));
    assert_eq!(world.fake.charged().0, 0);
}

/// Rule 5.5: if the payer is quicker than whoever gives the charge up, the money counts.
#[tokio::test]
async fn a_payer_who_was_quicker_has_paid() {
    let world = World::new().await;
    let (charge, secret) = world.waiting(ASKS_PAYER).await;
    world.fake.authenticate(&secret, true).unwrap();
    let paid = ChargeOutcome::Succeeded { reference: charge.reference.clone().unwrap() };
    assert_eq!(world.gateway.cancel_charge(&charge).await.unwrap(), paid);
}

/// Rule 5.5: a charge that failed before it was given up was declined.
#[tokio::test]
async fn a_payer_who_failed_first_is_declined() {
    let world = World::new().await;
    let (charge, secret) = world.waiting(ASKS_PAYER).await;
    world.fake.authenticate(&secret, false).unwrap();
    let outcome = world.gateway.cancel_charge(&charge).await.unwrap();
    assert_eq!(declined(outcome), ("payment_intent_authentication_failure".to_owned(), true));
}

/// Rule 5.5: if Stripe does not say that it gave the charge up, it may still succeed.
#[tokio::test]
async fn without_a_response_a_charge_is_not_given_up() {
    let world = World::new().await;
    let (charge, secret) = world.waiting(ASKS_PAYER).await;
    for fault in [Fault::RefusedWith(500), Fault::RefusedWith(429), Fault::RefusedWith(401), Fault::Garbage] {
        let (charge, _) = (charge.clone(), &secret);
        world.fake.fail_next("POST", "/cancel", fault);
        world.gateway.cancel_charge(&charge).await.unwrap_err();
    }
}

/// Rule 5.5: what Stripe never received cannot be given up.
#[tokio::test]
async fn a_charge_that_was_never_made_is_not_given_up() {
    let world = World::new().await;
    let charge = world.charge(&world.card(ASKS_PAYER).await);
    world.gateway.cancel_charge(&charge).await.unwrap_err();
}
