//! Chapter 2 over HTTP: every endpoint as every role, by the table in `permissions.txt`.

use std::collections::BTreeSet;

use lease_core::model::MailKind;
use serde_json::{Value, json};

use crate::app::{PASSWORD, vehicle};
use crate::support::setup::{ASKS_PAYER, GOOD_CARD, card};
use crate::support::{Person, World, document, id, ids, nobody};

const NEW: &str = "amber-lantern-58";

const TABLE: &str = include_str!("permissions.txt");

/// A line of the table: a request, with the status of its response for each role.
struct Row {
    method: &'static str,
    /// The path and body, with names in braces for the ids of the scene.
    path: &'static str,
    responses: Vec<(&'static str, u16)>,
}

fn table() -> Vec<Row> {
    let mut lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let roles: Vec<&str> = lines.next().unwrap().split_whitespace().skip(2).collect();
    let row = |line: &'static str| {
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let responses: Vec<_> = roles.iter().copied().zip(words.map(|status| status.parse().unwrap())).collect();
        assert_eq!(responses.len(), roles.len(), "{line}");
        Row { method, path, responses }
    };
    lines.map(row).collect()
}

/// One row of each kind: a vehicle in an open trade with a proposal by the owner and one by the buyer, a vehicle that is sold to
/// the buyer with an invoice that is partly paid, and a vehicle that has never been offered.
struct Scene {
    world: World,
    ids: Vec<(&'static str, i64)>,
    /// The tokens in links that were mailed to the owner.
    reset_token: String,
    verification_token: String,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let (owner, staff) = (&world.owner, &world.staff);
        let trade = world.trade(world.sell, 1).await;
        let own_offer = world.offer(trade, owner, "9000").await;
        let buyers_offer = world.offer(trade, &world.buyer, "8000").await;
        let (agreed, invoice) = world.agreed_sale(2).await;
        let vehicle = world.vehicle(owner, 3).await;
        let card = world.card(owner, GOOD_CARD).await;
        let pay = json!({"credit_card_id": card, "amount": "1.00"});
        let payment = id(&world.post(&format!("/api/invoices/{invoice}/payments"), owner, pay).await.expect(201));
        let refund = json!({"amount": "0.50", "reason": "other"});
        let refund = id(&world.post(&format!("/api/payments/{payment}/refunds"), staff, refund).await.expect(201));
        let asking = world.card(owner, ASKS_PAYER).await;
        let pay = json!({"credit_card_id": asking, "amount": "1.00"});
        let waiting = id(&world.post(&format!("/api/invoices/{invoice}/payments"), owner, pay).await.expect(201));
        let contact = id(&world.post("/api/contacts", owner, json!({"name": "Bo", "email": "bo@example.com"})).await.expect(201));
        let lead = id(&world.post("/api/leads", staff, lead()).await.expect(201));
        let event = async |of: &str| ids(&world.get(&format!("/api/events?type={of}"), staff).await.expect(200))[0];
        let (trade_event, payment_event) = (event("trade.opened").await, event("payment.succeeded").await);
        let lead_event = event("lead.created").await;
        let token = id(&world.post("/api/tokens", owner, json!({"name": "Backup"})).await.expect(201));
        let sold = world.get(&format!("/api/trades/{agreed}"), owner).await.expect(200)["vehicle_id"].as_i64().unwrap();
        let endpoint = world.webhook_endpoint("https://example.com/hook", &["lead.*"]).await;
        let test = format!("/api/webhook-endpoints/{endpoint}/test");
        let delivery = id(&world.post(&test, staff, Value::Null).await.expect(202));
        world.post("/api/password-reset", &nobody(), json!({"email": "owner@example.com"})).await.expect(202);
        let reset_token = world.mailed_token(MailKind::PasswordReset).await;
        world.post("/api/email-verification", owner, Value::Null).await.expect(202);
        let verification_token = world.mailed_token(MailKind::EmailVerification).await;
        let ids = vec![
            ("user", owner.user),
            ("token", token),
            ("root_user", world.root.user),
            ("customer", owner.customer),
            ("card", card),
            ("contact", contact),
            ("lead", lead),
            ("vehicle", vehicle),
            ("sold_vehicle", sold),
            ("service", world.lease),
            ("trade", trade),
            ("agreed_trade", agreed),
            ("own_offer", own_offer),
            ("buyers_offer", buyers_offer),
            ("invoice", invoice),
            ("payment", payment),
            ("waiting", waiting),
            ("refund", refund),
            ("trade_event", trade_event),
            ("payment_event", payment_event),
            ("lead_event", lead_event),
            ("endpoint", endpoint),
            ("delivery", delivery),
        ];
        Self { world, ids, reset_token, verification_token }
    }

    fn id(&self, name: &str) -> i64 {
        self.ids.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no {name} in the scene")).1
    }

    fn person(&self, role: &str) -> Person {
        match role {
            "nobody" => nobody(),
            "owner" => self.world.owner.clone(),
            "buyer" => self.world.buyer.clone(),
            "stranger" => self.world.stranger.clone(),
            "staff" => self.world.staff.clone(),
            "root" => self.world.root.clone(),
            other => panic!("no role {other}"),
        }
    }

    fn path(&self, path: &str) -> String {
        let parts = path.split('/').map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => self.id(name).to_string(),
            None => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join("/")
    }

    /// A body without errors, so that a refusal can only be due to the caller.
    fn body(&self, method: &str, path: &str) -> Value {
        let resource = path.split('/').nth(2).unwrap_or_default();
        let act = path.split('/').nth(4).unwrap_or_default();
        match (method, resource, act) {
            ("POST", "register", _) => crate::app::registration("newcomer"),
            ("POST", "login", _) => json!({"username": "owner", "password": PASSWORD}),
            ("POST", "tokens", _) => json!({"name": "Backup"}),
            ("POST", "users", _) => json!({"username": "newcomer", "password": PASSWORD, "email": "new@example.com",
                "first_name": "New", "last_name": "Comer"}),
            ("PUT", "user" | "users", _) => {
                json!({"username": "renamed", "email": "renamed@example.com", "first_name": "A", "last_name": "B"})
            }
            ("PATCH", "user" | "users", _) => json!({"first_name": "Ada"}),
            ("PUT" | "PATCH", "customers", _) => json!({"job": "clerk"}),
            ("POST", "credit-cards", _) => card("5555555555554444"),
            ("PATCH", "credit-cards", _) => json!({"holder_name": "A. Byron"}),
            ("POST", "contacts", _) => json!({"name": "Cy", "email": "cy@example.com"}),
            ("PUT" | "PATCH", "contacts", _) => json!({"name": "Di", "email": "di@example.com"}),
            ("POST", "leads", "") | ("PUT" | "PATCH", "leads", _) => lead(),
            ("POST", "leads", _) => json!({"customer_id": self.id("customer")}),
            ("POST", "vehicles", _) => vehicle(9),
            ("PUT", "vehicles", _) => vehicle(10),
            ("PATCH", "vehicles", _) => json!({"color": "red"}),
            ("POST", "services", _) => service("Another"),
            ("PUT", "services", _) => service("Renamed"),
            ("PATCH", "services", _) => json!({"description": "better"}),
            ("POST", "trades", "") => json!({"vehicle_id": self.id("vehicle"), "service_id": self.world.sell}),
            ("PATCH", "trades", _) => json!({"title": "A finer car"}),
            ("POST", "trades", "proposals") => json!({"amount": "7000"}),
            ("POST", "proposals", "") => json!({"trade_id": self.id("trade"), "amount": "7000"}),
            ("POST", "trades", "end") => json!({"end_date": "2026-04-01", "reason": "returned"}),
            ("PATCH", "invoices", _) => json!({"due_date": "2030-01-01"}),
            ("POST", "trades", "cancel") | ("POST", "invoices", "void" | "write-off") => json!({"reason": "a mistake"}),
            ("POST", "invoices", _) => json!({"credit_card_id": self.id("card"), "amount": "1.00"}),
            ("POST", "password-reset", _) if !path.ends_with("/confirm") => json!({"email": "owner@example.com"}),
            ("POST", "password-reset", _) => json!({"token": self.reset_token, "password": NEW, "password2": NEW}),
            ("POST", "password", _) => json!({"current_password": PASSWORD, "password": NEW, "password2": NEW}),
            ("POST", "email-verification", _) if path.ends_with("/confirm") => json!({"token": self.verification_token}),
            ("PUT", "notification-settings", _) => json!({"invoices": false}),
            ("POST", "webhook-endpoints", "") => json!({"url": "https://example.com/another"}),
            ("PATCH", "webhook-endpoints", _) => json!({"description": "Books"}),
            ("POST", "test-clock", _) => json!({"seconds": 60}),
            ("POST", "payments", "refunds") => json!({"amount": "0.50", "reason": "requested_by_customer"}),
            ("POST", "payments", "cancel") => Value::Null,
            ("POST", "sandbox", _) => json!({"outcome": "succeed"}),
            ("POST", "payments", _) => {
                json!({"invoice_id": self.id("invoice"), "credit_card_id": self.id("card"), "amount": "1.00"})
            }
            _ => Value::Null,
        }
    }
}

fn lead() -> Value {
    json!({"first_name": "Lea", "last_name": "Der", "email": "lea@example.com"})
}

fn service(name: &str) -> Value {
    json!({"name": name, "kind": "custom", "amount": "10.00", "currency": "USD", "invoice_on": "acceptance", "bill_to": "owner"})
}

#[tokio::test]
async fn every_endpoint_responds_to_every_role_as_the_table_says() {
    let mut wrong = Vec::new();
    let mut scene = Scene::new().await;
    for row in table() {
        for (role, expected) in &row.responses {
            let response =
                scene.world.call(row.method, &scene.path(row.path), &scene.person(role), scene.body(row.method, row.path)).await;
            if response.status.as_u16() != *expected {
                wrong.push(format!(
                    "{} {} as {role}: {expected} expected, {} {}",
                    row.method, row.path, response.status, response.text
                ));
            }
            // The changes must not affect the next request.
            if row.method != "GET" && response.status.is_success() {
                scene = Scene::new().await;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An endpoint that is missing from the table would not be tested.
#[test]
fn the_table_has_every_operation_of_the_document() {
    let mut described = BTreeSet::new();
    for (path, operations) in document()["paths"].as_object().unwrap() {
        described.extend(operations.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_ascii_uppercase())));
    }
    let shape = |path: &str| {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "{id}" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    let listed: BTreeSet<_> = table().iter().map(|row| format!("{} {}", row.method, shape(row.path))).collect();
    assert_eq!(listed, described);
}
