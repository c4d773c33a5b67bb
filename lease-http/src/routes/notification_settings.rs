//! Which notices come by mail (rule 9.5).

use axum::Json;
use lease_core::account::NoticeSettingsDraft;
use utoipa_axum::routes;

use super::response::ApiResult;
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine};
use crate::views::NotificationSettings;

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new().routes(routes!(get_notification_settings, replace_notification_settings))
}

/// Get one's notification settings
#[utoipa::path(get, path = "/api/notification-settings", tag = "accounts",
    responses((status = 200, description = "The settings.", body = NotificationSettings)))]
async fn get_notification_settings(engine: Engine, session: Session) -> ApiResult<NotificationSettings> {
    Ok(Json(engine.notice_settings(&session.actor).await?.into()))
}

/// Change one's notification settings
///
/// What is left out stays as it is.
#[utoipa::path(put, path = "/api/notification-settings", tag = "accounts", request_body = NoticeSettingsDraft,
    responses((status = 200, description = "The settings as they are now.", body = NotificationSettings)))]
async fn replace_notification_settings(
    engine: Engine,
    session: Session,
    body: Body<NoticeSettingsDraft>,
) -> ApiResult<NotificationSettings> {
    let settings = body.judge(engine.choose_notices(&session, &body).await)?;
    Ok(Json(settings.into()))
}
