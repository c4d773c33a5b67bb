//! Customers (rule 6.1). They are created with their users.

use axum::Json;
use chrono::{DateTime, NaiveDate, Utc};
use lease_core::account::ProfileDraft;
use lease_core::id::{CustomerId, Stored};
use lease_core::model;
use lease_core::openapi::MetadataInput;
use lease_core::permission::{Actor, Resource};
use lease_core::repository::CustomerFilter;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::annotations::Seen;
use super::response::ApiResult;
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::query::{Filter, List, Listing, Params};
use crate::schema::Id;

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new().routes(routes!(list_customers)).routes(routes!(get_customer, replace_customer, update_customer))
}

/// The trading party that belongs to a user.
#[derive(Serialize, ToSchema)]
struct Customer {
    id: Id,
    user_id: Id,
    job: String,
    #[schema(required)]
    dob: Option<NaiveDate>,
    notes: String,
    created_at: DateTime<Utc>,
    /// What another system calls it, or null. Shown to administrative users alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 255, example = "crm-1042")]
    external_id: Option<Value>,
    /// What the company keeps with it. Shown to administrative users alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = MetadataInput, required = false)]
    metadata: Option<Value>,
}

impl Customer {
    /// As this actor sees it.
    fn seen_by(actor: &Actor, customer: Stored<model::Customer>) -> Self {
        let Stored { id, value: model::Customer { user_id, profile, created_at, annotations } } = customer;
        let Seen { external_id, metadata } = Seen::by(actor, annotations);
        Self {
            id: id.into(),
            user_id: user_id.into(),
            job: profile.job,
            dob: profile.dob,
            notes: profile.notes,
            created_at,
            external_id,
            metadata,
        }
    }
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
