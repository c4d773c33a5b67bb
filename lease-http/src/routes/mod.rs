//! The endpoints, one file for each resource. A handler extracts its input from the request, calls the engine once and responds.
//! Its response is a [view](crate::views), which has the schema; the schema of its request is a draft of the core. Extensions name
//! the codes that only this operation can return (`x-codes`), the rules between the fields of its body (`x-rules`), and the
//! preferred operation that does the same (`x-instead`); [`openapi`](crate::openapi) adds everything that all operations of a kind
//! have in common.

#[cfg(feature = "passwords")]
mod accounts;
mod contacts;
mod credit_cards;
mod customers;
mod email_verification;
mod events;
mod gateway;
mod invoices;
mod leads;
mod logout;
#[cfg(feature = "passwords")]
mod new_users;
mod notification_settings;
#[cfg(feature = "passwords")]
mod passwords;
mod payments;
mod proposals;
mod refunds;
mod response;
mod services;
mod test_clock;
mod tokens;
mod trades;
mod users;
mod vehicles;
mod webhooks;

use crate::endpoints::Endpoints;

/// All endpoints below `/api`.
pub(crate) fn endpoints(has_test_clock: bool) -> Endpoints {
    let endpoints = Endpoints::new();
    #[cfg(feature = "passwords")]
    let endpoints = endpoints.merge(accounts::endpoints()).merge(passwords::endpoints()).merge(new_users::endpoints());
    let endpoints = endpoints
        .merge(logout::endpoints())
        .merge(email_verification::endpoints())
        .merge(notification_settings::endpoints())
        .merge(tokens::endpoints())
        .merge(users::endpoints())
        .merge(customers::endpoints())
        .merge(credit_cards::endpoints())
        .merge(contacts::endpoints())
        .merge(leads::endpoints())
        .merge(vehicles::endpoints())
        .merge(services::endpoints())
        .merge(trades::endpoints())
        .merge(proposals::endpoints())
        .merge(invoices::endpoints())
        .merge(payments::endpoints())
        .merge(refunds::endpoints())
        .merge(gateway::endpoints())
        .merge(events::endpoints())
        .merge(webhooks::endpoints());
    if has_test_clock { endpoints.merge(test_clock::endpoints()) } else { endpoints }
}
