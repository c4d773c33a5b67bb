//! Requests that are sent again after a crash. The tests claim the key and run the command as a request does, up to the point
//! where it died.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use axum::Router;
use axum::body::to_bytes;
use axum::http::Method;
use axum::http::header::AUTHORIZATION;
use chrono::{Duration, TimeZone as _, Utc};
use lease_core::account::{PasswordParams, RegistrationDraft, TokenText};
use lease_core::catalog::VehicleDraft;
use lease_core::clock::ManualClock;
use lease_core::engine::RequestContext;
use lease_core::gateway::{
    CardDetails, CardToken, Charge, ChargeOutcome, GatewayError, GatewayInfo, PaymentGateway, RefundOutcome, RefundRequest,
    SandboxGateway, Tokenization,
};
use lease_core::model::Account;
use lease_core::permission::Actor;
use lease_core::repository::{Guarantee, MockRepository, RepositoryError, SavedResponse};
use lease_store_memory::MemoryRepository;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::*;

struct World {
    clock: Arc<ManualClock>,
    engine: LeaseEngine,
    routes: Router,
    writes: TaskTracker,
    ada: Account,
    token: TokenText,
}

fn draft<T: serde::de::DeserializeOwned>(body: &Value) -> T {
    serde_json::from_value(body.clone()).unwrap()
}

fn registration(name: &str) -> Value {
    json!({"username": name, "password": "violet-harbor-93", "password2": "violet-harbor-93", "email": format!("{name}@example.com"),
        "first_name": "Ada", "last_name": "Byron", "job": "countess"})
}

fn vehicle() -> Value {
    json!({"vin": "1HGCM82633A000001", "make": "Honda", "model": "Accord", "year": 2020})
}

impl World {
    async fn new() -> Self {
        Self::with(Arc::new(SandboxGateway::default())).await
    }

    async fn with(gateway: Arc<dyn PaymentGateway>) -> Self {
        let clock = Arc::new(ManualClock::at(Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()));
        let engine = LeaseEngine::builder(Arc::new(MemoryRepository::default()), gateway)
            .clock(Arc::clone(&clock) as _)
            .password_params(PasswordParams { memory_kib: 8, iterations: 1 })
            .build()
            .unwrap();
        let registered = engine.register(Actor::Anonymous, &draft::<RegistrationDraft>(&registration("ada"))).await.unwrap();
        let writes = TaskTracker::new();
        let routes = crate::RouterBuilder::new(engine.clone()).writes(writes.clone()).build();
        Self { clock, engine, routes, writes, ada: registered.account, token: registered.token }
    }

    /// A world in which Ada administers.
    async fn administered() -> Self {
        let world = Self::new().await;
        let (root, _) = world.engine.ensure_superuser("root", "root@example.com", "violet-harbor-93".into()).await.unwrap();
        let login = draft(&json!({"username": "root", "password": "violet-harbor-93"}));
        let token = world.engine.login(Actor::Anonymous, &login).await.unwrap().token;
        Self { ada: root, token, ..world }
    }

    fn ada(&self) -> Actor {
        Actor::of(&self.ada)
    }

    /// Three seconds after its last renewal, nobody waits any longer for the response of the request that holds a key.
    fn gives_up(&self) {
        self.clock.advance(Duration::seconds(3));
    }

    /// Claims the key as a request of Ada's would. Commands under the claim are run in the context that is returned with it.
    async fn claim(&self, path: &str, body: &Value) -> (RequestContext, Claim) {
        self.claim_in(self.ada(), &Scope::User(self.ada.user.id), path, text(body).as_bytes()).await
    }

    /// Claims the key as an anonymous request with a password would.
    async fn claim_unknown(&self, path: &str, body: &Value) -> (RequestContext, Claim) {
        let parted = Secrets::Passwords.part(&text(body).into()).unwrap();
        let content = parted.stretched("k1", self.engine.password_hasher(), None).await.unwrap().rest;
        self.claim_in(Actor::Anonymous, &Scope::Content(&content), path, &content).await
    }

    async fn claim_in(&self, actor: Actor, scope: &Scope<'_>, path: &str, content: &[u8]) -> (RequestContext, Claim) {
        let keys = Keys::derive("k1", scope);
        let fingerprint = keys.fingerprint(actor.role(), &Method::POST, path, content);
        let (claim, state) = self.engine.claim(keys.lookup(), fingerprint).await.unwrap();
        assert_eq!(state, ClaimState::Claimed);
        (RequestContext::new(actor).with_claim(Some(claim)), claim)
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Option<String>, Value) {
        let request = Request::post(path)
            .header(AUTHORIZATION, format!("Token {}", self.token.expose()))
            .header(IDEMPOTENCY_KEY, "k1")
            .header("content-type", "application/json")
            .body(Body::from(text(body)))
            .unwrap();
        let (parts, body) = self.routes.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let replayed = parts.headers.get(&IDEMPOTENCY_REPLAYED).map(|value| value.to_str().unwrap().to_owned());
        (parts.status.as_u16(), replayed, serde_json::from_slice(&body).unwrap_or_default())
    }
}

/// The body as it is sent; null means no body.
fn text(body: &Value) -> String {
    if body.is_null() { String::new() } else { body.to_string() }
}

const REPLAYED: Option<&str> = Some("true");

#[tokio::test]
async fn a_key_whose_request_runs_is_in_use_and_reused_by_another_body() {
    let world = World::new().await;
    world.claim("/api/vehicles", &vehicle()).await;
    let (status, _, body) = world.post("/api/vehicles", &vehicle()).await;
    assert_eq!((status, body["code"].as_str()), (409, Some("idempotency_key_in_use")));
    let (status, _, body) = world.post("/api/vehicles", &json!({})).await;
    assert_eq!((status, body["code"].as_str()), (422, Some("idempotency_key_reused")));
}

#[tokio::test]
async fn a_crash_before_the_commit_holds_the_key_only_for_a_while() {
    let world = World::new().await;
    let (late_context, _) = world.claim("/api/vehicles", &vehicle()).await;
    world.gives_up();
    assert_eq!(world.post("/api/vehicles", &vehicle()).await.0, 201);
    // If the first request continues after all, it may no longer write.
    let late: VehicleDraft = draft(&json!({"vin": "1HGCM82633A000002", "make": "Honda", "model": "Accord", "year": 2020}));
    let refused = world.engine.create_vehicle(late_context, &late).await.unwrap_err();
    assert_eq!(refused.code(), "idempotency_key_in_use");
}

/// The reason for its refusal may be that the other request has already done the same.
#[tokio::test]
async fn a_refusal_by_a_request_that_lost_its_key_is_409() {
    let mut store = MockRepository::new();
    store.expect_claim().returning(|_, _| Ok(ClaimState::Claimed));
    store.expect_taken_names().returning(|_| Ok(Vec::new()));
    store.expect_renew_claim().returning(|_, _, _| Err(RepositoryError::Taken(Guarantee::Claim)));
    let routes = crate::router(LeaseEngine::builder(Arc::new(store), Arc::new(SandboxGateway::new())).build().unwrap());
    let request = Request::post("/api/register").header(IDEMPOTENCY_KEY, "k1").header("content-type", "application/json");
    let response = routes.oneshot(request.body(Body::from("{}")).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, problem["code"].as_str()), (409, Some("idempotency_key_in_use")), "{problem}");
}

/// A gateway that stores no card until the test releases it.
#[derive(Debug)]
struct SlowGateway(Semaphore);

#[async_trait]
impl PaymentGateway for SlowGateway {
    fn info(&self) -> GatewayInfo {
        SandboxGateway::new().info()
    }

    async fn tokenize(&self, _: &CardDetails) -> Result<Tokenization, GatewayError> {
        let _permit = self.0.acquire().await.unwrap();
        Ok(Tokenization::Accepted(CardToken::new("token".to_owned())))
    }

    async fn charge(&self, _: &Charge) -> Result<ChargeOutcome, GatewayError> {
        Err(GatewayError::new("unused"))
    }

    async fn find_charge(&self, _: &Charge) -> Result<Option<ChargeOutcome>, GatewayError> {
        Err(GatewayError::new("unused"))
    }

    async fn cancel_charge(&self, _: &Charge) -> Result<ChargeOutcome, GatewayError> {
        Err(GatewayError::new("unused"))
    }

    async fn refund(&self, _: &RefundRequest) -> Result<RefundOutcome, GatewayError> {
        Err(GatewayError::new("unused"))
    }

    async fn find_refund(&self, _: &RefundRequest) -> Result<Option<RefundOutcome>, GatewayError> {
        Err(GatewayError::new("unused"))
    }
}

/// Its client hangs up at once, and it takes longer than a claim is held without being renewed.
#[tokio::test(start_paused = true)]
async fn a_request_keeps_its_key_for_as_long_as_it_runs() {
    let gateway = Arc::new(SlowGateway(Semaphore::new(0)));
    let world = World::with(Arc::clone(&gateway) as _).await;
    let card = json!({"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "holder_name": "Ada Byron"});
    let mut first = Box::pin(world.post("/api/credit-cards", &card));
    assert!(matches!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
    drop(first);
    for second in 1..=10 {
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        world.clock.advance(Duration::seconds(1));
        let (status, _, body) = world.post("/api/credit-cards", &card).await;
        assert_eq!((status, body["code"].as_str()), (409, Some("idempotency_key_in_use")), "after {second} seconds");
    }
    gateway.0.add_permits(1);
    world.writes.close();
    world.writes.wait().await;
    let (status, replayed, _) = world.post("/api/credit-cards", &card).await;
    assert_eq!((status, replayed.as_deref()), (201, REPLAYED));
}

/// Its response may contain data that the row does not hold: the reason for a declined payment, or the token of a new user.
#[tokio::test]
async fn a_key_is_in_use_between_the_commit_and_the_response() {
    let world = World::new().await;
    let (context, _) = world.claim("/api/vehicles", &vehicle()).await;
    world.engine.create_vehicle(context, &draft(&vehicle())).await.unwrap();
    let (status, _, body) = world.post("/api/vehicles", &vehicle()).await;
    assert_eq!((status, body["code"].as_str()), (409, Some("idempotency_key_in_use")));
}

#[tokio::test]
async fn after_a_crash_a_registration_is_not_repeated_once_tokens_were_revoked() {
    let world = World::new().await;
    let body = registration("bob");
    let (context, _) = world.claim_unknown("/api/register", &body).await;
    let lost = world.engine.register(context, &draft(&body)).await.unwrap();
    world.engine.logout_everywhere(&Actor::of(&lost.account)).await.unwrap();
    world.gives_up();
    assert_eq!(world.post("/api/register", &body).await.0, 401);
}

#[tokio::test]
async fn after_a_crash_the_created_row_is_the_response() {
    let world = World::new().await;
    let (context, _) = world.claim("/api/vehicles", &vehicle()).await;
    let made = world.engine.create_vehicle(context, &draft(&vehicle())).await.unwrap();
    world.gives_up();
    let (status, replayed, body) = world.post("/api/vehicles", &vehicle()).await;
    assert_eq!((status, replayed.as_deref()), (201, REPLAYED));
    assert_eq!((body["id"].as_i64(), body["vin"].as_str()), (Some(made.id.get()), Some("1HGCM82633A000001")));
    // And the same for every later request.
    assert_eq!(world.post("/api/vehicles/", &vehicle()).await.2, body);
    assert_eq!(world.post("/api/vehicles", &json!({})).await.0, 422);
}

#[tokio::test]
async fn after_a_crash_a_changed_row_is_the_response() {
    let world = World::new().await;
    let vehicle = world.engine.create_vehicle(&world.ada(), &draft(&vehicle())).await.unwrap();
    let fee = lease_core::money::Money::zero(lease_core::money::Currency::USD);
    world.engine.ensure_standard_services(fee, fee).await.unwrap();
    let trade = json!({"vehicle_id": vehicle.id, "service_id": 1});
    let trade = world.engine.open_trade(&world.ada(), &draft(&trade)).await.unwrap();
    let path = format!("/api/trades/{}/cancel", trade.stored.id);
    let (context, _) = world.claim(&path, &Value::Null).await;
    world.engine.cancel_trade(context, trade.stored.id, &draft(&json!({}))).await.unwrap();
    world.gives_up();
    let (status, replayed, body) = world.post(&path, &Value::Null).await;
    assert_eq!((status, replayed.as_deref()), (200, REPLAYED));
    assert_eq!((body["id"].as_i64(), body["status"].as_str()), (Some(trade.stored.id.get()), Some("cancelled")));
}

#[tokio::test]
async fn after_a_crash_a_registration_is_repeated_with_another_token() {
    let world = World::new().await;
    let body = registration("bob");
    let (context, _) = world.claim_unknown("/api/register", &body).await;
    let lost = world.engine.register(context, &draft(&body)).await.unwrap();
    world.gives_up();
    let (status, replayed, response) = world.post("/api/register", &body).await;
    assert_eq!((status, replayed.as_deref()), (201, REPLAYED));
    assert_eq!((response["username"].as_str(), response["job"].as_str()), (Some("bob"), Some("countess")));
    assert_eq!(response["user_id"], json!(lost.account.user.id));
    let token: TokenText = response["token"].as_str().unwrap().parse().unwrap();
    assert_ne!(token.expose(), lost.token.expose());
    assert_eq!(world.engine.authenticate(&token).await.unwrap().actor.user(), Some(lost.account.user.id));
}

#[tokio::test]
async fn after_a_crash_a_login_is_carried_out_again() {
    let world = World::new().await;
    let body = json!({"username": "ada", "password": "violet-harbor-93"});
    let (context, _) = world.claim_unknown("/api/login", &body).await;
    world.engine.login(context, &draft(&body)).await.unwrap();
    world.gives_up();
    let (status, _, response) = world.post("/api/login", &body).await;
    assert_eq!((status, response["user_id"].as_i64()), (200, Some(world.ada.user.id.get())));
}

/// Nobody has the token of the lost response.
#[tokio::test]
async fn after_a_crash_another_token_is_created() {
    let world = World::new().await;
    let body = json!({"name": "Backup"});
    let (context, _) = world.claim("/api/tokens", &body).await;
    let lost = world.engine.create_token(context, world.token.hash(), &draft(&body)).await.unwrap();
    world.gives_up();
    let (status, _, response) = world.post("/api/tokens", &body).await;
    assert_eq!((status, response["name"].as_str()), (201, Some("Backup")));
    assert_ne!(response["id"].as_i64(), Some(lost.token.id.get()));
    let token: TokenText = response["token"].as_str().unwrap().parse().unwrap();
    assert_eq!(world.engine.authenticate(&token).await.unwrap().actor, world.ada());
}

/// Rule 9.1: nobody has seen the secret in the lost response, so it is shown again.
#[tokio::test]
async fn after_a_crash_the_secret_of_an_endpoint_is_shown_again() {
    let world = World::administered().await;
    let body = json!({"url": "https://example.com/hook"});
    let (context, _) = world.claim("/api/webhook-endpoints", &body).await;
    let made = world.engine.create_webhook_endpoint(context, &draft(&body)).await.unwrap();
    world.gives_up();
    let (status, replayed, response) = world.post("/api/webhook-endpoints", &body).await;
    assert_eq!((status, replayed.as_deref(), response["id"].as_i64()), (201, REPLAYED, Some(made.id.get())));
    assert_eq!(response["secret"], made.secret.expose());
}

/// Rule 9.1: a secret that was rotated once is not rotated again.
#[tokio::test]
async fn after_a_crash_a_rotated_secret_is_shown_again() {
    let world = World::administered().await;
    let body = draft(&json!({"url": "https://example.com/hook"}));
    let made = world.engine.create_webhook_endpoint(&world.ada(), &body).await.unwrap();
    let path = format!("/api/webhook-endpoints/{}/rotate-secret", made.id);
    let (context, _) = world.claim(&path, &Value::Null).await;
    let rotated = world.engine.rotate_webhook_secret(context, made.id).await.unwrap();
    world.gives_up();
    let (status, replayed, response) = world.post(&path, &Value::Null).await;
    assert_eq!((status, replayed.as_deref(), &response["secret"]), (200, REPLAYED, &json!(rotated.secret.expose())));
}

/// Rules 9.1 and 9.2: one test and one more delivery are queued, not two.
#[tokio::test]
async fn after_a_crash_the_queued_delivery_is_the_response() {
    let world = World::administered().await;
    let body = draft(&json!({"url": "https://example.com/hook"}));
    let endpoint = world.engine.create_webhook_endpoint(&world.ada(), &body).await.unwrap().id;
    let path = format!("/api/webhook-endpoints/{endpoint}/test");
    let (context, _) = world.claim(&path, &Value::Null).await;
    let queued = world.engine.test_webhook_endpoint(context, endpoint).await.unwrap().id;
    world.gives_up();
    let (status, replayed, response) = world.post(&path, &Value::Null).await;
    assert_eq!((status, replayed.as_deref(), response["id"].as_i64()), (202, REPLAYED, Some(queued.get())));
}

/// Rule 9.3: the present password is another by then.
#[tokio::test]
async fn after_a_crash_a_changed_password_stays_changed() {
    let world = World::new().await;
    let body = json!({"current_password": "violet-harbor-93", "password": "amber-lantern-58", "password2": "amber-lantern-58"});
    let parted = Secrets::Passwords.part(&text(&body).into()).unwrap();
    let told_by = parted.stretched("k1", world.engine.password_hasher(), None).await.unwrap().rest;
    let (context, _) = world.claim_in(world.ada(), &Scope::User(world.ada.user.id), "/api/password", &told_by).await;
    world.engine.change_password(context, &draft(&body), Some(world.token.hash())).await.unwrap();
    world.gives_up();
    let (status, replayed, _) = world.post("/api/password", &body).await;
    assert_eq!((status, replayed.as_deref()), (204, REPLAYED));
}

#[tokio::test]
async fn a_saved_response_that_cannot_be_decrypted_is_an_internal_error() {
    let world = World::new().await;
    let (_, claim) = world.claim("/api/vehicles", &vehicle()).await;
    world.engine.save_response(&claim, &SavedResponse(vec![1; 99])).await.unwrap();
    let (status, _, body) = world.post("/api/vehicles", &vehicle()).await;
    assert_eq!((status, body["code"].as_str()), (500, Some("internal_error")));
}
