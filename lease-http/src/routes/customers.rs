//! Customers (rule 6.1). They are created with their users.

use axum::Json;
use lease_core::account::ProfileDraft;
use lease_core::id::CustomerId;
use lease_core::permission::Resource;
use lease_core::repository::CustomerFilter;
use utoipa_axum::routes;

use super::response::ApiResult;
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::query::{Filter, List, Params};
use crate::views::{Customer, Listing};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new().routes(routes!(list_customers)).routes(routes!(get_customer, replace_customer, update_customer))
}

/// A page of customers.
type CustomerPage = Listing<Customer>;

impl Filter for CustomerFilter {
    const RESOURCE: Resource = Resource::Customer;

    fn read(params: &mut Params) -> Self {
        Self {
            user_id: params.id("user_id", "Only the customer of this user."),
            external_id: params.external_id(),
            ..Self::default()
        }
    }
}

/// List customers
///
/// A customer sees only themselves.
#[utoipa::path(get, path = "/api/customers", tag = "customers", params(List<CustomerFilter>),
    responses((status = 200, description = "A page of customers.", body = CustomerPage)))]
async fn list_customers(engine: Engine, session: Session, list: List<CustomerFilter>) -> ApiResult<CustomerPage> {
    let (filter, page, links) = list.for_reader(&session.actor)?;
    let found = engine.list_customers(&session.actor, filter, page).await?;
    Ok(links.respond(found, |customer| Customer::seen_by(&session.actor, customer)))
}

/// Get a customer
#[utoipa::path(get, path = "/api/customers/{id}", tag = "customers",
    responses((status = 200, description = "The customer.", body = Customer)))]
async fn get_customer(engine: Engine, session: Session, id: PathId<CustomerId>) -> ApiResult<Customer> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(Customer::seen_by(&session.actor, engine.get_customer(&session.actor, id).await?)))
}

/// Replace a customer's profile
///
/// Every field is optional, so this is the same as changing some of the fields.
#[utoipa::path(put, path = "/api/customers/{id}", tag = "customers", request_body = ProfileDraft,
    responses((status = 200, description = "The customer as it is now.", body = Customer)))]
async fn replace_customer(
    engine: Engine,
    session: Session,
    id: PathId<CustomerId>,
    body: Body<ProfileDraft>,
) -> ApiResult<Customer> {
    let id = id.or_not_found(&session.actor)?;
    let customer = body.judge(engine.update_customer(&session, id, &body).await)?;
    Ok(Json(Customer::seen_by(&session.actor, customer)))
}

/// Change a customer's profile
#[utoipa::path(patch, path = "/api/customers/{id}", tag = "customers", request_body = ProfileDraft,
    responses((status = 200, description = "The customer as it is now.", body = Customer)))]
async fn update_customer(
    engine: Engine,
    session: Session,
    id: PathId<CustomerId>,
    body: Body<ProfileDraft>,
) -> ApiResult<Customer> {
    replace_customer(engine, session, id, body).await
}
