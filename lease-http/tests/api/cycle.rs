//! The two complete cycles, a lease and a sale, and the steps that lead to them, over the API.

use std::collections::BTreeSet;

use lease_core::invariants::Books;
use serde_json::{Value, json};

use crate::support::setup::GOOD_CARD;
use crate::support::{World, id, ids};

/// Chapters 4 and 5: the owner's first proposal is billed, a counter-proposal is accepted, the fee is paid in two parts.
#[tokio::test]
async fn a_lease_goes_through_its_whole_cycle() {
    let world = World::new().await;
    let (owner, buyer) = (&world.owner, &world.buyer);
    let trade = world.trade(world.lease, 1).await;
    let path = format!("/api/trades/{trade}");
    assert_eq!(world.get(&path, buyer).await.expect(200)["available_actions"], json!([]), "the owner proposes first");
    let own = world.lease_offer(trade, owner).await;
    assert_eq!(world.get(&path, buyer).await.expect(200)["available_actions"], json!(["propose"]));
    let counter = world.lease_offer(trade, buyer).await;
    let offered = world.get(&format!("/api/proposals/{counter}"), owner).await.expect(200);
    assert_eq!(offered["available_actions"], json!(["accept", "reject"]));
    assert_eq!(
        world.post(&format!("/api/proposals/{counter}/accept"), owner, Value::Null).await.expect(200)["status"],
        "accepted"
    );
    assert_eq!(world.get(&format!("/api/proposals/{own}"), owner).await.expect(200)["status"], "closed");

    let agreed = world.get(&path, owner).await.expect(200);
    assert_eq!((&agreed["status"], &agreed["counterparty_id"]), (&json!("agreed"), &json!(buyer.customer)));
    let invoice = agreed["invoice_id"].as_i64().unwrap();
    let card = world.card(owner, GOOD_CARD).await;
    let pay = |amount: &str| json!({"credit_card_id": card, "amount": amount});
    let payments = format!("/api/invoices/{invoice}/payments");
    let first = world.post(&payments, owner, pay("9.00")).await.expect(201);
    assert_eq!((&first["status"], &first["amount"]), (&json!("succeeded"), &json!("9.00")));
    world.post(&payments, owner, pay("40.01")).await.invalid(&["amount"]);
    world.post(&payments, owner, json!({"credit_card_id": card})).await.expect(201);
    world.post(&payments, owner, pay("0.01")).await.refused(409, "invoice_not_open");

    let paid = world.get(&format!("/api/invoices/{invoice}"), owner).await.expect(200);
    assert_eq!((&paid["status"], &paid["amount"], &paid["amount_paid"]), (&json!("paid"), &json!("49.00"), &json!("49.00")));
    let done = world.get(&path, buyer).await.expect(200);
    assert_eq!((&done["status"], &done["available_actions"]), (&json!("completed"), &json!([])));
    assert_books_in_order(&world).await;
}

async fn assert_books_in_order(world: &World) {
    assert_eq!(Books::read(&*world.store).await.unwrap().violations(), Vec::<String>::new());
}

/// Rule 4.7: the vehicle of a completed sale belongs to the buyer.
#[tokio::test]
async fn a_sale_hands_the_vehicle_over() {
    let world = World::new().await;
    let (trade, invoice) = world.agreed_sale(1).await;
    let vehicle = world.get(&format!("/api/trades/{trade}"), &world.owner).await.expect(200)["vehicle_id"].as_i64().unwrap();
    let declining = world.card(&world.owner, "4000000000000002").await;
    let payments = format!("/api/invoices/{invoice}/payments");
    world.post(&payments, &world.owner, json!({"credit_card_id": declining})).await.refused(402, "card_declined");
    assert_eq!(world.get(&format!("/api/trades/{trade}"), &world.owner).await.expect(200)["status"], "agreed");

    let card = world.card(&world.owner, GOOD_CARD).await;
    world.post(&payments, &world.owner, json!({"credit_card_id": card})).await.expect(201);
    let sold = world.get(&format!("/api/vehicles/{vehicle}"), &world.buyer).await.expect(200);
    assert_eq!(sold["customer_id"], world.buyer.customer);
    let tried = world.get("/api/payments", &world.owner).await.expect(200);
    let statuses: Vec<_> = tried["results"].as_array().unwrap().iter().map(|payment| payment["status"].clone()).collect();
    assert_eq!(statuses, ["succeeded", "failed"]);
    assert_books_in_order(&world).await;
}

/// Rule 2.2: a hidden row looks as if it did not exist, in lists as well.
#[tokio::test]
async fn a_hidden_proposal_appears_in_no_response() {
    let world = World::new().await;
    let trade = world.trade(world.sell, 1).await;
    let own = world.offer(trade, &world.owner, "9000").await;
    let secret = world.offer(trade, &world.buyer, "8000").await;
    for list in ["/api/proposals".to_owned(), format!("/api/trades/{trade}/proposals")] {
        let seen = |list: &Value| ids(list).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(seen(&world.get(&list, &world.stranger).await.expect(200)), BTreeSet::from([own]), "{list}");
        assert_eq!(seen(&world.get(&list, &world.owner).await.expect(200)), BTreeSet::from([own, secret]), "{list}");
    }
    world.get(&format!("/api/proposals/{secret}"), &world.stranger).await.refused(404, "not_found");
}

/// PATCH changes the fields that it names; DELETE responds 204 and deletes the row.
#[tokio::test]
async fn a_contact_is_changed_and_deleted() {
    let world = World::new().await;
    let (owner, staff) = (&world.owner, &world.staff);
    let made = world.post("/api/contacts", owner, json!({"name": "Bo", "email": "bo@example.com", "phone": "555"})).await;
    let path = format!("/api/contacts/{}", id(&made.expect(201)));
    assert_eq!(world.patch(&path, staff, json!({"name": "Cy"})).await.expect(200)["phone"], "555");
    assert_eq!(world.put(&path, owner, json!({"name": "Di", "phone": "557"})).await.expect(200)["name"], "Di");
    assert_eq!(world.delete(&path, owner).await.status, 204);
    world.get(&path, owner).await.refused(404, "not_found");
}

#[tokio::test]
async fn put_asks_for_all_that_is_required() {
    let world = World::new().await;
    let vehicle = world.vehicle(&world.owner, 1).await;
    let only_color = world.put(&format!("/api/vehicles/{vehicle}"), &world.owner, json!({"color": "red"})).await;
    only_color.invalid(&["make", "model", "vin", "year"]);
}

/// A hostile request never gets a 5xx, and the document describes its response (every response is checked against it).
#[tokio::test]
async fn no_operation_responds_to_nonsense_with_a_5xx() {
    let world = World::new().await;
    for (path, operations) in crate::support::document()["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            for nonsense in ["0", "-1", "x", "99999999999999999999", "9223372036854775807", "%00", "%ff", "1%2F2"] {
                let path = path.replace("{id}", nonsense);
                for body in [json!([1]), json!({"id": {}, "amount": [[]], "trade_id": "x", "username": 1})] {
                    let response = world.call(&method.to_ascii_uppercase(), &path, &world.root, body).await;
                    assert!(!response.status.is_server_error(), "{method} {path}: {} {}", response.status, response.text);
                }
            }
        }
    }
}
