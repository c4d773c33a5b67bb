//! Rows that the code would not write today, written by hand: they are read as they are stored, and fail no list.

use lease_core::page::PageRequest;
use lease_core::repository::{
    AccountRepository as _, CardFilter, CardRepository as _, DirectoryRepository as _, InvoiceFilter, LeadFilter, PaymentFilter,
    ProposalFilter, ServiceFilter, ServiceRepository as _, TradeRepository as _, UserFilter, VehicleFilter,
    VehicleRepository as _, WebhookEndpointFilter, WebhookRepository as _,
};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::engine::instant;
use crate::support::{TestDatabase, WORLD};

/// A currency that nobody knows, one that is withdrawn, and more digits than a currency has. The foreign keys are off, since they
/// repeat the currency.
const ODD_MONEY: &str = "set session_replication_role = replica;
    update services set fee_amount = 0.125, fee_currency = 'XQQ' where id = 1;
    update services set fee_amount = 200, fee_currency = 'HRK' where id = 2;
    update proposals set amount = 300.5, currency = 'JPY' where id = 1;
    update proposals set amount = 250, currency = 'XQQ' where id = 2;
    update invoices set amount = 50.1234, paid = 0, currency = 'XQQ';
    update payments set amount = 50, currency = 'XQQ';
    set session_replication_role = origin;";

/// Texts that no rule for input would take.
const ODD_TEXT: &str = "update users set username = 'аdmin', email = 'nobody', first_name = '', last_name = repeat('x', 5000);
    update leads set first_name = E'\\u202e', email = 'nobody', company = repeat('x', 5000);
    update vehicles set year = 1500, make = '', color = repeat('x', 5000), vin = null, chassis_number = null;
    update webhook_endpoints set url = 'nowhere', secret = 'short';
    update credit_cards set holder_name = '4242 4242 4242 4242', exp_year = 1;";

/// Rule 1.3: what is stored is read as it is, whatever its currency and its digits.
#[tokio::test]
async fn an_odd_amount_is_read_as_it_is_stored() {
    let database = TestDatabase::create().await;
    let mut connection = database.connection().await;
    connection.execute(WORLD).await.unwrap();
    connection.execute(AssertSqlSafe(ODD_MONEY)).await.unwrap();
    let store = database.connect().await;
    let page = PageRequest::default();

    let now = instant("2026-03-01T12:00:00Z");

    let services = store.list_services(&ServiceFilter::default(), page).await.unwrap().items;
    assert_eq!(services.iter().map(|row| row.fee.to_string()).collect::<Vec<_>>(), ["200.00 HRK", "0.125 XQQ"]);
    let proposals = store.list_proposals(&ProposalFilter::default(), page, now).await.unwrap().items;
    let amounts: Vec<_> = proposals.iter().map(|row| row.proposal.as_ref().unwrap().proposal.amount.to_string()).collect();
    assert_eq!(amounts, ["200.00 USD", "300.00 USD", "250.00 XQQ", "300.5 JPY"]);
    let invoices = store.list_invoices(&InvoiceFilter::default(), page, now).await.unwrap().items;
    assert_eq!(invoices[0].amount.to_string(), "50.1234 XQQ");
    assert_eq!(invoices[0].due().unwrap(), invoices[0].amount);
    let payments = store.list_payments(&PaymentFilter::default(), page).await.unwrap().items;
    assert_eq!(payments[0].amount.to_string(), "50.00 XQQ");
    drop((store, connection));
    database.drop().await;
}

/// Rule 1.5: text that is stored is not judged by the rules for input.
#[tokio::test]
async fn odd_text_is_read_as_it_is_stored() {
    let database = TestDatabase::create().await;
    let mut connection = database.connection().await;
    connection.execute(WORLD).await.unwrap();
    connection.execute(AssertSqlSafe(ODD_TEXT)).await.unwrap();
    let store = database.connect().await;
    let page = PageRequest::default();

    let users = store.list_users(&UserFilter::default(), page).await.unwrap().items;
    assert!(users.iter().all(|row| row.user.username.as_str() == "аdmin" && row.user.email_or_empty() == "nobody"));
    let leads = store.list_leads(&LeadFilter::default(), page).await.unwrap().items;
    assert_eq!(leads[0].first_name, "\u{202e}");
    let vehicles = store.list_vehicles(&VehicleFilter::default(), page).await.unwrap().items;
    assert!(vehicles.len() == 3 && vehicles.iter().all(|row| row.identity.is_none() && row.year == 1500));
    let cards = store.list_cards(&CardFilter::default(), page).await.unwrap().items;
    assert!(cards.len() == 3 && cards.iter().all(|row| row.holder_name == "4242 4242 4242 4242"));
    let endpoints = store.list_endpoints(&WebhookEndpointFilter::default(), page).await.unwrap().items;
    assert_eq!((endpoints[0].url.as_str(), endpoints[0].secret.expose()), ("nowhere", "short"));
    drop((store, connection));
    database.drop().await;
}
