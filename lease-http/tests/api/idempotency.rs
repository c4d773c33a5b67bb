//! Idempotency keys (rule 6.7), from the point of view of a client.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use chrono::Duration;
use lease_core::gateway::{CardToken, GatewayError, MockPaymentGateway, PaymentGateway, SandboxGateway, Tokenization};
use lease_http::HttpOptions;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::app::{App, PASSWORD, post, registration, request, vehicle};
use crate::support::setup::{GOOD_CARD, card};
use crate::support::{World, id, ids};

async fn vehicles(app: &App, token: &str) -> usize {
    app.get("/api/vehicles", token).await.json()["results"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_response_and_has_no_effect() {
    let app = App::new();
    let token = app.register("ada").await;
    let first = app.post("/api/vehicles", &token, "k1", &vehicle(1)).await;
    assert_eq!(first.status, 201);
    assert_eq!(first.header("idempotency-replayed"), "");
    for (path, key) in [("/api/vehicles", "k1"), ("/api/vehicles/", "k1"), ("/api/vehicles", "\"k1\"")] {
        let again = app.post(path, &token, key, &vehicle(1)).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.header("content-type"), "application/json");
    }
    assert_eq!(vehicles(&app, &token).await, 1);
}

#[tokio::test]
async fn another_body_or_path_under_the_key_is_refused_and_writes_nothing() {
    let app = App::new();
    let token = app.register("ada").await;
    app.post("/api/vehicles", &token, "k1", &vehicle(1)).await;
    let other = app.post("/api/vehicles", &token, "k1", &vehicle(2)).await;
    assert_eq!(other.code(), (422, "idempotency_key_reused".to_owned()));
    let other = app.post("/api/contacts", &token, "k1", &vehicle(1)).await;
    assert_eq!(other.code(), (422, "idempotency_key_reused".to_owned()));
    assert_eq!(vehicles(&app, &token).await, 1);
}

#[tokio::test]
async fn refusals_are_kept_as_well() {
    let app = App::new();
    let token = app.register("ada").await;
    let wrong = app.post("/api/vehicles", &token, "k1", &json!({})).await;
    assert_eq!(wrong.code(), (400, "validation_error".to_owned()));
    let again = app.post("/api/vehicles", &token, "k1", &json!({})).await;
    assert_eq!(again.text, wrong.text);
    assert_eq!(again.header("content-type"), "application/problem+json");
    assert_eq!(again.header("idempotency-replayed"), "true");
}

/// Passwords and card numbers are part of a request, though its record does not hold them.
#[tokio::test]
async fn another_secret_is_another_request() {
    let app = App::new();
    let token = app.register("ada").await;
    let good = card(GOOD_CARD);
    assert_eq!(app.post("/api/credit-cards", &token, "k1", &good).await.status, 201);
    assert_eq!(app.post("/api/credit-cards", &token, "k1", &good).await.header("idempotency-replayed"), "true");
    for other in ["4000000000000002", "5555555555554242"] {
        let reused = app.post("/api/credit-cards", &token, "k1", &card(other)).await;
        assert_eq!(reused.code(), (422, "idempotency_key_reused".to_owned()), "{other}");
    }

    let mut bob = registration("bob");
    let first = app.post("/api/register", "", "k2", &bob).await;
    assert_eq!(app.post("/api/register", "", "k2", &bob).await.text, first.text);
    for field in ["password", "password2"] {
        bob[field] = json!("violet-harbor-94");
    }
    assert_eq!(app.post("/api/register", "", "k2", &bob).await.status, 400, "nobody gets the token without the password");
}

/// Otherwise anybody could fill the store.
#[tokio::test]
async fn a_refusal_of_a_stranger_is_not_kept() {
    let app = App::new();
    for (path, body) in [("/api/register", json!({})), ("/api/login", json!({"username": "ada", "password": "wrong"}))] {
        for _ in 0..2 {
            let refused = app.post(path, "", "k1", &body).await;
            assert_eq!((refused.status.as_u16(), refused.header("idempotency-replayed")), (400, ""), "{path}");
        }
    }
    app.clock.advance(Duration::days(2));
    assert_eq!(app.engine.purge_expired().await.unwrap(), 0);
}

/// Whatever the refusal, it is the response, and the command is not tried again.
#[tokio::test]
async fn refusals_of_every_kind_are_kept() {
    let world = World::new().await;
    let (owner, buyer, stranger) = (&world.owner, &world.buyer, &world.stranger);
    let (_, invoice) = world.agreed_sale(1).await;
    let trade = world.trade(world.sell, 2).await;
    let card = world.card(owner, "4000000000000002").await;
    let offer = world.offer(trade, owner, "9000").await;
    world.post(&format!("/api/proposals/{offer}/withdraw"), owner, Value::Null).await.expect(200);
    let refusals = [
        (owner, format!("/api/invoices/{invoice}/payments"), json!({"credit_card_id": card}), 402),
        (stranger, "/api/services".into(), json!({}), 403),
        (stranger, format!("/api/invoices/{invoice}/payments"), json!({}), 404),
        (buyer, format!("/api/proposals/{offer}/accept"), Value::Null, 409),
    ];
    for (who, path, body, status) in refusals {
        let key = format!("k{status}");
        let first = world.app.post(&path, &who.token, &key, &body).await;
        assert_eq!((first.status.as_u16(), first.header("idempotency-replayed")), (status, ""), "{path}: {}", first.text);
        let again = world.app.post(&path, &who.token, &key, &body).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        assert_eq!(again.header("idempotency-replayed"), "true", "{path}");
    }
    let tried = world.get("/api/payments", owner).await.expect(200);
    assert_eq!(tried["results"].as_array().unwrap().len(), 1, "the card was charged once");
}

#[tokio::test]
async fn a_key_is_forgotten_after_24_hours() {
    let app = App::new();
    let token = app.register("ada").await;
    app.post("/api/vehicles", &token, "k1", &vehicle(1)).await;
    app.clock.advance(Duration::hours(24) - Duration::microseconds(1));
    assert_eq!(app.post("/api/vehicles", &token, "k1", &vehicle(1)).await.header("idempotency-replayed"), "true");
    app.clock.advance(Duration::microseconds(1));
    assert_eq!(app.post("/api/vehicles", &token, "k1", &vehicle(2)).await.status, 201);
    assert_eq!(vehicles(&app, &token).await, 2);
}

#[tokio::test]
async fn two_users_may_use_the_same_key() {
    let app = App::new();
    let (ada, bob) = (app.register("ada").await, app.register("bob").await);
    assert_eq!(app.post("/api/vehicles", &ada, "k1", &vehicle(1)).await.status, 201);
    assert_eq!(app.post("/api/vehicles", &bob, "k1", &vehicle(2)).await.status, 201);
}

#[tokio::test]
async fn two_tokens_of_a_user_share_its_keys() {
    let app = App::new();
    let token = app.register("ada").await;
    let login = app.post("/api/login", "", "", &json!({"username": "ada", "password": PASSWORD})).await.json();
    let first = app.post("/api/vehicles", &token, "k1", &vehicle(1)).await;
    let again = app.post("/api/vehicles", login["token"].as_str().unwrap(), "k1", &vehicle(1)).await;
    assert_eq!(again.text, first.text);
}

#[tokio::test]
async fn authentication_comes_first() {
    let app = App::new();
    let token = app.register("ada").await;
    app.post("/api/vehicles", &token, "k1", &vehicle(1)).await;
    assert_eq!(app.post("/api/logout", &token, "k2", &Value::Null).await.status, 204);
    for (path, key) in [("/api/vehicles", "k1"), ("/api/logout", "k2"), ("/api/vehicles", &"k".repeat(300))] {
        assert_eq!(app.post(path, &token, key, &vehicle(1)).await.code(), (401, "not_authenticated".to_owned()));
        assert_eq!(app.post(path, "", key, &vehicle(1)).await.code(), (401, "not_authenticated".to_owned()));
    }
}

#[tokio::test]
async fn a_401_is_not_kept() {
    let app = App::new();
    assert_eq!(app.post("/api/vehicles", "", "k1", &vehicle(1)).await.status, 401);
    let token = app.register("ada").await;
    assert_eq!(app.post("/api/vehicles", &token, "k1", &vehicle(1)).await.status, 201);
}

/// An error on the side of the server is not stored as the response.
#[tokio::test]
async fn a_503_is_not_kept() {
    let mut gateway = MockPaymentGateway::new();
    gateway.expect_tokenize().times(1).returning(|_| Err(GatewayError::new("down")));
    gateway.expect_tokenize().times(1).returning(|_| Ok(Tokenization::Accepted(CardToken::new("token".to_owned()))));
    gateway.expect_info().returning(|| SandboxGateway::new().info());
    let world = World::with_gateway(Arc::new(gateway)).await;
    for status in [503, 201, 201] {
        let response = world.app.post("/api/credit-cards", &world.owner.token, "k1", &card(GOOD_CARD)).await;
        assert_eq!(response.status.as_u16(), status, "{}", response.text);
    }
}

#[tokio::test]
async fn registering_again_gets_the_same_token_and_nobody_else_can_block_or_read_it() {
    let app = App::new();
    let first = app.post("/api/register", "", "k1", &registration("ada")).await;
    assert_eq!(first.status, 201);
    assert_eq!(app.post("/api/register", "", "k1", &registration("bob")).await.status, 201);
    // Registering ignores a token, even an invalid one.
    let again = app.post("/api/register", "nonsense", "k1", &registration("ada")).await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn logging_in_again_under_a_key_gets_the_same_token() {
    let app = App::new();
    app.register("ada").await;
    let body = json!({"username": "ada", "password": PASSWORD});
    let first = app.post("/api/login", "", "k1", &body).await;
    assert_eq!(first.status, 200);
    assert_eq!(app.post("/api/login", "", "k1", &body).await.text, first.text);
    assert_ne!(app.post("/api/login", "", "k2", &body).await.text, first.text);
}

#[tokio::test]
async fn an_invalid_key_is_a_wrong_field() {
    let app = App::new();
    let token = app.register("ada").await;
    for key in ["\"\"", &"k".repeat(256)] {
        let response = app.post("/api/vehicles", &token, key, &vehicle(1)).await;
        assert_eq!(response.code(), (400, "validation_error".to_owned()));
        assert!(response.json()["errors"]["Idempotency-Key"].is_array());
    }
    assert_eq!(app.post("/api/vehicles", &token, &"k".repeat(255), &vehicle(1)).await.status, 201);
}

#[tokio::test]
async fn other_methods_than_post_ignore_the_header() {
    let app = App::new();
    let token = app.register("ada").await;
    let authorization = format!("Token {token}");
    let id = app.post("/api/vehicles", &token, "k1", &vehicle(1)).await.json()["id"].clone();
    for (method, body) in [("PATCH", json!({"color": "red"})), ("PATCH", json!({"color": "blue"})), ("GET", Value::Null)] {
        let headers = [("authorization", authorization.as_str()), ("idempotency-key", "k1")];
        let response = app.send(request(method, &format!("/api/vehicles/{id}"), &headers, &body)).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.header("idempotency-replayed"), "");
    }
}

#[tokio::test]
async fn too_long_a_body_is_413_and_leaves_the_key_free() {
    let app = App::new();
    let token = app.register("ada").await;
    let mut long = vehicle(1);
    long["description"] = "x".repeat(256 * 1024).into();
    assert_eq!(app.post("/api/vehicles", &token, "k1", &long).await.code(), (413, "payload_too_large".to_owned()));
    assert_eq!(app.post("/api/vehicles", &token, "k1", &vehicle(1)).await.status, 201);
}

/// The content type is not part of the request that a key identifies: a client that corrects the header is not refused for ever.
#[tokio::test]
async fn a_415_is_not_kept() {
    let app = App::new();
    let token = app.register("ada").await;
    let mut plain = post("/api/vehicles", &token, "k1", &vehicle(1));
    plain.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(app.send(plain).await.code(), (415, "unsupported_media_type".to_owned()));
    assert_eq!(app.post("/api/vehicles", &token, "k1", &vehicle(1)).await.status, 201);
}

/// Logging out revokes the token of the request, so one key does not cover two tokens.
#[tokio::test]
async fn logging_out_with_another_token_under_the_same_key_revokes_that_token_too() {
    let app = App::new();
    for path in ["/api/logout", "/api/logout-all"] {
        let name = path.replace('/', "");
        let token = app.register(&name).await;
        assert_eq!(app.post(path, &token, &"k".repeat(256), &Value::Null).await.code(), (400, "validation_error".to_owned()));
        for _ in 0..2 {
            let login = app.post("/api/login", "", "", &json!({"username": name, "password": PASSWORD})).await.json();
            let token = login["token"].as_str().unwrap();
            assert_eq!(app.post(path, token, "k1", &Value::Null).await.status, 204);
            assert_eq!(app.get("/api/vehicles", token).await.status, 401, "{path}");
            assert_eq!(app.post(path, token, "k1", &Value::Null).await.status, 401, "{path}");
        }
    }
}

/// The responses to many equal requests that were sent at once: one was carried out; the others get the same response, or a 409.
async fn at_once(app: &App, path: &'static str, token: &str, body: Value) -> Value {
    let sent: Vec<_> = (0..20)
        .map(|_| {
            let (app, token, body) = (app.clone(), token.to_owned(), body.clone());
            tokio::spawn(async move { app.post(path, &token, "k1", &body).await })
        })
        .collect();
    let mut done = Vec::new();
    for response in sent {
        let response = response.await.unwrap();
        if response.status.is_success() {
            done.push((response.header("idempotency-replayed").to_owned(), response.text));
        } else {
            assert_eq!(response.code(), (409, "idempotency_key_in_use".to_owned()));
        }
    }
    assert_eq!(done.iter().filter(|(replayed, _)| replayed.is_empty()).count(), 1, "{path}");
    assert!(done.windows(2).all(|pair| pair[0].1 == pair[1].1), "{path}: {done:?}");
    serde_json::from_str(&done[0].1).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_concurrent_requests_under_a_key_one_is_carried_out() {
    let app = App::with(HttpOptions::default().with_registrations_per_minute(0));
    let ada = at_once(&app, "/api/register", "", registration("ada")).await;
    let token = ada["token"].as_str().unwrap();
    let login = at_once(&app, "/api/login", "", json!({"username": "ada", "password": PASSWORD})).await;
    assert_ne!(login["token"], ada["token"]);
    let made = at_once(&app, "/api/vehicles", token, vehicle(1)).await;
    assert_eq!(app.get("/api/vehicles", token).await.json()["results"], json!([made]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_concurrent_payments_under_a_key_one_is_made() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    let card = world.card(&world.owner, GOOD_CARD).await;
    let body = json!({"invoice_id": invoice, "credit_card_id": card, "amount": "1.00"});
    let paid = at_once(&world.app, "/api/payments", &world.owner.token, body).await;
    let payments = world.get("/api/payments", &world.owner).await.expect(200);
    assert_eq!((ids(&payments), payments["results"][0]["amount"].as_str()), (vec![id(&paid)], Some("1.00")));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_concurrent_bodies_under_a_key_one_is_carried_out() {
    let app = App::new();
    let token = app.register("ada").await;
    let send = async |number| app.post("/api/vehicles", &token, "k1", &vehicle(number)).await.status.as_u16();
    let (one, two) = tokio::join!(send(1), send(2));
    let mut statuses = [one, two];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
    assert_eq!(vehicles(&app, &token).await, 1);
}

#[tokio::test]
async fn a_client_that_disconnects_leaves_no_half_done_command_and_no_stuck_key() {
    let app = App::new();
    let token = app.register("ada").await;
    let mut call = Box::pin(app.router.clone().oneshot(post("/api/vehicles", &token, "k1", &vehicle(1))));
    assert!(matches!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
    drop(call);
    app.writes.close();
    app.writes.wait().await;
    assert_eq!(vehicles(&app, &token).await, 1);
    let again = app.post("/api/vehicles", &token, "k1", &vehicle(1)).await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (201, "true"));
}

/// What staff were told is not told to those who no longer are: neither what they made, nor why they were refused.
#[tokio::test]
async fn after_another_role_was_given_a_replay_is_refused() {
    let world = World::new().await;
    let (clerk, root) = (&world.staff, &world.root);
    let lead = json!({"first_name": "Lea", "last_name": "Der", "email": "lea@example.com"});
    let user = json!({"username": "newcomer", "password": PASSWORD, "email": "new@example.com", "first_name": "New",
        "last_name": "Comer"});
    let requests = [("/api/leads", lead, 201), ("/api/users", user, 201), ("/api/leads", json!({}), 400)];
    let send = async |number: usize| {
        let (path, body, _) = &requests[number];
        world.app.post(path, &clerk.token, &format!("k{number}"), body).await
    };
    let give = async |is_staff: bool| {
        world.patch(&format!("/api/users/{}", clerk.user), root, json!({"is_staff": is_staff})).await.expect(200);
    };
    for (number, (_, _, status)) in requests.iter().enumerate() {
        assert_eq!(send(number).await.status, *status);
    }
    give(false).await;
    for number in 0..requests.len() {
        let refused = send(number).await;
        assert_eq!(refused.code(), (403, "permission_denied".to_owned()), "{number}");
        assert_eq!(refused.header("idempotency-replayed"), "");
    }
    let other = world.app.post("/api/leads", &clerk.token, "k0", &json!({"email": "other@example.com"})).await;
    assert_eq!(other.code(), (422, "idempotency_key_reused".to_owned()));
    give(true).await;
    for (number, (_, _, status)) in requests.iter().enumerate() {
        let again = send(number).await;
        assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (*status, "true"));
    }
}
