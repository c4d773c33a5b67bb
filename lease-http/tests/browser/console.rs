//! The staff console as staff use it (chapter 10).

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use chrono::{Duration, TimeZone as _, Utc};
use lease_core::LeaseEngine;
use lease_core::account::PasswordParams;
use lease_core::clock::ManualClock;
use lease_core::gateway::SandboxGateway;
use lease_core::money::{Currency, Money};
use lease_http::{HttpOptions, RouterBuilder};
use lease_store_memory::MemoryRepository;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::driver::Browser;

const PASSWORD: &str = "violet-harbor-93";
/// The rules of levels A and AA.
const AXE: &str = "const done = arguments[0]; const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']; \
    axe.run(document, { runOnly: rules }).then(found => done(found.violations.map(rule => \
        rule.id + ': ' + rule.nodes.map(node => node.html.slice(0, 200)).join(' | '))))";

/// A server with something of everything on it.
struct World {
    router: Router,
    address: String,
    clock: Arc<ManualClock>,
    root: String,
}

impl World {
    async fn start() -> Self {
        let clock = Arc::new(ManualClock::at(Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()));
        let engine = LeaseEngine::builder(Arc::new(MemoryRepository::default()), Arc::new(SandboxGateway::new()))
            .clock(Arc::clone(&clock) as _)
            .password_params(PasswordParams { memory_kib: 8, iterations: 1 })
            .build()
            .unwrap();
        let fee = |text| Money::parse(text, Currency::USD).unwrap();
        engine.ensure_superuser("root", "root@example.com", PASSWORD.into()).await.unwrap();
        engine.ensure_standard_services(fee("49.00"), fee("199.00")).await.unwrap();
        let options = HttpOptions::default().with_registrations_per_minute(0);
        let router = RouterBuilder::new(engine).options(options).build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/console", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, router.clone()).into_future());
        let mut world = Self { router, address, clock, root: String::new() };
        let login = world.call("POST", "/api/login", "", json!({"username": "root", "password": PASSWORD})).await;
        world.root = login["token"].as_str().unwrap().to_owned();
        world.fill().await;
        world
    }

    async fn call(&self, method: &str, path: &str, token: &str, body: Value) -> Value {
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        if !token.is_empty() {
            request = request.header("authorization", format!("Token {token}"));
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
        let (status, bytes) = (response.status(), to_bytes(response.into_body(), usize::MAX).await.unwrap());
        assert!(status.is_success(), "{method} {path}: {status} {}", String::from_utf8_lossy(&bytes));
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// What a client of the API reads now.
    async fn read(&self, path: &str) -> Value {
        self.call("GET", path, &self.root, Value::Null).await
    }

    async fn register(&self, name: &str) -> String {
        let body = json!({"username": name, "password": PASSWORD, "password2": PASSWORD, "email": format!("{name}@example.com"),
            "first_name": name, "last_name": "Lovelace"});
        self.call("POST", "/api/register", "", body).await["token"].as_str().unwrap().to_owned()
    }

    /// Three agreed sales, of which the first is paid in part; a lead with a contact; an endpoint; and staff.
    async fn fill(&self) {
        let clerk = json!({"username": "clerk", "password": PASSWORD, "email": "clerk@example.com", "first_name": "Cleo",
            "last_name": "Parker", "is_staff": true});
        self.call("POST", "/api/users", &self.root, clerk).await;
        let (owner, buyer) = (self.register("ada").await, self.register("ben").await);
        let services = self.read("/api/services?kind=sell").await;
        for number in 1..=3 {
            let vehicle = json!({"vin": format!("1HGCM82633A{number:06}"), "make": "Honda", "model": "Accord", "year": 2020});
            let vehicle = self.call("POST", "/api/vehicles", &owner, vehicle).await;
            let trade = json!({"vehicle_id": vehicle["id"], "service_id": services["results"][0]["id"], "title": "A fine car"});
            let trade = self.call("POST", "/api/trades", &owner, trade).await["id"].clone();
            let offer = self.call("POST", &format!("/api/trades/{trade}/proposals"), &owner, json!({"amount": "9000"})).await;
            self.call("POST", &format!("/api/proposals/{}/accept", offer["id"]), &buyer, json!({})).await;
        }
        let card = json!({"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123", "holder_name": "Ada"});
        let card = self.call("POST", "/api/credit-cards", &owner, card).await["id"].clone();
        let payment = json!({"invoice_id": 1, "credit_card_id": card, "amount": "50.00"});
        self.call("POST", "/api/payments", &owner, payment).await;
        self.call("POST", "/api/leads", &self.root, json!({"first_name": "Alan", "last_name": "Turing", "company": "Example"}))
            .await;
        self.call("POST", "/api/contacts", &self.root, json!({"lead_id": 1, "phone": "123"})).await;
        let endpoint = json!({"url": "https://example.com/hook", "event_types": ["invoice.*"]});
        self.call("POST", "/api/webhook-endpoints", &self.root, endpoint).await;
        self.call("POST", "/api/webhook-endpoints/1/test", &self.root, json!({})).await;
        self.clock.advance(Duration::days(20));
    }

    /// A browser in which this user has logged in.
    fn browse(&self, name: &str, with_scripts: bool) -> Browser {
        let browser = Browser::start();
        if !with_scripts {
            browser.switch_scripts_off();
            browser.open("data:text/html,<title>off</title><script>document.title='on'</script>");
            assert_eq!(browser.title(), "off");
        }
        browser.open(&self.address);
        browser.write("#username", name);
        browser.write("#password", PASSWORD);
        browser.click("button");
        assert_eq!(browser.text("h1"), "Needs attention");
        browser
    }
}

/// The day of one of the staff, by the pages alone.
async fn live_through_a_day(with_scripts: bool) {
    let world = World::start().await;
    let browser = world.browse("clerk", with_scripts);
    let status = || browser.text("[role=status]");
    // The newest row of a history, of which the last but so many are below it: who did what, from what to what, and why.
    let told = |below: u8, parts: &[&str]| {
        let row = browser.text(&format!("main > section:nth-last-of-type({}) tbody tr", below + 1));
        for part in parts {
            assert!(row.contains(part), "{part} in {row}");
        }
    };

    // An overdue invoice gets more time.
    browser.follow("INV-00000003");
    assert_eq!(browser.text("h1 .state"), "Open, overdue");
    browser.follow("Move due date");
    browser.write("#due_date", "04302026");
    browser.write("#reason", "The bank was closed.");
    browser.follow("Move due date");
    assert_eq!((status(), browser.text("h1 .state")), ("The due date is moved.".into(), "Open".into()));
    assert_eq!(world.read("/api/invoices/3").await["due_date"], "2026-04-30");
    told(0, &["Invoice updated", "clerk", "2026-03-15", "2026-04-30", "The bank was closed."]);

    // Another one is written off.
    browser.open(&format!("{}/invoices?overdue=true", world.address));
    browser.follow("INV-00000002");
    browser.follow("Write off");
    browser.write("#reason", "The customer cannot be reached.");
    browser.follow("Write off");
    assert_eq!((status(), browser.text("h1 .state")), ("The invoice is written off.".into(), "Written off".into()));
    told(0, &["Invoice written off", "clerk", "Open", "Written off", "The customer cannot be reached."]);

    // An agreed trade is cancelled: without a reason it is not.
    browser.open(&format!("{}/trades/1", world.address));
    browser.follow("Cancel trade");
    browser.follow("Cancel trade");
    assert!(browser.text("h1").starts_with("Cancel trade: "), "nothing is sent without a reason");
    browser.write("#reason", "The car was stolen.");
    browser.follow("Cancel trade");
    assert_eq!((status(), browser.text("h1 .state")), ("The trade is cancelled.".into(), "Cancelled".into()));
    told(0, &["Proposal rescinded", "clerk", "Accepted", "Rescinded"]);

    // Its payment is refunded.
    browser.follow("Payment 1");
    browser.follow("Refund");
    browser.click("#reason option[value=trade_cancelled]");
    browser.follow("Refund");
    assert_eq!(
        (status().as_str(), browser.text("h1 .state").as_str()),
        ("The refund is made. Its state is beside its name.", "Succeeded")
    );
    assert_eq!(world.read("/api/refunds/1").await["amount"], "50.00");
    told(0, &["Refund succeeded", "Pending", "Succeeded", "50.00 USD"]);

    // A lead becomes a customer.
    browser.open(&world.address);
    browser.follow("Alan Turing");
    browser.follow("Convert");
    browser.write("#customer_id", "ben@example.com");
    browser.follow("Convert");
    assert_eq!(status(), "The lead is converted.");
    told(0, &["Lead converted", "clerk", "New", "Converted", "ben Lovelace"]);

    // A user is deactivated.
    browser.open(&format!("{}/users?search=ben", world.address));
    browser.follow("ben");
    browser.follow("Deactivate");
    browser.follow("Deactivate");
    assert_eq!(status(), "The user is deactivated.");
    assert_eq!(world.read("/api/users?search=ben").await["results"][0]["is_active"], false);

    told(1, &["User deactivated", "clerk", "Active", "Yes", "No"]);
    // And a list is exported: the browser stays where it is.
    browser.open(&format!("{}/trades?status=cancelled", world.address));
    browser.follow("Export as CSV");
    assert_eq!(browser.url(), format!("{}/trades?status=cancelled", world.address));
    assert_eq!(browser.console().into_iter().filter(|line| !line.contains("400")).collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_do_their_day_with_scripts() {
    live_through_a_day(true).await;
}

/// Chapter 10: the console works without scripts.
#[tokio::test(flavor = "multi_thread")]
async fn staff_do_their_day_without_scripts() {
    live_through_a_day(false).await;
}

/// Rule 10.5: axe finds nothing at level AA on any page, in either scheme of colours, and no page is wider than its window.
#[tokio::test(flavor = "multi_thread")]
async fn pages_are_accessible_and_fit_into_every_window() {
    let world = World::start().await;
    let axe = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/browser/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(std::env::var("LEASE_AXE").unwrap_or_else(|_| axe.to_owned())).unwrap();
    let check = |browser: &Browser, page: &str| {
        browser.open(&format!("{}{page}", world.address));
        for (width, scheme) in [(360, "light"), (1024, "dark"), (1600, "light")] {
            browser.show_as(width, scheme);
            let fits = browser.run("return document.documentElement.scrollWidth <= window.innerWidth");
            assert_eq!(fits, true, "{page} at {width}");
            browser.run(&axe);
            assert_eq!(browser.run_async(AXE), json!([]), "{page} at {width}");
        }
    };
    check(&Browser::start(), "/login");
    let browser = world.browse("root", true);
    let pages = [
        "",
        "/trades",
        "/trades?customer_id=x",
        "/proposals",
        "/vehicles",
        "/services",
        "/invoices",
        "/payments",
        "/refunds",
        "/credit-cards",
        "/customers",
        "/leads",
        "/contacts",
        "/users",
        "/events",
        "/webhook-endpoints",
        "/webhook-deliveries?webhook_endpoint_id=1",
        "/trades/1",
        "/proposals/1",
        "/vehicles/1",
        "/services/1",
        "/invoices/1",
        "/payments/1",
        "/credit-cards/1",
        "/customers/1",
        "/leads/1",
        "/contacts/1",
        "/users/1",
        "/events/1",
        "/webhook-endpoints/1",
        "/webhook-deliveries/1",
        "/users/new",
        "/services/new",
        "/leads/new",
        "/contacts/new",
        "/webhook-endpoints/new",
        "/users/3/edit",
        "/leads/1/convert",
        "/trades/1/cancel",
        "/invoices/1/move-due-date",
        "/invoices/1/write-off",
        "/payments/1/cancel",
        "/payments/1/refund",
        "/users/3/deactivate",
        "/nothing",
    ];
    for page in &pages {
        check(&browser, page);
    }
}
