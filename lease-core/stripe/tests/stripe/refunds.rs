use chrono::Duration;
use lease_core::gateway::{PaymentGateway as _, RefundOutcome, RefundRequest};
use lease_core::model::RefundReason;
use lease_stripe::fake::Fault;

use crate::support::{GOOD, REFUND_FAILS, REFUND_PENDS, World, money};

fn reference(outcome: &RefundOutcome) -> String {
    match outcome {
        RefundOutcome::Succeeded { reference } | RefundOutcome::Pending { reference } => reference.clone(),
        other => panic!("{other:?}"),
    }
}

fn failed(code: &str, reference: Option<String>) -> RefundOutcome {
    RefundOutcome::Failed { failure_code: code.to_owned(), reference }
}

/// Rule 5.7: a part of a payment is given back, once under its key.
#[tokio::test]
async fn a_refund_names_its_payment() {
    let world = World::new().await;
    let (_, charge) = world.paid(GOOD).await;
    let refund = world.refund(&charge, "9.00", "key1");
    let outcome = world.gateway.refund(&refund).await.unwrap();
    let made = world.fake.object(&reference(&outcome)).unwrap();
    assert_eq!((&made["payment_intent"], &made["reason"]), (&charge.into(), &"requested_by_customer".into()));
    let metadata = &made["metadata"];
    assert_eq!([&metadata["lease_refund_key"], &metadata["lease_refund_id"], &metadata["lease_payment_id"]], ["key1", "3", "7"]);
    assert_eq!(world.gateway.refund(&refund).await.unwrap(), outcome);
    assert_eq!(world.gateway.find_refund(&refund).await.unwrap(), Some(outcome));
    assert_eq!(world.fake.refunded(), (1, 900));
}

/// Rule 5.7: Stripe is told the reasons that it knows.
#[tokio::test]
async fn reasons_are_told_in_the_words_of_stripe() {
    let world = World::new().await;
    let (_, charge) = world.paid(GOOD).await;
    let cases = [
        (RefundReason::Duplicate, Some("duplicate")),
        (RefundReason::Fraudulent, Some("fraudulent")),
        (RefundReason::RequestedByCustomer, Some("requested_by_customer")),
        (RefundReason::TradeCancelled, None),
        (RefundReason::Other, None),
    ];
    for (place, (reason, told)) in cases.into_iter().enumerate() {
        let refund = RefundRequest { reason, ..world.refund(&charge, "1.00", &format!("key{place}")) };
        let outcome = world.gateway.refund(&refund).await.unwrap();
        assert_eq!(world.fake.object(&reference(&outcome)).unwrap()["reason"].as_str(), told);
    }
}

/// Rule 5.7: a refund is found by its key or its reference, and not made again once Stripe has forgotten the key.
#[tokio::test]
async fn refunding_again_gives_nothing_back() {
    let world = World::new().await;
    let (_, charge) = world.paid(GOOD).await;
    let refund = world.refund(&charge, "9.00", "key1");
    assert_eq!(world.gateway.find_refund(&refund).await.unwrap(), None);
    let outcome = world.gateway.refund(&refund).await.unwrap();
    world.fake.forget_keys();
    let known = RefundRequest { reference: Some(reference(&outcome)), ..refund.clone() };
    assert_eq!(world.gateway.refund(&known).await.unwrap(), outcome);
    assert_eq!(world.gateway.find_refund(&known).await.unwrap(), Some(outcome.clone()));
    world.clock.advance(Duration::hours(23));
    assert_eq!(world.gateway.refund(&refund).await.unwrap(), outcome);
    assert_eq!(world.fake.refunded(), (1, 900));
}

/// Rule 5.7: a refund whose response was lost is found.
#[tokio::test]
async fn a_refund_without_a_response_is_found() {
    for fault in [Fault::Silence, Fault::DoneButFailedWith(500), Fault::Garbage] {
        let world = World::new().await;
        let (_, charge) = world.paid(GOOD).await;
        let refund = world.refund(&charge, "49.00", "key1");
        let before = world.fake.received().len();
        world.fake.fail_next("POST", "/v1/refunds", fault);
        tokio::select! {
            outcome = world.gateway.refund(&refund) => assert!(fault != Fault::Silence && outcome.is_err()),
            () = world.fake.wait_for_requests(before + 1), if fault == Fault::Silence => {}
        }
        world.fake.forget_keys();
        world.clock.advance(Duration::days(2));
        let found = world.gateway.find_refund(&refund).await.unwrap().unwrap();
        assert_eq!(world.gateway.refund(&refund).await.unwrap(), found);
        assert_eq!(world.fake.refunded(), (1, 4900));
    }
}

/// Rule 5.7: no more is given back than was paid, whatever we believe.
#[tokio::test]
async fn too_much_fails() {
    let world = World::new().await;
    let (_, charge) = world.paid(GOOD).await;
    world.gateway.refund(&world.refund(&charge, "40.00", "key1")).await.unwrap();
    let too_much = world.refund(&charge, "9.01", "key2");
    assert_eq!(world.gateway.refund(&too_much).await.unwrap(), failed("amount_too_large", None));
    world.gateway.refund(&world.refund(&charge, "9.00", "key3")).await.unwrap();
    let again = world.refund(&charge, "0.50", "key4");
    assert_eq!(world.gateway.refund(&again).await.unwrap(), failed("charge_already_refunded", None));
    assert_eq!(world.fake.refunded(), (2, 4900));
}

/// Rule 5.7: what staff gave back by hand is no refund of ours, and leaves that much less.
#[tokio::test]
async fn what_was_refunded_by_hand_is_not_ours() {
    let world = World::new().await;
    let (_, charge) = world.paid(GOOD).await;
    world.fake.refund_by_hand(&charge, 4000).unwrap();
    let refund = world.refund(&charge, "40.00", "key1");
    assert_eq!(world.gateway.find_refund(&refund).await.unwrap(), None);
    assert_eq!(world.gateway.refund(&refund).await.unwrap(), failed("amount_too_large", None));
    world.gateway.refund(&world.refund(&charge, "9.00", "key2")).await.unwrap();
    assert_eq!(world.fake.refunded(), (2, 4900));
}

/// Rule 5.7: if nothing is left to refund because this refund was made, it succeeded.
#[tokio::test]
async fn what_was_refunded_already_may_be_this() {
    let world = World::new().await;
    let (_, charge) = world.paid(GOOD).await;
    let refund = world.refund(&charge, "49.00", "key1");
    let outcome = world.gateway.refund(&refund).await.unwrap();
    // Earlier than Stripe promises.
    world.fake.forget_keys();
    assert_eq!(world.gateway.refund(&refund).await.unwrap(), outcome);
    assert_eq!(world.fake.refunded(), (1, 4900));
}

/// Rule 5.7: a refund can fail, and can take time.
#[tokio::test]
async fn a_refund_can_fail_or_take_time() {
    let world = World::new().await;
    let (_, charge) = world.paid(REFUND_FAILS).await;
    let outcome = world.gateway.refund(&world.refund(&charge, "1.00", "key1")).await.unwrap();
    assert!(
        matches!(outcome, RefundOutcome::Failed { failure_code, reference: Some(_) } if failure_code == "expired_or_canceled_card")
    );

    for failure in [None, Some("lost_or_stolen_card")] {
        let world = World::new().await;
        let (_, charge) = world.paid(REFUND_PENDS).await;
        let refund = world.refund(&charge, "1.00", "key1");
        let RefundOutcome::Pending { reference } = world.gateway.refund(&refund).await.unwrap() else { panic!() };
        world.fake.finish_refund(&reference, failure).unwrap();
        let expected = match failure {
            None => RefundOutcome::Succeeded { reference },
            Some(code) => failed(code, Some(reference)),
        };
        // Stripe repeats its old response to the key; the refund is asked for as it is now.
        assert_eq!(world.gateway.refund(&refund).await.unwrap(), expected);
        assert_eq!(world.gateway.find_refund(&refund).await.unwrap(), Some(expected));
    }
}

/// Rule 5.7: whatever is no failure for certain leaves the outcome unknown.
#[tokio::test]
async fn failures_of_stripe_are_not_those_of_a_refund() {
    let world = World::new().await;
    let (_, charge) = world.paid(GOOD).await;
    let refund = world.refund(&charge, "49.00", "key1");
    for status in [302, 400, 401, 402, 404, 409, 429, 500] {
        world.fake.fail_next("POST", "/v1/refunds", Fault::RefusedWith(status));
        world.gateway.refund(&refund).await.unwrap_err();
    }
    world.fake.fail_next("GET", "/v1/refunds", Fault::RefusedWith(500));
    world.gateway.find_refund(&refund).await.unwrap_err();
    world.gateway.refund(&refund).await.unwrap();
    assert_eq!(world.fake.refunded(), (1, 4900));
}

/// Rule 5.7: what comes back must be what was asked for.
#[tokio::test]
async fn another_refund_is_no_outcome() {
    let world = World::new().await;
    let (_, charge) = world.paid(GOOD).await;
    let refund = world.refund(&charge, "9.00", "key1");
    let outcome = world.gateway.refund(&refund).await.unwrap();
    let known = RefundRequest { reference: Some(reference(&outcome)), ..refund };
    let others = [
        RefundRequest { amount: money("9.01", "USD"), ..known.clone() },
        RefundRequest { amount: money("9.00", "EUR"), ..known.clone() },
        RefundRequest { key: lease_core::gateway::RefundKey::new("key2".to_owned()), ..known },
    ];
    for other in others {
        world.gateway.find_refund(&other).await.unwrap_err();
        world.gateway.refund(&other).await.unwrap_err();
    }
}

/// Rule 5.7: a refund of a payment that Stripe does not know fails, and nothing is pending for ever.
#[tokio::test]
async fn a_refund_of_what_stripe_does_not_know_fails() {
    let world = World::new().await;
    let refund = world.refund("pi_gone", "1.00", "key1");
    assert_eq!(world.gateway.find_refund(&refund).await.unwrap(), None);
    assert_eq!(world.gateway.refund(&refund).await.unwrap(), failed("resource_missing", None));
}

/// Rule 5.7: a payment that another gateway took, and an amount that Stripe cannot give back exactly, fail at once.
#[tokio::test]
async fn what_stripe_cannot_refund_fails_at_once() {
    let world = World::new().await;
    for reference in ["sandbox_1", "ch_1"] {
        let foreign = world.refund(reference, "1.00", "key1");
        assert_eq!(world.gateway.refund(&foreign).await.unwrap(), failed("payment_of_another_gateway", None));
    }
    let inexact = RefundRequest { amount: money("0.001", "KWD"), ..world.refund("pi_1", "1.00", "key1") };
    assert_eq!(world.gateway.refund(&inexact).await.unwrap(), failed("amount_not_supported", None));
    assert_eq!(world.fake.received(), []);
}

/// Rule 5.7: what became of a refund of another gateway is not known here; with one in the sandbox no money moved.
#[tokio::test]
async fn a_refund_of_another_gateway_is_not_settled() {
    let world = World::new().await;
    for reference in [None, Some("re_1".to_owned())] {
        let foreign = RefundRequest { reference, ..world.refund("ch_1", "1.00", "key1") };
        world.gateway.find_refund(&foreign).await.unwrap_err();
        let of_sandbox = RefundRequest { charge_reference: "sandbox_1".to_owned(), ..foreign };
        assert_eq!(world.gateway.find_refund(&of_sandbox).await.unwrap(), None);
        assert_eq!(world.gateway.refund(&of_sandbox).await.unwrap(), failed("payment_of_another_gateway", None));
    }
    assert_eq!(world.fake.received(), []);
}
