//! `external_id` and `metadata`: what the company keeps with users, customers, vehicles and trades.

use serde_json::{Value, json};

use crate::support::{Person, World, id, ids};

/// The path of an object of each kind, all of the owner.
async fn objects(world: &World) -> [String; 4] {
    let trade = world.trade(world.sell, 1).await;
    let vehicle = world.get(&format!("/api/trades/{trade}"), &world.owner).await.expect(200)["vehicle_id"].clone();
    [
        format!("/api/users/{}", world.owner.user),
        format!("/api/customers/{}", world.owner.customer),
        format!("/api/vehicles/{vehicle}"),
        format!("/api/trades/{trade}"),
    ]
}

/// The list that an object is in.
fn list(path: &str) -> &str {
    path.rsplit_once('/').unwrap().0
}

fn annotated() -> Value {
    json!({"external_id": " crm-7 ", "metadata": {"note": "pays late", "scores": [1, 2.5], "since": {"year": 2020}}})
}

#[tokio::test]
async fn staff_set_see_and_find_what_customers_do_not() {
    let world = World::new().await;
    for path in objects(&world).await {
        let before = world.get(&path, &world.owner).await;
        let fresh = world.get(&path, &world.staff).await.expect(200);
        assert_eq!((&fresh["external_id"], &fresh["metadata"]), (&Value::Null, &json!({})), "{path}");
        let set = world.patch(&path, &world.staff, annotated()).await.expect(200);
        assert_eq!((&set["external_id"], &set["metadata"]), (&json!("crm-7"), &annotated()["metadata"]), "{path}");
        assert_eq!(world.get(&path, &world.staff).await.expect(200), set);

        // To its owner, the object is what it was, to the byte.
        assert_eq!(world.get(&path, &world.owner).await.text, before.text, "{path}");
        let rows = world.get(list(&path), &world.owner).await.expect(200);
        assert!(!rows.to_string().contains("external_id") && !rows.to_string().contains("metadata"), "{path}");

        // The filter finds one, and is none to customers.
        let found = world.get(&format!("{}?external_id=crm-7", list(&path)), &world.staff).await.expect(200);
        assert_eq!(ids(&found), [id(&set)], "{path}");
        assert_eq!(ids(&world.get(&format!("{}?external_id=CRM-7", list(&path)), &world.staff).await.expect(200)), [0; 0]);
        for query in ["external_id=crm-7", "external_id=", "external_id=%00"] {
            let refused = world.get(&format!("{}?{query}", list(&path)), &world.owner).await;
            refused.invalid(&["external_id"]);
            assert_eq!(refused.json()["errors"]["external_id"], json!(["There is no such parameter."]), "{path}");
        }

        // They go one by one.
        let kept = world.patch(&path, &world.staff, json!({"external_id": null})).await.expect(200);
        assert_eq!((&kept["external_id"], &kept["metadata"]), (&Value::Null, &annotated()["metadata"]), "{path}");
        let empty = world.patch(&path, &world.staff, json!({"metadata": null})).await.expect(200);
        assert_eq!(empty["metadata"], json!({}), "{path}");
    }
}

#[tokio::test]
async fn what_customers_send_of_it_is_ignored() {
    let world = World::new().await;
    for path in objects(&world).await {
        world.patch(&path, &world.staff, annotated()).await.expect(200);
        for body in [json!({"external_id": "mine", "metadata": {}}), json!({"external_id": 7, "metadata": "no"})] {
            world.patch(&path, &world.owner, body).await.expect(200);
        }
        let kept = world.get(&path, &world.staff).await.expect(200);
        assert_eq!((&kept["external_id"], &kept["metadata"]), (&json!("crm-7"), &annotated()["metadata"]), "{path}");
    }
    let mut body = crate::app::vehicle(9);
    body["external_id"] = json!("mine");
    let made = world.post("/api/vehicles", &world.owner, body).await.expect(201);
    let seen = world.get(&format!("/api/vehicles/{}", id(&made)), &world.staff).await.expect(200);
    assert_eq!(seen["external_id"], Value::Null);
}

#[tokio::test]
async fn an_external_id_is_given_once_to_a_kind() {
    let world = World::new().await;
    let mine = objects(&world).await;
    let other = world.vehicle(&world.buyer, 2).await;
    let body = json!({"vehicle_id": other, "service_id": world.sell});
    let trade = id(&world.post("/api/trades", &world.buyer, body).await.expect(201));
    let theirs = [
        format!("/api/users/{}", world.buyer.user),
        format!("/api/customers/{}", world.buyer.customer),
        format!("/api/vehicles/{other}"),
        format!("/api/trades/{trade}"),
    ];
    for (mine, theirs) in mine.iter().zip(&theirs) {
        let set = json!({"external_id": "crm-7"});
        world.patch(mine, &world.staff, set.clone()).await.expect(200);
        world.patch(mine, &world.staff, set.clone()).await.expect(200);
        world.patch(theirs, &world.staff, set.clone()).await.invalid(&["external_id"]);
        world.patch(mine, &world.staff, json!({"external_id": "crm-8"})).await.expect(200);
        world.patch(theirs, &world.staff, set).await.expect(200);
    }
    let clerk = json!({"username": "eve", "password": "violet-harbor-94", "email": "eve@example.com", "first_name": "E",
        "last_name": "Ve", "external_id": "crm-8"});
    world.post("/api/users", &world.staff, clerk).await.invalid(&["external_id"]);
}

#[tokio::test]
async fn metadata_is_bounded() {
    let world = World::new().await;
    let path = &objects(&world).await[2];
    let set = async |metadata: Value| world.patch(path, &world.staff, json!({"metadata": metadata})).await;
    let keys = |count: usize| (0..count).map(|key| (format!("k{key}"), json!(1))).collect::<serde_json::Map<_, _>>();
    let good = [
        Value::Object(keys(50)),
        json!({"k".repeat(40): "Ä".repeat(100)}),
        json!({"text": "x".repeat(8_192 - r#"{"text":""}"#.len())}),
        json!({"1": {"2": {"3": {"4": {}}}}}),
        json!({"1": [[[[5]]]]}),
    ];
    for metadata in good {
        assert_eq!(set(metadata.clone()).await.expect(200)["metadata"], metadata);
    }
    let bad = [
        Value::Object(keys(51)),
        json!({"k".repeat(41): 1}),
        json!({"a": {"k".repeat(41): 1}}),
        json!({"text": "x".repeat(8_193 - r#"{"text":""}"#.len())}),
        json!({"1": {"2": {"3": {"4": {"5": {}}}}}}),
        json!({"1": [[[[[]]]]]}),
        json!({"nul": "a\0"}),
        json!({"a\0": 1}),
        json!([1]),
        json!("text"),
        json!(7),
    ];
    for metadata in bad {
        set(metadata).await.invalid(&["metadata"]);
    }
    for text in ["", " ", "a\nb", "a\0", &"x".repeat(256)] {
        world.patch(path, &world.staff, json!({"external_id": text})).await.invalid(&["external_id"]);
    }
    world.patch(path, &world.staff, json!({"external_id": "ß".repeat(255)})).await.expect(200);
    // Numbers are the same in every store.
    assert_eq!(
        set(json!({"n": 1e2, "big": 1e16, "zero": -0.0})).await.expect(200)["metadata"],
        json!({"n": 100, "big": 10_000_000_000_000_000_u64, "zero": 0})
    );
}

/// Rule 4.13 fixes what is offered under a bid, and nothing else.
#[tokio::test]
async fn a_bid_fixes_the_vehicle_and_not_what_the_company_keeps_with_it() {
    let world = World::new().await;
    let [_, _, vehicle, trade] = objects(&world).await;
    let number = trade.rsplit('/').next().unwrap().parse().unwrap();
    world.offer(number, &world.owner, "18500").await;
    world.offer(number, &world.buyer, "18000").await;
    world.patch(&vehicle, &world.staff, json!({"color": "red"})).await.refused(409, "vehicle_in_trade");
    world.patch(&vehicle, &world.staff, annotated()).await.expect(200);
    // A trade is annotated at any time; its words are its owner's.
    world.post(&format!("{trade}/cancel"), &world.staff, json!({"reason": "Fraud."})).await.expect(200);
    world.patch(&trade, &world.staff, annotated()).await.expect(200);
    world.patch(&trade, &world.staff, json!({})).await.refused(403, "permission_denied");
    let both = json!({"title": "New", "external_id": "x"});
    world.patch(&trade, &world.staff, both).await.refused(403, "permission_denied");
    world.patch(&trade, &world.stranger, annotated()).await.refused(404, "not_found");
}

/// Rules 8.2 and 8.4: a change is recorded, in an event that staff alone see.
#[tokio::test]
async fn a_change_is_recorded_for_staff_alone() {
    let world = World::new().await;
    let types = ["user.updated", "customer.updated", "vehicle.updated", "trade.amended"];
    for (path, event_type) in objects(&world).await.iter().zip(types) {
        let list = format!("/api/events?type={event_type}");
        world.patch(path, &world.staff, annotated()).await.expect(200);
        let event = world.get(&list, &world.staff).await.expect(200)["results"][0].clone();
        let changes = json!({
            "external_id": {"from": null, "to": "crm-7"},
            "metadata": {"from": {}, "to": annotated()["metadata"]},
        });
        assert_eq!((&event["changes"], &event["actor"]["user_id"]), (&changes, &json!(world.staff.user)), "{path}");
        let seen_by = async |person: &Person| ids(&world.get(&list, person).await.expect(200)).len();
        assert_eq!(seen_by(&world.owner).await, 0, "{path}");
        // Nothing changed, nothing recorded.
        world.patch(path, &world.staff, annotated()).await.expect(200);
        assert_eq!(seen_by(&world.staff).await, 1, "{path}");
    }
    // What else changes at the same time is an event that the owner sees.
    let vehicle = world.vehicle(&world.owner, 5).await;
    let both = json!({"color": "red", "external_id": "both"});
    world.patch(&format!("/api/vehicles/{vehicle}"), &world.staff, both).await.expect(200);
    let theirs = world.get("/api/events?type=vehicle.updated", &world.owner).await.expect(200);
    assert_eq!(theirs["results"][0]["changes"], json!({"color": {"from": "", "to": "red"}}));
}
