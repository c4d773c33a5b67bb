//! Registering, logging in and out, and users over the API: chapter 3.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use chrono::Duration;
use lease_core::LeaseEngine;
use lease_core::account::PasswordParams;
use lease_core::gateway::SandboxGateway;
use lease_core::model::LoginName;
use lease_http::HttpOptions;
use serde_json::{Value, json};

use crate::app::{App, PASSWORD, registration, request};
use crate::support::{Person, World, nobody};

/// The same person with another token.
fn with(person: &Person, login: &Value) -> Person {
    Person { token: login["token"].as_str().unwrap().to_owned(), ..person.clone() }
}

async fn reads_itself(world: &World, person: &Person) -> u16 {
    world.get(&format!("/api/user/{}", person.user), person).await.status.as_u16()
}

/// Rule 3.1: the complete response; a client cannot set flags that only an administrator may set.
#[tokio::test]
async fn registering_returns_the_whole_account_and_ignores_is_staff() {
    let world = World::new().await;
    let mut body = registration("ann");
    body["dob"] = json!("1990-02-28");
    for flag in ["is_staff", "is_superuser"] {
        body[flag] = json!(true);
    }
    let mut response = world.post("/api/register", &nobody(), body).await.expect(201);
    let [token, user, customer] = ["token", "user_id", "customer_id"].map(|name| response[name].take());
    let expected = json!({"response": "successfully registered a new user.", "user_id": null, "customer_id": null,
        "username": "ann", "email": "ann@example.com", "first_name": "Ada", "last_name": "Byron", "job": "",
        "dob": "1990-02-28", "notes": "", "token": null});
    assert_eq!(response, expected);
    let ann = with(&nobody(), &json!({"token": token}));
    let seen = world.get(&format!("/api/users/{user}"), &ann).await.expect(200);
    assert_eq!((&seen["is_staff"], &seen["is_superuser"], &seen["customer_id"]), (&json!(false), &json!(false), &customer));
}

/// Rule 3.2: by name or by address; each login issues a new token, and earlier ones remain valid.
#[tokio::test]
async fn every_login_makes_a_token_of_its_own() {
    let world = World::new().await;
    let mut tokens = vec![world.owner.token.clone()];
    for name in ["owner", "OWNER", "owner@example.com", " Owner@Example.com "] {
        let login = world.post("/api/login", &nobody(), json!({"username": name, "password": PASSWORD})).await.expect(200);
        assert_eq!((&login["user_id"], &login["customer_id"]), (&json!(world.owner.user), &json!(world.owner.customer)));
        tokens.push(login["token"].as_str().unwrap().to_owned());
    }
    let staff = world.post("/api/login", &nobody(), json!({"username": "clerk", "password": PASSWORD})).await.expect(200);
    assert_eq!(staff["customer_id"], Value::Null);
    for token in &tokens {
        assert_eq!(reads_itself(&world, &Person { token: token.clone(), ..world.owner.clone() }).await, 200);
        assert_eq!(tokens.iter().filter(|other| *other == token).count(), 1);
    }
}

/// Rule 2.1: only register and login ignore an invalid token, also under an idempotency key.
#[tokio::test]
async fn registering_and_logging_in_ignore_a_token() {
    let world = World::new().await;
    for headers in [&[("authorization", "Token x")][..], &[("authorization", "Token x"), ("idempotency-key", "k")]] {
        let name = format!("ann{}", headers.len());
        let response = world.app.send(request("POST", "/api/register", headers, &registration(&name))).await;
        assert_eq!(response.status, 201, "{}", response.text);
        let login = json!({"username": name, "password": PASSWORD});
        assert_eq!(world.app.send(request("POST", "/api/login", headers, &login)).await.status, 200);
    }
}

/// Rules 2.1 and 3.6: a token is valid until it expires, until it is revoked, and while its user is active.
#[tokio::test]
async fn a_token_is_valid_until_it_expires_is_revoked_or_its_user_is_deactivated() {
    let world = World::new().await;
    let end = |login: &Value| login["expires_at"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let login = world.post("/api/login", &nobody(), json!({"username": "owner", "password": PASSWORD})).await.expect(200);
    assert_eq!(end(&login) - world.app.engine.now(), Duration::days(30));
    world.app.clock.advance(Duration::days(30) - Duration::microseconds(1));
    assert_eq!(reads_itself(&world, &world.owner).await, 200);
    world.app.clock.advance(Duration::microseconds(1));
    assert_eq!(reads_itself(&world, &world.owner).await, 401);

    let root = world.log_in("root").await;
    let buyer = world.log_in("buyer").await;
    assert_eq!(world.delete(&format!("/api/users/{}", buyer.user), &root).await.status, 204);
    assert_eq!(reads_itself(&world, &buyer).await, 401);
    let again = json!({"username": "buyer", "password": PASSWORD});
    world.post("/api/login", &nobody(), again).await.refused(400, "invalid_credentials");
    let seen = world.get(&format!("/api/users/{}", buyer.user), &root).await.expect(200);
    assert_eq!(seen["is_active"], false, "rule 3.4: deactivated, not erased");
}

/// Rule 3.3: logging out revokes one token, or all tokens of the user.
#[tokio::test]
async fn logging_out_ends_one_session_or_all() {
    let world = World::new().await;
    let (one, two) = (world.log_in("owner").await, world.log_in("owner").await);
    assert_eq!(world.post("/api/logout", &one, Value::Null).await.status, 204);
    assert_eq!((reads_itself(&world, &one).await, reads_itself(&world, &two).await), (401, 200));
    assert_eq!(world.post("/api/logout-all", &two, Value::Null).await.status, 204);
    for token in [&two, &world.owner] {
        assert_eq!(reads_itself(&world, token).await, 401);
    }
    assert_eq!(reads_itself(&world, &world.buyer).await, 200, "nobody else's");
}

/// Rule 3.5: a new password keeps the session that set it, and revokes all others.
#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let world = World::new().await;
    let other = world.log_in("owner").await;
    let path = format!("/api/user/{}", world.owner.user);
    world.patch(&path, &world.owner, json!({"password": "copper-lantern-41"})).await.expect(200);
    assert_eq!((reads_itself(&world, &world.owner).await, reads_itself(&world, &other).await), (200, 401));
    let old = json!({"username": "owner", "password": PASSWORD});
    world.post("/api/login", &nobody(), old).await.refused(400, "invalid_credentials");
    world.post("/api/login", &nobody(), json!({"username": "owner", "password": "copper-lantern-41"})).await.expect(200);
}

/// Rule 3.7: a login renews a hash from a time of other costs. The tokens from before stay good.
#[tokio::test]
async fn a_login_renews_the_hash_of_its_password() {
    let world = World::new().await;
    let hash = async || {
        let found = world.store.find_login(&LoginName::new("owner")).await.unwrap().unwrap();
        found.user.password.expose().to_owned()
    };
    let builder =
        LeaseEngine::builder(Arc::clone(&world.store), Arc::new(SandboxGateway::new())).clock(Arc::clone(&world.app.clock) as _);
    let dearer = builder.password_params(PasswordParams { memory_kib: 16, iterations: 2 }).build().unwrap();
    let dearer = App::on(dearer, Arc::clone(&world.app.clock), HttpOptions::default());
    let log_in = async |app: &App, password| {
        app.post("/api/login", "", "", &json!({"username": "owner", "password": password})).await.status.as_u16()
    };
    assert!(hash().await.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
    assert_eq!(log_in(&dearer, "wrong").await, 400);
    assert!(hash().await.contains("m=8,t=1"), "only the right password can be hashed anew");
    assert_eq!(log_in(&dearer, PASSWORD).await, 200);
    let renewed = hash().await;
    assert!(renewed.starts_with("$argon2id$v=19$m=16,t=2,p=1$"), "{renewed}");
    assert_eq!(log_in(&dearer, PASSWORD).await, 200);
    assert_eq!(hash().await, renewed, "a hash of the present costs stays");
    assert_eq!(reads_itself(&world, &world.owner).await, 200);
    assert_eq!(log_in(&world.app, PASSWORD).await, 200);
}

/// Rules 3.4, 3.5: an administrator has no customer. A user who becomes one loses it, and gets one again on the way back.
#[tokio::test]
async fn an_administrative_user_has_no_customer() {
    let world = World::new().await;
    let path = format!("/api/users/{}", world.stranger.user);
    let made = world.patch(&path, &world.root, json!({"is_staff": "1"})).await.expect(200);
    assert_eq!((&made["is_staff"], &made["customer_id"]), (&json!(true), &Value::Null));
    let back = world.patch(&path, &world.root, json!({"is_staff": 0})).await.expect(200);
    assert!(back["customer_id"].as_i64().is_some_and(|customer| customer > 0));
    world.vehicle(&world.owner, 1).await;
    let owner = format!("/api/users/{}", world.owner.user);
    world.patch(&owner, &world.root, json!({"is_superuser": true})).await.refused(409, "customer_in_use");
}

/// Rule 3.6: one header, sent once.
#[tokio::test]
async fn two_tokens_in_one_request_are_invalid() {
    let world = World::new().await;
    let token = format!("Token {}", world.owner.token);
    let request = Request::builder().uri("/api/vehicles").header("authorization", &token).header("authorization", &token);
    world.app.send(request.body(Body::empty()).unwrap()).await.refused(401, "not_authenticated");
}

/// Rule 3.4.
#[tokio::test]
async fn everybody_finds_themselves_at_me() {
    let world = World::new().await;
    for person in [&world.owner, &world.staff, &world.root] {
        let me = world.get("/api/me", person).await.expect(200);
        assert_eq!(me, world.get(&format!("/api/users/{}", person.user), person).await.expect(200));
        assert_eq!(me["id"], person.user);
    }
    world.get("/api/me", &nobody()).await.refused(401, "not_authenticated");
}
