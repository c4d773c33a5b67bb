//! Time through the whole stack: rows are read, listed and changed just before an instant, and at it.

use chrono::{DateTime, Duration, Utc};
use lease_core::policy::{LatePayments, Policy};
use serde_json::{Value, json};

use crate::support::setup::GOOD_CARD;
use crate::support::{World, id, ids};

fn tick() -> Duration {
    Duration::microseconds(1)
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Rule 4.5: an instant in the hour that clocks in Europe skip is like any other.
#[tokio::test]
async fn a_proposal_expires_exactly_at_its_instant() {
    let world = World::new().await;
    let trade = world.trade(world.sell, 1).await;
    let terms = json!({"amount": "9000", "expires_at": "2026-03-29T02:30:00+02:00"});
    let made = world.post(&format!("/api/trades/{trade}/proposals"), &world.owner, terms).await.expect(201);
    let offer = id(&made);
    assert_eq!(made["expires_at"].as_str().map(instant), Some(instant("2026-03-29T00:30:00Z")));
    let listed = async |status: &str| {
        ids(&world.get(&format!("/api/proposals?trade_id={trade}&status={status}"), &world.buyer).await.expect(200))
    };
    let read = async || world.get(&format!("/api/proposals/{offer}"), &world.buyer).await.expect(200)["status"].clone();

    world.app.clock.set(instant("2026-03-29T00:30:00Z") - tick());
    assert_eq!((read().await, listed("pending").await, listed("expired").await), (json!("pending"), vec![offer], vec![]));
    world.app.clock.advance(tick());
    assert_eq!((read().await, listed("pending").await, listed("expired").await), (json!("expired"), vec![], vec![offer]));
    for (act, person) in [("accept", &world.buyer), ("withdraw", &world.owner)] {
        world.post(&format!("/api/proposals/{offer}/{act}"), person, Value::Null).await.refused(409, "proposal_expired");
    }
}

/// Chapter 1: instants are cut to microseconds before they are checked; years have four digits.
#[tokio::test]
async fn an_expiry_is_a_valid_instant_in_the_future() {
    let world = World::new().await;
    let trade = world.trade(world.sell, 1).await;
    let propose = async |expires_at: &str| {
        let terms = json!({"amount": "9000", "expires_at": expires_at});
        world.post(&format!("/api/trades/{trade}/proposals"), &world.owner, terms).await
    };
    for wrong in ["2026-03-01T12:00:00.0000009Z", "+10000-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "2026-03-30T02:30:00"] {
        propose(wrong).await.invalid(&["expires_at"]);
    }
    for (good, reads) in [
        ("2026-03-01T12:00:00.0000019Z", "2026-03-01T12:00:00.000001Z"),
        ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999Z"),
    ] {
        let made = propose(good).await.expect(201);
        assert_eq!(made["expires_at"].as_str().map(instant), Some(instant(reads)), "{made}");
    }
}

/// Rules 5.2, 5.3, 5.4: an invoice is due until the end of the day in UTC.
#[tokio::test]
async fn an_invoice_is_not_overdue_until_the_end_of_its_due_date() {
    for late_payments in [LatePayments::Accept, LatePayments::Reject] {
        let world = World::with(|builder| builder.policy(Policy::default().with_late_payments(late_payments))).await;
        let trade = world.trade(world.lease, 1).await;
        world.lease_offer(trade, &world.owner).await;
        let card = world.card(&world.owner, GOOD_CARD).await;
        let invoice = world.get(&format!("/api/trades/{trade}"), &world.owner).await.expect(200)["invoice_id"].as_i64().unwrap();
        let read = async || world.get(&format!("/api/invoices/{invoice}"), &world.owner).await.expect(200);
        let overdue = async || ids(&world.get("/api/invoices?overdue=true", &world.staff).await.expect(200));
        let pay = async || {
            let body = json!({"invoice_id": invoice, "credit_card_id": card, "amount": "1.00"});
            world.post("/api/payments", &world.owner, body).await
        };
        assert_eq!(read().await["due_date"], "2026-03-15");

        world.app.clock.set(instant("2026-03-15T23:59:59.999999Z"));
        assert_eq!((&read().await["is_overdue"], overdue().await), (&json!(false), vec![]));
        assert_eq!(pay().await.expect(201)["is_late"], json!(false));
        world.app.clock.advance(tick());
        assert_eq!((&read().await["is_overdue"], overdue().await), (&json!(true), vec![invoice]));
        match late_payments {
            LatePayments::Accept => assert_eq!(pay().await.expect(201)["is_late"], json!(true)),
            LatePayments::Reject => drop(pay().await.refused(409, "invoice_overdue")),
        }
    }
}

/// Rule 3.6: a token is valid until the last microsecond before it expires.
#[tokio::test]
async fn a_token_is_valid_until_the_microsecond_before_it_expires() {
    let world = World::new().await;
    let path = format!("/api/user/{}", world.owner.user);
    world.app.clock.advance(Duration::days(30) - tick());
    world.get(&path, &world.owner).await.expect(200);
    world.app.clock.advance(tick());
    world.get(&path, &world.owner).await.refused(401, "not_authenticated");
}
