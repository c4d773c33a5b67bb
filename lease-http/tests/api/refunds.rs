//! Refunds (rule 5.7).

use serde_json::{Value, json};

use crate::app::ApiResponse;
use crate::support::setup::{ASKS_PAYER, GOOD_CARD, REFUSES_REFUNDS};
use crate::support::{World, id, ids};

async fn refund(world: &World, payment: &Value, body: Value) -> ApiResponse {
    world.post(&format!("/api/payments/{}/refunds", id(payment)), &world.staff, body).await
}

#[tokio::test]
async fn a_payment_is_refunded_in_parts_and_no_more_than_was_paid() {
    let world = World::new().await;
    let (trade, invoice) = world.agreed_sale(1).await;
    let paid = world.pay(invoice, GOOD_CARD, "199.00").await;
    let invoice = format!("/api/invoices/{invoice}");

    let first = json!({"amount": "50.00", "reason": "requested_by_customer", "note": "a scratch"});
    let first = refund(&world, &paid, first).await.expect(201);
    assert_eq!((&first["status"], &first["amount"], &first["currency"]), (&json!("succeeded"), &json!("50.00"), &json!("USD")));
    assert_eq!((&first["reason"], &first["note"]), (&json!("requested_by_customer"), &json!("a scratch")));
    assert_eq!(first["credit_note_number"], format!("CN-{:08}", id(&first)));
    assert_eq!((&first["settled_at"], &first["failure_code"]), (&json!("2026-03-01T12:00:00Z"), &Value::Null));
    assert_eq!(world.get(&invoice, &world.owner).await.expect(200)["amount_refunded"], "50.00");

    refund(&world, &paid, json!({"amount": "149.01", "reason": "other"})).await.invalid(&["amount"]);
    refund(&world, &paid, json!({"amount": "0", "reason": "other"})).await.invalid(&["amount"]);
    refund(&world, &paid, json!({"amount": null, "currency": "EUR", "reason": "whim"}))
        .await
        .invalid(&["amount", "currency", "reason"]);
    refund(&world, &paid, json!({})).await.invalid(&["reason"]);
    let rest = refund(&world, &paid, json!({"reason": "trade_cancelled"})).await.expect(201);
    assert_eq!(rest["amount"], "149.00");
    refund(&world, &paid, json!({"reason": "other"})).await.refused(409, "payment_refunded");

    let payment = world.get(&format!("/api/payments/{}", id(&paid)), &world.staff).await.expect(200);
    assert_eq!((&payment["status"], &payment["amount_refunded"]), (&json!("succeeded"), &json!("199.00")));
    assert_eq!(payment["available_actions"], json!([]));
    let invoice = world.get(&invoice, &world.owner).await.expect(200);
    assert_eq!((&invoice["status"], &invoice["amount_refunded"]), (&json!("paid"), &json!("199.00")));
    assert_eq!(world.get(&format!("/api/trades/{trade}"), &world.owner).await.expect(200)["status"], "completed");

    let of_payment = format!("/api/payments/{}/refunds", id(&paid));
    for path in ["/api/refunds", "/api/refunds?status=succeeded", &of_payment] {
        assert_eq!(ids(&world.get(path, &world.owner).await.expect(200)), [id(&rest), id(&first)], "{path}");
        assert_eq!(ids(&world.get("/api/refunds", &world.buyer).await.expect(200)), [0_i64; 0]);
    }
    let events = world.get("/api/events?type=refund.*", &world.owner).await.expect(200);
    let types: Vec<_> = events["results"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(types, ["refund.succeeded", "refund.begun", "refund.succeeded", "refund.begun"]);
}

/// A refund that the gateway refuses is kept, and gives the amount free.
#[tokio::test]
async fn a_refund_that_fails_is_402_and_kept() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    let paid = world.pay(invoice, REFUSES_REFUNDS, "199.00").await;
    for _ in 0..2 {
        let failed = refund(&world, &paid, json!({"reason": "duplicate"})).await.refused(402, "refund_failed");
        assert_eq!(failed["failure_code"], "expired_or_canceled_card");
        let kept = world.get(&format!("/api/refunds/{}", failed["refund_id"]), &world.owner).await.expect(200);
        assert_eq!((&kept["status"], &kept["credit_note_number"]), (&json!("failed"), &Value::Null));
        assert_eq!(kept["failure_code"], "expired_or_canceled_card");
    }
    let payment = world.get(&format!("/api/payments/{}", id(&paid)), &world.staff).await.expect(200);
    assert_eq!((&payment["amount_refunded"], &payment["available_actions"]), (&json!("0.00"), &json!(["refund"])));
}

#[tokio::test]
async fn only_what_was_paid_is_refunded() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    let waiting = world.pay(invoice, ASKS_PAYER, "199.00").await;
    refund(&world, &waiting, json!({"reason": "other"})).await.refused(409, "payment_not_refundable");
    world.post(&format!("/api/payments/{}/cancel", id(&waiting)), &world.staff, Value::Null).await.expect(200);
    refund(&world, &waiting, json!({"reason": "other"})).await.refused(409, "payment_not_refundable");
}

/// Rule 6.7: sent again, it is the same refund.
#[tokio::test]
async fn a_refund_that_is_sent_again_is_made_once() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    let paid = world.pay(invoice, GOOD_CARD, "199.00").await;
    let path = format!("/api/payments/{}/refunds", id(&paid));
    let body = json!({"amount": "10.00", "reason": "other"});
    let answers = [(); 2].map(|()| world.app.post(&path, &world.staff.token, "k1", &body));
    let [first, second] = answers;
    assert_eq!(first.await.expect(201), second.await.expect(201));
    assert_eq!(ids(&world.get("/api/refunds", &world.staff).await.expect(200)).len(), 1);
}
