//! Services (rule 5.1). Everybody may read the active ones, whether logged in or not.

use axum::Json;
use axum::http::StatusCode;
use lease_core::catalog::ServiceDraft;
use lease_core::id::{ServiceId, Stored};
use lease_core::input::UpdateMode;
use lease_core::model::{self, BillTo, InvoiceOn, ServiceKind};
use lease_core::permission::Resource;
use lease_core::repository::ServiceFilter;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::response::{ApiResult, Created, created};
use crate::auth::{Caller, Session};
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::Replay;
use crate::problem::Problem;
use crate::query::{Filter, List, Listing, Params};
use crate::schema::{Amount, Currency, Id, ServicePatch};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new().routes(routes!(list_services)).post(routes!(create_service), Replay::created(get_service)).routes(routes!(
        get_service,
        replace_service,
        update_service,
        deactivate_service
    ))
}

/// A service that the company sells.
#[derive(Serialize, ToSchema)]
struct Service {
    id: Id,
    name: String,
    #[schema(value_type = ServiceKind)]
    kind: &'static str,
    #[schema(value_type = InvoiceOn)]
    invoice_on: &'static str,
    #[schema(value_type = BillTo)]
    bill_to: &'static str,
    /// The fee; no invoice is issued if it is zero.
    amount: Amount,
    currency: Currency,
    /// The number of days from the issue of the invoice to its due date.
    #[schema(minimum = 0, maximum = 365)]
    payment_due_days: u16,
    description: String,
    /// Whether new trades may be opened under it.
    is_active: bool,
}

impl From<Stored<model::Service>> for Service {
    fn from(service: Stored<model::Service>) -> Self {
        let Stored { id, value: service } = service;
        Self {
            id: id.into(),
            name: service.name,
            kind: service.kind.into(),
            invoice_on: service.invoice_on.into(),
            bill_to: service.bill_to.into(),
            amount: service.fee.into(),
            currency: service.fee.into(),
            payment_due_days: service.payment_due_days,
            description: service.description,
            is_active: service.is_active,
        }
    }
}

/// A page of services.
type ServicePage = Listing<Service>;

impl Filter for ServiceFilter {
    const RESOURCE: Resource = Resource::Service;

    fn read(params: &mut Params) -> Self {
        Self {
            is_active: params.flag("is_active", "`true` for only active services; for staff, `false` for only inactive ones."),
            kind: params.choice("kind", "Only services of this kind."),
        }
    }
}

/// List services
///
/// Staff see all services, everybody else the active ones.
#[utoipa::path(get, path = "/api/services", tag = "services", security((), ("token" = [])), params(List<ServiceFilter>),
    responses((status = 200, description = "A page of services.", body = ServicePage)))]
async fn list_services(engine: Engine, caller: Caller, list: List<ServiceFilter>) -> ApiResult<ServicePage> {
    let (filter, page, links) = list.for_reader(&caller.actor())?;
    let found = engine.list_services(&caller.actor(), filter, page).await?;
    Ok(links.respond(found, Service::from))
}

/// Create a service
#[utoipa::path(post, path = "/api/services", tag = "services", request_body = ServiceDraft,
    responses((status = 201, description = "The service is created.", body = Service)),
    extensions(("x-codes" = json!(["permission_denied"])), ("x-rules" = json!([{ "anyOf": [
        { "properties": { "kind": { "const": "lease" }, "invoice_on": { "enum": ["first_proposal", null] },
            "bill_to": { "enum": ["owner", null] } } },
        { "properties": { "kind": { "const": "sell" }, "invoice_on": { "enum": ["acceptance", null] } } },
        { "properties": { "kind": { "const": "custom" }, "invoice_on": { "const": "first_proposal" },
            "bill_to": { "enum": ["owner", null] } }, "required": ["invoice_on"] },
        { "properties": { "kind": { "const": "custom" }, "invoice_on": { "const": "acceptance" } }, "required": ["invoice_on"] },
    ] }]))))]
async fn create_service(engine: Engine, session: Session, body: Body<ServiceDraft>) -> Created<Service> {
    let service = body.judge(engine.create_service(&session, &body).await)?;
    Ok(created(service.id, service.into()))
}

/// Get a service
#[utoipa::path(get, path = "/api/services/{id}", tag = "services", security((), ("token" = [])),
    responses((status = 200, description = "The service.", body = Service)))]
async fn get_service(engine: Engine, caller: Caller, id: PathId<ServiceId>) -> ApiResult<Service> {
    let id = id.or_not_found(&caller.actor())?;
    Ok(Json(engine.get_service(&caller.actor(), id).await?.into()))
}

/// Replace a service
///
/// Once a trade uses it, `kind`, `invoice_on`, `bill_to` and `currency` are fixed. Invoices already issued do not change.
#[utoipa::path(put, path = "/api/services/{id}", tag = "services", request_body = ServiceDraft,
    responses((status = 200, description = "The service as it is now.", body = Service)),
    extensions(("x-codes" = json!(["permission_denied", "service_in_use"]))))]
async fn replace_service(
    engine: Engine,
    session: Session,
    id: PathId<ServiceId>,
    body: Body<ServiceDraft>,
) -> ApiResult<Service> {
    change(&engine, &session, id, &body, UpdateMode::Full).await
}

/// Change a service
///
/// Once a trade uses it, `kind`, `invoice_on`, `bill_to` and `currency` are fixed. Invoices already issued do not change.
#[utoipa::path(patch, path = "/api/services/{id}", tag = "services", request_body = ServicePatch,
    responses((status = 200, description = "The service as it is now.", body = Service)),
    extensions(("x-codes" = json!(["permission_denied", "service_in_use"]))))]
async fn update_service(engine: Engine, session: Session, id: PathId<ServiceId>, body: Body<ServiceDraft>) -> ApiResult<Service> {
    change(&engine, &session, id, &body, UpdateMode::Partial).await
}

/// Deactivate a service
///
/// No new trade can be opened under it; existing ones continue.
#[utoipa::path(delete, path = "/api/services/{id}", tag = "services",
    responses((status = 204, description = "The service is deactivated.")),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn deactivate_service(engine: Engine, session: Session, id: PathId<ServiceId>) -> Result<StatusCode, Problem> {
    let id = id.or_not_found(&session.actor)?;
    engine.deactivate_service(&session, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn change(
    engine: &Engine,
    session: &Session,
    id: PathId<ServiceId>,
    body: &Body<ServiceDraft>,
    mode: UpdateMode,
) -> ApiResult<Service> {
    let id = id.or_not_found(&session.actor)?;
    let service = body.judge(engine.update_service(session, id, body, mode).await)?;
    Ok(Json(service.into()))
}
