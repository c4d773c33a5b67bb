//! The answers of the server, as a client in Rust reads them. Every other test reads and writes each answer as well: see
//! [`support::views`](crate::support::views).

use lease_core::lifecycle::AvailableAction;
use lease_core::model::{InvoiceStatus, TradeStatus};
use lease_core::money::{Currency, Money};
use lease_http::views::{Amount, Invoice, Listing, NextAction, Registration, Trade};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::app::registration;
use crate::support::contract::named;
use crate::support::views::through;
use crate::support::{Person, World, document, nobody};

async fn read<T: DeserializeOwned>(world: &World, path: &str, person: &Person) -> T {
    let answer = world.get(path, person).await;
    answer.expect(200);
    serde_json::from_str(&answer.text).unwrap()
}

/// A response without a view could not be read by a client, and could not be given by an app.
#[test]
fn every_answer_in_the_document_has_a_view() {
    let mut found = 0;
    let paths = document()["paths"].as_object().unwrap().iter();
    for (path, operations) in paths.filter(|(path, _)| path.starts_with("/api/")) {
        for operation in operations.as_object().unwrap().values() {
            let answers = operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2'));
            let schemas = answers.filter_map(|(_, answer)| named(answer.pointer("/content/application~1json/schema")?));
            for schema in schemas {
                assert!(through(schema).is_some(), "{path}: {schema}");
                found += 1;
            }
        }
    }
    assert!(found > 80, "{found}");
}

#[tokio::test]
async fn a_client_reads_statuses_actions_and_amounts() {
    let world = World::new().await;
    let (trade, invoice) = world.agreed_sale(1).await;
    let trade: Trade = read(&world, &format!("/api/trades/{trade}"), &world.owner).await;
    assert_eq!((trade.status, trade.available_actions), (TradeStatus::Agreed, vec![AvailableAction::Pay]));
    let invoice: Invoice = read(&world, &format!("/api/invoices/{invoice}"), &world.owner).await;
    assert_eq!((Some(invoice.id), invoice.status), (trade.invoice_id, InvoiceStatus::Open));
    assert_eq!((invoice.amount.to_string(), invoice.currency), ("199.00".to_owned(), Currency::USD));
    let amount = Money::new(invoice.amount.decimal(), invoice.currency).unwrap();
    assert_eq!(amount, Money::parse("199", Currency::USD).unwrap());
}

/// Whatever a server sends as an amount, a client ends with an error at most.
#[test]
fn an_amount_that_is_none_is_not_read() {
    for amount in ["-1", "1e3", "1_000", "1000000000000", "0.00001", "", ".5"] {
        serde_json::from_value::<Amount>(json!(amount)).expect_err(amount);
    }
    let zeros = format!("{}1.50", "0".repeat(1_000_000));
    assert_eq!(serde_json::from_value::<Amount>(json!(zeros)).unwrap().to_string(), "1.50");
}

/// What is not shown to a reader is another thing than what is not there.
#[tokio::test]
async fn a_client_tells_what_is_not_shown_from_what_is_null() {
    let world = World::new().await;
    let path = format!("/api/trades/{}", world.trade(world.sell, 1).await);
    let seen = async |person| {
        let Trade { external_id, metadata, .. } = read(&world, &path, person).await;
        (external_id, metadata.map(|object| object.len()))
    };
    assert_eq!(seen(&world.owner).await, (None, None));
    assert_eq!(seen(&world.staff).await, (Some(None), Some(0)));
    world.patch(&path, &world.staff, json!({"external_id": "crm-7", "metadata": {"note": 1.5}})).await.expect(200);
    assert_eq!(seen(&world.staff).await, (Some(Some("crm-7".to_owned())), Some(1)));
    let list: Listing<Trade> = read(&world, "/api/trades?limit=1", &world.staff).await;
    assert_eq!((list.results.len(), list.next), (1, None));
}

/// A secret that was read is not shown by accident.
#[tokio::test]
async fn a_secret_is_not_in_the_debug_output_of_its_view() {
    let world = World::new().await;
    let answer = world.post("/api/register", &nobody(), registration("ada")).await;
    let registered: Registration = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(registered.token.expose().len(), 40);
    assert!(!format!("{registered:?}").contains(registered.token.expose()));
    let action = json!({"type": "confirm", "url": "https://bank.example/3ds?key=hidden", "client_secret": "hidden"});
    let action: NextAction = serde_json::from_value(action).unwrap();
    assert!(format!("{action:?}").contains("confirm") && !format!("{action:?}").contains("hidden"));
}
