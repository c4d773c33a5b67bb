//! `/docs` and the console in a browser: headless Chromium, which can reach nothing but the server. `make browser` runs these tests, and installs
//! Chromium and axe if they are missing.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is how a test fails")]

mod console;
mod driver;
mod page;
#[path = "../api/process.rs"]
#[expect(dead_code, reason = "shared with the tests of the server, which need more of it")]
mod process;

use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::response::Response;
use lease_core::LeaseEngine;
use lease_core::gateway::SandboxGateway;
use lease_core::money::{Currency, Money};
use lease_store_memory::MemoryRepository;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use driver::Browser;
use page::Page;
use process::Server;

/// A response with this status; its body.
#[track_caller]
fn expect(expected: &str, (status, body): (String, Value)) -> Value {
    assert_eq!(status, expected, "{body}");
    body
}

/// Rule 6.8: a person does the whole sale on the page. The bodies are the examples as they stand; only the buyer's names are not
/// those of the owner.
#[test]
fn a_person_sells_a_vehicle_with_the_examples_as_they_stand() {
    let server = Server::start(&[], &[]);
    let page = Page::new(&format!("http://{}/docs", server.address));

    let owner = expect("201", page.call("accounts", "register", None, &[]));
    let login = expect("200", page.call("accounts", "login", None, &[]));
    page.authorize(login["token"].as_str().unwrap());
    expect("201", page.call("vehicles", "create_vehicle", None, &[]));
    let trade = expect("201", page.call("trades", "open_trade", None, &[]));
    let trade = trade["id"].as_i64();
    let offer = expect("201", page.call("proposals", "create_trade_proposal", trade, &[]));

    let names = [("username", "ben"), ("email", "ben@example.com")];
    let buyer = expect("201", page.call("accounts", "register", None, &names));
    page.authorize(buyer["token"].as_str().unwrap());
    let accepted = expect("200", page.call("proposals", "accept_proposal", offer["id"].as_i64(), &[]));
    assert_eq!(accepted["status"], "accepted");

    page.authorize(owner["token"].as_str().unwrap());
    expect("201", page.call("credit_cards", "create_credit_card", None, &[]));
    let payment = expect("201", page.call("payments", "create_payment", None, &[]));
    assert_eq!(payment["status"], "succeeded");
    let sold = expect("200", page.call("trades", "get_trade", trade, &[]));
    assert_eq!((&sold["status"], &sold["counterparty_id"]), (&json!("completed"), &buyer["customer_id"]));
    assert_eq!(page.browser.console(), [""; 0], "the console");
}

#[test]
fn a_call_without_a_token_is_refused() {
    let server = Server::start(&[], &[]);
    let page = Page::new(&format!("http://{}/docs", server.address));
    expect("401", page.call("customers", "list_customers", None, &[]));
    let refused = page.browser.console();
    assert!(refused.iter().all(|line| line.contains("401 (Unauthorized)")), "{refused:?}");
}

/// Both in an app that nests the router and behind a proxy that takes the prefix away.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_works_below_a_prefix() {
    let engine = LeaseEngine::builder(Arc::new(MemoryRepository::default()), Arc::new(SandboxGateway::new())).build().unwrap();
    let fee = Money::parse("49.00", Currency::USD).unwrap();
    engine.ensure_standard_services(fee, fee).await.unwrap();
    let router = lease_http::router(engine);
    let behind = router.clone();
    let app = Router::new().nest("/nested", router).fallback(move |request: Request| without_prefix(behind.clone(), request));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, app).into_future());
    for prefix in ["nested", "proxied"] {
        let page = Page::new(&format!("http://{address}/{prefix}/docs"));
        let services = expect("200", page.call("services", "list_services", None, &[]));
        assert_eq!(services["results"][0]["name"], "Sell", "{prefix}");
        assert_eq!(page.browser.console(), [""; 0], "the console");
    }
}

/// What a proxy gets for a path below `/proxied`: the server behind it knows nothing of the prefix.
async fn without_prefix(behind: Router, mut request: Request) -> Response {
    let path = request.uri().path_and_query().unwrap().as_str();
    *request.uri_mut() = path.strip_prefix("/proxied").unwrap_or(path).parse().unwrap();
    request.extensions_mut().remove::<OriginalUri>();
    behind.oneshot(request).await.unwrap()
}

#[test]
fn a_slash_at_the_end_of_its_path_changes_nothing() {
    let server = Server::start(&[], &[]);
    let browser = Browser::start();
    browser.open(&format!("http://{}/docs/", server.address));
    browser.click("#operations-tag-accounts");
    assert_eq!(browser.text("#operations-accounts-register .opblock-summary-path"), "/api/register");
    assert_eq!(browser.console(), [""; 0], "the console");
}
