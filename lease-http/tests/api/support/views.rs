//! Reads every response of the tests into its view, and writes it again.

use lease_http::views::{self, Listing};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Result;

/// Reads and writes JSON.
type Rewrite = fn(&str) -> Result<String>;

fn rewrite<T: Serialize + DeserializeOwned>(json: &str) -> Result<String> {
    serde_json::to_string(&serde_json::from_str::<T>(json)?)
}

/// The views, each under the name of its schema in the document.
macro_rules! views {
    (rows: $($row:ident),+; others: $($other:ident),+ $(,)?) => {
        /// Through the view whose schema has this name, if there is one.
        pub(crate) fn through(schema: &str) -> Option<Rewrite> {
            let rows = [$((stringify!($row), rewrite::<views::$row> as Rewrite)),+];
            let pages = [$((concat!(stringify!($row), "Page"), rewrite::<Listing<views::$row>> as Rewrite)),+];
            let others = [$((stringify!($other), rewrite::<views::$other> as Rewrite)),+];
            let found = rows.into_iter().chain(pages).chain(others).find(|(name, _)| *name == schema);
            found.map(|(_, rewrite)| rewrite)
        }
    };
}

views! {
    rows: Contact, CreditCard, Customer, Event, Invoice, Lead, Payment, Proposal, Refund, Service, Token, Trade, User, Vehicle,
        WebhookDelivery, WebhookEndpoint;
    others: CardSetup, Gateway, Login, NewToken, NotificationSettings, Registration, TestClock, WebhookEndpointWithSecret,
}
