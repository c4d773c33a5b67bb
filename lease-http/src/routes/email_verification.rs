//! Confirming an e-mail address (rule 9.4).

use axum::http::StatusCode;
use lease_core::account::EmailConfirmationDraft;
use utoipa_axum::routes;

use crate::auth::{Anybody, Session};
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine};
use crate::idempotency::Replay;
use crate::problem::Problem;
use crate::throttle::limit_mails;

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .post(routes!(ask_for_email_verification), Replay::changed(async || StatusCode::ACCEPTED))
        .around_last(limit_mails)
        .post(routes!(confirm_email), Replay::changed(async || StatusCode::NO_CONTENT).open())
}

/// Ask to confirm one's e-mail address
///
/// Mails a link to the present address, unless it is confirmed.
#[utoipa::path(post, path = "/api/email-verification", tag = "accounts",
    responses((status = 202, description = "Unless the address is confirmed, a mail is on its way.")),
    extensions(("x-codes" = json!(["throttled"]))))]
async fn ask_for_email_verification(engine: Engine, session: Session) -> Result<StatusCode, Problem> {
    engine.ask_for_email_verification(&session).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Confirm an e-mail address by a mailed link
///
/// The token in the link is good once, for three days, and for the address to which it was mailed.
#[utoipa::path(post, path = "/api/email-verification/confirm", tag = "accounts", security((), ("token" = [])),
    request_body = EmailConfirmationDraft,
    responses((status = 204, description = "The address is confirmed.")))]
async fn confirm_email(engine: Engine, anybody: Anybody, body: Body<EmailConfirmationDraft>) -> Result<StatusCode, Problem> {
    body.judge(engine.confirm_email(&anybody, &body).await)?;
    Ok(StatusCode::NO_CONTENT)
}
