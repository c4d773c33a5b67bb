//! The test clock (chapter 11).

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use lease_core::gateway::{
    CardToken, ChargeOutcome, GatewayError, MockPaymentGateway, PaymentGateway, SandboxGateway, Tokenization,
};
use serde_json::{Value, json};

use crate::app::{ApiResponse, App, PASSWORD, vehicle};
use crate::process::Server;
use crate::support::setup::GOOD_CARD;
use crate::support::store::fresh_url;
use crate::support::{World, id, nobody};

const ADVANCE: &str = "/api/test-clock/advance";
const YEAR: i64 = 365 * 86_400;

impl World {
    async fn now(&self) -> DateTime<Utc> {
        now(&self.get("/api/test-clock", &self.root).await.expect(200))
    }

    /// Moves the clock, as the superuser, whose tokens may have expired.
    async fn advance(&self, body: Value) -> ApiResponse {
        let root = self.log_in("root").await;
        self.post(ADVANCE, &root, body).await
    }

    /// The same under an idempotency key.
    async fn advance_once(&self, key: &str, body: Value) -> ApiResponse {
        let root = self.log_in("root").await;
        self.app.post(ADVANCE, &root.token, key, &body).await
    }
}

fn now(body: &Value) -> DateTime<Utc> {
    body["now"].as_str().unwrap().parse().unwrap()
}

/// Rule 11.1: without the setting, nobody finds the clock.
#[tokio::test]
async fn without_the_setting_there_is_no_test_clock() {
    let app = App::new();
    app.engine.ensure_superuser("root", "root@example.com", PASSWORD.into()).await.unwrap();
    let login = app.post("/api/login", "", "", &json!({"username": "root", "password": PASSWORD})).await.json();
    for token in ["", login["token"].as_str().unwrap()] {
        assert_eq!(app.post(ADVANCE, token, "", &json!({"seconds": 60})).await.code(), (404, "not_found".to_owned()));
    }
    assert_eq!(app.get("/api/test-clock", login["token"].as_str().unwrap()).await.status, 404);
    for document in [app.get("/api/openapi.json", login["token"].as_str().unwrap()).await.text, lease_http::document().to_owned()]
    {
        assert!(!document.contains("test-clock"));
    }
}

/// Rule 11.2: exactly one of the two fields, forward, and ten years at most. A request that is wrong does not move the clock.
#[tokio::test]
async fn a_wrong_move_is_told_by_its_field() {
    let world = World::new().await;
    let before = world.now().await;
    for (body, field) in [
        (json!({}), "non_field_errors"),
        (json!({"to": "2027-01-01T00:00:00Z", "seconds": 1}), "non_field_errors"),
        (json!({"to": null, "seconds": null}), "non_field_errors"),
        (json!([]), "non_field_errors"),
        (json!({"seconds": 0}), "seconds"),
        (json!({"seconds": -1}), "seconds"),
        (json!({"seconds": 1.5}), "seconds"),
        (json!({"seconds": "60"}), "seconds"),
        (json!({"seconds": i64::MAX}), "seconds"),
        (json!({"seconds": 3_654 * 86_400}), "seconds"),
        (json!({"to": "tomorrow"}), "to"),
        (json!({"to": before - Duration::microseconds(1)}), "to"),
        (json!({"to": "2036-03-01T12:00:00.000001Z"}), "to"),
        (json!({"to": "9999-12-31T23:59:59Z"}), "to"),
    ] {
        world.post(ADVANCE, &world.root, body).await.invalid(&[field]);
    }
    assert_eq!(world.now().await, before);
    let there = world.post(ADVANCE, &world.root, json!({"to": "2036-03-01T12:00:00Z"})).await.expect(200);
    assert_eq!(there, json!({"now": "2036-03-01T12:00:00Z"}));
}

/// Rule 11.2: the clock runs on from where it was moved to.
#[tokio::test]
async fn the_clock_goes_by_seconds_or_to_an_instant_and_runs_on() {
    let world = World::new().await;
    let before = world.now().await;
    assert_eq!(now(&world.advance(json!({"seconds": 90})).await.expect(200)), before + Duration::seconds(90));
    let to = before + Duration::days(2);
    assert_eq!(now(&world.advance(json!({"to": to})).await.expect(200)), to);
    world.app.clock.advance(Duration::seconds(5));
    assert_eq!(world.now().await, to + Duration::seconds(5));
}

/// Rule 11.3, with rules 3.6, 4.5 and 5.3.
#[tokio::test]
async fn tokens_proposals_and_invoices_go_by_the_clock() {
    let world = World::new().await;
    let trade = world.trade(world.sell, 1).await;
    world.offer(trade, &world.owner, "9000").await;
    let terms = json!({"amount": "8000", "expires_at": "2026-03-02T12:00:00Z"});
    let offer = id(&world.post(&format!("/api/trades/{trade}/proposals"), &world.buyer, terms).await.expect(201));
    let (_, invoice) = world.agreed_sale(2).await;
    let (offer, invoice) = (format!("/api/proposals/{offer}"), format!("/api/invoices/{invoice}"));

    world.advance(json!({"to": "2026-03-02T11:59:59Z"})).await.expect(200);
    assert_eq!(world.get(&offer, &world.buyer).await.expect(200)["status"], "pending");
    world.advance(json!({"seconds": 1})).await.expect(200);
    assert_eq!(world.get(&offer, &world.buyer).await.expect(200)["status"], "expired");
    world.post(&format!("{offer}/accept"), &world.owner, Value::Null).await.refused(409, "proposal_expired");

    assert_eq!(world.get(&invoice, &world.staff).await.expect(200)["is_overdue"], false);
    world.advance(json!({"seconds": 14 * 86_400})).await.expect(200);
    assert_eq!(world.get(&invoice, &world.staff).await.expect(200)["is_overdue"], true);

    world.get(&offer, &world.buyer).await.expect(200);
    world.advance(json!({"seconds": 15 * 86_400})).await.expect(200);
    world.get(&offer, &world.buyer).await.refused(401, "not_authenticated");
}

/// Rules 11.2 and 5.5: the response comes once the payment is settled.
#[tokio::test]
async fn a_pending_payment_is_settled_when_the_clock_is_moved() {
    let mut gateway = MockPaymentGateway::new();
    gateway.expect_info().returning(|| SandboxGateway::new().info());
    gateway.expect_tokenize().returning(|_| Ok(Tokenization::Accepted(CardToken::new("card".to_owned()))));
    gateway.expect_charge().times(1).returning(|_| Err(GatewayError::new("timed out")));
    gateway.expect_find_charge().times(1).returning(|_| Ok(Some(ChargeOutcome::Succeeded { reference: "ch_1".into() })));
    let world = World::with_gateway(Arc::new(gateway)).await;
    let (_, invoice) = world.agreed_sale(1).await;
    let card = world.card(&world.owner, GOOD_CARD).await;
    let pay = json!({"invoice_id": invoice, "credit_card_id": card});
    let payment = format!("/api/payments/{}", id(&world.post("/api/payments", &world.owner, pay).await.expect(202)));
    assert_eq!(world.get(&payment, &world.owner).await.expect(200)["status"], "pending");
    world.advance(json!({"seconds": 31})).await.expect(200);
    assert_eq!(world.get(&payment, &world.owner).await.expect(200)["status"], "succeeded");
}

/// Rules 11.3 and 6.7: the records of other requests expire with the move, and are cleared.
#[tokio::test]
async fn idempotency_records_go_by_the_clock() {
    let world = World::new().await;
    world.app.post("/api/vehicles", &world.owner.token, "k1", &vehicle(1)).await.expect(201);
    world.advance(json!({"seconds": 86_399})).await.expect(200);
    let again = world.app.post("/api/vehicles", &world.owner.token, "k1", &vehicle(1)).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    world.advance(json!({"seconds": 2})).await.expect(200);
    assert_eq!(world.app.engine.purge_expired().await.unwrap(), 0, "it was cleared before the response");
    let other = world.app.post("/api/vehicles", &world.owner.token, "k1", &vehicle(2)).await;
    assert_eq!((other.status.as_u16(), other.header("idempotency-replayed")), (201, ""));
}

/// Rules 11.3 and 6.7: the move is made once for each key, however far it goes, until the record is forgotten.
#[tokio::test]
async fn a_move_is_made_once_for_each_key() {
    let world = World::new().await;
    let before = world.now().await;
    let year = json!({"seconds": YEAR});
    let first = world.advance_once("k1", year.clone()).await;
    assert_eq!(now(&first.expect(200)), before + Duration::seconds(YEAR));
    for _ in 0..2 {
        let again = world.advance_once("k1", year.clone()).await;
        assert_eq!((again.status.as_u16(), &again.text, again.header("idempotency-replayed")), (200, &first.text, "true"));
    }
    world.advance_once("k1", json!({"seconds": 1})).await.refused(422, "idempotency_key_reused");
    assert_eq!(now(&world.advance(json!({"seconds": 86_399})).await.expect(200)), before + Duration::seconds(YEAR + 86_399));
    assert_eq!(world.advance_once("k1", year.clone()).await.header("idempotency-replayed"), "true");
    world.advance(json!({"seconds": 1})).await.expect(200);
    let later = world.advance_once("k1", year).await;
    assert_eq!(later.header("idempotency-replayed"), "");
    assert_eq!(now(&later.expect(200)), before + Duration::seconds(2 * YEAR + 86_400));
}

/// Rule 11.2: moves at the same time come one after the other.
#[tokio::test]
async fn moves_at_the_same_time_add_up() {
    let world = World::new().await;
    let before = world.now().await;
    let day = || world.post(ADVANCE, &world.root, json!({"seconds": 86_400}));
    let (one, two, three) = tokio::join!(day(), day(), day());
    let mut times = [one, two, three].map(|response| now(&response.expect(200)));
    times.sort();
    assert_eq!(times[2], before + Duration::days(3));
    assert_eq!(world.now().await, before + Duration::days(3));
}

/// A running server, on which the superuser is logged in.
struct Running {
    server: Server,
    token: String,
}

impl Running {
    fn start(args: &[&str], database: &str) -> Self {
        let superuser =
            [("SUPERUSER_USERNAME", "root"), ("SUPERUSER_EMAIL", "root@example.com"), ("SUPERUSER_PASSWORD", PASSWORD)];
        let superuser = superuser.map(|(name, value)| (format!("LEASE_{name}"), value));
        let mut variables: Vec<(&str, &str)> = superuser.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        variables.push(("DATABASE_URL", database));
        let mut running = Self { server: Server::start(args, &variables), token: String::new() };
        running.log_in();
        running
    }

    fn log_in(&mut self) {
        let login = self.ask("POST /api/login", &json!({"username": "root", "password": PASSWORD})).1;
        login["token"].as_str().unwrap().clone_into(&mut self.token);
    }

    /// The status and the body of the response.
    fn ask(&self, head: &str, body: &Value) -> (u16, Value) {
        let authorization = if self.token.is_empty() { String::new() } else { format!("Token {}", self.token) };
        let response = self.server.ask_as(&authorization, head, &body.to_string());
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
    }
}

/// Rules 11.1 and 11.3, on a server as it is run: the log warns, and a token expires.
#[tokio::test]
async fn a_server_with_a_test_clock_warns_of_it_and_goes_by_it() {
    let database = fresh_url().await;
    let mut running = Running::start(&["--test-clock"], &database);
    assert!(running.server.log.contains("WARN the test clock is on"), "{}", running.server.log);
    let before = now(&running.ask("GET /api/test-clock", &json!({})).1);
    let (status, after) = running.ask(&format!("POST {ADVANCE}"), &json!({"seconds": 40 * 86_400}));
    assert_eq!(status, 200, "{after}");
    let moved = now(&after) - before;
    assert!(moved >= Duration::days(40) && moved < Duration::days(41), "{moved}");
    assert_eq!(running.ask("GET /api/test-clock", &json!({})).0, 401, "the token was valid for 30 days");
    running.token.clear();
    running.log_in();
    assert!(now(&running.ask("GET /api/test-clock", &json!({})).1) >= now(&after));
}

/// Rule 11.1: the setting is off by default.
#[tokio::test]
async fn a_server_has_no_test_clock_by_default() {
    let database = fresh_url().await;
    let running = Running::start(&[], &database);
    assert!(!running.server.log.contains("test clock"), "{}", running.server.log);
    assert_eq!(running.ask("GET /api/test-clock", &json!({})).0, 404);
    assert_eq!(running.ask(&format!("POST {ADVANCE}"), &json!({"seconds": 1})).0, 404);
}

/// Rule 11.1: the document that is served has the paths, and the one that is printed has them when asked.
#[tokio::test]
async fn the_document_has_the_test_clock_where_the_server_has_it() {
    let world = World::new().await;
    let served = world.get("/api/openapi.json", &nobody()).await.expect(200);
    let printed = |args: &[&str]| {
        let output = crate::process::run(args, &[]);
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    assert_eq!(served, printed(&["openapi", "--test-clock"]));
    assert!(served["paths"].get("/api/test-clock").is_some());
    assert!(printed(&["openapi"])["paths"].get("/api/test-clock").is_none());
}
