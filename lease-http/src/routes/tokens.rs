//! A user's own tokens (rule 3.3). The text of a token is in the response that creates it, and nowhere else.

use axum::http::StatusCode;
use lease_core::account::TokenDraft;
use lease_core::id::TokenId;
use lease_core::permission::Resource;
use utoipa_axum::routes;

use super::response::{ApiResult, Created, created};
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::Replay;
use crate::problem::Problem;
use crate::query::{Filter, List, Params};
use crate::views::{Listing, NewToken, Token};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new().routes(routes!(list_tokens)).post(routes!(create_token), Replay::repeated()).routes(routes!(delete_token))
}

/// A page of tokens.
type TokenPage = Listing<Token>;

/// A list of one's own tokens has no filter.
#[derive(Debug)]
struct Own;

impl Filter for Own {
    const RESOURCE: Resource = Resource::Token;

    fn read(_: &mut Params) -> Self {
        Self
    }
}

/// List one's own tokens
///
/// Those that are good: neither expired nor revoked.
#[utoipa::path(get, path = "/api/tokens", tag = "accounts", params(List<Own>),
    responses((status = 200, description = "A page of tokens.", body = TokenPage)))]
async fn list_tokens(engine: Engine, session: Session, list: List<Own>) -> ApiResult<TokenPage> {
    let (Own, page, links) = list.for_reader(&session.actor)?;
    let found = engine.list_tokens(&session.actor, page).await?;
    let current = session.token.as_ref().map(|token| token.id);
    Ok(links.respond(found, |token| Token::new(token, current)))
}

/// Create a token
///
/// For a machine, say. It has all rights of its user. Only a request with a token makes another one.
#[utoipa::path(post, path = "/api/tokens", tag = "accounts", request_body = TokenDraft,
    responses((status = 201, description = "The token is created.", body = NewToken)),
    extensions(("x-codes" = json!(["no_token_session"]))))]
async fn create_token(engine: Engine, session: Session, body: Body<TokenDraft>) -> Created<NewToken> {
    let in_use = session.require_token()?.hash;
    let made = body.judge(engine.create_token(&session, in_use, &body).await)?;
    Ok(created(made.token.id, made.into()))
}

/// Revoke a token
///
/// One of the caller's own, which may be that of the request.
#[utoipa::path(delete, path = "/api/tokens/{id}", tag = "accounts", responses((status = 204, description = "The token is revoked.")))]
async fn delete_token(engine: Engine, session: Session, id: PathId<TokenId>) -> Result<StatusCode, Problem> {
    let id = id.or_not_found(&session.actor)?;
    engine.revoke_token(&session, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
