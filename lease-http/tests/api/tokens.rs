//! A user's own tokens over the API: rule 3.3.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use crate::app::{PASSWORD, registration};
use crate::support::{Person, World, id, ids, nobody};

/// The same person with the token of this response.
fn with(person: &Person, response: &Value) -> Person {
    Person { token: response["token"].as_str().unwrap().to_owned(), ..person.clone() }
}

async fn create(world: &World, person: &Person, name: &str) -> Value {
    world.post("/api/tokens", person, json!({"name": name})).await.expect(201)
}

/// The names of the listed tokens, newest first.
async fn listed(world: &World, person: &Person) -> Vec<String> {
    let list = world.get("/api/tokens", person).await.expect(200);
    list["results"].as_array().unwrap().iter().map(|token| token["name"].as_str().unwrap().to_owned()).collect()
}

async fn status(world: &World, person: &Person) -> u16 {
    world.get("/api/vehicles", person).await.status.as_u16()
}

fn end(token: &Value) -> DateTime<Utc> {
    token["expires_at"].as_str().unwrap().parse().unwrap()
}

/// The response that creates a token shows it once more beside what the list shows.
#[tokio::test]
async fn a_token_is_shown_once() {
    let world = World::new().await;
    let created = world.post("/api/tokens", &world.owner, json!({"name": " Backup ", "expires_in_days": 365})).await;
    let mut token = created.expect(201);
    assert_eq!(created.header("location"), format!("/api/tokens/{}", id(&token)));
    let machine = with(&world.owner, &token);
    assert_eq!(status(&world, &machine).await, 200);
    assert_eq!(end(&token) - world.app.engine.now(), Duration::days(365));

    let text = token.as_object_mut().unwrap().remove("token").unwrap();
    let list = world.get("/api/tokens", &world.owner).await;
    assert!(!list.text.contains(text.as_str().unwrap()));
    let expected = json!({"id": id(&token), "name": "Backup", "created_at": "2026-03-01T12:00:00Z",
        "expires_at": "2027-03-01T12:00:00Z", "is_current": false});
    assert_eq!((&token, &list.expect(200)["results"][0]), (&expected, &expected));
    let events = world.get("/api/events?type=token.created", &world.root).await;
    assert!(!events.text.contains(text.as_str().unwrap()));
}

/// The list has the tokens of registering and logging in as well, and says which one is in use.
#[tokio::test]
async fn the_list_has_every_live_token_and_marks_the_one_in_use() {
    let world = World::new().await;
    let login = world.log_in("owner").await;
    let machine = with(&world.owner, &create(&world, &world.owner, "Backup").await);
    for (number, person) in [&machine, &login, &world.owner].into_iter().enumerate() {
        let list = world.get("/api/tokens", person).await.expect(200);
        let rows = list["results"].as_array().unwrap();
        let in_use: Vec<_> = rows.iter().map(|token| token["is_current"] == true).collect();
        assert_eq!(in_use, [0, 1, 2].map(|other| other == number));
    }
    assert_eq!(listed(&world, &world.owner).await, ["Backup", "login", "registration"]);
    assert_eq!(listed(&world, &world.staff).await, ["login"], "staff see their own only");

    world.app.clock.advance(Duration::days(30));
    let owner = world.log_in("owner").await;
    assert_eq!(listed(&world, &owner).await, ["login"], "the others have expired");
}

/// Rules 1.5, 6.6: all wrong fields at once.
#[tokio::test]
async fn a_token_needs_a_name_and_a_reasonable_number_of_days() {
    let world = World::new().await;
    for days in [json!(0), json!(3_651), json!("7")] {
        let body = json!({"name": "x", "expires_in_days": days});
        world.post("/api/tokens", &world.owner, body).await.invalid(&["expires_in_days"]);
    }
    world
        .post("/api/tokens", &world.owner, json!({"name": " ", "expires_in_days": 0}))
        .await
        .invalid(&["expires_in_days", "name"]);
    world.post("/api/tokens", &world.owner, json!({})).await.invalid(&["name"]);
    for body in [json!({"name": "x"}), json!({"name": "x", "expires_in_days": null})] {
        let token = world.post("/api/tokens", &world.owner, body).await.expect(201);
        assert_eq!(end(&token) - world.app.engine.now(), Duration::days(30), "as that of a login");
    }
}

/// A token is revoked by its id: one's own, once.
#[tokio::test]
async fn a_token_is_revoked_by_its_id() {
    let world = World::new().await;
    let token = create(&world, &world.owner, "Backup").await;
    let path = format!("/api/tokens/{}", id(&token));
    for stranger in [&world.buyer, &world.staff, &world.root] {
        world.delete(&path, stranger).await.refused(404, "not_found");
    }
    let machine = with(&world.owner, &token);
    assert_eq!(status(&world, &machine).await, 200);
    assert_eq!(world.delete(&path, &world.owner).await.status, 204);
    assert_eq!(status(&world, &machine).await, 401);
    world.delete(&path, &world.owner).await.refused(404, "not_found");
    for unknown in ["0", "x", "987654321"] {
        world.delete(&format!("/api/tokens/{unknown}"), &world.owner).await.refused(404, "not_found");
    }
    world.get(&path, &world.owner).await.refused(405, "method_not_allowed");

    let own = ids(&world.get("/api/tokens", &world.owner).await.expect(200))[0];
    assert_eq!(world.delete(&format!("/api/tokens/{own}"), &world.owner).await.status, 204, "also the one in use");
    assert_eq!(status(&world, &world.owner).await, 401);
}

/// Rules 3.3, 3.5: a created token is one like all others.
#[tokio::test]
async fn a_created_token_is_revoked_with_the_others() {
    let world = World::new().await;
    let machine = with(&world.owner, &create(&world, &world.owner, "Backup").await);
    let user = format!("/api/users/{}", world.owner.user);
    world.patch(&user, &world.owner, json!({"password": "copper-lantern-41"})).await.expect(200);
    assert_eq!((status(&world, &machine).await, listed(&world, &world.owner).await), (401, vec!["registration".to_owned()]));

    let second = with(&world.owner, &create(&world, &world.owner, "Second").await);
    world.post("/api/logout-all", &world.owner, Value::Null).await;
    assert_eq!(status(&world, &second).await, 401);
    world.post("/api/tokens", &second, json!({"name": "x"})).await.refused(401, "not_authenticated");
}

/// Rules 8.2, 8.3: an event about one token names it, one about several does not.
#[tokio::test]
async fn the_events_of_tokens_name_them() {
    let world = World::new().await;
    let ann = world.post("/api/register", &nobody(), registration("ann")).await.expect(201);
    let user = ann["user_id"].as_i64().unwrap();
    let ann = with(&Person { user, ..nobody() }, &ann);
    world.post("/api/login", &nobody(), json!({"username": "ann", "password": PASSWORD})).await.expect(200);
    let token = create(&world, &ann, "Backup").await;
    let tokens: Vec<i64> = ids(&world.get("/api/tokens", &ann).await.expect(200));
    let [backup, login, registration] = tokens[..] else { panic!("{tokens:?}") };
    assert_eq!(backup, id(&token));
    assert_eq!(world.delete(&format!("/api/tokens/{backup}"), &ann).await.status, 204);
    let session = world.log_in("ann").await;
    let last = ids(&world.get("/api/tokens", &session).await.expect(200))[0];
    assert_eq!(world.post("/api/logout", &session, Value::Null).await.status, 204);
    assert_eq!(world.post("/api/logout-all", &ann, Value::Null).await.status, 204);

    let ann = world.log_in("ann").await;
    let events = world.get("/api/events?type=token.*&limit=100", &ann).await.expect(200);
    let seen: Vec<Value> = events["results"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|event| {
            let data = &event["data"];
            assert_eq!(data["user_id"], user);
            assert_eq!(event["subject"]["id"], data["token_id"]);
            json!([event["type"], data["token_id"], data["name"], data["tokens"]])
        })
        .collect();
    let expected = [
        json!(["token.created", registration, "registration", null]),
        json!(["token.created", login, "login", null]),
        json!(["token.created", backup, "Backup", null]),
        json!(["token.revoked", backup, "Backup", "one"]),
        json!(["token.created", last, "login", null]),
        json!(["token.revoked", last, "login", "one"]),
        json!(["token.revoked", null, null, "all"]),
    ];
    assert_eq!(seen[..expected.len()], expected);
    let filter = format!("/api/events?subject_kind=token&subject_id={backup}");
    assert_eq!(world.get(&filter, &ann).await.expect(200)["results"].as_array().unwrap().len(), 2);
}

/// Rule 6.7: under one key there is one token, which the same request gets again.
#[tokio::test]
async fn a_repeated_request_gets_the_same_token() {
    let world = World::new().await;
    let (owner, body) = (&world.owner.token, json!({"name": "Backup"}));
    let first = world.app.post("/api/tokens", owner, "k1", &body).await;
    let again = world.app.post("/api/tokens", owner, "k1", &body).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16(), &again.text), (201, 201, &first.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(listed(&world, &world.owner).await, ["Backup", "registration"]);
    let other = world.app.post("/api/tokens", owner, "k1", &json!({"name": "Other"})).await;
    assert_eq!(other.code(), (422, "idempotency_key_reused".to_owned()));
}
