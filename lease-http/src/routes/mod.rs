//! The endpoints, a file a resource. A handler takes what it needs out of the request, asks the engine once and answers;
//! beside it stand what it takes and what it answers, as the document shows them. The codes that only this operation can give
//! are named in its `x-codes`, what its body keeps beside the kinds of its fields in its `x-rules`; [`openapi`](crate::openapi)
//! puts both in place, and adds the codes that every operation of its kind can give.

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
