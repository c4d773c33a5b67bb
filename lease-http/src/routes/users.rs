//! Users (rules 3.4, 3.5).

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use lease_core::Error;
use lease_core::account::UserDraft;
use lease_core::id::UserId;
use lease_core::input::UpdateMode;
use lease_core::model::Email;
use lease_core::permission::Resource;
use lease_core::repository::UserFilter;
use utoipa_axum::routes;

use super::response::ApiResult;
use crate::auth::Session;
use crate::client_address::ClientAddress;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::problem::Problem;
use crate::query::{Filter, List, Params};
use crate::schema::{UserInput, UserPatch};
use crate::state::AppState;
use crate::views::{Listing, User};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .routes(routes!(list_users))
        .routes(routes!(get_me))
        .routes(routes!(get_user, replace_user, update_user, deactivate_user))
        .routes(routes!(get_user_by_old_path, replace_user_by_old_path, update_user_by_old_path))
}

/// A page of users.
type UserPage = Listing<User>;

impl Filter for UserFilter {
    const RESOURCE: Resource = Resource::User;

    fn read(params: &mut Params) -> Self {
        Self {
            is_active: params.flag("is_active", "`true` for only users who may log in, `false` for only those who may not."),
            is_staff: params.flag("is_staff", "`true` for only administrative users, `false` for only customers."),
            role: params.choice("role", "Only users with this role."),
            external_id: params.external_id(),
            search: params
                .search("Only users in which each of these words occurs: in the user name, the e-mail address or the names."),
            ..Self::default()
        }
    }
}

/// List users
///
/// A customer sees only themselves.
#[utoipa::path(get, path = "/api/users", tag = "users", params(List<UserFilter>),
    responses((status = 200, description = "A page of users.", body = UserPage)))]
async fn list_users(engine: Engine, session: Session, list: List<UserFilter>) -> ApiResult<UserPage> {
    let (filter, page, links) = list.for_reader(&session.actor)?;
    let found = engine.list_users(&session.actor, filter, page).await?;
    Ok(links.respond(found, |account| User::seen_by(&session.actor, account)))
}

/// Get a user
#[utoipa::path(get, path = "/api/users/{id}", tag = "users", responses((status = 200, description = "The user.", body = User)))]
pub(super) async fn get_user(engine: Engine, session: Session, id: PathId<UserId>) -> ApiResult<User> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(User::seen_by(&session.actor, engine.get_user(&session.actor, id).await?)))
}

/// Get oneself
///
/// The user whose token the request carries.
#[utoipa::path(get, path = "/api/me", tag = "users", responses((status = 200, description = "The user.", body = User)))]
async fn get_me(engine: Engine, session: Session) -> ApiResult<User> {
    let id = session.actor.user().ok_or(Error::NotAuthenticated)?;
    Ok(Json(User::seen_by(&session.actor, engine.get_user(&session.actor, id).await?)))
}

/// Replace a user
///
/// Where the operator asks customers for their present password with a new password or e-mail address, a wrong one counts as a failed
/// login.
#[utoipa::path(put, path = "/api/users/{id}", tag = "users", request_body = UserInput,
    responses((status = 200, description = "The user as it is now.", body = User)),
    extensions(("x-codes" = json!(["permission_denied", "last_superuser", "customer_in_use", "throttled"]))))]
async fn replace_user(engine: Engine, editor: Editor, id: PathId<UserId>, body: Body<UserDraft>) -> ApiResult<User> {
    editor.change(&engine, id, &body, UpdateMode::Full).await
}

/// Change a user
///
/// Where the operator asks customers for their present password with a new password or e-mail address, a wrong one counts as a failed
/// login.
#[utoipa::path(patch, path = "/api/users/{id}", tag = "users", request_body = UserPatch,
    responses((status = 200, description = "The user as it is now.", body = User)),
    extensions(("x-codes" = json!(["permission_denied", "last_superuser", "customer_in_use", "throttled"]))))]
async fn update_user(engine: Engine, editor: Editor, id: PathId<UserId>, body: Body<UserDraft>) -> ApiResult<User> {
    editor.change(&engine, id, &body, UpdateMode::Partial).await
}

/// Deactivate a user
///
/// The user's tokens are revoked; nothing is deleted. For staff.
#[utoipa::path(delete, path = "/api/users/{id}", tag = "users",
    responses((status = 204, description = "The user is deactivated.")),
    extensions(("x-codes" = json!(["permission_denied", "last_superuser"]))))]
async fn deactivate_user(engine: Engine, session: Session, id: PathId<UserId>) -> Result<StatusCode, Problem> {
    let id = id.or_not_found(&session.actor)?;
    engine.deactivate_user(&session, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get a user (older path)
#[utoipa::path(get, path = "/api/user/{id}", tag = "users", responses((status = 200, description = "The user.", body = User)),
    extensions(("x-instead" = json!("GET /api/users/{id}"))))]
async fn get_user_by_old_path(engine: Engine, session: Session, id: PathId<UserId>) -> ApiResult<User> {
    get_user(engine, session, id).await
}

/// Replace a user (older path)
#[utoipa::path(put, path = "/api/user/{id}", tag = "users", request_body = UserInput,
    responses((status = 200, description = "The user as it is now.", body = User)),
    extensions(("x-codes" = json!(["permission_denied", "last_superuser", "customer_in_use", "throttled"])), ("x-instead" = json!("PUT /api/users/{id}"))))]
async fn replace_user_by_old_path(engine: Engine, editor: Editor, id: PathId<UserId>, body: Body<UserDraft>) -> ApiResult<User> {
    replace_user(engine, editor, id, body).await
}

/// Change a user (older path)
#[utoipa::path(patch, path = "/api/user/{id}", tag = "users", request_body = UserPatch,
    responses((status = 200, description = "The user as it is now.", body = User)),
    extensions(("x-codes" = json!(["permission_denied", "last_superuser", "customer_in_use", "throttled"])), ("x-instead" = json!("PATCH /api/users/{id}"))))]
async fn update_user_by_old_path(engine: Engine, editor: Editor, id: PathId<UserId>, body: Body<UserDraft>) -> ApiResult<User> {
    update_user(engine, editor, id, body).await
}

/// Whoever changes a user, and the limits on how often they may give a wrong present password or another e-mail address.
#[derive(FromRequestParts)]
#[from_request(state(AppState))]
struct Editor {
    session: Session,
    client: ClientAddress,
    state: State<AppState>,
}

impl Editor {
    async fn change(&self, engine: &Engine, id: PathId<UserId>, body: &Body<UserDraft>, mode: UpdateMode) -> ApiResult<User> {
        let Self { session, client, state } = self;
        let id = id.or_not_found(&session.actor)?;
        if engine.sends_mails() && self.moves(engine, id, body).await? {
            state.mails.count(*client, engine.now())?;
        }
        let work = engine.update_user(session, id, body, mode, session.token_hash());
        #[cfg(feature = "passwords")]
        let updated = {
            let verified = session.actor.user().filter(|user| *user == id && engine.verifies_password(&session.actor, body));
            state.accounts.logins.guard(engine, *client, verified, work).await?
        };
        #[cfg(not(feature = "passwords"))]
        let updated = work.await;
        let account = body.judge(updated)?;
        Ok(Json(User::seen_by(&session.actor, account)))
    }

    /// Whether a customer gives themselves another e-mail address, to which a mail then goes.
    async fn moves(&self, engine: &Engine, id: UserId, body: &Body<UserDraft>) -> Result<bool, Error> {
        let actor = &self.session.actor;
        let Some(email) = body.email.given().and_then(|text| Email::parse(text).ok()) else { return Ok(false) };
        if actor.customer().is_none() || actor.user() != Some(id) {
            return Ok(false);
        }
        Ok(engine.get_user(actor, id).await?.user.email.as_ref() != Some(&email))
    }
}
