//! Proposals (rules 4.2 to 4.5).

use axum::Json;
use lease_core::id::{ProposalId, TradeId};
use lease_core::lifecycle::ProposalDraft;
use lease_core::permission::Resource;
use lease_core::repository::ProposalFilter;
use utoipa_axum::routes;

use super::response::{ApiResult, Created, created};
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::Replay;
use crate::query::{Filter, List, Params};
use crate::schema::{TermsInput, both_or_neither};
use crate::views::{Listing, Proposal};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .routes(routes!(list_proposals))
        .post(routes!(create_proposal), Replay::created(get_proposal))
        .routes(routes!(list_trade_proposals))
        .post(routes!(create_trade_proposal), Replay::created(get_proposal))
        .routes(routes!(get_proposal))
        .post(routes!(accept_proposal), Replay::changed(get_proposal))
        .post(routes!(reject_proposal), Replay::changed(get_proposal))
        .post(routes!(withdraw_proposal), Replay::changed(get_proposal))
}

/// A page of proposals.
type ProposalPage = Listing<Proposal>;

impl Filter for ProposalFilter {
    const RESOURCE: Resource = Resource::Proposal;

    fn read(params: &mut Params) -> Self {
        Self { trade_id: params.id("trade_id", "Only proposals in this trade."), ..OfTrade::read(params).0 }
    }
}

/// The filter of the proposals of one trade.
#[derive(Debug)]
struct OfTrade(ProposalFilter);

impl Filter for OfTrade {
    const RESOURCE: Resource = Resource::Proposal;

    fn read(params: &mut Params) -> Self {
        Self(ProposalFilter {
            customer_id: params.id("customer_id", "Only proposals by this customer."),
            status: params.choice("status", "Only proposals whose present status is this."),
            ..ProposalFilter::default()
        })
    }
}

/// List proposals
///
/// A customer sees their own, all in their own trades, and the owner's in every trade that they may see.
#[utoipa::path(get, path = "/api/proposals", tag = "proposals", params(List<ProposalFilter>),
    responses((status = 200, description = "A page of proposals.", body = ProposalPage)))]
async fn list_proposals(engine: Engine, session: Session, list: List<ProposalFilter>) -> ApiResult<ProposalPage> {
    let (filter, page, links) = list.for_reader(&session.actor)?;
    let found = engine.list_proposals(&session.actor, filter, page).await?;
    Ok(links.respond(found, Proposal::from))
}

/// Create a proposal
///
/// The owner of the trade makes the first one. A new one supersedes the pending one by the same customer.
#[utoipa::path(post, path = "/api/proposals", tag = "proposals", request_body = ProposalDraft,
    responses((status = 201, description = "The proposal is created.", body = Proposal)),
    extensions(
        ("x-codes" = json!(["permission_denied", "trade_not_open", "owner_proposal_required", "party_inactive", "proposal_limit"])),
        ("x-rules" = json!([both_or_neither("start_date", "end_date")])),
        ("x-examples" = json!(["A sale", "A lease"]))))]
async fn create_proposal(engine: Engine, session: Session, body: Body<ProposalDraft>) -> Created<Proposal> {
    let proposal = body.judge(engine.create_proposal(&session, &body).await)?;
    Ok(created(proposal.stored.id, proposal.into()))
}

/// List the proposals of a trade
#[utoipa::path(get, path = "/api/trades/{id}/proposals", tag = "proposals", params(List<OfTrade>),
    responses((status = 200, description = "A page of proposals.", body = ProposalPage)))]
async fn list_trade_proposals(
    engine: Engine,
    session: Session,
    trade: PathId<TradeId>,
    list: List<OfTrade>,
) -> ApiResult<ProposalPage> {
    let trade = trade.or_not_found(&session.actor)?;
    let (OfTrade(filter), page, links) = match list.for_reader(&session.actor) {
        Ok(asked) => asked,
        Err(problem) => {
            // A trade that the actor may not see is not found, whatever is wrong with the parameters.
            engine.get_trade(&session.actor, trade).await?;
            return Err(problem);
        }
    };
    let found = engine.list_trade_proposals(&session.actor, trade, filter, page).await?;
    Ok(links.respond(found, Proposal::from))
}

/// Create a proposal in a trade
///
/// The owner of the trade makes the first one. A new one supersedes the pending one by the same customer.
#[utoipa::path(post, path = "/api/trades/{id}/proposals", tag = "proposals", request_body = TermsInput,
    responses((status = 201, description = "The proposal is created.", body = Proposal)),
    extensions(
        ("x-codes" = json!(["permission_denied", "trade_not_open", "owner_proposal_required", "party_inactive", "proposal_limit"])),
        ("x-rules" = json!([both_or_neither("start_date", "end_date")])),
        ("x-examples" = json!(["A sale", "A lease"]))))]
async fn create_trade_proposal(
    engine: Engine,
    session: Session,
    trade: PathId<TradeId>,
    body: Body<ProposalDraft>,
) -> Created<Proposal> {
    let trade = trade.or_not_found(&session.actor)?;
    let proposal = body.judge(engine.propose(&session, trade, &body).await)?;
    Ok(created(proposal.stored.id, proposal.into()))
}

/// Get a proposal
#[utoipa::path(get, path = "/api/proposals/{id}", tag = "proposals",
    responses((status = 200, description = "The proposal.", body = Proposal)))]
async fn get_proposal(engine: Engine, session: Session, id: PathId<ProposalId>) -> ApiResult<Proposal> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(engine.get_proposal(&session.actor, id).await?.into()))
}

/// Accept a proposal
///
/// The owner of the trade may accept a proposal of another customer; any other customer may accept the owner's. The trade is then
/// agreed, and every other pending proposal is closed.
#[utoipa::path(post, path = "/api/proposals/{id}/accept", tag = "proposals",
    responses((status = 200, description = "The proposal as it is now.", body = Proposal)),
    extensions(("x-codes" = json!([
        "permission_denied", "trade_not_open", "proposal_expired", "proposal_not_pending", "party_inactive",
        "vehicle_not_available"]))))]
async fn accept_proposal(engine: Engine, session: Session, id: PathId<ProposalId>) -> ApiResult<Proposal> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(engine.accept_proposal(&session, id).await?.into()))
}

/// Reject a proposal
///
/// For the owner of the trade, if another customer made the proposal.
#[utoipa::path(post, path = "/api/proposals/{id}/reject", tag = "proposals",
    responses((status = 200, description = "The proposal as it is now.", body = Proposal)),
    extensions(("x-codes" = json!(["permission_denied", "trade_not_open", "proposal_expired", "proposal_not_pending"]))))]
async fn reject_proposal(engine: Engine, session: Session, id: PathId<ProposalId>) -> ApiResult<Proposal> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(engine.reject_proposal(&session, id).await?.into()))
}

/// Withdraw a proposal
///
/// For the customer who made it.
#[utoipa::path(post, path = "/api/proposals/{id}/withdraw", tag = "proposals",
    responses((status = 200, description = "The proposal as it is now.", body = Proposal)),
    extensions(("x-codes" = json!(["permission_denied", "trade_not_open", "proposal_expired", "proposal_not_pending"]))))]
async fn withdraw_proposal(engine: Engine, session: Session, id: PathId<ProposalId>) -> ApiResult<Proposal> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(engine.withdraw_proposal(&session, id).await?.into()))
}
