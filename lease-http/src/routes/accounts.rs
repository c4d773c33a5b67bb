//! Registering and logging in (rules 3.1, 3.2).

use axum::Json;
use axum::extract::State;
use lease_core::Error;
use lease_core::account::RegistrationDraft;
use lease_core::engine::LoginDraft;
use lease_core::id::UserId;
use utoipa_axum::routes;

use super::response::{ApiResult, Created, created};
use crate::auth::Unauthenticated;
use crate::client_address::ClientAddress;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::{Replay, Secrets};
use crate::layers::{Presence, Trail};
use crate::throttle::{LoginThrottle, limit_logins, limit_registrations};
use crate::views::{Login, Registration};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .post(routes!(register), Replay::created(register_again).public().with_secrets(Secrets::Passwords))
        .around_last(limit_registrations)
        .post(routes!(login), Replay::repeated().public().with_secrets(Secrets::Passwords))
        .around_last(limit_logins)
}

/// Register
///
/// Creates a user with a customer and a token, in one step.
#[utoipa::path(post, path = "/api/register", tag = "accounts", security(()), request_body = RegistrationDraft,
    responses((status = 201, description = "The user is registered.", body = Registration)),
    extensions(("x-codes" = json!(["throttled"]))))]
async fn register(
    engine: Engine,
    nobody: Unauthenticated,
    presence: Presence,
    body: Body<RegistrationDraft>,
) -> Created<Registration> {
    let work = async { body.judge(engine.register(&nobody, &body).await) };
    let registered = presence.while_waiting(work).await?;
    Ok(created(registered.account.user.id, registered.into()))
}

/// The response to a registration whose first response was lost. Nobody has the token in that one, so a new one is issued.
async fn register_again(engine: Engine, user: PathId<UserId>) -> Created<Registration> {
    let user = user.0.ok_or(Error::NotFound)?;
    let registered = engine.repeat_registration(user).await?;
    Ok(created(registered.account.user.id, registered.into()))
}

/// Log in
///
/// Creates a new token. A wrong name, a wrong password and a deactivated user get the same response.
#[utoipa::path(post, path = "/api/login", tag = "accounts", security(()), request_body = LoginDraft,
    responses((status = 200, description = "The user is logged in.", body = Login)),
    extensions(("x-codes" = json!(["invalid_credentials", "throttled"]))))]
async fn login(
    engine: Engine,
    nobody: Unauthenticated,
    client: ClientAddress,
    presence: Presence,
    trail: Trail,
    State(throttle): State<LoginThrottle>,
    body: Body<LoginDraft>,
) -> ApiResult<Login> {
    let work = async {
        let name = body.username.given().map_or("", String::as_str);
        body.judge(throttle.log_in(&engine, client, name, Box::pin(engine.login(&nobody, &body))).await?)
    };
    let login = presence.while_waiting(work).await?;
    trail.acted(login.account.user.id);
    Ok(Json(login.into()))
}
