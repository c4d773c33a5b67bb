//! The router on a store in memory, called in this process, with a clock that does not move by itself.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use chrono::{TimeZone as _, Utc};
use futures_util::StreamExt as _;
use lease_core::LeaseEngine;
use lease_core::account::PasswordParams;
use lease_core::clock::ManualClock;
use lease_core::gateway::SandboxGateway;
use lease_http::{HttpOptions, Metrics, RouterBuilder};
use lease_store_memory::MemoryRepository;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

pub(crate) const PASSWORD: &str = "violet-harbor-93";

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) router: Router,
    pub(crate) engine: LeaseEngine,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) metrics: Metrics,
    pub(crate) writes: TaskTracker,
    pub(crate) stop: CancellationToken,
}

pub(crate) struct ApiResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl ApiResponse {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn code(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["code"].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl App {
    /// An app in which any number may register.
    pub(crate) fn new() -> Self {
        Self::with(HttpOptions::default().with_registrations_per_minute(0))
    }

    pub(crate) fn with(options: HttpOptions) -> Self {
        let clock = Arc::new(ManualClock::at(Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()));
        let engine = LeaseEngine::builder(Arc::new(MemoryRepository::default()), Arc::new(SandboxGateway::new()))
            .clock(Arc::clone(&clock) as _)
            .password_params(PasswordParams { memory_kib: 8, iterations: 1 })
            .build()
            .unwrap();
        Self::on(engine, clock, options)
    }

    /// The router on this engine.
    pub(crate) fn on(engine: LeaseEngine, clock: Arc<ManualClock>, options: HttpOptions) -> Self {
        let (metrics, writes, stop) = (Metrics::new(), TaskTracker::new(), CancellationToken::new());
        let builder = RouterBuilder::new(engine.clone()).options(options).metrics(metrics.clone()).writes(writes.clone());
        Self { router: builder.stop(stop.clone()).build(), engine, clock, metrics, writes, stop }
    }

    /// Sends a request and reads the response; of one without an end its beginning.
    pub(crate) async fn send(&self, request: Request<Body>) -> ApiResponse {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let is_endless = parts.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let bytes = if is_endless {
            body.into_data_stream().next().await.map_or_else(Bytes::new, Result::unwrap)
        } else {
            to_bytes(body, usize::MAX).await.unwrap()
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        ApiResponse { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> ApiResponse {
        self.send(request("GET", path, &[("authorization", &format!("Token {token}"))], &Value::Null)).await
    }

    /// A POST, without a token or a key if that is empty.
    pub(crate) async fn post(&self, path: &str, token: &str, key: &str, body: &Value) -> ApiResponse {
        self.send(post(path, token, key, body)).await
    }

    /// Registers a user; returns the token.
    pub(crate) async fn register(&self, name: &str) -> String {
        let response = self.post("/api/register", "", "", &registration(name)).await;
        assert_eq!(response.status, 201, "{}", response.text);
        response.json()["token"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn post(path: &str, token: &str, key: &str, body: &Value) -> Request<Body> {
    let authorization = format!("Token {token}");
    let mut headers = Vec::new();
    if !token.is_empty() {
        headers.push(("authorization", authorization.as_str()));
    }
    if !key.is_empty() {
        headers.push(("idempotency-key", key));
    }
    request("POST", path, &headers, body)
}

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    match body {
        Value::Null => request.body(Body::empty()),
        body => request.header("content-type", "application/json").body(Body::from(body.to_string())),
    }
    .unwrap()
}

pub(crate) fn registration(name: &str) -> Value {
    json!({"username": name, "password": PASSWORD, "password2": PASSWORD, "email": format!("{name}@example.com"),
        "first_name": "Ada", "last_name": "Byron"})
}

pub(crate) fn vehicle(number: u32) -> Value {
    json!({"vin": format!("1HGCM82633A{number:06}"), "make": "Honda", "model": "Accord", "year": 2020})
}
