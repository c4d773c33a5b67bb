use chrono::Duration;
use lease_core::gateway::{CardToken, Charge, ChargeKey, ChargeOutcome, PaymentGateway as _};
use lease_stripe::fake::Fault;

use crate::support::{ASKS_PAYER, DECLINED, GOOD, World, declined, money};

/// Rule 5.5: a charge is made once under its key, with what it is found by.
#[tokio::test]
async fn a_charge_names_its_payment() {
    let world = World::new().await;
    let (charge, reference) = world.paid(GOOD).await;
    let intent = world.fake.object(&reference).unwrap();
    assert_eq!(intent["description"], "INV-00000005");
    let metadata = &intent["metadata"];
    assert_eq!(metadata["lease_key"], charge.key.as_str());
    assert_eq!([&metadata["lease_payment_id"], &metadata["lease_invoice_id"], &metadata["lease_customer_id"]], ["7", "5", "1"]);
    let request = world.fake.received().pop().unwrap();
    assert_eq!(request.key.as_deref(), Some(charge.key.as_str()));
    assert!(world.fake.received().iter().all(|received| received.version.as_deref() == Some("2026-10-28.endive")));
    assert_eq!(world.fake.charged(), (1, 4900));
}

/// Rule 5.5: asking again charges nothing, whether or not Stripe remembers the key.
#[tokio::test]
async fn charging_again_charges_nothing() {
    let world = World::new().await;
    let (charge, reference) = world.paid(GOOD).await;
    let paid = ChargeOutcome::Succeeded { reference: reference.clone() };
    assert_eq!(world.gateway.charge(&charge).await.unwrap(), paid);
    let known = Charge { reference: Some(reference), ..charge.clone() };
    world.fake.forget_keys();
    assert_eq!(world.gateway.charge(&known).await.unwrap(), paid);
    world.clock.advance(Duration::hours(23));
    assert_eq!(world.gateway.charge(&charge).await.unwrap(), paid);
    assert_eq!(world.fake.charged(), (1, 4900));
}

/// Rule 5.5: until Stripe may have forgotten the key, it is told again rather than searched.
#[tokio::test]
async fn a_young_charge_is_told_again() {
    let world = World::new().await;
    let charge = world.charge(&world.card(GOOD).await);
    world.clock.advance(Duration::hours(23) - Duration::seconds(1));
    world.gateway.charge(&charge).await.unwrap();
    assert_eq!(world.fake.received().last().unwrap().method, "POST");
    world.clock.advance(Duration::seconds(1));
    world.gateway.charge(&charge).await.unwrap();
    assert_eq!(world.fake.received().last().unwrap().method, "GET");
}

/// Rule 5.5: a charge whose response was lost is found by its key, also when it was made on a clock that runs ahead.
#[tokio::test]
async fn a_charge_is_found_by_its_key() {
    let world = World::new().await;
    let charge = world.charge(&world.card(GOOD).await);
    assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), None);
    world.clock.advance(Duration::minutes(-59));
    let ChargeOutcome::Succeeded { reference } = world.gateway.charge(&charge).await.unwrap() else { panic!() };
    let paid = ChargeOutcome::Succeeded { reference: reference.clone() };
    assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), Some(paid.clone()));
    let known = Charge { reference: Some(reference), ..charge.clone() };
    assert_eq!(world.gateway.find_charge(&known).await.unwrap(), Some(paid.clone()));
    // A clock that is moved far ahead, as a test clock is, says nothing about Stripe's.
    let ahead = Charge { begun_at: charge.begun_at + Duration::days(40), ..charge };
    assert_eq!(world.gateway.find_charge(&ahead).await.unwrap(), Some(paid.clone()));
    world.fake.forget_keys();
    assert_eq!(world.gateway.charge(&ahead).await.unwrap(), paid);
    assert_eq!(world.fake.charged().0, 1);
}

/// Rule 5.5: a charge is found also if the clock that said when it was begun was ahead by hours, and was then set right.
#[tokio::test]
async fn a_charge_that_was_made_before_it_was_begun_is_found() {
    let world = World::new().await;
    let charge = world.charge(&world.card(GOOD).await);
    world.clock.advance(-Duration::days(1));
    let paid = world.gateway.charge(&charge).await.unwrap();
    world.clock.advance(Duration::days(2));
    world.fake.forget_keys();
    assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), Some(paid.clone()));
    assert_eq!(world.gateway.charge(&charge).await.unwrap(), paid);
    assert_eq!(world.fake.charged(), (1, 4900));
}

/// Rule 5.5: a charge is found however many others the customer has.
#[tokio::test]
async fn a_charge_is_found_on_any_page() {
    let world = World::new().await;
    let (first, reference) = world.paid(GOOD).await;
    for number in 0..200 {
        let other = Charge { key: ChargeKey::new(format!("other{number}")), ..first.clone() };
        world.gateway.charge(&other).await.unwrap();
    }
    assert_eq!(world.gateway.find_charge(&first).await.unwrap(), Some(ChargeOutcome::Succeeded { reference }));
    let pages = world.fake.received().iter().filter(|received| received.parameters.contains("limit=100")).count();
    assert_eq!(pages, 3);
    let none = Charge { key: ChargeKey::new("none".to_owned()), ..first };
    assert_eq!(world.gateway.find_charge(&none).await.unwrap(), None);
}

/// Rule 5.4: a decline says why, and its charge is given up, so that nobody can charge another card under it.
#[tokio::test]
async fn a_declined_charge_is_given_up() {
    let world = World::new().await;
    let charge = world.charge(&world.card(DECLINED).await);
    let outcome = world.gateway.charge(&charge).await.unwrap();
    let ChargeOutcome::Declined { failure_code, reference: Some(reference) } = outcome.clone() else { panic!("{outcome:?}") };
    assert_eq!(failure_code, "generic_decline");
    let intent = world.fake.object(&reference).unwrap();
    assert_eq!((&intent["status"], &intent["cancellation_reason"]), (&"canceled".into(), &"abandoned".into()));
    let secret = intent["client_secret"].as_str().unwrap();
    world.fake.try_other_card(secret, GOOD).unwrap_err();
    assert_eq!(world.fake.charged().0, 0);
    // Asking again, and finding it, say the same.
    for key_is_known in [true, false] {
        assert_eq!(world.gateway.charge(&charge).await.unwrap(), outcome, "{key_is_known}");
        assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), Some(outcome.clone()));
        world.fake.forget_keys();
        world.clock.advance(Duration::days(2));
    }
}

/// Rule 5.4: a decline stays one, also if a charge that is given up no longer says why.
#[tokio::test]
async fn a_decline_outlives_its_charge() {
    let world = World::new().await;
    world.fake.forget_declines();
    let charge = world.charge(&world.card(DECLINED).await);
    for _ in 0..2 {
        assert_eq!(declined(world.gateway.charge(&charge).await.unwrap()), ("generic_decline".to_owned(), true));
    }
    let world = World::new().await;
    world.fake.forget_declines();
    let (charge, secret) = world.waiting(ASKS_PAYER).await;
    world.fake.authenticate(&secret, false).unwrap();
    let outcome = world.gateway.cancel_charge(&charge).await.unwrap();
    assert_eq!(declined(outcome), ("payment_intent_authentication_failure".to_owned(), true));
}

/// Rule 5.4: as long as a declined charge is not given up, it is not known what becomes of it.
#[tokio::test]
async fn a_decline_counts_once_it_is_given_up() {
    let world = World::new().await;
    let charge = world.charge(&world.card(DECLINED).await);
    world.fake.fail_next("POST", "/cancel", Fault::RefusedWith(500));
    world.gateway.charge(&charge).await.unwrap_err();
    world.fake.fail_next("POST", "/cancel", Fault::RefusedWith(429));
    world.gateway.find_charge(&charge).await.unwrap_err();
    assert_eq!(declined(world.gateway.find_charge(&charge).await.unwrap().unwrap()), ("generic_decline".to_owned(), true));
}

/// Rule 5.4: if the payer was quicker with another card than we with giving the charge up, the money counts.
#[tokio::test]
async fn another_card_that_came_first_counts() {
    let world = World::new().await;
    let charge = world.charge(&world.card(DECLINED).await);
    world.fake.fail_next("POST", "/cancel", Fault::RefusedWith(500));
    world.gateway.charge(&charge).await.unwrap_err();
    let intent = world.fake.events().pop().unwrap().body;
    let intent: serde_json::Value = serde_json::from_str(&intent).unwrap();
    let secret = intent["data"]["object"]["client_secret"].as_str().unwrap();
    world.fake.try_other_card(secret, GOOD).unwrap();
    assert!(matches!(world.gateway.find_charge(&charge).await.unwrap(), Some(ChargeOutcome::Succeeded { .. })));
    assert!(matches!(world.gateway.charge(&charge).await.unwrap(), ChargeOutcome::Succeeded { .. }));
}

/// Rule 5.5: a charge that Stripe works on is pending, and its present outcome is asked for.
#[tokio::test]
async fn a_charge_that_takes_time_is_pending() {
    let world = World::new().await;
    world.fake.hold_charges();
    let charge = world.charge(&world.card(GOOD).await);
    let ChargeOutcome::Pending { reference } = world.gateway.charge(&charge).await.unwrap() else { panic!() };
    assert_eq!(world.gateway.cancel_charge(&charge).await.unwrap(), ChargeOutcome::Pending { reference: reference.clone() });
    world.fake.finish_charges();
    let paid = ChargeOutcome::Succeeded { reference };
    // Stripe repeats its old response to the key; the charge is asked for as it is now.
    assert_eq!(world.gateway.charge(&charge).await.unwrap(), paid);
    assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), Some(paid));
}

/// Rule 5.5: a charge that Stripe has made and not yet confirmed is left alone, whoever looks it up meanwhile.
#[tokio::test]
async fn a_charge_in_flight_is_not_given_up() {
    for status in ["requires_confirmation", "requires_payment_method"] {
        let world = World::new().await;
        world.fake.hold_charges_before(status);
        let charge = world.charge(&world.card(GOOD).await);
        let before = world.fake.received().len();
        world.fake.fail_next("POST", "/v1/payment_intents", Fault::Silence);
        tokio::select! {
            outcome = world.gateway.charge(&charge) => panic!("{outcome:?}"),
            () = world.fake.wait_for_requests(before + 1) => {}
        }
        world.clock.advance(Duration::minutes(15) - Duration::seconds(1));
        let Some(ChargeOutcome::Pending { reference }) = world.gateway.find_charge(&charge).await.unwrap() else { panic!() };
        assert_eq!(world.posts("/cancel"), 0);
        world.fake.finish_charges();
        let paid = ChargeOutcome::Succeeded { reference };
        assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), Some(paid.clone()));
        assert_eq!(world.gateway.charge(&charge).await.unwrap(), paid);
        assert_eq!(world.fake.charged(), (1, 4900));
    }
}

/// Rule 5.5: a charge that was never confirmed does not stay pending for ever.
#[tokio::test]
async fn a_charge_that_was_never_confirmed_is_given_up() {
    let world = World::new().await;
    world.fake.hold_charges_before("requires_confirmation");
    let charge = world.charge(&world.card(GOOD).await);
    let ChargeOutcome::Pending { reference } = world.gateway.charge(&charge).await.unwrap() else { panic!() };
    world.clock.advance(Duration::minutes(15));
    let given_up = ChargeOutcome::Cancelled { reference };
    assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), Some(given_up));
    world.fake.finish_charges();
    assert_eq!(world.fake.charged().0, 0);
}

/// Rule 5.5: what comes back must be what was asked for.
#[tokio::test]
async fn another_amount_or_key_is_no_outcome() {
    let world = World::new().await;
    let (charge, reference) = world.paid(GOOD).await;
    let known = Charge { reference: Some(reference), ..charge };
    world.gateway.find_charge(&known).await.unwrap();
    let others = [
        Charge { amount: money("49.01", "USD"), ..known.clone() },
        Charge { amount: money("49.00", "EUR"), ..known.clone() },
        Charge { key: ChargeKey::new("another".to_owned()), ..known },
    ];
    for other in others {
        world.gateway.find_charge(&other).await.unwrap_err();
        world.gateway.charge(&other).await.unwrap_err();
        world.gateway.cancel_charge(&other).await.unwrap_err();
    }
}

/// Rule 5.4: a card that another gateway keeps cannot be charged here.
#[tokio::test]
async fn a_card_of_another_gateway_is_declined() {
    let world = World::new().await;
    for token in ["sandbox_ok", "pm_1", "cus_1", "cus_1/", "cus_1/pm_1/x", "cus_1/../pm_1", "pm_1/cus_1"] {
        let charge = world.charge(&CardToken::new(token.to_owned()));
        assert_eq!(declined(world.gateway.charge(&charge).await.unwrap()), ("card_of_another_gateway".to_owned(), false));
    }
    assert_eq!(world.fake.received(), []);
}

/// Rule 5.5: what became of a payment of another gateway is not known here: it may have taken the money.
#[tokio::test]
async fn a_payment_of_another_gateway_is_not_settled() {
    let world = World::new().await;
    for reference in [None, Some("ch_1".to_owned())] {
        let charge = Charge { reference, ..world.charge(&CardToken::new("tok_1".to_owned())) };
        world.gateway.find_charge(&charge).await.unwrap_err();
        world.gateway.cancel_charge(&charge).await.unwrap_err();
        let old = Charge { begun_at: charge.begun_at - Duration::days(1), ..charge };
        world.gateway.charge(&old).await.unwrap_err();
    }
    assert_eq!(world.fake.received(), []);
}

/// Rule 5.5: with a payment in the sandbox no money moved, so it ends without Stripe.
#[tokio::test]
async fn a_payment_in_the_sandbox_ends() {
    let world = World::new().await;
    let pending = world.charge(&CardToken::new("sandbox_ok".to_owned()));
    let waiting = Charge { reference: Some("sandbox_1".to_owned()), ..pending.clone() };
    for charge in [&pending, &waiting] {
        assert_eq!(world.gateway.find_charge(charge).await.unwrap(), None);
        assert_eq!(declined(world.gateway.charge(charge).await.unwrap()), ("card_of_another_gateway".to_owned(), false));
    }
    let cancelled = ChargeOutcome::Cancelled { reference: "sandbox_1".to_owned() };
    assert_eq!(world.gateway.cancel_charge(&waiting).await.unwrap(), cancelled);
    assert_eq!(world.fake.received(), []);
}

/// Rule 5.4: a card that Stripe no longer has is declined.
#[tokio::test]
async fn a_card_that_is_gone_is_declined() {
    let world = World::new().await;
    let card = world.card(GOOD).await;
    let (owner, _) = card.expose().split_once('/').unwrap();
    let charge = world.charge(&CardToken::new(format!("{owner}/pm_gone")));
    assert_eq!(declined(world.gateway.charge(&charge).await.unwrap()), ("resource_missing".to_owned(), false));
    world.fake.detach_card(card.expose().split_once('/').unwrap().1).unwrap();
    let outcome = world.gateway.charge(&world.charge(&card)).await.unwrap();
    assert_eq!(declined(outcome), ("payment_method_unexpected_state".to_owned(), false));
}

/// Rule 5.4: a customer who was deleted at Stripe is declined, and nothing is pending for ever.
#[tokio::test]
async fn a_customer_who_is_gone_is_declined() {
    let world = World::new().await;
    let charge = world.charge(&world.card(GOOD).await);
    world.fake.delete_customer(charge.card.expose().split_once('/').unwrap().0).unwrap();
    assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), None);
    assert_eq!(declined(world.gateway.charge(&charge).await.unwrap()), ("resource_missing".to_owned(), false));
}

/// Rule 5.5: a charge that was made counts, also if its customer is deleted, and its key is forgotten.
#[tokio::test]
async fn a_charge_that_was_made_counts_without_its_customer() {
    let world = World::new().await;
    let (charge, reference) = world.paid(GOOD).await;
    world.fake.forget_keys();
    world.fake.delete_customer(charge.card.expose().split_once('/').unwrap().0).unwrap();
    let paid = ChargeOutcome::Succeeded { reference };
    assert_eq!(world.gateway.charge(&charge).await.unwrap(), paid);
    assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), Some(paid));
}

/// Rule 5.5: a charge that was made counts, also if its card is gone when it is told again, and its key is forgotten.
#[tokio::test]
async fn a_charge_that_was_made_counts_without_its_card() {
    let world = World::new().await;
    let (charge, reference) = world.paid(GOOD).await;
    world.fake.forget_keys();
    world.fake.detach_card(charge.card.expose().split_once('/').unwrap().1).unwrap();
    assert_eq!(world.gateway.charge(&charge).await.unwrap(), ChargeOutcome::Succeeded { reference });
}
