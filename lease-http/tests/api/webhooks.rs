//! Webhooks (rules 9.1, 9.2), as staff set them up and as a receiver gets them.

use chrono::Duration;
use lease_core::policy::Policy;
use serde_json::{Value, json};

use crate::support::{World, id, ids};

const URL: &str = "https://example.com/hook";

/// What an endpoint was told, in the order in which it was.
fn types(world: &World) -> Vec<String> {
    let told = world.receiver.take();
    told.iter()
        .map(|request| serde_json::from_str::<Value>(&request.body).unwrap()["type"].as_str().unwrap().to_owned())
        .collect()
}

async fn create(world: &World, body: Value) -> Value {
    world.post("/api/webhook-endpoints", &world.staff, body).await.expect(201)
}

async fn lead(world: &World) -> i64 {
    id(&world.post("/api/leads", &world.staff, json!({"company": "Acme"})).await.expect(201))
}

/// Rule 9.1: what is wrong with an endpoint is told by its field.
#[tokio::test]
async fn a_wrong_endpoint_is_told_by_its_fields() {
    let world = World::new().await;
    let post = async |body: Value| world.post("/api/webhook-endpoints", &world.staff, body).await;
    for url in
        ["", "hook", "http://example.com/hook", "https://127.0.0.1/", "https://[::ffff:10.0.0.1]/", "https://a:b@example.com/"]
    {
        post(json!({"url": url})).await.invalid(&["url"]);
    }
    for types in [json!(["trade.gone"]), json!("trade"), json!([7]), json!({"trade": true})] {
        post(json!({"url": URL, "event_types": types, "is_active": "perhaps"})).await.invalid(&["event_types", "is_active"]);
    }
    post(json!({})).await.invalid(&["url"]);
    let private = World::with(|builder| builder.policy(Policy::default().with_private_webhooks(true))).await;
    create(&private, json!({"url": "http://127.0.0.1:9000/hook"})).await;
}

/// Rules 9.1 and 9.2: an endpoint is told of what happens after it was created, as far as it wants, with the event as the API shows it.
#[tokio::test]
async fn an_endpoint_is_told_of_the_events_that_it_wants() {
    let world = World::new().await;
    lead(&world).await;
    let endpoint = create(&world, json!({"url": URL, "event_types": "lead.*, vehicle.created"})).await;
    assert_eq!(endpoint["event_types"], json!(["lead.*", "vehicle.created"]));
    let made = lead(&world).await;
    world.card(&world.owner, crate::support::setup::GOOD_CARD).await;
    world.catch_up().await;
    let told = world.receiver.take();
    let [request] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((request.url.as_str(), request.secrets.len()), (URL, 1));
    assert_eq!(request.secrets[0].expose(), endpoint["secret"]);
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!((&body["type"], &body["data"]["subject"]["id"]), (&json!("lead.created"), &json!(made)));
    assert_eq!(body["timestamp"], "2026-03-01T12:00:00Z");
    let event = format!("/api/events/{}", id(&body["data"]));
    assert_eq!(world.get(&event, &world.staff).await.expect(200), body["data"]);
    assert_eq!(request.id, format!("event_{}", id(&body["data"])));
}

/// Rule 9.1: the secret comes once, and once more on rotation; the one before signs too for 24 hours.
#[tokio::test]
async fn a_rotated_secret_signs_beside_the_new_one_for_a_day() {
    let world = World::new().await;
    let created = create(&world, json!({"url": URL})).await;
    let path = format!("/api/webhook-endpoints/{}", id(&created));
    assert!(world.get(&path, &world.staff).await.expect(200).get("secret").is_none());
    let rotated = world.post(&format!("{path}/rotate-secret"), &world.staff, Value::Null).await.expect(200);
    let (old, new) = (created["secret"].clone(), rotated["secret"].clone());
    assert_ne!(old, new);
    world.catch_up().await;
    world.receiver.take();
    for (hours, expected) in [(23, vec![&new, &old]), (2, vec![&new])] {
        world.app.clock.advance(Duration::hours(hours));
        world.post(&format!("{path}/test"), &world.staff, Value::Null).await.expect(202);
        world.catch_up().await;
        let told = world.receiver.take();
        let secrets: Vec<_> = told[0].secrets.iter().map(|secret| json!(secret.expose())).collect();
        assert_eq!(secrets.iter().collect::<Vec<_>>(), expected);
    }
    let events = world.get("/api/events?type=webhook_endpoint.*", &world.staff).await.expect(200).to_string();
    assert!(!events.contains("whsec_"), "{events}");
}

/// Rule 9.1: a test is a delivery without an event.
#[tokio::test]
async fn a_test_is_sent_at_once() {
    let world = World::new().await;
    let endpoint = world.webhook_endpoint(URL, &["refund.failed"]).await;
    let queued = world.post(&format!("/api/webhook-endpoints/{endpoint}/test"), &world.staff, Value::Null).await.expect(202);
    assert_eq!((&queued["type"], &queued["event_id"]), (&json!("webhook_endpoint.test"), &Value::Null));
    assert_eq!((&queued["status"], &queued["tries"]), (&json!("pending"), &json!([])));
    world.catch_up().await;
    assert_eq!(types(&world), ["webhook_endpoint.test"]);
    assert_eq!(world.deliveries(endpoint).await[0]["status"], "succeeded");
}

/// Rule 9.2: each try is in the list, and a delivery that failed is tried again, under the same id, when that is due.
#[tokio::test]
async fn what_was_not_taken_is_tried_again() {
    let world = World::new().await;
    let endpoint = world.webhook_endpoint(URL, &["lead.*"]).await;
    world.receiver.answer(URL, &[500, 302, 200]);
    lead(&world).await;
    world.catch_up().await;
    let deliveries = world.deliveries(endpoint).await;
    let [first] = deliveries.as_slice() else { panic!("{deliveries:?}") };
    assert_eq!(first["status"], "pending");
    let next: chrono::DateTime<chrono::Utc> = first["next_attempt_at"].as_str().unwrap().parse().unwrap();
    let wait = next - world.app.engine.now();
    assert!(wait > Duration::seconds(4) && wait <= Duration::seconds(5), "{wait}");
    for seconds in [5, 300] {
        let advance = json!({"seconds": seconds});
        world.post("/api/test-clock/advance", &world.root, advance).await.expect(200);
    }
    let sent = world.receiver.take();
    assert!(sent.len() == 3 && sent.iter().all(|request| request.id == sent[0].id && request.body == sent[0].body), "{sent:?}");
    let delivery = &world.deliveries(endpoint).await[0];
    assert_eq!((&delivery["status"], &delivery["next_attempt_at"]), (&json!("succeeded"), &Value::Null));
    let tries = delivery["tries"].as_array().unwrap();
    let told: Vec<_> = tries.iter().map(|one| (one["status"].as_i64().unwrap(), one["response"].as_str().unwrap())).collect();
    assert_eq!(told, [(500, "that is 500"), (302, "that is 302"), (200, "that is 200")]);
    assert!(tries.iter().all(|one| one["error"].is_null() && one["milliseconds"].is_u64()), "{tries:?}");
}

/// Rule 9.2: staff can have anything delivered again, also what succeeded.
#[tokio::test]
async fn a_delivery_is_made_again_on_request() {
    let world = World::new().await;
    let endpoint = world.webhook_endpoint(URL, &["lead.*"]).await;
    lead(&world).await;
    world.catch_up().await;
    let delivery = id(&world.deliveries(endpoint).await[0]);
    let again = world.post(&format!("/api/webhook-deliveries/{delivery}/redeliver"), &world.staff, Value::Null).await.expect(202);
    assert_eq!((id(&again), &again["status"], again["tries"].as_array().unwrap().len()), (delivery, &json!("pending"), 1));
    world.catch_up().await;
    assert_eq!(types(&world), ["lead.created", "lead.created"]);
    assert_eq!(world.deliveries(endpoint).await[0]["tries"].as_array().unwrap().len(), 2);
}

/// Rule 9.2: 410 switches an endpoint off, which is an event. One that is switched on again is told of what happens from then on.
#[tokio::test]
async fn an_endpoint_that_is_gone_is_switched_off() {
    let world = World::new().await;
    let endpoint = world.webhook_endpoint(URL, &["lead.*"]).await;
    let path = format!("/api/webhook-endpoints/{endpoint}");
    world.receiver.answer(URL, &[410]);
    lead(&world).await;
    world.catch_up().await;
    let off = world.get(&path, &world.staff).await.expect(200);
    assert_eq!((&off["is_active"], &off["disabled_reason"]), (&json!(false), &json!("gone")));
    assert_eq!(world.deliveries(endpoint).await[0]["status"], "failed");
    let events = world.get("/api/events?type=webhook_endpoint.disabled", &world.staff).await.expect(200);
    let event = &events["results"][0];
    assert_eq!((&event["subject"]["id"], &event["data"]["reason"]), (&json!(endpoint), &json!("gone")));
    assert_eq!(event["changes"]["is_active"], json!({"from": true, "to": false}));

    world.receiver.answer(URL, &[200]);
    lead(&world).await;
    world.catch_up().await;
    world.receiver.take();
    let test = world.post(&format!("{path}/test"), &world.staff, Value::Null).await.expect(409);
    assert_eq!(test["code"], "webhook_endpoint_off");
    let on = world.patch(&path, &world.staff, json!({"is_active": true})).await.expect(200);
    assert_eq!((&on["is_active"], &on["disabled_reason"]), (&json!(true), &Value::Null));
    let made = lead(&world).await;
    world.catch_up().await;
    let told = world.receiver.take();
    assert!(told.len() == 1 && told[0].body.contains(&format!("\"id\":{made}")), "{told:?}");
}

/// Rule 9.2: an endpoint that took nothing for five days is switched off.
#[tokio::test]
async fn an_endpoint_that_takes_nothing_for_days_is_switched_off() {
    let world = World::new().await;
    let endpoint = world.webhook_endpoint(URL, &[]).await;
    world.receiver.answer(URL, &[503]);
    lead(&world).await;
    world.catch_up().await;
    for _ in 0..6 {
        let root = world.log_in("root").await;
        world.post("/api/test-clock/advance", &root, json!({"seconds": 86_400})).await.expect(200);
    }
    let off = world.get(&format!("/api/webhook-endpoints/{endpoint}"), &world.staff).await.expect(200);
    assert_eq!((&off["is_active"], &off["disabled_reason"]), (&json!(false), &json!("failing")));
}

/// Rule 9.1: a deleted endpoint is told of nothing, and its deliveries are gone.
#[tokio::test]
async fn a_deleted_endpoint_is_gone_with_its_deliveries() {
    let world = World::new().await;
    let endpoint = world.webhook_endpoint(URL, &["lead.*"]).await;
    let other = world.webhook_endpoint("https://example.org/hook", &["lead.*"]).await;
    lead(&world).await;
    world.catch_up().await;
    let delivery = id(&world.deliveries(endpoint).await[0]);
    world.receiver.take();
    world.delete(&format!("/api/webhook-endpoints/{endpoint}"), &world.staff).await.expect(204);
    for path in [
        format!("/api/webhook-endpoints/{endpoint}"),
        format!("/api/webhook-endpoints/{endpoint}/deliveries"),
        format!("/api/webhook-endpoints/{endpoint}/deliveries?colour=red"),
        format!("/api/webhook-deliveries/{delivery}"),
    ] {
        world.get(&path, &world.staff).await.refused(404, "not_found");
    }
    lead(&world).await;
    world.catch_up().await;
    assert_eq!(world.receiver.take().len(), 1);
    assert_eq!(ids(&world.get("/api/webhook-endpoints", &world.staff).await.expect(200)), [other]);
}

/// Rule 9.1: each event costs work for each endpoint, so there are 100 at most.
#[tokio::test]
async fn there_are_100_endpoints_at_most() {
    let world = World::new().await;
    for _ in 0..100 {
        world.webhook_endpoint(URL, &[]).await;
    }
    let refused = world.post("/api/webhook-endpoints", &world.staff, json!({"url": URL})).await;
    refused.refused(409, "webhook_endpoint_limit");
}

/// Rules 6.7 and 9.1: a repeated creation shows the same secret, and makes no second endpoint; a repeated rotation makes no other secret.
#[tokio::test]
async fn a_repeated_request_shows_the_same_secret() {
    let world = World::new().await;
    let body = json!({"url": URL});
    let token = &world.staff.token;
    let first = world.app.post("/api/webhook-endpoints", token, "k1", &body).await;
    let again = world.app.post("/api/webhook-endpoints", token, "k1", &body).await;
    assert_eq!((first.expect(201), again.header("idempotency-replayed")), (again.expect(201), "true"));
    let rotate = format!("/api/webhook-endpoints/{}/rotate-secret", id(&first.json()));
    let first = world.app.post(&rotate, token, "k2", &Value::Null).await;
    let again = world.app.post(&rotate, token, "k2", &Value::Null).await;
    assert_eq!(first.expect(200), again.expect(200));
    assert_eq!(world.get("/api/webhook-endpoints", &world.staff).await.expect(200)["results"].as_array().unwrap().len(), 1);
}
