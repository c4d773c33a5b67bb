//! Users (spec 3.4, 3.5).

use axum::Json;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use lease_core::account::UserDraft;
use lease_core::id::UserId;
use lease_core::input::UpdateMode;
use lease_core::model::Account;
use lease_core::repository::UserFilter;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ApiResult, Created, created};
use crate::auth::Session;
use crate::extract::{Body, Engine, PathId};
use crate::problem::Problem;
use crate::query::{Filter, List, Listing, Params};
use crate::schema::{Id, UserInput, UserPatch};
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_users, create_user))
        .routes(routes!(get_user, replace_user, update_user, deactivate_user))
        .routes(routes!(get_user_by_old_path, replace_user_by_old_path, update_user_by_old_path))
}

/// A user.
#[derive(Serialize, ToSchema)]
struct User {
    id: Id,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    is_active: bool,
    is_staff: bool,
    is_superuser: bool,
    date_joined: DateTime<Utc>,
    #[schema(required)]
    last_login: Option<DateTime<Utc>>,
    /// The customer behind the user; null for administrative users.
    #[schema(required)]
    customer_id: Option<Id>,
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        let user = account.user.value;
        Self {
            id: account.user.id.into(),
            username: user.username.as_str().to_owned(),
            email: user.email.as_str().to_owned(),
            first_name: user.first_name,
            last_name: user.last_name,
            is_active: user.is_active,
            is_staff: user.role.is_staff(),
            is_superuser: user.role.is_superuser(),
            date_joined: user.date_joined,
            last_login: user.last_login,
            customer_id: account.customer_id.map(Id::from),
        }
    }
}

/// A page of users.
type UserPage = Listing<User>;

impl Filter for UserFilter {
    fn read(params: &mut Params) -> Self {
        Self {
            is_active: params.flag("is_active", "Those that may log in, or those that may not."),
            is_staff: params.flag("is_staff", "Administrative ones, or those that trade."),
            role: params.choice("role", "Of this role."),
            search: params.search("All of these words occur in the user name, the e-mail address or the names."),
            ..Self::default()
        }
    }
}

/// List users
///
/// Customers see themselves.
#[utoipa::path(get, path = "/api/users", tag = "users", params(List<UserFilter>),
    responses((status = 200, description = "A page of users.", body = UserPage)))]
async fn list_users(engine: Engine, session: Session, list: List<UserFilter>) -> ApiResult<UserPage> {
    let found = engine.list_users(&session.actor, list.filter(), list.page()).await;
    list.respond(found, User::from)
}

/// Make a user
///
/// Its customer is made with it, unless it administers. Staff only.
#[utoipa::path(post, path = "/api/users", tag = "users", request_body = UserDraft,
    responses((status = 201, description = "Made.", body = User)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn create_user(engine: Engine, session: Session, body: Body<UserDraft>) -> Created<User> {
    let account = body.judge(engine.create_user(&session.actor, &body).await)?;
    Ok(created(account.into()))
}

/// Get a user
#[utoipa::path(get, path = "/api/users/{id}", tag = "users", responses((status = 200, description = "The user.", body = User)))]
async fn get_user(engine: Engine, session: Session, PathId(id): PathId<UserId>) -> ApiResult<User> {
    Ok(Json(engine.get_user(&session.actor, id).await?.into()))
}

/// Replace a user
#[utoipa::path(put, path = "/api/users/{id}", tag = "users", request_body = UserInput,
    responses((status = 200, description = "The user as it is now.", body = User)),
    extensions(("x-codes" = json!(["permission_denied", "last_superuser", "customer_in_use"]))))]
async fn replace_user(engine: Engine, session: Session, id: PathId<UserId>, body: Body<UserDraft>) -> ApiResult<User> {
    change(&engine, &session, id.0, &body, UpdateMode::Full).await
}

/// Change a user
#[utoipa::path(patch, path = "/api/users/{id}", tag = "users", request_body = UserPatch,
    responses((status = 200, description = "The user as it is now.", body = User)),
    extensions(("x-codes" = json!(["permission_denied", "last_superuser", "customer_in_use"]))))]
async fn update_user(engine: Engine, session: Session, id: PathId<UserId>, body: Body<UserDraft>) -> ApiResult<User> {
    change(&engine, &session, id.0, &body, UpdateMode::Partial).await
}

/// Deactivate a user
///
/// The user's tokens are revoked; nothing is erased. Staff only.
#[utoipa::path(delete, path = "/api/users/{id}", tag = "users",
    responses((status = 204, description = "The user is deactivated.")),
    extensions(("x-codes" = json!(["permission_denied", "last_superuser"]))))]
async fn deactivate_user(engine: Engine, session: Session, PathId(id): PathId<UserId>) -> Result<StatusCode, Problem> {
    engine.deactivate_user(&session.actor, id).await?;
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
    extensions(("x-codes" = json!(["permission_denied", "last_superuser", "customer_in_use"])), ("x-instead" = json!("PUT /api/users/{id}"))))]
async fn replace_user_by_old_path(
    engine: Engine,
    session: Session,
    id: PathId<UserId>,
    body: Body<UserDraft>,
) -> ApiResult<User> {
    replace_user(engine, session, id, body).await
}

/// Change a user (older path)
#[utoipa::path(patch, path = "/api/user/{id}", tag = "users", request_body = UserPatch,
    responses((status = 200, description = "The user as it is now.", body = User)),
    extensions(("x-codes" = json!(["permission_denied", "last_superuser", "customer_in_use"])), ("x-instead" = json!("PATCH /api/users/{id}"))))]
async fn update_user_by_old_path(engine: Engine, session: Session, id: PathId<UserId>, body: Body<UserDraft>) -> ApiResult<User> {
    update_user(engine, session, id, body).await
}

async fn change(engine: &Engine, session: &Session, id: UserId, body: &Body<UserDraft>, mode: UpdateMode) -> ApiResult<User> {
    let account = body.judge(engine.update_user(&session.actor, id, body, mode, Some(session.token)).await)?;
    Ok(Json(account.into()))
}
