//! Rules of an app's own, over HTTP (rules 4.15, 5.2). The document that the other tests hold responses against is that of a server
//! without such rules.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use lease_core::guard::{Guard, GuardedAct};
use lease_core::invoicing::{FeeBasis, FeePolicy};
use lease_core::money::{Money, MoneyError};
use lease_core::permission::Actor;
use lease_core::{OwnRefusal, RefusalCode};
use serde_json::{Value, json};

use crate::support::{World, id};

const TOO_CHEAP: RefusalCode = RefusalCode::new("too_cheap").unwrap();

/// Nobody accepts less than 100.
#[derive(Debug)]
struct NotTooCheap;

impl Guard for NotTooCheap {
    fn check(&self, _: &Actor, act: &GuardedAct<'_>, _: DateTime<Utc>) -> Result<(), OwnRefusal> {
        match act {
            GuardedAct::Accept { proposal, .. } if proposal.amount.amount() < 100.into() => {
                Err(OwnRefusal::new(TOO_CHEAP, format!("{} is too cheap.", proposal.amount)))
            }
            _ => Ok(()),
        }
    }
}

/// Two per cent of the price.
#[derive(Debug)]
struct TwoPerCent;

impl FeePolicy for TwoPerCent {
    fn fee(&self, basis: &FeeBasis<'_>) -> Result<Money, MoneyError> {
        basis.proposal.amount.percent(2.into())
    }
}

/// The owner offers a vehicle for sale at this price; the path of the proposal.
async fn offer(world: &World, price: &str) -> String {
    let vehicle =
        json!({"chassis_number": format!("NUMBER-{}", price.replace('.', "-")), "make": "Honda", "model": "Z", "year": 2020});
    let vehicle = id(&world.post("/api/vehicles", &world.owner, vehicle).await.expect(201));
    let trade = json!({"vehicle_id": vehicle, "service_id": world.sell});
    let trade = id(&world.post("/api/trades", &world.owner, trade).await.expect(201));
    let proposal = json!({"amount": price});
    let proposal = world.post(&format!("/api/trades/{trade}/proposals"), &world.owner, proposal).await.expect(201);
    format!("/api/proposals/{}", id(&proposal))
}

/// Rules 4.15, 6.6: the response has the app's own code and message; `available_actions` do not promise the act.
#[tokio::test]
async fn a_guard_answers_with_its_own_code() {
    let world = World::with(|builder| builder.guard(Arc::new(NotTooCheap))).await;
    let proposal = offer(&world, "99.99").await;
    let refused = world.app.post(&format!("{proposal}/accept"), &world.buyer.token, "", &Value::Null).await;
    assert_eq!(refused.code(), (409, "too_cheap".to_owned()));
    assert_eq!(refused.json()["detail"], "99.99 USD is too cheap.");
    assert_eq!(refused.header("content-type"), "application/problem+json");
    let actions = |proposal: Value| proposal["available_actions"].clone();
    assert_eq!(actions(world.get(&proposal, &world.buyer).await.expect(200)), json!([]));
    let proposal = offer(&world, "100.00").await;
    assert_eq!(actions(world.get(&proposal, &world.buyer).await.expect(200)), json!(["accept"]));
    world.post(&format!("{proposal}/accept"), &world.buyer, Value::Null).await.expect(200);
}

/// Rule 6.8: the document of an engine with a guard allows for codes that it does not list, and otherwise is the same.
#[tokio::test]
async fn the_document_allows_for_own_codes() {
    let document = async |world: &World| world.get("/api/openapi.json", &world.root).await.json();
    let plain = document(&World::new().await).await;
    let mut guarded = document(&World::with(|builder| builder.guard(Arc::new(NotTooCheap))).await).await;
    let code = "/components/schemas/Problem/properties/code";
    assert!(plain.pointer(code).unwrap()["enum"].is_array());
    assert!(guarded.pointer(code).unwrap().get("enum").is_none());
    *guarded.pointer_mut(code).unwrap() = plain.pointer(code).unwrap().clone();
    assert_eq!(guarded, plain);
}

/// Rule 5.2: a policy of the app's own says the amount of the invoice.
#[tokio::test]
async fn a_fee_policy_says_the_amount_of_the_invoice() {
    let world = World::with(|builder| builder.fee_policy(Arc::new(TwoPerCent))).await;
    let proposal = offer(&world, "18500.25").await;
    world.post(&format!("{proposal}/accept"), &world.buyer, Value::Null).await.expect(200);
    let invoices = world.get("/api/invoices", &world.owner).await.expect(200);
    assert_eq!((&invoices["results"][0]["amount"], &invoices["results"][0]["currency"]), (&json!("370.01"), &json!("USD")));
}
