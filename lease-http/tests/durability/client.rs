//! Clients that talk to one of several servers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, interval};

/// The time to keep trying for a response.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The present addresses of the servers.
#[derive(Clone, Default)]
pub(crate) struct Addresses(Arc<Mutex<Vec<String>>>);

impl Addresses {
    pub(crate) fn set(&self, addresses: Vec<String>) {
        *self.0.lock().unwrap() = addresses;
    }

    fn of(&self, number: usize) -> String {
        let addresses = self.0.lock().unwrap();
        addresses[number % addresses.len()].clone()
    }
}

/// A client that is logged in.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    addresses: Addresses,
    pub(crate) token: String,
    pub(crate) user: i64,
    pub(crate) customer: i64,
    /// The number of attempts so far: each attempt goes to the next server.
    attempts: usize,
}

/// A response: the status and the body.
pub(crate) type Response = (u16, Value);

impl Client {
    /// Registers a customer.
    pub(crate) async fn register(addresses: &Addresses, name: &str, first_server: usize) -> Self {
        Self::enter(addresses, "/api/register", &registration(name), first_server).await
    }

    /// Logs in the superuser that [`serve`](crate::serve) creates.
    pub(crate) async fn superuser(addresses: &Addresses) -> Self {
        let [(_, name), (_, password), _] = crate::SUPERUSER;
        Self::enter(addresses, "/api/login", &json!({"username": name, "password": password}), 0).await
    }

    async fn enter(addresses: &Addresses, path: &str, body: &Value, first_server: usize) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
        let addresses = addresses.clone();
        let mut client = Self { http, addresses, token: String::new(), user: 0, customer: 0, attempts: first_server };
        let (status, body) = client.post(path, body, "").await.unwrap();
        assert!([200, 201].contains(&status), "{body}");
        body["token"].as_str().unwrap().clone_into(&mut client.token);
        client.user = body["user_id"].as_i64().unwrap();
        client.customer = body["customer_id"].as_i64().unwrap_or_default();
        client
    }

    /// The same client at other servers.
    pub(crate) fn at(&self, addresses: &Addresses) -> Self {
        Self { addresses: addresses.clone(), ..self.clone() }
    }

    /// The same client with another token, or none.
    pub(crate) fn with_token_of(&self, who: Option<&Self>) -> Self {
        Self { token: who.map_or_else(String::new, |who| who.token.clone()), ..self.clone() }
    }

    /// Makes one attempt; `None` if there was no response.
    pub(crate) async fn post(&mut self, path: &str, body: &Value, key: &str) -> Option<Response> {
        self.send(Method::POST, path, body, key).await
    }

    pub(crate) async fn send(&mut self, method: Method, path: &str, body: &Value, key: &str) -> Option<Response> {
        self.attempts += 1;
        let url = format!("http://{}{path}", self.addresses.of(self.attempts));
        let request = self.http.request(method, url).header("content-type", "application/json").body(body.to_string());
        let request =
            if self.token.is_empty() { request } else { request.header("authorization", format!("Token {}", self.token)) };
        let request = if key.is_empty() { request } else { request.header("idempotency-key", key) };
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, serde_json::from_slice(&response.bytes().await.ok()?).unwrap_or(Value::Null)))
    }

    /// Reads a resource, with as many attempts as it takes.
    pub(crate) async fn read(&mut self, path: &str) -> Value {
        let deadline = Instant::now() + TIMEOUT;
        let mut ticks = interval(Duration::from_millis(20));
        loop {
            self.attempts += 1;
            let url = format!("http://{}{path}", self.addresses.of(self.attempts));
            let response = self.http.get(url).header("authorization", format!("Token {}", self.token)).send().await;
            if let Ok(response) = response
                && response.status() == 200
                && let Ok(bytes) = response.bytes().await
            {
                return serde_json::from_slice(&bytes).unwrap();
            }
            assert!(Instant::now() < deadline, "no server responds");
            ticks.tick().await;
        }
    }

    /// Sends a request under one key until there is a final response: an interrupted attempt may hold the key for a while.
    pub(crate) async fn insist(&mut self, path: &str, body: &Value, key: &str) -> Response {
        let deadline = Instant::now() + TIMEOUT;
        let mut ticks = interval(Duration::from_millis(100));
        loop {
            match self.post(path, body, key).await {
                Some((409, body)) if body["code"] == "idempotency_key_in_use" => {}
                Some(answered) if answered.0 != 503 => return answered,
                _ => {}
            }
            assert!(Instant::now() < deadline, "no server responds");
            ticks.tick().await;
        }
    }
}

pub(crate) fn registration(name: &str) -> Value {
    json!({"username": name, "password": "violet-harbor-93", "password2": "violet-harbor-93",
        "email": format!("{name}@example.com"), "first_name": "Ada", "last_name": "Byron"})
}

pub(crate) fn vehicle(number: u32) -> Value {
    json!({"vin": format!("1HGCM82633A{number:06}"), "make": "Honda", "model": "Accord", "year": 2020})
}

pub(crate) fn card() -> Value {
    json!({"number": "4242424242424242", "exp_month": 12, "exp_year": 2099, "holder_name": "Ada Byron"})
}

/// The id of the created row.
#[track_caller]
pub(crate) fn made((status, body): &Response) -> i64 {
    assert_eq!(*status, 201, "{body}");
    body["id"].as_i64().unwrap()
}
