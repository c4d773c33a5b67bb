//! Failed logins and registrations are limited (rule 7.3), by the clock of the engine.

use std::sync::mpsc;

use axum::body::Body;
use axum::http::{HeaderName, Request};
use chrono::Duration;
use lease_http::HttpOptions;
use serde_json::{Value, json};

use crate::app::{ApiResponse, App, PASSWORD, registration, request};
use crate::support::World;
use crate::support::setup::GOOD_CARD;

fn login(name: &str, password: &str, address: &str) -> Request<Body> {
    request("POST", "/api/login", &[("x-forwarded-for", address)], &json!({"username": name, "password": password}))
}

fn register(body: &Value, address: &str) -> Request<Body> {
    request("POST", "/api/register", &[("x-forwarded-for", address)], body)
}

async fn app_with(options: HttpOptions) -> App {
    let header = Some(HeaderName::from_static("x-forwarded-for"));
    let world = World::new().await;
    world.register("ada").await;
    App::on(world.app.engine, world.app.clock, options.with_client_address_header(header))
}

/// An app with this limit on failed logins.
async fn app(limit: u32) -> App {
    app_with(HttpOptions::default().with_login_failures_per_minute(limit)).await
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

/// One password on many names is as much of an attack as many passwords on one name.
#[tokio::test]
async fn a_hundred_names_from_one_address_meet_the_limit() {
    let app = app(10).await;
    let mut statuses = Vec::new();
    for number in 0..100 {
        statuses.push(app.send(login(&format!("name-{number}"), "wrong", "10.0.0.1")).await.status.as_u16());
    }
    assert_eq!(statuses, [[400; 50], [429; 50]].concat());
    assert!(is_throttled(&app.send(login("ada", PASSWORD, "10.0.0.1")).await, "60"));
    assert_eq!(app.send(login("ada", PASSWORD, "10.0.0.2")).await.status, 200);
}

#[tokio::test]
async fn who_has_logged_in_from_an_address_before_is_not_locked_out_by_others_behind_it() {
    let app = app(1).await;
    assert_eq!(app.send(login("ada", PASSWORD, "10.0.0.1")).await.status, 200);
    for number in 0..6 {
        app.send(login(&format!("name-{number}"), "wrong", "10.0.0.1")).await;
    }
    assert!(is_throttled(&app.send(login("owner", PASSWORD, "10.0.0.1")).await, "60"));
    assert_eq!(app.send(login("ada", PASSWORD, "10.0.0.1")).await.status, 200);
}

#[tokio::test]
async fn failures_from_other_addresses_do_not_lock_a_name() {
    let app = app(1).await;
    for last in 1..20 {
        assert_eq!(app.send(login("ada", "wrong", &format!("10.0.1.{last}"))).await.status, 400);
    }
    assert_eq!(app.send(login("ada", PASSWORD, "10.0.0.1")).await.status, 200);
}

#[tokio::test]
async fn an_ipv6_network_is_one_client() {
    let app = app_with(HttpOptions::default().with_login_failures_per_minute(1).with_registrations_per_minute(1)).await;
    assert_eq!(app.send(login("ada", "wrong", "2001:db8::1")).await.status, 400);
    assert_eq!(app.send(login("ada", PASSWORD, "2001:db8::2")).await.status, 429);
    assert_eq!(app.send(login("ada", PASSWORD, "2001:db8:0:1::1")).await.status, 200);
    assert_eq!(app.send(register(&registration("eve"), "2001:db8::1")).await.status, 201);
    assert_eq!(app.send(register(&registration("mel"), "2001:db8::2")).await.status, 429);
    assert_eq!(app.send(register(&registration("mel"), "2001:db8:0:1::1")).await.status, 201);
}

/// Every attempt counts, whatever becomes of it.
#[tokio::test]
async fn a_client_may_try_to_register_ten_times_a_minute() {
    let app = app_with(HttpOptions::default()).await;
    for number in 0..10 {
        let (body, status) = match number % 3 {
            0 => (registration(&format!("eve{number}")), 201),
            1 => (json!({}), 400),
            _ => (registration("ada"), 400),
        };
        assert_eq!(app.send(register(&body, "10.0.0.1")).await.status, status, "{number}");
    }
    assert!(is_throttled(&app.send(register(&registration("mel"), "10.0.0.1")).await, "60"));
    assert_eq!(app.send(register(&registration("mel"), "10.0.0.2")).await.status, 201);
    // Logging in is another matter.
    assert_eq!(app.send(login("mel", PASSWORD, "10.0.0.1")).await.status, 200);
    app.clock.advance(Duration::minutes(1));
    assert_eq!(app.send(register(&registration("joe"), "10.0.0.1")).await.status, 201);
}

/// The limit is checked before a password is hashed and before an idempotency key is claimed.
#[tokio::test]
async fn a_registration_beyond_the_limit_costs_no_work() {
    let app = app_with(HttpOptions::default().with_registrations_per_minute(1)).await;
    let keyed = || {
        let mut request = register(&registration("eve"), "10.0.0.1");
        request.headers_mut().insert("idempotency-key", "k1".parse().unwrap());
        request
    };
    assert_eq!(app.send(register(&json!({}), "10.0.0.1")).await.status, 400);
    let worked = app.engine.password_hasher().blocks_computed();
    assert!(is_throttled(&app.send(keyed()).await, "60"));
    assert_eq!(app.engine.password_hasher().blocks_computed(), worked);
    app.clock.advance(Duration::minutes(1));
    assert_eq!(app.send(keyed()).await.status, 201);
}

#[tokio::test]
async fn a_limit_of_zero_lets_everybody_register() {
    let app = app_with(HttpOptions::default().with_registrations_per_minute(0)).await;
    for number in 0..30 {
        assert_eq!(app.send(register(&registration(&format!("eve{number}")), "10.0.0.1")).await.status, 201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_parallel_registrations_are_no_more_than_the_limit() {
    let app = app_with(HttpOptions::default()).await;
    let sent: Vec<_> = (0..100)
        .map(|number| {
            let app = app.clone();
            let request = register(&registration(&format!("eve{number}")), "10.0.0.1");
            tokio::spawn(async move { app.send(request).await.status.as_u16() })
        })
        .collect();
    let mut made = 0;
    for status in sent {
        match status.await.unwrap() {
            201 => made += 1,
            other => assert_eq!(other, 429),
        }
    }
    assert_eq!(made, 10);
}

/// Rule 3.7: where passwords wait for their turn, one client's flood fills its own line and nobody else's.
#[test]
fn a_flood_of_logins_from_one_address_does_not_shut_out_another() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let header = Some(HeaderName::from_static("x-forwarded-for"));
        let options = HttpOptions::default().with_login_failures_per_minute(0).with_client_address_header(header);
        let app = App::with(options);
        app.register("ada").await;
        let hasher = app.engine.password_hasher().clone();
        // The only thread that may hash stands still.
        let (release, busy) = mpsc::channel::<()>();
        let keeper = tokio::task::spawn_blocking(move || busy.recv());
        let send = |name: &str, address: &str| {
            let (app, request) = (app.clone(), login(name, PASSWORD, address));
            tokio::spawn(async move { app.send(request).await.code() })
        };
        let flood: Vec<_> = (0..hasher.available_permits() + 70).map(|_| send("nobody", "10.0.0.1")).collect();
        while hasher.refused() < 6 {
            tokio::task::yield_now().await;
        }
        let other = send("ada", "10.0.0.2");
        while hasher.refused() < 7 {
            tokio::task::yield_now().await;
        }
        let metrics = app.send(request("GET", "/metrics", &[], &Value::Null)).await.text;
        for line in
            ["lease_password_hashing_free 0\n", "lease_password_hashing_waiting 64\n", "lease_password_hashing_refused_total 7\n"]
        {
            assert!(metrics.contains(line), "{line}{metrics}");
        }
        release.send(()).unwrap();
        assert!(keeper.await.unwrap().is_ok());
        assert_eq!(other.await.unwrap().0, 200);
        let mut refused = 0;
        for login in flood {
            match login.await.unwrap() {
                (503, code) => {
                    assert_eq!(code, "unavailable");
                    refused += 1;
                }
                (status, _) => assert_eq!(status, 400),
            }
        }
        assert_eq!(refused, 7);
    });
}

/// Rule 5.4: whoever tries out cards is stopped, on every server and with every card, until the hour is over.
#[tokio::test]
async fn a_customer_is_declined_twenty_times_an_hour_at_most() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    let [declined, good] = [world.card(&world.owner, "4000000000000002").await, world.card(&world.owner, GOOD_CARD).await];
    let pay = async |card: i64| {
        let body = json!({"credit_card_id": card, "amount": "1.00"});
        world.post(&format!("/api/invoices/{invoice}/payments"), &world.owner, body).await
    };
    for _ in 0..20 {
        pay(declined).await.refused(402, "card_declined");
        world.app.clock.advance(Duration::minutes(1));
    }
    for card in [declined, good] {
        let refused = pay(card).await;
        assert!(is_throttled(&refused, "2400"), "{} {}", refused.text, refused.header("retry-after"));
    }
    world.app.clock.advance(Duration::minutes(40) - Duration::milliseconds(1));
    assert!(is_throttled(&pay(good).await, "1"));
    world.app.clock.advance(Duration::milliseconds(1));
    pay(good).await.expect(201);
}

/// Rule 7.3: both names of a user are one, and a name that nobody has is limited like any other.
#[tokio::test]
async fn failures_with_the_name_and_the_address_of_a_user_count_together() {
    let app = app(4).await;
    for name in ["ada", "ada@example.com", "ADA", "Ada@Example.com"] {
        assert_eq!(app.send(login(name, "wrong", "10.0.0.1")).await.code(), (400, "invalid_credentials".to_owned()), "{name}");
    }
    for name in ["ada", "ada@example.com"] {
        assert!(is_throttled(&app.send(login(name, PASSWORD, "10.0.0.1")).await, "60"), "{name}");
    }
    app.clock.advance(Duration::minutes(1));
    // A success with one name forgets the failures with the other.
    for _ in 0..3 {
        assert_eq!(app.send(login("ada", "wrong", "10.0.0.1")).await.status, 400);
        assert_eq!(app.send(login("ada", "wrong", "10.0.0.1")).await.status, 400);
        assert_eq!(app.send(login("ada@example.com", PASSWORD, "10.0.0.1")).await.status, 200);
    }
    for name in ["nobody", "nobody@example.com"] {
        for _ in 0..4 {
            assert_eq!(app.send(login(name, "wrong", "10.0.0.1")).await.status, 400, "{name}");
        }
        assert!(is_throttled(&app.send(login(name, "wrong", "10.0.0.1")).await, "60"), "{name}");
    }
}
