//! The endpoints, a file for each resource. A handler extracts what it needs from the request, calls the engine once and responds;
//! beside it is its response as the document shows it; its request is a draft of core. Extensions name the codes that only this
//! operation can give (`x-codes`), the rules between the fields of its body (`x-rules`), and the operation that does the same and
//! is to be preferred (`x-instead`); [`openapi`](crate::openapi) adds what every operation of its kind has.

mod accounts;
mod contacts;
mod credit_cards;
mod customers;
mod invoices;
mod leads;
mod payments;
mod proposals;
mod response;
mod services;
mod trades;
mod users;
mod vehicles;

use crate::endpoints::Endpoints;

/// All endpoints below `/api`.
pub(crate) fn endpoints() -> Endpoints {
    Endpoints::new()
        .merge(accounts::endpoints())
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
}
