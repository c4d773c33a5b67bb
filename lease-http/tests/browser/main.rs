//! `/docs` in a browser: headless Chromium, which can reach nothing but the server. `make browser` runs this test, and installs
//! Chromium if it is missing.

#![expect(clippy::unwrap_used, reason = "a failed expectation is how a test fails")]

mod driver;
#[path = "../api/process.rs"]
#[expect(dead_code, reason = "shared with the tests of the server, which need more of it")]
mod process;

use driver::Browser;
use process::Server;

/// Registers a user; returns the token.
fn register(server: &Server) -> String {
    let body = r#"{"username": "ada", "email": "ada@example.com", "first_name": "Ada", "last_name": "Byron",
        "password": "violet-harbor-93", "password2": "violet-harbor-93"}"#;
    let response = server.ask("POST /api/register", body);
    response.split(r#""token":""#).nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[test]
fn the_page_loads_offline_takes_a_token_and_makes_a_call() {
    let server = Server::start(&[], &[]);
    let token = register(&server);
    let browser = Browser::start();
    browser.open(&format!("http://{}/docs", server.address));

    // Without a token the call is refused.
    browser.click("#operations-tag-customers");
    browser.click("#operations-customers-list_customers .opblock-summary-control");
    browser.click("#operations-customers-list_customers button.execute");
    assert_eq!(browser.text("#operations-customers-list_customers .live-responses-table tbody .response-col_status"), "401");
    let refused = browser.console();
    assert!(refused.iter().all(|line| line.contains("401 (Unauthorized)")), "{refused:?}");

    browser.click(".auth-wrapper button.authorize");
    browser.write(".modal-ux .auth-container input", &token);
    browser.click(".modal-ux .auth-btn-wrapper button.authorize");
    browser.click(".modal-ux .auth-btn-wrapper button.btn-done");
    browser.click("#operations-customers-list_customers button.btn-clear");
    browser.click("#operations-customers-list_customers button.execute");
    assert_eq!(browser.text("#operations-customers-list_customers .live-responses-table tbody .response-col_status"), "200");
    let response = browser.text("#operations-customers-list_customers .live-responses-table tbody .response-col_description");
    assert!(response.contains("\"user_id\": 1"), "{response}");
    assert_eq!(browser.console(), [""; 0], "the console");
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
