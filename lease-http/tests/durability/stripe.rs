//! Servers that charge through Stripe, one of which dies between what Stripe has done and what it wrote down of it (rules 5.5, 5.7):
//! the other one finishes it, once. Stripe is the fake of `lease-stripe`, or whatever is at the address in `STRIPE_ADDRESS`:
//! `make stripe` tries localstripe as well.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use form_urlencoded::Serializer;
use lease_core::clock::{Clock as _, SystemClock};
use lease_core::invariants::Books;
use lease_stripe::fake::{self, FakeStripe};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::client::{Addresses, Client, made, vehicle};
use crate::postgres::TestDatabase;
use crate::process::Server;
use crate::two_servers::{LEASE, terms};
use crate::{SUPERUSER, TURN};

/// Its payer has to confirm each payment.
const ASKS_PAYER: &str = "4000002760003184";

/// Stripe, and the line to it, which notes what was posted and can be made to lose a response.
struct Line {
    address: String,
    _fake: Option<FakeStripe>,
    wire: Arc<Wire>,
    lost: mpsc::UnboundedReceiver<Value>,
}

struct Wire {
    stripe: String,
    http: reqwest::Client,
    /// The paths that were posted to.
    posted: Mutex<Vec<String>>,
    /// The path of the post whose response is lost.
    loses: watch::Sender<Option<&'static str>>,
    responses: mpsc::UnboundedSender<Value>,
}

impl Line {
    async fn open() -> Self {
        let (stripe, fake) = if let Ok(address) = std::env::var("STRIPE_ADDRESS") {
            (address, None)
        } else {
            let fake = FakeStripe::start(Arc::new(SystemClock), 0).await.unwrap();
            (fake.address(), Some(fake))
        };
        let (responses, lost) = mpsc::unbounded_channel();
        let loses = watch::Sender::new(None);
        let wire = Arc::new(Wire { stripe, http: reqwest::Client::new(), posted: Mutex::default(), loses, responses });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(forward).with_state(Arc::clone(&wire));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, _fake: fake, wire, lost }
    }

    /// A server on this database that charges through this line.
    fn serve(&self, database: &TestDatabase) -> Server {
        let (url, pooler) = (database.url(), crate::postgres::pooler_flag());
        let stripe = [
            ("LEASE_GATEWAY", "stripe"),
            ("LEASE_STRIPE_SECRET_KEY", fake::SECRET_KEY),
            ("LEASE_STRIPE_PUBLISHABLE_KEY", fake::PUBLISHABLE_KEY),
            ("LEASE_STRIPE_WEBHOOK_SECRET", fake::WEBHOOK_SECRET),
            ("LEASE_STRIPE_API_BASE", &self.address),
        ];
        Server::start(&["--log=debug", pooler, "--database-url", &url], &[&SUPERUSER[..], &stripe].concat())
    }

    /// What the script of Stripe does in a browser.
    async fn browser(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let body = Serializer::new(String::new()).extend_pairs(form).append_pair("key", fake::PUBLISHABLE_KEY).finish();
        let request = self.wire.http.post(format!("{}{path}", self.wire.stripe)).bearer_auth(fake::SECRET_KEY);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// The card that a customer enters, by Stripe's name for it.
    async fn enter_card(&self, setup: &Value, number: &str) -> String {
        let card = [
            ("type", "card"),
            ("card[number]", number),
            ("card[exp_month]", "12"),
            ("card[exp_year]", "2099"),
            ("card[cvc]", "123"),
        ];
        let card = self.browser("/v1/payment_methods", &card).await["id"].as_str().unwrap().to_owned();
        let secret = setup["client_secret"].as_str().unwrap();
        let (setup, _) = secret.split_once("_secret_").unwrap();
        let form = [("client_secret", secret), ("payment_method", &card)];
        self.browser(&format!("/v1/setup_intents/{setup}/confirm"), &form).await;
        card
    }

    /// The payer confirms a payment with their bank.
    async fn confirm(&self, intent: &Value, secret: &str) {
        let path = format!("/v1/payment_intents/{}/_authenticate", intent["id"].as_str().unwrap());
        self.browser(&path, &[("client_secret", secret), ("success", "true")]).await;
    }

    /// Tells a server of what happened to an object, twice, as Stripe may.
    async fn notify(&self, server: &Server, kind: &str, object: &Value) {
        let body = json!({"id": "evt_1", "object": "event", "type": kind, "data": {"object": object}}).to_string();
        let url = format!("http://{}/api/gateway/webhook", server.address);
        for _ in 0..2 {
            let signature = FakeStripe::signature(body.as_bytes(), SystemClock.now());
            let request = self.wire.http.post(&url).header("stripe-signature", signature);
            let response = request.header(header::CONTENT_TYPE, "application/json").body(body.clone()).send().await.unwrap();
            assert_eq!(response.status(), 204);
        }
    }

    /// How often this path was posted to.
    fn posts(&self, path: &str) -> usize {
        self.wire.posted.lock().unwrap().iter().filter(|posted| *posted == path).count()
    }
}

async fn forward(State(wire): State<Arc<Wire>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let path = parts.uri.path().to_owned();
    let url = format!("{}{}", wire.stripe, parts.uri);
    let mut headers = parts.headers;
    headers.remove(header::HOST);
    let response = wire.http.request(parts.method.clone(), url).headers(headers).body(body).send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    if parts.method == Method::POST {
        wire.posted.lock().unwrap().push(path.clone());
        if wire.loses.send_if_modified(|loses| loses.take_if(|lost| *lost == path).is_some()) {
            wire.responses.send(serde_json::from_str(&text).unwrap()).unwrap();
            std::future::pending::<()>().await;
        }
    }
    (StatusCode::from_u16(status.as_u16()).unwrap(), [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// Two servers on one database and one line, of which the first one can be killed.
struct Shop {
    line: Line,
    database: TestDatabase,
    servers: Vec<Server>,
    addresses: Addresses,
}

impl Shop {
    async fn open() -> Self {
        let (line, database) = (Line::open().await, TestDatabase::create().await);
        let servers = vec![line.serve(&database), line.serve(&database)];
        let shop = Self { line, database, servers, addresses: Addresses::default() };
        shop.use_servers();
        shop
    }

    /// Everybody uses the first server.
    fn use_servers(&self) {
        self.addresses.set(vec![self.servers[0].address.clone()]);
    }

    /// Sends a request to the first server, which dies after Stripe has done what the server asks for at this path. The client then
    /// goes on with the other server. Returns what Stripe said.
    async fn kill_during(&mut self, client: &Client, path: &str, body: &Value, key: &str, stripe: &'static str) -> Value {
        self.line.wire.loses.send_replace(Some(stripe));
        let (mut client, path, body, key) = (client.clone(), path.to_owned(), body.clone(), key.to_owned());
        let request = tokio::spawn(async move { client.post(&path, &body, &key).await });
        let lost = self.line.lost.recv().await.unwrap();
        let first = self.servers.remove(0);
        first.signal("KILL");
        assert_eq!(request.await.unwrap(), None, "nobody responded");
        drop(first);
        self.servers.push(self.line.serve(&self.database));
        self.use_servers();
        lost
    }
}

/// A fee is paid with a card whose payer must confirm, and refunded; each time, the server that asked Stripe dies before it hears the
/// answer.
#[tokio::test]
async fn another_server_finishes_what_a_dead_one_began_with_stripe() {
    let _turn = TURN.lock().await;
    let mut shop = Shop::open().await;
    let mut owner = Client::register(&shop.addresses, "owner", 0).await;
    let mut root = Client::superuser(&shop.addresses).await;
    assert_eq!(owner.read("/api/gateway").await, json!({"kind": "stripe", "publishable_key": fake::PUBLISHABLE_KEY}));
    let (status, setup) = owner.post("/api/credit-cards/setup", &Value::Null, "").await.unwrap();
    assert_eq!(status, 200, "{setup}");
    let card = shop.line.enter_card(&setup, ASKS_PAYER).await;
    let card = made(&owner.post("/api/credit-cards", &json!({"payment_method": card}), "").await.unwrap());
    let vehicle = made(&owner.post("/api/vehicles", &vehicle(1), "").await.unwrap());
    let trade = made(&owner.post("/api/trades", &json!({"vehicle_id": vehicle, "service_id": LEASE}), "").await.unwrap());
    made(&owner.post(&format!("/api/trades/{trade}/proposals"), &terms(LEASE), "").await.unwrap());
    let invoice = owner.read(&format!("/api/trades/{trade}")).await["invoice_id"].as_i64().unwrap();

    let pay = json!({"invoice_id": invoice, "credit_card_id": card});
    let intent = shop.kill_during(&owner, "/api/payments", &pay, "pay", "/v1/payment_intents").await;
    let payments = owner.read("/api/payments").await;
    let payment = format!("/api/payments/{}", payments["results"][0]["id"]);
    assert_eq!(owner.read(&payment).await["status"], "pending");
    shop.line.notify(&shop.servers[0], "payment_intent.requires_action", &intent).await;
    let waiting = owner.read(&payment).await;
    assert_eq!(waiting["status"], "requires_action", "{waiting}");
    let (status, again) = owner.insist("/api/payments", &pay, "pay").await;
    assert_eq!((status, &again["id"]), (201, &waiting["id"]), "{again}");
    let secret = waiting["next_action"]["client_secret"].as_str().unwrap().to_owned();
    assert!(!root.read(&payment).await.to_string().contains(&secret), "it is the payer's");
    shop.line.confirm(&intent, &secret).await;
    shop.line.notify(&shop.servers[0], "payment_intent.succeeded", &intent).await;
    assert_eq!(owner.read(&payment).await["status"], "succeeded");
    assert_eq!(owner.read(&format!("/api/invoices/{invoice}")).await["status"], "paid");

    let (refunds, give) = (format!("{payment}/refunds"), json!({"amount": "9.00", "reason": "requested_by_customer"}));
    let refund = shop.kill_during(&root, &refunds, &give, "refund", "/v1/refunds").await;
    assert_eq!(root.read(&refunds).await["results"][0]["status"], "pending");
    shop.line.notify(&shop.servers[0], "refund.updated", &refund).await;
    assert_eq!(root.read(&refunds).await["results"][0]["status"], "succeeded");
    assert_eq!(root.insist(&refunds, &give, "refund").await.0, 201);
    assert_eq!(owner.read(&format!("/api/invoices/{invoice}")).await["amount_refunded"], "9.00");

    assert_eq!((shop.line.posts("/v1/payment_intents"), shop.line.posts("/v1/refunds")), (1, 1), "each was asked for once");
    let store = shop.database.connect().await;
    assert_eq!(Books::read(&store).await.unwrap().violations(), Vec::<String>::new());
    store.close().await;
    let mut told = everything_in(&shop.database).await;
    for server in shop.servers.drain(..) {
        server.terminate();
        told += &server.end().1;
    }
    let secrets = [fake::SECRET_KEY, fake::WEBHOOK_SECRET, &secret, setup["client_secret"].as_str().unwrap(), ASKS_PAYER];
    for hidden in secrets {
        assert!(!told.contains(hidden), "{hidden} was written down");
    }
    shop.database.drop().await;
}

/// Every row of every table.
async fn everything_in(database: &TestDatabase) -> String {
    let all = "select string_agg(query_to_xml(format('select * from %I', table_name), true, true, '')::text, '')
        from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'";
    sqlx::query_scalar(all).fetch_one(&mut database.connection().await).await.unwrap()
}
