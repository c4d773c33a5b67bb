//! The test clock (chapter 11), where the engine has one.

use axum::Json;
use axum::extract::State;
use lease_core::engine::AdvanceDraft;
use lease_core::permission::Resource;
use utoipa_axum::routes;

use super::response::ApiResult;
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine};
use crate::idempotency::Replay;
use crate::state::AppState;
use crate::views::TestClock;

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .routes(routes!(get_test_clock))
        .post(routes!(advance_test_clock), Replay::repeated())
        .closed_without(Resource::TestClock)
}

/// Get the time
#[utoipa::path(get, path = "/api/test-clock", tag = "test clock",
    responses((status = 200, description = "The time of the server.", body = TestClock)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn get_test_clock(engine: Engine, session: Session) -> ApiResult<TestClock> {
    Ok(Json(engine.read_test_clock(&session.actor)?.into()))
}

/// Move the clock forward
///
/// By ten years at most. The response comes once everything that came due was done. The clock runs on from there.
#[utoipa::path(post, path = "/api/test-clock/advance", tag = "test clock", request_body = AdvanceDraft,
    responses((status = 200, description = "The time of the server now.", body = TestClock)),
    extensions(("x-codes" = json!(["permission_denied"])), ("x-rules" = json!([{ "anyOf": [
        { "properties": { "to": { "type": "string" }, "seconds": { "type": "null" } }, "required": ["to"] },
        { "properties": { "seconds": { "type": "integer" }, "to": { "type": "null" } }, "required": ["seconds"] },
    ] }]))))]
async fn advance_test_clock(
    engine: Engine,
    State(state): State<AppState>,
    session: Session,
    body: Body<AdvanceDraft>,
) -> ApiResult<TestClock> {
    let advanced = engine.advance_test_clock(&session, &body, &state.options.maintenance).await;
    Ok(Json(body.judge(advanced)?.into()))
}
