//! Services (rule 5.1). Everybody may read the active ones, whether logged in or not.

use axum::Json;
use axum::http::StatusCode;
use lease_core::catalog::ServiceDraft;
use lease_core::id::ServiceId;
use lease_core::input::UpdateMode;
use lease_core::permission::Resource;
use lease_core::repository::ServiceFilter;
use utoipa_axum::routes;

use super::response::{ApiResult, Created, created};
use crate::auth::{Caller, Session};
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::Replay;
use crate::problem::Problem;
use crate::query::{Filter, List, Params};
use crate::schema::ServicePatch;
use crate::views::{Listing, Service};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new().routes(routes!(list_services)).post(routes!(create_service), Replay::created(get_service)).routes(routes!(
        get_service,
        replace_service,
        update_service,
        deactivate_service
    ))
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
