//! The payment gateway: what clients have to know of it, and what it reports (rules 5.5, 5.8).

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::response::ApiResult;
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Engine, received_body};
use crate::idempotency::Replay;
use crate::problem::Problem;
use crate::views::{CardSetup, Gateway};

/// The header with the signature of a notification.
const SIGNATURE: &str = "stripe-signature";

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .routes(routes!(get_gateway))
        .post(routes!(set_up_credit_card), Replay::repeated())
        .post(routes!(take_notification), Replay::key_ignored().public())
}

/// A notification, as the provider writes it.
#[derive(ToSchema)]
#[schema(value_type = Object)]
#[expect(dead_code, reason = "only its schema is used")]
struct Notification(serde_json::Value);

/// Get the payment gateway
#[utoipa::path(get, path = "/api/gateway", tag = "payments",
    responses((status = 200, description = "The payment gateway.", body = Gateway)))]
async fn get_gateway(engine: Engine, session: Session) -> ApiResult<Gateway> {
    Ok(Json(engine.gateway(&session.actor)?.into()))
}

/// Prepare to enter a credit card
///
/// For customers, with a gateway whose cards are entered in the browser: what its form needs. The card is then stored by the name
/// that the provider gives it.
#[utoipa::path(post, path = "/api/credit-cards/setup", tag = "credit cards",
    responses((status = 200, description = "What the form needs.", body = CardSetup)),
    extensions(("x-codes" = json!(["permission_denied", "not_found", "throttled"]))))]
async fn set_up_credit_card(engine: Engine, session: Session) -> ApiResult<CardSetup> {
    Ok(Json(engine.set_up_card(&session.actor).await?.into()))
}

/// Take a notification of the gateway
///
/// For the provider, which signs it. What happened is asked of the provider, so that one that comes twice, late or not at all does no
/// harm.
#[utoipa::path(post, path = "/api/gateway/webhook", tag = "payments", security(()), request_body = Notification,
    params(("Stripe-Signature" = Option<String>, Header, description = "The signature of the provider.")),
    responses((status = 204, description = "The notification was taken.")),
    extensions(("x-codes" = json!(["not_found"]))))]
async fn take_notification(engine: Engine, request: Request) -> Result<StatusCode, Problem> {
    let body = received_body(request.extensions())?;
    let signature = request.headers().get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    engine.take_notification(signature, &body).await?;
    Ok(StatusCode::NO_CONTENT)
}
