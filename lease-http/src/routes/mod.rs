//! The endpoints, a file for each resource. A handler extracts what it needs from the request, calls the engine once and responds;
//! beside it are its request and response as the document shows them. The codes that only this operation can give are named in
//! its `x-codes`, further rules for its body in its `x-rules`; [`openapi`](crate::openapi) puts both in place, and adds the codes
//! that every operation of its kind can give.

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
