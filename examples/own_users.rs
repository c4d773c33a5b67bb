//! An app that has users and sessions of its own, with the REST layer nested in it: a lease from the open trade to the payment. It is
//! built without what is for passwords.
//!
//! `cargo run -p lease-examples --no-default-features --bin own_users`
#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::AppendHeaders;
use axum::routing::post;
use lease_core::LeaseEngine;
use lease_core::account::NewCustomer;
use lease_core::engine::Maintenance;
use lease_core::gateway::SandboxGateway;
use lease_core::money::{Currency, Money};
use lease_http::{Authenticator, Identity, Problem, RouterBuilder};
use lease_store_memory::MemoryRepository;
use serde_json::{Value, json};
use tokio::net::TcpListener;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The app's own sessions: the secret in the cookie, and the app's number of the user.
#[derive(Clone, Debug, Default)]
struct Sessions(Arc<Mutex<HashMap<String, String>>>);

impl Sessions {
    fn user_of(&self, headers: &HeaderMap) -> Option<String> {
        let secret = headers.get(COOKIE)?.to_str().ok()?.strip_prefix("session=")?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(secret).cloned()
    }
}

/// The REST layer knows a request by the app's session.
#[lease_core::async_trait]
impl Authenticator for Sessions {
    async fn authenticate(&self, engine: &LeaseEngine, request: &Parts) -> Result<Option<Identity>, lease_core::Error> {
        let Some(user) = self.user_of(&request.headers) else { return Ok(None) };
        Ok(engine.actor_of(&user).await?.and_then(Identity::of_user))
    }
}

/// The app's own login. Whoever comes for the first time becomes a customer; the app's number of the user is the external id.
async fn log_in(
    State((engine, sessions)): State<(LeaseEngine, Sessions)>,
    user: String,
) -> Result<AppendHeaders<[(HeaderName, String); 1]>, Problem> {
    let customer = NewCustomer { external_id: user.clone().into(), first_name: "Ada".into(), ..NewCustomer::default() };
    engine.ensure_customer(&customer).await?;
    // An app draws it at random.
    let secret = format!("secret-of-{user}");
    sessions.0.lock().unwrap_or_else(PoisonError::into_inner).insert(secret.clone(), user);
    // Other sites cannot send it along. Over TLS it is `Secure` as well.
    Ok(AppendHeaders([(SET_COOKIE, format!("session={secret}; HttpOnly; SameSite=Lax; Path=/"))]))
}

#[tokio::main]
async fn main() -> Outcome {
    let engine = LeaseEngine::builder(Arc::new(MemoryRepository::default()), Arc::new(SandboxGateway::new())).build()?;
    engine.ensure_standard_services(Money::parse("49.00", Currency::USD)?, Money::parse("199.00", Currency::USD)?).await?;
    let maintained = engine.clone();
    tokio::spawn(async move { maintained.run_maintenance(&Maintenance::default(), std::future::pending()).await });

    let sessions = Sessions::default();
    let lease = RouterBuilder::new(engine.clone()).authenticator(sessions.clone()).build();
    let app = Router::new()
        .route("/login", post(log_in))
        .with_state((engine, sessions))
        .nest("/market", lease)
        .fallback(async || (StatusCode::NOT_FOUND, "a page of the app"));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let root = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let olivia = Browser::log_in(&root, "17").await?;
    let ben = Browser::log_in(&root, "42").await?;
    lease_a_car(&olivia, &ben).await?;
    println!("elsewhere: {}", reqwest::get(format!("{root}/about")).await?.text().await?);
    Ok(())
}

async fn lease_a_car(olivia: &Browser, ben: &Browser) -> Outcome {
    let car = json!({"vin": "1HGCM82633A004352", "make": "Honda", "model": "Accord", "year": 2003});
    let car = olivia.post("/api/vehicles", &car).await?;
    let services = olivia.get("/api/services?kind=lease").await?;
    // Sent twice under one key, as after a lost response: it happens once.
    let trade = json!({"vehicle_id": car["id"], "service_id": services["results"][0]["id"]});
    let (trade, again) = (olivia.post("/api/trades", &trade).await?, olivia.post("/api/trades", &trade).await?);
    println!("the trade is opened once: {}", trade["id"] == again["id"]);
    let terms =
        |amount: u32| json!({"trade_id": trade["id"], "amount": amount, "start_date": "2030-07-01", "end_date": "2031-07-01"});
    olivia.post("/api/proposals", &terms(450)).await?;
    let offer = ben.post("/api/proposals", &terms(400)).await?;
    olivia.post(&format!("/api/proposals/{}/accept", offer["id"]), &json!({})).await?;
    let card = json!({"number": "4242424242424242", "exp_month": 12, "exp_year": 2099, "holder_name": "Olivia"});
    let card = olivia.post("/api/credit-cards", &card).await?;
    let invoice = &olivia.get(&format!("/api/trades/{}", trade["id"])).await?["invoice_id"];
    let payment = olivia.post("/api/payments", &json!({"invoice_id": invoice, "credit_card_id": card["id"]})).await?;
    println!("the payment has {}", payment["status"]);
    println!("the trade is {}", olivia.get(&format!("/api/trades/{}", trade["id"])).await?["status"]);
    Ok(())
}

/// A user of the app, who is logged in.
struct Browser {
    client: reqwest::Client,
    market: String,
    cookie: String,
}

impl Browser {
    async fn log_in(root: &str, user: &str) -> Outcome<Self> {
        let client = reqwest::Client::new();
        let response = client.post(format!("{root}/login")).body(user.to_owned()).send().await?.error_for_status()?;
        let cookie = response.headers().get(SET_COOKIE).ok_or("no session")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { client, market: format!("{root}/market"), cookie })
    }

    async fn get(&self, path: &str) -> Outcome<Value> {
        let request = self.client.get(format!("{}{path}", self.market)).header(COOKIE, &self.cookie);
        Ok(serde_json::from_str(&request.send().await?.error_for_status()?.text().await?)?)
    }

    /// Posts it under a key that is the same whenever the same is posted.
    async fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        let request = self.client.post(format!("{}{path}", self.market)).header(COOKIE, &self.cookie);
        let keyed = request.header("idempotency-key", format!("{path} {body}").replace('"', "'"));
        let response = keyed.header("content-type", "application/json").body(body.to_string()).send().await?;
        Ok(serde_json::from_str(&response.error_for_status()?.text().await?)?)
    }
}
