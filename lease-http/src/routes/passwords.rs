//! Forgotten passwords, and one's own (rule 9.3).

use axum::extract::State;
use axum::http::StatusCode;
use lease_core::account::{PasswordChangeDraft, PasswordConfirmationDraft, PasswordResetDraft};
use utoipa_axum::routes;

use crate::auth::{Anybody, Session};
use crate::client_address::ClientAddress;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine};
use crate::idempotency::{Replay, Secrets};
use crate::problem::Problem;
use crate::throttle::{LoginThrottle, limit_keyed_links, limit_mails, limit_password_changes};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .post(routes!(ask_for_password_reset), Replay::changed(async || StatusCode::ACCEPTED).open())
        .around_last(limit_mails)
        .post(
            routes!(confirm_password_reset),
            Replay::changed(async || StatusCode::NO_CONTENT).open().with_secrets(Secrets::Passwords),
        )
        .around_last(limit_keyed_links)
        .post(routes!(change_password), Replay::changed(async || StatusCode::NO_CONTENT).with_secrets(Secrets::Passwords))
        .around_last(limit_password_changes)
}

/// Ask for a new password
///
/// Mails a link to the active user with this e-mail address, if there is one. The response does not tell.
#[utoipa::path(post, path = "/api/password-reset", tag = "accounts", security((), ("token" = [])), request_body = PasswordResetDraft,
    responses((status = 202, description = "If there is such a user, a mail is on its way.")),
    extensions(("x-codes" = json!(["throttled"]))))]
async fn ask_for_password_reset(engine: Engine, anybody: Anybody, body: Body<PasswordResetDraft>) -> Result<StatusCode, Problem> {
    body.judge(engine.ask_for_password_reset(&anybody, &body).await)?;
    Ok(StatusCode::ACCEPTED)
}

/// Set a new password by a mailed link
///
/// The token in the link is good once, for an hour, and only until the password changes. All tokens of the user are revoked, and nobody is
/// logged in.
#[utoipa::path(post, path = "/api/password-reset/confirm", tag = "accounts", security((), ("token" = [])),
    request_body = PasswordConfirmationDraft,
    responses((status = 204, description = "The password is changed.")),
    extensions(("x-codes" = json!(["throttled"]))))]
async fn confirm_password_reset(
    engine: Engine,
    anybody: Anybody,
    body: Body<PasswordConfirmationDraft>,
) -> Result<StatusCode, Problem> {
    body.judge(engine.confirm_password_reset(&anybody, &body).await)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change one's own password
///
/// The user's other tokens are revoked. A wrong present password counts as a failed login.
#[utoipa::path(post, path = "/api/password", tag = "accounts", request_body = PasswordChangeDraft,
    responses((status = 204, description = "The password is changed.")),
    extensions(("x-codes" = json!(["throttled"]))))]
async fn change_password(
    engine: Engine,
    session: Session,
    client: ClientAddress,
    State(throttle): State<LoginThrottle>,
    body: Body<PasswordChangeDraft>,
) -> Result<StatusCode, Problem> {
    let work = engine.change_password(&session, &body, session.token_hash());
    let is_verified = body.current_password.given().is_some();
    let outcome = throttle.guard(&engine, client, session.actor.user().filter(|_| is_verified), work).await?;
    body.judge(outcome)?;
    Ok(StatusCode::NO_CONTENT)
}
