//! Logging out (rule 3.3).

use axum::http::StatusCode;
use utoipa_axum::routes;

use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::Engine;
use crate::idempotency::Replay;
use crate::problem::Problem;

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new().post(routes!(logout), Replay::key_ignored()).post(routes!(logout_all), Replay::key_ignored())
}

/// Log out
///
/// Revokes the token of the request.
#[utoipa::path(post, path = "/api/logout", tag = "accounts", responses((status = 204, description = "The token is revoked.")),
    extensions(("x-codes" = json!(["no_token_session"]))))]
async fn logout(engine: Engine, session: Session) -> Result<StatusCode, Problem> {
    engine.logout(&session, session.require_token()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Log out everywhere
///
/// Revokes all tokens of the user.
#[utoipa::path(post, path = "/api/logout-all", tag = "accounts",
    responses((status = 204, description = "All tokens of the user are revoked.")))]
async fn logout_all(engine: Engine, session: Session) -> Result<StatusCode, Problem> {
    engine.logout_everywhere(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}
