//! Features for operators and browsers (rule 6.8): health, metrics, request ids, headers, limits.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderValue;
use lease_core::LeaseEngine;
use lease_core::account::PasswordParams;
use lease_core::gateway::{
    CardDetails, CardToken, Charge, ChargeOutcome, GatewayError, GatewayInfo, PaymentGateway, RefundOutcome, RefundRequest,
    SandboxGateway, Tokenization,
};
use lease_core::repository::{MockRepository, RepositoryError};
use lease_http::{CorsOrigins, HttpOptions};
use lease_store_memory::MemoryRepository;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::app::{ApiResponse, App, request};
use crate::support::setup::{GOOD_CARD, card};

async fn get(app: &App, path: &str) -> ApiResponse {
    app.send(request("GET", path, &[], &Value::Null)).await
}

/// The app, on another store.
fn on(store: MockRepository, options: HttpOptions) -> App {
    let params = PasswordParams { memory_kib: 8, iterations: 1 };
    let engine = LeaseEngine::builder(Arc::new(store), Arc::new(SandboxGateway::new())).password_params(params).build().unwrap();
    App::on(engine, App::new().clock, options)
}

fn away() -> RepositoryError {
    RepositoryError::Unavailable("connection refused by 10.1.2.3".into())
}

#[tokio::test]
async fn a_process_with_its_store_is_healthy_and_ready() {
    let app = App::new();
    for path in ["/healthz", "/readyz", "/healthz/", "/readyz/"] {
        let response = get(&app, path).await;
        assert_eq!((response.status.as_u16(), response.json()), (200, json!({"status": "ok"})), "{path}");
    }
}

#[tokio::test]
async fn without_its_store_a_process_is_healthy_but_not_ready() {
    let mut store = MockRepository::new();
    store.expect_ping().returning(|| Err(away()));
    let app = on(store, HttpOptions::default());
    assert_eq!(get(&app, "/healthz").await.status, 200);
    let response = get(&app, "/readyz").await;
    assert_eq!(response.code(), (503, "unavailable".to_owned()));
    assert!(!response.text.contains("10.1.2.3"));
}

/// A store that expects nothing fails a test that queries it.
#[tokio::test]
async fn a_list_with_a_wrong_parameter_does_not_query_the_store() {
    let app = on(MockRepository::new(), HttpOptions::default());
    get(&app, "/api/services?kind=boat").await.invalid(&["kind"]);
}

#[tokio::test]
async fn metrics_count_by_route_and_code_and_belong_to_one_router() {
    let app = App::new();
    let token = app.register("ada").await;
    for _ in 0..2 {
        app.get("/api/vehicles/4711", &token).await;
    }
    app.get("/api/no/such/path", &token).await;
    let metrics = get(&app, "/metrics").await;
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4");
    for line in [
        "lease_http_requests_total{method=\"GET\",route=\"/api/vehicles/{id}\",status=\"404\"} 2",
        "lease_http_requests_total{method=\"POST\",route=\"/api/register\",status=\"201\"} 1",
        "lease_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 1",
        "lease_http_request_duration_seconds_count{method=\"GET\",route=\"/api/vehicles/{id}\"} 2",
        "lease_outcomes_total{code=\"not_found\"} 2",
        "lease_outcomes_total{code=\"ok\"} 1",
        "lease_http_requests_in_flight 1",
    ] {
        assert!(metrics.text.lines().any(|found| found == line), "{line}\n{}", metrics.text);
    }
    assert!(metrics.text.contains("lease_password_hashing_free "));
    assert!(metrics.text.contains("lease_password_hashing_waiting 0\n"));
    assert!(metrics.text.contains("lease_password_hashing_refused_total 0\n"));
    assert!(!get(&App::new(), "/metrics").await.text.contains("/api/vehicles"));
}

#[tokio::test]
async fn metrics_added_by_the_app_are_read_at_each_scrape() {
    let app = App::new();
    app.metrics.watch("pool_size", "Connections.", || 7).unwrap();
    assert!(app.metrics.watch("pool_size", "Taken.", || 8).is_err());
    assert!(get(&app, "/metrics").await.text.contains("pool_size 7\n"));
}

#[tokio::test]
async fn a_valid_request_id_is_kept_and_every_response_has_one() {
    let app = App::new();
    let ask = async |id: &str| {
        let response = app.send(request("GET", "/healthz", &[("x-request-id", id)], &Value::Null)).await;
        response.header("x-request-id").to_owned()
    };
    assert_eq!(ask("abc-123").await, "abc-123");
    for wrong in ["", "a b", "a\"b", &"x".repeat(129)] {
        let given = ask(wrong).await;
        assert!(given.len() == 32 && given != wrong, "{wrong} {given}");
    }
    assert_ne!(get(&app, "/nowhere").await.header("x-request-id"), get(&app, "/nowhere").await.header("x-request-id"));
}

#[tokio::test]
async fn every_response_has_the_security_headers() {
    let app = App::new();
    for path in ["/api/services", "/api/nowhere", "/healthz", "/docs"] {
        let response = get(&app, path).await;
        assert_eq!(response.header("x-content-type-options"), "nosniff");
        assert_eq!(response.header("x-frame-options"), "DENY");
        assert_eq!(response.header("referrer-policy"), "no-referrer");
        assert_eq!(response.header("cache-control"), "no-store");
        assert!(response.header("content-security-policy").contains("default-src 'none'"));
    }
}

#[tokio::test]
async fn cors_allows_only_the_configured_origins() {
    let preflight = || {
        let headers = [("origin", "https://a.example"), ("access-control-request-method", "POST")];
        request("OPTIONS", "/api/services", &headers, &Value::Null)
    };
    let closed = App::new().send(preflight()).await;
    assert_eq!((closed.status.as_u16(), closed.header("access-control-allow-origin")), (405, ""));

    let these = CorsOrigins::These(vec![HeaderValue::from_static("https://a.example")]);
    let app = App::with(HttpOptions::default().with_cors_origins(these));
    let open = app.send(preflight()).await;
    assert_eq!((open.status.as_u16(), open.header("access-control-allow-origin")), (200, "https://a.example"));
    for header in
        ["authorization", "idempotency-key", "if-match", "if-none-match", "traceparent", "tracestate", "baggage", "x-request-id"]
    {
        assert!(open.header("access-control-allow-headers").split(',').any(|allowed| allowed == header), "{header}");
    }
    assert_eq!(open.header("access-control-max-age"), "7200");
    let unknown = app.send(request("OPTIONS", "/api/nothing", &[("origin", "https://a.example")], &Value::Null)).await;
    assert_eq!(unknown.code(), (404, "not_found".to_owned()));
    let listed = app.send(request("GET", "/api/services", &[("origin", "https://a.example")], &Value::Null)).await;
    for header in ["etag", "location", "retry-after", "x-request-id", "idempotency-replayed"] {
        assert!(listed.header("access-control-expose-headers").split(',').any(|exposed| exposed == header), "{header}");
    }
    let stranger = app.send(request("GET", "/api/services", &[("origin", "https://b.example")], &Value::Null)).await;
    assert_eq!(stranger.header("access-control-allow-origin"), "");

    let app = App::with(HttpOptions::default().with_cors_origins(CorsOrigins::Any));
    assert_eq!(app.send(preflight()).await.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn responses_are_compressed_for_clients_that_accept_it() {
    let app = App::new();
    let headers = [("accept-encoding", "gzip")];
    let response = app.send(request("GET", "/api/openapi.json", &headers, &Value::Null)).await;
    assert_eq!(response.header("content-encoding"), "gzip");
    assert_eq!(get(&app, "/api/openapi.json").await.header("content-encoding"), "");
}

#[tokio::test]
async fn head_responds_like_get_without_a_body() {
    let app = App::new();
    let head = app.send(request("HEAD", "/api/services", &[], &Value::Null)).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    let options = app.send(request("OPTIONS", "/api/login", &[], &Value::Null)).await;
    assert_eq!(options.code(), (405, "method_not_allowed".to_owned()));
    assert_eq!(options.header("allow"), "POST");
}

/// A gateway that does not respond until the test releases it.
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

/// An engine with such a gateway.
fn slow_engine() -> (Arc<SlowGateway>, LeaseEngine) {
    let gateway = Arc::new(SlowGateway(Semaphore::new(0)));
    let engine = LeaseEngine::builder(Arc::new(MemoryRepository::default()), Arc::clone(&gateway) as _)
        .password_params(PasswordParams { memory_kib: 8, iterations: 1 })
        .build()
        .unwrap();
    (gateway, engine)
}

#[tokio::test]
async fn a_write_that_exceeds_the_timeout_is_a_503_and_still_completes() {
    let (gateway, engine) = slow_engine();
    let app = |options| App::on(engine.clone(), App::new().clock, options);
    let patient = app(HttpOptions::default());
    let hasty = app(HttpOptions::default().with_request_timeout(Duration::from_millis(1)));
    let token = patient.register("ada").await;

    let response = hasty.post("/api/credit-cards", &token, "", &card(GOOD_CARD)).await;
    assert_eq!(response.code(), (503, "unavailable".to_owned()));
    gateway.0.add_permits(1);
    hasty.writes.close();
    hasty.writes.wait().await;
    let cards = patient.get("/api/credit-cards", &token).await.json();
    assert_eq!(cards["results"].as_array().unwrap().len(), 1);
}

/// Nobody can act without a trace by hanging up.
#[tokio::test]
async fn a_write_whose_client_hangs_up_is_counted_with_its_outcome() {
    let (gateway, engine) = slow_engine();
    let app = App::on(engine, App::new().clock, HttpOptions::default());
    let token = app.register("ada").await;
    let card = card(GOOD_CARD);
    let mut sent = Box::pin(app.post("/api/credit-cards", &token, "", &card));
    assert!(sent.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(sent);
    gateway.0.add_permits(1);
    app.writes.close();
    app.writes.wait().await;
    let metrics = get(&app, "/metrics").await.text;
    let line = r#"lease_http_requests_total{method="POST",route="/api/credit-cards",status="201"} 1"#;
    assert!(metrics.lines().any(|found| found == line), "{metrics}");
    assert!(!metrics.contains(r#"status="499""#), "{metrics}");
}

#[tokio::test]
async fn a_panic_is_a_500_without_details() {
    let mut store = MockRepository::new();
    store.expect_list_services().returning(|_, _| panic!("the password is hunter2"));
    store.expect_find_login().returning(|_| panic!("the password is hunter2"));
    let app = on(store, HttpOptions::default());
    let login = json!({"username": "ada", "password": "wrong"});
    for request in [request("GET", "/api/services", &[], &Value::Null), request("POST", "/api/login", &[], &login)] {
        let response = app.send(request).await;
        assert_eq!(response.code(), (500, "internal_error".to_owned()));
        assert!(!response.text.contains("hunter2"));
        assert_eq!(response.header("x-content-type-options"), "nosniff");
    }
}
