//! A small world for tests: one actor of each kind, the two standard services, and short names for frequent requests. Every
//! response is checked against the document (see [`contract`]), and read into its view (see [`views`]).
//!
//! The data is in memory or, with `LEASE_TEST_STORE=postgres`, in a database of its own.

pub(crate) mod contract;
mod messages;
pub(crate) mod setup;
pub(crate) mod store;
pub(crate) mod views;

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeZone as _, Utc};
use lease_core::LeaseEngine;
use lease_core::account::PasswordParams;
use lease_core::clock::{ManualClock, TestClock};
use lease_core::engine::LeaseEngineBuilder;
use lease_core::gateway::{PaymentGateway, SandboxGateway};
use lease_core::money::{Currency, Money};
use lease_core::repository::Repository;
use lease_http::HttpOptions;
use serde_json::{Value, json};

pub(crate) use crate::app::ApiResponse;
use crate::app::{App, PASSWORD, registration, request};
pub(crate) use contract::{check as check_response, document, resolved};
pub(crate) use messages::{Mailbox, Receiver};

/// A user who is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) token: String,
    pub(crate) user: i64,
    /// Zero for administrative users.
    pub(crate) customer: i64,
}

/// An anonymous caller: no token is sent.
pub(crate) fn nobody() -> Person {
    Person { token: String::new(), user: 0, customer: 0 }
}

/// The world.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) store: Arc<dyn Repository>,
    pub(crate) root: Person,
    pub(crate) staff: Person,
    pub(crate) owner: Person,
    pub(crate) buyer: Person,
    pub(crate) stranger: Person,
    /// The standard service *Lease*: 49.00 USD on the first proposal.
    pub(crate) lease: i64,
    /// The standard service *Sell*: 199.00 USD on acceptance.
    pub(crate) sell: i64,
    /// Takes the webhooks.
    pub(crate) receiver: Arc<Receiver>,
    /// Takes the mails.
    pub(crate) mailbox: Arc<Mailbox>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    /// A world whose engine has other settings.
    pub(crate) async fn with(set_up: impl FnOnce(LeaseEngineBuilder) -> LeaseEngineBuilder) -> Self {
        Self::set_up(Arc::new(SandboxGateway::new()), set_up).await
    }

    /// A world whose cards this gateway charges.
    pub(crate) async fn with_gateway(gateway: Arc<dyn PaymentGateway>) -> Self {
        Self::set_up(gateway, |builder| builder).await
    }

    async fn set_up(gateway: Arc<dyn PaymentGateway>, set_up: impl FnOnce(LeaseEngineBuilder) -> LeaseEngineBuilder) -> Self {
        let clock = Arc::new(ManualClock::at(Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()));
        let store = store::fresh().await;
        let (receiver, mailbox) = (Arc::<Receiver>::default(), Arc::<Mailbox>::default());
        let builder = LeaseEngine::builder(Arc::clone(&store), gateway)
            .webhooks(Arc::clone(&receiver) as _)
            .mailer(Arc::clone(&mailbox) as _)
            .test_clock(Arc::new(TestClock::over(Arc::clone(&clock) as _)))
            .password_params(PasswordParams { memory_kib: 8, iterations: 1 });
        let engine = set_up(builder).build().unwrap();
        let options = HttpOptions::default()
            .with_login_failures_per_minute(0)
            .with_registrations_per_minute(0)
            .with_session_check_interval(Duration::from_millis(20));
        Self::populate(App::on(engine, clock, options), store, receiver, mailbox).await
    }

    async fn populate(app: App, store: Arc<dyn Repository>, receiver: Arc<Receiver>, mailbox: Arc<Mailbox>) -> Self {
        let usd = |text| Money::parse(text, Currency::USD).unwrap();
        app.engine.ensure_superuser("root", "root@example.com", PASSWORD.into()).await.unwrap();
        app.engine.ensure_standard_services(usd("49.00"), usd("199.00")).await.unwrap();
        let none = nobody();
        let mut world = Self {
            app,
            store,
            root: none.clone(),
            staff: none.clone(),
            owner: none.clone(),
            buyer: none.clone(),
            stranger: none,
            lease: 0,
            sell: 0,
            receiver,
            mailbox,
        };
        world.root = world.log_in("root").await;
        let clerk = json!({"username": "clerk", "password": PASSWORD, "email": "clerk@example.com", "first_name": "Cleo",
            "last_name": "Rk", "is_staff": true});
        world.post("/api/users", &world.root, clerk).await.expect(201);
        world.staff = world.log_in("clerk").await;
        world.owner = world.register("owner").await;
        world.buyer = world.register("buyer").await;
        world.stranger = world.register("stranger").await;
        for service in world.get("/api/services", &nobody()).await.expect(200)["results"].as_array().unwrap() {
            match service["kind"].as_str() {
                Some("lease") => world.lease = service["id"].as_i64().unwrap(),
                _ => world.sell = service["id"].as_i64().unwrap(),
            }
        }
        world
    }

    pub(crate) async fn register(&self, name: &str) -> Person {
        Person::of(&self.post("/api/register", &nobody(), registration(name)).await.expect(201))
    }

    pub(crate) async fn log_in(&self, name: &str) -> Person {
        let body = json!({"username": name, "password": PASSWORD});
        Person::of(&self.post("/api/login", &nobody(), body).await.expect(200))
    }

    pub(crate) async fn get(&self, path: &str, person: &Person) -> ApiResponse {
        self.call("GET", path, person, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, person: &Person, body: Value) -> ApiResponse {
        self.call("POST", path, person, body).await
    }

    pub(crate) async fn put(&self, path: &str, person: &Person, body: Value) -> ApiResponse {
        self.call("PUT", path, person, body).await
    }

    pub(crate) async fn patch(&self, path: &str, person: &Person, body: Value) -> ApiResponse {
        self.call("PATCH", path, person, body).await
    }

    pub(crate) async fn delete(&self, path: &str, person: &Person) -> ApiResponse {
        self.call("DELETE", path, person, Value::Null).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, person: &Person, body: Value) -> ApiResponse {
        let authorization = format!("Token {}", person.token);
        let headers: &[(&str, &str)] = if person.token.is_empty() { &[] } else { &[("authorization", authorization.as_str())] };
        let response = self.app.send(request(method, path, headers, &body)).await;
        check_response(method, path, &response);
        response
    }
}

impl Person {
    pub(crate) fn of(response: &Value) -> Self {
        Self {
            token: response["token"].as_str().unwrap().to_owned(),
            user: response["user_id"].as_i64().unwrap(),
            customer: response["customer_id"].as_i64().unwrap_or_default(),
        }
    }
}

impl ApiResponse {
    /// Checks the status and returns the body.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json()
    }

    /// Panics unless the response is a problem with this status and code.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        body
    }

    /// Panics unless exactly these fields are wrong.
    #[track_caller]
    pub(crate) fn invalid(&self, fields: &[&str]) {
        let body = self.refused(400, "validation_error");
        let wrong: Vec<&str> = body["errors"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(wrong, fields, "{}", self.text);
    }
}

/// The ids of a list, in order.
pub(crate) fn ids(list: &Value) -> Vec<i64> {
    list["results"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

/// The id of a row.
pub(crate) fn id(thing: &Value) -> i64 {
    thing["id"].as_i64().unwrap()
}
