//! Payments that wait for their payers (rules 5.4, 5.5), with the cards of the sandbox.

use serde_json::{Value, json};

use crate::support::setup::{ASKS_PAYER, ASKS_PAYER_IN_VAIN, GOOD_CARD};
use crate::support::{World, id, ids};

fn payment(payment: &Value) -> String {
    format!("/api/payments/{}", id(payment))
}

/// Plays the payer.
fn act(payment: &Value) -> String {
    format!("/api/sandbox/payments/{}", id(payment))
}

/// Rule 5.5: the amount stays reserved until the payer has acted.
#[tokio::test]
async fn a_payer_who_confirms_has_paid() {
    let world = World::new().await;
    let (trade, invoice) = world.agreed_sale(1).await;
    let waiting = world.pay(invoice, ASKS_PAYER, "199.00").await;
    assert_eq!(waiting["status"], "requires_action");
    assert_eq!(waiting["next_action"], json!({"type": "sandbox", "url": act(&waiting)}));
    assert_eq!((&waiting["settled_at"], &waiting["available_actions"]), (&Value::Null, &json!(["cancel"])));
    let card = world.card(&world.owner, GOOD_CARD).await;
    let again = json!({"invoice_id": invoice, "credit_card_id": card});
    world.post("/api/payments", &world.owner, again).await.refused(409, "payment_pending");
    let reason = json!({"reason": "a mistake"});
    world.post(&format!("/api/invoices/{invoice}/void"), &world.staff, reason.clone()).await.refused(409, "invoice_has_payments");
    world.post(&format!("/api/invoices/{invoice}/write-off"), &world.staff, reason).await.refused(409, "payment_pending");

    let paid = world.post(&act(&waiting), &world.owner, json!({"outcome": "succeed"})).await.expect(200);
    assert_eq!((&paid["status"], &paid["next_action"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(paid["settled_at"], "2026-03-01T12:00:00Z");
    assert_eq!(world.get(&format!("/api/trades/{trade}"), &world.owner).await.expect(200)["status"], "completed");
    world.post(&act(&waiting), &world.owner, json!({"outcome": "fail"})).await.refused(409, "payment_settled");
    let events =
        world.get(&format!("/api/events?subject_kind=payment&subject_id={}", id(&waiting)), &world.owner).await.expect(200);
    let types: Vec<_> = events["results"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(types, ["payment.succeeded", "payment.requires_action", "payment.begun"]);
}

/// Rule 5.5: a payment that fails gives the amount free.
#[tokio::test]
async fn a_payer_who_does_not_confirm_has_not_paid() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    for (number, outcome, code) in [
        (ASKS_PAYER, "fail", "payment_intent_authentication_failure"),
        (ASKS_PAYER_IN_VAIN, "fail", "card_declined"),
        (ASKS_PAYER_IN_VAIN, "succeed", "card_declined"),
    ] {
        let waiting = world.pay(invoice, number, "199.00").await;
        let failed = world.post(&act(&waiting), &world.owner, json!({"outcome": outcome})).await.expect(200);
        assert_eq!((&failed["status"], &failed["failure_code"]), (&json!("failed"), &json!(code)), "{number} {outcome}");
    }
    world.post(&act(&world.pay(invoice, ASKS_PAYER, "1.00").await), &world.owner, json!({})).await.invalid(&["outcome"]);
}

/// Rule 5.5: the payer or staff cancel, and the amount is free again.
#[tokio::test]
async fn a_payment_that_waits_can_be_cancelled() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    for person in [&world.owner, &world.staff] {
        let waiting = world.pay(invoice, ASKS_PAYER, "199.00").await;
        let cancelled = world.post(&format!("{}/cancel", payment(&waiting)), person, Value::Null).await.expect(200);
        assert_eq!((&cancelled["status"], &cancelled["next_action"]), (&json!("cancelled"), &Value::Null));
        assert_eq!(cancelled["settled_at"], "2026-03-01T12:00:00Z");
        world.post(&act(&waiting), &world.owner, json!({"outcome": "succeed"})).await.refused(409, "payment_settled");
        world.post(&format!("{}/cancel", payment(&waiting)), person, Value::Null).await.refused(409, "payment_settled");
        let newest = world.get("/api/events?type=payment.cancelled", &world.staff).await.expect(200)["results"][0].clone();
        assert_eq!(newest["actor"]["user_id"], person.user);
    }
    assert_eq!(world.pay(invoice, GOOD_CARD, "199.00").await["status"], "succeeded");
}

/// Rule 5.5: after an hour, it is cancelled.
#[tokio::test]
async fn a_payment_waits_for_an_hour() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    let waiting = world.pay(invoice, ASKS_PAYER, "199.00").await;
    let advance = async |seconds: i64| {
        world.post("/api/test-clock/advance", &world.root, json!({"seconds": seconds})).await.expect(200);
        world.get(&payment(&waiting), &world.owner).await.expect(200)["status"].clone()
    };
    assert_eq!(advance(3_599).await, "requires_action");
    assert_eq!(advance(1).await, "cancelled");
    let list = world.get("/api/payments?status=cancelled", &world.owner).await.expect(200);
    assert_eq!(ids(&list), [id(&waiting)]);
    let newest = world.get("/api/events?type=payment.cancelled", &world.owner).await.expect(200)["results"][0].clone();
    assert_eq!(newest["actor"]["kind"], "system");
}

/// Rule 5.8.
#[tokio::test]
async fn the_gateway_says_what_it_is() {
    let world = World::new().await;
    let gateway = world.get("/api/gateway", &world.buyer).await.expect(200);
    assert_eq!(gateway, json!({"kind": "sandbox", "publishable_key": null}));
}
