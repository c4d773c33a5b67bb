//! The examples of the document (rule 6.8): each body is taken as it stands, apart from the ids and mailed tokens in it.

use std::collections::BTreeSet;

use lease_core::model::MailKind;
use serde_json::{Map, Value, json};

use crate::support::setup::ASKS_PAYER;
use crate::support::{Person, World, document, id, nobody, resolved};

/// Its body is written by Stripe.
const OF_THE_PROVIDER: &str = "POST /api/gateway/webhook";

/// The examples of the body of each operation: `POST /api/trades` has these.
fn examples() -> Vec<(String, &'static Vec<Value>)> {
    let paths = document()["paths"].as_object().unwrap().iter();
    let operations =
        paths.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, one)| (method, path, one)));
    let bodies = operations.filter_map(|(method, path, operation)| {
        let schema = operation.pointer("/requestBody/content/application~1json/schema")?;
        let name = format!("{} {path}", method.to_ascii_uppercase());
        if name == OF_THE_PROVIDER {
            return None;
        }
        let examples = resolved(schema)["examples"].as_array().unwrap_or_else(|| panic!("{name} has no example"));
        Some((name, examples))
    });
    bodies.collect()
}

/// Sends examples, and remembers which were taken.
struct Reader {
    world: World,
    taken: BTreeSet<(String, usize)>,
}

impl Reader {
    /// Sends the first example of an operation about the object with this id.
    async fn send(&mut self, person: &Person, operation: &str, object: i64, given: Value) -> Value {
        self.send_the(0, person, operation, object, given).await
    }

    /// Sends an example with these ids, or this mailed token, in place of its own.
    async fn send_the(&mut self, index: usize, person: &Person, operation: &str, object: i64, given: Value) -> Value {
        let (_, examples) = examples().into_iter().find(|(name, _)| name == operation).expect(operation);
        let mut body = examples[index].clone();
        let given: Map<String, Value> = serde_json::from_value(given).unwrap();
        for (field, value) in given {
            assert!((field.ends_with("_id") || field == "token") && body.get(&field).is_some(), "{operation}: {field}");
            body[field] = value;
        }
        let (method, path) = operation.split_once(' ').unwrap();
        let answer = self.world.call(method, &path.replace("{id}", &object.to_string()), person, body.clone()).await;
        assert!(answer.status.is_success(), "{operation} does not take {body}: {}", answer.text);
        self.taken.insert((operation.to_owned(), index));
        answer.json()
    }

    /// Opens a trade of a new vehicle under this service, with the owner's first proposal.
    async fn trade(&mut self, owner: &Person, service: i64, number: u32) -> (i64, i64) {
        let vehicle = self.world.vehicle(owner, number).await;
        let trade = id(&self.send(owner, "POST /api/trades", 0, json!({"vehicle_id": vehicle, "service_id": service})).await);
        let example = usize::from(service == self.world.lease);
        let terms = self.send_the(example, owner, "POST /api/trades/{id}/proposals", trade, json!({})).await;
        (trade, id(&terms))
    }

    /// A trade that is agreed with the buyer: the trade and its invoice.
    async fn agreed(&mut self, owner: &Person, service: i64, number: u32) -> (i64, i64) {
        let (trade, proposal) = self.trade(owner, service, number).await;
        let buyer = self.world.buyer.clone();
        self.world.post(&format!("/api/proposals/{proposal}/accept"), &buyer, Value::Null).await.expect(200);
        let agreed = self.world.get(&format!("/api/trades/{trade}"), owner).await.expect(200);
        (trade, agreed["invoice_id"].as_i64().unwrap())
    }
}

#[tokio::test]
async fn each_example_of_a_body_is_taken_as_it_stands() {
    let mut reader = Reader { world: World::new().await, taken: BTreeSet::new() };
    people(&mut reader).await;
    things(&mut reader).await;
    trades(&mut reader).await;
    payments(&mut reader).await;
    let root = reader.world.root.clone();
    reader.send(&root, "POST /api/test-clock/advance", 0, json!({})).await;
    let all = examples().into_iter().flat_map(|(name, examples)| (0..examples.len()).map(move |index| (name.clone(), index)));
    let missing: Vec<_> = all.filter(|example| !reader.taken.contains(example)).collect();
    assert_eq!(missing, [], "examples that were not tried");
}

/// The user who registers is the one who logs in.
async fn people(reader: &mut Reader) {
    let staff = reader.world.staff.clone();
    reader.send(&nobody(), "POST /api/register", 0, json!({})).await;
    let login = reader.send(&nobody(), "POST /api/login", 0, json!({})).await;
    let ada = Person::of(&login);
    reader.send(&ada, "POST /api/tokens", 0, json!({})).await;
    for method in ["PUT", "PATCH"] {
        reader.send(&ada, &format!("{method} /api/customers/{{id}}"), ada.customer, json!({})).await;
    }
    messages(reader, &ada).await;
    let user = id(&reader.send(&staff, "POST /api/users", 0, json!({})).await);
    for operation in ["PUT /api/users/{id}", "PATCH /api/users/{id}", "PUT /api/user/{id}", "PATCH /api/user/{id}"] {
        reader.send(&staff, operation, user, json!({})).await;
    }
}

/// The address that asks for a new password is that of the user who registers.
async fn messages(reader: &mut Reader, ada: &Person) {
    reader.send(ada, "PUT /api/notification-settings", 0, json!({})).await;
    reader.send(ada, "POST /api/password", 0, json!({})).await;
    reader.world.post("/api/email-verification", ada, Value::Null).await.expect(202);
    let token = reader.world.mailed_token(MailKind::EmailVerification).await;
    reader.send(&nobody(), "POST /api/email-verification/confirm", 0, json!({"token": token})).await;
    reader.send(&nobody(), "POST /api/password-reset", 0, json!({})).await;
    let token = reader.world.mailed_token(MailKind::PasswordReset).await;
    reader.send(&nobody(), "POST /api/password-reset/confirm", 0, json!({"token": token})).await;
    let staff = reader.world.staff.clone();
    let endpoint = id(&reader.send(&staff, "POST /api/webhook-endpoints", 0, json!({})).await);
    reader.send(&staff, "PATCH /api/webhook-endpoints/{id}", endpoint, json!({})).await;
}

async fn things(reader: &mut Reader) {
    let (owner, staff) = (reader.world.owner.clone(), reader.world.staff.clone());
    let of = [
        (&owner, "vehicles", "PUT"),
        (&owner, "contacts", "PUT"),
        (&owner, "credit-cards", "PATCH"),
        (&staff, "leads", "PUT"),
        (&staff, "services", "PUT"),
    ];
    for (person, collection, replace) in of {
        let made = id(&reader.send(person, &format!("POST /api/{collection}"), 0, json!({})).await);
        for method in [replace, "PATCH"] {
            reader.send(person, &format!("{method} /api/{collection}/{{id}}"), made, json!({})).await;
        }
        if collection == "leads" {
            reader.send(person, "POST /api/leads/{id}/convert", made, json!({"customer_id": owner.customer})).await;
        }
    }
}

async fn trades(reader: &mut Reader) {
    let World { owner, staff, lease, sell, .. } = &reader.world;
    let (owner, staff, lease, sell) = (owner.clone(), staff.clone(), *lease, *sell);
    let (sale, _) = reader.trade(&owner, sell, 1).await;
    let (let_out, _) = reader.agreed(&owner, lease, 2).await;
    reader.send(&owner, "PATCH /api/trades/{id}", sale, json!({})).await;
    reader.send_the(0, &owner, "POST /api/proposals", 0, json!({"trade_id": sale})).await;
    reader.send(&owner, "POST /api/trades/{id}/cancel", sale, json!({})).await;
    reader.send(&staff, "POST /api/trades/{id}/end", let_out, json!({})).await;
    let (open, _) = reader.trade(&owner, lease, 3).await;
    reader.send_the(1, &owner, "POST /api/proposals", 0, json!({"trade_id": open})).await;
}

async fn payments(reader: &mut Reader) {
    let (owner, staff, sell) = (reader.world.owner.clone(), reader.world.staff.clone(), reader.world.sell);
    let card = id(&reader.send(&owner, "POST /api/credit-cards", 0, json!({})).await);
    for (number, operation) in (4..).zip(["POST /api/invoices/{id}/void", "POST /api/invoices/{id}/write-off"]) {
        let (_, invoice) = reader.agreed(&owner, sell, number).await;
        reader.send(&staff, "PATCH /api/invoices/{id}", invoice, json!({})).await;
        reader.send(&staff, operation, invoice, json!({})).await;
    }
    let (_, invoice) = reader.agreed(&owner, sell, 6).await;
    reader.send(&owner, "POST /api/payments", 0, json!({"invoice_id": invoice, "credit_card_id": card})).await;
    let (_, invoice) = reader.agreed(&owner, sell, 7).await;
    let paid = reader.send(&owner, "POST /api/invoices/{id}/payments", invoice, json!({"credit_card_id": card})).await;
    reader.send(&staff, "POST /api/payments/{id}/refunds", id(&paid), json!({})).await;
    let (_, invoice) = reader.agreed(&owner, sell, 8).await;
    for operation in ["POST /api/payments/{id}/cancel", "POST /api/sandbox/payments/{id}"] {
        let waiting = id(&reader.world.pay(invoice, ASKS_PAYER, "199.00").await);
        reader.send(&owner, operation, waiting, json!({})).await;
    }
}

/// Those of a sale and of a lease, for one.
#[test]
fn where_a_body_has_several_examples_a_person_can_choose() {
    let mut found = 0;
    for (name, examples) in examples().into_iter().filter(|(_, examples)| examples.len() > 1) {
        let (method, path) = name.split_once(' ').unwrap();
        let offered =
            &document()["paths"][path][method.to_ascii_lowercase()]["requestBody"]["content"]["application/json"]["examples"];
        let values: Vec<&Value> = offered.as_object().unwrap().values().map(|offer| &offer["value"]).collect();
        assert_eq!(values, examples.iter().collect::<Vec<_>>(), "{name}");
        found += 1;
    }
    assert_eq!(found, 2);
}

/// No text is shown as `string`: each has an example, of its own or in that of its body.
#[test]
fn every_text_field_has_an_example() {
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        let of_body = schema.pointer("/examples/0").or_else(|| schema.get("example")).unwrap_or(&Value::Null);
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_shown = of_body.get(field).is_some() || !shown(property).contains(&json!("string"));
            assert!(is_shown, "{name}.{field}");
        }
    }
}

/// The kinds of a value that nothing shows an example of.
fn shown(schema: &'static Value) -> Vec<Value> {
    let has_example = ["example", "examples", "enum", "const"].iter().any(|key| schema.get(key).is_some());
    let is_time = schema["format"].as_str().is_some_and(|format| format.starts_with("date"));
    match schema {
        _ if has_example || is_time => Vec::new(),
        _ if schema.get("$ref").is_some() => shown(resolved(schema)),
        _ if schema.get("oneOf").is_some() => shown(&schema["oneOf"][0]),
        _ => schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]),
    }
}
