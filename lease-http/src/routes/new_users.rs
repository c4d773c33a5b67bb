//! Users whom somebody else creates, with a password (rule 3.4).

use lease_core::account::UserDraft;
use utoipa_axum::routes;

use super::response::{Created, created};
use super::users::get_user;
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine};
use crate::idempotency::{Replay, Secrets};
use crate::views::User;

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new().post(routes!(create_user), Replay::created(get_user).with_secrets(Secrets::Passwords))
}

/// Create a user
///
/// Unless the user is administrative, a customer is created, too. For staff.
#[utoipa::path(post, path = "/api/users", tag = "users", request_body = UserDraft,
    responses((status = 201, description = "The user is created.", body = User)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn create_user(engine: Engine, session: Session, body: Body<UserDraft>) -> Created<User> {
    let account = body.judge(engine.create_user(&session, &body).await)?;
    Ok(created(account.user.id, User::seen_by(&session.actor, account)))
}
