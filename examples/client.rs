//! A client of a running `lease-server`. It takes a lease through its whole cycle over HTTP, as a program in any language would.
//! Every write has an idempotency key of its own, so it can be sent again until a response arrives, and is carried out once.
//!
//! ```text
//! make run                                              # the server
//! cargo run -p lease-examples --bin client              # or with another address: … --bin client -- http://host:port
//! ```
#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

use std::error::Error;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

/// The number of attempts before a request is given up: they take longer than the first of them holds the key.
const ATTEMPTS: u32 = 60;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8000".to_owned());
    let run = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos();
    let api = Api { http: reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?, server, run };

    let olivia = api.register("olivia").await?;
    let ben = api.register("ben").await?;
    let vin = format!("1HGCM{:012}", run % 1_000_000_000_000);
    let car = olivia.make("vehicles", &json!({"vin": vin, "make": "Honda", "model": "Accord", "year": 2021})).await?;
    let services = olivia.get("services?kind=lease").await?;
    let service = services["results"][0]["id"].clone();
    let trade = olivia.make("trades", &json!({"vehicle_id": car, "service_id": service})).await?;
    println!("Olivia offers her car: trade {trade}");

    let terms = |amount: &str| json!({"amount": amount, "start_date": "2030-01-01", "end_date": "2031-01-01"});
    olivia.make(&format!("trades/{trade}/proposals"), &terms("450.00")).await?;
    let counter = ben.make(&format!("trades/{trade}/proposals"), &terms("400.00")).await?;
    println!("Ben offers less: proposal {counter}");
    println!("Olivia may {}", olivia.get(&format!("proposals/{counter}")).await?["available_actions"]);
    olivia.post(&format!("proposals/{counter}/accept"), &Value::Null).await?;

    let agreed = olivia.get(&format!("trades/{trade}")).await?;
    println!("The trade is {}; Olivia owes the fee of invoice {}", agreed["status"], agreed["invoice_id"]);
    let card = json!({"number": "4242424242424242", "exp_month": 12, "exp_year": 2035, "holder_name": "Olivia"});
    let card = olivia.make("credit-cards", &card).await?;
    let paid = olivia.post(&format!("invoices/{}/payments", agreed["invoice_id"]), &json!({"credit_card_id": card})).await?;
    println!("She pays {} {}: {}", paid["amount"], paid["currency"], paid["status"]);
    println!("The trade is {}", olivia.get(&format!("trades/{trade}")).await?["status"]);
    Ok(())
}

/// The server, and a number that is unique to this run of the program.
#[derive(Clone)]
struct Api {
    http: reqwest::Client,
    server: String,
    run: u128,
}

/// A user who is logged in.
struct Customer {
    api: Api,
    name: String,
    token: String,
}

impl Api {
    async fn register(&self, name: &str) -> Result<Customer, Box<dyn Error>> {
        let username = format!("{name}{}", self.run);
        let body = json!({"username": username, "password": "violet-harbor-93", "password2": "violet-harbor-93",
            "email": format!("{username}@example.com"), "first_name": name, "last_name": "Example"});
        let mut customer = Customer { api: self.clone(), name: name.to_owned(), token: String::new() };
        customer.post("register", &body).await?["token"].as_str().ok_or("no token")?.clone_into(&mut customer.token);
        Ok(customer)
    }
}

impl Customer {
    async fn get(&self, path: &str) -> Result<Value, Box<dyn Error>> {
        self.send(Method::GET, path, &Value::Null).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
        self.send(Method::POST, path, body).await
    }

    /// Creates a resource; returns its id.
    async fn make(&self, path: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
        Ok(self.post(path, body).await?["id"].clone())
    }

    /// Sends a request again if no response arrives, or if the response says that it may be sent again. The key is built from
    /// this run, the customer, the path and the body, which identify the request, so the server carries it out once.
    async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
        let url = format!("{}/api/{path}", self.api.server);
        let key = format!("{} {} {path} {}", self.api.run, self.name, body.to_string().len());
        let mut waits = tokio::time::interval(Duration::from_secs(1));
        for _ in 0..ATTEMPTS {
            waits.tick().await;
            let mut request = self.api.http.request(method.clone(), &url).header("content-type", "application/json");
            if !self.token.is_empty() {
                request = request.header("authorization", format!("Token {}", self.token));
            }
            if method == Method::POST {
                request = request.header("idempotency-key", &key).body(body.to_string());
            }
            let Ok(response) = request.send().await else { continue };
            let status = response.status();
            let body: Value = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
            let again = status.as_u16() == 503 || body["code"] == "idempotency_key_in_use";
            match (status.is_success(), again) {
                (true, _) => return Ok(body),
                (false, true) => {}
                (false, false) => return Err(format!("{method} {path}: {status} {body}").into()),
            }
        }
        Err(format!("{method} {path}: no response after {ATTEMPTS} attempts").into())
    }
}
