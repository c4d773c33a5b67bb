//! Failed logins are limited (chapter 7), by the clock of the engine.

use axum::body::Body;
use axum::http::{HeaderName, Request};
use chrono::Duration;
use lease_http::HttpOptions;
use serde_json::json;

use crate::app::{ApiResponse, App, PASSWORD, request};

fn login(name: &str, password: &str, address: &str) -> Request<Body> {
    request("POST", "/api/login", &[("x-forwarded-for", address)], &json!({"username": name, "password": password}))
}

async fn app(limit: u32) -> App {
    let header = Some(HeaderName::from_static("x-forwarded-for"));
    let options = HttpOptions::default().with_login_failures_per_minute(limit).with_client_address_header(header);
    let app = App::with(options);
    app.register("ada").await;
    app
}

fn is_throttled(response: &ApiResponse, seconds: &str) -> bool {
    response.code() == (429, "throttled".to_owned()) && response.header("retry-after") == seconds
}

#[tokio::test]
async fn after_ten_failures_even_the_right_password_waits_until_the_minute_is_over() {
    let app = app(10).await;
    for _ in 0..10 {
        assert_eq!(app.send(login("ada", "wrong", "10.0.0.1")).await.code(), (400, "invalid_credentials".to_owned()));
    }
    assert!(is_throttled(&app.send(login("Ada", PASSWORD, "10.0.0.1")).await, "60"));
    assert_eq!(app.send(login("ada", PASSWORD, "10.0.0.2")).await.status, 200);
    assert_eq!(app.send(login("bob", "wrong", "10.0.0.1")).await.status, 400);
    app.clock.advance(Duration::seconds(59));
    assert!(is_throttled(&app.send(login("ada", PASSWORD, "10.0.0.1")).await, "1"));
    app.clock.advance(Duration::seconds(1));
    assert_eq!(app.send(login("ada", PASSWORD, "10.0.0.1")).await.status, 200);
}

#[tokio::test]
async fn unknown_names_are_throttled_like_known_ones() {
    let app = app(1).await;
    assert_eq!(app.send(login("nobody", "wrong", "10.0.0.1")).await.status, 400);
    assert!(is_throttled(&app.send(login("nobody", "wrong", "10.0.0.1")).await, "60"));
}

#[tokio::test]
async fn a_successful_login_resets_the_count_and_missing_fields_do_not_count() {
    let app = app(2).await;
    for _ in 0..3 {
        assert_eq!(app.send(login("ada", "wrong", "10.0.0.1")).await.status, 400);
        assert_eq!(app.send(request("POST", "/api/login", &[], &json!({"username": "ada"}))).await.status, 400);
        assert_eq!(app.send(login("ada", PASSWORD, "10.0.0.1")).await.status, 200);
    }
}

#[tokio::test]
async fn a_limit_of_zero_switches_throttling_off() {
    let app = app(0).await;
    for _ in 0..30 {
        assert_eq!(app.send(login("ada", "wrong", "10.0.0.1")).await.status, 400);
    }
}

#[tokio::test]
async fn a_429_is_not_kept_under_an_idempotency_key() {
    let app = app(1).await;
    app.send(login("ada", "wrong", "10.0.0.1")).await;
    let keyed = || {
        let mut request = login("ada", PASSWORD, "10.0.0.1");
        request.headers_mut().insert("idempotency-key", "k1".parse().unwrap());
        request
    };
    assert_eq!(app.send(keyed()).await.status, 429);
    app.clock.advance(Duration::minutes(1));
    assert_eq!(app.send(keyed()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_parallel_guesses_get_no_more_than_the_limit() {
    let app = app(10).await;
    let sent: Vec<_> = (0..100)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { app.send(login("ada", "wrong", "10.0.0.1")).await.status.as_u16() })
        })
        .collect();
    let mut guesses = 0;
    for status in sent {
        match status.await.unwrap() {
            400 => guesses += 1,
            other => assert_eq!(other, 429),
        }
    }
    assert_eq!(guesses, 10);
}
