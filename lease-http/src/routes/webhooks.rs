//! Webhook endpoints and what is delivered to them (rules 9.1, 9.2). The secret of an endpoint is in the responses that create it and that
//! give it another one, and nowhere else.

use axum::Json;
use axum::http::StatusCode;
use lease_core::id::{WebhookDeliveryId, WebhookEndpointId};
use lease_core::permission::Resource;
use lease_core::repository::{WebhookDeliveryFilter, WebhookEndpointFilter};
use lease_core::webhook::WebhookEndpointDraft;
use utoipa_axum::routes;

use super::response::{ApiResult, Created, created};
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::Replay;
use crate::problem::Problem;
use crate::query::{Filter, List, Params};
use crate::schema::WebhookEndpointPatch;
use crate::views::{Listing, WebhookDelivery, WebhookEndpoint, WebhookEndpointWithSecret};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .routes(routes!(list_webhook_endpoints))
        .post(routes!(create_webhook_endpoint), Replay::created(get_with_secret))
        .routes(routes!(get_webhook_endpoint, update_webhook_endpoint, delete_webhook_endpoint))
        .post(routes!(rotate_webhook_secret), Replay::changed(get_with_secret))
        .post(routes!(test_webhook_endpoint), Replay::created(get_queued))
        .routes(routes!(list_webhook_deliveries))
        .routes(routes!(get_webhook_delivery))
        .post(routes!(redeliver_webhook), Replay::changed(get_queued))
        .closed_without(Resource::WebhookEndpoint)
}

/// The response about a delivery that is queued.
type Accepted = Result<(StatusCode, Json<WebhookDelivery>), Problem>;
/// A page of webhook endpoints.
type WebhookEndpointPage = Listing<WebhookEndpoint>;
/// A page of webhook deliveries.
type WebhookDeliveryPage = Listing<WebhookDelivery>;

impl Filter for WebhookEndpointFilter {
    const RESOURCE: Resource = Resource::WebhookEndpoint;

    fn read(params: &mut Params) -> Self {
        Self { is_active: params.flag("is_active", "`true` for only endpoints that are switched on, `false` for only others.") }
    }
}

impl Filter for WebhookDeliveryFilter {
    const RESOURCE: Resource = Resource::WebhookEndpoint;

    fn read(params: &mut Params) -> Self {
        Self { status: params.choice("status", "Only deliveries with this status."), ..Self::default() }
    }
}

/// List webhook endpoints
///
/// For staff.
#[utoipa::path(get, path = "/api/webhook-endpoints", tag = "webhooks", params(List<WebhookEndpointFilter>),
    responses((status = 200, description = "A page of webhook endpoints.", body = WebhookEndpointPage)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn list_webhook_endpoints(
    engine: Engine,
    session: Session,
    list: List<WebhookEndpointFilter>,
) -> ApiResult<WebhookEndpointPage> {
    let (filter, page, links) = list.for_reader(&session.actor)?;
    let found = engine.list_webhook_endpoints(&session.actor, filter, page).await?;
    Ok(links.respond(found, WebhookEndpoint::from))
}

/// Create a webhook endpoint
///
/// It is told of what happens from now on, as Standard Webhooks 1.0 says: a POST with the headers `webhook-id`, `webhook-timestamp` and
/// `webhook-signature`, and an event in `data` of the body. There are 100 endpoints at most. For staff.
#[utoipa::path(post, path = "/api/webhook-endpoints", tag = "webhooks", request_body = WebhookEndpointDraft,
    responses((status = 201, description = "The webhook endpoint is created.", body = WebhookEndpointWithSecret)),
    extensions(("x-codes" = json!(["permission_denied", "webhook_endpoint_limit"]))))]
async fn create_webhook_endpoint(
    engine: Engine,
    session: Session,
    body: Body<WebhookEndpointDraft>,
) -> Created<WebhookEndpointWithSecret> {
    let endpoint = body.judge(engine.create_webhook_endpoint(&session, &body).await)?;
    Ok(created(endpoint.id, endpoint.into()))
}

/// Get a webhook endpoint
#[utoipa::path(get, path = "/api/webhook-endpoints/{id}", tag = "webhooks",
    responses((status = 200, description = "The webhook endpoint.", body = WebhookEndpoint)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn get_webhook_endpoint(engine: Engine, session: Session, id: PathId<WebhookEndpointId>) -> ApiResult<WebhookEndpoint> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(engine.get_webhook_endpoint(&session.actor, id).await?.into()))
}

/// The response with a secret that was lost.
async fn get_with_secret(
    engine: Engine,
    session: Session,
    id: PathId<WebhookEndpointId>,
) -> ApiResult<WebhookEndpointWithSecret> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(engine.get_webhook_endpoint(&session.actor, id).await?.into()))
}

/// Change a webhook endpoint
///
/// One that is switched on again is told of what happens from then on.
#[utoipa::path(patch, path = "/api/webhook-endpoints/{id}", tag = "webhooks", request_body = WebhookEndpointPatch,
    responses((status = 200, description = "The webhook endpoint as it is now.", body = WebhookEndpoint)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn update_webhook_endpoint(
    engine: Engine,
    session: Session,
    id: PathId<WebhookEndpointId>,
    body: Body<WebhookEndpointDraft>,
) -> ApiResult<WebhookEndpoint> {
    let id = id.or_not_found(&session.actor)?;
    let endpoint = body.judge(engine.update_webhook_endpoint(&session, id, &body).await)?;
    Ok(Json(endpoint.into()))
}

/// Delete a webhook endpoint
///
/// With its deliveries.
#[utoipa::path(delete, path = "/api/webhook-endpoints/{id}", tag = "webhooks",
    responses((status = 204, description = "The webhook endpoint is deleted.")),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn delete_webhook_endpoint(engine: Engine, session: Session, id: PathId<WebhookEndpointId>) -> Result<StatusCode, Problem> {
    let id = id.or_not_found(&session.actor)?;
    engine.delete_webhook_endpoint(&session, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Rotate the secret of a webhook endpoint
///
/// The one before signs as well for 24 hours.
#[utoipa::path(post, path = "/api/webhook-endpoints/{id}/rotate-secret", tag = "webhooks",
    responses((status = 200, description = "The webhook endpoint, with its new secret.", body = WebhookEndpointWithSecret)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn rotate_webhook_secret(
    engine: Engine,
    session: Session,
    id: PathId<WebhookEndpointId>,
) -> ApiResult<WebhookEndpointWithSecret> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(engine.rotate_webhook_secret(&session, id).await?.into()))
}

/// Test a webhook endpoint
///
/// Sends it `webhook_endpoint.test`, in the background.
#[utoipa::path(post, path = "/api/webhook-endpoints/{id}/test", tag = "webhooks",
    responses((status = 202, description = "The test is queued.", body = WebhookDelivery)),
    extensions(("x-codes" = json!(["permission_denied", "webhook_endpoint_off"]))))]
async fn test_webhook_endpoint(engine: Engine, session: Session, id: PathId<WebhookEndpointId>) -> Created<WebhookDelivery> {
    let id = id.or_not_found(&session.actor)?;
    let delivery = engine.test_webhook_endpoint(&session, id).await?;
    let (_, id, body) = created(delivery.id, delivery.into());
    Ok((StatusCode::ACCEPTED, id, body))
}

/// List the deliveries to a webhook endpoint
///
/// They are kept for 30 days.
#[utoipa::path(get, path = "/api/webhook-endpoints/{id}/deliveries", tag = "webhooks", params(List<WebhookDeliveryFilter>),
    responses((status = 200, description = "A page of webhook deliveries.", body = WebhookDeliveryPage)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn list_webhook_deliveries(
    engine: Engine,
    session: Session,
    endpoint: PathId<WebhookEndpointId>,
    list: List<WebhookDeliveryFilter>,
) -> ApiResult<WebhookDeliveryPage> {
    let endpoint = endpoint.or_not_found(&session.actor)?;
    let (filter, page, links) = match list.for_reader(&session.actor) {
        Ok(asked) => asked,
        Err(problem) => {
            // An endpoint that does not exist is not found, whatever is wrong with the parameters.
            engine.get_webhook_endpoint(&session.actor, endpoint).await?;
            return Err(problem);
        }
    };
    let found = engine.list_webhook_deliveries(&session.actor, endpoint, filter, page).await?;
    Ok(links.respond(found, WebhookDelivery::from))
}

/// Get a webhook delivery
#[utoipa::path(get, path = "/api/webhook-deliveries/{id}", tag = "webhooks",
    responses((status = 200, description = "The webhook delivery.", body = WebhookDelivery)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn get_webhook_delivery(engine: Engine, session: Session, id: PathId<WebhookDeliveryId>) -> ApiResult<WebhookDelivery> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(engine.get_webhook_delivery(&session.actor, id).await?.into()))
}

/// The response about a delivery that was queued.
async fn get_queued(engine: Engine, session: Session, id: PathId<WebhookDeliveryId>) -> Accepted {
    let id = id.or_not_found(&session.actor)?;
    Ok((StatusCode::ACCEPTED, Json(engine.get_webhook_delivery(&session.actor, id).await?.into())))
}

/// Deliver a webhook again
///
/// In the background, whatever became of it so far.
#[utoipa::path(post, path = "/api/webhook-deliveries/{id}/redeliver", tag = "webhooks",
    responses((status = 202, description = "The delivery is queued once more.", body = WebhookDelivery)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn redeliver_webhook(engine: Engine, session: Session, id: PathId<WebhookDeliveryId>) -> Accepted {
    let id = id.or_not_found(&session.actor)?;
    Ok((StatusCode::ACCEPTED, Json(engine.redeliver_webhook(&session, id).await?.into())))
}
