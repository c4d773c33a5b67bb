//! Leads (rule 6.4); administrative users only.

use axum::Json;
use axum::http::StatusCode;
use lease_core::directory::{ConversionDraft, LeadDraft};
use lease_core::id::LeadId;
use lease_core::input::UpdateMode;
use lease_core::permission::Resource;
use lease_core::repository::LeadFilter;
use utoipa_axum::routes;

use super::response::{ApiResult, Created, created};
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::Replay;
use crate::problem::Problem;
use crate::query::{Filter, List, Params};
use crate::schema::any_said;
use crate::views::{Lead, Listing};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .routes(routes!(list_leads))
        .post(routes!(create_lead), Replay::created(get_lead))
        .routes(routes!(get_lead, replace_lead, update_lead, delete_lead))
        .post(routes!(convert_lead), Replay::changed(get_lead))
        .closed_without(Resource::Lead)
}

/// A page of leads.
type LeadPage = Listing<Lead>;

impl Filter for LeadFilter {
    const RESOURCE: Resource = Resource::Lead;

    fn read(params: &mut Params) -> Self {
        Self {
            status: params.choice("status", "Only leads with this status."),
            customer_id: params.id("customer_id", "Only leads converted to this customer."),
            search: params.search("Only leads in which each of these words occurs: in the names, the e-mail address, the phone number or the company."),
        }
    }
}

/// List leads
#[utoipa::path(get, path = "/api/leads", tag = "leads", params(List<LeadFilter>),
    responses((status = 200, description = "A page of leads.", body = LeadPage)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn list_leads(engine: Engine, session: Session, list: List<LeadFilter>) -> ApiResult<LeadPage> {
    let (filter, page, links) = list.for_reader(&session.actor)?;
    let found = engine.list_leads(&session.actor, filter, page).await?;
    Ok(links.respond(found, Lead::from))
}

/// Create a lead
#[utoipa::path(post, path = "/api/leads", tag = "leads", request_body = LeadDraft,
    responses((status = 201, description = "The lead is created.", body = Lead)),
    extensions(("x-codes" = json!(["permission_denied"])), ("x-rules" = json!([
        any_said(&["first_name", "last_name", "company", "email", "phone"]),
        { "properties": { "status": { "enum": ["new", "contacted", "qualified", "lost"] } } },
    ]))))]
async fn create_lead(engine: Engine, session: Session, body: Body<LeadDraft>) -> Created<Lead> {
    let lead = body.judge(engine.create_lead(&session, &body).await)?;
    Ok(created(lead.id, lead.into()))
}

/// Get a lead
#[utoipa::path(get, path = "/api/leads/{id}", tag = "leads",
    responses((status = 200, description = "The lead.", body = Lead)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn get_lead(engine: Engine, session: Session, id: PathId<LeadId>) -> ApiResult<Lead> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(engine.get_lead(&session.actor, id).await?.into()))
}

/// Replace a lead
#[utoipa::path(put, path = "/api/leads/{id}", tag = "leads", request_body = LeadDraft,
    responses((status = 200, description = "The lead as it is now.", body = Lead)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn replace_lead(engine: Engine, session: Session, id: PathId<LeadId>, body: Body<LeadDraft>) -> ApiResult<Lead> {
    change(&engine, &session, id, &body, UpdateMode::Full).await
}

/// Change a lead
#[utoipa::path(patch, path = "/api/leads/{id}", tag = "leads", request_body = LeadDraft,
    responses((status = 200, description = "The lead as it is now.", body = Lead)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn update_lead(engine: Engine, session: Session, id: PathId<LeadId>, body: Body<LeadDraft>) -> ApiResult<Lead> {
    change(&engine, &session, id, &body, UpdateMode::Partial).await
}

/// Delete a lead and its contacts
#[utoipa::path(delete, path = "/api/leads/{id}", tag = "leads",
    responses((status = 204, description = "The lead is deleted.")),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn delete_lead(engine: Engine, session: Session, id: PathId<LeadId>) -> Result<StatusCode, Problem> {
    let id = id.or_not_found(&session.actor)?;
    engine.delete_lead(&session, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Convert a lead
///
/// The lead becomes `converted`, and its contacts become the customer's, in one step.
#[utoipa::path(post, path = "/api/leads/{id}/convert", tag = "leads", request_body = ConversionDraft,
    responses((status = 200, description = "The lead as it is now.", body = Lead)),
    extensions(("x-codes" = json!(["permission_denied", "lead_converted"]))))]
async fn convert_lead(engine: Engine, session: Session, id: PathId<LeadId>, body: Body<ConversionDraft>) -> ApiResult<Lead> {
    let id = id.or_not_found(&session.actor)?;
    let lead = body.judge(engine.convert_lead(&session, id, &body).await)?;
    Ok(Json(lead.into()))
}

async fn change(
    engine: &Engine,
    session: &Session,
    id: PathId<LeadId>,
    body: &Body<LeadDraft>,
    mode: UpdateMode,
) -> ApiResult<Lead> {
    let id = id.or_not_found(&session.actor)?;
    let lead = body.judge(engine.update_lead(session, id, body, mode).await)?;
    Ok(Json(lead.into()))
}
