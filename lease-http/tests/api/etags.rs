//! `ETag`, `If-Match` and `If-None-Match` (rule 6.9).

use serde_json::{Value, json};

use crate::app::{ApiResponse, request, vehicle};
use crate::support::setup::GOOD_CARD;
use crate::support::{Person, World, check_response, document, id};

async fn send(world: &World, method: &str, path: &str, who: &Person, header: (&str, &str), body: &Value) -> ApiResponse {
    let token = format!("Token {}", who.token);
    let response = world.app.send(request(method, path, &[("authorization", &token), header], body)).await;
    check_response(method, path, &response);
    response
}

/// Each object that can be changed, with who changes it and three changes.
async fn objects(world: &World) -> Vec<(String, &Person, [Value; 3])> {
    let (owner, staff) = (&world.owner, &world.staff);
    let titles = |name: &str| ["a", "b", "c"].map(|value| json!({ name: value }));
    let trade = world.trade(world.sell, 1).await;
    let (_, invoice) = world.agreed_sale(2).await;
    let card = world.card(owner, GOOD_CARD).await;
    let contact = id(&world.post("/api/contacts", owner, json!({"name": "Bo", "email": "bo@example.com"})).await.expect(201));
    let lead = id(&world.post("/api/leads", staff, json!({"email": "lea@example.com"})).await.expect(201));
    let vehicle = world.vehicle(owner, 3).await;
    let endpoint = world.webhook_endpoint("https://example.com/hook", &[]).await;
    vec![
        (format!("/api/users/{}", owner.user), owner, titles("first_name")),
        (format!("/api/user/{}", owner.user), owner, titles("last_name")),
        (format!("/api/customers/{}", owner.customer), owner, titles("job")),
        (format!("/api/credit-cards/{card}"), owner, titles("holder_name")),
        (format!("/api/contacts/{contact}"), owner, titles("name")),
        (format!("/api/leads/{lead}"), staff, titles("company")),
        (format!("/api/vehicles/{vehicle}"), owner, titles("color")),
        (format!("/api/services/{}", world.sell), staff, titles("description")),
        (format!("/api/trades/{trade}"), owner, titles("title")),
        (format!("/api/invoices/{invoice}"), staff, [1, 2, 3].map(|day| json!({"due_date": format!("2030-01-0{day}")}))),
        (format!("/api/webhook-endpoints/{endpoint}"), staff, titles("description")),
        (
            "/api/notification-settings".to_owned(),
            owner,
            [(false, true), (true, true), (false, false)]
                .map(|(proposals, invoices)| json!({"proposals": proposals, "invoices": invoices})),
        ),
    ]
}

#[tokio::test]
async fn every_object_that_can_be_changed_has_a_tag_that_moves_with_it() {
    let world = World::new().await;
    let objects = objects(&world).await;
    for (path, who, [first, second, third]) in &objects {
        let get = async |header: (&str, &str)| send(&world, "GET", path, who, header, &Value::Null).await;
        let method = if path.ends_with("-settings") { "PUT" } else { "PATCH" };
        let patch = async |tag: &str, body: &Value| send(&world, method, path, who, ("if-match", tag), body).await;
        let none = ("x-none", "x");
        let seen = get(none).await;
        let old = seen.header("etag").to_owned();
        assert!(old.len() == 34 && old.starts_with('"') && old.ends_with('"'), "{path}: {old}");
        let unchanged = get(("if-none-match", &format!("\"x\", {old}"))).await;
        assert_eq!(
            (unchanged.status.as_u16(), unchanged.header("etag"), unchanged.text.as_str()),
            (304, old.as_str(), ""),
            "{path}"
        );
        let head = send(&world, "HEAD", path, who, none, &Value::Null).await;
        assert_eq!(head.header("etag"), old, "{path}");

        for wrong in ["\"x\"", "x", "", &format!("W/{old}")] {
            patch(wrong, first).await.refused(412, "precondition_failed");
        }
        assert_eq!(get(none).await.text, seen.text, "{path}");
        let changed = patch(&format!("\"x\", {old}"), first).await;
        changed.expect(200);
        let tag = changed.header("etag").to_owned();
        assert_ne!(tag, old, "{path}");
        let now = get(("if-none-match", &old)).await;
        assert_eq!((now.status.as_u16(), now.header("etag")), (200, tag.as_str()), "{path}");
        patch(&old, second).await.refused(412, "precondition_failed");
        patch("*", second).await.expect(200);
        patch(&tag, third).await.refused(412, "precondition_failed");
        world.call(method, path, who, third.clone()).await.expect(200);
    }
    let shape = |path: &str| match path.rsplit_once('/').unwrap() {
        (list, id) if id.parse::<i64>().is_ok() => format!("{list}/{{id}}"),
        _ => path.to_owned(),
    };
    let shapes: Vec<String> = objects.iter().map(|(path, ..)| shape(path)).collect();
    for (path, item) in document()["paths"].as_object().unwrap() {
        let changes = ["put", "patch", "delete"].iter().any(|method| item.get(method).is_some());
        assert_eq!(changes && item.get("get").is_some(), shapes.contains(path), "{path}");
    }
}

#[tokio::test]
async fn replacing_and_deleting_depend_on_the_tag_as_well() {
    let world = World::new().await;
    let owner = &world.owner;
    let path = format!("/api/vehicles/{}", world.vehicle(owner, 1).await);
    let old = world.get(&path, owner).await.header("etag").to_owned();
    let put = send(&world, "PUT", &path, owner, ("if-match", &old), &vehicle(2)).await;
    put.expect(200);
    send(&world, "PUT", &path, owner, ("if-match", &old), &vehicle(3)).await.refused(412, "precondition_failed");
    send(&world, "DELETE", &path, owner, ("if-match", &old), &Value::Null).await.refused(412, "precondition_failed");
    let tag = put.header("etag").to_owned();
    assert_eq!(world.get(&path, owner).await.header("etag"), tag);
    assert_eq!(send(&world, "DELETE", &path, owner, ("if-match", &tag), &Value::Null).await.status, 204);
    // Every other reason comes first.
    send(&world, "DELETE", &path, owner, ("if-match", "*"), &Value::Null).await.refused(404, "not_found");
    let path = format!("/api/vehicles/{}", world.vehicle(owner, 4).await);
    send(&world, "PATCH", &path, owner, ("if-match", "\"x\""), &json!({"year": 1})).await.invalid(&["year"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_have_seen_the_same_one_changes_it() {
    let world = World::new().await;
    let path = format!("/api/vehicles/{}", world.vehicle(&world.owner, 1).await);
    for round in 0..5 {
        let tag = world.get(&path, &world.owner).await.header("etag").to_owned();
        let sent: Vec<_> = (0..8)
            .map(|number| {
                let (app, token) = (world.app.clone(), format!("Token {}", world.owner.token));
                let headers = [("authorization", token.as_str()), ("if-match", tag.as_str())];
                let request = request("PATCH", &path, &headers, &json!({"color": format!("{round} {number}")}));
                tokio::spawn(async move { app.send(request).await.status.as_u16() })
            })
            .collect();
        let mut statuses = Vec::new();
        for answer in sent {
            statuses.push(answer.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [[200].as_slice(), &[412; 7]].concat());
    }
}
